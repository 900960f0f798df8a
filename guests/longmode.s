# A small 64-bit kernel and a program in ring 3: system calls by SYSCALL and by INT 80h, timer interrupts taken
# while ring 3 runs, and what ring 3 does wrong arriving as exceptions.

.include "long.inc"

# System calls: number in EAX.
.set CALL_WRITE, 0                # RDI -> NUL-terminated text
.set CALL_EXIT, 1                 # EDI = exit code
.set CALL_COUNT, 2

  .bss
  .balign 8
syscall_user_rsp: .skip 8
sysret_refused: .skip 8
syscall_stays: .skip 8
  .skip 2048
syscall_stack_top:

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  print "kernel: long mode, own page tables, GDT, TSS and IDT\n"

  # SYSCALL: CS and SS from STAR, RIP from LSTAR, RFLAGS masked by FMASK (SDM vol. 3, 5.8.8). It does not load RSP.
  mov ecx, MSR_STAR
  xor eax, eax
  mov edx, (UCODE32 << 16) | KCODE
  wrmsr
  mov ecx, MSR_LSTAR
  lea rax, [syscall_entry]
  xor edx, edx
  wrmsr
  mov ecx, MSR_FMASK
  mov eax, 0x40700                # AC, DF, IF, TF: off in the kernel
  wrmsr

  gate_dpl 0x80, 3
  store "handlers + 0x80 * 8", "offset int80_handler"
  store "handlers + V_UD * 8", "offset ud_handler"
  store "handlers + V_GP * 8", "offset gp_handler"
  store "handlers + V_PF * 8", "offset pf_handler"
  store "handlers + IRQ_BASE * 8", "offset tick_handler"

  mov ebx, PIT_HZ / 200
  call pit_start
  mov al, 0xFE                    # unmask IRQ 0
  out PIC1 + 1, al

  print "kernel: to ring 3 by IRETQ\n"
  enter_user program, 0x202

# SYSCALL arrives here: RCX = return address, R11 = RFLAGS, interrupts off, RSP still the user's.
syscall_entry:
  mov [syscall_user_rsp], rsp
  lea rsp, [syscall_stack_top]
  push rcx
  push r11
  call system_call
  pop r11
  pop rcx
  cmp dword ptr [sysret_refused], 0
  jne syscall_return_iretq
  mov rsp, [syscall_user_rsp]
sysretq_here:
  sysretq
# The slower way back, which works everywhere.
syscall_return_iretq:
  push UDATA
  push [syscall_user_rsp]
  push r11
  push UCODE
  push rcx
  iretq

# The dispatcher, for both ways in. EAX = number.
system_call:
  cmp eax, CALL_COUNT
  jae 1f
  jmp [call_table + rax * 8]
1:
  mov rax, -1
  ret

call_write:
  push rsi
  mov rsi, rdi
  mov rax, rdi                    # never trust a pointer from ring 3: it must lie in its pages
  sub rax, 0x400000
  cmp rax, 0x200000
  jae 2f
  call puts
2:
  pop rsi
  xor eax, eax
  ret

call_exit:
  mov eax, edi
  out DEBUG_EXIT, al
1:
  hlt
  jmp 1b

# INT 80h: the stub has saved the registers and RDI points to the frame.
int80_handler:
  push rdi
  mov rax, [rdi + FRAME_RAX]
  mov rdi, [rdi + FRAME_RDI]
  call system_call
  pop rdi
  mov [rdi + FRAME_RAX], rax
  ret

tick_handler:
  inc dword ptr [ticks]
  pic_eoi
  ret

# An invalid opcode. Two are known to come from KVM back ends that emulate ring 0 incompletely: SYSRETQ in this
# kernel, and INT 80h in the program; go on without them. The frame is the IRETQ frame to repair.
ud_handler:
  lea rax, [sysretq_here]
  cmp [rdi + FRAME_IP], rax
  jne 1f
  print "kernel: SYSRETQ raised #UD on this back end; system calls return by IRETQ\n"
  mov dword ptr [sysret_refused], 1
  mov rax, [syscall_user_rsp]
  mov [rdi + FRAME_SP], rax
