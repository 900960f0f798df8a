// Five bodies under gravity, double precision: add, multiply, divide, square root.
#include "bench.h"

enum { BODIES = 5, STEPS = 4000 };
typedef struct {
  double x[3], v[3], mass;
} Body;
static Body bodies[BODIES];

// Orbits around a heavy first body. All values are exact in binary, so every engine starts with the same bits.
static void place(void) {
  for (int i = 0; i < BODIES; i++) {
    Body *b = &bodies[i];
    double r = i;
    b->x[0] = r * 4.0, b->x[1] = r * r * 0.5, b->x[2] = r * 0.25;
    b->v[0] = r * -0.125, b->v[1] = i ? 2.0 / (1 << i) : 0.0, b->v[2] = r * 0.0625;
    b->mass = i ? 1.0 / (64 << i) : 32.0;
  }
}

static double square_root(double x) {
#if defined(__x86_64__) || defined(__i386__)
  double root;
  __asm__("sqrtsd %1, %0" : "=x"(root) : "xm"(x));
  return root;
#else
  return __builtin_sqrt(x); // one instruction elsewhere too: f64.sqrt, fsqrt
#endif
}

u32 work(void) {
  const double dt = 1.0 / 256;
  place();
  for (int step = 0; step < STEPS; step++) {
    for (int i = 0; i < BODIES; i++)
      for (int j = i + 1; j < BODIES; j++) {
        Body *p = &bodies[i], *q = &bodies[j];
        double dx = p->x[0] - q->x[0], dy = p->x[1] - q->x[1], dz = p->x[2] - q->x[2];
        double square = dx * dx + dy * dy + dz * dz + 0.015625;
        double force = dt / (square * square_root(square));
        p->v[0] -= dx * q->mass * force, p->v[1] -= dy * q->mass * force, p->v[2] -= dz * q->mass * force;
        q->v[0] += dx * p->mass * force, q->v[1] += dy * p->mass * force, q->v[2] += dz * p->mass * force;
      }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) bodies[i].x[k] += dt * bodies[i].v[k];
  }
  u32 sum = 0;
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++) {
      union {
        double value;
        u32 half[2];
      } bits = {bodies[i].x[k]};
      sum = mix(mix(sum, bits.half[0]), bits.half[1]);
    }
  return sum;
}
