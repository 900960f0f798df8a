// What a run counted, in one shape for both modes: the table of `--stats` files and of Ctrl-a s.

/** A run's numbers, as `--stats` writes them. */
export interface RunStatistics {
  readonly tsvm: string;
  readonly mode: 'virt' | 'emu';
  /** What executed the guest, e.g. 'kvm_intel', 'emu'. */
  readonly backend: string;
  readonly board: 'pc' | 'virt';
  readonly cpu: string;
  readonly clock: 'wall' | 'instructions';
  readonly memoryBytes: number;
  /** What the image was recognized as. */
  readonly image: string;
  readonly outcome: string;
  readonly exitCode: number;
  /** Host time in the run loop, nanoseconds, without start-up. */
  readonly wallNanoseconds: number;
  /** Guest time, nanoseconds. */
  readonly guestNanoseconds: number;
  /** Retired guest instructions; null where the back end cannot count them. */
  readonly instructions: number | null;
  /** Million instructions per second of host time; null likewise. */
  readonly mips: number | null;
  readonly slices: number;
  readonly resets: number;
  /** Instructions that KVM refused and the emulator executed. */
  readonly assists: number;
  /** Events for which a VMM gets control, by name: the same names in both modes. */
  readonly exits: Readonly<Record<string, number>>;
  /** 'pio' and 'mmio' in detail, by device. */
  readonly io: {
    readonly pio: Readonly<Record<string, { reads: number; writes: number }>>;
    readonly mmio: Readonly<Record<string, { reads: number; writes: number }>>;
  };
  /** The back end's own counters: exits as it sees them, and anything else. */
  readonly vcpu: {
    readonly exits: Readonly<Record<string, number>>;
    readonly details: Readonly<Record<string, number>>;
  };
  /** SHA-256 of the vCPU's state and of guest RAM at the end; only under the instruction clock. */
  readonly stateHash?: string;
}

const percent = (part: number, whole: number): string => `${whole ? ((100 * part) / whole).toFixed(1) : '0.0'}%`;

/** A table for people, most frequent first. Lines without line ends. */
export function formatStatistics(s: RunStatistics): string[] {
  const seconds = s.wallNanoseconds / 1e9;
  const rate = s.mips === null ? '' : `, ${s.mips.toFixed(1)} MIPS`;
  const instructions = s.instructions === null ? 'instructions not counted' : `${s.instructions} instructions`;
  const lines = [
    `${s.mode} (${s.backend}), cpu ${s.cpu}, ${s.memoryBytes / 2 ** 20} MiB, ${s.image}`,
    `${instructions} in ${seconds.toFixed(3)} s${rate}; guest time ${(s.guestNanoseconds / 1e9).toFixed(3)} s`,
    `${'event'.padEnd(28)} ${'samples'.padStart(12)} ${'share'.padStart(7)}`,
  ];
  const exits = Object.entries(s.exits).sort((a, b) => b[1] - a[1]);
  const total = exits.reduce((sum, [, n]) => sum + n, 0);
  for (const [name, count] of exits) {
    lines.push(`${name.padEnd(28)} ${String(count).padStart(12)} ${percent(count, total).padStart(7)}`);
    if (name !== 'pio' && name !== 'mmio') continue;
    const devices = Object.entries(s.io[name]).sort((a, b) => b[1].reads + b[1].writes - a[1].reads - a[1].writes);
    for (const [device, use] of devices) {
      const n = use.reads + use.writes;
      lines.push(`  ${device.padEnd(26)} ${String(n).padStart(12)} ${percent(n, total).padStart(7)}`);
    }
  }
  if (s.assists > 0) lines.push(`instructions executed by the emulator on KVM's behalf: ${s.assists}`);
  return lines;
}
