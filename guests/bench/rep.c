// String instructions with REP prefixes, on buffers of 16 KiB.
#include "bench.h"

enum { SIZE = 16384 };
static u8 a[SIZE] __attribute__((aligned(64))), b[SIZE] __attribute__((aligned(64)));

static void move_bytes(void *to, const void *from, word n) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

static void move_dwords(void *to, const void *from, word n) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

static void store_bytes(void *to, u8 value, word n) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

// Bytes left when the two differ, or 0.
static word compare_bytes(const void *p, const void *q, word n) {
  __asm__ volatile("repe cmpsb" : "+S"(p), "+D"(q), "+c"(n)::"memory", "cc");
  return n;
}

// Bytes left after the first `value`, or 0.
static word scan_bytes(const void *p, u8 value, word n) {
  __asm__ volatile("repne scasb" : "+D"(p), "+c"(n) : "a"(value) : "memory", "cc");
  return n;
}

u32 work(void) {
  u32 sum = 0;
  for (u32 i = 0; i < 16; i++) {
    store_bytes(a, (u8)(i + 1), SIZE);
    a[SIZE - 1 - i] = 0xEE;
    move_bytes(b, a, SIZE);
    move_dwords(b + 4, a, SIZE / 4 - 1);
    sum = mix(sum, (u32)compare_bytes(a, b, SIZE / 8));
    sum = mix(sum, (u32)scan_bytes(b + SIZE - SIZE / 8, 0xEE, SIZE / 8));
  }
  return sum;
}
