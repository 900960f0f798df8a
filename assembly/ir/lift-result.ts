// What a lift function says about the instruction just decoded.

/** Not an instruction of this function's: another may know it, else it is undefined (#UD). */
export const LIFT_NONE: u32 = 0;
/** Lifted; the block goes on with the next instruction. */
export const LIFT_NEXT: u32 = 1;
/** Lifted, and the block ends here (a terminating operation was emitted). */
export const LIFT_END: u32 = 2;
