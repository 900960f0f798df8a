// Random guests for the emulator core: memory, tables and a processor state, all from one seed.

import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { Random } from '../../tools/isa/random.js';
import { type CodeLayout, type CodeSize, randomCode } from './random-code.js';

export const GUEST_MODES = [
  'real',
  'unreal',
  'protected',
  'code16',
  'paging',
  'pae',
  'long',
  'user',
  'compat',
  'v8086',
] as const;
export type GuestMode = (typeof GUEST_MODES)[number];

/** Not a multiple of the 64 KiB of a WebAssembly page: what follows in the last one must stay as it is. */
export const GUEST_RAM = 0x113000;
/** Nothing answers here, as in the VGA window of a PC. */
export const GUEST_HOLE = 0xa0000;
/** Firmware. */
export const GUEST_ROM = 0xf0000;
export const GUEST_ROM_SIZE = 0x10000;

const GDT = 0x1000;
const LDT = 0x1800;
const IDT = 0x2000;
const TSS = 0x3000;
const TABLES = 0x4000;
/** End of the page tables. */
const STACK_LOW = 0x8000;
const STACK = 0xe000;
const CODE = 0x10000;
const DATA = 0x14000;
const CODE_BYTES = 0x800;
/** Exception handlers, after the code. */
const HANDLERS = 0x800;
const HANDLER_COUNT = 32;
const HANDLER_BYTES = 96;
/** What the handlers count in. */
const COUNTER = 0xe100;
const DATA_BYTES = 0x4000;

export interface RandomGuest {
  readonly mode: GuestMode;
  readonly state: X86State;
  readonly ram: Uint8Array;
}

/** Selectors: the null one, then code and data of ring 0 and 3 in all sizes, LDT, TSS. */
const SEL = {
  code: 0x08,
  data: 0x10,
  code64: 0x18,
  code16: 0x20,
  userCode: 0x2b,
  userData: 0x33,
  userCode64: 0x3b,
  ldt: 0x40,
  tss: 0x50,
};
const DESCRIPTORS = [0, 0xc09b, 0xc093, 0xa09b, 0x009b, 0xc0fb, 0xc0f3, 0xa0fb];

class Builder {
  readonly ram = new Uint8Array(GUEST_RAM);
  readonly view = new DataView(this.ram.buffer);
  readonly state = X86State.reset();
  private readonly wide: boolean;
  private readonly size: CodeSize;
  /** Offset of CODE in the code segment. */
  private readonly codeOffset: number;
  private readonly dataOffset: number;

  constructor(
    readonly random: Random,
    readonly mode: GuestMode,
  ) {
    const real = mode === 'real' || mode === 'v8086';
    this.wide = mode === 'long' || mode === 'user';
    this.size = this.wide ? 64 : real || mode === 'unreal' || mode === 'code16' ? 16 : 32;
    // 16-bit code has its segments at CODE and DATA.
    this.codeOffset = this.size === 16 ? 0x100 : CODE;
    this.dataOffset = this.size === 16 ? 0x100 : DATA;
  }

  build(): void {
    const { random, ram } = this;
    for (let i = DATA; i < DATA + DATA_BYTES; i++) ram[i] = random.below(256);
    ram.fill(0x5a, GUEST_HOLE, GUEST_HOLE + 0x20000);
    ram.fill(0xc3, GUEST_ROM, GUEST_ROM + GUEST_ROM_SIZE);
    const at: CodeLayout = {
      size: this.size,
      code: this.codeOffset,
      codeBytes: CODE_BYTES,
      data: this.dataOffset,
      dataBytes: DATA_BYTES,
    };
    // Now and then across the end of a page, or of all memory.
    ram.set(randomCode(random, at), CODE + (this.size === 16 ? 0x100 : 0));
    this.handlers();
    this.descriptors();
    this.interrupts();
    this.taskState();
    this.pageTables();
    this.registers();
    if (random.oneIn(8)) this.noise();
  }

