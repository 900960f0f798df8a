# Interrupt gates and IRET in IA-32e mode: the frame, what a gate may be, what IRET checks. Intel SDM; sections are cited by title.
# (exceptions64 has the exceptions themselves, syscall64 the other ways into ring 0.)

.include "long.inc"
.include "check.inc"

  .section .gdt, "aw"
.set CODE32, GDT_FREE             # compatibility mode, DPL 0
.set CODE_L_AND_D, GDT_FREE + 0x08
.set CODE_ABSENT, GDT_FREE + 0x10
.set DATA_ABSENT, GDT_FREE + 0x18
.set DATA_READ, GDT_FREE + 0x20
.set UDATA_ABSENT, GDT_FREE + 0x28
  .quad 0x00CF9B000000FFFF
  .quad 0x00EF9B000000FFFF
  .quad 0x00201B0000000000
  .quad 0x00CF13000000FFFF
  .quad 0x00CF91000000FFFF
  .quad 0x00CF73000000FFFF

  .data
  .balign 8
not_canonical: .quad 0x800000000000

  .bss
  .balign 16
seen: .skip 32
saved_rsp: .skip 8
  .balign 16
frame_stack: .skip 256
frame_stack_top:

# IRETQ with this frame, at CPL 0, must fault. What is pushed: memory, immediate or register.
.macro iretq_faults name:req, vector:req, error:req, rip:req, cs:req, flags:req, rsp:req, ss:req
  expect "IRETQ: \name", \vector, "\error", "push \ss; push \rsp; push \flags; push \cs; push \rip", "iretq"
.endm
# Go to ring 3; back at the end of this macro by whatever exception comes.
.macro visit_user target:req, cs=UCODE
  store recover_ip, "offset .Lback\@"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  push UDATA
  push offset user_stack_top
  push 2
  push \cs
  push offset \target
  iretq
.Lback\@:
  store recover_ip, 0
.endm

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  # Volume 2, IRET. In 64-bit mode it always pops SS:RSP; SS may be null below ring 3.
  mov [saved_rsp], rsp
  push 0
  push [saved_rsp]
  push 2
  push KCODE
  push offset 1f
  iretq
1:
  mov eax, ss
  check "IRETQ: null SS in ring 0", rax, 0
  check "IRETQ: RSP is popped", rsp, "[saved_rsp]"
  mov eax, KDATA
  mov ss, eax
  sub rsp, 20                     # IRETD: five doublewords
  mov dword ptr [rsp], offset 1f
  mov dword ptr [rsp + 4], KCODE
  mov dword ptr [rsp + 8], 0x0001
  mov rax, [saved_rsp]
  mov [rsp + 12], eax
  mov dword ptr [rsp + 16], KDATA
  iretd
1:
  setc al
  movzx eax, al
  check "IRETD in 64-bit mode: flags", rax, 1
  check "IRETD in 64-bit mode: ESP is popped", rsp, "[saved_rsp]"
  push KDATA
  push [saved_rsp]
  push 0x20002                    # VM: there is no virtual-8086 mode here
  push KCODE
  push offset 1f
  iretq
