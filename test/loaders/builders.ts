// Builds small images of every kind by hand, field by field, for the loaders' tests.

import { GUEST_BASE } from '../../assembly/layout/memory.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';

export const MIB = 0x100000;

/** RAM whose every byte is 0xCC, so that what a loader clears or leaves alone can be told apart. */
export function makeMemory(mib: number, fill = 0xcc): GuestMemory {
  const pages = (GUEST_BASE + mib * MIB) / 65536;
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: pages, maximum: pages }), mib * MIB);
  if (fill) memory.bytes.fill(fill);
  return memory;
}

/** Little-endian fields at chosen offsets of a growing file. */
export class Writer {
  bytes: Uint8Array;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
  private view(): DataView {
    return new DataView(this.bytes.buffer);
  }
  u8(at: number, v: number): this {
    this.view().setUint8(at, v);
    return this;
  }
  u16(at: number, v: number): this {
    this.view().setUint16(at, v, true);
    return this;
  }
  u32(at: number, v: number): this {
    this.view().setUint32(at, v, true);
    return this;
  }
  u64(at: number, v: number | bigint): this {
    this.view().setBigUint64(at, BigInt(v), true);
    return this;
  }
  text(at: number, v: string): this {
    this.bytes.set(new TextEncoder().encode(v), at);
    return this;
  }
  put(at: number, v: Uint8Array): this {
    this.bytes.set(v, at);
    return this;
  }
}

export interface SegmentSpec {
  type?: number;
  vaddr?: number | bigint;
  paddr: number | bigint;
  data: Uint8Array;
  memsz?: number | bigint;
  filesz?: number | bigint;
  offset?: number | bigint;
  align?: number;
}

export interface ElfSpec {
  bits: 32 | 64;
  machine?: number;
  type?: number;
  entry: number | bigint;
  segments: SegmentSpec[];
  /** File offset of the first segment's data. */
  dataOffset?: number;
}

export function buildElf(spec: ElfSpec): Uint8Array {
  const wide = spec.bits === 64;
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 56 : 32;
  const start = spec.dataOffset ?? headerSize + entrySize * spec.segments.length;
  const total = spec.segments.reduce((sum, s) => sum + s.data.length, start);
  const w = new Writer(total);
  w.put(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1));
  w.u16(16, spec.type ?? 2)
    .u16(18, spec.machine ?? (wide ? 62 : 3))
    .u32(20, 1);
  if (wide) {
    w.u64(24, spec.entry).u64(32, headerSize).u16(52, headerSize).u16(54, entrySize).u16(56, spec.segments.length);
  } else {
    w.u32(24, Number(spec.entry)).u32(28, headerSize).u16(40, headerSize).u16(42, entrySize);
    w.u16(44, spec.segments.length);
  }
  let data = start;
  spec.segments.forEach((s, i) => {
    const at = headerSize + i * entrySize;
    const offset = s.offset ?? data;
    const filesz = s.filesz ?? s.data.length;
    const memsz = s.memsz ?? s.data.length;
    const vaddr = s.vaddr ?? s.paddr;
    w.put(data, s.data).u32(at, s.type ?? 1);
    if (wide) {
      w.u32(at + 4, 7)
        .u64(at + 8, offset)
        .u64(at + 16, vaddr)
        .u64(at + 24, s.paddr);
      w.u64(at + 32, filesz)
        .u64(at + 40, memsz)
        .u64(at + 48, s.align ?? 4);
    } else {
      w.u32(at + 4, Number(offset))
        .u32(at + 8, Number(vaddr))
        .u32(at + 12, Number(s.paddr));
      w.u32(at + 16, Number(filesz))
        .u32(at + 20, Number(memsz))
        .u32(at + 24, 7)
        .u32(at + 28, s.align ?? 4);
    }
    data += s.data.length;
  });
  return w.bytes;
}

export function pattern(size: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) & 0xff);
}

/** Multiboot header: magic, flags, checksum, then the address and video fields given. */
export function multibootHeader(flags: number, fields: number[] = []): Uint8Array {
  const w = new Writer(12 + 4 * fields.length);
  w.u32(0, 0x1badb002)
    .u32(4, flags)
    .u32(8, -(0x1badb002 + flags) >>> 0);
  fields.forEach((f, i) => {
    w.u32(12 + 4 * i, f);
  });
  return w.bytes;
}

/** ELF32 multiboot kernel at 1 MiB: header first, then code; bss behind. */
export function buildMultibootElf(flags = 3, fields: number[] = []): Uint8Array {
  const header = multibootHeader(flags, fields);
  const text = new Uint8Array(256);
  text.set(header);
  text.set(pattern(128), 128);
  return buildElf({ bits: 32, entry: 0x100080, segments: [{ paddr: 0x100000, data: text, memsz: 0x1000 }] });
}

/** Multiboot kernel without ELF headers; loaded at 2 MiB from file offset 16 on. */
export function buildMultibootFlat(change: { [field: string]: number } = {}): Uint8Array {
  const f = { header: 0x200010, load: 0x200000, loadEnd: 0x200100, bssEnd: 0x200400, entry: 0x200040, ...change };
  const w = new Writer(16 + 0x180);
  w.put(16, pattern(0x180));
  w.put(32, multibootHeader(1 << 16, [f.header, f.load, f.loadEnd, f.bssEnd, f.entry]));
  return w.bytes;
}

/** One ELF note. */
export function note(name: string, type: number, descriptor: Uint8Array): Uint8Array {
  const pad = (n: number) => Math.ceil(n / 4) * 4;
  const w = new Writer(12 + pad(name.length + 1) + pad(descriptor.length));
  w.u32(0, name.length + 1)
    .u32(4, descriptor.length)
    .u32(8, type)
    .text(12, name);
  return w.put(12 + pad(name.length + 1), descriptor).bytes;
}

export function buildPvh(entry = 0x1000040): Uint8Array {
  const descriptor = new Writer(8).u64(0, entry).bytes;
  const notes = new Uint8Array([...note('GNU', 3, pattern(20)), ...note('Xen', 18, descriptor)]);
  return buildElf({
    bits: 64,
    entry: 0xffffffff81000000n,
    segments: [
      { paddr: 0x1000000, vaddr: 0xffffffff81000000n, data: pattern(512), memsz: 0x2000 },
      { type: 4, paddr: 0x1000000, data: notes },
    ],
  });
}

export interface BzImageSpec {
  protocol?: number;
  loadflags?: number;
  xloadflags?: number;
  pref?: number | bigint;
  alignment?: number;
  initSize?: number;
  initrdMax?: number;
  commandLineMax?: number;
  relocatable?: number;
  kernelSize?: number;
  syssize?: number;
}

export function buildBzImage(spec: BzImageSpec = {}): Uint8Array {
  const kernel = pattern(spec.kernelSize ?? 0x800, 3);
  const setupSectors = 2;
  const w = new Writer((setupSectors + 1) * 512 + kernel.length);
  w.text(0, 'MZ').u8(0x1f1, setupSectors);
  w.u32(0x1f4, spec.syssize ?? kernel.length / 16).u16(0x1fe, 0xaa55);
  w.u8(0x200, 0xeb).u8(0x201, 0x6a).text(0x202, 'HdrS');
  w.u16(0x206, spec.protocol ?? 0x20f)
    .u16(0x20e, 0x100)
    .text(0x300, '6.1.0-test (someone@somewhere) #1');
  w.u8(0x211, spec.loadflags ?? 1)
    .u32(0x214, 0x100000)
    .u32(0x22c, spec.initrdMax ?? 0x7fffffff);
  w.u32(0x230, spec.alignment ?? 0x200000)
    .u8(0x234, spec.relocatable ?? 1)
    .u16(0x236, spec.xloadflags ?? 1);
  w.u32(0x238, spec.commandLineMax ?? 2047)
    .u64(0x258, spec.pref ?? 0x1000000)
    .u32(0x260, spec.initSize ?? 0x300000);
  return w.put((setupSectors + 1) * 512, kernel).bytes;
}

export function buildBootSector(sectors = 1): Uint8Array {
  const w = new Writer(512 * sectors);
  return w.put(0, Uint8Array.of(0xfa, 0xf4)).u16(510, 0xaa55).bytes;
}

export function buildArm64Image(): Uint8Array {
  return new Writer(4096).text(0, 'MZ').text(0x38, 'ARM\x64').bytes;
}
