// How a region is left, beside the LEFT_* of the interpreter: in the low bits of the exit word, whose other bits are
// the address of the block (LEFT_CHAIN0, LEFT_CHAIN1, LEFT_INDIRECT) or operation (the others) where that happened.

/** The operation is done but something wants attention: the interpreter goes on after it and leaves at the next
 *  instruction boundary. */
export const LEFT_AFTER: u32 = 4;
/** The interpreter is to execute the operation and go on. */
export const LEFT_BEFORE: u32 = 5;
/** The operation's branch target is not canonical: #GP(0). A return has read it, maybe from a device, and must not again. */
export const LEFT_NOT_CANONICAL: u32 = 6;
/** As LEFT_BEFORE: the operation's window may not be accessed as one (windows.ts). */
export const LEFT_WINDOW: u32 = 7;
/** By a link: the other bits say what is to be entered (links.ts). */
export const LEFT_LINKED: u32 = 8;
/** As LEFT_INDIRECT, at the end of a block by an indirect jump or return. */
export const LEFT_JUMP: u32 = 9;
/** It was not entered: its pages may be elsewhere, the budget is too small, or it is time to look how hot it is. */
export const LEFT_REFUSED: u32 = 10;
/** Exit codes. */
export const EXITS: u32 = 16;
