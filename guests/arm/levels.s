// Three exception levels in one guest, and how one gets from each to the next: ERET down, HVC and SVC up, traps up.
// Entered at EL2 (QEMU: -M virt,virtualization=on); entered at EL1 it shows the lower two levels only.
//
// The EL2 here is a hypervisor of forty lines: it lets EL1 run, asks to be told of some instructions (HCR_EL2), says
// what each exception was, decoded from ESR_EL2, and skips the instruction that trapped.

.include "image.inc"
.include "console.inc"

.set HCR_RW, 1 << 31              // EL1 is AArch64
.set HCR_TVM, 1 << 26             // trap writes of virtual memory registers
.set HCR_TSC, 1 << 19             // trap SMC
.set HCR_TID3, 1 << 18            // trap reads of the ID registers, group 3
.set HCR_TWI, 1 << 13             // trap WFI
.set SPSR_EL1H, 0x3C5             // EL1 with its own stack pointer; D, A, I, F masked
.set SPSR_EL0T, 0x3C0

.macro address register:req, symbol:req
  adrp \register, \symbol
  add \register, \register, :lo12:\symbol
.endm

.globl _start
_start:
  mrs x20, CurrentEL
  lsr x20, x20, #2
  address x0, stack_el1
  cmp x20, #2
  b.ne start_el1
  address x0, stack_el2
  mov sp, x0
  address x0, vectors_el2
  msr VBAR_EL2, x0
  print "EL2: here is the hypervisor\n"
  ldr x0, =(HCR_RW | HCR_TVM | HCR_TSC | HCR_TID3 | HCR_TWI)
  msr HCR_EL2, x0
  ldr x0, =0x30D00800             // SCTLR_EL1: RES1 bits, MMU and caches off
  msr SCTLR_EL1, x0
  mov x0, #SPSR_EL1H
  msr SPSR_EL2, x0
  adr x0, start_el1
  msr ELR_EL2, x0
  address x0, stack_el1
  eret

// ---- EL1 ------------------------------------------------------------------------------------------------
start_el1:
  mov sp, x0
  address x0, vectors_el1
  msr VBAR_EL1, x0
  print "EL1: here is the kernel\n"
  cmp x20, #2
  b.ne 1f
  mov x0, #42
  hvc #7
  mrs x1, ID_AA64PFR0_EL1
  msr TTBR0_EL1, xzr
  wfi
  movz w0, #0x8400, lsl #16       // PSCI_VERSION
  smc #0
1:
  mov x0, #SPSR_EL0T
  msr SPSR_EL1, x0
  adr x0, start_el0
  msr ELR_EL1, x0
  address x0, stack_el0
  msr SP_EL0, x0
  eret

// ---- EL0 ------------------------------------------------------------------------------------------------
start_el0:
  print "EL0: here is a program\n"
  mov x0, #1
  svc #1
  mrs x1, SCTLR_EL1
  mrs x1, CTR_EL0
  .inst 0x00000000                // UDF
  brk #5
  svc #0                          // ends the program

