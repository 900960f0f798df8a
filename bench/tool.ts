// What the measuring programs share: options, and ending with a message instead of a stack trace.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An option that was given wrongly. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** Runs `main`; its result, or 2 after a usage error, becomes the exit code. */
export async function runTool(
  usage: string,
  options: NonNullable<ParseArgsConfig['options']>,
  main: (values: Options) => Promise<number>,
): Promise<void> {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
    if (values['help']) {
      process.stdout.write(usage);
      return;
    }
    process.exitCode = await main(values as Options);
  } catch (error) {
    const wrong = error instanceof UsageError || error instanceof RangeError || error instanceof TypeError;
    const text = error instanceof Error ? (wrong ? error.message : error.stack) : String(error);
    process.stderr.write(`${text}\n${wrong ? usage : ''}`);
    process.exitCode = wrong ? 2 : 1;
  }
}

/** A positive whole number. */
export function count(values: Options, name: string, otherwise: number, least = 1): number {
  const text = values[name];
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    throw new UsageError(`--${name} wants a whole number from ${least}, not ${JSON.stringify(text)}.`);
  }
  return number;
}

/** Comma-separated names. */
export function list(values: Options, name: string): readonly string[] {
  const text = values[name];
  return typeof text === 'string' ? text.split(',').filter((part) => part !== '') : [];
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
/** Progress goes to standard error, so that the table can be redirected. */
export const progress = (line: string): void => void process.stderr.write(`${line}\n`);
