// What a region's module imports, in this order: memory "m" and the functions below (runtime.ts), all from module "c".

/** Loads and stores that are not plain. */
export const F_LOAD: u32 = 0;
export const F_STORE: u32 = 1;
/** OP_CALL, OP_VEC, a rotate by CL that sets flags. */
export const F_HELPER: u32 = 2;
export const F_VECTOR: u32 = 3;
export const F_ROTATE: u32 = 4;
/** A condition, and CF, from the lazy flags in the state. */
export const F_CONDITION: u32 = 5;
export const F_CARRY: u32 = 6;
export const F_SEGMENT: u32 = 7;
/** The same for 128 bits. */
export const F_LOAD128: u32 = 8;
export const F_STORE128: u32 = 9;
/** Does a 64-bit signed product not fit? */
export const F_OVERFLOW: u32 = 10;
/** CF and OF after a rotate. */
export const F_ROTATED: u32 = 11;
/** High half of a product. */
export const F_MUL_HIGH: u32 = 12;
/** OP_LDP, OP_STP, on the state. */
export const F_PAIR: u32 = 13;
/** The host address of a window, if it may be accessed (windows.ts). */
export const F_WINDOW: u32 = 14;
/** The region itself. */
export const F_REGION: u32 = 15;

// Function types. The imported functions' last parameter is a v128 that nobody looks at. V8 (11.3, Node 20) compiles,
// for every import type of a module, the code for a call to a JavaScript function before it knows that it is none: a
// millisecond a module. A type with a v128 in it cannot be JavaScript's.
export const T_REGION: u32 = 0; // (fuel, entry) -> exit
export const T_LOAD: u32 = 1; // (address i64, operation | size, block, fuel, range, v128) -> i64
export const T_STORE: u32 = 2; // (address i64, value i64, operation | size, block, fuel, range, v128) -> exit
export const T_HELPER: u32 = 3; // (operation, block, fuel, v128) -> exit
export const T_CARRY: u32 = 4; // (v128) -> 0 or 1
export const T_MEMORY128: u32 = 5; // (address i64, operation, block, fuel, range, v128) -> exit
export const T_OVERFLOW: u32 = 6; // (a i64, b i64, v128) -> 0 or 1
export const T_ROTATED: u32 = 7; // (result i64, size | right << 2, v128)
export const T_MUL_HIGH: u32 = 8; // (a i64, b i64, signed, v128) -> i64
export const T_CONDITION: u32 = 9; // (condition, v128) -> 0 or 1
export const T_SEGMENT: u32 = 10; // (offset i64, operation, block, fuel, v128) -> i64
export const T_PAIR: u32 = 11; // (operation, block, fuel, range, v128) -> exit
export const T_WINDOW: u32 = 12; // (address i64, span | write << 16, range, v128) -> host address or 0
