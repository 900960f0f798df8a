// Files of expectations: for each case of a group the bytes of the image that differ from its input, in case order,
// compressed. Inputs are not stored: they follow from the seeds. A hash of them tells a file that belongs to other cases.

import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { hashBytes } from './random.js';

export const FORMAT = 1;

export interface Header {
  readonly format: number;
  readonly group: string;
  readonly count: number;
  /** Hash of code and input image of all cases. */
  readonly inputs: string;
  /** What gave the answers: a CPU's vendor, family, model and stepping, or an emulator's version and CPU model. */
  readonly cpu: string;
}

/** Continues the hash of a group's inputs. */
export function hashInput(code: Uint8Array, input: Uint8Array, h: number): number {
  return hashBytes(input, hashBytes(code, h));
}
export const HASH_START = 0x811c9dc5;

/** Grows as needed. */
class ByteWriter {
  private bytes = new Uint8Array(1 << 16);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(2 * this.length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = value;
  }
  /** Seven bits a byte, lowest first. */
  number(value: number): void {
    let v = value;
    for (; v >= 0x80; v >>>= 7) this.byte((v & 0x7f) | 0x80);
    this.byte(v);
  }
  take(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

export class ImageWriter {
  private readonly out = new ByteWriter();
  private hash = HASH_START;
  private count = 0;

  /** Appends the result of the group's next case. `input` is the image if the code did nothing. */
  addImage(code: Uint8Array, input: Uint8Array, image: Uint8Array): void {
    this.hash = hashInput(code, input, this.hash);
    this.count++;
    const runs: [number, number][] = [];
    for (let i = 0; i < image.length; i++) {
      if (image[i] === input[i]) continue;
      const last = runs[runs.length - 1];
      // A gap of one equal byte costs less than another run.
      if (last && i - last[1] <= 1) last[1] = i + 1;
      else runs.push([i, i + 1]);
    }
    this.out.number(runs.length);
    let at = 0;
    for (const [from, to] of runs) {
      this.out.number(from - at);
      this.out.number(to - from);
      for (let i = from; i < to; i++) this.out.byte(image[i]);
      at = to;
    }
  }

  save(path: string, group: string, cpu: string): void {
    const header: Header = { format: FORMAT, group, count: this.count, inputs: this.hash.toString(16), cpu };
    const text = new TextEncoder().encode(JSON.stringify(header) + '\n');
    const body = this.out.take();
    const all = new Uint8Array(text.length + body.length);
    all.set(text);
    all.set(body, text.length);
    writeFileSync(path, gzipSync(all, { level: 9 }));
  }
}

export class ImageReader {
  readonly header: Header;
  private readonly bytes: Uint8Array;
  private at: number;
  private hash = HASH_START;
  private read = 0;

  /** @param recorder the program that makes such files, for messages */
  constructor(
    readonly path: string,
    private readonly recorder: string,
  ) {
    this.bytes = gunzipSync(readFileSync(path));
    this.at = this.bytes.indexOf(10) + 1;
    this.header = JSON.parse(new TextDecoder().decode(this.bytes.subarray(0, this.at))) as Header;
    if (this.header.format !== FORMAT) this.refuse(`has format ${this.header.format}, not ${FORMAT}`);
  }

  private number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.bytes[this.at++];
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return value;
    }
  }

  /** Turns the input image of the group's next case into the expected one. */
  nextImage(code: Uint8Array, input: Uint8Array): Uint8Array {
    if (this.read++ >= this.header.count) this.refuse('has fewer cases than the generator');
    this.hash = hashInput(code, input, this.hash);
    let at = 0;
    for (let runs = this.number(); runs > 0; runs--) {
      at += this.number();
      const length = this.number();
      if (at + length > input.length) this.refuse('does not belong to these cases');
      input.set(this.bytes.subarray(this.at, this.at + length), at);
      this.at += length;
      at += length;
    }
    return input;
  }

  /** After the last case: was the file made for these inputs? */
  finish(): void {
    if (this.read !== this.header.count || this.hash.toString(16) !== this.header.inputs) {
      this.refuse('was recorded for other inputs');
    }
  }

  private refuse(why: string): never {
    throw new TsvmError('E_ISA_DATA', `${this.path} ${why}: record it again with ${this.recorder}`);
  }
}
