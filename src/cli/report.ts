// How a run's end is told: exit code, message, statistics.

import type { Outcome } from '../machine/outcome.js';
import { TsvmError } from '../vcpu/vcpu.js';

/** As timeout(1): the guest was stopped at the limit it was given. */
export const EXIT_LIMIT = 124;
export const EXIT_OWN_ERROR = 125;
/** Plus the signal's number. */
export const EXIT_SIGNAL = 128;

export function exitCode(outcome: Outcome): number {
  switch (outcome.kind) {
    case 'exit':
      return outcome.code;
    case 'poweroff':
    case 'reset':
    case 'quit':
      return 0;
    case 'max-instructions':
      return EXIT_LIMIT;
    case 'shutdown':
    case 'halted':
    case 'failed':
      return EXIT_OWN_ERROR;
  }
}

/** Whether the guest ended in a way that its author will want to look into. */
export function isAbnormal(outcome: Outcome): boolean {
  return exitCode(outcome) !== 0 && outcome.kind !== 'exit';
}

/**
 * What to tell about an end that was not the guest's plain exit; undefined when there is nothing to tell. `at` names
 * the instruction, such as "rip=0x7c00".
 */
export function describeOutcome(outcome: Outcome, at: string, limit: number | undefined): string | undefined {
  switch (outcome.kind) {
    case 'exit':
    case 'poweroff':
    case 'quit':
      return undefined;
    case 'reset':
      return `tsvm: guest asked for a reset by ${outcome.source}; --no-reboot ends the run here`;
    case 'max-instructions':
      return `E_MAX_INSTRUCTIONS: guest was stopped after ${limit} instructions at ${at}. Raise --max-instructions to go on.`;
    case 'shutdown':
      return `E_GUEST_SHUTDOWN: guest shut down: ${outcome.cause} at ${at}. Look at the registers below.`;
    case 'halted':
      return `E_GUEST_HALTED: guest halted for ever at ${at}: ${outcome.cause}.`;
    case 'failed':
      return `${outcome.name}: ${outcome.message}`;
  }
}

/** One line for any error; with TSVM_DEBUG set, a stack trace for those that are defects of tsvm. */
export function describeError(error: unknown): { message: string; exitCode: number } {
  if (error instanceof TsvmError) return { message: `${error.code}: ${error.message}`, exitCode: error.exitCode };
  const text = error instanceof Error ? error.message : String(error);
  const trace = process.env['TSVM_DEBUG'] && error instanceof Error ? `\n${error.stack}` : '';
  return {
    message: `E_INTERNAL: ${text}. This is a defect of tsvm; TSVM_DEBUG=1 shows where.${trace}`,
    exitCode: EXIT_OWN_ERROR,
  };
}
