// Why the emulator core's run() returned: S_EXIT. Mirrors the VmExit union of src/vcpu/vcpu.ts.

/** The slice's instruction budget is used up, or kick() was called. */
export const EXIT_SLICE_END = 0;
/** HLT: the vCPU waits for an interrupt. */
export const EXIT_HALT = 1;
/** Triple fault. Detail: vector of the exception that could not be delivered. */
export const EXIT_SHUTDOWN = 2;
/** VMCALL/VMMCALL: number in RAX, arguments in RBX, RCX, RDX, RSI. */
export const EXIT_HYPERCALL = 3;
/** A breakpoint set by the debugger, or a completed step. */
export const EXIT_DEBUG = 4;
/** The core found itself unable to go on. Detail: FAILED_*. */
export const EXIT_FAILED = 5;
