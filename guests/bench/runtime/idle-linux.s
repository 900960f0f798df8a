# A process that does nothing: says that it is there, then sleeps until a signal ends it. For measuring what an idle
# process or container costs.

.intel_syntax noprefix
.set SYS_WRITE, 1
.set SYS_PAUSE, 34

  .text
.globl _start
_start:
  mov eax, SYS_WRITE
  mov edi, 1
  lea rsi, [text]
  mov edx, 6
  syscall
1:
  mov eax, SYS_PAUSE
  syscall
  jmp 1b

  .section .rodata
text:
  .ascii "start\n"
