// One A64 case, and the image of a processor's visible state that oracle and emulator are compared by.

/** Memory that a case sets up and whose content afterwards belongs to the result. Virtual address. */
export interface Window {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface Case {
  readonly group: string;
  /** Number in the group. */
  readonly index: number;
  /** Row of the instruction tables. */
  readonly name: string;
  /** Instruction words; more than one in sequences. */
  readonly code: Uint32Array;
  /** Address of the first one. */
  readonly pc: number;
  /** An image without the windows: the registers before the case. */
  readonly state: Uint8Array;
  readonly windows: readonly Window[];
}

// --- The image: byte offsets ---
/** X0 … X30. */
export const IMAGE_X = 0;
export const IMAGE_SP = 248;
export const IMAGE_PC = 256;
export const IMAGE_TPIDR = 264;
/** Virtual address of an abort, its tag cleared; else 0. */
export const IMAGE_FAR = 272;
/** u32: N, Z, C, V in bits 31–28. */
export const IMAGE_NZCV = 280;
export const IMAGE_FPCR = 284;
export const IMAGE_FPSR = 288;
/** u32: how the case ended, END_…. */
export const IMAGE_END = 292;
/** V0 … V31. */
export const IMAGE_V = 304;
export const IMAGE_WINDOWS = IMAGE_V + 512;

/** BRK reached: every instruction was executed, with PC behind the last one or at a branch's target. */
export const END_BRK = 0;
export const END_UNDEFINED = 1;
/** Translation or permission fault of a data access. */
export const END_DATA_ABORT = 2;
export const END_ALIGNMENT = 3;
/** Fault of an instruction fetch: PC is the address. */
export const END_FETCH_ABORT = 4;
export const END_PC_ALIGNMENT = 5;
/** An exception of another kind. */
export const END_OTHER = 6;
export const END_NAMES = ['none', 'undefined', 'data abort', 'alignment', 'fetch abort', 'PC alignment', 'other'];

/** Without the tag that TBI ignores, and as sign-extended from bit 55 (Arm ARM D8.8). */
export const untagged = (address: bigint) => BigInt.asUintN(64, BigInt.asIntN(56, address));

export function imageSize(c: Case): number {
  return IMAGE_WINDOWS + c.windows.reduce((sum, w) => sum + w.bytes.length, 0);
}

/** @param windows content of the case's windows, in their order */
export function buildImage(state: Uint8Array, windows: readonly Uint8Array[]): Uint8Array {
  const image = new Uint8Array(windows.reduce((sum, w) => sum + w.length, IMAGE_WINDOWS));
  image.set(state);
  let at = IMAGE_WINDOWS;
  for (const bytes of windows) {
    image.set(bytes, at);
    at += bytes.length;
  }
  return image;
}

/** The image if the instructions did nothing: what results are stored as differences to. */
export function inputImage(c: Case): Uint8Array {
  const image = buildImage(
    c.state,
    c.windows.map((w) => w.bytes),
  );
  new DataView(image.buffer).setBigUint64(IMAGE_PC, BigInt(c.pc + 4 * c.code.length), true);
  return image;
}

/** What must be kept of a case, whose state the generator overwrites. */
export function keepCase(c: Case): Case {
  return { ...c, state: c.state.slice() };
}
