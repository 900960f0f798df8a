// What is measured. The sources are in guests/bench; the checksums are what every engine must print.

import type { Need } from './engine.js';

/** integer and float: computing in ring 3, the two groups of the geometric means. system: what leaves ring 3. */
export type WorkloadGroup = 'integer' | 'float' | 'system';

export interface Workload {
  readonly name: string;
  readonly description: string;
  readonly group: WorkloadGroup;
  /** Checksum of one unit of work, eight hexadecimal digits. */
  readonly checksum: string;
  /** Countable operations in one unit, where time per operation says more than a ratio. */
  readonly operations?: { readonly count: number; readonly name: string };
  /** A process of the host has no counterpart. */
  readonly guestOnly?: boolean;
  /** What not every engine can do. */
  readonly needs?: Need;
  /** Prepares data before its first mark, so that the time to that mark is not the engine's start alone. */
  readonly prepares?: boolean;
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'sieve', description: 'sieve of Eratosthenes', group: 'integer', checksum: 'a586848b' },
  { name: 'matrix', prepares: true, description: 'integer matrix product', group: 'integer', checksum: 'c9c7f9ca' },
  { name: 'alu32', description: '32-bit arithmetic', group: 'integer', checksum: '31842547' },
  { name: 'alu64', description: '64-bit arithmetic', group: 'integer', checksum: 'ba6bdc8b' },
  { name: 'divide', description: 'division', group: 'integer', checksum: 'e83eb366' },
  { name: 'sha256', prepares: true, description: 'SHA-256', group: 'integer', checksum: '27013600' },
  { name: 'strings', prepares: true, description: 'string loops', group: 'integer', checksum: '34e2a037' },
  { name: 'rep', description: 'REP string instructions', group: 'integer', checksum: '9ceedb4c' },
  { name: 'recursion', description: 'calls and returns', group: 'integer', checksum: '00012511' },
  { name: 'bytecode', description: 'bytecode interpreter', group: 'integer', checksum: '3c5ea397' },
  { name: 'sort', description: 'quicksort', group: 'integer', checksum: 'a4458486' },
  { name: 'chase', prepares: true, description: 'pointer chase, 8 MiB', group: 'integer', checksum: '81647536' },
  { name: 'nbody', description: 'n-body, double', group: 'float', checksum: 'd8347d56' },
  { name: 'mandelbrot', description: 'Mandelbrot set, double', group: 'float', checksum: '3bf9bce7' },
  {
    name: 'smc',
    description: 'rewrite an immediate, call it',
    group: 'system',
    checksum: '19c2c18c',
    operations: { count: 2000, name: 'rewrite' },
  },
  {
    name: 'codepage',
    description: 'stores into a page of running code',
    group: 'system',
    checksum: '00a67284',
    operations: { count: 4 * 2048, name: 'store' },
  },
  {
    name: 'syscall',
    description: 'system call and back',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'system call' },
    needs: 'syscall',
  },
  {
    name: 'trap',
    description: 'exception in ring 3 and back',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'exception' },
    guestOnly: true,
  },
  {
    name: 'pagefault',
    description: 'page fault, page mapped',
    group: 'system',
    checksum: '00000100',
    operations: { count: 256, name: 'page fault' },
    prepares: true,
  },
  {
    name: 'tlb',
    description: 'TLB misses, 4,096 pages',
    group: 'system',
    checksum: 'b3e8cdc0',
    operations: { count: 4096, name: 'load' },
    prepares: true,
  },
  {
    name: 'switch',
    description: 'context switch with CR3',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'switch' },
    guestOnly: true,
  },
  {
    name: 'port',
    description: 'port write at ring 0',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'port write' },
    guestOnly: true,
  },
  {
    name: 'mmio',
    description: 'MMIO read at ring 0',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'MMIO read' },
    guestOnly: true,
  },
  {
    name: 'hypercall',
    description: 'hypercall that is refused',
    group: 'system',
    checksum: '000003e8',
    operations: { count: 1000, name: 'hypercall' },
    guestOnly: true,
    needs: 'vmcall',
  },
  {
    name: 'interrupt',
    description: 'interrupt to itself, with EOI',
    group: 'system',
    checksum: '000001f4',
    operations: { count: 500, name: 'interrupt' },
    guestOnly: true,
    needs: 'self-interrupt',
  },
];

/** What other people's engines are measured on where time is short: some of each group, that all of them can do. */
export const SELECTION: readonly string[] = ['sieve', 'sha256', 'bytecode', 'nbody', 'pagefault', 'port'];

/** Those of `names`, in this table's order; all without names. Throws a RangeError that lists them for an unknown one. */
export function selectWorkloads(names: readonly string[]): readonly Workload[] {
  const unknown = names.find((name) => !WORKLOADS.some((workload) => workload.name === name));
  if (unknown !== undefined) {
    throw new RangeError(`no workload ${unknown}. There are: ${WORKLOADS.map(({ name }) => name).join(', ')}.`);
  }
  return names.length === 0 ? WORKLOADS : WORKLOADS.filter(({ name }) => names.includes(name));
}
