// Sieve of Eratosthenes over bytes: short loops, stores with large strides.
#include "bench.h"

enum { LIMIT = 300000 };
static u8 composite[LIMIT];

u32 work(void) {
  for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
  barrier();
  u32 primes = 0, sum = 0;
  for (u32 i = 2; i < LIMIT; i++) {
    if (composite[i]) continue;
    primes++;
    sum += i;
    for (u32 j = 2 * i; j < LIMIT; j += i) composite[j] = 1;
  }
  return mix(primes, sum);
}
