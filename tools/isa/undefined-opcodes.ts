// Encodings that are no instruction of the CPU model: each must raise #UD. What the host has and the model has not
// (VEX, EVEX, SSE4a, BMI, AES, SHA, CET …) is left out: a recording could not show #UD.

import { parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';
import { classOf } from './rows.js';

export interface BareEncoding {
  readonly name: string;
  readonly prefixes: readonly number[];
  readonly opcode: readonly number[];
  /** ModRM with a register operand; -1: there is none. */
  readonly modrm: number;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const register = (reg: number) => 0xc0 | (reg << 3) | 1;

/** One-byte opcodes that 64-bit mode does not have (SDM vol. 2D, table A-2, "i64"). */
const GONE_IN_64 = [
  0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6,
  0xea,
];
/** Unassigned in the 0F map. */
const HOLES_0F = [
  0x04, 0x0a, 0x0c, 0x0e, 0x24, 0x25, 0x26, 0x27, 0x36, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x7a, 0x7b, 0xa6, 0xa7,
  0xaa, 0xb9, 0xff,
];
/** Unassigned in the 0F 38 and 0F 3A maps without VEX. */
const HOLES_0F38 = [
  0x0c, 0x0d, 0x0e, 0x0f, 0x11, 0x12, 0x13, 0x16, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x26, 0x27, 0x2c, 0x36, 0x42, 0x58,
  0x78, 0x90,
];
const HOLES_0F3A = [0x00, 0x01, 0x04, 0x05, 0x06, 0x18, 0x19, 0x1d, 0x23, 0x30, 0x38, 0x43, 0x46, 0x4a, 0x64, 0x70];
/** [escape bytes and opcode, unassigned members of the group, register form]. */
const GROUPS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[0xfe], range(2, 7)],
  [[0xff], [3, 5, 7]],
  [[0xc6], range(1, 7)],
  [[0xc7], range(1, 6)],
  [[0x8f], range(1, 7)],
  [[0x8d], range(0, 7)],
  [[0x0f, 0xba], range(0, 3)],
  [
    [0x0f, 0x71],
    [0, 1, 3, 5, 7],
  ],
  [
    [0x0f, 0x72],
    [0, 1, 3, 5, 7],
  ],
  [
    [0x0f, 0x73],
    [0, 1, 4, 5],
  ],
  [
    [0x0f, 0x00],
    [6, 7],
  ],
  [
    [0x0f, 0xc7],
    [0, 1, 2, 3, 4, 5],
  ],
];
/** Only with a memory operand; here with a register. */
const MEMORY_ONLY = [0x13, 0x17, 0x2b, 0xb2, 0xb4, 0xb5, 0xc3, 0xe7];

/** SSE opcodes with a mandatory prefix that they do not have: [map, opcode, prefix]. */
function missingPrefixes(): BareEncoding[] {
  const rows = parseOpcodeTable();
  const opcodes = new Set(rows.filter((r) => classOf(r) === 'vector').map((r) => r.map * 256 + r.opcode));
  const list: BareEncoding[] = [];
  for (const key of opcodes) {
    const [map, opcode] = [key >> 8, key & 0xff];
    // FXSAVE's group; SSE4a's MOVNTSS and MOVNTSD; shift groups, which are above.
    if (map === 1 && [0xae, 0x2b, 0x71, 0x72, 0x73].includes(opcode)) continue;
    for (const prefix of [0, 0x66, 0xf3, 0xf2]) {
      if (rows.some((r) => r.map === map && r.opcode === opcode && (r.prefix ?? prefix) === prefix)) continue;
      const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][map];
      list.push({
        name: 'undefined with prefix',
        prefixes: prefix === 0 ? [] : [prefix],
        opcode: [...escapes, opcode],
        modrm: register(2),
      });
    }
  }
  return list;
}

export function undefinedEncodings(long: boolean): BareEncoding[] {
  const list: BareEncoding[] = [];
  const add = (opcode: readonly number[], modrm = register(0)) => {
    for (const prefixes of [[], [0x66]]) list.push({ name: 'undefined', prefixes, opcode, modrm });
  };
  if (long) for (const opcode of GONE_IN_64) add([opcode]);
  for (const opcode of HOLES_0F) add([0x0f, opcode]);
  for (const opcode of HOLES_0F38) add([0x0f, 0x38, opcode]);
  for (const opcode of HOLES_0F3A) add([0x0f, 0x3a, opcode]);
  for (const [opcode, members] of GROUPS) for (const member of members) add(opcode, register(member));
  for (const opcode of MEMORY_ONLY) add([0x0f, opcode]);
  return [...list, ...missingPrefixes()];
}
