// The guest's serial line on this process's standard input and output.

import type { ReadStream } from 'node:tty';
import { type EscapeCommand, EscapeFilter } from './escape.js';

/** Takes what arrives for the guest. */
export interface ConsoleReceiver {
  /** Bytes that receive() would take now. */
  space(): number;
  /** Returns how many bytes it took. */
  receive(bytes: Uint8Array): number;
}

export interface ConsoleOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly onCommand: (command: EscapeCommand) => void;
  /** The guest has printed a byte. */
  readonly onOutput: (byte: number) => void;
  /** Something arrived for the guest. */
  readonly onInput: () => void;
  /** Whoever read our output has gone. */
  readonly onOutputClosed: () => void;
}

/** A guest that floods its console gets its output written out in pieces of at most this many bytes. */
const OUTPUT_BUFFER = 65536;

/**
 * Output collects until flush(), which the run loop calls whenever it gives way. Input is read only as fast as the
 * guest takes it, so a pipe's writer is held up rather than this process's memory filled. A terminal is in raw
 * mode from start() to restore(), and every key but the escape key is the guest's, Ctrl-c included.
 */
export class Console {
  private readonly output = new Uint8Array(OUTPUT_BUFFER);
  private used = 0;
  private outputOpen = true;
  private input: Uint8Array = new Uint8Array(0);
  private inputEnded = false;
  private started = false;
  private readonly filter: EscapeFilter | undefined;

  constructor(private readonly options: ConsoleOptions) {
    if (options.stdin.isTTY) this.filter = new EscapeFilter(options.onCommand);
    options.stdout.on('error', () => this.closeOutput());
  }

  /** Begins to read standard input. `receiver` may change with a reset of the machine. */
  start(receiver: () => ConsoleReceiver): void {
    const { stdin } = this.options;
    this.started = true;
    if (stdin.isTTY) {
      (stdin as ReadStream).setRawMode(true);
      process.on('exit', this.restore);
    }
    stdin.on('data', (chunk: Buffer) => {
      const bytes = this.filter ? this.filter.feed(chunk) : chunk;
      this.input = this.input.length ? Buffer.concat([this.input, bytes]) : bytes;
      this.pump(receiver());
      this.options.onInput();
    });
    stdin.on('end', () => {
      this.inputEnded = true;
      this.options.onInput();
    });
    // A terminal that vanished, or a descriptor that was closed before we began: no more input.
    stdin.on('error', () => {
      this.inputEnded = true;
      this.options.onInput();
    });
  }

  /** Gives the guest as much of the waiting input as it takes. */
  pump(receiver: ConsoleReceiver): void {
    if (this.input.length > 0) this.input = this.input.subarray(receiver.receive(this.input));
    const { stdin } = this.options;
    if (this.input.length > 0) stdin.pause();
    else if (this.started && !this.inputEnded && stdin.isPaused()) stdin.resume();
  }

  /** Whether input may still arrive. */
  get inputOpen(): boolean {
    return this.started && (!this.inputEnded || this.input.length > 0);
  }

  /** Whether the guest has input to take. */
  get inputWaiting(): boolean {
    return this.input.length > 0;
  }

  /** One byte from the guest. */
  readonly write = (byte: number): void => {
    this.output[this.used++] = byte;
    if (this.used === OUTPUT_BUFFER) this.writeOut();
    this.options.onOutput(byte);
  };

  /** Writes out what the guest printed; waits while a slow reader holds us up. */
  async flush(): Promise<void> {
    this.writeOut();
    const { stdout } = this.options;
    if (!this.outputOpen || !stdout.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        stdout.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      stdout.on('drain', done).on('close', done).on('error', done);
    });
  }

  private writeOut(): void {
    const bytes = this.output.slice(0, this.used);
    this.used = 0;
    if (bytes.length > 0 && this.outputOpen) this.options.stdout.write(bytes);
  }

  private closeOutput(): void {
    if (!this.outputOpen) return;
    this.outputOpen = false;
    this.options.onOutputClosed();
  }

  /** Gives the terminal back as it was. Harmless when repeated. */
  readonly restore = (): void => {
    if (!this.started) return;
    const { stdin } = this.options;
    if (stdin.isTTY) (stdin as ReadStream).setRawMode(false);
    stdin.pause();
    process.off('exit', this.restore);
  };
}
