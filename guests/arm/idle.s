// A guest that does nothing: a timer interrupt every 10 ms, WFI in between. For measuring what an idle machine costs.
// Interrupts stay masked: WFI ends when one is pending, and the next setting of the timer withdraws it.

.include "image.inc"
.include "console.inc"

.set GICD, 0x08000000             // GICv2 (Arm IHI 0048), 4.3
.set GICD_CTLR, 0
.set GICD_ISENABLER, 0x100
.set GICC, 0x08010000             // 4.4
.set GICC_CTLR, 0
.set GICC_PMR, 4
.set TIMER_PPI, 30                // EL1's physical timer

.globl _start
_start:
  adrp x0, stack_top
  mov sp, x0
  ldr x1, =GICD
  mov w2, #1
  str w2, [x1, #GICD_CTLR]
  mov w3, #(1 << TIMER_PPI)
  str w3, [x1, #GICD_ISENABLER]
  ldr x1, =GICC
  mov w3, #0xFF                   // the lowest priority passes
  str w3, [x1, #GICC_PMR]
  str w2, [x1, #GICC_CTLR]
  mrs x4, CNTFRQ_EL0
  mov x5, #100
  udiv x4, x4, x5
  print "start\n"
1:
  msr CNTP_TVAL_EL0, x4
  mov x5, #1                      // CNTP_CTL.ENABLE
  msr CNTP_CTL_EL0, x5
  isb
  wfi
  b 1b

  .bss
  .balign 4096
  .skip 4096
stack_top:
