// tsvm bench levels: options, the measurement, the report and its files.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_SIGNAL } from '../../src/cli/report.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';
import { ROOT } from '../engine.js';
import { progress } from '../tool.js';
import type { LevelsData } from './data.js';
import { formatHtml } from './html.js';
import { type LevelsRequest, measureLevels } from './measure.js';
import { formatMarkdown, formatText } from './report.js';

/** Options as the command line gives them; those that it does not know are of `tsvm bench` as a whole. */
export interface LevelsFlags {
  readonly runs?: string;
  readonly only?: string;
  readonly engines?: string;
  readonly memoryBudget?: string;
  readonly timeLimit?: string;
  readonly exportJson?: string;
  readonly exportMarkdown?: string;
  readonly exportHtml?: string;
  readonly [other: string]: unknown;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const DEFAULT_WORKLOAD = 'sha256';
const DEFAULT_RUNS = 10;
/** What is begun may end a little later: five minutes in all. */
const DEFAULT_TIME_LIMIT = 240;
const DEFAULT_BUDGET = 2 ** 30;
/** Options of `tsvm bench` that mean nothing here. */
const FOREIGN = ['warmup', 'rounds', 'roundMs', 'arch', 'timeout', 'baseline', 'exportCsv'];

const UNITS: Record<string, number> = { m: 2 ** 20, g: 2 ** 30 };

function wholeNumber(option: string, text: string | undefined, otherwise: number, least: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TsvmError('E_COUNT', `${option} ${JSON.stringify(text)} is not a whole number from ${least}.`);
}

function budget(text: string | undefined): number {
  if (text === undefined) return DEFAULT_BUDGET;
  const match = /^(\d+)([mg])$/i.exec(text);
  if (match && Number(match[1]) > 0) return Number(match[1]) * UNITS[match[2].toLowerCase()];
  throw new TsvmError('E_MEMORY_SIZE', `--memory-budget ${JSON.stringify(text)} is no size. Give one such as 512M.`);
}

/** Throws a TsvmError for what is given wrongly. */
export function readRequest(flags: LevelsFlags): LevelsRequest {
  const foreign = FOREIGN.find((name) => flags[name] !== undefined);
  if (foreign !== undefined) {
    const option = foreign.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new TsvmError('E_OPTION_CONFLICT', `--${option} is no option of tsvm bench levels. Leave it out.`);
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    tsvm: version,
    workload: flags.only ?? DEFAULT_WORKLOAD,
    runs: wholeNumber('--runs', flags.runs, DEFAULT_RUNS, 1),
    only: (flags.engines ?? '').split(',').filter((name) => name !== ''),
    memoryBudget: budget(flags.memoryBudget),
    timeLimit: wholeNumber('--time-limit', flags.timeLimit, DEFAULT_TIME_LIMIT, 10),
    progress,
  };
}

/** Opened before anything is measured, so that minutes of measuring do not end with nowhere to put the numbers. */
function openOutput(option: string, path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new TsvmError('E_OUTPUT', `${option} ${path} cannot be written: ${(error as Error).message}.`);
  }
}

/** Returns the exit code: 1 when a level gave a wrong checksum. Throws a TsvmError for a wrong option. */
export async function levelsCommand(flags: LevelsFlags): Promise<number> {
  const request = readRequest(flags);
  const outputs: readonly (readonly [number | undefined, (data: LevelsData) => string])[] = [
    [openOutput('--export-json', flags.exportJson), (data) => `${JSON.stringify(data, null, 2)}\n`],
    [openOutput('--export-markdown', flags.exportMarkdown), formatMarkdown],
    [openOutput('--export-html', flags.exportHtml), formatHtml],
  ];
  // An exit that Node makes runs what ends the instances and removes the control groups.
  const interrupted = (_: NodeJS.Signals, number: number): never => process.exit(EXIT_SIGNAL + number);
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const data = await measureLevels(request);
    process.stdout.write(formatText(data));
    for (const [file, format] of outputs) if (file !== undefined) writeSync(file, format(data));
    return data.wrong.length > 0 ? 1 : 0;
  } catch (error) {
    if (error instanceof RangeError) throw new TsvmError('E_LEVELS', error.message);
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    for (const [file] of outputs) if (file !== undefined) closeSync(file);
  }
}
