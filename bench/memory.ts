// How much memory does a machine cost beyond its guest's RAM? Resident bytes of the process less touched guest RAM.
//   node dist/bench/memory.js [--runs N] [--seconds N] [--export-json FILE]

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { guestImage, TSVM } from './engines.js';
import { describeHost, hostLines } from './host.js';
import { type ProcessMemory, readProcessMemory } from './process-memory.js';
import { median } from './statistics.js';
import { formatTable } from './text-table.js';
import { count, type Options, print, progress, runTool } from './tool.js';

const USAGE = `node dist/bench/memory.js [options]
  --runs N            runs of each guest in each mode (default 3)
  --seconds N         how long a guest runs before it is looked at (default 3)
  --export-json FILE  every number
`;

const MIB = 2 ** 20;
const RAM = 128 * MIB;
/** More work than the wait takes. */
const LONG = 'rounds=1000000 repeat=100';

const GUESTS = [
  { name: 'idle: HLT, 100 timer interrupts a second', image: 'idle' },
  { name: 'busy: bytecode interpreter', image: 'bytecode' },
  { name: 'busy: SHA-256', image: 'sha256' },
  { name: 'busy: pointer chase, 8 MiB', image: 'chase' },
] as const;
const MODES = ['emu', 'virt'] as const;

/** Starts a guest, waits until it works and `seconds` more, looks, and ends it. A string says why not. */
async function look(image: string, mode: string, seconds: number): Promise<ProcessMemory | string> {
  const path = guestImage('x86-64', image);
  const args = [TSVM, 'run', path, '--mode', mode, '--memory', `${RAM / MIB}M`, '--append', LONG];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let message = '';
  child.stderr.on('data', (chunk: Buffer) => {
    message ||= chunk.toString('utf8').split('\n')[0];
  });
  const started = await new Promise<boolean>((resolve) => {
    child.stdout.once('data', () => resolve(true));
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(false));
  });
  child.stdout.resume();
  try {
    if (!started || child.pid === undefined) return message || 'ended early';
    await sleep(seconds * 1000);
    return readProcessMemory(child.pid, RAM);
  } finally {
    child.kill('SIGKILL');
  }
}

async function main(values: Options): Promise<number> {
  const runs = count(values, 'runs', 3);
  const seconds = count(values, 'seconds', 3);
  const host = describeHost();
  const mib = (bytes: readonly number[]): string => (median(bytes) / MIB).toFixed(1);
  const rows = [['MiB, medians', 'mode', 'resident', 'guest RAM touched', 'beyond guest RAM']];
  const results: object[] = [];
  for (const mode of MODES) {
    for (const { name, image } of GUESTS) {
      progress(`${mode} ${image}`);
      const samples: ProcessMemory[] = [];
      let absent: string | undefined;
      for (let run = 0; run < runs && absent === undefined; run++) {
        const sample = await look(image, mode, seconds);
        if (typeof sample === 'string') absent = sample;
        else samples.push(sample);
      }
      results.push({ name, mode, samples, absent });
      if (absent !== undefined) {
        rows.push([name, mode, 'absent', '', '']);
        progress(absent);
        continue;
      }
      const resident = mib(samples.map((sample) => sample.resident));
      const guest = mib(samples.map((sample) => sample.guest));
      rows.push([name, mode, resident, guest, mib(samples.map((sample) => sample.resident - sample.guest))]);
    }
  }
  for (const line of [...hostLines(host), '']) print(line);
  print(formatTable(rows));
  print(`n = ${runs}, looked at ${seconds} s after the guest's first output, ${RAM / MIB} MiB of guest RAM`);
  const file = values['export-json'];
  if (typeof file === 'string') writeFileSync(file, `${JSON.stringify({ host, seconds, results }, null, 2)}\n`);
  return 0;
}

await runTool(
  USAGE,
  { runs: { type: 'string' }, seconds: { type: 'string' }, 'export-json': { type: 'string' } },
  main,
);
