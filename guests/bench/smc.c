// Self-modifying code: rewrite an immediate operand, call it. The code has a page of its own.
#include "bench.h"

enum { REWRITES = 2000 };

// MOV EAX, imm32; RET
__asm__(
    ".pushsection .text.patch, \"ax\"\n"
    ".balign 4096\n"
    "patched: .byte 0xB8, 0, 0, 0, 0, 0xC3\n"
    ".balign 4096\n"
    ".popsection");
extern u8 patched[];

u32 work(void) {
  u32 sum = 0;
  for (u32 i = 0; i < REWRITES; i++) {
    *(volatile u32 *)(patched + 1) = i * 2654435761u;
    barrier();
    sum = mix(sum, ((u32(*)(void))patched)());
  }
  return sum;
}
