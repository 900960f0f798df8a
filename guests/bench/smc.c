// Self-modifying code: rewrite an immediate operand, call it. The code has a page of its own.
#include "bench.h"

enum { REWRITES = 2000 };

#ifdef __aarch64__
#define CODE "mov w0, #0\n movk w0, #0, lsl #16\n ret\n"
#else
#define CODE ".byte 0xB8, 0, 0, 0, 0, 0xC3\n" // MOV EAX, imm32; RET
#endif
__asm__(
    ".pushsection .text.patch, \"ax\"\n"
    ".balign 4096\n"
    "patched: " CODE
    ".balign 4096\n"
    ".popsection");
extern u8 patched[];

static inline void patch(u32 value) {
#ifdef __aarch64__
  // 16 bits in each instruction; then they have to be made visible to instruction fetches.
  ((volatile u32 *)patched)[0] = 0x52800000 | (value & 0xFFFF) << 5;
  ((volatile u32 *)patched)[1] = 0x72A00000 | (value >> 16) << 5;
  __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" : : "r"(patched) : "memory");
#else
  *(volatile u32 *)(patched + 1) = value;
  barrier();
#endif
}

u32 work(void) {
  u32 sum = 0;
  for (u32 i = 0; i < REWRITES; i++) {
    patch(i * 2654435761u);
    sum = mix(sum, ((u32(*)(void))patched)());
  }
  return sum;
}
