// Byte loops as a C library without assembly has them: copy, length, compare, search.
#include "bench.h"

enum { SIZE = 8192 };
static char text[SIZE], copy[SIZE];

void prepare(void) {
  u32 seed = 99;
  for (u32 i = 0; i < SIZE - 1; i++) text[i] = (char)('a' + (next_random(&seed) >> 16) % 26);
  text[SIZE - 1] = 0;
}

static __attribute__((noinline)) void copy_string(char *to, const char *from) {
  while ((*to++ = *from++) != 0) {
  }
}

static __attribute__((noinline)) u32 string_length(const char *s) {
  const char *p = s;
  while (*p) p++;
  return (u32)(p - s);
}

static __attribute__((noinline)) i32 compare_strings(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (u8)*a - (u8)*b;
}

static __attribute__((noinline)) u32 count_byte(const char *s, char wanted) {
  u32 n = 0;
  for (; *s; s++)
    if (*s == wanted) n++;
  return n;
}

u32 work(void) {
  u32 sum = 0;
  for (u32 i = 0; i < 24; i++) {
    copy_string(copy, text);
    barrier();
    sum = mix(sum, string_length(copy));
    copy[SIZE - 2 - i] ^= 1;
    sum = mix(sum, (u32)compare_strings(text, copy));
    sum = mix(sum, count_byte(copy, (char)('a' + i)));
  }
  return sum;
}
