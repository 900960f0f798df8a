// What the core asks of TypeScript. No 64-bit value crosses: those calls are slow in V8.

/** IN, OUT: size 1, 2 or 4. */
export declare function pioRead(port: u32, size: u32): u32;
export declare function pioWrite(port: u32, size: u32, value: u32): void;
/** Loads and stores outside memory; physical address below 4 GiB; size 1, 2 or 4. */
export declare function mmioRead(address: u32, size: u32): u32;
export declare function mmioWrite(address: u32, size: u32, value: u32): void;
/** INTA cycle: vector, or -1. */
export declare function acknowledgeInterrupt(): i32;
export declare function readTaskPriority(): u32;
export declare function writeTaskPriority(cr8: u32): void;
/** IA32_APIC_BASE was written: low and high word. */
export declare function writeApicBase(low: u32, high: u32): void;
/** The machine's clock in nanoseconds. */
export declare function now(): f64;
/** CPUID leaf and subleaf: the four results go to TRANSFER as u32. */
export declare function cpuid(leaf: u32, subleaf: u32): void;
/** Makes the WebAssembly module of `length` bytes at `address` callable as table entry `slot`; false if that failed. */
export declare function jitCompile(address: u32, length: u32, slot: u32): bool;
/** Table entry `slot` is free. */
export declare function jitRelease(slot: u32): void;
/** 32 random bits (RDRAND, RDSEED). */
export declare function random(): u32;
