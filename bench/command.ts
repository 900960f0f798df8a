// tsvm bench and tsvm bench overhead: options, the measurement, the report and its files.

import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { TsvmError } from '../src/vcpu/vcpu.js';
import { type Analysis, analyse, hasFailures } from './analysis.js';
import { compareWithFile, compareWithinRun } from './baseline.js';
import { type BenchData, DataError, type Kind, parseData, type Settings } from './data.js';
import { ARCHITECTURES, type Architecture, type Engine, isBuilt, ROOT } from './engine.js';
import { createEngines, defaultEngines, selectEngines, tsvmEngines } from './engines.js';
import { measure } from './experiment.js';
import { type Comparison, toCsv, toJson, toMarkdown, toText } from './export.js';
import { toHtml } from './export-html.js';
import { selectWorkloads, WORKLOADS, type Workload } from './workloads.js';

/** Options as the command line gives them. */
export interface BenchFlags {
  readonly runs?: string;
  readonly warmup?: string;
  readonly rounds?: string;
  readonly roundMs?: string;
  readonly only?: string;
  readonly engines?: string;
  readonly arch?: string;
  readonly timeout?: string;
  readonly timeLimit?: string;
  readonly baseline?: string;
  readonly exportJson?: string;
  readonly exportMarkdown?: string;
  readonly exportCsv?: string;
  readonly exportHtml?: string;
}

interface Defaults {
  readonly runs: number;
  readonly rounds: number;
  readonly roundTime: number;
  /** Seconds. */
  readonly timeLimit: number;
}

const DEFAULTS: Record<Kind, Defaults> = {
  compute: { runs: 10, rounds: 3, roundTime: 200, timeLimit: 1800 },
  // As many runs as a coffee takes: with what the last run and the report need, less than five minutes.
  overhead: { runs: 10, rounds: 5, roundTime: 40, timeLimit: 260 },
};

/** Engines of a tree that is compared with. */
const BASELINE_SUFFIX = '@baseline';

function wholeNumber(option: string, text: string | undefined, otherwise: number, least: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TsvmError('E_COUNT', `${option} ${JSON.stringify(text)} is not a whole number from ${least}.`);
}

const list = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').filter((part) => part !== '');

/** What an unknown name turns into. */
function known<T>(code: string, select: () => T): T {
  try {
    return select();
  } catch (error) {
    if (error instanceof RangeError) throw new TsvmError(code, error.message);
    throw error;
  }
}

function readSettings(kind: Kind, flags: BenchFlags): Settings {
  const defaults = DEFAULTS[kind];
  return {
    runs: wholeNumber('--runs', flags.runs, defaults.runs, 1),
    rounds: wholeNumber('--rounds', flags.rounds, defaults.rounds, 1),
    warmup: wholeNumber('--warmup', flags.warmup, 1, 0),
    roundTime: wholeNumber('--round-ms', flags.roundMs, defaults.roundTime, 1),
    timeout: wholeNumber('--timeout', flags.timeout, 60, 1) * 1000,
    timeLimit: wholeNumber('--time-limit', flags.timeLimit, defaults.timeLimit, 1) * 1000,
  };
}

/** An architecture whose images are not there is refused by name. */
function readArchitectures(text: string | undefined): readonly Architecture[] {
  return list(text).map((name) => {
    const found = ARCHITECTURES.find((one) => one === name);
    const there = ARCHITECTURES.filter(isBuilt);
    if (found && isBuilt(found)) return found;
    throw new TsvmError('E_ARCHITECTURE', `no workloads for ${JSON.stringify(name)}. There are: ${there.join(', ')}.`);
  });
}

interface Baseline {
  readonly file: BenchData | undefined;
  readonly tree: string | undefined;
}

