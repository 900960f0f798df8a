// The C monitor of bench/c-vmm as an engine: the yardstick for what an exit costs in TypeScript.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, guestImage, ROOT, tool } from '../engine.js';

const SOURCE = join(ROOT, 'bench/c-vmm/vmm.c');
const TONE = 5;

export interface CMonitor {
  readonly engine: Engine;
  remove(): void;
}

/** Compiles it where a C compiler is; it is no program that users need, so it is not committed as a binary. */
export function buildCMonitor(): CMonitor {
  const folder = mkdtempSync(join(tmpdir(), 'tsvm-vmm-'));
  const file = join(folder, 'vmm');
  let absence = 'no C compiler (cc) here to build bench/c-vmm with';
  const compiler = existsSync('/dev/kvm') ? tool('cc', ['--version'])?.split('\n')[0] : undefined;
  if (!existsSync('/dev/kvm')) absence = '/dev/kvm does not exist';
  if (compiler !== undefined) {
    try {
      execFileSync('cc', ['-O2', '-std=gnu11', '-o', file, SOURCE], { stdio: 'pipe' });
    } catch {
      absence = 'bench/c-vmm does not compile here (Linux headers of KVM?)';
    }
  }
  const engine: Engine = {
    name: 'c-vmm',
    description: 'a minimal monitor in C',
    architecture: 'x86-64',
    version: () => (existsSync(file) ? `built by ${compiler}` : undefined),
    absence,
    command: (workload, commandLine) => ({ file, args: [guestImage('x86-64', workload), commandLine] }),
    success: 0,
    processes: false,
    native: false,
    warmup: 0,
    tone: TONE,
    guess: 1,
  };
  return { engine, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
