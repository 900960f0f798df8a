// Calls and returns, and little else.
#include "bench.h"

static __attribute__((noinline, noclone, optimize("no-inline", "no-optimize-sibling-calls"))) u32 fibonacci(u32 n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

u32 work(void) { return fibonacci(25); }
