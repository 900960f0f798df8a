// Into the kernel and back, nothing done there. A guest traps by UD2; a process makes the cheapest system call.
#include "bench.h"

enum { CALLS = 1000 };

u32 work(void) {
  for (u32 i = 0; i < CALLS; i++) kernel_call(CALL_NOTHING, 0, 0);
  return CALLS;
}
