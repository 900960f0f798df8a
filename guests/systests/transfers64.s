# Far transfers in IA-32e mode: JMP, CALL and RET between segments, call gates, and the way between 64-bit mode and
# compatibility mode. Intel SDM; sections are cited by title.

.include "long.inc"
.include "check.inc"

  .section .gdt, "aw"
.set CODE32, GDT_FREE             # compatibility mode, DPL 0
.set CODE16, GDT_FREE + 0x08      # the same with D = 0, base at code16
.set CODE_L_AND_D, GDT_FREE + 0x10
.set CODE_ABSENT, GDT_FREE + 0x18
.set CONFORMING, GDT_FREE + 0x20  # 64-bit, DPL 0
.set SMALL, GDT_FREE + 0x28       # limit FFFh
.set LDT, GDT_FREE + 0x30
.set GATE, GDT_FREE + 0x40        # DPL 3, to ring 0
.set GATE_DPL0, GDT_FREE + 0x50
.set GATE_ABSENT, GDT_FREE + 0x60
.set GATE_TO_32, GDT_FREE + 0x70
.set GATE_TO_DATA, GDT_FREE + 0x80
.set GATE_TO_NULL, GDT_FREE + 0x90
.set GATE_TO_ABSENT, GDT_FREE + 0xA0
.set GATE_BAD_TYPE, GDT_FREE + 0xB0   # the type field in the upper half is not 0
.set GATE_NOT_CANONICAL, GDT_FREE + 0xC0
.set GATE_TO_CONFORMING, GDT_FREE + 0xD0
.set GATE16, GDT_FREE + 0xE0      # types that IA-32e mode does not have
.set TASK_GATE, GDT_FREE + 0xF0
.set GATE_CUT, GDT_FREE + 0x100   # its upper half lies past the limit of the GDT
# A 64-bit call gate (volume 3, "IA-32e Mode Call Gates"); set_gate fills in the offset.
.macro call_gate selector:req, access=0xEC, upper=0, upper_type=0
  .word 0, \selector
  .byte 0, \access
  .word 0
  .long \upper, (\upper_type) << 8
.endm
  .quad 0x00CF9B000000FFFF
  .quad 0x00009B000000FFFF
  .quad 0x00EF9B000000FFFF
  .quad 0x00201B0000000000
  .quad 0x00209F0000000000
  .quad 0x0040930000000FFF
  .quad 0x0000820000000007, 0
  call_gate KCODE
  call_gate KCODE, 0x8C
  call_gate KCODE, 0x6C
  call_gate CODE32
  call_gate KDATA
  call_gate 0
  call_gate CODE_ABSENT
  call_gate KCODE, 0xEC, 0, 1
  call_gate KCODE, 0xEC, 0x8000
  call_gate CONFORMING
  call_gate KCODE, 0xE4
  call_gate TSS, 0xE5
  .quad 0x0000EC0000080000

  .data
  .balign 16
ldt: .quad 0x00209B0000000000     # selector 4: 64-bit code, DPL 0
far_pointer: .skip 16
not_canonical: .quad 0x800000000000

  .bss
  .balign 16
seen: .skip 64

.macro set_gate selector:req, symbol:req
  lea rax, [\symbol]
  mov [gdt + \selector], ax
  shr eax, 16
  mov [gdt + \selector + 6], ax
.endm
.macro set_far selector:req, offset=0
  mov qword ptr [far_pointer], \offset
  mov word ptr [far_pointer + 4], \selector
.endm
# JMP m16:32 and CALL m16:32 to this selector must fault.
.macro far_faults name:req, vector:req, error:req, selector:req, offset=0
  expect "JMP \name", \vector, "\error", "set_far \selector, \offset", "ljmp [far_pointer]"
  expect "CALL \name", \vector, "\error", "set_far \selector, \offset", "lcall [far_pointer]"
.endm
# The same from ring 3, whose own pointer that is.
.macro user_far_faults name:req, vector:req, error:req, selector:req
  expect_user "JMP \name", \vector, "\error", "mov word ptr [user_pointer + 4], \selector", "ljmp [user_pointer]"
  expect_user "CALL \name", \vector, "\error", "mov word ptr [user_pointer + 4], \selector", "lcall [user_pointer]"
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
# Run compatibility-mode code at CPL 0; it comes back by a far jump to `back`.
.macro visit_compat selector:req, offset:req, back:req
  set_far \selector, "\offset"
  ljmp [far_pointer]
\back:
.endm
# Compatibility-mode code at `target` must fault at `at`.
.macro compat_faults name:req, vector:req, error:req, target:req, at:req
  set_far CODE32, "offset \target"
  store recover_ip, "offset .Lafter\@"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  ljmp [far_pointer]
.Lafter\@:
  check_fault "\name", \vector, "\error", \at
.endm
# Access rights, or 0 where LAR says no.
.macro lar_is name:req, selector:req, want:req
  xor eax, eax
  mov edx, \selector
  lar eax, edx
  and eax, 0xFF00
  check "\name", rax, \want
.endm
.macro far_jump32 selector:req, target:req
  .byte 0xEA
  .long \target
  .word \selector
.endm

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  set_gate GATE, gate_target
  set_gate GATE_DPL0, gate_target
  set_gate GATE_ABSENT, gate_target
  set_gate GATE_TO_32, gate_target
  set_gate GATE_TO_DATA, gate_target
  set_gate GATE_TO_NULL, gate_target
  set_gate GATE_TO_ABSENT, gate_target
  set_gate GATE_BAD_TYPE, gate_target
  set_gate GATE_NOT_CANONICAL, gate_target
  set_gate GATE_TO_CONFORMING, user_conforming_target
  set_gate GATE16, gate_target
  lea rax, [code16]
  mov [gdt + CODE16 + 2], ax
  shr eax, 16
  mov [gdt + CODE16 + 4], al
  lea rax, [ldt]
  mov [gdt + LDT + 2], ax
  shr eax, 16
  mov [gdt + LDT + 4], al

  # Volume 2, JMP, CALL, RET: operand size 32 pushes and pops 4 bytes each, REX.W makes that 8.
  set_far KCODE, "offset 1f"
  mov rbx, rsp
  ljmp [far_pointer]
  ud2
1:
  check "JMP m16:32: RSP", rsp, rbx
  set_far KCODE, "offset far_target32"
  lcall [far_pointer]
after_call32:
  check "CALL m16:32: return address", "[seen]", "offset after_call32"
  check "CALL m16:32: CS", "[seen + 8]", KCODE
  lea rax, [rbx - 8]
  check "CALL m16:32: takes 8 bytes", "[seen + 16]", rax
  check "RETF: RSP", rsp, rbx
  push 0x1234
  lcall [far_pointer]             # (the target is RETF once more)
  pop rax
  check "RETF leaves what lies above", rax, 0x1234
  xor eax, eax
  cpuid
  cmp ebx, 0x756E6547             # "Genu": only Intel processors have far pointers m16:64
  jne no_pointer64
  lea rax, [far_target64]
  mov [far_pointer], rax
  mov word ptr [far_pointer + 8], KCODE
  mov rbx, rsp
  rex.w lcall [far_pointer]
after_call64:
  check "CALL m16:64: return address", "[seen]", "offset after_call64"
  check "CALL m16:64: CS", "[seen + 8]", KCODE
  lea rax, [rbx - 16]
  check "CALL m16:64: takes 16 bytes", "[seen + 16]", rax
  check "REX.W RETF: RSP", rsp, rbx
  mov rax, [not_canonical]
  mov [far_pointer], rax
  expect "JMP m16:64 to a non-canonical address", V_GP, 0, "", "rex.w ljmp [far_pointer]"
  expect "CALL m16:64 to a non-canonical address", V_GP, 0, "", "rex.w lcall [far_pointer]"
