// Random processor states that are valid: what a 64-bit guest could have reached.

import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import { bareState } from '../../src/vmm/bare-guest.js';
import { x87Tag } from '../../src/vmm/convert.js';

/** A small deterministic generator (xorshift32), so that a failing state can be had again by its seed. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 1;
  }
  u32(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }
  below(limit: number): number {
    return this.u32() % limit;
  }
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }
  /** Bit 47 copied upwards. */
  canonical(): bigint {
    return BigInt.asUintN(64, BigInt.asIntN(48, this.u64()));
  }
}

/** A long-mode state, ring 0 or 3. `iopl` false keeps IOPL 0. */
export function randomState(seed: number, options: { iopl: boolean }): X86State {
  const random = new Random(seed);
  const ring = random.below(2) === 0 ? 0 : 3;
  const state = bareState({ mode: 'long', ring, rip: 0 });
  for (let i = 0; i < 16; i++) state.setGpr(i, random.u64());
  state.rip = random.canonical();
  const flags = 2 | (random.u32() & (L.FLAGS_ARITH | L.FLAG_IF | L.FLAG_DF | L.FLAG_NT | L.FLAG_AC | L.FLAG_ID));
  state.rflags = BigInt(flags | (options.iopl ? random.below(4) << 12 : 0));
  for (const i of [L.SEG_FS, L.SEG_GS]) state.setSegment(i, { ...state.segment(i), base: random.canonical() });
  // An expand-down data segment with byte granularity in DS: limit and G must survive apart from each other.
  const ds = state.segment(L.SEG_DS);
  state.setSegment(L.SEG_DS, { ...ds, limit: random.below(0x100000), attr: (ds.attr & ~0x8000) | 0x1000 });
  state.setU64(L.S_GDTR_BASE, random.canonical());
  state.setU32(L.S_GDTR_LIMIT, random.below(0x10000));
  state.setU64(L.S_IDTR_BASE, random.canonical());
  state.setU32(L.S_IDTR_LIMIT, random.below(0x10000));
  state.setU64(L.S_CR2, random.u64());
  state.setU64(L.S_CR8, BigInt(random.below(16)));
  for (let i = 0; i < 4; i++) state.setU64(L.S_DR0 + 8 * i, random.canonical());
  state.setU64(L.S_DR6, BigInt(0xffff0ff0 + random.below(16)));
  state.setU64(L.S_DR7, BigInt(0x400 | random.below(0x100)));
  for (const msr of [L.S_MSR_LSTAR, L.S_MSR_CSTAR, L.S_MSR_KERNEL_GS_BASE]) state.setU64(msr, random.canonical());
  state.setU64(L.S_MSR_STAR, random.u64());
  state.setU64(L.S_MSR_FMASK, BigInt(random.u32()));
  state.setU64(L.S_MSR_SYSENTER_CS, BigInt(random.below(0x10000)));
  state.setU64(L.S_MSR_SYSENTER_ESP, random.canonical());
  state.setU64(L.S_MSR_SYSENTER_EIP, random.canonical());
  state.setU64(L.S_MSR_TSC_AUX, BigInt(random.u32()));
  state.setU64(L.S_TSC_OFFSET, random.u64());
  state.setU32(L.S_NMI_BLOCKED, random.below(2));
  randomFpu(random, state);
  return state;
}

function randomFpu(random: Random, state: X86State): void {
  state.setU16(L.S_FCW, 0x40 | (random.u32() & 0xf3f));
  state.setU16(L.S_FSW, random.u32() & 0x7f00);
  let tags = 0;
  for (let i = 0; i < 8; i++) {
    // Normal numbers, zeros, infinities, denormals: every kind of tag.
    const kind = random.below(5);
    const significand = kind === 0 ? 0n : kind === 1 ? random.u64() >> 1n : random.u64() | (1n << 63n);
    const exponent = kind < 2 ? 0 : kind === 2 ? 0x7fff : 1 + random.below(0x7ffe);
    const signAndExponent = exponent | (random.below(2) << 15);
    state.setU64(L.S_FPR + 16 * i, significand);
    state.setU64(L.S_FPR + 16 * i + 8, BigInt(signAndExponent));
    tags |= (random.below(3) === 0 ? 3 : x87Tag(significand, signAndExponent)) << (2 * i);
  }
  state.setU16(L.S_FTW, tags);
  // FOP, FIP and FDP stay zero: AMD's processors save them only while an unmasked exception is pending (APM vol. 5, FXSAVE).
  state.setU32(L.S_MXCSR, random.u32() & 0xffff);
  for (let i = 0; i < 32; i++) state.setU64(L.S_XMM + 8 * i, random.u64());
}

/** The fields in which two states differ, by hexadecimal offset: for messages that name the culprit. */
export function differences(a: X86State, b: X86State): string[] {
  const result: string[] = [];
  for (let i = 0; i < L.X86_STATE_SIZE; i += 4) {
    if (a.u32(i) !== b.u32(i)) result.push(`+0x${i.toString(16)}: ${a.u32(i).toString(16)} ${b.u32(i).toString(16)}`);
  }
  return result;
}
