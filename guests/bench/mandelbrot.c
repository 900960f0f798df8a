// The Mandelbrot set on a small grid, double precision: add, multiply, compare.
#include "bench.h"

enum { WIDTH = 80, HEIGHT = 60, LIMIT = 300 };

u32 work(void) {
  u32 sum = 0;
  for (int row = 0; row < HEIGHT; row++)
    for (int column = 0; column < WIDTH; column++) {
      double cr = column * (3.0 / WIDTH) - 2.25, ci = row * (2.5 / HEIGHT) - 1.25;
      double zr = 0, zi = 0, rr = 0, ii = 0;
      u32 n = 0;
      while (n < LIMIT && rr + ii <= 4.0) {
        zi = 2.0 * zr * zi + ci;
        zr = rr - ii + cr;
        rr = zr * zr;
        ii = zi * zi;
        n++;
      }
      sum = mix(sum, n);
    }
  return sum;
}
