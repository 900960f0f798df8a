// The host's CPU as oracle outside KVM: a small C program, built when it is needed, runs the cases in its own process.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { xsaveFromState, xsaveToState } from '../../src/vmm/convert.js';
import { KVM_XSAVE_SIZE, XSAVE_XSTATE_BV } from '../../src/vmm/structs.js';
import { buildImage, type Case } from './case.js';
import { ARENA, LANDING, NATIVE_CODE64, NATIVE_DATA, NATIVE_LDT, NATIVE_MAPPINGS, selectorsOf } from './environment.js';

const SOURCE = fileURLToPath(new URL('../../../tools/isa/native-oracle.c', import.meta.url));

// struct start, struct result in native-oracle.c.
const START_SIZE = 624;
const START_CODE = 184;
const START_FXSAVE = 208;
const RESULT_FXSAVE = 176;
const RESULT_SIZE = 592;
const FXSAVE_SIZE = 416;
const CODE_SIZE = 16;

/** What must be kept of a case, whose state the generator overwrites. */
export function keepCase(c: Case): Case {
  const state = new X86State();
  state.copyFrom(c.state);
  return { ...c, state };
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function startOf(c: Case): Uint8Array[] {
  const bytes = new Uint8Array(START_SIZE);
  const view = new DataView(bytes.buffer);
  const { state } = c;
  bytes.set(state.bytes.subarray(L.S_RAX, L.S_RAX + 144));
  view.setBigUint64(144, state.segment(L.SEG_FS).base, true);
  view.setBigUint64(152, state.segment(L.SEG_GS).base, true);
  const long = c.mode === '64';
  const s = long ? { cs: NATIVE_CODE64, ds: 0, es: 0, ss: NATIVE_DATA } : selectorsOf(c.mode);
  [s.cs, s.ds, s.es, s.ss, c.linear, c.code.length].forEach((v, i) => {
    view.setUint32(160 + 4 * i, v, true);
  });
  bytes.set(c.code.subarray(0, CODE_SIZE), START_CODE);
  view.setUint32(START_CODE + 16, c.windows.length, true);
  view.setUint32(START_CODE + 20, long ? 1 : 0, true);
  const xsave = new DataView(new ArrayBuffer(KVM_XSAVE_SIZE));
  xsaveFromState(state, xsave);
  bytes.set(new Uint8Array(xsave.buffer, 0, FXSAVE_SIZE), START_FXSAVE);
  return [bytes, ...c.windows.flatMap((w) => [words([w.at, w.bytes.length]), w.bytes])];
}

export class NativeOracle {
  private readonly directory = mkdtempSync(join(tmpdir(), 'tsvm-isa-'));
  private readonly program = join(this.directory, 'native-oracle');

  /** Throws where there is no C compiler. */
  constructor() {
    const flags = ['-O1', '-mgeneral-regs-only', '-fno-stack-protector', '-fno-builtin'];
    execFileSync('gcc', [...flags, '-o', this.program, SOURCE], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Images of the cases, in their order. */
  run(cases: readonly Case[]): Uint8Array[] {
    const inputPath = join(this.directory, 'in');
    const outputPath = join(this.directory, 'out');
    const ldt = NATIVE_LDT.flatMap((e) => [e.base, e.limit, e.code ? 1 : 0, e.big ? 1 : 0]);
    const mappings = NATIVE_MAPPINGS.flatMap(([at, size, writable]) => {
      return [at, size, writable ? 1 : 0, at === ARENA || at === LANDING ? 1 : 0];
    });
    const head = words([NATIVE_LDT.length, ...ldt, NATIVE_MAPPINGS.length, ...mappings, cases.length]);
    writeFileSync(inputPath, Buffer.concat([head, ...cases.flatMap(startOf)]));
    execFileSync(this.program, [inputPath, outputPath], { timeout: 60_000 });
    const output = readFileSync(outputPath);
    let at = 0;
    return cases.map((c) => {
      const view = new DataView(output.buffer, output.byteOffset + at, RESULT_SIZE);
      at += RESULT_SIZE;
      const windows = c.windows.map((w) => {
        at += w.bytes.length;
        return new Uint8Array(output.subarray(at - w.bytes.length, at));
      });
      return resultImage(c, view, windows);
    });
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function resultImage(c: Case, result: DataView, windows: readonly Uint8Array[]): Uint8Array {
  const state = new X86State();
  state.copyFrom(c.state);
  const long = c.mode === '64';
  // On its way back from a 16-bit stack segment Linux leaves traces above ESP.
  const mask = long ? ~0n : 0xffffffffn;
  for (let i = 0; i < (long ? 16 : 8); i++) state.setGpr(i, result.getBigUint64(8 * i, true) & mask);
  state.rflags = result.getBigUint64(136, true);
  if (long) {
    for (const [index, at] of [
      [L.SEG_FS, 152],
      [L.SEG_GS, 160],
    ] as const) {
      state.setSegment(index, { ...state.segment(index), base: result.getBigUint64(at, true) });
    }
  }
  const xsave = new DataView(new ArrayBuffer(KVM_XSAVE_SIZE));
  for (let i = 0; i < FXSAVE_SIZE; i++) xsave.setUint8(i, result.getUint8(RESULT_FXSAVE + i));
  xsave.setUint32(XSAVE_XSTATE_BV, 3, true);
  xsaveToState(xsave, state);
  const end = {
    vector: result.getUint32(168, true),
    errorCode: result.getUint32(172, true),
    cr2: result.getBigUint64(144, true),
    rip: result.getBigUint64(128, true),
  };
  return buildImage(c, state, end, windows);
}
