// qemu-aarch64 as oracle (or, on an Arm host, its CPU): a small static program, built when it is needed, runs the cases.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case } from './case.js';
import * as I from './case.js';
import { ARENA, ARENA_SIZE, MAPPINGS } from './environment.js';
import { UNALLOCATED } from './groups.js';
import { onlyUndefined } from './unallocated.js';

const SOURCE = fileURLToPath(new URL('../../../tools/isa-arm/qemu-oracle.c', import.meta.url));
const COMPILER = 'aarch64-linux-gnu-gcc';
const EMULATOR = 'qemu-aarch64';

// struct start, struct result in qemu-oracle.c.
const START_SIZE = 872;
const START_NZCV = 272;
const START_V = 288;
const START_CODE = 800;
const START_WINDOWS = 864;
const CODE_WORDS = 16;
const RESULT_SIZE = 816;
const RESULT_FAR = 272;
const RESULT_NZCV = 280;
const RESULT_SIGNAL = 292;
const RESULT_V = 304;

/**
 * Bits of FPCR and FPSR that exist without AArch32, which this CPU does not have: Len, Stride and the comparison flags are
 * kept by QEMU's models and read as zero here (Arm ARM C5.2.8, C5.2.10).
 */
const FLOAT_CONTROL = [
  [I.IMAGE_FPCR, 0x07c00000],
  [I.IMAGE_FPSR, 0x0800009f],
] as const;

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGSEGV = 11;

const words = (values: readonly number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const isCode = (at: number) => at >= ARENA && at < ARENA + ARENA_SIZE;

function startOf(c: Case): Uint8Array[] {
  if (c.code.length > CODE_WORDS) throw new RangeError(`${c.code.length} instructions in a case`);
  const bytes = new Uint8Array(START_SIZE);
  const view = new DataView(bytes.buffer);
  // X0 … X30, SP, PC, TPIDR_EL0 lie alike; then NZCV, FPCR, FPSR.
  bytes.set(c.state.subarray(I.IMAGE_X, I.IMAGE_TPIDR + 8));
  bytes.set(c.state.subarray(I.IMAGE_NZCV, I.IMAGE_FPSR + 4), START_NZCV);
  view.setUint32(START_NZCV + 12, c.code.length, true);
  bytes.set(c.state.subarray(I.IMAGE_V, I.IMAGE_V + 512), START_V);
  bytes.set(new Uint8Array(c.code.buffer, c.code.byteOffset, 4 * c.code.length), START_CODE);
  view.setUint32(START_WINDOWS, c.windows.length, true);
  return [bytes, ...c.windows.flatMap((w) => [words([w.at, w.bytes.length, isCode(w.at) ? 0 : 1, 0]), w.bytes])];
}

/** Version of the installed emulator, or null. */
export function qemuVersion(): string | null {
  try {
    return execFileSync(EMULATOR, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  } catch {
    return null;
  }
}

export class QemuOracle {
  private readonly directory = mkdtempSync(join(tmpdir(), 'tsvm-isa-arm-'));
  private readonly program = join(this.directory, 'qemu-oracle');

  /** Throws where there is no cross compiler. */
  constructor() {
    const flags = ['-O1', '-static', '-nostdlib', '-ffreestanding', '-fno-stack-protector', '-mgeneral-regs-only'];
    execFileSync(COMPILER, [...flags, '-o', this.program, SOURCE], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Images of the cases, in their order, as the CPU model gives them. */
  run(cases: readonly Case[], cpu: string): Uint8Array[] {
    const inputPath = join(this.directory, 'in');
    const outputPath = join(this.directory, 'out');
    const mappings = MAPPINGS.flatMap((m) => [m.at, m.size, m.writable ? 1 : 0, m.code ? 1 : 0]);
    const head = words([MAPPINGS.length, ...mappings, cases.length, 0]);
    const input = Buffer.concat([head, ...cases.flatMap(startOf)]);
    writeFileSync(inputPath, input);
    const args = ['-cpu', cpu, this.program, inputPath, String(input.length), outputPath];
    execFileSync(EMULATOR, args, { timeout: 60_000, stdio: ['ignore', 'inherit', 'inherit'] });
    const output = readFileSync(outputPath);
    let at = 0;
    return cases.map((c) => {
      const result = new DataView(output.buffer, output.byteOffset + at, RESULT_SIZE);
      at += RESULT_SIZE;
      const windows = c.windows.map((w) => {
        at += w.bytes.length;
        return new Uint8Array(output.subarray(at - w.bytes.length, at));
      });
      return resultImage(c, result, windows);
    });
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function endOf(result: DataView): number {
  const signal = result.getUint32(RESULT_SIGNAL, true);
  const fetch = result.getBigUint64(RESULT_FAR, true) === result.getBigUint64(I.IMAGE_PC, true);
  if (signal === SIGTRAP) return I.END_BRK;
  if (signal === SIGILL) return I.END_UNDEFINED;
  // QEMU 7.2 looks for the page first; the manual gives misalignment the higher priority (Arm ARM D1.3.5.5).
  const misaligned = (result.getUint32(I.IMAGE_PC, true) & 3) !== 0;
  if (signal === SIGSEGV && fetch) return misaligned ? I.END_PC_ALIGNMENT : I.END_FETCH_ABORT;
  if (signal === SIGSEGV) return I.END_DATA_ABORT;
  if (signal === SIGBUS) return fetch ? I.END_PC_ALIGNMENT : I.END_ALIGNMENT;
  return I.END_OTHER;
}

function resultImage(c: Case, result: DataView, windows: readonly Uint8Array[]): Uint8Array {
  const state = new Uint8Array(I.IMAGE_WINDOWS);
  const view = new DataView(state.buffer);
  const bytes = new Uint8Array(result.buffer, result.byteOffset, RESULT_SIZE);
  state.set(bytes.subarray(0, I.IMAGE_TPIDR + 8));
  state.set(bytes.subarray(RESULT_NZCV, RESULT_NZCV + 12), I.IMAGE_NZCV);
  for (const [at, mask] of FLOAT_CONTROL) view.setUint32(at, view.getUint32(at, true) & mask, true);
  state.set(bytes.subarray(RESULT_V, RESULT_V + 512), I.IMAGE_V);
  const end = endOf(result);
  view.setUint32(I.IMAGE_END, end, true);
  if (end >= I.END_DATA_ABORT && end <= I.END_PC_ALIGNMENT) {
    view.setBigUint64(I.IMAGE_FAR, I.untagged(result.getBigUint64(RESULT_FAR, true)), true);
  }
  const image = buildResult(c, end, state, windows);
  return c.group === UNALLOCATED ? onlyUndefined(c, image) : image;
}

/**
 * The manual leaves open what an aborted instruction has done to its destinations and its memory (Arm ARM D1.13.4); QEMU
 * may have done half. tsvm promises that nothing happened: one instruction that aborts leaves its inputs.
 */
function buildResult(c: Case, end: number, state: Uint8Array, windows: readonly Uint8Array[]): Uint8Array {
  if (c.code.length > 1 || (end !== I.END_DATA_ABORT && end !== I.END_ALIGNMENT)) return I.buildImage(state, windows);
  const input = I.inputImage(c);
  input.set(state.subarray(I.IMAGE_PC, I.IMAGE_PC + 8), I.IMAGE_PC);
  input.set(state.subarray(I.IMAGE_FAR, I.IMAGE_FAR + 8), I.IMAGE_FAR);
  input.set(state.subarray(I.IMAGE_END, I.IMAGE_END + 4), I.IMAGE_END);
  return input;
}
