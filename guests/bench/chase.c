// A chain of dependent loads through 8 MiB, one a cache line, in random order: latency of caches and TLBs.
#include "bench.h"

enum { NODES = 131072 };
static struct node {
  u32 next;
  u32 value;
  u8 rest[56];
} nodes[NODES] __attribute__((aligned(4096)));

// One cycle through all nodes (Sattolo's shuffle).
void prepare(void) {
  u32 seed = 31337;
  for (u32 i = 0; i < NODES; i++) nodes[i].next = i;
  for (u32 i = NODES - 1; i > 0; i--) {
    u32 j = (u32)(((u64)next_random(&seed) * i) >> 32);
    u32 t = nodes[i].next;
    nodes[i].next = nodes[j].next;
    nodes[j].next = t;
  }
  for (u32 i = 0; i < NODES; i++) nodes[i].value = next_random(&seed);
}

u32 work(void) {
  u32 at = 0, sum = 0;
  for (u32 i = 0; i < 3 * NODES; i++) {
    sum += nodes[at].value;
    at = nodes[at].next;
  }
  return mix(sum, at);
}
