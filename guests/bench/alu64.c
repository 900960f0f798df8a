// The same with 64-bit operands.
#include "bench.h"

u32 work(void) {
  u64 x = 88172645463325252ull, y = 1;
  for (u32 i = 0; i < 400000; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    y = (((y + x) << 23) | ((y + x) >> 41)) * 0x9E3779B97F4A7C15ull;
    y ^= i;
  }
  return mix((u32)(x ^ (x >> 32)), (u32)(y ^ (y >> 32)));
}
