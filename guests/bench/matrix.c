// Product of two integer matrices: multiply-add, two loads a step, one of them strided.
#include "bench.h"

enum { N = 96 };
static i32 a[N][N], b[N][N], c[N][N];

void prepare(void) {
  u32 seed = 1;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (i32)(next_random(&seed) >> 16);
      b[i][j] = (i32)(next_random(&seed) >> 16);
    }
}

u32 work(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      i32 sum = 0;
      for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  barrier();
  u32 sum = 0;
  for (int i = 0; i < N; i++) sum = mix(sum, (u32)c[i][(i * 7) % N]);
  return sum;
}
