// Below an AArch64 benchmark guest: entry at EL2 or EL1, the vectors of EL1, the payload's way into the kernel. What the
// kernel does is in kernel-a64.c.

.include "image.inc"

.set CALL_NOTHING, 0              // bench.h
.set CALL_SYSTEM, 11
.set ESR_SYSTEM, 0x56000001       // SVC #1
.set FRAME, 288                   // struct frame of kernel-a64.c

.globl _start
_start:
  mrs x1, CurrentEL
  cmp x1, #(2 << 2)
  b.ne 1f
  mov x1, #(1 << 31)              // HCR_EL2.RW
  msr HCR_EL2, x1
  mov x1, #3
  msr CNTHCTL_EL2, x1
  ldr x1, =0x33FF
  msr CPTR_EL2, x1
  mov x1, #0x3C5
  msr SPSR_EL2, x1
  adr x1, 1f
  msr ELR_EL2, x1
  mov x20, #2
  eret
1:
  ldr x1, =0x30D00800             // SCTLR_EL1: RES1 bits
  msr SCTLR_EL1, x1
  isb
  ldr x1, =kernel_bss
  ldr x2, =image_end
2:
  stp xzr, xzr, [x1], #16
  cmp x1, x2
  b.lo 2b
  ldr x1, =kernel_stack_top
  mov sp, x1
  adrp x1, vectors
  add x1, x1, :lo12:vectors
  msr VBAR_EL1, x1
  mov x1, #(3 << 20)              // CPACR_EL1.FPEN
  msr CPACR_EL1, x1
  isb
  mov x1, x20
  bl kernel_start                 // X0 = device tree, X1 = 2 after EL2; returns the command line
  adrp x1, payload_stack_top
  add x1, x1, :lo12:payload_stack_top
  msr SP_EL0, x1
  mov x1, #0x3C0                  // EL0, all masked
  msr SPSR_EL1, x1
  adrp x1, payload
  add x1, x1, :lo12:payload
  msr ELR_EL1, x1
  mov x29, #0
  mov x30, #0
  eret

.macro vector target:req
  .balign 128
  b \target
.endm
  .balign 2048
vectors:
  .rept 5
  vector unexpected
  .endr
  vector interrupted              // IRQ at EL1: only while the kernel waits for one
  .rept 2
  vector unexpected
  .endr
  vector from_payload
  .rept 7
  vector unexpected
  .endr

from_payload:
  sub sp, sp, #FRAME
  stp x16, x17, [sp, #128]
  mrs x16, ESR_EL1
  mov w17, #(ESR_SYSTEM & 0xFFFF)
  movk w17, #(ESR_SYSTEM >> 16), lsl #16
  cmp w16, w17
  b.ne 1f
  ldp x16, x17, [sp, #128]        // a system call that does nothing
  add sp, sp, #FRAME
  eret
interrupted:
  sub sp, sp, #FRAME
  stp x16, x17, [sp, #128]
  mov x16, #0
1:
  stp x0, x1, [sp]
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x18, x19, [sp, #144]
  stp x20, x21, [sp, #160]
  stp x22, x23, [sp, #176]
  stp x24, x25, [sp, #192]
  stp x26, x27, [sp, #208]
  stp x28, x29, [sp, #224]
  mrs x1, ELR_EL1
  mrs x2, SPSR_EL1
  mrs x3, SP_EL0
  stp x30, x1, [sp, #240]
  stp x2, x3, [sp, #256]
  mov x0, sp
  mov x1, x16
  bl kernel_enter
  ldp x30, x1, [sp, #240]
  ldp x2, x3, [sp, #256]
  msr ELR_EL1, x1
  msr SPSR_EL1, x2
  msr SP_EL0, x3
  ldp x0, x1, [sp]
  ldp x2, x3, [sp, #16]
  ldp x4, x5, [sp, #32]
  ldp x6, x7, [sp, #48]
  ldp x8, x9, [sp, #64]
  ldp x10, x11, [sp, #80]
  ldp x12, x13, [sp, #96]
  ldp x14, x15, [sp, #112]
  ldp x16, x17, [sp, #128]
  ldp x18, x19, [sp, #144]
  ldp x20, x21, [sp, #160]
  ldp x22, x23, [sp, #176]
  ldp x24, x25, [sp, #192]
  ldp x26, x27, [sp, #208]
  ldp x28, x29, [sp, #224]
  add sp, sp, #FRAME
  eret

unexpected:
  mrs x0, ESR_EL1
  mrs x1, ELR_EL1
  b kernel_panic

  .bss
  .balign 4096
  .skip 16384
kernel_stack_top:

// ---- EL0 ------------------------------------------------------------------------------------------------
// void kernel_call(word service, word a, word b)
  .section .payload_entry, "ax"
.globl kernel_call
kernel_call:
  cbz x0, 1f
  cmp x0, #CALL_SYSTEM
  b.eq 2f
  svc #0
  ret
1:
  .inst 0                         // CALL_NOTHING is an exception: undefined
  ret
2:
  svc #1
  ret

  .section .payload, "aw", @nobits
  .balign 16
.globl command_line
command_line: .skip 256
  .skip 65536
payload_stack_top:
