// How long from starting the process to the guest's first byte of output? Milliseconds, hello.img in both modes.
//   node dist/bench/startup.js [--runs N] [--export-json FILE]

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TSVM } from './engines.js';
import { describeHost, hostLines } from './host.js';
import { best, median } from './statistics.js';
import { formatTable } from './text-table.js';
import { count, type Options, print, progress, runTool } from './tool.js';

const USAGE = `node dist/bench/startup.js [options]
  --runs N            starts of each kind (default 11)
  --export-json FILE  every number
`;

const HELLO = join(ROOT, 'guests/hello.img');

/** What is started, and for comparison what Node alone takes. */
const KINDS: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'node, first byte of a script', args: ['-e', 'process.stdout.write("x")'] },
  { name: 'tsvm run --mode emu', args: [TSVM, 'run', HELLO, '--mode', 'emu'] },
  { name: 'tsvm run --mode virt', args: [TSVM, 'run', HELLO, '--mode', 'virt'] },
];

interface Start {
  readonly firstByte: number;
  readonly end: number;
}

/** Milliseconds; a string says why there are none. */
function start(args: readonly string[]): Promise<Start | string> {
  return new Promise((resolve) => {
    const launched = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
    let firstByte = Number.NaN;
    let message = '';
    child.stdout.once('data', () => {
      firstByte = performance.now() - launched;
    });
    child.stdout.resume();
    child.stderr.on('data', (chunk: Buffer) => {
      message ||= chunk.toString('utf8').split('\n')[0];
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => {
      if (code === 0) resolve({ firstByte, end: performance.now() - launched });
      else resolve(message || `exit code ${code}`);
    });
  });
}

async function main(values: Options): Promise<number> {
  const runs = count(values, 'runs', 11);
  const host = describeHost();
  const starts = KINDS.map((): Start[] => []);
  const absent = new Map<number, string>();
  // The first round, with cold file caches, does not count.
  for (let run = -1; run < runs; run++) {
    for (const [i, kind] of KINDS.entries()) {
      if (absent.has(i)) continue;
      const result = await start(kind.args);
      if (typeof result === 'string') {
        absent.set(i, result);
        progress(`${kind.name}: ${result}`);
      } else if (run >= 0) {
        starts[i].push(result);
      }
    }
  }
  for (const line of [...hostLines(host), '']) print(line);
  const rows = [['start, ms', 'first byte, median', 'best', 'until exit, median']];
  for (const [i, kind] of KINDS.entries()) {
    const reason = absent.get(i);
    const first = starts[i].map(({ firstByte }) => firstByte);
    const numbers = [median(first), best(first), median(starts[i].map(({ end }) => end))];
    rows.push([kind.name, ...(reason === undefined ? numbers.map((n) => n.toFixed(0)) : ['absent', '', ''])]);
  }
  print(formatTable(rows));
  print(`n = ${runs}`);
  const file = values['export-json'];
  if (typeof file === 'string') {
    const results = KINDS.map(({ name }, i) => ({ name, starts: starts[i], absent: absent.get(i) }));
    writeFileSync(file, `${JSON.stringify({ host, runs, results }, null, 2)}\n`);
  }
  return 0;
}

await runTool(USAGE, { runs: { type: 'string' }, 'export-json': { type: 'string' } }, main);