1:
  mov eax, cs
  check "IRETQ: VM has no effect", rax, KCODE
  iretq_faults "null CS", V_GP, 0, 0, 0, 2, 0, KDATA
  iretq_faults "CS is data", V_GP, KDATA, 0, KDATA, 2, 0, KDATA
  iretq_faults "CS past the GDT", V_GP, 0xFF8, 0, 0xFF8, 2, 0, KDATA
  iretq_faults "CS not present", V_NP, CODE_ABSENT, 0, CODE_ABSENT, 2, 0, KDATA
  iretq_faults "CS with both L and D", V_GP, CODE_L_AND_D, 0, CODE_L_AND_D, 2, 0, KDATA
  iretq_faults "RPL of CS is not its DPL", V_GP, "UCODE & ~3", 0, "UCODE & ~3", 2, 0, KDATA
  iretq_faults "null SS in ring 3", V_GP, 0, 0, UCODE, 2, 0, 0
  iretq_faults "RPL of SS is not that of CS", V_GP, KDATA, 0, UCODE, 2, 0, KDATA
  iretq_faults "DPL of SS is not the new CPL", V_GP, KDATA, 0, UCODE, 2, 0, "KDATA | 3"
  iretq_faults "SS is read-only", V_GP, DATA_READ, 0, KCODE, 2, 0, DATA_READ
  iretq_faults "SS is code", V_GP, KCODE, 0, KCODE, 2, 0, KCODE
  iretq_faults "SS not present", V_SS, DATA_ABSENT, 0, KCODE, 2, 0, DATA_ABSENT
  iretq_faults "SS not present, ring 3", V_SS, "UDATA_ABSENT", 0, UCODE, 2, 0, "UDATA_ABSENT | 3"
  iretq_faults "RIP not canonical", V_GP, 0, "[not_canonical]", KCODE, 2, 0, KDATA
  iretq_faults "RIP not canonical, ring 3", V_GP, 0, "[not_canonical]", UCODE, 2, 0, UDATA
  expect "IRETQ with NT", V_GP, 0, "pushfq; or dword ptr [rsp], 0x4000; popfq", "iretq"
  expect_user "IRETQ to an inner level", V_GP, KCODE, "push KDATA; push 0; push 2; push KCODE; push 0", "iretq"
  expect_user "REX.W RETF to an inner level", V_GP, KCODE, "push KCODE; push 0", "rex.w retf"
  # "Returning from a Called Procedure": a return to an outer level makes null what that level may not use.
  mov eax, KDATA
  mov ds, eax
  mov eax, UDATA
  mov es, eax
  visit_user user_look
  check "IRETQ to ring 3: DS is null", rbx, 0
  check "IRETQ to ring 3: ES is kept", rcx, UDATA
  # At CPL 3, IRETQ changes neither IOPL nor IF.
  visit_user user_iretq
  mov rax, [fault_flags]
  and eax, 0x3201
  check "IRETQ at CPL 3: CF changes, IF and IOPL do not", rax, 1

  # "64-Bit Mode Stack Frame": SS:RSP is always pushed, and RSP is aligned to 16 bytes first.
  lea rax, [note_frame]
  mov [handlers + 0x91 * 8], rax
  mov rbx, rsp
  lea rsp, [frame_stack_top - 3]
  int 0x91
  mov rax, rsp
  mov rsp, rbx
  check "INT n in ring 0: saved RSP", "[seen + 8]", "offset frame_stack_top - 3"
  check "INT n in ring 0: saved SS", "[seen + 16]", KDATA
  check "INT n in ring 0: the frame is aligned", "[seen]", "offset frame_stack_top - 16 - 40"
  check "IRETQ restores RSP", rax, "offset frame_stack_top - 3"
  # "64-Bit Mode IDT": gates lead to 64-bit code and there are two types of them.
  mov word ptr [idt + 0x92 * 16 + 2], CODE32
  expect "INT n: gate to 32-bit code", V_GP, CODE32, "", "int 0x92"
  mov word ptr [idt + 0x92 * 16 + 2], 0
  expect "INT n: gate to null", V_GP, 0, "", "int 0x92"
  mov word ptr [idt + 0x92 * 16 + 2], CODE_ABSENT
  expect "INT n: gate to absent code", V_NP, CODE_ABSENT, "", "int 0x92"
  mov word ptr [idt + 0x92 * 16 + 2], KCODE
  mov dword ptr [idt + 0x92 * 16 + 8], 0x8000
  expect "INT n: gate to a non-canonical address", V_GP, 0, "", "int 0x92"
  mov dword ptr [idt + 0x92 * 16 + 8], 0
  mov byte ptr [idt + 0x92 * 16 + 5], 0x85
  expect "INT n: task gate", V_GP, "0x92 * 8 + 2", "", "int 0x92"
  mov byte ptr [idt + 0x92 * 16 + 5], 0x86
  expect "INT n: 16-bit gate", V_GP, "0x92 * 8 + 2", "", "int 0x92"
  call checks_done

# Handler: RDI -> frame.
note_frame:
  lea rax, [rdi + FRAME_IP]
  mov [seen], rax
  mov rax, [rdi + FRAME_SP]
  mov [seen + 8], rax
  mov rax, [rdi + FRAME_SS]
  mov [seen + 16], rax
  ret

  .section .user, "awx"
user_look:
  mov ebx, ds
  mov ecx, es
  ud2
user_iretq:
  push UDATA
  push offset user_stack_top
  push 0x3203
  push UCODE
  push offset user_stop
  iretq
user_stop:
  ud2