/** A file of an earlier run, or the folder of another tsvm. */
function readBaseline(path: string | undefined): Baseline {
  if (path === undefined) return { file: undefined, tree: undefined };
  if (!existsSync(path)) throw new TsvmError('E_NOT_FOUND', `--baseline ${path} does not exist.`, 127);
  if (statSync(path).isDirectory()) {
    if (existsSync(join(path, 'bin/tsvm.cjs'))) return { file: undefined, tree: resolve(path) };
    throw new TsvmError(
      'E_BASELINE',
      `--baseline ${path} is a folder without bin/tsvm.cjs. Give a tree of tsvm, or a file.`,
    );
  }
  try {
    return { file: parseData(readFileSync(path, 'utf8')), tree: undefined };
  } catch (error) {
    if (error instanceof DataError) throw new TsvmError('E_BASELINE', `--baseline ${path} ${error.message}.`);
    throw error;
  }
}

function readEngines(flags: BenchFlags, baseline: Baseline): readonly Engine[] {
  const architectures = readArchitectures(flags.arch);
  const all = architectures.length === 0 ? defaultEngines() : architectures.flatMap(createEngines);
  const chosen = known('E_ENGINE', () => selectEngines(all, list(flags.engines)));
  const { tree } = baseline;
  if (tree === undefined) return chosen;
  const others = [...new Set(chosen.map(({ architecture }) => architecture))].flatMap((architecture) =>
    tsvmEngines(architecture, { root: tree, suffix: BASELINE_SUFFIX }),
  );
  const wanted = new Set(chosen.map(({ name }) => name + BASELINE_SUFFIX));
  return [...chosen, ...others.filter(({ name }) => wanted.has(name))];
}

function readWorkloads(kind: Kind, only: string | undefined): readonly Workload[] {
  const names = list(only);
  if (names.length > 0 || kind === 'overhead') return known('E_WORKLOAD', () => selectWorkloads(names));
  return WORKLOADS.filter(({ group }) => group !== 'system');
}

interface Output {
  readonly file: number;
  readonly render: (analysis: Analysis, comparison: Comparison | undefined) => string;
}

/** Opened before anything is measured, so that minutes of measuring do not end with nowhere to put the numbers. */
function openOutputs(flags: BenchFlags): readonly Output[] {
  const outputs: Output[] = [];
  const add = (option: string, path: string | undefined, render: Output['render']): void => {
    if (path === undefined) return;
    try {
      outputs.push({ file: openSync(path, 'w'), render });
    } catch (error) {
      throw new TsvmError('E_OUTPUT', `${option} ${path} cannot be written: ${(error as Error).message}.`);
    }
  };
  add('--export-json', flags.exportJson, toJson);
  add('--export-markdown', flags.exportMarkdown, toMarkdown);
  add('--export-csv', flags.exportCsv, toCsv);
  add('--export-html', flags.exportHtml, toHtml);
  return outputs;
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Measures and reports; 1 when an engine gave a wrong checksum or failed otherwise. Throws a TsvmError for a wrong option. */
export async function benchCommand(kind: Kind, flags: BenchFlags): Promise<number> {
  const settings = readSettings(kind, flags);
  const workloads = readWorkloads(kind, flags.only);
  const baseline = readBaseline(flags.baseline);
  const engines = readEngines(flags, baseline);
  const outputs = openOutputs(flags);
  try {
    // Who names engines or workloads wants these on those; a report on everything has to choose.
    const selective = kind === 'overhead' && flags.engines === undefined && flags.only === undefined;
    const data = await measure({ kind, tsvm: ownVersion(), engines, workloads, settings, selective });
    const analysis = analyse(data);
    const comparison = baseline.tree
      ? compareWithinRun(analysis, BASELINE_SUFFIX, basename(baseline.tree))
      : baseline.file && compareWithFile(baseline.file, analysis);
    process.stdout.write(`${toText(analysis, comparison)}\n`);
    for (const { file, render } of outputs) writeSync(file, render(analysis, comparison));
    return hasFailures(data) ? 1 : 0;
  } finally {
    for (const { file } of outputs) closeSync(file);
  }
}
