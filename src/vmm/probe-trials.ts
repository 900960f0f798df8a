// Single instructions whose treatment tells KVM back ends apart: what the manual says, and how to see it.

import * as L from '../../assembly/layout/x86-state.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import type { X86State } from '../vcpu/x86-state.js';
import {
  BARE_CODE,
  BARE_DATA,
  BARE_GDT,
  BARE_IDT,
  SEL_CODE64,
  SEL_TSS,
  SEL_USER_CODE64,
  SEL_USER_DATA,
} from './bare-guest.js';

/** What was seen when a trial ran to its end. */
export interface Observation {
  /** The exception (or, modulo 32, interrupt) whose handler ran first, before the trial's own end; null for none. */
  readonly vector: number | null;
  /** CS that the handler found on its stack. */
  readonly pushedCs: number;
  readonly state: X86State;
  readonly ram: GuestMemory;
  /** Ports written, other than the exception handlers'. */
  readonly ports: readonly number[];
}

export interface Trial {
  readonly name: string;
  readonly ring: 0 | 3;
  /** Code in 64-bit mode; a HLT follows it, which ends the trial (in ring 3 by #GP at its address). */
  readonly code: readonly number[];
  readonly prepare?: (state: X86State, ram: GuestMemory) => void;
  /** What the architecture says happens. */
  readonly manual: string;
  /** Null when that was seen, else what was seen instead. */
  readonly check: (seen: Observation) => string | null;
}

/** Code that a trial may jump to. */
export const TRIAL_TARGET = BARE_CODE + 0x800;

const RBX = 3;
const hex = (value: number | bigint) => `0x${value.toString(16)}`;

const expectVector = (vector: number | null) => (seen: Observation) => {
  if (seen.vector === vector) return null;
  return seen.vector === null ? 'no exception' : `vector ${seen.vector}`;
};
const expectRbx =
  (expected: number, mask = 0xffff) =>
  (seen: Observation) => {
    if (seen.vector !== null) return `vector ${seen.vector}`;
    const got = Number(seen.state.gpr(RBX) & BigInt(mask));
    return got === expected ? null : `reads ${hex(got)} instead of ${hex(expected)}`;
  };
const expectData = (expected: number) => (seen: Observation) => {
  if (seen.vector !== null) return `vector ${seen.vector}`;
  const got = seen.ram.readU64(BARE_DATA + 2);
  return got === BigInt(expected) ? null : `stores base ${hex(got)} instead of ${hex(expected)}`;
};

/** [BARE_DATA], as ModRM 00.reg.100, SIB 25h and a 32-bit address. */
const data = (reg: number) => [0x04 | (reg << 3), 0x25, 0, 0x40, 1, 0];
const ECX_IS_CODE = [0xb9, SEL_CODE64, 0, 0, 0];
const SETZ_BL = [0x0f, 0x94, 0xc3];

