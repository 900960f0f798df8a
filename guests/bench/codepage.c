// Stores to data on a page that also holds the code that runs: legal, common in small programs, dear to translators.
#include "bench.h"

enum { SIZE = 2048 };

// The function below goes into the same section, right behind the buffer: both in one page of 4 KiB.
__asm__(
    ".pushsection .text.shared, \"ax\"\n"
    ".balign 4096\n"
    "buffer: .skip 2048\n"
    ".popsection");
extern u8 buffer[];

static __attribute__((noinline, section(".text.shared"))) u32 fill_and_sum(u32 seed) {
  for (u32 i = 0; i < SIZE; i++) *(volatile u8 *)(buffer + i) = (u8)(seed >> (i & 15));
  u32 sum = 0;
  for (u32 i = 0; i < SIZE; i++) sum = sum * 31 + *(volatile u8 *)(buffer + i);
  return sum;
}

u32 work(void) {
  u32 sum = 0;
  for (u32 i = 0; i < 4; i++) sum = mix(sum, fill_and_sum(i * 2654435761u));
  return sum;
}
