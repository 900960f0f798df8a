// Division and remainder by divisors that change, signed and unsigned.
#include "bench.h"

u32 work(void) {
  u32 sum = 0, seed = 12345;
  for (u32 i = 1; i < 150000; i++) {
    u32 n = next_random(&seed);
    u32 d = (n >> 20) + i;
    sum += n / d;
    sum ^= n % d;
    sum += (u32)((i32)n / (i32)(d | 1));
  }
  return mix(sum, seed);
}
