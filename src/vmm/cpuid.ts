// CPUID under KVM: the project's CPU model, cut down to what this back end can run.

import type { CpuidEntry } from '../vcpu/cpu-model.js';
import {
  CPUID_EAX,
  CPUID_FLAGS,
  CPUID_FUNCTION,
  CPUID_INDEX,
  KVM_CPUID_ENTRY2_SIZE,
  KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
  KVM_CPUID2_SIZE,
} from './structs.js';

/** Leaves whose answer depends on ECX (SDM vol. 2, CPUID; AMD vol. 3, appendix E). */
const INDEXED_LEAVES: ReadonlySet<number> = new Set([
  0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1a, 0x1b, 0x1d, 0x1f, 0x8000001d,
]);

/** CPUID.01H:ECX (SDM vol. 2, table 3-10). */
const X2APIC = 1 << 21;
const TSC_DEADLINE = 1 << 24;
/** Not a feature of the host: says that the guest runs on a hypervisor, so it is the model's to decide. */
const HYPERVISOR = 1 << 31;
/** Reflects CR4.OSXSAVE at run time; KVM fills it in. */
const OSXSAVE = 1 << 27;
/** CPUID.01H:EDX bit 9. Reflects IA32_APIC_BASE.EN; the local APIC is tsvm's own, so the model decides. */
const APIC = 1 << 9;

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';

/**
 * Registers that consist of feature bits, by leaf: only these are intersected. The bits of `ours` do not depend on
 * what KVM supports.
 */
const FEATURE_REGISTERS: readonly {
  leaf: number;
  subleaf: number;
  registers: Partial<Record<Register, number>>;
}[] = [
  { leaf: 1, subleaf: 0, registers: { ecx: HYPERVISOR | OSXSAVE, edx: APIC } },
  { leaf: 7, subleaf: 0, registers: { ebx: 0, ecx: 0, edx: 0 } },
  { leaf: 7, subleaf: 1, registers: { eax: 0, edx: 0 } },
  { leaf: 0xd, subleaf: 0, registers: { eax: 0, edx: 0 } },
  { leaf: 0xd, subleaf: 1, registers: { eax: 0 } },
  { leaf: 0x80000001, subleaf: 0, registers: { ecx: 0, edx: APIC } },
  { leaf: 0x80000007, subleaf: 0, registers: { edx: 0 } },
  { leaf: 0x80000008, subleaf: 0, registers: { ebx: 0 } },
];

/** x2APIC and TSC-deadline belong to an in-kernel local APIC; tsvm's own local APIC is the memory-mapped one. */
function withoutKernelApic(entry: CpuidEntry): CpuidEntry {
  return entry.leaf === 1 ? { ...entry, ecx: (entry.ecx & ~(X2APIC | TSC_DEADLINE)) >>> 0 } : entry;
}

/**
 * The model as this back end can present it: feature registers intersected with KVM's supported set, everything else
 * (vendor, family, cache shapes, names) as the model says. A feature leaf that KVM does not list loses all its bits.
 */
export function intersectCpuid(model: readonly CpuidEntry[], supported: readonly CpuidEntry[]): CpuidEntry[] {
  return model.map((entry) => {
    const rule = FEATURE_REGISTERS.find((r) => r.leaf === entry.leaf && r.subleaf === entry.subleaf);
    if (!rule) return withoutKernelApic(entry);
    const theirs = supported.find((s) => s.leaf === entry.leaf && s.subleaf === entry.subleaf);
    const cut: Record<Register, number> = { eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx };
    for (const [name, ours] of Object.entries(rule.registers) as [Register, number][]) {
      cut[name] = (cut[name] & ((theirs?.[name] ?? 0) | ours)) >>> 0;
    }
    return withoutKernelApic({ leaf: entry.leaf, subleaf: entry.subleaf, ...cut });
  });
}

/** Without a model: all that KVM supports, less what needs an in-kernel local APIC, plus the local APIC itself. */
export function hostCpuid(supported: readonly CpuidEntry[]): CpuidEntry[] {
  return supported.map((entry) => {
    const cut = withoutKernelApic(entry);
    return cut.leaf === 1 ? { ...cut, edx: (cut.edx | APIC) >>> 0 } : cut;
  });
}

/** struct kvm_cpuid2 for KVM_SET_CPUID2. */
export function encodeCpuid(entries: readonly CpuidEntry[]): ArrayBuffer {
  const buffer = new ArrayBuffer(KVM_CPUID2_SIZE + entries.length * KVM_CPUID_ENTRY2_SIZE);
  const view = new DataView(buffer);
  view.setUint32(0, entries.length, true);
  entries.forEach((entry, i) => {
    const at = KVM_CPUID2_SIZE + i * KVM_CPUID_ENTRY2_SIZE;
    view.setUint32(at + CPUID_FUNCTION, entry.leaf, true);
    view.setUint32(at + CPUID_INDEX, entry.subleaf, true);
    view.setUint32(at + CPUID_FLAGS, INDEXED_LEAVES.has(entry.leaf) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0, true);
    [entry.eax, entry.ebx, entry.ecx, entry.edx].forEach((value, r) => {
      view.setUint32(at + CPUID_EAX + 4 * r, value, true);
    });
  });
  return buffer;
}

/** The entries of a filled struct kvm_cpuid2. */
export function decodeCpuid(buffer: ArrayBuffer): CpuidEntry[] {
  const view = new DataView(buffer);
  const room = Math.floor((buffer.byteLength - KVM_CPUID2_SIZE) / KVM_CPUID_ENTRY2_SIZE);
  return Array.from({ length: Math.min(room, view.getUint32(0, true)) }, (_, i) => {
    const at = KVM_CPUID2_SIZE + i * KVM_CPUID_ENTRY2_SIZE;
    const word = (offset: number) => view.getUint32(at + offset, true);
    return {
      leaf: word(CPUID_FUNCTION),
      subleaf: word(CPUID_INDEX),
      eax: word(CPUID_EAX),
      ebx: word(CPUID_EAX + 4),
      ecx: word(CPUID_EAX + 8),
      edx: word(CPUID_EAX + 12),
    };
  });
}
