// An exception in ring 3, handled by the guest's kernel, which does nothing: UD2 and back.
#include "bench.h"

enum { TRAPS = 1000 };

u32 work(void) {
  for (u32 i = 0; i < TRAPS; i++) kernel_call(CALL_NOTHING, 0, 0);
  return TRAPS;
}
