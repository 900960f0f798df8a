// The compiling tiers, as both sides must know it.

/** Entries of the core's function table for generated code: the most regions that live at one time. V8 takes two
 *  memory mappings for each, of which Linux by default allows a process 65530. */
export const JIT_TABLE_ENTRIES = 4000;