export const TRIALS: readonly Trial[] = [
  ...(
    [
      ['LAR', [0x0f, 0x02, 0xd1]],
      ['LSL', [0x0f, 0x03, 0xd1]],
      ['VERR', [0x0f, 0x00, 0xe1]],
    ] as const
  ).map(
    ([name, bytes]): Trial => ({
      name,
      ring: 0,
      code: [...ECX_IS_CODE, ...bytes, ...SETZ_BL],
      manual: 'sets ZF for a selector that is accessible',
      check: expectRbx(1, 0xff),
    }),
  ),
  {
    name: 'VERW',
    ring: 0,
    code: [0xb9, 0x10, 0, 0, 0, 0x0f, 0x00, 0xe9, ...SETZ_BL],
    manual: 'sets ZF for a writable segment',
    check: expectRbx(1, 0xff),
  },
  {
    name: 'CMPXCHG16B',
    ring: 0,
    code: [0x31, 0xc0, 0x31, 0xd2, 0x48, 0x0f, 0xc7, ...data(1), ...SETZ_BL],
    prepare: (_, ram) => ram.fill(BARE_DATA, 16),
    manual: 'sets ZF when memory equals RDX:RAX',
    check: expectRbx(1, 0xff),
  },
  {
    name: 'FLD1',
    ring: 0,
    code: [0xdb, 0xe3, 0xd9, 0xe8],
    manual: 'pushes 1.0 on the x87 stack',
    check: (seen) => (seen.state.u64(L.S_FPR + 16 * 7) === 1n << 63n ? null : 'nothing is pushed'),
  },
  {
    name: 'PXOR xmm',
    ring: 0,
    code: [0x66, 0x0f, 0xef, 0xc0],
    prepare: (state) => state.setU64(L.S_XMM, 5n),
    manual: 'clears the register',
    check: (seen) => (seen.state.u64(L.S_XMM) === 0n ? null : 'the register keeps its value'),
  },
  { name: 'UD2', ring: 0, code: [0x0f, 0x0b], manual: 'raises #UD', check: expectVector(6) },
  { name: 'INT3', ring: 0, code: [0xcc], manual: 'raises #BP', check: expectVector(3) },
  { name: 'INT n', ring: 0, code: [0xcd, 0x30], manual: 'calls the gate of vector n', check: expectVector(0x10) },
  {
    name: 'IRETQ to ring 3',
    ring: 0,
    // push SS; push RSP; push RFLAGS; push CS; push TRIAL_TARGET; iretq
    code: [0x6a, SEL_USER_DATA, 0x54, 0x6a, 2, 0x6a, SEL_USER_CODE64, 0x68, 0, 8, 1, 0, 0x48, 0xcf],
    prepare: (_, ram) => ram.writeU8(TRIAL_TARGET, 0xf4),
    manual: 'continues in ring 3',
    check: (seen) => (seen.vector === 13 && seen.pushedCs === SEL_USER_CODE64 ? null : 'ring 3 is not reached'),
  },
  {
    name: 'SYSRETQ',
    ring: 0,
    code: [0xb9, 0, 8, 1, 0, 0x41, 0xbb, 2, 0, 0, 0, 0x48, 0x0f, 0x07],
    prepare: (state, ram) => {
      ram.writeU8(TRIAL_TARGET, 0xf4);
      // SYSRET loads SS from STAR[63:48] + 8 and CS from STAR[63:48] + 16 (SDM vol. 2, SYSRET).
      state.setU64(L.S_MSR_STAR, (BigInt(SEL_USER_DATA - 8) << 48n) | (BigInt(SEL_CODE64) << 32n));
    },
    manual: 'continues in ring 3',
    check: (seen) => {
      if (seen.vector === 13 && seen.pushedCs === SEL_USER_CODE64) return null;
      return seen.vector === 6 ? 'raises #UD' : 'ring 3 is not reached';
    },
  },
  {
    name: 'VMCALL',
    ring: 0,
    code: [0xb8, 0xff, 0xff, 0, 0, 0x0f, 0x01, 0xc1],
    manual: 'is answered by the hypervisor (KVM: RAX = -1000, no such call)',
    check: (seen) => (seen.vector === null && seen.state.gpr(0) === 2n ** 64n - 1000n ? null : 'has another answer'),
  },
  { name: 'INT3', ring: 3, code: [0xcc], manual: 'raises #BP', check: expectVector(3) },
  { name: 'INT n', ring: 3, code: [0xcd, 0x30], manual: 'calls the gate of vector n', check: expectVector(0x10) },
  {
    name: 'SYSCALL',
    ring: 3,
    code: [0x0f, 0x05],
    prepare: (state, ram) => {
      // mov ebx,cs; hlt
      ram.write(TRIAL_TARGET, Uint8Array.from([0x8c, 0xcb, 0xf4]));
      state.setU64(L.S_MSR_LSTAR, BigInt(TRIAL_TARGET));
      state.setU64(L.S_MSR_STAR, BigInt(SEL_CODE64) << 32n);
    },
    manual: 'continues in ring 0 at IA32_LSTAR',
    check: (seen) => (seen.vector === null && seen.state.cpl === 0 ? null : 'the target runs in ring 3'),
  },
  {
    name: 'MOV r,CS',
    ring: 3,
    // A copy of the 64-bit user code descriptor under another selector, so that no host selector can look right.
    code: [0x8c, 0xcb],
    prepare: (state) => {
      const cs = state.segment(L.SEG_CS);
      state.setSegment(L.SEG_CS, { ...cs, selector: 0x53 });
    },
    manual: 'reads the guest’s selector',
    check: expectRbx(0x53),
  },
  {
    name: 'PUSHF with IF clear',
    ring: 3,
    code: [0x9c, 0x5b],
    manual: 'pushes the guest’s IF',
    check: (seen) => ((seen.state.gpr(RBX) & 0x200n) === 0n ? null : 'pushes IF set'),
  },
  {
    name: 'POPF with IOPL 3',
    ring: 3,
    // push 3002h; popf; pushf; pop rbx
    code: [0x68, 2, 0x30, 0, 0, 0x9d, 0x9c, 0x5b],
    prepare: (state) => {
      state.rflags = 0x3202n;
    },
    manual: 'may clear IF',
    check: (seen) => ((seen.state.gpr(RBX) & 0x200n) === 0n ? null : 'IF stays set'),
  },
  {
    name: 'OUT with IOPL 3',
    ring: 3,
    code: [0xe6, 0x10],
    prepare: (state) => {
      state.rflags = 0x3002n;
    },
    manual: 'writes the port',
    check: (seen) => (seen.ports.includes(0x10) ? null : 'raises #GP'),
  },
  {
    name: 'SGDT',
    ring: 3,
    code: [0x0f, 0x01, ...data(0)],
    manual: 'stores the guest’s GDTR',
    check: expectData(BARE_GDT),
  },
  {
    name: 'SIDT',
    ring: 3,
    code: [0x0f, 0x01, ...data(1)],
    manual: 'stores the guest’s IDTR',
    check: expectData(BARE_IDT),
  },
  {
    name: 'STR',
    ring: 3,
    code: [0x0f, 0x00, 0xcb],
    manual: 'reads the guest’s task register',
    check: expectRbx(SEL_TSS),
  },
  {
    name: 'SMSW',
    ring: 3,
    code: [0x0f, 0x01, 0xe3],
    manual: 'reads the guest’s CR0',
    check: (seen) => expectRbx(Number(seen.state.u64(L.S_CR0) & 0xffffn))(seen),
  },
  {
    name: 'LAR',
    ring: 3,
    code: [...ECX_IS_CODE, 0x0f, 0x02, 0xd1, ...SETZ_BL],
    prepare: (_, ram) => ram.writeU8(BARE_GDT + SEL_CODE64 + 5, 0xfb),
    manual: 'looks into the guest’s GDT',
    check: expectRbx(1, 0xff),
  },
  {
    name: 'XGETBV without CR4.OSXSAVE',
    ring: 3,
    code: [0x31, 0xc9, 0x0f, 0x01, 0xd0],
    manual: 'raises #UD',
    check: expectVector(6),
  },
  {
    name: 'RDTSC with CR4.TSD',
    ring: 3,
    code: [0x0f, 0x31],
    prepare: (state) => state.setU64(L.S_CR4, state.u64(L.S_CR4) | BigInt(L.CR4_TSD)),
    manual: 'raises #GP',
    check: expectVector(13),
  },
  {
    name: 'FLD1 with CR0.TS',
    ring: 3,
    code: [0xd9, 0xe8],
    prepare: (state) => state.setU64(L.S_CR0, state.u64(L.S_CR0) | BigInt(L.CR0_TS)),
    manual: 'raises #NM',
    check: expectVector(7),
  },
];
