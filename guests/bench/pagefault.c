// Page faults: pages that are taken away, then touched. The kernel below maps each at its fault.
#include "bench.h"

enum { PAGE = 4096, PAGES = 256, SIZE = PAGES * PAGE };
static u8 room[SIZE + BIG_PAGE];
static u8 *window;

void prepare(void) {
  window = align_big(room);
  kernel_call(CALL_SMALL_PAGES, (word)window, SIZE);
}

u32 work(void) {
  kernel_call(CALL_UNMAP, (word)window, SIZE);
  for (u32 i = 0; i < SIZE; i += PAGE) *(volatile u8 *)(window + i) = 1;
  return PAGES;
}
