// Cases that fault: instructions that do not exist, LOCK where it may not be, ring 0's instructions, and every kind of
// memory access to where it is not allowed. A fault must leave everything as it was.

import type { X86State } from '../../src/vcpu/x86-state.js';
import { buildCase, type Place } from './build-case.js';
import type { Case } from './case.js';
import {
  baseState,
  type CaseMode,
  codeAddress,
  DATA,
  END_OF_DS,
  END_OF_SS,
  NOT_CANONICAL,
  STACK,
  segmentsOf,
  TO_ABSENT,
  TO_READ_ONLY,
  TO_SUPERVISOR,
} from './environment.js';
import { hashText, Random } from './random.js';
import { classOf, type Group, type RowClass, rowKey, rowsOf, STACK_USERS, STRINGS } from './rows.js';
import { sizesOf } from './sizes.js';
import { undefinedEncodings } from './undefined-opcodes.js';
import { integer } from './values.js';

interface FaultGroup {
  readonly name: string;
  readonly mode: CaseMode;
  /** Boundaries, one per kind of fault, with how many cases a row and size gets. */
  readonly places: readonly (readonly [Place, number])[];
  readonly encodings: boolean;
}

const place = (data: number, stack = STACK): Place => ({ data, stack });
const UNALIGNED: Place = { data: DATA, stack: STACK, alignmentCheck: true };

const GROUPS: readonly FaultGroup[] = [
  {
    name: 'faults64',
    mode: '64',
    places: [
      [place(TO_ABSENT), 2],
      [place(TO_READ_ONLY), 2],
      [place(TO_SUPERVISOR), 1],
      [place(DATA, TO_ABSENT), 2],
      [place(DATA, TO_READ_ONLY), 1],
      [place(NOT_CANONICAL), 1],
      [UNALIGNED, 4],
    ],
    encodings: true,
  },
  {
    name: 'faults32',
    mode: '32',
    places: [
      [place(TO_ABSENT), 1],
      [place(TO_READ_ONLY), 1],
      [place(DATA, TO_ABSENT), 1],
      [place(DATA, TO_READ_ONLY), 1],
    ],
    encodings: true,
  },
  {
    name: 'limits32',
    mode: 'seg32',
    places: [
      [place(END_OF_DS), 2],
      [place(DATA, END_OF_SS), 2],
    ],
    encodings: false,
  },
  {
    name: 'limits16',
    mode: '16',
    places: [
      [place(END_OF_DS), 1],
      [place(DATA, END_OF_SS), 1],
    ],
    encodings: false,
  },
];

export const FAULT_GROUPS: readonly string[] = GROUPS.map((g) => g.name);

/** Hands out cases in one state object. */
class Maker {
  index = 0;
  readonly state: X86State;
  private readonly base: X86State;

  constructor(
    readonly group: FaultGroup,
    private readonly variant: string,
  ) {
    this.state = baseState(group.mode);
    this.base = baseState(group.mode);
  }

  fresh(): X86State {
    this.state.copyFrom(this.base);
    return this.state;
  }

  random(key: string): Random {
    return new Random(hashText(`${this.variant}${this.group.name}/${key}`));
  }

  /** A case of bare bytes, with random registers. */
  bare(name: string, code: readonly number[]): Case {
    const { mode, name: group } = this.group;
    const random = this.random(`${name}/${code.join()}`);
    const state = this.fresh();
    const linear = codeAddress(mode, this.index);
    const long = mode === '64';
    for (let i = 0; i < (long ? 16 : 8); i++) state.setGpr(i, integer(random, long ? 64 : 32));
    state.setGpr(4, BigInt(STACK - segmentsOf(mode).ss.base));
    state.rip = BigInt(linear - segmentsOf(mode).cs.base);
    state.rflags = 0x202n;
    return {
      group,
      index: this.index++,
      mode,
      mnemonic: name,
      operands: [],
      code: Uint8Array.from(code),
      linear,
      opSize: 2,
      count: -1,
      ea: null,
      rm: 0,
      state,
      windows: [],
      fpu: false,
    };
  }
}

function* encodings(m: Maker): Generator<Case> {
  const long = m.group.mode === '64';
  for (const e of undefinedEncodings(long)) {
    const modrm = e.modrm < 0 ? [] : [e.modrm];
    yield m.bare(e.name, [...e.prefixes, ...e.opcode, ...modrm]);
  }
  // More than 15 bytes are #GP, whatever they are (SDM vol. 2, 2.3.11).
  for (const [prefixes, opcode] of [
    [14, [0x90]],
    [15, [0x90]],
    [13, [0x01, 0xc0]],
    [14, [0x01, 0xc0]],
    [11, [0x05, 1, 2, 3]],
    [13, [0x0f, 0x0b]],
    [14, [0x0f, 0x0b]],
  ] as const) {
    for (const prefix of [0x66, 0x2e]) {
      yield m.bare('long', [...Array<number>(prefixes).fill(prefix), ...opcode]);
    }
  }
}

