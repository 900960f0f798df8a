// CPU models: what CPUID tells the guest. One model serves both modes, so that a guest may move between them.
//
// Leaf and bit names are those of SDM vol. 2A, CPUID, tables 3-8 to 3-11.

import { TsvmError } from './vcpu.js';

/** What CPUID returns. All values unsigned 32-bit. */
export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** The answer to one CPUID: EAX = leaf, ECX = subleaf. */
export interface CpuidEntry extends CpuidResult {
  readonly leaf: number;
  readonly subleaf: number;
}

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';

/** Where each feature that some model announces stands: [leaf, register, bit]. Subleaf 0 throughout. */
const FEATURE_BITS = {
  fpu: [1, 'edx', 0],
  de: [1, 'edx', 2],
  pse: [1, 'edx', 3],
  tsc: [1, 'edx', 4],
  msr: [1, 'edx', 5],
  pae: [1, 'edx', 6],
  cx8: [1, 'edx', 8],
  apic: [1, 'edx', 9],
  sep: [1, 'edx', 11],
  mtrr: [1, 'edx', 12],
  pge: [1, 'edx', 13],
  cmov: [1, 'edx', 15],
  pat: [1, 'edx', 16],
  clfsh: [1, 'edx', 19],
  mmx: [1, 'edx', 23],
  fxsr: [1, 'edx', 24],
  sse: [1, 'edx', 25],
  sse2: [1, 'edx', 26],
  sse3: [1, 'ecx', 0],
  ssse3: [1, 'ecx', 9],
  cx16: [1, 'ecx', 13],
  sse4_1: [1, 'ecx', 19],
  sse4_2: [1, 'ecx', 20],
  movbe: [1, 'ecx', 22],
  popcnt: [1, 'ecx', 23],
  xsave: [1, 'ecx', 26],
  rdrand: [1, 'ecx', 30],
  hypervisor: [1, 'ecx', 31],
  /** The local APIC timer runs in every C-state; without it a kernel looks for another wake-up timer. */
  arat: [6, 'eax', 2],
  fsgsbase: [7, 'ebx', 0],
  smep: [7, 'ebx', 7],
  erms: [7, 'ebx', 9],
  smap: [7, 'ebx', 20],
  umip: [7, 'ecx', 2],
  fsrm: [7, 'edx', 4],
  lahf_lm: [0x80000001, 'ecx', 0],
  syscall: [0x80000001, 'edx', 11],
  nx: [0x80000001, 'edx', 20],
  rdtscp: [0x80000001, 'edx', 27],
  lm: [0x80000001, 'edx', 29],
  invariant_tsc: [0x80000007, 'edx', 8],
} as const satisfies Record<string, readonly [number, Register, number]>;

export type CpuFeature = keyof typeof FEATURE_BITS;

export interface CpuModel {
  /** As `--cpu` takes it. */
  readonly name: string;
  readonly description: string;
  /** Twelve characters of leaf 0. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly features: ReadonlySet<CpuFeature>;
  /** IA32_EFER.LME can be set. */
  readonly hasLongMode: boolean;
  /** MAXPHYADDR: physical address bits at and above this one are reserved in page tables. */
  readonly physicalAddressBits: number;
  readonly linearAddressBits: number;
  /** Every leaf and subleaf that is not all zero. APIC id 0; OSXSAVE clear: it follows CR4 at run time. */
  readonly leaves: readonly CpuidEntry[];
  /**
   * What CPUID returns. A leaf above the maximum of its range returns the data of the highest basic leaf, as
   * Intel's CPUs do; a subleaf that does not exist returns zeros (leaf 0BH: ECX[7:0] repeats the input).
   */
  cpuid(leaf: number, subleaf: number): CpuidResult;
}

type ModelDescription = Omit<CpuModel, 'leaves' | 'cpuid'>;

/** Rate of the guest's TSC and of the crystal behind TSC and APIC timer: one tick is one nanosecond. */
export const TSC_FREQUENCY = 1_000_000_000;

const BRAND = 'tsvm virtual CPU';
const HYPERVISOR_VENDOR = 'tsvmtsvmtsvm';
const HYPERVISOR_LEAF = 0x40000000;

/** What every model has: an i586 with an FPU, a TSC and a local APIC, seen from inside a virtual machine. */
const BASE: CpuFeature[] = ['fpu', 'de', 'pse', 'tsc', 'msr', 'cx8', 'apic', 'hypervisor', 'arat', 'invariant_tsc'];
/** Up to SSE2, the set that every x86-64 CPU has, here without long mode. */
const I686: CpuFeature[] = [
  ...BASE,
  ...(['pae', 'sep', 'mtrr', 'pge', 'cmov', 'pat', 'clfsh', 'mmx', 'fxsr', 'sse', 'sse2', 'nx'] as const),
];
/** The psABI's baseline. */
const X86_64_V1: CpuFeature[] = [...I686, 'syscall', 'lm'];
/** All that the emulator implements: x86-64-v2 and what a current kernel likes to find. */
const MAX: CpuFeature[] = [
  ...X86_64_V1,
  ...(['sse3', 'ssse3', 'sse4_1', 'sse4_2', 'cx16', 'popcnt', 'lahf_lm', 'movbe', 'xsave', 'rdrand'] as const),
  ...(['rdtscp', 'fsgsbase', 'smep', 'smap', 'umip', 'erms', 'fsrm'] as const),
];

/** Four characters as the register that carries them, first character in the low byte. */
function packText(text: string, at: number): number {
  let value = 0;
  for (let i = 3; i >= 0; i--) value = value * 256 + (text.charCodeAt(at + i) || 0);
  return value;
}

/** Leaf 1 EAX: families above 15 and models above 15 use the extended fields (SDM vol. 2A, figure 3-6). */
function signature(family: number, model: number, stepping: number): number {
  const extendedFamily = Math.max(0, family - 15);
  return (
    ((extendedFamily << 20) | ((model >> 4) << 16) | (Math.min(family, 15) << 8) | ((model & 15) << 4) | stepping) >>> 0
  );
}

function buildLeaves(m: ModelDescription): CpuidEntry[] {
  const entries = new Map<string, { leaf: number; subleaf: number } & Record<Register, number>>();
  const entry = (leaf: number, subleaf = 0) => {
    const key = `${leaf}.${subleaf}`;
    let e = entries.get(key);
    if (!e) {
      e = { leaf, subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0 };
      entries.set(key, e);
    }
    return e;
  };
  const set = (leaf: number, subleaf: number, values: Partial<Record<Register, number>>) =>
    Object.assign(entry(leaf, subleaf), values);

  // The vendor string is spread over EBX, EDX, ECX, in this order.
  const id = { ebx: packText(m.vendor, 0), edx: packText(m.vendor, 4), ecx: packText(m.vendor, 8) };
  set(0, 0, { eax: 0x16, ...id });
  set(1, 0, {
    eax: signature(m.family, m.model, m.stepping),
    // CLFLUSH line in units of 8 bytes; one logical processor.
    ebx: (1 << 16) | ((m.features.has('clfsh') ? 8 : 0) << 8),
  });
  // Leaf 2: one query is enough, and the caches are described in leaf 4 (descriptor FFH).
  set(2, 0, { eax: 0x00ff_0001 });
  // Leaf 4: L1D, L1I, L2. EAX: type, level, self-initializing. EBX: 64-byte lines and (ways - 1). ECX: sets - 1.
  set(4, 0, { eax: 0x0000_0121, ebx: (7 << 22) | 63, ecx: 63 });
  set(4, 1, { eax: 0x0000_0122, ebx: (7 << 22) | 63, ecx: 63 });
  set(4, 2, { eax: 0x0000_0143, ebx: (7 << 22) | 63, ecx: 1023 });
  // Leaf 0BH: one thread in one core. EBX: logical processors at this level. ECX: level type, level number.
  set(0xb, 0, { ebx: 1, ecx: 0x100 });
  set(0xb, 1, { ebx: 1, ecx: 0x201 });
  if (m.features.has('xsave')) {
    // x87 and SSE: the legacy area and the XSAVE header, for what is enabled (EBX) and what is possible (ECX).
    set(0xd, 0, { eax: 3, ebx: 576, ecx: 576 });
  }
  // TSC = crystal × EBX / EAX; the APIC timer ticks with the crystal, in ECX (SDM vol. 3, 11.5.4 and 18.7.3).
  set(0x15, 0, { eax: 1, ebx: 1, ecx: TSC_FREQUENCY });
  const mhz = TSC_FREQUENCY / 1e6;
  set(0x16, 0, { eax: mhz, ebx: mhz, ecx: mhz });

  set(HYPERVISOR_LEAF, 0, {
    eax: HYPERVISOR_LEAF,
    ebx: packText(HYPERVISOR_VENDOR, 0),
    ecx: packText(HYPERVISOR_VENDOR, 4),
    edx: packText(HYPERVISOR_VENDOR, 8),
  });

  set(0x80000000, 0, { eax: 0x80000008 });
  entry(0x80000001);
  const brand = BRAND.padEnd(48, '\0');
  for (let i = 0; i < 3; i++) {
    set(0x80000002 + i, 0, {
      eax: packText(brand, 16 * i),
      ebx: packText(brand, 16 * i + 4),
      ecx: packText(brand, 16 * i + 8),
      edx: packText(brand, 16 * i + 12),
    });
  }
  // L2: 512 KiB, 8-way, 64-byte lines, as in leaf 4.
  set(0x80000006, 0, { ecx: (512 << 16) | (6 << 12) | 64 });
  set(0x80000008, 0, { eax: (m.linearAddressBits << 8) | m.physicalAddressBits });

  for (const feature of m.features) {
    const [leaf, register, bit] = FEATURE_BITS[feature];
    const e = entry(leaf);
    e[register] = (e[register] | (1 << bit)) >>> 0;
  }
  return [...entries.values()].sort((a, b) => a.leaf - b.leaf || a.subleaf - b.subleaf);
}

function makeModel(m: Omit<ModelDescription, 'features' | 'hasLongMode'>, features: CpuFeature[]): CpuModel {
  const set = new Set(features);
  const described = { ...m, features: set, hasLongMode: set.has('lm') };
  const leaves = buildLeaves(described);
  return { ...described, leaves, cpuid: (leaf, subleaf) => lookUp(leaves, leaf, subleaf) };
}

/** Leaves whose answer depends on ECX. */
const INDEXED_LEAVES = new Set([4, 7, 0xb, 0xd]);

function lookUp(leaves: readonly CpuidEntry[], leaf: number, subleaf: number): CpuidResult {
  const max = (base: number) => leaves.find((e) => e.leaf === base)?.eax ?? 0;
  const base = leaf >>> 30 === 1 ? HYPERVISOR_LEAF : leaf >= 0x80000000 ? 0x80000000 : 0;
  const actual = leaf <= max(base) ? leaf : max(0);
  const index = INDEXED_LEAVES.has(actual) ? subleaf : 0;
  const found = leaves.find((e) => e.leaf === actual && e.subleaf === index);
  const ecx = actual === 0xb ? index & 0xff : 0;
  return found ?? { eax: 0, ebx: 0, ecx, edx: 0 };
}

// Family 6 model 28 is the first Atom: an Intel CPU that executes in order and does not speculate. That is
// the truth about the emulator, and software that chooses its defences against speculation by signature
// (page-table isolation, return thunks) then rightly chooses none. Stepping 10 is past that CPU's errata.
const ATOM = { vendor: 'GenuineIntel', family: 6, model: 28, stepping: 10 };
// Physical memory, devices and firmware all lie below 4 GiB; 36 bits are what PAE always offered.
const WIDE = { physicalAddressBits: 36, linearAddressBits: 48 };
const NARROW = { physicalAddressBits: 36, linearAddressBits: 32 };

export const CPU_MODELS: readonly CpuModel[] = [
  makeModel({ name: 'max', description: 'everything that the emulator implements', ...ATOM, ...WIDE }, MAX),
  makeModel(
    { name: 'x86-64-v1', description: 'the baseline of the x86-64 psABI, up to SSE2', ...ATOM, ...WIDE },
    X86_64_V1,
  ),
  // Family 6 model 13: the last Pentium M, 32-bit with SSE2 and NX.
  makeModel(
    { name: 'i386', description: '32-bit only: no long mode', ...ATOM, model: 13, stepping: 8, ...NARROW },
    I686,
  ),
];

/** The model of that name. Throws E_CPU_UNKNOWN with the names there are. */
export function findCpuModel(name: string): CpuModel {
  const model = CPU_MODELS.find((m) => m.name === name);
  if (!model) {
    const names = CPU_MODELS.map((m) => m.name).join(', ');
    throw new TsvmError('E_CPU_UNKNOWN', `there is no CPU model '${name}'. Use one of: ${names}.`);
  }
  return model;
}
