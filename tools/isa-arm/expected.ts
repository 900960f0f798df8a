// Expectations of the A64 cases (tools/isa/image-file.ts has the format).

import { fileURLToPath } from 'node:url';
import { ImageReader, ImageWriter } from '../isa/image-file.js';
import { type Case, inputImage } from './case.js';

const DATA = fileURLToPath(new URL('../../../test/data/isa-arm/', import.meta.url));
export const dataFile = (group: string) => `${DATA}${group}.bin`;

const codeBytes = (c: Case) => new Uint8Array(c.code.buffer, c.code.byteOffset, 4 * c.code.length);

export class ExpectationWriter extends ImageWriter {
  /** Appends the result of the group's next case. */
  add(c: Case, image: Uint8Array): void {
    this.addImage(codeBytes(c), inputImage(c), image);
  }
}

export class ExpectationReader extends ImageReader {
  constructor(group: string) {
    super(dataFile(group), 'tools/isa-arm/record.ts');
  }

  /** The image expected of the group's next case. */
  next(c: Case): Uint8Array {
    return this.nextImage(codeBytes(c), inputImage(c));
  }
}