  /** Where exceptions go: a handler that starts afresh, at times any place in the code. */
  private handler(): number {
    if (this.random.oneIn(8)) return this.entry();
    return this.codeOffset + HANDLERS + HANDLER_BYTES * this.random.below(HANDLER_COUNT);
  }

  /** Handlers reload the stack pointer and some registers and go on somewhere in the code, at the guest's own level. */
  private handlers(): void {
    const { random, mode } = this;
    const start = CODE + (this.size === 16 ? this.codeOffset : 0) + HANDLERS;
    for (let i = 0; i < HANDLER_COUNT; i++) {
      const gate16 = this.size === 16 && mode !== 'v8086';
      const dword = (v: number) => [v & 0xff, (v >> 8) & 0xff, (v >> 16) & 0xff, v >>> 24];
      const load = (register: number, v: number) => [0xb8 | register, ...dword(v).slice(0, gate16 ? 2 : 4)];
      const push = (v: number) => [0x68, ...dword(v)];
      const code = [...load(4, STACK - 0x40)];
      const count = random.below(3);
      for (let k = 0; k < count; k++)
        code.push(...load(random.pick([0, 1, 2, 5, 6, 7]), Number(this.value() & 0xffffffffn)));
      // BX = a number that is another each time, as an offset in the code. Through SS, which is sound where DS may not be.
      const long = this.wide || mode === 'compat';
      const at = gate16
        ? [0x1e, ...dword(COUNTER).slice(0, 2)]
        : long
          ? [0x1c, 0x25, ...dword(COUNTER)]
          : [0x1d, ...dword(COUNTER)];
      code.push(0x36, 0x8b, ...at);
      code.push(0x36, 0x81, at[0] & 0xc7, ...at.slice(1), ...dword(random.u32()).slice(0, gate16 ? 2 : 4));
      const word = (v: number) => dword(v).slice(0, gate16 ? 2 : 4);
      code.push(0x81, 0xe3, ...word(CODE_BYTES - 1), 0x81, 0xc3, ...word(this.codeOffset));
      const flags = 2 | (random.u32() & 0xad5);
      if (mode === 'v8086') {
        for (let k = 0; k < 4; k++) code.push(...push(DATA >> 4));
        code.push(
          ...push(0),
          ...push(0xdf00),
          ...push(flags | L.FLAG_VM | L.FLAG_IOPL),
          ...push(CODE >> 4),
          0x53,
          0xcf,
        );
      } else if (mode === 'user' || mode === 'compat') {
        const code32 = random.oneIn(2) ? SEL.userCode : SEL.code;
        const cs = mode === 'user' ? SEL.userCode64 : code32;
        const ss = cs & 3 ? SEL.userData : SEL.data;
        code.push(...push(ss), ...push(STACK - 0x1000), ...push(flags), ...push(cs), 0x53, 0x48, 0xcf);
      } else code.push(0xff, 0xe3);
      this.ram.set(code, start + HANDLER_BYTES * i);
    }
  }

  /** A place in the code where an instruction may or may not begin. */
  private entry(): number {
    return this.codeOffset + (this.random.oneIn(2) ? 0 : this.random.below(CODE_BYTES - 64));
  }

  private descriptors(): void {
    const { random, view } = this;
    DESCRIPTORS.forEach((attr, i) => {
      const base = attr === 0x009b ? CODE : 0;
      const value = attr ? 0x000f_0000_0000_ffffn | (BigInt(attr) << 40n) | (BigInt(base) << 16n) : 0n;
      view.setBigUint64(GDT + 8 * i, value, true);
    });
    view.setBigUint64(GDT + SEL.ldt, 0x7fn | (BigInt(LDT) << 16n) | (0x82n << 40n), true);
    view.setBigUint64(GDT + SEL.tss, 0x3ffn | (BigInt(TSS) << 16n) | (0x8bn << 40n), true);
    // Gates and whatever: the rest of the GDT and the LDT.
    for (let at = GDT + 0x60; at < GDT + 0x100; at += 8) this.randomDescriptor(at);
    for (let at = LDT; at < LDT + 0x80; at += 8) this.randomDescriptor(at);
    if (random.oneIn(4)) this.randomDescriptor(GDT + 8 * random.below(8));
  }

  private randomDescriptor(at: number): void {
    const { random, view } = this;
    if (random.oneIn(3)) {
      // A gate: call, task, interrupt or trap, 16 or 32 bits wide.
      const type = random.pick([4, 5, 6, 7, 12, 14, 15]);
      const selector = 8 * random.below(32) + random.below(4);
      view.setUint32(at, (selector << 16) | (this.entry() & 0xffff), true);
      view.setUint32(at + 4, 0x8000 | (random.below(4) << 13) | (type << 8) | (CODE & 0xffff0000), true);
    } else {
      const attr = random.below(0x10000);
      const limit = random.below(0x10000);
      const base = BigInt(random.pick([0, CODE, DATA, random.u32()]));
      const value = BigInt(limit) | ((base & 0xffffffn) << 16n) | (BigInt(attr) << 40n) | ((base >> 24n) << 56n);
      view.setBigUint64(at, BigInt.asUintN(64, value), true);
    }
  }

  private interrupts(): void {
    const { random, view } = this;
    const garbage = random.oneIn(16);
    for (let vector = 0; vector < 256; vector++) {
      const handler = this.handler();
      if (vector === 8 && random.oneIn(4)) continue;
      if (this.mode === 'real' || this.mode === 'unreal' || this.mode === 'v8086') {
        const entry = ((CODE >> 4) << 16) | handler;
        view.setUint32(4 * vector, garbage ? random.u32() : entry, true);
      }
      const long = this.wide || this.mode === 'compat';
      const at = IDT + vector * (long ? 16 : 8);
      const selector = long ? SEL.code64 : this.size === 16 ? SEL.code16 : SEL.code;
      const type = random.pick([0x8e, 0x8f, 0xee, 0xef]) - (this.mode === 'code16' && random.oneIn(2) ? 8 : 0);
      const offset = this.mode === 'v8086' ? CODE + handler : handler;
      const code = this.mode === 'v8086' ? SEL.code : selector;
      const odd = random.oneIn(100) || garbage;
      view.setUint32(at, (code << 16) | (offset & 0xffff), true);
      view.setUint32(
        at + 4,
        (offset & 0xffff0000) | (type << 8) | (long && random.oneIn(3) ? random.below(8) : 0),
        true,
      );
      if (odd) view.setUint32(at + 4 * random.below(2), random.u32(), true);
    }
  }

  private taskState(): void {
    const { random, view } = this;
    for (let i = 0; i < 0x80; i += 4) view.setUint32(TSS + i, random.u32(), true);
    if (this.wide || this.mode === 'compat') {
      for (let i = 0; i < 10; i++) view.setBigUint64(TSS + 4 + 8 * i, BigInt(STACK - 0x200 * i), true);
    } else {
      for (let i = 0; i < 3; i++) {
        view.setUint32(TSS + 4 + 8 * i, STACK - 0x100, true);
        view.setUint32(TSS + 8 + 8 * i, SEL.data, true);
      }
      view.setUint32(TSS + 0x1c, TABLES, true);
    }
    view.setUint16(TSS + 0x66, random.oneIn(3) ? random.below(0x500) : 0x68, true);
  }

