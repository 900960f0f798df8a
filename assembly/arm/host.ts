// What the core asks of TypeScript. No 64-bit value crosses: those calls are slow in V8.

/** Loads and stores outside memory; physical address below 4 GiB; size 1, 2 or 4. Nobody there: S_BUS_ERROR is set. */
export declare function mmioRead(address: u32, size: u32): u32;
export declare function mmioWrite(address: u32, size: u32, value: u32): void;
/** The machine's clock in nanoseconds. */
export declare function now(): f64;
/** ICC_* registers of the GIC's CPU interface, by the encoding in MRS/MSR: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2. */
export declare function gicRead(register: u32): u32;
export declare function gicWrite(register: u32, low: u32, high: u32): void;
/** A timer's control or compare value, or the virtual offset, has changed. */
export declare function timerChanged(): void;
/** A call to the firmware by HVC or SMC: X0–X3 in the state; the answer goes to X0. */
export declare function firmwareCall(): void;
/** Makes the WebAssembly module of `length` bytes at `address` callable as table entry `slot`; false if that failed. */
export declare function jitCompile(address: u32, length: u32, slot: u32): bool;
/** Table entry `slot` is free. */
export declare function jitRelease(slot: u32): void;
