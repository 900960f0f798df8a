// The architectural state of an x86 vCPU, over the one layout in assembly/layout/x86-state.ts.

import * as L from '../../assembly/layout/x86-state.js';

export const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const;

/** A segment register with its hidden part (SDM vol. 3, 3.4.3). */
export interface Segment {
  selector: number;
  base: bigint;
  /** In bytes, granularity applied. */
  limit: number;
  /** Access rights: bits 0–3 type, 4 S, 5–6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G. */
  attr: number;
  unusable: boolean;
}

/**
 * One block of X86_STATE_SIZE bytes. Stands alone, or lies over the emulator's live state: then a write is
 * seen by the core at once.
 */
export class X86State {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(buffer: ArrayBufferLike = new ArrayBuffer(L.X86_STATE_SIZE), offset = 0) {
    this.bytes = new Uint8Array(buffer, offset, L.X86_STATE_SIZE);
    this.view = new DataView(buffer, offset, L.X86_STATE_SIZE);
  }

  copyFrom(other: X86State): void {
    this.bytes.set(other.bytes);
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
  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }
  setU16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  /** General register by encoding number, 0 RAX … 15 R15. */
  gpr(index: number): bigint {
    return this.u64(L.S_RAX + 8 * index);
  }
  setGpr(index: number, value: bigint): void {
    this.setU64(L.S_RAX + 8 * index, value);
  }
  get rip(): bigint {
    return this.u64(L.S_RIP);
  }
  set rip(value: bigint) {
    this.setU64(L.S_RIP, value);
  }
  get rflags(): bigint {
    return this.u64(L.S_RFLAGS);
  }
  set rflags(value: bigint) {
    this.setU64(L.S_RFLAGS, value);
  }

  segment(index: number): Segment {
    const at = L.S_SEG + L.SEG_SIZE * index;
    return {
      selector: this.u16(at + L.SEG_SELECTOR),
      base: this.u64(at + L.SEG_BASE),
      limit: this.u32(at + L.SEG_LIMIT),
      attr: this.u16(at + L.SEG_ATTR),
      unusable: this.u32(at + L.SEG_UNUSABLE) !== 0,
    };
  }
  setSegment(index: number, s: Segment): void {
    const at = L.S_SEG + L.SEG_SIZE * index;
    this.setU16(at + L.SEG_SELECTOR, s.selector);
    this.setU64(at + L.SEG_BASE, s.base);
    this.setU32(at + L.SEG_LIMIT, s.limit);
    this.setU16(at + L.SEG_ATTR, s.attr);
    this.setU32(at + L.SEG_UNUSABLE, s.unusable ? 1 : 0);
  }

  /** Current privilege level: the DPL of SS, as the CPU itself defines it (SDM vol. 3, 5.5; AMD vol. 2, 15.5.1). */
  get cpl(): number {
    return (this.segment(L.SEG_SS).attr >> 5) & 3;
  }

  /** State after INIT/RESET (SDM vol. 3, table 9-1): real mode at F000:FFF0 with CS base 0xFFFF0000. */
  static reset(into = new X86State()): X86State {
    into.bytes.fill(0);
    into.setU64(L.S_RIP, 0xfff0n);
    into.setU64(L.S_RFLAGS, 2n);
    for (let i = 0; i < 6; i++) {
      into.setSegment(i, { selector: 0, base: 0n, limit: 0xffff, attr: 0x93, unusable: false });
    }
    into.setSegment(L.SEG_CS, { selector: 0xf000, base: 0xffff0000n, limit: 0xffff, attr: 0x9b, unusable: false });
    into.setSegment(L.SEG_LDTR, { selector: 0, base: 0n, limit: 0xffff, attr: 0x82, unusable: false });
    into.setSegment(L.SEG_TR, { selector: 0, base: 0n, limit: 0xffff, attr: 0x8b, unusable: false });
    into.setU32(L.S_GDTR_LIMIT, 0xffff);
    into.setU32(L.S_IDTR_LIMIT, 0xffff);
    into.setU64(L.S_CR0, 0x60000010n);
    into.setU64(L.S_DR6, 0xffff0ff0n);
    into.setU64(L.S_DR7, 0x400n);
    into.setU64(L.S_XCR0, 1n);
    into.setU64(L.S_MSR_PAT, 0x0007040600070406n);
    into.setU64(L.S_MSR_APIC_BASE, 0xfee00900n);
    into.setU64(L.S_MSR_MISC_ENABLE, 1n);
    into.setU16(L.S_FCW, 0x40);
    into.setU16(L.S_FTW, 0x5555);
    into.setU32(L.S_MXCSR, 0x1f80);
    return into;
  }

  /** Registers as a user reads them, several lines. */
  describe(): string {
    const hex = (v: bigint, width = 16) => v.toString(16).padStart(width, '0');
    const lines: string[] = [];
    for (let i = 0; i < 16; i += 4) {
      lines.push([0, 1, 2, 3].map((k) => `${GPR_NAMES[i + k].padStart(3)}=${hex(this.gpr(i + k))}`).join(' '));
    }
    lines.push(`rip=${hex(this.rip)} rflags=${hex(this.rflags, 8)} [${flagNames(this.rflags)}] cpl=${this.cpl}`);
    SEGMENT_NAMES.forEach((name, i) => {
      const s = this.segment(i);
      lines.push(
        `${name.padStart(4)} ${s.selector.toString(16).padStart(4, '0')} base=${hex(s.base)} limit=${s.limit
          .toString(16)
          .padStart(8, '0')} attr=${s.attr.toString(16).padStart(4, '0')}${s.unusable ? ' unusable' : ''}`,
      );
    });
    lines.push(
      `gdtr=${hex(this.u64(L.S_GDTR_BASE))}+${this.u32(L.S_GDTR_LIMIT).toString(16)} idtr=${hex(
        this.u64(L.S_IDTR_BASE),
      )}+${this.u32(L.S_IDTR_LIMIT).toString(16)}`,
    );
    lines.push(
      `cr0=${hex(this.u64(L.S_CR0), 8)} cr2=${hex(this.u64(L.S_CR2))} cr3=${hex(this.u64(L.S_CR3))} cr4=${hex(
        this.u64(L.S_CR4),
        8,
      )} efer=${hex(this.u64(L.S_EFER), 4)}`,
    );
    return lines.join('\n');
  }
}

/** "CF ZF IF"-style list of the flags that are set. */
export function flagNames(rflags: bigint): string {
  const bits: [number, string][] = [
    [0, 'CF'],
    [2, 'PF'],
    [4, 'AF'],
    [6, 'ZF'],
    [7, 'SF'],
    [8, 'TF'],
    [9, 'IF'],
    [10, 'DF'],
    [11, 'OF'],
    [14, 'NT'],
    [16, 'RF'],
    [17, 'VM'],
    [18, 'AC'],
    [19, 'VIF'],
    [20, 'VIP'],
    [21, 'ID'],
  ];
  const set = bits.filter(([bit]) => (rflags >> BigInt(bit)) & 1n).map(([, name]) => name);
  const iopl = Number((rflags >> 12n) & 3n);
  return [...set, ...(iopl ? [`IOPL=${iopl}`] : [])].join(' ');
}
