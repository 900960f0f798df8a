// A running guest with a conversation on its console: wait for text, type, wait again.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export class GuestSession {
  private output = '';
  private errors = '';
  private seen = 0;
  private readonly child: ChildProcessWithoutNullStreams;
  private waiting: (() => void) | null = null;
  private exitCode: number | null | undefined;

  /** Starts `tsvm run …args`. */
  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, ['bin/tsvm.cjs', 'run', ...args], { cwd: ROOT });
    this.child.stdout.setEncoding('latin1').on('data', (text: string) => {
      this.output += text;
      this.waiting?.();
    });
    this.child.stderr.setEncoding('latin1').on('data', (text: string) => {
      this.errors += text;
    });
    this.child.on('exit', (code) => {
      this.exitCode = code;
      this.waiting?.();
    });
  }

  /** Everything printed from the last match to the next match of `pattern`, which must come within `seconds`. */
  async expect(pattern: RegExp, seconds: number): Promise<string> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const rest = this.output.slice(this.seen);
      const found = pattern.exec(rest);
      if (found) {
        this.seen += found.index + found[0].length;
        return rest.slice(0, found.index + found[0].length);
      }
      if (this.exitCode !== undefined)
        throw new Error(`the guest ended (${this.exitCode}) before ${pattern}: ${this.tail()}`);
      if (Date.now() > end) throw new Error(`no ${pattern} within ${seconds} s: ${this.tail()}`);
      await this.change(end - Date.now());
    }
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  /** Waits for the process to end by itself; its exit code. */
  async exit(seconds: number): Promise<number | null> {
    const end = Date.now() + seconds * 1000;
    while (this.exitCode === undefined) {
      if (Date.now() > end) throw new Error(`the guest did not end within ${seconds} s: ${this.tail()}`);
      await this.change(end - Date.now());
    }
    return this.exitCode;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private tail(): string {
    return `${this.output.slice(-1500)}\n${this.errors.slice(-500)}`;
  }

  private change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.max(1, milliseconds));
      const self = this;
      function done() {
        clearTimeout(timer);
        self.waiting = null;
        resolve();
      }
      this.waiting = done;
    });
  }
}
