// What a workload gives and gets. One source serves every engine: a Linux process, a 64-bit and a 32-bit guest.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef __UINTPTR_TYPE__ word;

// Called once, before the first mark. Optional.
void prepare(void);

// One unit of work: the same work and the same checksum at every call.
u32 work(void);

// Keeps the compiler from moving, merging or dropping memory accesses across this point.
#define barrier() __asm__ volatile("" ::: "memory")

static inline u32 rotate_left(u32 x, int n) { return (x << n) | (x >> (32 - n)); }

// CALL_SMALL_PAGES wants this alignment, which a linker would carry into the file: arrays are larger by it instead.
#define BIG_PAGE ((word)4 << 20)
static inline u8 *align_big(u8 *array) { return (u8 *)(((word)array + BIG_PAGE - 1) & ~(BIG_PAGE - 1)); }

// Numerical Recipes' 32-bit linear congruential generator: input data that is the same everywhere.
static inline u32 next_random(u32 *state) { return *state = *state * 1664525u + 1013904223u; }

// Folds a value into a checksum.
static inline u32 mix(u32 sum, u32 value) { return rotate_left(sum ^ value, 5) * 0x9E3779B1u; }

// Services of the kernel below: CALL_* in calls.inc. Returns nothing.
enum {
  CALL_NOTHING = 0,
  CALL_WRITE = 1,
  CALL_EXIT = 2,
  CALL_PORT_WRITES = 3,
  CALL_MMIO_READS = 4,
  CALL_SMALL_PAGES = 5,
  CALL_UNMAP = 6,
  CALL_SPAWN = 7,
  CALL_SWITCH = 8,
  CALL_HYPERCALLS = 9,
  CALL_INTERRUPTS = 10,
  CALL_SYSTEM = 11
};
void kernel_call(word service, word a, word b);