no_pointer64:
  expect "REX.W RETF to a non-canonical address", V_GP, 0, "push KCODE; push [not_canonical]", "rex.w retf"
  expect "9Ah is undefined in 64-bit mode", V_UD, 0, "", ".byte 0x9A, 0, 0, 0, 0, 8, 0"
  expect "EAh is undefined in 64-bit mode", V_UD, 0, "", ".byte 0xEA, 0, 0, 0, 0, 8, 0"

  # Volume 3, "Privilege Level Checking When Transferring Program Control Between Code Segments"; volume 2, CALL and JMP,
  # IA-32E-MODE.
  far_faults "to a null selector", V_GP, 0, 0
  far_faults "to a null selector with RPL 3", V_GP, 0, 3
  far_faults "past the GDT", V_GP, 0xFF8, 0xFF8
  far_faults "to data", V_GP, KDATA, KDATA
  far_faults "to a TSS: no task switches here", V_GP, SPARE_TSS, SPARE_TSS
  far_faults "to an LDT", V_GP, LDT, LDT
  far_faults "to code of DPL 3", V_GP, "UCODE & ~3", UCODE
  far_faults "to code with RPL above CPL", V_GP, KCODE, KCODE+3
  far_faults "to code with both L and D", V_GP, CODE_L_AND_D, CODE_L_AND_D
  far_faults "to code that is not present", V_NP, CODE_ABSENT, CODE_ABSENT
  xor eax, eax
  lldt ax
  far_faults "into an LDT that is not there", V_GP, 4, 4
  mov eax, LDT
  lldt ax
  set_far 4, "offset 1f"
  ljmp [far_pointer]
1:
  mov eax, cs
  check "JMP to a code segment of the LDT", rax, 4
  far_faults "past the limit of the LDT", V_GP, 0x0C, 0x0C
  set_far KCODE, "offset 1f"
  ljmp [far_pointer]
1:
  user_far_faults "to DPL 0 from ring 3", V_GP, KCODE, KCODE
  mov dword ptr [user_pointer], offset user_stop
  mov word ptr [user_pointer + 4], CONFORMING
  visit_user user_far_jump
  check "JMP to conforming code keeps CPL", "[fault_cs]", "CONFORMING | 3"
  check "JMP to conforming code arrives", "[fault_ip]", "offset user_stop"

  # "IA-32e Mode Call Gates": 16 bytes, to 64-bit code only; the types of 16-bit gates and task gates do not exist.
  mov rbx, rsp
  set_far GATE_DPL0
  lcall [far_pointer]
after_gate:
  check "gate, same level: return address", "[seen]", "offset after_gate"
  check "gate, same level: CS", "[seen + 8]", KCODE
  lea rax, [rbx - 16]
  check "gate, same level: takes 16 bytes", "[seen + 32]", rax
  check "gate, same level: RSP", rsp, rbx
  far_faults "through a gate that is not present", V_NP, GATE_ABSENT, GATE_ABSENT
  far_faults "through a gate, RPL above its DPL", V_GP, GATE_DPL0, GATE_DPL0+3
  far_faults "through a gate to 32-bit code", V_GP, CODE32, GATE_TO_32
  far_faults "through a gate to data", V_GP, KDATA, GATE_TO_DATA
  far_faults "through a gate to null", V_GP, 0, GATE_TO_NULL
  far_faults "through a gate to absent code", V_NP, CODE_ABSENT, GATE_TO_ABSENT
  far_faults "through a gate with a type in its upper half", V_GP, GATE_BAD_TYPE, GATE_BAD_TYPE
  far_faults "through a gate to a non-canonical address", V_GP, 0, GATE_NOT_CANONICAL
  far_faults "through a gate cut by the limit", V_GP, GATE_CUT, GATE_CUT
  far_faults "through a 16-bit gate", V_GP, GATE16, GATE16
  far_faults "through a task gate", V_GP, TASK_GATE, TASK_GATE
  user_far_faults "through a gate of DPL 0", V_GP, GATE_DPL0, GATE_DPL0
  expect_user "JMP through a gate to an inner level", V_GP, KCODE, "mov word ptr [user_pointer + 4], GATE", "ljmp [user_pointer]"

  # "Stack Switching in IA-32e Mode": RSP from the TSS, SS null with the new CPL, SS:RSP and CS:RIP on it, no parameters.
  mov word ptr [user_pointer + 4], GATE
  visit_user user_far_call
  check "gate from ring 3: returned", "[fault_ip]", "offset user_after_far_call"
  check "gate from ring 3: RIP", "[seen]", "offset user_after_far_call"
  check "gate from ring 3: CS", "[seen + 8]", UCODE
  check "gate from ring 3: RSP", "[seen + 16]", "offset user_stack_top"
  check "gate from ring 3: SS", "[seen + 24]", UDATA
  check "gate from ring 3: stack of the TSS", "[seen + 32]", "offset isr_stack_top - 32"
  check "gate from ring 3: SS is null", "[seen + 40]", 0
  check "gate from ring 3: CS inside", "[seen + 48]", KCODE
  check "REX.W RETF to ring 3: RSP", "[fault_sp]", "offset user_stack_top"
  check "REX.W RETF to ring 3: SS", "[fault_ss]", UDATA
  mov word ptr [user_pointer + 4], GATE_TO_CONFORMING
  visit_user user_far_call
  check "gate to conforming code: CPL stays", "[fault_cs]", "CONFORMING | 3"
  check "gate to conforming code: arrives", "[fault_ip]", "offset user_conforming_target"
  check "gate to conforming code: the stack stays", "[fault_sp]", "offset user_stack_top - 16"
  mov word ptr [user_pointer + 4], GATE
  visit_user user_code32_call, UCODE32
  check "gate from compatibility mode: EIP", "[seen]", "offset user_code32_after_call"
  check "gate from compatibility mode: CS", "[seen + 8]", UCODE32
  check "gate from compatibility mode: ESP", "[seen + 16]", "offset user_stack_top"
  check "gate from compatibility mode: SS", "[seen + 24]", UDATA
  check "gate from compatibility mode: runs 64-bit code", "[seen + 48]", KCODE
  check "RETF to compatibility mode", "[fault_cs]", UCODE32

  # Volume 3, "Compatibility Mode": 32-bit code at CPL 0. Segments have bases and limits, addresses have 32 bits.
  mov eax, KDATA
  mov ds, eax
  mov es, eax
  lea rax, [note_rsp]
  mov [handlers + 0x93 * 8], rax
  mov rbx, rsp
  visit_compat CODE32, "offset compat_first", back_first
  check "compatibility mode: CS", "[seen]", CODE32
  check "compatibility mode: 40h is INC", "[seen + 8]", 5
  check "compatibility mode: PUSH ES exists", "[seen + 16]", KDATA
  check "compatibility mode: PUSH takes 4 bytes", "[seen + 24]", 4
  check "INT n from compatibility mode: the frame has RSP", "[seen + 32]", rbx
  check "compatibility mode: AAM exists", "[seen + 40]", 0x203
  check "back in 64-bit mode: RSP", rsp, rbx
  mov edx, 0x55550000
  visit_compat CODE16, 0, back_second
  check "16-bit code: BAh takes two bytes", rdx, 0x55551234
  visit_compat CODE32, "offset compat_iret", back_third
  check "compatibility mode: IRETD to the same level pops three", rsp, rbx
  compat_faults "compatibility mode: limits are checked", V_GP, 0, compat_limit, compat_limit_at
  mov eax, KDATA
  mov es, eax
  compat_faults "compatibility mode: null ES", V_GP, 0, compat_null, compat_null_at
  mov eax, KDATA
  mov es, eax
  compat_faults "compatibility mode: JMP to a TSS", V_GP, SPARE_TSS, compat_task, compat_task
  compat_faults "compatibility mode: IRETD with NT", V_GP, 0, compat_nt, compat_nt_at
  compat_faults "compatibility mode: SWAPGS is undefined", V_UD, 0, compat_swapgs, compat_swapgs

  # Volume 2, LTR, LLDT, LAR, LSL: system descriptors have 16 bytes, and fewer types exist.
  expect "LTR: busy", V_GP, TSS, "mov eax, TSS", "ltr ax"
  expect "LTR: null", V_GP, 0, "xor eax, eax", "ltr ax"
  expect "LTR: a call gate", V_GP, GATE, "mov eax, GATE", "ltr ax"
  expect "LLDT: a TSS", V_GP, SPARE_TSS, "mov eax, SPARE_TSS", "lldt ax"
  mov eax, SPARE_TSS
  ltr ax
  movzx eax, byte ptr [gdt + SPARE_TSS + 5]
  check "LTR sets the busy bit", rax, 0x8B
  lar_is "LAR: busy 64-bit TSS", SPARE_TSS, 0x8B00
  lar_is "LAR: call gate", GATE, 0xEC00
  lar_is "LAR: LDT", LDT, 0x8200
  lar_is "LAR: 16-bit call gate does not exist", GATE16, 0
  lar_is "LAR: task gate does not exist", TASK_GATE, 0
  mov edx, SPARE_TSS
  lsl eax, edx
  check "LSL: TSS", rax, "tss_end - tss - 1"
  call checks_done

