// One instruction case, and the image of a processor's visible state that oracle and emulator are compared by.

import * as L from '../../assembly/layout/x86-state.js';
import type { X86State } from '../../src/vcpu/x86-state.js';
import { x87Tag } from '../../src/vmm/convert.js';
import { type CaseMode, segmentsOf } from './environment.js';

/** Memory that a case sets up and whose content afterwards belongs to the result. */
export interface Window {
  /** Linear address, which is also the physical one. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface Case {
  readonly group: string;
  /** Number in the group. */
  readonly index: number;
  readonly mode: CaseMode;
  readonly mnemonic: string;
  /** As the opcode table writes the operands. */
  readonly operands: readonly string[];
  readonly code: Uint8Array;
  /** Linear address of the instruction. */
  readonly linear: number;
  /** Operand size: log2 of bytes. */
  readonly opSize: number;
  /** Shift and rotate count after masking; -1 for other instructions. */
  readonly count: number;
  /** Linear address of a ModRM memory operand, or null. */
  readonly ea: number | null;
  /** ModRM.rm with REX.B of a register operand. */
  readonly rm: number;
  /** Registers, RIP as offset in CS. */
  readonly state: X86State;
  readonly windows: readonly Window[];
  /** x87 and SSE state take part. */
  readonly fpu: boolean;
}

// --- The image: byte offsets ---
export const IMAGE_GPR = 0;
export const IMAGE_RIP = 128;
export const IMAGE_RFLAGS = 136;
export const IMAGE_FS_BASE = 144;
export const IMAGE_GS_BASE = 152;
/** Of page faults, else 0. */
export const IMAGE_CR2 = 160;
/** u32: the exception that ended the case; ENDED if it ran into the fill, with RIP in front of that. */
export const IMAGE_VECTOR = 168;
/** u32, 0 for exceptions without one. */
export const IMAGE_ERROR = 172;
/** From S_FPR to the end of the XMM registers. */
export const IMAGE_FPU = 176;
export const FPU_SIZE = L.X86_STATE_SIZE - L.S_FPR;
export const IMAGE_WINDOWS = IMAGE_FPU + FPU_SIZE;

/** Offset in the image of a byte of X86State's x87 and SSE part. */
export const fpuOffset = (slot: number) => IMAGE_FPU + slot - L.S_FPR;

/** In place of a vector: the instruction raised no exception. */
export const ENDED = 32;
const VECTOR_BP = 3;
export const VECTOR_PF = 14;
/** Exceptions that push an error code (SDM vol. 3, table 7-1). */
const WITH_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21]);

export interface Ending {
  readonly vector: number;
  readonly errorCode: number;
  readonly cr2: bigint;
  /** As the exception saved it. */
  readonly rip: bigint;
}

export function imageSize(c: Case): number {
  return IMAGE_WINDOWS + c.windows.reduce((sum, w) => sum + w.bytes.length, 0);
}

/** @param windows content of the case's windows, in their order */
export function buildImage(c: Case, state: X86State, end: Ending, windows: readonly Uint8Array[]): Uint8Array {
  const image = new Uint8Array(imageSize(c));
  const view = new DataView(image.buffer);
  image.set(state.bytes.subarray(L.S_RAX, L.S_RAX + 128), IMAGE_GPR);
  const vector = classify(c, end);
  view.setBigUint64(IMAGE_RIP, vector === ENDED ? end.rip - 1n : end.rip, true);
  view.setBigUint64(IMAGE_RFLAGS, state.rflags, true);
  view.setBigUint64(IMAGE_FS_BASE, state.segment(L.SEG_FS).base, true);
  view.setBigUint64(IMAGE_GS_BASE, state.segment(L.SEG_GS).base, true);
  view.setBigUint64(IMAGE_CR2, end.vector === VECTOR_PF ? end.cr2 : 0n, true);
  view.setUint32(IMAGE_VECTOR, vector, true);
  view.setUint32(IMAGE_ERROR, WITH_CODE.has(end.vector) ? end.errorCode : 0, true);
  const fpu = c.fpu ? state : c.state;
  image.set(fpu.bytes.subarray(L.S_FPR, L.X86_STATE_SIZE), IMAGE_FPU);
  setTags(view, fpu);
  // Instruction and operand pointers depend on the CPU's make and are no result (SDM vol. 1, 8.1.8).
  image.fill(0, fpuOffset(L.S_FOP), fpuOffset(L.S_MXCSR));
  let at = IMAGE_WINDOWS;
  for (const bytes of windows) {
    image.set(bytes, at);
    at += bytes.length;
  }
  return image;
}

/** Which registers are empty is state; the other tags follow from the registers' contents (SDM vol. 1, 8.1.7). */
function setTags(image: DataView, state: X86State): void {
  let tags = state.u16(L.S_FTW);
  for (let i = 0; i < 8; i++) {
    if (((tags >> (2 * i)) & 3) === 3) continue;
    const tag = x87Tag(state.u64(L.S_FPR + 16 * i), state.u16(L.S_FPR + 16 * i + 8));
    tags = (tags & ~(3 << (2 * i))) | (tag << (2 * i));
  }
  image.setUint16(fpuOffset(L.S_FTW), tags, true);
}

/** The fill raises #BP as INT3 itself does: RIP, which lies behind the INT3, tells which of the two it was. */
function classify(c: Case, end: Ending): number {
  return end.vector === VECTOR_BP && end.rip - 1n !== c.state.rip ? ENDED : end.vector;
}

/** The image if the instruction did nothing: what results are stored as differences to. */
export function inputImage(c: Case): Uint8Array {
  const next = BigInt(c.linear + c.code.length - segmentsOf(c.mode).cs.base);
  const end = { vector: VECTOR_BP, errorCode: 0, cr2: 0n, rip: next + 1n };
  return buildImage(
    c,
    c.state,
    end,
    c.windows.map((w) => w.bytes),
  );
}