  /** Identity, in small pages, with a few oddities; the tables are for the mode of paging. */
  private pageTables(): void {
    const { random, view, mode } = this;
    const legacy = mode === 'paging';
    const step = legacy ? 4 : 8;
    const put = (at: number, value: number) => view.setUint32(at, value, true);
    // PML4 (also high up), PDPT, page directory, page table, one page each.
    if (mode === 'pae') {
      for (let i = 0; i < 4; i++) put(TABLES + 8 * i, (TABLES + 0x2000) | 1);
    } else if (!legacy) {
      put(TABLES, (TABLES + 0x1000) | 7);
      put(TABLES + 0xff8, (TABLES + 0x1000) | 7);
      put(TABLES + 0x1000, (TABLES + 0x2000) | 7);
      put(TABLES + 0x1ff8, (TABLES + 0x2000) | 7);
    }
    const directory = legacy ? TABLES : TABLES + 0x2000;
    put(directory, (TABLES + 0x3000) | 7);
    for (let i = 1; i < 16; i++) {
      const kind = random.below(4);
      put(directory + step * i, kind === 0 ? 0x87 : kind === 1 ? random.u32() : kind === 2 ? (TABLES + 0x3000) | 7 : 0);
    }
    const odd = random.pick([8, 32, 1000, 1000]);
    for (let i = 0; i < 512; i++) {
      const at = TABLES + 0x3000 + step * i;
      put(at, (i << 12) | 7 | (random.oneIn(4) ? 0x60 : 0) | (random.oneIn(5) ? 0x100 : 0));
      // Tables, stack and code stay what they are for most of the time: without them little happens.
      if (!random.oneIn(odd) || (i <= CODE >> 12 && !random.oneIn(8))) continue;
      const flags = random.below(0x200);
      const frame = random.pick([
        i,
        0,
        CODE >> 12,
        DATA >> 12,
        GUEST_ROM >> 12,
        GUEST_HOLE >> 12,
        0xfee00,
        random.below(0x200),
      ]);
      put(at, ((frame << 12) | flags) >>> 0);
      if (!legacy && random.oneIn(4)) put(at + 4, random.pick([0x80000000, 1, 0xf, random.u32()]));
    }
  }

  private registers(): void {
    const { random, state: s, mode, wide } = this;
    for (let i = 0; i < 16; i++) s.setGpr(i, this.value());
    s.setGpr(4, BigInt(this.size === 16 ? 0xe000 : STACK - 0x40));
    s.rip = BigInt(this.codeOffset);
    let flags = 2 | (random.u32() & (L.FLAGS_ARITH | L.FLAG_IF | L.FLAG_IOPL));
    if (random.oneIn(6)) flags |= random.u32() & (L.FLAG_DF | L.FLAG_NT | L.FLAG_AC | L.FLAG_ID);
    if (random.oneIn(12)) flags |= L.FLAG_TF;
    if (mode === 'v8086') flags |= L.FLAG_VM | (random.oneIn(3) ? 0 : L.FLAG_IOPL);
    s.rflags = BigInt(flags);

    s.setU64(L.S_GDTR_BASE, BigInt(GDT));
    s.setU32(L.S_GDTR_LIMIT, 0xff);
    const real = mode === 'real' || mode === 'unreal';
    s.setU64(L.S_IDTR_BASE, BigInt(real ? 0 : IDT));
    s.setU32(L.S_IDTR_LIMIT, real ? 0x3ff : 0xfff);
    s.setSegment(L.SEG_LDTR, { selector: SEL.ldt, base: BigInt(LDT), limit: 0x7f, attr: 0x82, unusable: false });
    s.setSegment(L.SEG_TR, { selector: SEL.tss, base: BigInt(TSS), limit: 0x3ff, attr: 0x8b, unusable: false });
    this.segments();
    this.control();
    if (random.oneIn(6)) {
      for (let i = 0; i < 4; i++) s.setU64(L.S_DR0 + 8 * i, BigInt(this.somewhere()));
      s.setU64(L.S_DR7, BigInt((0x400 | (random.u32() & 0xffff23ff)) >>> 0));
    }
    s.setU64(L.S_MSR_STAR, (BigInt(SEL.code64) << 32n) | (BigInt(SEL.userCode) << 48n));
    s.setU64(L.S_MSR_LSTAR, BigInt(this.entry()));
    s.setU64(L.S_MSR_CSTAR, BigInt(this.entry()));
    s.setU64(L.S_MSR_FMASK, BigInt(random.u32()));
    s.setU64(L.S_MSR_SYSENTER_CS, BigInt(SEL.code));
    s.setU64(L.S_MSR_SYSENTER_EIP, BigInt(this.entry()));
    s.setU64(L.S_MSR_SYSENTER_ESP, BigInt(STACK));
    s.setU16(L.S_FCW, random.pick([0x37f, 0x27f, 0x40 | random.below(0xfff)]));
    s.setU16(L.S_FTW, random.pick([0xffff, 0, random.below(0x10000)]));
    for (let i = 0; i < 8; i++) {
      s.setU64(L.S_FPR + 16 * i, random.u64());
      s.setU16(L.S_FPR + 16 * i + 8, random.pick([0, 0x3fff, 0x7fff, random.below(0x10000)]));
    }
    for (let i = 0; i < 32; i++) s.setU64(L.S_XMM + 8 * i, random.oneIn(4) ? 0n : random.u64());
    if (wide) s.setU64(L.S_MSR_KERNEL_GS_BASE, BigInt(DATA));
  }

