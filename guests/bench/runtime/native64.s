# Below the payload, Linux: a 64-bit process without a C library. The services are system calls.

.intel_syntax noprefix
.include "calls.inc"
.set SYS_WRITE, 1
.set SYS_MADVISE, 28
.set SYS_GETPID, 39
.set SYS_EXIT, 60
.set MADV_DONTNEED, 4
.set MADV_NOHUGEPAGE, 15

  .text
.globl _start
_start:
  lea rdi, [no_command_line]
  cmp qword ptr [rsp], 2          # argc, then argv
  jb 1f
  mov rdi, [rsp + 16]
1:
  and rsp, -16
  call payload
  ud2

.globl kernel_call
kernel_call:
  cmp edi, CALL_WRITE
  je 1f
  cmp edi, CALL_EXIT
  je 2f
  cmp edi, CALL_SMALL_PAGES
  je 3f
  cmp edi, CALL_UNMAP
  je 4f
  mov eax, SYS_GETPID             # CALL_SYSTEM: the cheapest way into the kernel and back
  syscall
  ret
1:
  mov eax, SYS_WRITE
  mov edi, 1
  syscall
  ret
2:
  mov eax, SYS_EXIT
  mov edi, esi
  syscall
  ud2
3:
  mov eax, MADV_NOHUGEPAGE
  jmp 5f
4:
  mov eax, MADV_DONTNEED
5:
  mov rdi, rsi
  mov rsi, rdx
  mov edx, eax
  mov eax, SYS_MADVISE
  syscall
  ret

  .section .rodata
no_command_line:
  .byte 0
