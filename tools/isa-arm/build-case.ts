// Makes one case from a row: fields, registers, memory.

import { hashText, Random } from '../isa/random.js';
import type { Case, Window } from './case.js';
import * as I from './case.js';
import {
  ARENA,
  ARENA_SIZE,
  CODE_END,
  DATA,
  FROM_ABSENT,
  LANDING,
  LANDING_SIZE,
  PAGE,
  TO_ABSENT,
  TO_READ_ONLY,
} from './environment.js';
import { randomFpcr, setUpRegisters } from './registers.js';
import { type Fields, type MemoryUse, type Row, signed } from './row.js';

/** Where a case's first instruction lies: another place for each, some across a page boundary. */
export function codeAddress(index: number): number {
  return ARENA + 0x1000 + ((index * 0x44) % (CODE_END - ARENA - 0x2000));
}

const REGISTER = /^R[dnmast]2?$/;

function randomFields(random: Random, row: Row): Record<string, number> {
  const fields: Record<string, number> = {};
  let previous = 0;
  for (const p of row.pattern.fields) {
    if (REGISTER.test(p.name)) {
      // Register 31 and repeated registers are where decoders go wrong.
      fields[p.name] = random.oneIn(10) ? 31 : random.oneIn(8) ? previous : random.below(32);
      previous = fields[p.name];
    } else fields[p.name] = random.oneIn(6) ? random.pick([0, 2 ** p.width - 1]) : random.below(2 ** p.width);
  }
  return fields;
}

/** Fields of an instruction that the row accepts. */
export function chooseFields(random: Random, row: Row): Record<string, number> {
  for (;;) {
    const fields = randomFields(random, row);
    row.fix?.(fields);
    if (row.accept?.(fields) ?? true) return fields;
  }
}

/** Numbers of the registers that the fields name. */
export function registersOf(row: Row, fields: Fields): Set<number> {
  const used = new Set<number>();
  for (const p of row.pattern.fields) {
    if (!REGISTER.test(p.name)) continue;
    used.add(fields[p.name]);
    // Tables and structures go on with the following registers.
    if (/^(TB|LD|ST)/.test(row.name)) for (let i = 1; i < 4; i++) used.add((fields[p.name] + i) & 31);
  }
  return used;
}

/** Where the memory operand lies. */
export function chooseAddress(random: Random, use: MemoryUse): number {
  const { size } = use;
  const boundary = use.mapped
    ? DATA
    : random.pick([DATA, DATA, DATA, DATA, DATA, TO_READ_ONLY, TO_ABSENT, FROM_ABSENT]);
  let at: number;
  if (boundary === DATA && random.oneIn(2)) at = DATA + 64 + random.below(0x700);
  else at = boundary - size + random.between(-1, size + 1);
  if (use.aligned ? !random.oneIn(8) : random.oneIn(2)) {
    const natural = size & (size - 1) ? 8 : size;
    at -= at % natural;
  }
  return at;
}

/** Memory around an operand that a case may write. */
export function windowAround(random: Random, at: number, size: number): Window {
  let from = at - 16;
  let to = at + size + 16;
  if (from < TO_READ_ONLY && to > TO_READ_ONLY) to = TO_READ_ONLY;
  if (from < TO_ABSENT && to > TO_ABSENT) to = TO_ABSENT;
  if (from < FROM_ABSENT && from >= FROM_ABSENT - PAGE) {
    from = FROM_ABSENT;
    to = Math.max(to, from + 16);
  }
  const bytes = new Uint8Array(to - from);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.u32() & 0xff;
  return { at: from, bytes };
}

/** Value of a register offset as the instruction extends it (ExtendReg): UXTW, LSL, SXTW, SXTX. */
function extended(value: bigint, option: number): bigint {
  if (option === 2) return BigInt.asUintN(32, value);
  return option === 6 ? BigInt.asIntN(32, value) : value;
}

interface Draft {
  readonly random: Random;
  readonly row: Row;
  readonly view: DataView;
  readonly pc: number;
  readonly windows: Window[];
}