  private somewhere(): number {
    const { random } = this;
    return random.pick([CODE + random.below(CODE_BYTES), DATA + random.below(DATA_BYTES), STACK - random.below(0x100)]);
  }

  private value(): bigint {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
        return random.oneIn(3) ? random.u64() : BigInt(random.below(0x10000));
      case 1:
        return BigInt(random.u32());
      case 2:
        return random.pick([0n, 1n, 0xffffffffffffffffn, 0x8000000000000000n, 0x80000000n, 0x7fffffffn]);
      case 3:
        return BigInt(random.below(40));
      case 4:
        return BigInt(this.codeOffset + random.below(CODE_BYTES));
      case 5:
        return (0xffffff8000000000n | BigInt(this.somewhere())) - (random.oneIn(2) ? 0x8000000000n : 0n);
      default:
        return BigInt(this.dataOffset + random.below(DATA_BYTES));
    }
  }

  private segments(): void {
    const { random, state: s, mode } = this;
    const put = (i: number, selector: number, base: number, limit: number, attr: number) =>
      s.setSegment(i, { selector, base: BigInt(base), limit, attr, unusable: false });
    const data = [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS];
    if (this.size === 16) {
      const v8086 = mode === 'v8086';
      const limit = mode === 'unreal' ? 0xffffffff : 0xffff;
      const attr = v8086 ? 0xf3 : 0x93;
      for (const i of data) put(i, DATA >> 4, DATA, limit, attr);
      put(L.SEG_SS, 0, 0, 0xffff, attr);
      if (mode === 'code16') for (const i of data) put(i, SEL.data, i === L.SEG_SS ? 0 : DATA, 0xffff, 0x93);
      put(L.SEG_CS, mode === 'code16' ? SEL.code16 : CODE >> 4, CODE, 0xffff, v8086 ? 0xf3 : 0x9b);
      return;
    }
    const user = mode === 'user' || (mode === 'compat' && random.oneIn(2));
    const ring = user ? 0x60 : 0;
    for (const i of data) put(i, user ? SEL.userData : SEL.data, 0, 0xffffffff, 0xc093 | ring);
    if (mode === 'long') put(L.SEG_CS, SEL.code64, 0, 0xffffffff, 0xa09b);
    else if (mode === 'user') put(L.SEG_CS, SEL.userCode64, 0, 0xffffffff, 0xa0fb);
    else put(L.SEG_CS, user ? SEL.userCode : SEL.code, 0, 0xffffffff, 0xc09b | ring);
    // Segments that are not flat: small, expand-down, read-only, with bases that carry past 4 GiB.
    if (random.oneIn(2)) return;
    for (const i of [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS]) {
      if (!random.oneIn(3)) continue;
      const type = random.pick([0x91, 0x93, 0x95, 0x97]) | ring | random.pick([0, 0x4000, 0xc000]);
      put(
        i,
        (user ? SEL.userData : SEL.data) & 0xffff,
        random.pick([0, DATA, random.u32()]),
        random.below(0x20000),
        type,
      );
    }
    if (mode === 'protected' && random.oneIn(3)) put(L.SEG_CS, SEL.code, 0, CODE + random.below(CODE_BYTES), 0x409b);
  }

  private control(): void {
    const { random, state: s, mode } = this;
    let cr0 = L.CR0_ET | L.CR0_NE | L.CR0_MP;
    if (mode !== 'real' && mode !== 'unreal') cr0 |= L.CR0_PE;
    if (random.oneIn(10)) cr0 ^= random.u32() & (L.CR0_EM | L.CR0_TS | L.CR0_NE | L.CR0_MP | L.CR0_AM);
    if (random.oneIn(2)) cr0 |= L.CR0_WP;
    let cr4 = L.CR4_OSFXSR | L.CR4_OSXMMEXCPT;
    if (random.oneIn(3))
      cr4 ^=
        random.u32() &
        (L.CR4_VME | L.CR4_PVI | L.CR4_TSD | L.CR4_DE | L.CR4_PSE | L.CR4_PGE | L.CR4_OSFXSR | L.CR4_OSXMMEXCPT);
    if (random.oneIn(10)) cr4 ^= random.u32() & (L.CR4_UMIP | L.CR4_FSGSBASE | L.CR4_SMEP | L.CR4_SMAP);
    const long = this.wide || mode === 'compat';
    const paged = long || mode === 'pae' || mode === 'paging' || (mode === 'v8086' && random.oneIn(2));
    if (paged) {
      cr0 |= L.CR0_PG;
      s.setU64(L.S_CR3, BigInt(TABLES));
      if (mode !== 'paging') cr4 |= L.CR4_PAE;
      // The tables that were made for v8086 mode are those of 4-level paging: PAE finds its PDPTEs a level further down.
      if (mode === 'v8086') s.setU64(L.S_CR3, BigInt(TABLES + 0x1000));
    }
    if (mode === 'v8086' && paged) this.view.setUint32(TABLES + 0x1000, (TABLES + 0x2000) | 1, true);
    s.setU64(L.S_CR0, BigInt(cr0 >>> 0));
    s.setU64(L.S_CR4, BigInt(cr4 >>> 0));
    let efer = long ? L.EFER_LME | L.EFER_LMA : 0;
    if (random.oneIn(2)) efer |= L.EFER_SCE;
    if (random.oneIn(2)) efer |= L.EFER_NXE;
    s.setU64(L.S_EFER, BigInt(efer));
  }

  /** Some bytes of the tables, changed. */
  private noise(): void {
    const { random, ram } = this;
    for (let i = random.below(40); i > 0; i--) ram[GDT + random.below(STACK - GDT)] = random.below(256);
  }
}

/**
 * Has the guest written to its page tables, the CPU's accessed and dirty bits apart? Until it flushes the TLB, what it
 * then sees depends on what the TLB holds, and that on how it is run (SDM vol. 3, 5.10.4).
 */
export function changedPageTables(guest: RandomGuest, ram: Uint8Array): boolean {
  for (let at = TABLES; at < STACK_LOW; at++) {
    const used = (at & 3) === 0 ? 0x60 : 0;
    if ((ram[at] | used) !== (guest.ram[at] | used)) return true;
  }
  return false;
}

export function randomGuest(seed: number): RandomGuest {
  const random = new Random(seed);
  const mode = GUEST_MODES[seed % GUEST_MODES.length];
  const builder = new Builder(random, mode);
  builder.build();
  return { mode, state: builder.state, ram: builder.ram };
}
