// The architectural state of an AArch64 vCPU, over the one layout in assembly/layout/arm-state.ts.

import * as L from '../../assembly/layout/arm-state.js';

/** State slot of X<n>, n < 31. */
export function xOffset(n: number): number {
  return L.S_X0 + (n < 16 ? 8 * n : 8 * n + 8);
}

/**
 * One block of ARM_SYS_END bytes. Stands alone, or lies over the emulator's live state: then a write is
 * seen by the core at once. What lies between the two architectural parts is not state, and not copied.
 */
export class ArmState {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(buffer: ArrayBufferLike = new ArrayBuffer(L.ARM_SYS_END), offset = 0) {
    this.bytes = new Uint8Array(buffer, offset, L.ARM_SYS_END);
    this.view = new DataView(buffer, offset, L.ARM_SYS_END);
  }

  copyFrom(other: ArmState): void {
    this.bytes.set(other.bytes.subarray(0, L.ARM_HOT_END), 0);
    this.bytes.set(other.bytes.subarray(L.ARM_SYS_BASE, L.ARM_SYS_END), L.ARM_SYS_BASE);
  }

  u64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }
  setU64(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  }
  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }
  setU32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  /** X<index>, 0–30. */
  x(index: number): bigint {
    return this.u64(xOffset(index));
  }
  setX(index: number, value: bigint): void {
    this.setU64(xOffset(index), value);
  }
  get pc(): bigint {
    return this.u64(L.S_PC);
  }
  set pc(value: bigint) {
    this.setU64(L.S_PC, value);
  }
  /** The stack pointer in use. */
  get sp(): bigint {
    return this.u64(L.S_SP);
  }
  set sp(value: bigint) {
    this.setU64(L.S_SP, value);
  }
  /** V<index>, 0–31, as 128 bits. */
  v(index: number): bigint {
    const at = L.S_V_REG + 16 * index;
    return this.u64(at) | (this.u64(at + 8) << 64n);
  }
  setV(index: number, value: bigint): void {
    const at = L.S_V_REG + 16 * index;
    this.setU64(at, value);
    this.setU64(at + 8, value >> 64n);
  }
  /** Current exception level. */
  get el(): number {
    return this.u32(L.S_EL);
  }
  /** N Z C V in bits 31–28. */
  get nzcv(): number {
    return this.u32(L.S_NZCV);
  }
  set nzcv(value: number) {
    this.setU32(L.S_NZCV, (value & 0xf0000000) >>> 0);
  }

  /** PSTATE as an SPSR would show it (Arm ARM C5.2.18). */
  get pstate(): number {
    const mode = (this.el << 2) | (this.el === 0 ? 0 : this.u32(L.S_SPSEL));
    return (this.nzcv | this.u32(L.S_PSTATE) | this.u32(L.S_DAIF) | mode) >>> 0;
  }
  /** Exception level, stack pointer, masks and flags all at once. Moves no stack pointers. */
  set pstate(value: number) {
    this.nzcv = value;
    this.setU32(L.S_PSTATE, value & (L.PSTATE_PAN | L.PSTATE_SS | L.PSTATE_IL));
    this.setU32(L.S_DAIF, value & L.PSTATE_DAIF);
    this.setU32(L.S_EL, (value >> 2) & 3);
    this.setU32(L.S_SPSEL, value & 1);
  }

  /** State after a reset into `el`, the highest level that the CPU has (Arm ARM D1.9.1); `pc`: where RVBAR points. */
  static reset(into = new ArmState(), el: 1 | 2 = 1, pc = 0n): ArmState {
    into.bytes.fill(0, 0, L.ARM_HOT_END);
    into.bytes.fill(0, L.ARM_SYS_BASE, L.ARM_SYS_END);
    into.pc = pc;
    into.pstate = L.PSTATE_DAIF | (el << 2) | 1;
    // RES1 bits.
    into.setU64(L.S_SCTLR_EL1, BigInt(L.SCTLR_EL1_RES1 | L.SCTLR_EL1_SPAN));
    into.setU64(L.S_SCTLR_EL2, BigInt(L.SCTLR_EL2_RES1));
    into.setU64(L.S_CPTR_EL2, BigInt(L.CPTR_EL2_RES1));
    into.setU64(L.S_CNTFRQ_EL0, BigInt(L.ARM_COUNTER_FREQUENCY));
    into.setU64(L.S_CNTHCTL_EL2, 3n);
    into.setU64(L.S_OSLOCK, 1n);
    into.setU64(L.S_VPIDR_EL2, BigInt(L.ARM_MIDR));
    into.setU64(L.S_VMPIDR_EL2, BigInt(L.ARM_MPIDR));
    return into;
  }

  /** Registers as a user reads them, several lines. */
  describe(): string {
    const hex = (v: bigint, width = 16) => v.toString(16).padStart(width, '0');
    const lines: string[] = [];
    for (let i = 0; i < 31; i += 4) {
      const row = [i, i + 1, i + 2, i + 3].filter((n) => n < 31);
      lines.push(row.map((n) => `${`x${n}`.padStart(3)}=${hex(this.x(n))}`).join(' '));
    }
    lines.push(
      `sp=${hex(this.sp)} pc=${hex(this.pc)} pstate=${hex(BigInt(this.pstate), 8)} [${pstateNames(this.pstate)}]`,
    );
    const level = (name: string, sctlr: number, vbar: number, elr: number, spsr: number, esr: number, far: number) =>
      lines.push(
        `${name} sctlr=${hex(this.u64(sctlr))} vbar=${hex(this.u64(vbar))} elr=${hex(this.u64(elr))}`,
        `    spsr=${hex(this.u64(spsr))} esr=${hex(this.u64(esr))} far=${hex(this.u64(far))}`,
      );
    level('EL1', L.S_SCTLR_EL1, L.S_VBAR_EL1, L.S_ELR_EL1, L.S_SPSR_EL1, L.S_ESR_EL1, L.S_FAR_EL1);
    level('EL2', L.S_SCTLR_EL2, L.S_VBAR_EL2, L.S_ELR_EL2, L.S_SPSR_EL2, L.S_ESR_EL2, L.S_FAR_EL2);
    return lines.join('\n');
  }
}

/** "EL1h NZ I"-style reading of PSTATE. */
export function pstateNames(pstate: number): string {
  const flags = ['N', 'Z', 'C', 'V'].filter((_, i) => (pstate >>> (31 - i)) & 1).join('');
  const masks = ['D', 'A', 'I', 'F'].filter((_, i) => (pstate >>> (9 - i)) & 1).join('');
  const more = [
    [22, 'PAN'],
    [21, 'SS'],
    [20, 'IL'],
  ] as const;
  const el = (pstate >> 2) & 3;
  const level = `EL${el}${el === 0 ? 't' : pstate & 1 ? 'h' : 't'}`;
  return [level, flags, masks, ...more.filter(([bit]) => (pstate >>> bit) & 1).map(([, name]) => name)]
    .filter((part) => part !== '')
    .join(' ');
}
