// tsvm bench levels: its options. What it does is in bench/levels/, loaded when it is called.

import type { Command } from 'commander';
import type { LevelsFlags } from '../../bench/levels/command.js';

const EXAMPLES = `Examples:
  tsvm bench levels                             process, container, KVM, emulators, qemu-user, WASI: in five minutes
  tsvm bench levels --export-html levels.html
  tsvm bench levels --only sieve --engines virt,wasi --runs 3
`;

/** Adds the verb to `tsvm bench`, whose options of the same names it shares. */
export function addLevelsCommand(bench: Command, setExitCode: (code: number) => void): void {
  bench
    .command('levels')
    .description('the five levels of virtualization: start, size, performance and number, beside what lectures say')
    .option('--runs <n>', 'processes of each level for each number that is compared, at most (default: 10)')
    .option('--only <workload>', 'the program that runs on every level (default: sha256)')
    .option('--engines <names>', 'these levels: os, os-crun, virt, interp, jit, qemu-user, wasi, … (default: all)')
    .option('--memory-budget <size>', 'what idle instances may take together (default: 1G)')
    .option('--time-limit <s>', 'seconds for everything (default: 240)')
    .option('--export-json <file>', 'write every sample')
    .option('--export-markdown <file>', 'write the report as Markdown')
    .option('--export-html <file>', 'write the report as a page with charts that needs no network')
    .addHelpText('before', EXAMPLES)
    .action(async (_: unknown, command: Command) => {
      const { levelsCommand } = await import('../../bench/levels/command.js');
      setExitCode(await levelsCommand(command.optsWithGlobals() as LevelsFlags));
    });
}
