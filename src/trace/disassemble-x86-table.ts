// Which row of the opcode table an instruction is.

import { type OpcodeRow, parseOpcodeTable } from '../../assembly/layout/x86-opcodes.js';

/** Width of code: 16, 32, or 64 bits (64-bit mode). */
export type X86Bits = 16 | 32 | 64;

let index: Map<number, OpcodeRow[]> | undefined;

function rowsOf(map: number, opcode: number): readonly OpcodeRow[] {
  if (!index) {
    index = new Map();
    for (const row of parseOpcodeTable()) {
      const key = row.map * 256 + row.opcode;
      const rows = index.get(key);
      if (rows) rows.push(row);
      else index.set(key, [row]);
    }
  }
  return index.get(map * 256 + opcode) ?? [];
}

/** The rows of an opcode that exist in `bits`-bit code. */
export function rowsFor(map: number, opcode: number, bits: X86Bits): readonly OpcodeRow[] {
  return rowsOf(map, opcode).filter((row) => !row.flags.includes(bits === 64 ? 'i64' : 'o64'));
}

/** How much of an instruction a row names: the row that names most is meant. */
function specificity(row: OpcodeRow): number {
  return (
    (row.prefix === undefined ? 0 : 16) +
    (row.reg === undefined ? 0 : 2) +
    (row.mod3 === undefined ? 0 : 4) +
    (row.rm === undefined ? 0 : 8)
  );
}

/** Can the operands be what this ModRM byte names? M is memory; U, N and R are registers. */
function operandsFit(row: OpcodeRow, register: boolean): boolean {
  return row.operands.every((code) => {
    if (/^M[a-z]*$/.test(code)) return !register;
    return register || !/^(?:[UNR][a-z]*)$/.test(code);
  });
}

/**
 * The row for an opcode. `prefix`: F3 or F2 if present, else 66 if present, else 0. `modrm`: the ModRM byte, of which mod
 * is to be taken as 3 where `register`.
 */
export function pickRow(
  rows: readonly OpcodeRow[],
  prefix: number,
  modrm: number,
  register: boolean,
): OpcodeRow | undefined {
  let best: OpcodeRow | undefined;
  for (const row of rows) {
    if (row.prefix !== undefined && row.prefix !== prefix) continue;
    if (row.reg !== undefined && row.reg !== ((modrm >> 3) & 7)) continue;
    if (row.mod3 !== undefined && row.mod3 !== register) continue;
    if (row.rm !== undefined && row.rm !== (modrm & 7)) continue;
    if (!operandsFit(row, register)) continue;
    if (!best || specificity(row) > specificity(best)) best = row;
  }
  return best;
}
