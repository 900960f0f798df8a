// Into the kernel and back by a system call that does next to nothing: SYSCALL, or INT 80h in 32 bits.
#include "bench.h"

enum { CALLS = 1000 };

u32 work(void) {
  for (u32 i = 0; i < CALLS; i++) kernel_call(CALL_SYSTEM, 0, 0);
  return CALLS;
}
