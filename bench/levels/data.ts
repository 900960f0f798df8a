// What the measurement of the levels leaves behind: samples and what is needed to judge them.

import type { HostDescription } from '../host.js';
import type { Memory } from './instance.js';
import type { Comparison } from './processor-time.js';

export const LEVELS_FORMAT = 'tsvm-levels';
export const LEVELS_VERSION = 1;

/** Rounds of one workload on one level. */
export interface Samples {
  readonly workload: string;
  /** Units of work in a round. */
  readonly repeat: number;
  /** Milliseconds of each warm round, by process. */
  readonly runs: readonly (readonly number[])[];
}

/** Time of one operation, from a workload that repeats it. */
export interface Latency extends Samples {
  /** Operations in a unit of work. */
  readonly operations: number;
  /** What one is. */
  readonly operation: string;
}

/** Why no further instances were started. */
export type QuantityEnd = 'memory' | 'latency' | 'time' | 'count' | 'failed';

export interface Quantity {
  /** Milliseconds to the first byte, instance by instance. */
  readonly starts: readonly number[];
  /** Of all instances that ran at the end, bytes; undefined where /proc does not tell. */
  readonly memory: Memory | undefined;
  readonly end: QuantityEnd;
  /** What went wrong, for 'failed'. */
  readonly reason: string | undefined;
}

export interface LevelData {
  readonly name: string;
  readonly title: string;
  readonly what: string;
  readonly side: 'container' | 'vm' | null;
  readonly engine: string;
  readonly version: string;
  /** What executes under tsvm. */
  readonly backend: string | null;
  readonly tone: number;
  /** Milliseconds from the request to the first byte of output. */
  readonly cold: readonly number[];
  readonly warm: readonly number[];
  /** Bytes of the file that holds the program. */
  readonly image: number;
  /** Of one idle instance: bytes. */
  readonly memory: Memory | null;
  readonly compute: Samples | null;
  /** Into what is below and back. */
  readonly call: Latency | null;
  readonly exit: Latency | null;
  readonly hypercall: Latency | null;
  readonly quantity: Quantity | null;
  /** What could not be measured, and why: a sentence each. */
  readonly gaps: readonly string[];
}

export interface AbsentLevel {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
}

export interface LevelsData {
  readonly format: typeof LEVELS_FORMAT;
  readonly version: typeof LEVELS_VERSION;
  readonly tsvm: string;
  readonly host: HostDescription;
  readonly workload: { readonly name: string; readonly description: string; readonly checksum: string };
  readonly settings: {
    readonly runs: number;
    /** Bytes that idle instances may take together. */
    readonly memoryBudget: number;
    /** Seconds. */
    readonly timeLimit: number;
  };
  /** Seconds. */
  readonly elapsed: number;
  readonly stolen: number | null;
  /** Bytes that programs could have had at the beginning. */
  readonly availableMemory: number | null;
  /** Milliseconds until `node` itself prints a byte. */
  readonly node: readonly number[];
  readonly coldStarts: boolean;
  /** Instructions that KVM emulated itself in one short computing run; null without KVM or its counters. */
  readonly emulatedByKvm: number | null;
  readonly levels: readonly LevelData[];
  readonly absent: readonly AbsentLevel[];
  /** Of the reasons above, those that are no absence but an error: a wrong checksum. */
  readonly wrong: readonly string[];
  /** Port writes in the C monitor, in turns with the hardware level's. */
  readonly cMonitor: {
    readonly version: string;
    readonly exit: Latency;
    /** `mine` is the hardware level's; null where the system does not tell. */
    readonly processor: Comparison | null;
  } | null;
  readonly cMonitorAbsence: string | null;
}
