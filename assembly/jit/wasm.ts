// Writing WebAssembly: a byte buffer, LEB128 numbers, and names for the instructions that the emitter uses
// (WebAssembly core specification, chapter 5).

/** Where a function body is built, and where the module around it is put together. */
export const BODY: usize = 0x1a0000;
export const MODULE: usize = 0x1d0000;
/** Bytes that each may take. */
export const BUFFER_SIZE: usize = 0x30000;
/** A body that grows past this is given up: the rest of the buffer holds what a single operation may emit. */
export const BODY_LIMIT: usize = BODY + BUFFER_SIZE - 0x2000;

// --- Types ---
export const I32: u32 = 0x7f;
export const I64: u32 = 0x7e;
export const F32: u32 = 0x7d;
export const F64: u32 = 0x7c;
export const V128: u32 = 0x7b;
/** No result. */
export const VOID: u32 = 0x40;

// --- Control ---
export const W_UNREACHABLE: u32 = 0x00;
export const W_BLOCK: u32 = 0x02;
export const W_LOOP: u32 = 0x03;
export const W_IF: u32 = 0x04;
export const W_ELSE: u32 = 0x05;
export const W_END: u32 = 0x0b;
export const W_BR: u32 = 0x0c;
export const W_BR_IF: u32 = 0x0d;
export const W_BR_TABLE: u32 = 0x0e;
export const W_RETURN: u32 = 0x0f;
export const W_CALL: u32 = 0x10;
export const W_DROP: u32 = 0x1a;
export const W_SELECT: u32 = 0x1b;
export const W_GET: u32 = 0x20;
export const W_SET: u32 = 0x21;
export const W_TEE: u32 = 0x22;

// --- Memory ---
export const W_LOAD_I32: u32 = 0x28;
export const W_LOAD_I64: u32 = 0x29;
export const W_LOAD8_U: u32 = 0x2d;
export const W_LOAD16_U: u32 = 0x2f;
export const W_STORE_I32: u32 = 0x36;
export const W_STORE_I64: u32 = 0x37;
// The low bits of an i64.
export const W_STORE8_I64: u32 = 0x3c;
export const W_STORE16_I64: u32 = 0x3d;
export const W_STORE32_I64: u32 = 0x3e;

// --- Numbers: the i32 form; the i64 form of an arithmetic instruction is ARITH64 further, of a comparison COMPARE64. ---
export const W_CONST_I32: u32 = 0x41;
export const W_CONST_I64: u32 = 0x42;
export const W_EQZ: u32 = 0x45;
export const W_EQ: u32 = 0x46;
export const W_NE: u32 = 0x47;
export const W_LT_S: u32 = 0x48;
export const W_LT_U: u32 = 0x49;
export const W_GT_S: u32 = 0x4a;
export const W_GT_U: u32 = 0x4b;
export const W_LE_S: u32 = 0x4c;
export const W_LE_U: u32 = 0x4d;
export const W_GE_S: u32 = 0x4e;
export const W_GE_U: u32 = 0x4f;
export const COMPARE64: u32 = 0x0b;
export const W_EQZ64: u32 = 0x50;
export const W_POPCNT: u32 = 0x69;
export const W_ADD: u32 = 0x6a;
export const W_SUB: u32 = 0x6b;
export const W_MUL: u32 = 0x6c;
export const W_AND: u32 = 0x71;
export const W_OR: u32 = 0x72;
export const W_XOR: u32 = 0x73;
export const W_SHL: u32 = 0x74;
export const W_SHR_S: u32 = 0x75;
export const W_SHR_U: u32 = 0x76;
export const W_ROTL: u32 = 0x77;
export const W_ROTR: u32 = 0x78;
export const ARITH64: u32 = 0x12;
export const W_WRAP: u32 = 0xa7;
export const W_EXTEND_S: u32 = 0xac;
export const W_EXTEND_U: u32 = 0xad;
export const W_EXTEND8_S: u32 = 0xc0;
export const W_EXTEND16_S: u32 = 0xc1;
export const W_EXTEND8_S64: u32 = 0xc2;
export const W_EXTEND16_S64: u32 = 0xc3;
export const W_EXTEND32_S64: u32 = 0xc4;

// --- Vectors: after the prefix 0xFD, as LEB128 ---
export const W_SIMD: u32 = 0xfd;
export const WV_LOAD: u32 = 0x00;
export const WV_STORE: u32 = 0x0b;
export const WV_CONST: u32 = 0x0c;
export const WV_SHUFFLE: u32 = 0x0d;
export const WV_SPLAT_I64: u32 = 0x12;
export const WV_EXTRACT_I64: u32 = 0x1d;
export const WV_REPLACE_I64: u32 = 0x1e;
export const WV_REPLACE_I32: u32 = 0x1c;
export const WV_EXTRACT_I32: u32 = 0x1b;
export const WV_EXTRACT_F32: u32 = 0x1f;
export const WV_REPLACE_F32: u32 = 0x20;
export const WV_EXTRACT_F64: u32 = 0x21;
export const WV_REPLACE_F64: u32 = 0x22;
export const WV_NOT: u32 = 0x4d;
export const WV_BITSELECT: u32 = 0x52;
export const WV_AND: u32 = 0x4e;
export const WV_ANDNOT: u32 = 0x4f;
export const WV_OR: u32 = 0x50;
export const WV_XOR: u32 = 0x51;

/** Next byte to be written. */
let at: usize = 0;

export function startAt(address: usize): void {
  at = address;
}
export function here(): usize {
  return at;
}

export function byte(b: u32): void {
  store<u8>(at, b);
  at++;
}

/** Unsigned LEB128. */
export function u(n: u32): void {
  let v = n;
  while (v > 127) {
    byte((v & 127) | 128);
    v >>= 7;
  }
  byte(v);
}

/** Unsigned LEB128 in five bytes, to be patched later. */
export function u5(address: usize, n: u32): void {
  store<u8>(address, (n & 127) | 128);
  store<u8>(address, ((n >> 7) & 127) | 128, 1);
  store<u8>(address, ((n >> 14) & 127) | 128, 2);
  store<u8>(address, ((n >> 21) & 127) | 128, 3);
  store<u8>(address, n >> 28, 4);
}
/** Room for u5; returns its address. */
export function reserve5(): usize {
  at += 5;
  return at - 5;
}

/** Signed LEB128. */
export function s(n: i64): void {
  let v = n;
  while (v < -64 || v > 63) {
    byte((<u32>v & 127) | 128);
    v >>= 7;
  }
  byte(<u32>v & 127);
}

export function bytes(from: usize, n: usize): void {
  memory.copy(at, from, n);
  at += n;
}

export function const32(n: u32): void {
  byte(W_CONST_I32);
  s(<i64>(<i32>n));
}
export function const64(n: u64): void {
  byte(W_CONST_I64);
  s(<i64>n);
}

export function get(local: u32): void {
  byte(W_GET);
  u(local);
}
export function set(local: u32): void {
  byte(W_SET);
  u(local);
}
export function tee(local: u32): void {
  byte(W_TEE);
  u(local);
}

/** A load or store instruction; the base address is on the stack, alignment is promised only to the byte. */
export function mem(op: u32, offset: u32): void {
  byte(op);
  byte(0);
  u(offset);
}
/** A vector instruction without further immediates. */
export function simd(op: u32): void {
  byte(W_SIMD);
  u(op);
}
export function simdMem(op: u32, offset: u32): void {
  simd(op);
  byte(0);
  u(offset);
}
