// Which extension an instruction came with: on a CPU model without it, the opcode is undefined.

import { STATE } from '../layout/memory';
import {
  CPU_CLFLUSH,
  CPU_MMX,
  CPU_SSE,
  CPU_SSE2,
  CPU_SSE3,
  CPU_SSE4_1,
  CPU_SSE4_2,
  CPU_SSSE3,
} from '../layout/x86-features';
import { S_CPU_FEATURES } from '../layout/x86-state';
import { dMap, dMod, dModrm, dOpcode, MAP_0F, MAP_0F38 } from '../x86/decode';
import { FORM_PD, FORM_SD, FORM_SS, form, UNIT_MMX, unit } from './operands';

/** MMX instructions of map 0F: most are the first ones, some came with SSE or SSE2. */
function mmxFeature(op: u32): u32 {
  switch (op) {
    case 0x70: // PSHUFW
    case 0xc4: // PINSRW
    case 0xc5: // PEXTRW
    case 0xd7: // PMOVMSKB
    case 0xda: // PMINUB
    case 0xde: // PMAXUB
    case 0xe0: // PAVGB
    case 0xe3: // PAVGW
    case 0xe4: // PMULHUW
    case 0xe7: // MOVNTQ
    case 0xea: // PMINSW
    case 0xee: // PMAXSW
    case 0xf6: // PSADBW
    case 0xf7: // MASKMOVQ
      return CPU_SSE;
    case 0xd4: // PADDQ
    case 0xf4: // PMULUDQ
    case 0xfb: // PSUBQ
      return CPU_SSE2;
    default:
      return CPU_MMX;
  }
}

function group15Feature(): u32 {
  const reg = (dModrm >> 3) & 7;
  if (dMod != 3) return reg == 7 ? CPU_CLFLUSH : CPU_SSE;
  return reg == 7 ? CPU_SSE : CPU_SSE2;
}

function required(): u32 {
  const op = dOpcode;
  if (dMap == MAP_0F) {
    if (op == 0xae) return group15Feature();
    if (unit == UNIT_MMX) return mmxFeature(op);
    const f = form();
    if (op == 0x12 || op == 0x16) return f >= FORM_SS ? CPU_SSE3 : f == FORM_PD ? CPU_SSE2 : CPU_SSE;
    if (op == 0x7c || op == 0x7d || op == 0xd0 || op == 0xf0) return CPU_SSE3;
    if (f == FORM_PD || f == FORM_SD) return CPU_SSE2;
    // Conversions between the precisions, and what moves or shuffles integers in XMM registers.
    if (op == 0x5a || op == 0x5b || (op >= 0x60 && op <= 0x7f) || op == 0xd6 || op == 0xe6) return CPU_SSE2;
    return CPU_SSE;
  }
  if (dMap == MAP_0F38) {
    if (op < 0x10 || (op >= 0x1c && op < 0x1f)) return CPU_SSSE3;
    return op == 0x37 ? CPU_SSE4_2 : CPU_SSE4_1;
  }
  return op == 0x0f ? CPU_SSSE3 : op >= 0x60 ? CPU_SSE4_2 : CPU_SSE4_1;
}

/** Does the CPU model have the instruction just lifted? */
export function hasFeature(): bool {
  return (load<u32>(STATE, S_CPU_FEATURES) & required()) != 0;
}
