// Interrupts: the local APIC sends one to itself; the handler counts it and signals its end.
#include "bench.h"

enum { INTERRUPTS = 500 };

u32 work(void) {
  kernel_call(CALL_INTERRUPTS, INTERRUPTS, 0);
  return INTERRUPTS;
}
