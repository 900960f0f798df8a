// Hypercalls by the guest's kernel: VMCALL with a number that the hypervisor refuses.
#include "bench.h"

enum { CALLS = 1000 };

u32 work(void) {
  kernel_call(CALL_HYPERCALLS, CALLS, 0);
  return CALLS;
}
