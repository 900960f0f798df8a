// Why a row is as it is: where virtual machines leave for the monitor, what one such exit costs, and a sentence.

import type { Analysis, Row, Summary } from './analysis.js';
import { amount, duration, short } from './statistics.js';

/** One reason for which one workload leaves one engine's fast path. */
export interface ExitLine {
  readonly workload: string;
  readonly engine: string;
  readonly reason: string;
  /** In a unit of work. */
  readonly count: number;
  /** Nanoseconds each; null where no workload isolates it. */
  readonly cost: number | null;
  /** Of the unit's time, 0 to 1 or somewhat more; null likewise. */
  readonly share: number | null;
}

/** Which workload does nothing but one kind of exit, so that its time is that exit's cost. */
const MEASURED_BY: Readonly<Record<string, string>> = { pio: 'port', mmio: 'mmio', hypercall: 'hypercall' };

/** KVM's own counters (KVM_GET_STATS_FD), by what they say. */
const KVM_EXITS = 'kvm_exits';
const KVM_EMULATED = 'kvm_insn_emulation';
/** Of the JIT. */
const JIT_INSTRUCTIONS = 'jitInstructions';
const JIT_UNCOMMON = 'jitExitsUncommon';

const REASONS: Readonly<Record<string, string>> = {
  pio: 'port access',
  mmio: 'MMIO access',
  hypercall: 'hypercall',
  halt: 'HLT',
  [KVM_EMULATED]: 'instruction emulated in the kernel',
};

/** Fewer in a unit of work are the host's doing, not the workload's. */
const NOISE = 0.5;

/** Nanoseconds of one exit, from the workload that does nothing else on the same engine. */
function exitCost({ rows }: Analysis, engine: string, reason: string): number | null {
  const summary = rows.find(({ workload }) => workload.name === MEASURED_BY[reason])?.cells.get(engine);
  const count = summary?.cell.unit?.exits[reason];
  return summary && count ? (summary.time.value * 1e6) / count : null;
}

/** Of one summary; empty for engines that count nothing. Most expensive first. */
export function exitLines(analysis: Analysis, { workload, engine, cell, time }: Summary): readonly ExitLine[] {
  const { unit } = cell;
  if (!unit) return [];
  const lines: ExitLine[] = [];
  const add = (key: string, reason: string, count: number): void => {
    if (count < NOISE) return;
    const cost = exitCost(analysis, engine.name, key);
    const share = cost === null ? null : (cost * count) / (time.value * 1e6);
    lines.push({ workload: workload.name, engine: engine.name, reason, count, cost, share });
  };
  let toMonitor = 0;
  for (const [key, count] of Object.entries(unit.exits)) {
    toMonitor += count;
    add(key, REASONS[key] ?? key, count);
  }
  const all = unit.details[KVM_EXITS];
  if (all !== undefined) add(KVM_EXITS, 'exit that the kernel handled', all - toMonitor);
  for (const key of [KVM_EMULATED, JIT_UNCOMMON]) {
    add(key, REASONS[key] ?? 'translated code left for an uncommon case', unit.details[key] ?? 0);
  }
  return lines.sort((a, b) => (b.share ?? 0) - (a.share ?? 0) || b.count - a.count);
}

/** All lines of a report that are worth a look: those of workloads that leave on purpose, or that cost a hundredth. */
export function allExitLines(analysis: Analysis): readonly ExitLine[] {
  return analysis.rows.flatMap(({ workload, cells }) =>
    [...cells.values()].flatMap((summary) =>
      exitLines(analysis, summary).filter(({ share }) => workload.operations !== null || (share ?? 0) >= 0.01),
    ),
  );
}

const percent = (share: number): string => {
  if (share >= 0.995) return 'all';
  return share < 0.01 ? 'less than 1 %' : `${(100 * share).toFixed(0)} %`;
};

const plural = (count: number, reason: string): string => {
  const text = reason.endsWith('s') ? `${reason}es` : `${reason}s`;
  return `${amount(Math.round(count))} ${count === 1 ? reason : text}`;
};

/** What makes the exits' part of the time, when it is a part worth naming. */
function exitSentence(lines: readonly ExitLine[]): string | undefined {
  const [first] = lines;
  if (!first || first.cost === null || first.share === null || first.share < 0.05) return undefined;
  return `${plural(first.count, first.reason)} at ${duration(first.cost)} are ${percent(Math.min(1, first.share))} of the time`;
}

/** Kernel-side work of a KVM guest, for an operation that costs no exit to the monitor. */
function kernelSentence({ cell, workload, time }: Summary): string | undefined {
  const exits = cell.unit?.details[KVM_EXITS] ?? 0;
  const emulated = cell.unit?.details[KVM_EMULATED] ?? 0;
  const count = workload.operations?.count;
  if (!count || exits + emulated < count / 2) return undefined;
  const each = duration((time.value * 1e6) / count);
  const { name } = workload.operations;
  return `each ${name} takes ${each}: ${short(exits / count)} exits to KVM in the kernel, which emulates ${short(emulated / count)} instructions`;
}

function speedSentence({ instructions, rate, engine, cell }: Summary, native: Summary | undefined): string | undefined {
  if (instructions === null || rate === null) return undefined;
  const translated = cell.unit?.details[JIT_INSTRUCTIONS];
  const against = native?.rate && !engine.native ? `, natively ${amount(native.rate)}` : '';
  const how =
    translated === undefined
      ? `${amount(Math.round(instructions))} instructions`
      : `${((100 * Math.min(translated, instructions)) / instructions).toFixed(1)} % of ${amount(Math.round(instructions))} instructions translated`;
  return `${how}, ${amount(rate)} a second${against}`;
}

/** A KVM guest that computes. */
function directSentence({ cell, instructions, ratio }: Summary): string | undefined {
  // An emulator counts its instructions; KVM does not.
  if (!cell.unit || cell.unit.instructions !== null || !instructions) return undefined;
  const direct = Math.max(0, 1 - (cell.unit.details[KVM_EMULATED] ?? 0) / instructions);
  if (direct < 0.5) return undefined;
  const share = `${(100 * direct).toFixed(direct > 0.999 ? 2 : 1)} %`;
  const same = ratio && ratio.low <= 1 && ratio.high >= 1 ? '; no difference from native beyond the noise' : '';
  return `the processor executes ${share} of its instructions directly${same}`;
}

/** One sentence on one row, from its numbers alone. */
export function explain(analysis: Analysis, row: Row, summary: Summary): string {
  const { engine, workload, operation, time } = summary;
  const native = [...row.cells.values()].find(
    (other) => other.engine.native && other.engine.architecture === engine.architecture,
  );
  const candidates = [
    () => exitSentence(exitLines(analysis, summary)),
    () => kernelSentence(summary),
    () => directSentence(summary),
    () => {
      if (!operation || !workload.operations) return undefined;
      const against = native?.operation && native !== summary ? `, natively ${duration(native.operation.value)}` : '';
      return `${duration(operation.value)} for each ${workload.operations.name}${against}`;
    },
    () => speedSentence(summary, native),
    () =>
      engine.native
        ? 'the others are measured by this'
        : `${duration(time.value * 1e6)} a unit, and nothing is counted here`,
  ];
  const text = candidates.reduce<string | undefined>((found, next) => found ?? next(), undefined) ?? '';
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
