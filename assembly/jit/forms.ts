// Forms of a load (ir/ops.ts): how many bytes they read.

import {
  LD_8,
  LD_16,
  LD_S8_16,
  LD_S8_32,
  LD_S8_64,
  LD_S16_32,
  LD_S16_64,
  LD_S32_64,
  LD_Z8,
  LD_Z8_16,
  LD_Z16,
} from '../ir/ops';

/** log2 of the bytes that a load form reads. */
export function sizeOfForm(form: u32): u32 {
  switch (form) {
    case LD_8:
    case LD_Z8:
    case LD_Z8_16:
    case LD_S8_16:
    case LD_S8_32:
    case LD_S8_64:
      return 0;
    case LD_16:
    case LD_Z16:
    case LD_S16_32:
    case LD_S16_64:
      return 1;
    case 2:
    case LD_S32_64:
      return 2;
    default:
      return 3;
  }
}
