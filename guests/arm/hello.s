// The smallest AArch64 guest worth running: says hello and in which state the CPU entered it.

.include "image.inc"
.include "console.inc"

.globl _start
_start:
  adrp x0, stack_top
  mov sp, x0
  print "Hello from tsvm!\n"

  print "EL"
  mrs x0, CurrentEL
  lsr x0, x0, #2                  // bits 3–2 are the level
  add w0, w0, #'0'
  bl putc
  mrs x1, CurrentEL
  cmp x1, #(2 << 2)
  b.eq 1f
  mrs x1, SCTLR_EL1
  b 2f
1:
  mrs x1, SCTLR_EL2
2:
  tbnz x1, #0, 3f                 // SCTLR_ELx.M
  print ", MMU off"
3:
  mrs x1, DAIF
  tbz x1, #7, 4f                  // PSTATE.I
  print ", interrupts masked"
4:
  print "\n"
  b power_off

  .bss
  .balign 4096
  .skip 4096
stack_top:
