// The WebAssembly module around a region's function (core specification, 5.5).

import {
  F_REGION,
  T_CARRY,
  T_CONDITION,
  T_HELPER,
  T_LOAD,
  T_MEMORY128,
  T_MUL_HIGH,
  T_OVERFLOW,
  T_PAIR,
  T_REGION,
  T_ROTATED,
  T_SEGMENT,
  T_STORE,
  T_WINDOW,
} from './imports';
import { hintCount, hints } from './labels';
import { BODY, byte, bytes, here, MODULE, reserve5, startAt, u, u5 } from './wasm';

// "metadata.code.branch_hint": engines that know it keep unlikely code out of the way.
const HINT_NAME: usize = memory.data<u8>([
  0x6d, 0x65, 0x74, 0x61, 0x64, 0x61, 0x74, 0x61, 0x2e, 0x63, 0x6f, 0x64, 0x65, 0x2e, 0x62, 0x72, 0x61, 0x6e, 0x63,
  0x68, 0x5f, 0x68, 0x69, 0x6e, 0x74,
]);
const HINT_NAME_LENGTH: u32 = 25;

/** The memory has at least so many pages (64 KiB): V8 reads what is at fixed addresses there as a plain operand. */
const PAGES: u32 = 32;

// The function types of imports.ts, in its order: 0x60, parameters, results.
const TYPES: usize = memory.data<u8>([
  13,
  // T_REGION
  0x60, 2, 0x7f, 0x7f, 1, 0x7f,
  // T_LOAD
  0x60, 6, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7e,
  // T_STORE
  0x60, 7, 0x7e, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7f,
  // T_HELPER
  0x60, 4, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7f,
  // T_CARRY
  0x60, 1, 0x7b, 1, 0x7f,
  // T_MEMORY128
  0x60, 6, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7f,
  // T_OVERFLOW
  0x60, 3, 0x7e, 0x7e, 0x7b, 1, 0x7f,
  // T_ROTATED
  0x60, 3, 0x7e, 0x7f, 0x7b, 0,
  // T_MUL_HIGH
  0x60, 4, 0x7e, 0x7e, 0x7f, 0x7b, 1, 0x7e,
  // T_CONDITION
  0x60, 2, 0x7f, 0x7b, 1, 0x7f,
  // T_SEGMENT
  0x60, 5, 0x7e, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7e,
  // T_PAIR
  0x60, 5, 0x7f, 0x7f, 0x7f, 0x7f, 0x7b, 1, 0x7f,
  // T_WINDOW
  0x60, 4, 0x7e, 0x7f, 0x7f, 0x7b, 1, 0x7f,
]);
const TYPES_LENGTH: u32 = 104;

function section(id: u32): usize {
  byte(id);
  return reserve5();
}
function endSection(size: usize): void {
  u5(size, <u32>(here() - size - 5));
}

function importFunction(name: u32, type: u32): void {
  byte(1);
  byte(0x63); // "c"
  byte(1);
  byte(name);
  byte(0);
  u(type);
}

/** Wraps the body of `length` bytes at BODY. Returns the module's length; it starts at MODULE. */
export function wrapModule(length: u32): u32 {
  startAt(MODULE);
  // "\0asm", version 1
  byte(0);
  byte(0x61);
  byte(0x73);
  byte(0x6d);
  byte(1);
  byte(0);
  byte(0);
  byte(0);

  const types = section(1);
  bytes(TYPES, TYPES_LENGTH);
  endSection(types);

  // Functions are named a, b, c … in the order of imports.ts.
  const imports = section(2);
  byte(F_REGION + 1);
  byte(1);
  byte(0x63);
  byte(1);
  byte(0x6d); // "m"
  byte(2);
  byte(0);
  byte(PAGES);
  importFunction(0x61, T_LOAD);
  importFunction(0x62, T_STORE);
  importFunction(0x63, T_HELPER);
  importFunction(0x64, T_HELPER);
  importFunction(0x65, T_HELPER);
  importFunction(0x66, T_CONDITION);
  importFunction(0x67, T_CARRY);
  importFunction(0x68, T_SEGMENT);
  importFunction(0x69, T_MEMORY128);
  importFunction(0x6a, T_MEMORY128);
  importFunction(0x6b, T_OVERFLOW);
  importFunction(0x6c, T_ROTATED);
  importFunction(0x6e, T_MUL_HIGH);
  importFunction(0x6f, T_PAIR);
  importFunction(0x70, T_WINDOW);
  endSection(imports);

  const functions = section(3);
  byte(1);
  byte(T_REGION);
  endSection(functions);

  const exports = section(7);
  byte(1);
  byte(1);
  byte(0x72); // "r"
  byte(0);
  byte(F_REGION);
  endSection(exports);

  if (hintCount) {
    const custom = section(0);
    byte(HINT_NAME_LENGTH);
    bytes(HINT_NAME, HINT_NAME_LENGTH);
    byte(1);
    byte(F_REGION);
    u(hintCount);
    for (let i: u32 = 0; i < hintCount; i++) {
      const h = load<u32>(hints + ((<usize>i) << 2));
      u(h & 0x7fffffff);
      byte(1);
      byte(h >> 31);
    }
    endSection(custom);
  }

  const code = section(10);
  byte(1);
  u(length);
  bytes(BODY, length);
  endSection(code);
  return <u32>(here() - MODULE);
}
