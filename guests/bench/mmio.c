// Reads of a device register in memory by the guest's kernel: in virt each is a fault that the hypervisor decodes.
#include "bench.h"

enum { READS = 1000 };

u32 work(void) {
  kernel_call(CALL_MMIO_READS, READS, 0);
  return READS;
}