// ---- Exceptions -----------------------------------------------------------------------------------------
// An entry of a vector table is 128 bytes. Those that nothing here can cause say so.
.macro entry level:req, name:req
  .balign 128
  stp x29, x30, [sp, #-16]!
  b \name\()_el\level
.endm
.macro vectors level:req
  .balign 2048
vectors_el\level:
  .rept 4                         // current level, SP_EL0
  entry \level, unexpected
  .endr
  .rept 4                         // current level, SP_ELx
  entry \level, unexpected
  .endr
  entry \level, lower             // lower level, AArch64: synchronous
  .rept 7                         // its interrupts and SError; lower level, AArch32
  entry \level, unexpected
  .endr
.endm
vectors 1
vectors 2

// Saves what is used, prints a line, acts, returns. \level takes the exception.
.macro handler level:req
lower_el\level:
  stp x0, x1, [sp, #-64]!
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  mrs x4, ESR_EL\level
  mrs x5, ELR_EL\level
  mov x6, #\level
  bl describe
  lsr x0, x4, #26                 // EC
  cmp x0, #0x15                   // SVC and HVC return behind themselves; of the others the address is their own
  b.eq 1f
  cmp x0, #0x16
  b.eq 1f
  add x5, x5, #4
  msr ELR_EL\level, x5
1:
  cmp x0, #0x15
  b.ne 2f
  tst x4, #0xFFFF                 // SVC #0: the program is done
  b.eq finish
2:
  ldp x6, x7, [sp, #48]
  ldp x4, x5, [sp, #32]
  ldp x2, x3, [sp, #16]
  ldp x0, x1, [sp], #64
  ldp x29, x30, [sp], #16
  eret

unexpected_el\level:
  print "FAIL: an exception that nothing here causes, ESR "
  mrs x0, ESR_EL\level
  mov x1, #8
  bl put_hex
  print "\n"
  b power_off
.endm
handler 1
handler 2

// The kernel ends the run. It cannot use power_off if there is a hypervisor that keeps SMC for itself: it asks for it.
finish:
  print "EL1: the program is done\n"
  cmp x20, #2
  b.ne power_off
  hvc #0

// X4 = ESR, X5 = ELR, X6 = level that took it. Prints "ELn: took NAME, EC ee, ISS iiiiiii" and what the ISS says.
describe:
  stp x29, x30, [sp, #-16]!
  print "  EL"
  add w0, w6, #'0'
  bl putc
  print " takes "
  lsr x7, x4, #26
  address x1, names
1:
  ldr w2, [x1], #4
  ldr w3, [x1], #4
  cbz w3, 2f                      // the list's end: without a name
  cmp w2, w7
  b.ne 1b
  adr x0, names
  add x0, x0, w3, sxtw
  bl puts
2:
  print ": EC "
  mov x0, x7
  mov x1, #2
  bl put_hex
  print " ISS "
  and x0, x4, #0x1FFFFFF
  mov x1, #7
  bl put_hex
  cmp w7, #0x18
  b.eq describe_register
  cmp w7, #0x16
  b.ne 3f
  tst x4, #0xFFFF
  b.eq hypervisor_off
3:
  print "\n"
  ldp x29, x30, [sp], #16
  ret

// HVC #0: what the hypervisor does for its kernel.
hypervisor_off:
  print "\nEL2: off\n"
  b power_off

// ISS of a trapped MSR or MRS (Arm ARM D17.2.37): op0 op1 CRn CRm op2, Rt, direction.
describe_register:
  tbz x4, #0, 1f
  print ", read of S"
  b 2f
1:
  print ", write of S"
2:
  ubfx w0, w4, #20, #2
  bl put_decimal
  print "_"
  ubfx w0, w4, #14, #3
  bl put_decimal
  print "_C"
  ubfx w0, w4, #10, #4
  bl put_decimal
  print "_C"
  ubfx w0, w4, #1, #4
  bl put_decimal
  print "_"
  ubfx w0, w4, #17, #3
  bl put_decimal
  print ", X"
  ubfx w0, w4, #5, #5
  bl put_decimal
  b 3b

// W0 below 100.
put_decimal:
  stp x29, x30, [sp, #-16]!
  mov w2, #10
  udiv w3, w0, w2
  msub w2, w3, w2, w0
  cbz w3, 1f
  add w0, w3, #'0'
  bl putc
1:
  add w0, w2, #'0'
  bl putc
  ldp x29, x30, [sp], #16
  ret

// Exception classes (Arm ARM D17.2.37): number, offset of the name from here.
.macro name class:req, text:req
  .pushsection .rodata
.Lname\@:
  .asciz "\text"
  .popsection
  .word \class, .Lname\@ - names
.endm
  .balign 8
names:
  name 0x00, "an undefined instruction"
  name 0x01, "a trapped WFI"
  name 0x15, "SVC"
  name 0x16, "HVC"
  name 0x17, "a trapped SMC"
  name 0x18, "a trapped system register"
  name 0x3C, "BRK"
  .word 0, 0

  .bss
  .balign 4096
  .skip 4096
stack_el2:
  .skip 4096
stack_el1:
  .skip 4096
stack_el0:
