// Context switches between two tasks with an address space each: registers, kernel stack, CR3 and so the TLB.
#include "bench.h"

enum { SWITCHES = 1000 };
static u8 stack[8192] __attribute__((aligned(16)));
static volatile u32 turns;

static void second_task(void) {
  for (;;) {
    turns++;
    kernel_call(CALL_SWITCH, 0, 0);
  }
}

void prepare(void) { kernel_call(CALL_SPAWN, (word)second_task, (word)(stack + sizeof stack)); }

u32 work(void) {
  turns = 0;
  for (u32 i = 0; i < SWITCHES / 2; i++) {
    turns++;
    kernel_call(CALL_SWITCH, 0, 0);
  }
  return turns;
}
