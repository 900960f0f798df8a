// The guest's command line: UTF-8, NUL-terminated, of limited length.

import { TsvmError } from '../vcpu/vcpu.js';

/** Longest command line in bytes, without its NUL: what the loader's area for it holds (see placement.ts). */
export const COMMAND_LINE_MAX = 4095;

/** Bytes with the final NUL. E_COMMAND_LINE when longer than `limit` bytes, or when it has a NUL inside. */
export function encodeCommandLine(text: string, limit = COMMAND_LINE_MAX): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const most = Math.min(limit, COMMAND_LINE_MAX);
  if (encoded.length > most) {
    const found = `the command line has ${encoded.length} bytes, and this guest takes at most ${most}`;
    throw new TsvmError('E_COMMAND_LINE', `${found}. Shorten --append.`);
  }
  if (encoded.includes(0)) {
    throw new TsvmError('E_COMMAND_LINE', 'the command line has a NUL inside, which ends it for the guest. Remove it.');
  }
  const terminated = new Uint8Array(encoded.length + 1);
  terminated.set(encoded);
  return terminated;
}