function setUpMemory(d: Draft, fields: Record<string, number>): void {
  const use = d.row.memory?.(fields);
  if (!use) return;
  const { random, view } = d;
  if (use.literal) {
    setUpLiteral(d, fields, use);
    return;
  }
  const at = chooseAddress(random, use);
  const window = windowAround(random, at, use.size);
  d.windows.push(window);
  let base = BigInt(at) - BigInt(use.offset ?? 0);
  if (use.index) {
    const { option, shift } = use.index;
    if (fields['Rm'] !== 31) {
      // Small offsets of either sign, with rubbish in the upper half that an extension drops.
      let value = BigInt.asUintN(64, BigInt(random.between(-2000, 2000)));
      if (option === 2 || option === 6) value = (value & 0xffffffffn) | ((random.u64() >> 32n) << 32n);
      view.setBigUint64(I.IMAGE_X + 8 * fields['Rm'], value, true);
      base -= extended(value, option) << BigInt(shift);
    }
  }
  base = BigInt.asUintN(64, base);
  const rn = d.row.pattern.fields.some((p) => p.name === 'Rn') ? fields['Rn'] : fields['Rt'];
  if (rn === 31 && d.row.pattern.fields.every((p) => p.name !== 'Rn')) return;
  // The stack pointer has to be aligned: then the operand lies where it may.
  if (rn === 31) view.setBigUint64(I.IMAGE_SP, base & ~15n, true);
  else {
    // TBI: the top byte is ignored.
    const tag = random.oneIn(16) ? (random.u64() >> 56n) << 56n : 0n;
    view.setBigUint64(I.IMAGE_X + 8 * rn, base | tag, true);
  }
  if (use.compared && random.oneIn(2)) {
    for (let i = 0; i < use.size; i++) {
      const half = d.row.name.startsWith('CASP') ? use.size / 2 : use.size;
      const from = I.IMAGE_X + 8 * ((fields['Rs'] + Math.floor(i / half)) & 31) + (i % half);
      // X31 is the zero register.
      const byte = from < I.IMAGE_SP ? view.getUint8(from) : 0;
      if (at + i - window.at < window.bytes.length) window.bytes[at + i - window.at] = byte;
    }
  }
}

/** A literal lies among code: its window is taken from the arena's free part. */
function setUpLiteral(d: Draft, fields: Record<string, number>, use: MemoryUse): void {
  const { random } = d;
  const at = LANDING + 4 * random.below(LANDING_SIZE / 4 - 16);
  let distance = (at - d.pc) / 4;
  const limit = 2 ** 18;
  if (distance >= limit || random.oneIn(3)) distance = random.between(-32, -8);
  fields['imm19'] = distance & (2 ** 19 - 1);
  const bytes = new Uint8Array(use.size);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.u32() & 0xff;
  d.windows.push({ at: d.pc + 4 * distance, bytes });
}

/** Branches by an offset mostly go where fill lies. */
function setUpBranch(d: Draft, fields: Record<string, number>): void {
  const { random, row, pc } = d;
  const offset = row.pattern.fields.find((p) => p.name === 'imm26' || p.name === 'imm19' || p.name === 'imm14');
  if (offset && !row.memory && !random.oneIn(12)) {
    const reach = 2 ** (offset.width - 1) - 1;
    const low = Math.max(ARENA, pc - 4 * reach);
    const high = Math.min(ARENA + ARENA_SIZE - 4, pc + 4 * reach);
    const target = low - (low % 4) + 4 * random.below((high - low) / 4);
    // A branch to itself never ends.
    const distance = target === pc ? 4 : (target - pc) / 4;
    fields[offset.name] = distance & (2 ** offset.width - 1);
  } else if (offset && !row.memory && signed(fields[offset.name], offset.width) === 0) fields[offset.name] = 1;
  if (row.target) {
    let target = BigInt(LANDING + 4 * random.below(LANDING_SIZE / 4));
    if (random.oneIn(12)) target |= BigInt(random.between(1, 3));
    if (random.oneIn(12)) target |= 0x5a00000000000000n;
    if (random.oneIn(20)) target += 0x1000000n;
    if (fields[row.target] === 31) fields[row.target] = 30;
    d.view.setBigUint64(I.IMAGE_X + 8 * fields[row.target], target, true);
  }
}

/** The `i`th case of a row. */
export function buildCase(group: string, variant: string, row: Row, i: number, index: number): Case {
  const random = new Random(hashText(`${variant}${group}/${row.name}/${i}`));
  const fields = chooseFields(random, row);
  const state = new Uint8Array(I.IMAGE_WINDOWS);
  const view = new DataView(state.buffer);
  const pc = codeAddress(index);
  setUpRegisters(random, view, registersOf(row, fields), row.lanes?.(fields) ?? 'int');
  if (row.fpcr) view.setUint32(I.IMAGE_FPCR, randomFpcr(random), true);
  const d: Draft = { random, row, view, pc, windows: [] };
  setUpMemory(d, fields);
  setUpBranch(d, fields);
  view.setBigUint64(I.IMAGE_PC, BigInt(pc), true);
  return {
    group,
    index,
    name: row.name,
    code: Uint32Array.of(row.pattern.encode(fields)),
    pc,
    state,
    windows: d.windows,
  };
}
