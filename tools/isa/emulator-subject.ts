// The emulator under test. The tier is how it runs guest code: by the interpreter, or every block compiled before it
// first runs, as a baseline or as an optimized region.

import { readFileSync } from 'node:fs';
import type { JitOptions } from '../../src/emulator/jit.js';
import { createEmulatedVcpu, createGuestMemory } from '../../src/emulator-x86/index.js';
import { findCpuModel } from '../../src/vcpu/cpu-model.js';
import { GuestMemory } from '../../src/vcpu/guest-memory.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import type { Case } from './case.js';
import { ISA_RAM, ISA_REGIONS } from './environment.js';
import { CaseGuest, NO_DEVICES } from './guest.js';

export const TIERS = ['interpreter', 'baseline', 'optimized'] as const;
export type Tier = (typeof TIERS)[number];

/** When blocks are compiled in each tier. */
export const JIT: Readonly<Record<Tier, JitOptions | undefined>> = {
  interpreter: undefined,
  baseline: { threshold: 0xffffffff, baseline: 1 },
  optimized: { threshold: 1 },
};

/** TSVM_TIER chooses one of the tiers, by default all. */
export function tiersToTest(): readonly Tier[] {
  const wanted = process.env['TSVM_TIER'];
  if (!wanted) return TIERS;
  const tier = TIERS.find((t) => t === wanted);
  if (!tier) throw new TsvmError('E_TIER', `TSVM_TIER=${wanted} is none of ${TIERS.join(', ')}`);
  return [tier];
}

/** The built core, or the file that TSVM_CORE names. */
const coreFile = () => process.env['TSVM_CORE'] ?? new URL('../../../build/x86.wasm', import.meta.url);

export class EmulatorSubject {
  private constructor(
    private readonly guest: CaseGuest,
    /** Regions that could not be compiled: cases that ran in another tier than meant. */
    readonly refused: () => number,
  ) {}

  static async create(tier: Tier): Promise<EmulatorSubject> {
    const memory = createGuestMemory(ISA_RAM);
    const vcpu = await createEmulatedVcpu({
      memory,
      ramSize: ISA_RAM,
      regions: ISA_REGIONS,
      bus: NO_DEVICES,
      wasm: readFileSync(coreFile()),
      cpu: findCpuModel('max'),
      tscFrequency: 1e9,
      jit: JIT[tier],
    });
    const transfer = {
      write: vcpu.writeState.bind(vcpu),
      read: vcpu.readState.bind(vcpu),
    };
    const changed = (address: number, size: number) => vcpu.memoryWritten(address, size);
    const refused = () => vcpu.counters().details['jitRegionsRefused'] ?? 0;
    return new EmulatorSubject(new CaseGuest(new GuestMemory(memory, ISA_RAM), vcpu, transfer, changed), refused);
  }

  run(c: Case): Uint8Array | string {
    return this.guest.run(c);
  }
  strayWrite(): number {
    return this.guest.strayWrite();
  }
}
