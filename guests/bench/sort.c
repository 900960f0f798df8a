// Quicksort of pseudo-random numbers: branches that cannot be predicted.
#include "bench.h"

enum { COUNT = 20000 };
static u32 values[COUNT];

static void sort(u32 *a, i32 low, i32 high) {
  while (low < high) {
    u32 pivot = a[(low + high) / 2];
    i32 i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i > j) break;
      u32 t = a[i];
      a[i++] = a[j];
      a[j--] = t;
    }
    if (j - low < high - i) {
      sort(a, low, j);
      low = i;
    } else {
      sort(a, i, high);
      high = j;
    }
  }
}

u32 work(void) {
  u32 seed = 4711;
  for (u32 i = 0; i < COUNT; i++) values[i] = next_random(&seed);
  sort(values, 0, COUNT - 1);
  u32 sum = 0;
  for (u32 i = 1; i < COUNT; i++) sum = mix(sum, values[i] - values[i - 1]);
  return sum;
}
