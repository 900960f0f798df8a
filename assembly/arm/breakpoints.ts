// Breakpoints set by a debugger, by virtual address: the guest does not see them.

export { addBreakpoint, clearBreakpoints, haveBreakpoints, isBreakpoint } from '../x86/breakpoints';