/** LOCK is allowed with some instructions, and only if they write memory (SDM vol. 2, "LOCK"). */
function* misplacedLocks(m: Maker, group: Group): Generator<Case> {
  for (const row of rowsOf({ ...group, classes: ['integer'] })) {
    const { mode, name } = m.group;
    const random = m.random(`${rowKey(row)}/lock`);
    const [opSize] = sizesOf(row, mode);
    const c = buildCase({ row, mode, opSize, group: name, index: m.index, misplacedLock: true }, random, m.fresh());
    const allowed = row.flags.includes('lock') && c.ea !== null;
    if (allowed || !canRun(c)) continue;
    m.index++;
    yield { ...c, mnemonic: `LOCK ${c.mnemonic}` };
  }
}

/** Control and debug registers that exist: of others AMD and Intel raise different exceptions. */
function* privileged(m: Maker, group: Group): Generator<Case> {
  for (const row of rowsOf({ ...group, classes: ['privileged'] })) {
    // Needs CR4.OSXSAVE, which a guest does not have here.
    if (row.mnemonic === 'XSETBV') continue;
    if (row.operands.some((code) => code === 'Cd' || code === 'Dd')) {
      const registers = row.operands.includes('Cd') ? [0, 2, 3, 4] : [0, 1, 2, 3, 6, 7];
      for (const r of registers) yield m.bare(row.mnemonic, [0x0f, row.opcode, 0xc0 | (r << 3) | 1]);
      continue;
    }
    for (const opSize of sizesOf(row, m.group.mode)) {
      const random = m.random(`${rowKey(row)}/privileged/${opSize}`);
      const shape = { row, mode: m.group.mode, opSize, group: m.group.name, index: m.index };
      const c = buildCase(shape, random, m.fresh());
      if (!canRun(c)) continue;
      m.index++;
      yield c;
    }
  }
}

/** Instructions that read or write memory at DS:…, and those that use the stack. */
function* memoryFaults(m: Maker, group: Group): Generator<Case> {
  const { mode, name } = m.group;
  const classes: RowClass[] = mode === '64' ? ['integer', 'vector', 'x87'] : ['integer'];
  for (const row of rowsOf({ ...group, classes })) {
    // The address is not used for an access, or only as a hint.
    if (/^(LEA|NOP|PREFETCH|CLFLUSH|UD[01])/.test(row.mnemonic)) continue;
    const stack = STACK_USERS.test(row.mnemonic);
    const data =
      row.mod3 !== true &&
      (row.operands.some((code) => /^[EMWQOXY]/.test(code)) || STRINGS.test(row.mnemonic) || row.mnemonic === 'XLAT');
    const [opSize] = sizesOf(row, mode);
    for (const [where, count] of m.group.places) {
      const useful = where.stack !== STACK ? stack : where.data !== DATA ? data : data || stack;
      if (!useful) continue;
      // Alignment of operands wider than 8 bytes is checked, or not, as the CPU likes.
      // ENTER probes its new stack pointer, aligned or not.
      if (where.alignmentCheck && (classOf(row) !== 'integer' || row.mnemonic === 'ENTER')) continue;
      for (let i = 0; i < count; i++) {
        const random = m.random(`${rowKey(row)}/${where.data}/${where.stack}/${i}`);
        const c = buildCase({ row, mode, opSize, group: name, index: m.index, place: where }, random, m.fresh());
        if (!canRun(c)) continue;
        m.index++;
        yield c;
      }
    }
  }
}

/** kvm_pvm interprets instructions of a guest whose RSP is not canonical: that would not be the host's CPU. */
export function canRun(c: Case): boolean {
  const rsp = c.state.gpr(4);
  return c.mode !== '64' || BigInt.asUintN(64, BigInt.asIntN(48, rsp)) === rsp;
}

export function* faultCases(name: string, variant: string): Generator<Case> {
  const group = GROUPS.find((g) => g.name === name);
  if (!group) throw new RangeError(`no group of cases is called ${name}`);
  const m = new Maker(group, variant);
  const rows: Group = { name, mode: group.mode, classes: [], density: 1 };
  if (group.encodings) {
    yield* encodings(m);
    yield* misplacedLocks(m, rows);
    if (group.mode === '64') yield* privileged(m, rows);
  }
  yield* memoryFaults(m, rows);
}
