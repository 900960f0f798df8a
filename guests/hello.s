# The smallest guest worth running: says hello and in which state the CPU entered it.
# Plain ELF64, so the loader enters it in long mode at CPL 0.

.intel_syntax noprefix
.include "word.inc"
.include "ports.inc"
.include "console.inc"

.globl _start
_start:
  call console_init
  print "Hello from tsvm!\n"

  print "CPL "
  mov eax, cs                     # the low two bits of CS are the current privilege level
  and eax, 3
  call put_decimal

  mov ecx, 0xC0000080             # IA32_EFER; bit 10, LMA: long mode is active
  rdmsr
  test eax, 1 << 10
  jz 1f
  print ", long mode"
1:
  mov rax, cr0
  test eax, eax                   # CR0.PG is bit 31
  jns 2f
  print ", paging on"
2:
  pushfq
  pop rax
  test eax, 1 << 9
  jnz 3f
  print ", interrupts off"
3:
  print "\n"
  exit 0
