# The same for a 32-bit process (the i386 system calls of INT 80h).

.intel_syntax noprefix
.include "calls.inc"
.set SYS_EXIT, 1
.set SYS_WRITE, 4
.set SYS_GETPID, 20
.set SYS_MADVISE, 219
.set MADV_DONTNEED, 4
.set MADV_NOHUGEPAGE, 15

  .text
.globl _start
_start:
  lea eax, [no_command_line]
  cmp dword ptr [esp], 2          # argc, then argv
  jb 1f
  mov eax, [esp + 8]
1:
  and esp, -16
  sub esp, 12
  push eax
  call payload
  ud2

.globl kernel_call
kernel_call:
  push ebx
  mov eax, [esp + 8]
  cmp eax, CALL_WRITE
  je 1f
  cmp eax, CALL_EXIT
  je 2f
  mov edx, MADV_NOHUGEPAGE
  cmp eax, CALL_SMALL_PAGES
  je 3f
  mov edx, MADV_DONTNEED
  cmp eax, CALL_UNMAP
  je 3f
  mov eax, SYS_GETPID
  int 0x80
  pop ebx
  ret
1:
  mov eax, SYS_WRITE
  mov ebx, 1
  mov ecx, [esp + 12]
  mov edx, [esp + 16]
  int 0x80
  pop ebx
  ret
2:
  mov eax, SYS_EXIT
  mov ebx, [esp + 12]
  int 0x80
  ud2
3:
  mov eax, SYS_MADVISE
  mov ebx, [esp + 12]
  mov ecx, [esp + 16]
  int 0x80
  pop ebx
  ret

  .section .rodata
no_command_line:
  .byte 0
