// On what was measured.

import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

export interface HostDescription {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  /** One-minute load average. */
  readonly load: number;
}

export function describeHost(): HostDescription {
  const cores = cpus();
  return {
    date: new Date().toISOString(),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    kernel: `${process.platform} ${release()}`,
    node: process.version,
    load: loadavg()[0],
  };
}

export function hostLines(host: HostDescription): string[] {
  return [`${host.date}  ${host.cores} × ${host.cpu}, ${host.kernel}, Node ${host.node}, load ${host.load.toFixed(2)}`];
}

/** Processor time since the host's start, in ticks: all of it, and what a hypervisor below us took away. */
export interface ProcessorTime {
  readonly total: number;
  readonly stolen: number;
}

/** From /proc/stat (proc(5): the eighth number is steal); undefined elsewhere. */
export function readProcessorTime(): ProcessorTime | undefined {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n')[0];
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { total: ticks.reduce((sum, n) => sum + n, 0), stolen: ticks[7] ?? 0 };
  } catch {
    return undefined;
  }
}

/** Share of the time since `before` that was stolen, 0 to 1; undefined where unknown. */
export function stolenShare(before: ProcessorTime | undefined): number | undefined {
  const now = readProcessorTime();
  if (!before || !now || now.total === before.total) return undefined;
  return (now.stolen - before.stolen) / (now.total - before.total);
}

/**
 * Milliseconds that all threads of a process have had a processor (/proc/PID/task/TID/schedstat, first number); undefined
 * where that is unknown. What they had to wait for one, because the host had other work, is not in it.
 */
export function readProcessorUse(pid: number): number | undefined {
  try {
    let nanoseconds = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return nanoseconds / 1e6;
  } catch {
    return undefined;
  }
}
