// TLB misses: a chain of dependent loads, each on another page of 4 KiB. The lines that it loads fit into a cache, their
// translations into no TLB.
#include "bench.h"

enum { PAGE = 4096, PAGES = 4096, LINE = 64, LINES = PAGE / LINE };
static u8 room[PAGES * PAGE + BIG_PAGE];
static u8 *pages;

// Where the chain goes from page i. Each page has it on another line, so that the lines spread over the cache.
static u32 *next(u32 i) { return (u32 *)(pages + i * PAGE + (i % LINES) * LINE); }

// One cycle through all pages (Sattolo's shuffle).
void prepare(void) {
  pages = align_big(room);
  kernel_call(CALL_SMALL_PAGES, (word)pages, PAGES * PAGE);
  u32 seed = 271828;
  for (u32 i = 0; i < PAGES; i++) *next(i) = i;
  for (u32 i = PAGES - 1; i > 0; i--) {
    u32 j = (u32)(((u64)next_random(&seed) * i) >> 32);
    u32 t = *next(i);
    *next(i) = *next(j);
    *next(j) = t;
  }
}

u32 work(void) {
  u32 at = 0, sum = 0;
  for (u32 i = 0; i < PAGES; i++) {
    sum = mix(sum, at);
    at = *next(at);
  }
  return sum;
}