# Make of this exception's frame what SYSRETQ would have done.
return_like_sysret:
  mov qword ptr [rdi + FRAME_CS], UCODE
  mov qword ptr [rdi + FRAME_SS], UDATA
  mov rax, [rdi + FRAME_RCX]
  mov [rdi + FRAME_IP], rax
  mov rax, [rdi + FRAME_R11]
  mov [rdi + FRAME_FLAGS], rax
  ret
1:
  lea rax, [int80_here]
  cmp [rdi + FRAME_IP], rax
  jne 2f
  print "kernel: INT 80h raised #UD on this back end\n"
  add qword ptr [rdi + FRAME_IP], 2
  ret
2:
  print "kernel: #UD"
  jmp bad_fault

gp_handler:
  print "kernel: #GP, error code "
  jmp user_fault

pf_handler:
  # Some KVM back ends let SYSCALL arrive at LSTAR without leaving ring 3: then its first fetch faults. Serve it here.
  lea rax, [syscall_entry]
  cmp [rdi + FRAME_IP], rax
  jne 1f
  cmp dword ptr [syscall_stays], 0
  jne 2f
  print "kernel: SYSCALL does not enter ring 0 on this back end; serving it in the page-fault handler\n"
  mov dword ptr [syscall_stays], 1
2:
  push rdi
  mov rax, [rdi + FRAME_RAX]
  mov rdi, [rdi + FRAME_RDI]
  call system_call
  pop rdi
  mov [rdi + FRAME_RAX], rax
  jmp return_like_sysret
1:
  print "kernel: #PF at "
  mov rax, cr2
  mov ecx, 8
  call put_hex
  print ", error code "

# RDI -> frame. The program keeps in RBX where it wants to go on.
user_fault:
  mov rax, [rdi + FRAME_ERROR]
  mov ecx, 4
  call put_hex
  test byte ptr [rdi + FRAME_CS], 3
  jz bad_fault
  print ", from ring 3\n"
  mov rax, [rdi + FRAME_RBX]
  lea rdx, [rax - 0x400000]
  cmp rdx, 0x200000
  jae bad_fault
  mov [rdi + FRAME_IP], rax
  ret

bad_fault:
  print " at "
  mov rax, [rdi + FRAME_IP]
  mov ecx, 16
  call put_hex
  print ": not expected\n"
  exit 1

  .section .rodata
  .balign 8
call_table:
  .quad call_write, call_exit

# ---- Ring 3 ---------------------------------------------------------------------------------------------
  .section .user
.macro say text:req, trap="syscall"
  lea rdi, [rip + 8f]
  mov eax, CALL_WRITE
  \trap
  jmp 9f
8:
  .asciz "\text"
9:
.endm

program:
  mov eax, cs
  and eax, 3
  cmp eax, 3
  jne 1f
  say "ring 3: CPL is 3\n"
1:
  say "ring 3: hello by SYSCALL\n"
  say "ring 3: hello by INT 80h\n", "int80_here: int 0x80"

  # Spin until the kernel has counted three timer interrupts: they can only arrive while this loop runs.
  mov ecx, 2000000000
2:
  cmp dword ptr [rip + ticks], 3
  jae 3f
  dec ecx
  jnz 2b
  say "timer: no\n"
  jmp 4f
3:
  say "timer: yes\n"
4:
  say "ring 3: CLI\n"
  lea rbx, [rip + 5f]
  cli
5:
  say "ring 3: read a kernel page\n"
  lea rbx, [rip + 6f]
  mov rax, [0x100000]
6:
  say "ring 3: write a kernel page\n"
  lea rbx, [rip + 7f]
  mov [0x100ff8], rax
7:
  say "ring 3: MOV RAX, CR3\n"
  lea rbx, [rip + 1f]
  mov rax, cr3
1:
  say "ring 3: done\n"
  mov eax, CALL_EXIT
  xor edi, edi
  syscall

  .balign 64
ticks: .long 0
