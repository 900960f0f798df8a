# A guest that does nothing: a timer interrupt every 10 ms, HLT in between. For measuring what an idle machine costs.

.include "long.inc"

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  store "handlers + IRQ_BASE * 8", "offset tick"
  mov ebx, PIT_HZ / 100
  call pit_start
  mov al, 0xFE                    # unmask IRQ 0
  out PIC1 + 1, al
  print "start\n"
1:
  sti
  hlt
  jmp 1b

tick:
  pic_eoi
  ret
