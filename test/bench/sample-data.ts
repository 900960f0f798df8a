// A made-up measurement: two compute workloads and one of port writes, on native, virt and jit.

import type { BenchData, CellData, EngineData, UnitCounters } from '../../bench/data.js';

const engine = (name: string, tone: number, backend: string | null): EngineData => ({
  name,
  description: `the engine ${name}`,
  architecture: 'x86-64',
  version: '1.0',
  backend,
  native: name === 'native',
  tone,
});

const unit = (counters: Partial<UnitCounters>): UnitCounters => ({
  instructions: null,
  exits: {},
  details: {},
  ...counters,
});

/** Two runs, whose first round does not count; `time` is that of a round of `repeat` units. */
export function cell(
  workload: string,
  name: string,
  time: number,
  repeat: number,
  counters: Partial<UnitCounters> | null,
): CellData {
  const rounds = (first: number): readonly number[] => [first, time * 0.99, time, time * 1.01];
  return {
    workload,
    engine: name,
    repeat,
    warmup: 1,
    runs: [
      { startup: 100, rounds: rounds(time * 3), processor: [90, 93, 93 + time, 93 + 2 * time, 93 + 3 * time] },
      { startup: 120, rounds: rounds(time * 5), processor: [] },
    ],
    unit: counters && unit(counters),
  };
}

export function sampleData(changes: Partial<BenchData> = {}): BenchData {
  return {
    format: 'tsvm-bench',
    version: 1,
    kind: 'overhead',
    tsvm: '0.1.0',
    host: {
      date: '2026-01-01T00:00:00.000Z',
      cpu: 'a processor',
      cores: 2,
      kernel: 'linux 6.1',
      node: 'v20',
      load: 0.5,
    },
    settings: { runs: 2, rounds: 3, warmup: 1, roundTime: 50, timeout: 60_000, timeLimit: 240_000 },
    elapsed: 12,
    stolen: 0.01,
    engines: [engine('native', 0, null), engine('virt', 1, 'kvm_intel'), engine('jit', 2, 'emu')],
    absent: [{ name: 'tcg', reason: 'qemu-system-x86_64 is not installed' }],
    workloads: [
      { name: 'sieve', description: 'sieve', group: 'integer', checksum: '1', operations: null, prepares: false },
      { name: 'sha256', description: 'SHA <256>', group: 'integer', checksum: '2', operations: null, prepares: true },
      {
        name: 'port',
        description: 'port write',
        group: 'system',
        checksum: '3',
        operations: { count: 1000, name: 'port write' },
        prepares: false,
      },
    ],
    cells: [
      cell('sieve', 'native', 100, 100, null),
      cell('sieve', 'virt', 102, 100, { details: { kvm_exits: 1, kvm_insn_emulation: 6 } }),
      cell('sieve', 'jit', 200, 100, { instructions: 6e6, details: { jitInstructions: 5.7e6 } }),
      cell('sha256', 'native', 50, 100, null),
      cell('sha256', 'jit', 400, 100, { instructions: 3e6 }),
      // 5 µs a write; 1 in 20 ports of a round is something else.
      cell('port', 'virt', 50, 10, { exits: { pio: 1000 }, details: { kvm_exits: 1000 } }),
      cell('port', 'jit', 1, 10, { instructions: 3000, exits: { pio: 1000 } }),
    ],
    failures: [
      { workload: 'sha256', engine: 'virt', reason: 'checksum 00000000, expected 2', expected: false },
      { workload: 'port', engine: 'v86', reason: 'cannot do that', expected: true },
    ],
    curves: [{ workload: 'sieve', engine: 'jit', repeat: 1, startup: 200, rounds: [40, 20, 3, 2, 2, 2, 2, 2] }],
    ...changes,
  };
}