far_target32:
  mov eax, [rsp]
  mov [seen], rax
  mov eax, [rsp + 4]
  mov [seen + 8], rax
  mov [seen + 16], rsp
  .byte 0xCB                      # RETF, operand size 32
far_target64:
  mov rax, [rsp]
  mov [seen], rax
  mov rax, [rsp + 8]
  mov [seen + 8], rax
  mov [seen + 16], rsp
  rex.w retf
gate_target:
  mov rax, [rsp]
  mov [seen], rax
  mov rax, [rsp + 8]
  mov [seen + 8], rax
  mov rax, [rsp + 16]
  mov [seen + 16], rax
  mov rax, [rsp + 24]
  mov [seen + 24], rax
  mov [seen + 32], rsp
  mov eax, ss
  mov [seen + 40], rax
  mov eax, cs
  mov [seen + 48], rax
  rex.w retf

# Handler: RDI -> frame.
note_rsp:
  mov rax, [rdi + FRAME_SP]
  mov [seen + 32], rax
  ret

  .code32
compat_first:
  mov eax, cs
  mov [seen], eax
  mov eax, 4
  .byte 0x40                      # INC EAX, or REX
  mov [seen + 8], eax
  mov ecx, esp
  push es
  sub ecx, esp
  pop eax
  movzx eax, ax
  mov [seen + 16], eax
  mov [seen + 24], ecx
  int 0x93
  mov eax, 23
  aam
  mov [seen + 40], eax
  far_jump32 KCODE, back_first
compat_iret:
  push 2
  push CODE32
  push offset 1f
  iretd
1:
  far_jump32 KCODE, back_third
compat_limit:
  mov eax, SMALL
  mov es, eax
  mov al, es:[0xFFF]
compat_limit_at:
  mov ax, es:[0xFFF]
compat_null:
  xor eax, eax
  mov es, eax
compat_null_at:
  mov al, es:[0]
compat_task:
  .byte 0xEA
  .long 0
  .word SPARE_TSS
compat_nt:
  pushfd
  or dword ptr [esp], 0x4000
  popfd
compat_nt_at:
  iretd
compat_swapgs:
  .byte 0x0F, 0x01, 0xF8
  .code16
code16:
  .byte 0xBA, 0x34, 0x12          # MOV DX, 1234h
  .byte 0x66                      # far JMP with a 32-bit offset
  far_jump32 KCODE, back_second
  .code64

  .section .user, "awx"
  .balign 8
user_pointer: .quad 0
user_far_jump:
  ljmp [user_pointer]
user_stop:
  ud2
user_far_call:
  lcall [user_pointer]
user_after_far_call:
  ud2
user_conforming_target:
  ud2
  .code32
user_code32_call:
  .byte 0x9A                      # far CALL through the gate
  .long 0
  .word GATE
user_code32_after_call:
  ud2
  .code64
