// One running program of a level: started, waited for until its first byte of output, looked at, ended.

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from '../engine.js';

/** An instance that did not come up. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** What is kept of an instance's messages, for saying why it did not come up. Characters. */
const MESSAGE_LIMIT = 2000;

/** All that run, so that none outlives this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Instance {
  readonly pid: number;
  /** Milliseconds from the request to the first byte of output. */
  readonly start: number;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/** Resolves at the first byte of output. Rejects with a StartFailure. */
export function startInstance({ file, args }: Command, timeout: number): Promise<Instance> {
  return new Promise((resolve, reject) => {
    const launched = performance.now();
    // Standard input stays open: a program that waits for input is what idles.
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    let messages = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const gone = new Promise<void>((done) => {
      child.once('close', () => {
        clearTimeout(timer);
        running.delete(child);
        done();
        reject(new StartFailure(messages.split('\n').find((line) => line !== '') ?? 'ended before its first output'));
      });
    });
    child.once('error', (error) => {
      running.delete(child);
      reject(new StartFailure(error.message));
    });
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => {
      messages = (messages + chunk.toString('utf8')).slice(-MESSAGE_LIMIT);
    });
    child.stdout.once('data', () => {
      const start = performance.now() - launched;
      clearTimeout(timer);
      child.stdout.resume();
      resolve({
        pid: child.pid ?? 0,
        start,
        stop: () => {
          child.kill('SIGKILL');
          return gone;
        },
      });
    });
  });
}

export interface Memory {
  /** Bytes resident, pages shared with others counted in full. */
  readonly resident: number;
  /** Bytes resident, each page divided by the number of processes that share it. */
  readonly proportional: number;
}

/** A process and all that descend from it. Linux: /proc/PID/task/TID/children, proc(5). */
export function processTree(pid: number): readonly number[] {
  const found = [pid];
  for (let i = 0; i < found.length; i++) {
    try {
      for (const thread of readdirSync(`/proc/${found[i]}/task`)) {
        const children = readFileSync(`/proc/${found[i]}/task/${thread}/children`, 'latin1');
        found.push(...children.split(' ').filter(Boolean).map(Number));
      }
    } catch {
      // gone meanwhile
    }
  }
  return found;
}

/** From the text of /proc/PID/smaps_rollup. */
export function parseRollup(text: string): Memory {
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { resident: field('Rss'), proportional: field('Pss') };
}

/** Of a whole process tree; undefined where /proc does not tell. */
export function readMemory(pid: number): Memory | undefined {
  let [resident, proportional] = [0, 0];
  for (const member of processTree(pid)) {
    try {
      const memory = parseRollup(readFileSync(`/proc/${member}/smaps_rollup`, 'latin1'));
      resident += memory.resident;
      proportional += memory.proportional;
    } catch {
      if (member === pid) return undefined;
    }
  }
  return { resident, proportional };
}

/** Bytes that new programs can have without swapping; undefined where /proc does not tell. */
export function availableMemory(): number | undefined {
  try {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
