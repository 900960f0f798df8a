// Writes to an I/O port by the guest's kernel: in virt each is an exit to the hypervisor.
#include "bench.h"

enum { WRITES = 1000 };

u32 work(void) {
  kernel_call(CALL_PORT_WRITES, WRITES, 0);
  return WRITES;
}
