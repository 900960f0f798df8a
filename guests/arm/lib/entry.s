// Under a test in C: entry, exception vectors for EL1 and EL2, calls into lower levels.

.include "image.inc"

.set HCR_RW, 1 << 31
.set SPSR_EL1H, 0x3C5             // D, A, I, F masked

.globl _start
_start:
  adrp x1, bss_start
  adrp x2, bss_end
1:
  stp xzr, xzr, [x1], #16
  cmp x1, x2
  b.lo 1b
  mrs x1, CurrentEL
  lsr x1, x1, #2
  adrp x2, entry_level
  str x1, [x2, :lo12:entry_level]
  adrp x2, device_tree
  str x0, [x2, :lo12:device_tree]
  adrp x3, vectors
  add x3, x3, :lo12:vectors
  adrp x4, stack_el1
  cmp x1, #2
  b.ne 2f
  msr VBAR_EL2, x3
  adrp x0, stack_el2
  mov sp, x0
  ldr x0, =HCR_RW
  msr HCR_EL2, x0
  mov x0, #3
  msr CNTHCTL_EL2, x0             // EL1 may use the physical counter and timer
  msr CNTVOFF_EL2, xzr
  ldr x0, =0x33FF                 // CPTR_EL2: RES1 bits, nothing trapped
  msr CPTR_EL2, x0
  msr VTTBR_EL2, xzr
  mrs x0, ID_AA64PFR0_EL1         // GIC, bits 27–24: let EL1 use the system registers of a GICv3
  ubfx x0, x0, #24, #4
  cbz x0, 1f
  mov x0, #0xF
  msr S3_4_C12_C9_5, x0           // ICC_SRE_EL2
  isb
1:
  ldr x0, =0x30D00800             // RES1 bits
  msr SCTLR_EL1, x0
  msr VBAR_EL1, x3
  msr SP_EL1, x4
  adrp x0, stays_at_el2
  ldr w0, [x0, :lo12:stays_at_el2]
  cbnz w0, 3f
  mov x0, #SPSR_EL1H
  msr SPSR_EL2, x0
  adr x0, 3f
  msr ELR_EL2, x0
  eret
2:
  ldr x0, =0x30D00800             // a reset leaves some of it undefined
  msr SCTLR_EL1, x0
  msr VBAR_EL1, x3
  mov sp, x4
3:
  isb
  bl main
  b power_off

// void power_off(void): by PSCI, through whatever instruction its firmware listens to.
.globl power_off
power_off:
  movz w0, #0x8400, lsl #16
  movk w0, #8                     // SYSTEM_OFF
  adrp x1, entry_level
  ldr x1, [x1, :lo12:entry_level]
  cmp x1, #2
  b.eq 1f
  hvc #0
1:
  smc #0
2:
  wfi
  b 2b

// A test that is to run at EL2 defines this as 1.
.weak stays_at_el2
  .section .rodata
  .balign 4
stays_at_el2: .word 0
  .text

// ---- Vectors, for whichever level takes the exception. A frame is struct frame of test.h. ------------------
.macro vector index:req
  .balign 128
  sub sp, sp, #320
  stp x0, x1, [sp]
  mov x0, #\index
  b save
.endm
  .balign 2048
.globl vectors
vectors:
.set i, 0
.rept 16
  vector i
  .set i, i + 1
.endr

save:
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x19, [sp, #144]
  stp x20, x21, [sp, #160]
  stp x22, x23, [sp, #176]
  stp x24, x25, [sp, #192]
  stp x26, x27, [sp, #208]
  stp x28, x29, [sp, #224]
  str x30, [sp, #240]
  mrs x19, CurrentEL
  lsr x19, x19, #2
  cmp x19, #2
  b.eq 1f
  mrs x2, ELR_EL1
  mrs x3, SPSR_EL1
  mrs x4, ESR_EL1
  mrs x5, FAR_EL1
  mov x6, #0
  b 2f
1:
  mrs x2, ELR_EL2
  mrs x3, SPSR_EL2
  mrs x4, ESR_EL2
  mrs x5, FAR_EL2
  mrs x6, HPFAR_EL2
2:
  stp x2, x3, [sp, #248]
  stp x4, x5, [sp, #264]
  stp x6, x0, [sp, #280]
  str x19, [sp, #296]
  mov x0, sp
  bl exception
  ldp x2, x3, [sp, #248]
  cmp x19, #2
  b.eq 3f
  msr ELR_EL1, x2
  msr SPSR_EL1, x3
  b 4f
3:
  msr ELR_EL2, x2
  msr SPSR_EL2, x3
4:
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
  ldr x30, [sp, #240]
  add sp, sp, #320
  eret

// u64 call_el0(function, argument, spsr): runs the function at EL0 until it returns.
.globl call_el0
call_el0:
  adrp x9, stack_el0
  msr SP_EL0, x9
  msr ELR_EL1, x0
  msr SPSR_EL1, x2
  mov x8, x30
  adr x30, leave_el0
  b enter
// u64 call_el1(function, argument, spsr): from EL2.
.globl call_el1
call_el1:
  adrp x9, stack_el1
  msr SP_EL1, x9
  msr ELR_EL2, x0
  msr SPSR_EL2, x2
  mov x8, x30
  adr x30, leave_el1
enter:
  // The caller's registers wait on its stack, whose pointer waits by level.
  mrs x9, CurrentEL
  adrp x10, resume
  add x10, x10, :lo12:resume
  add x10, x10, x9                // 4 or 8
  add x10, x10, x9
  stp x19, x20, [sp, #-112]!
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x8, [sp, #80]
  ldr x11, [x10]
  str x11, [sp, #96]              // calls nest
  mov x11, sp
  str x11, [x10]
  mov x0, x1
  eret
leave_el0:
  svc #0xFFF
leave_el1:
  hvc #0xFFF

// Where the exception handler goes after one of these calls: X0 = result.
.globl resume_call
resume_call:
  mrs x9, CurrentEL
  adrp x10, resume
  add x10, x10, :lo12:resume
  add x10, x10, x9
  add x10, x10, x9
  ldr x11, [x10]
  mov sp, x11
  ldr x11, [sp, #96]
  str x11, [x10]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp x19, x20, [sp], #112
  ret

  .bss
  .balign 16
.globl entry_level, device_tree
entry_level: .skip 8
device_tree: .skip 8
resume: .skip 32
  .balign 4096
.globl stack_el0
  .skip 8192
stack_el0:
  .skip 8192
stack_el1:
  .skip 8192
stack_el2:
