import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { GDT_CODE, GDT_DATA, HALT_STUB } from '../../src/loaders/boot-environment.js';
import { type LoadedGuest, type LoadOptions, loadBios, loadGuest } from '../../src/loaders/index.js';
import { E820_ACPI } from '../../src/loaders/memory-map.js';
import * as P from '../../src/loaders/placement.js';
import type { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import {
  buildArm64Image,
  buildBootSector,
  buildBzImage,
  buildElf,
  buildMultibootElf,
  buildMultibootFlat,
  buildPvh,
  MIB,
  makeMemory,
  pattern,
  type SegmentSpec,
} from './builders.js';

const memory = makeMemory(64);

function load(bytes: Uint8Array, options: LoadOptions = {}): { guest: LoadedGuest; state: X86State } {
  memory.bytes.fill(0xcc);
  const guest = loadGuest(bytes, memory, options);
  const state = X86State.reset();
  guest.writeState(state);
  return { guest, state };
}

function refused(bytes: Uint8Array, code: string, words: RegExp, options: LoadOptions = {}, into = memory): void {
  try {
    loadGuest(bytes, into, options);
  } catch (error) {
    if (!(error instanceof TsvmError)) throw error;
    assert.is(error.code, code, error.message);
    assert.match(error.message, words);
    return;
  }
  throw new Error(`accepted, instead of ${code}`);
}

function untouched(): boolean {
  return Buffer.from(memory.bytes.buffer, memory.bytes.byteOffset, memory.size).equals(Buffer.alloc(memory.size, 0xcc));
}

function string(at: number, from: GuestMemory = memory): string {
  let text = '';
  for (let i = at; from.readU8(i) !== 0; i++) text += String.fromCharCode(from.readU8(i));
  return text;
}

function checkProtectedMode(state: X86State): void {
  assert.is(state.u64(L.S_CR0) & BigInt(L.CR0_PE), 1n);
  assert.is(state.u64(L.S_CR0) >> 29n, 0n, 'no paging, caches on');
  assert.is(state.u64(L.S_EFER), 0n);
  assert.is(state.rflags, 2n);
  const flat = { base: 0n, limit: 0xffffffff, unusable: false };
  assert.equal(state.segment(L.SEG_CS), { selector: GDT_CODE, attr: 0xc09b, ...flat });
  for (const s of [L.SEG_DS, L.SEG_ES, L.SEG_SS, L.SEG_FS, L.SEG_GS]) {
    assert.equal(state.segment(s), { selector: GDT_DATA, attr: 0xc093, ...flat });
  }
}

/** The descriptor that the GDT in memory holds for a selector, in the layout's terms. */
function descriptor(state: X86State, selector: number): { base: bigint; limit: number; attr: number } {
  assert.ok(selector + 7 <= state.u32(L.S_GDTR_LIMIT));
  const d = memory.readU64(Number(state.u64(L.S_GDTR_BASE)) + selector);
  const base = ((d >> 16n) & 0xffffffn) | ((d >> 56n) << 24n);
  const limit = Number((d & 0xffffn) | ((d >> 32n) & 0xf0000n));
  const attr = Number((d >> 40n) & 0xf0ffn);
  return { base, limit: attr & 0x8000 ? limit * 4096 + 4095 : limit, attr };
}

/** Walks the page tables at CR3 (SDM vol. 3, 4.5) and returns the physical address. */
function translate(state: X86State, linear: bigint): bigint {
  let table = state.u64(L.S_CR3);
  for (const shift of [39n, 30n, 21n]) {
    const entry = memory.readU64(Number(table + ((linear >> shift) & 0x1ffn) * 8n));
    assert.is(entry & 3n, 3n, 'present and writable');
    if (shift === 21n) {
      assert.is(entry & 0x80n, 0x80n, '2 MiB page');
      return (entry & ~0x1fffffn) | (linear & 0x1fffffn);
    }
    table = entry & ~0xfffn;
  }
  return -1n;
}

test('the registers match the descriptors in the GDT that they point into', () => {
  for (const image of [buildMultibootElf(), buildBzImage()]) {
    const { state } = load(image);
    for (const s of [L.SEG_CS, L.SEG_DS, L.SEG_SS]) {
      const { selector, base, limit, attr } = state.segment(s);
      assert.equal(descriptor(state, selector), { base, limit, attr });
    }
  }
});

test('multiboot ELF: segments, bss, registers and information', () => {
  const { guest, state } = load(buildMultibootElf(), { commandLine: 'a b', imageName: 'kernel.elf' });
  assert.is(guest.kind, 'multiboot');
  assert.is(state.rip, 0x100080n);
  assert.is(state.gpr(0), 0x2badb002n);
  checkProtectedMode(state);
  assert.equal(memory.slice(0x100080, 128), pattern(128));
  assert.is(memory.readU8(0x100fff), 0, 'bss is cleared');
  assert.is(memory.readU8(0x101000), 0xcc, 'and nothing behind it');

  const info = Number(state.gpr(3));
  assert.is(memory.readU32(info), 0x1 | 0x4 | 0x40 | 0x200);
  assert.is(memory.readU32(info + 4), 639);
  assert.is(memory.readU32(info + 8), 63 * 1024);
  assert.is(string(memory.readU32(info + 16)), 'kernel.elf a b');
  assert.is(string(memory.readU32(info + 64)), 'tsvm');
  const mmap = memory.readU32(info + 48);
  assert.is(memory.readU32(info + 44), 6 * 24);
  assert.equal(
    [0, 2].map((i) => memory.readU32(mmap + 24 * i)),
    [20, 20],
  );
  assert.equal(
    [0, 2].map((i) => memory.readU64(mmap + 24 * i + 4)),
    [0n, 0x100000n],
  );
  assert.equal(
    [0, 2].map((i) => memory.readU64(mmap + 24 * i + 12)),
    [0x9fc00n, BigInt(63 * MIB)],
  );
  assert.equal(
    [0, 1, 2].map((i) => memory.readU32(mmap + 24 * i + 20)),
    [1, 2, 1],
  );
});

test('multiboot modules stand page-aligned above the kernel, with their strings', () => {
  const modules = [{ bytes: pattern(5000), commandLine: 'one x' }, { bytes: pattern(10, 9) }];
  const { state } = load(buildMultibootElf(), { modules });
  const info = Number(state.gpr(3));
  assert.is(memory.readU32(info) & 8, 8);
  assert.is(memory.readU32(info + 20), 2);
  const list = memory.readU32(info + 24);
  const [start, end, text] = [0, 4, 8].map((o) => memory.readU32(list + o));
  assert.equal([start, end], [0x101000, 0x101000 + 5000]);
  assert.is(string(text), 'one x');
  assert.equal(memory.slice(start, 5000), pattern(5000));
  assert.equal(
    [0, 4].map((o) => memory.readU32(list + 16 + o)),
    [0x103000, 0x10300a],
  );
  assert.is(string(memory.readU32(list + 24)), '');
});

test('multiboot with address fields: the file goes where the header says', () => {
  const { state } = load(buildMultibootFlat());
  assert.is(state.rip, 0x200040n);
  assert.equal(memory.slice(0x200000, 16), pattern(16));
  assert.is(memory.readU32(0x200010), 0x1badb002, 'header_addr');
  assert.is(memory.readU8(0x2000ff), pattern(0x100)[0xff]);
  assert.is(memory.readU8(0x200100), 0, 'bss');
  assert.is(memory.readU8(0x200400), 0xcc);
  const whole = load(buildMultibootFlat({ loadEnd: 0, bssEnd: 0 }));
  assert.is(whole.state.rip, 0x200040n);
  assert.is(memory.readU8(0x20017f), pattern(0x180)[0x17f]);
});

test('multiboot address fields that contradict each other are refused', () => {
  refused(buildMultibootFlat({ load: 0x200020 }), 'E_IMAGE_CORRUPT', /above header_addr/);
  refused(buildMultibootFlat({ load: 0x1f0000 }), 'E_IMAGE_CORRUPT', /before the start/);
  refused(buildMultibootFlat({ loadEnd: 0x1fffff }), 'E_IMAGE_CORRUPT', /load_end_addr/);
  refused(buildMultibootFlat({ loadEnd: 0x300000 }), 'E_IMAGE_TRUNCATED', /load_end_addr/);
  refused(buildMultibootFlat({ bssEnd: 0x200001 }), 'E_IMAGE_CORRUPT', /bss_end_addr/);
  refused(buildMultibootFlat({ entry: 0x200400 }), 'E_IMAGE_CORRUPT', /entry_addr/);
  refused(buildMultibootFlat({ bssEnd: 0xfffffff0 }), 'E_IMAGE_TOO_LARGE', /more than the 3072 MiB/);
});

test('a kernel that asks for a graphics mode is warned about and told of VGA text', () => {
  const { guest, state } = load(buildMultibootElf(4, [0, 0, 0, 0, 0, 0, 1024, 768, 32]));
  assert.match(guest.warnings.join(), /graphics mode/);
  const info = Number(state.gpr(3));
  assert.is(memory.readU32(info) & 0x1000, 0x1000);
  assert.is(memory.readU64(info + 88), 0xb8000n);
  assert.is(memory.readU8(info + 109), 2);
  assert.equal(load(buildMultibootElf(4, [0, 0, 0, 0, 0, 1, 80, 25, 0])).guest.warnings, []);
});

test('more modules than the information area holds are refused', () => {
  const modules = Array.from({ length: 400 }, () => ({ bytes: pattern(1) }));
  refused(buildMultibootElf(), 'E_BOOT_INFO', /fewer modules/, { modules });
});

test('PVH: 32-bit entry with hvm_start_info in EBX', () => {
  const modules = [{ bytes: pattern(6000), commandLine: 'initrd' }];
  const { guest, state } = load(buildPvh(), { commandLine: 'console=ttyS0', modules, rsdpAddress: 0xf0000 });
  assert.is(guest.kind, 'pvh');
  assert.is(state.rip, 0x1000040n);
  checkProtectedMode(state);
  assert.is(state.segment(L.SEG_TR).limit, 0x67);
  assert.equal(memory.slice(0x1000000, 512), pattern(512));
  assert.is(memory.readU8(0x1001fff), 0);
  const info = Number(state.gpr(3));
  assert.equal(
    [0, 4, 8, 12].map((o) => memory.readU32(info + o)),
    [0x336ec578, 1, 0, 1],
  );
  assert.is(string(Number(memory.readU64(info + 24))), 'console=ttyS0');
  assert.is(memory.readU64(info + 32), 0xf0000n);
  const module = Number(memory.readU64(info + 16));
  const start = Number(memory.readU64(module));
  assert.is(memory.readU64(module + 8), 6000n);
  assert.is(start, 64 * MIB - 0x2000, 'as high as pages allow');
  assert.equal(memory.slice(start, 6000), pattern(6000));
  assert.is(string(Number(memory.readU64(module + 16))), 'initrd');
  const map = Number(memory.readU64(info + 40));
  assert.is(memory.readU32(info + 48), 6);
  assert.equal(
    [0, 8].map((o) => memory.readU64(map + 48 + o)),
    [0x100000n, BigInt(63 * MIB)],
  );
  assert.is(memory.readU32(map + 48 + 16), 1);
});

test('a PVH entry outside the kernel is refused', () => {
  refused(buildPvh(0x2000000), 'E_IMAGE_CORRUPT', /PVH entry 0x2000000/);
});

test('bzImage: 64-bit boot protocol', () => {
  const acpi = { start: 64 * MIB - 0x10000, size: 0x10000, type: E820_ACPI };
  const options = { commandLine: 'quiet', modules: [{ bytes: pattern(5) }, { bytes: pattern(9000, 4) }] };
  const { state } = load(buildBzImage(), { ...options, reserved: [acpi], rsdpAddress: 0xf1230 });
  assert.is(state.rip, 0x1000200n);
  assert.is(state.gpr(6), BigInt(P.BOOT_PARAMS));
  assert.equal(memory.slice(0x1000000, 0x800), pattern(0x800, 3));
  assert.is(state.u64(L.S_CR0) >> 31n, 1n);
  assert.is(state.u64(L.S_EFER), 0x500n);
  assert.is(state.u64(L.S_CR4), 0x20n);
  assert.equal([state.segment(L.SEG_CS).selector, state.segment(L.SEG_SS).selector], [0x10, 0x18]);
  assert.is(state.segment(L.SEG_CS).attr, 0xa09b);
  for (const address of [0n, 0x1000200n, 0xb8123n, 0xfee00020n, 0xffffffffn]) {
    assert.is(translate(state, address), address);
  }

  const bp = P.BOOT_PARAMS;
  assert.is(memory.readU32(bp + 0x202), 0x53726448, 'HdrS: the setup header is copied');
  assert.is(memory.readU8(bp + 0x1ef), 0, 'sentinel');
  assert.is(memory.readU8(bp + 0x210), 0xff);
  assert.is(memory.readU32(bp + 0x214), 0x1000000);
  assert.is(string(memory.readU32(bp + 0x228)), 'quiet');
  assert.is(memory.readU64(bp + 0x70), 0xf1230n);
  assert.is(memory.readU32(bp + 0x21c), 9008, 'two initrds, the second at a multiple of 4');
  const ramdisk = memory.readU32(bp + 0x218);
  assert.is(ramdisk, acpi.start - 0x3000, 'below the ACPI tables');
  assert.equal(memory.slice(ramdisk, 5), pattern(5));
  assert.equal(memory.slice(ramdisk + 8, 9000), pattern(9000, 4));
  assert.is(memory.readU8(bp + 0x1e8), 7);
  const table = bp + 0x2d0;
  assert.equal(
    [0, 8].map((o) => memory.readU64(table + 60 + o)),
    [BigInt(acpi.start), 0x10000n],
  );
  assert.is(memory.readU32(table + 60 + 16), E820_ACPI);
});

test('bzImage: 32-bit boot protocol when there is no 64-bit entry, and before 2.10 at 1 MiB', () => {
  const { state } = load(buildBzImage({ xloadflags: 0 }));
  assert.is(state.rip, 0x1000000n);
  checkProtectedMode(state);
  assert.equal(
    [3, 5, 7].map((r) => state.gpr(r)),
    [0n, 0n, 0n],
    'EBX, EBP, EDI',
  );
  assert.is(state.gpr(6), BigInt(P.BOOT_PARAMS));
  assert.is(load(buildBzImage({ protocol: 0x205 })).state.rip, 0x100000n);
  assert.is(load(buildBzImage({ relocatable: 0 })).state.rip, 0x100200n);
});

test('bzImage: an initrd stays below initrd_addr_max and beside the kernel', () => {
  const modules = [{ bytes: pattern(0x2000) }];
  load(buildBzImage({ initrdMax: 0x2ffffff }), { modules });
  assert.is(memory.readU32(P.BOOT_PARAMS + 0x218), 0x2ffe000);
  load(buildBzImage({ initrdMax: 0x1100fff }), { modules });
  assert.is(memory.readU32(P.BOOT_PARAMS + 0x218), 0x1000000 - 0x2000, 'the kernel is in the way');
  refused(buildBzImage(), 'E_IMAGE_TOO_LARGE', /initrd.*--memory \d+M/, {
    modules: [{ bytes: new Uint8Array(46 * MIB) }],
  });
});

test('bzImage: what does not fit, ends early or is too long', () => {
  refused(buildBzImage({ initSize: 60 * MIB }), 'E_IMAGE_TOO_LARGE', /at least 76 MiB/);
  refused(buildBzImage({ syssize: 0x1000 }), 'E_IMAGE_TRUNCATED', /2048 are there/);
  refused(buildBzImage().subarray(0, 1536), 'E_IMAGE_TRUNCATED', /start at file offset/);
  refused(buildBzImage().subarray(0, 0x230), 'E_IMAGE_TRUNCATED', /should be at file offset/);
  refused(buildBzImage({ pref: 0x1000001 }), 'E_IMAGE_CORRUPT', /pref_address/);
  refused(buildBzImage({ alignment: 3 }), 'E_IMAGE_CORRUPT', /kernel_alignment/);
  refused(buildBzImage({ pref: 0x80000, alignment: 0x1000 }), 'E_IMAGE_ADDRESS', /0x80000/);
  refused(buildBzImage({ commandLineMax: 4 }), 'E_COMMAND_LINE', /at most 4/, { commandLine: 'quiet' });
});

test('plain ELF64: long mode, C arguments, a return address that halts', () => {
  const segments: SegmentSpec[] = [
    { paddr: 0x200000, vaddr: 0xffffffff80200000n, data: pattern(300), memsz: 0x1000 },
    { paddr: 0x300000, vaddr: 0xffffffff80300000n, data: pattern(100, 5) },
  ];
  const image = buildElf({ bits: 64, entry: 0xffffffff80200010n, segments });
  const { guest, state } = load(image, { commandLine: 'hello', modules: [{ bytes: pattern(4) }] });
  assert.is(guest.kind, 'elf64');
  assert.match(guest.warnings.join(), /initrd/);
  assert.is(state.rip, 0x200010n);
  assert.is(translate(state, state.rip), 0x200010n);
  assert.is(string(Number(state.gpr(7))), 'hello');
  assert.is(state.gpr(6), BigInt(64 * MIB));
  assert.is(state.gpr(4) % 16n, 8n, 'stack as after a CALL');
  assert.is(memory.readU64(Number(state.gpr(4))), BigInt(HALT_STUB));
  assert.equal([...memory.slice(HALT_STUB, 4)], [0xfa, 0xf4, 0xeb, 0xfd]);
  assert.is(state.u64(L.S_CR4), 0x620n, 'PAE, OSFXSR, OSXMMEXCPT');
  assert.equal(memory.slice(0x300000, 100), pattern(100, 5));
  assert.is(memory.readU8(0x200000 + 300), 0);
});

test('plain ELF32: protected mode with the arguments on the stack', () => {
  const image = buildElf({
    bits: 32,
    entry: 0x10000c,
    segments: [{ paddr: 0x100000, vaddr: 0x80100000, data: pattern(64) }],
  });
  const { state } = load(image, { commandLine: 'x' });
  assert.is(state.rip, 0x10000cn, 'an entry written as a physical address');
  checkProtectedMode(state);
  assert.is(state.gpr(0), 0n);
  const esp = Number(state.gpr(4));
  assert.is((esp + 4) % 16, 0);
  assert.is(memory.readU32(esp), HALT_STUB);
  assert.is(string(memory.readU32(esp + 4)), 'x');
  assert.is(memory.readU32(esp + 8), 64 * MIB);
});

test('the BIOS data area lets a kernel find COM1 and the EBDA', () => {
  load(buildMultibootElf());
  assert.equal(
    [0x400, 0x40e, 0x413].map((a) => memory.readU16(a)),
    [0x3f8, 0x9fc0, 639],
  );
});

test('ELF segments that cannot be where they want to be', () => {
  const elf = (...segments: SegmentSpec[]) =>
    buildElf({ bits: 64, entry: segments[0].vaddr ?? segments[0].paddr, segments });
  const data = pattern(64);
  refused(elf({ paddr: 0xb8000, data }), 'E_IMAGE_ADDRESS', /display and ROM/);
  refused(elf({ paddr: 0x9f000, data, memsz: 0x1000 }), 'E_IMAGE_ADDRESS', /0x9fc00/);
  refused(elf({ paddr: 0x90ff0, data }), 'E_IMAGE_ADDRESS', /loader/);
  refused(elf({ paddr: 0xffffffff80100000n, data }), 'E_IMAGE_ADDRESS', /0xffffffff80100000/);
  refused(elf({ paddr: 64 * MIB - 32, data }), 'E_IMAGE_TOO_LARGE', /65 MiB/);
  refused(elf({ paddr: MIB, data, memsz: 0x200000000 }), 'E_IMAGE_TOO_LARGE', /more than/);
  refused(elf({ paddr: MIB, data }, { paddr: MIB + 63, data }), 'E_IMAGE_CORRUPT', /overlap/);
  refused(elf({ paddr: MIB, data, memsz: 10 }), 'E_IMAGE_CORRUPT', /p_memsz/);
  refused(elf({ paddr: MIB, data, filesz: 65, memsz: 65 }), 'E_IMAGE_TRUNCATED', /ELF segment 0/);
  refused(elf({ paddr: MIB, data, offset: 0xffffffffffffffffn }), 'E_IMAGE_CORRUPT', /p_offset/);
  refused(elf({ paddr: 0xfffffffffffffff0n, data }), 'E_IMAGE_CORRUPT', /wraps/);
  refused(buildElf({ bits: 64, entry: 5, segments: [{ paddr: MIB, data }] }), 'E_IMAGE_CORRUPT', /entry point 0x5/);
  refused(buildElf({ bits: 64, entry: 5, segments: [] }), 'E_IMAGE_CORRUPT', /no segment/);
  const acpi = { start: 63 * MIB, size: MIB, type: E820_ACPI };
  refused(elf({ paddr: 63 * MIB, data }), 'E_IMAGE_TOO_LARGE', /firmware/, { reserved: [acpi] });
});

test('a refused image leaves memory as it was', () => {
  memory.bytes.fill(0xcc);
  const data = pattern(64);
  const segments = [
    { paddr: MIB, data },
    { paddr: 0xa0000, data },
  ];
  refused(buildElf({ bits: 64, entry: MIB, segments }), 'E_IMAGE_ADDRESS', /display/);
  assert.ok(untouched());
});

test('flat binary below 64 KiB, below 1 MiB, and above', () => {
  const low = load(pattern(512), { loadAddress: 0x7c00 }).state;
  assert.is(low.rip, 0x7c00n);
  assert.equal(low.segment(L.SEG_CS), { selector: 0, base: 0n, limit: 0xffff, attr: 0x9b, unusable: false });
  assert.is(low.u64(L.S_CR0) & 1n, 0n);
  assert.is(low.segment(L.SEG_SS).base + low.gpr(4), BigInt(P.BOOT_STACK_TOP));
  assert.is(low.u32(L.S_IDTR_LIMIT), 0x3ff);
  assert.equal(memory.slice(0x7c00, 512), pattern(512));
  const middle = load(pattern(512), { loadAddress: 0x12345 }).state;
  assert.equal([middle.segment(L.SEG_CS).selector, middle.segment(L.SEG_DS).base, middle.rip], [0x1234, 0x12340n, 5n]);
  const high = load(pattern(512), { loadAddress: 0x200000 }).state;
  assert.is(high.rip, 0x200000n);
  checkProtectedMode(high);
  for (const loadAddress of [-1, 1.5, Number.NaN, 2 ** 32]) {
    refused(pattern(8), 'E_LOAD_ADDRESS', /load address/, { loadAddress });
  }
  refused(pattern(8), 'E_IMAGE_ADDRESS', /display/, { loadAddress: 0xf0000 });
  refused(pattern(8), 'E_IMAGE_TOO_LARGE', /64 MiB of RAM/, { loadAddress: 64 * MIB });
});

test('a disk starts the BIOS at F000:FFF0', () => {
  const { guest, state } = load(buildBootSector(3), { commandLine: 'x' });
  assert.equal([guest.needsBios, guest.disk, guest.warnings.length], [true, true, 1]);
  assert.is(state.rip, 0xfff0n);
  assert.equal([state.segment(L.SEG_CS).selector, state.segment(L.SEG_CS).base], [0xf000, 0xf0000n]);
  assert.is(state.u64(L.S_CR0), 0x60000010n);
  assert.ok(untouched(), 'nothing is loaded');
});

test('a BIOS ROM ends at 1 MiB and at 4 GiB', () => {
  const rom = pattern(0x10000);
  assert.equal(loadBios(memory, rom), { rom: { kind: 'rom', start: 0xf0000, size: 0x10000 }, aliasStart: 0xffff0000 });
  assert.equal(memory.slice(0xf0000, 0x10000), rom);
  assert.is(loadBios(memory, pattern(0x40000)).rom.start, 0xc0000);
  for (const size of [0, 100, 0x10001, 0x41000]) {
    assert.throws(
      () => loadBios(memory, new Uint8Array(size)),
      (e: unknown) => e instanceof TsvmError && e.code === 'E_BIOS_SIZE',
    );
  }
});

test('an AArch64 image is no guest for the pc board', () => {
  refused(buildArm64Image(), 'E_ISA_UNSUPPORTED', /AArch64/);
});

test.run();
