// Expectations of the x86 cases (image-file.ts has the format).

import { type Case, inputImage } from './case.js';
import { hashInput, ImageReader, ImageWriter } from './image-file.js';

export { HASH_START, type Header } from './image-file.js';

/** Continues the hash of a group's inputs. */
export function hashCase(c: Case, input: Uint8Array, h: number): number {
  return hashInput(c.code, input, h);
}

export class ExpectationWriter extends ImageWriter {
  /** Appends the result of the group's next case. */
  add(c: Case, image: Uint8Array): void {
    this.addImage(c.code, inputImage(c), image);
  }
}

export class ExpectationReader extends ImageReader {
  constructor(path: string) {
    super(path, 'tools/isa/record.ts');
  }

  /** The image expected of the group's next case. */
  next(c: Case): Uint8Array {
    return this.nextImage(c.code, inputImage(c));
  }
}
