// What a region's module imports, in this order: memory "m" and the functions below (runtime.ts), all from module "c".

/** Loads and stores that miss the soft TLB. */
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
/** 128-bit loads and stores that are not plain. */
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
/** The region itself. */
export const F_REGION: u32 = 14;

// Function types.
export const T_REGION: u32 = 0; // (fuel) -> exit
export const T_LOAD: u32 = 1; // (address i64, operation | size, block, fuel) -> i64
export const T_STORE: u32 = 2; // (address i64, value i64, operation | size, block, fuel) -> exit
export const T_HELPER: u32 = 3; // F_PAIR too: (operation, block, fuel) -> exit
export const T_CONDITION: u32 = 0; // (condition) -> 0 or 1
export const T_CARRY: u32 = 4; // () -> 0 or 1
export const T_MEMORY128: u32 = 5; // (address i64, operation, block, fuel) -> exit
export const T_OVERFLOW: u32 = 6; // (a i64, b i64) -> 0 or 1
export const T_ROTATED: u32 = 7; // (result i64, size | right << 2)
export const T_MUL_HIGH: u32 = 8; // (a i64, b i64, signed) -> i64
