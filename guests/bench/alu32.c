// 32-bit arithmetic in registers: shifts, rotates, adds, multiplies, one dependency chain.
#include "bench.h"

u32 work(void) {
  u32 x = 2463534242u, y = 1;
  for (u32 i = 0; i < 400000; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    y = rotate_left(y + x, 7) * 0x85EBCA6Bu;
    y ^= i;
  }
  return mix(x, y);
}
