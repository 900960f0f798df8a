// tsvm bench: options of the benchmark verbs. What they do is in bench/, loaded when one is called.

import type { Command } from 'commander';
import type { BenchFlags } from '../../bench/command.js';

const EXAMPLES = `Examples:
  tsvm bench                                    how much slower than native do virtual machines compute?
  tsvm bench --only sieve,sha256 --engines native,virt,jit
  tsvm bench overhead --export-html report.html
  tsvm bench overhead --baseline before.json    what changed since then?
`;

/** Options that the verbs share; defaults are those of bench/command.ts. */
function addOptions(command: Command): Command {
  return command
    .option('--runs <n>', 'processes of each engine for each workload, at most')
    .option('--warmup <n>', 'rounds at the beginning of each run that do not count, at least (default: 1)')
    .option('--rounds <n>', 'timed rounds in each run')
    .option('--round-ms <ms>', 'length to which the work of a round is scaled')
    .option('--only <names>', 'these workloads, separated by commas')
    .option('--engines <names>', 'these engines, separated by commas')
    .option('--arch <names>', 'x86-64, i386, aarch64 (default: x86-64, and 32 bits for v86)')
    .option('--timeout <s>', 'seconds after which a run is given up (default: 60)')
    .option('--time-limit <s>', 'seconds after which no further runs begin')
    .option('--baseline <path>', 'compare with an earlier --export-json file, or with another built tree of tsvm')
    .option('--export-json <file>', 'write the samples and the results')
    .option('--export-markdown <file>', 'write the report as Markdown')
    .option('--export-csv <file>', 'write a line for every workload on every engine')
    .option('--export-html <file>', 'write the report as a page with charts that needs no network');
}

/** Adds the verb; returns it, so that others can add to it. */
export function addBenchCommand(program: Command, setExitCode: (code: number) => void): Command {
  const run = (kind: 'compute' | 'overhead') => async (_: unknown, command: Command) => {
    const { benchCommand } = await import('../../bench/command.js');
    setExitCode(await benchCommand(kind, command.optsWithGlobals() as BenchFlags));
  };
  const bench = program
    .command('bench')
    .description('measure: time over native of every engine that is installed')
    // What follows the name of a verb below is that verb's.
    .enablePositionalOptions();
  addOptions(bench).addHelpText('before', EXAMPLES).action(run('compute'));
  addOptions(
    bench
      .command('overhead')
      .description('where the time goes: exits and their cost, start-up, warm-up, every row explained'),
  ).action(run('overhead'));
  return bench;
}
