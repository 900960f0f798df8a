// Cases of several instructions: what a translator does between instructions (flags that nobody reads, registers kept in
// locals, branches over code, exclusive pairs) shows only there.

import { hashText, Random } from '../isa/random.js';
import { chooseFields, codeAddress, windowAround } from './build-case.js';
import type { Case } from './case.js';
import * as I from './case.js';
import { DATA, TO_ABSENT } from './environment.js';
import { randomFpcr, setUpRegisters } from './registers.js';
import { binary, Pattern, type Row } from './row.js';
import { FP_ROWS } from './rows-fp.js';
import { BRANCH_ROWS, INTEGER_ROWS } from './rows-integer.js';
import { MEMORY_ROWS } from './rows-memory.js';
import { VECTOR_FLOAT_ROWS, VECTOR_INTEGER_ROWS } from './rows-vector.js';
import { VECTOR_MORE_ROWS } from './rows-vector-more.js';

/** Points at the sequence's memory and is never written. */
const BASE = 28;
const BASE_ADDRESS = DATA + 0x400;
const WINDOW = 128;
/** Points in front of a page that is not there. */
const EDGE_BASE = 26;
const EDGE_ADDRESS = TO_ABSENT - 16;
/** Counts a loop's rounds. */
const COUNTER = 27;
const FEW = 5;

const loads = MEMORY_ROWS.filter((r) => / \(unsigned offset\)$/.test(r.name));
const integerMemory = loads.filter((r) => !/ [BHSDQ] /.test(r.name));
const conditional = BRANCH_ROWS.filter((r) => /^(B\.cond|CB|TB)/.test(r.name));

/** Few registers, so that results are used. */
function narrowRegisters(random: Random, fields: Record<string, number>): void {
  for (const name of Object.keys(fields)) {
    if (/^R[dnmast]2?$/.test(name)) fields[name] = random.oneIn(12) ? 31 : random.below(FEW);
  }
}

function word(random: Random, row: Row, base = BASE): number {
  for (;;) {
    const fields = chooseFields(random, row);
    narrowRegisters(random, fields);
    if (row.memory) {
      fields['Rn'] = base;
      // Offsets that overlap those of other accesses.
      fields['imm12'] = random.below(Math.max(1, 32 / row.memory(fields).size));
      if (row.memory(fields).size + (row.memory(fields).offset ?? 0) > WINDOW - 32) continue;
    }
    if (row.accept?.(fields) ?? true) return row.pattern.encode(fields);
  }
}

/** A conditional branch over the next instruction. */
function skip(random: Random): number {
  const row = random.pick(conditional);
  const fields = chooseFields(random, row);
  narrowRegisters(random, fields);
  for (const name of ['imm19', 'imm14']) if (name in fields) fields[name] = 2;
  return row.pattern.encode(fields);
}

interface Mixture {
  readonly rows: readonly Row[];
  readonly memory: readonly Row[];
  readonly longest: number;
  readonly vectors: boolean;
  /** Some rounds of the same code. */
  readonly loop?: boolean;
  /** Some of the memory accesses are at the edge of an absent page. */
  readonly edge?: boolean;
}
const INTEGER: Mixture = { rows: INTEGER_ROWS, memory: integerMemory, longest: 12, vectors: false };
const VECTOR: Mixture = {
  rows: [...FP_ROWS, ...VECTOR_INTEGER_ROWS, ...VECTOR_FLOAT_ROWS, ...VECTOR_MORE_ROWS],
  memory: loads,
  longest: 5,
  vectors: true,
};
const MIXTURES: Readonly<Record<string, Mixture>> = {
  integer: INTEGER,
  vector: VECTOR,
  'integer-loop': { ...INTEGER, loop: true, edge: true },
  'vector-loop': { ...VECTOR, loop: true, edge: true },
};

const exclusive = (name: string, size: number, load: number, pair: number) => {
  const rt2 = pair ? 'Rt2' : '11111';
  const head = pair ? `1 ${size - 2}` : binary(size, 2);
  const status = load ? '11111' : 'Rs';
  return { name, pattern: new Pattern(`${head} 001000 0 ${load} ${pair} ${status} o0:1 ${rt2} Rn Rt`) };
};

/** A load and a store exclusive of one size and address, with something between them or not. */
function exclusivePair(random: Random): number[] {
  const pair = random.oneIn(3) ? 1 : 0;
  const size = pair ? random.between(2, 3) : random.below(4);
  // Distinct registers: equal ones are CONSTRAINED UNPREDICTABLE.
  const f = { Rn: BASE, Rt: 1, Rt2: 2, Rs: 3, o0: random.below(2) };
  const load = exclusive('LDXR', size, 1, pair).pattern.encode(f);
  const store = exclusive('STXR', size, 0, pair).pattern.encode({ ...f, Rt: random.pick([0, 1, 31]), Rt2: 4 });
  const clear = 0xd5033f5f;
  switch (random.below(6)) {
    case 0:
      return [store];
    case 1:
      return [load, clear, store];
    case 2:
      // The second store has lost the monitor.
      return [load, store, store];
    case 3:
      return [load, word(random, random.pick(INTEGER_ROWS)) & ~31, store];
    default:
      return [load, store];
  }
}

function body(random: Random, mixture: Mixture): number[] {
  const code: number[] = [];
  const length = random.between(2, mixture.longest);
  while (code.length < length) {
    if (length - code.length > 1 && random.oneIn(8)) code.push(skip(random));
    else {
      const row = random.pick(random.oneIn(5) ? mixture.memory : mixture.rows);
      code.push(word(random, row, mixture.edge && random.oneIn(3) ? EDGE_BASE : BASE));
    }
  }
  return code;
}

/** SUB X27, X27, #1; CBNZ X27 to the first instruction. Both leave the flags alone. */
function closeLoop(code: number[]): void {
  code.push(0xd100077b);
  code.push((0xb5000000 | ((-code.length & 0x7ffff) << 5) | COUNTER) >>> 0);
}

/** The `i`th case of a group of sequences: a key of MIXTURES, or 'exclusive'. */
export function buildSequence(group: string, variant: string, kind: string, i: number, index: number): Case {
  const random = new Random(hashText(`${variant}${group}/${kind}/${i}`));
  const state = new Uint8Array(I.IMAGE_WINDOWS);
  const view = new DataView(state.buffer);
  const pc = codeAddress(index);
  const mixture = MIXTURES[kind];
  const vectors = new Set(mixture?.vectors ? [0, 1, 2, 3, 4] : []);
  setUpRegisters(random, view, vectors, random.pick(['int', 'f32', 'f64']));
  if (mixture?.vectors) view.setUint32(I.IMAGE_FPCR, randomFpcr(random), true);
  const windows = [windowAround(random, BASE_ADDRESS, WINDOW - 32)];
  const code: number[] = [];
  if (!mixture) code.push(...exclusivePair(random));
  else code.push(...body(random, mixture));
  if (mixture?.edge) {
    view.setBigUint64(I.IMAGE_X + 8 * EDGE_BASE, BigInt(EDGE_ADDRESS), true);
    windows.push(windowAround(random, EDGE_ADDRESS, 16));
  }
  if (mixture?.loop) {
    view.setBigUint64(I.IMAGE_X + 8 * COUNTER, BigInt(random.between(2, 6)), true);
    closeLoop(code);
  }
  view.setBigUint64(I.IMAGE_X + 8 * BASE, BigInt(BASE_ADDRESS), true);
  view.setBigUint64(I.IMAGE_PC, BigInt(pc), true);
  return { group, index, name: kind, code: Uint32Array.from(code), pc, state, windows };
}
