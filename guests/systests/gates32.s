# Segments and gates in 32-bit protected mode: limits and access rights, privilege checks, call gates with parameter copy and stack
# switch, conforming code, LAR/LSL/VERR/VERW/ARPL. Intel SDM, volume 3, chapter "Protection"; sections are
# cited by title.

.include "protected.inc"
.include "check.inc"

  .section .gdt, "aw"
.set CALL_GATE, 0x30              # DPL 3, two parameters, to ring 0
.set CALL_GATE_DPL0, 0x38
.set CALL_GATE_ABSENT, 0x40
.set CONFORMING, 0x48
.set SMALL, 0x50                  # 256 bytes at `small`
.set EXPAND_DOWN, 0x58            # offsets above FFFh
.set READ_ONLY, 0x60
.set EXECUTE_ONLY, 0x68
.set ABSENT, 0x70
.set LDT, 0x78
.set CODE16, 0x80
.set STACK16, 0x88
.set SMALL_USER, 0x90             # DPL 3
.set FRESH, 0x98                  # not accessed yet
.set CODE_ABSENT, 0xA0
.set EXPAND_DOWN16, 0xA8          # offsets 100h-FFFFh
.set CALL_GATE16, 0xB0            # 16-bit, DPL 3, one parameter, to CODE_AT
.set CODE_AT, 0xB8                # base at gate16_target
.set GATE_TO_NULL, 0xC0
.set GATE_TO_DATA, 0xC8
.set GATE_PAST_GDT, 0xD0
.set GATE_TO_ABSENT, 0xD8
.set GATE_TO_OUTER, 0xE0
.set GATE_PAST_LIMIT, 0xE8
.set GATE_TO_CONFORMING, 0xF0     # DPL 3
.set TSS_ABSENT, 0xF8
.set LDT_ABSENT, 0x100
  gate KCODE, 0xEC, 2
  gate KCODE, 0x8C, 0
  gate KCODE, 0x6C, 0
  descriptor 0, 0xFFFFF, 0x9F, 0xC
  descriptor 0, 0xFF, 0x93, 0x4
  descriptor 0, 0x0, 0x97, 0xC
  descriptor 0, 0xFFFFF, 0x91, 0xC
  descriptor 0, 0xFFFFF, 0x99, 0xC
  descriptor 0, 0xFFFFF, 0x13, 0xC
  descriptor 0, 15, 0x82, 0
  descriptor 0, 0xFFFF, 0x9B, 0x0
  descriptor 0, 0xFFFF, 0x93, 0x0
  descriptor 0, 0xFF, 0xF3, 0x4
  descriptor 0, 0xFFFFF, 0x92, 0xC
  descriptor 0, 0xFFFFF, 0x1B, 0xC
  descriptor 0, 0xFF, 0x97, 0x0
  gate CODE_AT, 0xE4, 1
  descriptor 0, 0xFF, 0x9B, 0x4
  gate 0, 0x8C
  gate KDATA, 0x8C
  gate 0xFF8, 0x8C
  gate CODE_ABSENT, 0x8C
  gate UCODE, 0x8C
  gate CODE_AT, 0x8C
  gate CONFORMING, 0xEC
  descriptor 0, 103, 0x09, 0
  descriptor 0, 15, 0x02, 0

  .data
  .balign 8
ldt:
  descriptor 0, 0xFFFFF, 0x93, 0xC
  descriptor 0, 0xFFFFF, 0xF3, 0xC
small: .skip 256, 0x5A
  .long 0x11223344
bounds: .long 10, 20
far_pointer: .long 0
  .word KDATA

  .bss
  .balign 4
seen: .skip 32
  .balign 16
stack16_area: .skip 0x200

# zero_flag: EAX = ZF.
.macro zero_flag
  setz al
  movzx eax, al
.endm
.macro far_call selector:req, offset=0
  .byte 0x9A
  .long \offset
  .word \selector
.endm
.macro far_jump selector:req, offset=0
  .byte 0xEA
  .long \offset
  .word \selector
.endm
# Both JMP and CALL through this gate, at CPL 0, must fault.
.macro gate_faults name:req, vector:req, error:req, selector:req
  expect "JMP through a gate \name", \vector, "\error", "", "far_jump \selector"
  expect "CALL through a gate \name", \vector, "\error", "", "far_call \selector"
.endm

  .text
main:
  set_base SMALL, small
  set_base SMALL_USER, small
  set_base LDT, ldt
  set_base CODE16, code16
  set_base STACK16, stack16_area
  set_gate_offset CALL_GATE, gate_target
  set_gate_offset CALL_GATE_DPL0, gate_target
  set_gate_offset CALL_GATE_ABSENT, gate_target
  set_base CODE_AT, gate16_target
  set_gate_offset GATE_PAST_LIMIT, gate_target
  set_gate_offset GATE_TO_CONFORMING, conforming_target

  # "Limit Checking": #GP(0) for data segments, #SS(0) for the stack segment. (An exception leaves ES flat: load it each time.)
  expect_none "limit: last byte", "mov edx, SMALL; mov es, edx", "mov al, es:[0xFF]"
  expect "limit: one past", V_GP, 0, "mov edx, SMALL; mov es, edx", "mov al, es:[0x100]"
  expect_none "limit: last word", "mov edx, SMALL; mov es, edx", "mov ax, es:[0xFE]"
  expect "limit: word across the end", V_GP, 0, "mov edx, SMALL; mov es, edx", "mov ax, es:[0xFF]"
  expect "limit: doubleword across the end", V_GP, 0, "mov edx, SMALL; mov es, edx", "mov es:[0xFD], eax"
  expect "limit: an offset that wraps", V_GP, 0, "mov edx, SMALL; mov es, edx", "mov eax, es:[0xFFFFFFFE]"
  expect "limit: write", V_GP, 0, "mov edx, SMALL; mov es, edx", "mov byte ptr es:[0x100], 1"
  expect_user "limit: stack segment", V_SS, 0, "mov eax, SMALL_USER | 3; mov ss, eax", "mov eax, ss:[0x100]"
  expect_user "limit: PUSH", V_SS, 0, "mov eax, SMALL_USER | 3; mov ss, eax; mov esp, 0x200", "push eax"
  expect_user "limit: through EBP", V_SS, 0, "mov eax, SMALL_USER | 3; mov ss, eax; mov ebp, 0x100", "mov al, [ebp]"

  # Code: a transfer past the limit faults at the transfer, an instruction across it at itself.
  expect "limit: far JMP past it", V_GP, 0, "", "far_jump CODE_AT, 0x100"
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  far_jump CODE_AT, "near_jump - gate16_target"
1:
  check_fault "limit: near JMP past it", V_GP, 0, "near_jump - gate16_target"
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  far_jump CODE_AT, 0xFE
1:
  check_fault "limit: an instruction across it", V_GP, 0, 0xFE

  # "Limit Checking", expand-down segments: the valid offsets lie above the limit.
  expect "expand-down: at the limit", V_GP, 0, "mov edx, EXPAND_DOWN; mov es, edx", "mov al, es:[0xFFF]"
  expect_none "expand-down: above the limit", "mov edx, EXPAND_DOWN; mov es, edx", "mov al, es:[0x1000]"
  expect "expand-down: across the limit", V_GP, 0, "mov edx, EXPAND_DOWN; mov es, edx", "mov eax, es:[0xFFE]"
  expect "expand-down, B = 0: at the limit", V_GP, 0, "mov edx, EXPAND_DOWN16; mov es, edx", "mov al, es:[0xFF]"
  expect_none "expand-down, B = 0: up to FFFFh", "mov edx, EXPAND_DOWN16; mov es, edx", "mov al, es:[0xFFFF]"
  expect "expand-down, B = 0: above FFFFh", V_GP, 0, "mov edx, EXPAND_DOWN16; mov es, edx", "mov al, es:[0x10000]"

  # "Type Checking", "Null Segment Selector Checking".
  expect_none "read-only: read", "mov edx, READ_ONLY; mov es, edx", "mov al, es:[0x100000]"
  expect "read-only: write", V_GP, 0, "mov edx, READ_ONLY; mov es, edx", "mov es:[0x100000], al"
  expect "code segment: write", V_GP, 0, "", "mov cs:[small], al"
  expect "null selector: use", V_GP, 0, "xor eax, eax; mov es, eax", "mov al, es:[0]"
  expect "execute-only: load into ES", V_GP, EXECUTE_ONLY, "mov eax, EXECUTE_ONLY", "mov es, eax"
  expect "SS: read-only", V_GP, READ_ONLY, "mov eax, READ_ONLY", "mov ss, eax"
  expect "SS: null", V_GP, 0, "xor eax, eax", "mov ss, eax"
  expect "SS: not present", V_SS, ABSENT, "mov eax, ABSENT", "mov ss, eax"
  expect "DS: not present", V_NP, ABSENT, "mov eax, ABSENT", "mov ds, eax"
  expect "DS: a system segment", V_GP, TSS, "mov eax, TSS", "mov ds, eax"
  expect "DS: past the GDT", V_GP, 0xFF8, "mov eax, 0xFF8", "mov ds, eax"
  expect "POP ES: past the GDT", V_GP, 0xFF8, "push 0xFF8", "pop es"
  expect "LES: past the GDT", V_GP, 0xFF8, "mov word ptr [far_pointer + 4], 0xFF8", "les eax, [far_pointer]"
  mov al, [gdt + FRESH + 5]
  mov ecx, FRESH
  mov es, ecx
  mov ah, [gdt + FRESH + 5]
  movzx eax, ax
  check "loading a segment sets its accessed bit", eax, 0x9392

  # "Privilege Level Checking When Accessing Data Segments": DPL >= max(CPL, RPL).
  expect "DS: DPL 0 with RPL 3", V_GP, KDATA, "mov eax, KDATA | 3", "mov es, eax"
  expect_user "DS: DPL 0 at CPL 3", V_GP, KDATA, "mov eax, KDATA", "mov ds, eax"
  expect_user_none "DS: conforming code at CPL 3", "mov eax, CONFORMING", "mov ds, eax"
  expect_user "DS: code of DPL 0 at CPL 3", V_GP, KCODE, "mov eax, KCODE", "mov ds, eax"
  expect_user "SS: RPL 0 at CPL 3", V_GP, "UDATA & ~3", "mov eax, UDATA & ~3", "mov ss, eax"

  # Local descriptor table.
  expect "LDT: none", V_GP, 0x0C, "xor eax, eax; lldt ax; mov eax, 0x0C", "mov es, eax"
  mov eax, LDT
  lldt ax
  sldt ecx
  check "SLDT", ecx, LDT
  expect_none "LDT: load", "mov eax, 4", "mov es, eax"
  expect "LDT: past its limit", V_GP, 0x14, "mov eax, 0x14", "mov es, eax"
  expect "LLDT: not an LDT", V_GP, KDATA, "mov eax, KDATA", "lldt ax"

  expect "LLDT: past the GDT", V_GP, 0xFF8, "mov eax, 0xFF8", "lldt ax"
  expect "LLDT: in the LDT", V_GP, 4, "mov eax, 4", "lldt ax"
  expect "LLDT: not present", V_NP, LDT_ABSENT, "mov eax, LDT_ABSENT", "lldt ax"
  expect_user "LLDT at CPL 3", V_GP, 0, "mov eax, LDT", "lldt ax"
  expect "LTR: null", V_GP, 0, "xor eax, eax", "ltr ax"
  expect "LTR: busy", V_GP, TSS, "mov eax, TSS", "ltr ax"
  expect "LTR: not a TSS", V_GP, CALL_GATE, "mov eax, CALL_GATE", "ltr ax"
  expect "LTR: in the LDT", V_GP, 4, "mov eax, 4", "ltr ax"
  expect "LTR: not present", V_NP, TSS_ABSENT, "mov eax, TSS_ABSENT", "ltr ax"
  expect_user "LTR at CPL 3", V_GP, 0, "mov eax, TSS", "ltr ax"

  # Volume 2, LAR, LSL, VERR, VERW, ARPL: answers in ZF, no exception.
  mov edx, KDATA
  lar eax, edx
  and eax, 0x00F0FF00             # (the limit's bits are undefined)
  check "LAR data", eax, 0x00C09300
  lsl eax, edx
  check "LSL, limit in pages", eax, 0xFFFFFFFF
  mov edx, SMALL
  lsl eax, edx
  check "LSL, limit in bytes", eax, 0xFF
  mov edx, CALL_GATE
  lar eax, edx
  and eax, 0xFF00
  check "LAR call gate", eax, 0xEC00
  mov edx, TSS
  lsl eax, edx
  check "LSL TSS", eax, TSS_LIMIT
  mov edx, CALL_GATE
  mov eax, 0x77
  lsl eax, edx
  zero_flag
  check "LSL call gate: no", eax, 0
  xor edx, edx
  lar eax, edx
  zero_flag
  check "LAR null: no", eax, 0
  mov edx, 0xFF8
  lar eax, edx
  zero_flag
  check "LAR past the GDT: no", eax, 0
  mov edx, KDATA | 3
  lar eax, edx
  zero_flag
  check "LAR with too high an RPL: no", eax, 0
  mov edx, ABSENT
  lar eax, edx
  zero_flag
  check "LAR not present: yes", eax, 1
  mov edx, EXECUTE_ONLY
  verr dx
  zero_flag
  check "VERR execute-only: no", eax, 0
  mov edx, KCODE
  verr dx
  zero_flag
  check "VERR readable code: yes", eax, 1
  verw dx
  zero_flag
  check "VERW code: no", eax, 0
  mov edx, READ_ONLY
  verw dx
  zero_flag
  check "VERW read-only: no", eax, 0
  mov edx, KDATA
  verw dx
  zero_flag
  check "VERW data: yes", eax, 1
  expect_user_none "VERR at CPL 3", "mov edx, KDATA; verr dx; setz bl; mov edx, CONFORMING | 3; verr dx", "setz bh"
  movzx eax, bx
  check "VERR at CPL 3: DPL 0 no, conforming yes", eax, 0x100
  mov eax, 0x10
  mov ecx, 3
  arpl ax, cx
  setz cl
  shl ecx, 8
  mov cl, al
  and ecx, 0xFFFF
  check "ARPL raises RPL and sets ZF", ecx, 0x113
  mov eax, 0x13
  mov ecx, 1
  arpl ax, cx
  setz cl
  movzx ecx, cl
  check "ARPL leaves a higher RPL", ecx, 0

  # "Call Gates", "Stack Switching": a call from ring 3: stack from the TSS, parameters copied in their order, old SS:ESP
  # above them.
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  enter_user user_call_gate
1:
  check "call gate: returned", "[fault_ip]", "offset user_gate_end"
  check "call gate: CPL 0 inside", "[seen]", KCODE
  check "call gate: first parameter", "[seen + 4]", 0x2222
  check "call gate: second parameter", "[seen + 8]", 0x1111
  check "call gate: saved ESP", "[seen + 12]", "offset user_stack_top - 8"
  check "call gate: saved SS", "[seen + 16]", UDATA
  check "call gate: stack of the TSS", "[seen + 20]", "offset isr_stack_top - 24"
  check "call gate: saved CS", "[seen + 24]", UCODE
  check "RETF n: parameters gone from the caller's stack", "[fault_sp]", "offset user_stack_top"
  # At the same privilege level there is no new stack and nothing is copied.
  mov ebx, esp
  far_call CALL_GATE_DPL0
  mov esp, ebx
  lea eax, [ebx - 8]
  check "call gate, same level: same stack", "[seen + 20]", eax
  expect_user "call gate of DPL 0 from CPL 3", V_GP, CALL_GATE_DPL0, "", "far_call CALL_GATE_DPL0 | 3"
  expect_user "call gate, RPL above its DPL", V_GP, CALL_GATE_DPL0, "", "far_call CALL_GATE_DPL0"
  expect "call gate not present", V_NP, CALL_GATE_ABSENT, "", "far_call CALL_GATE_ABSENT"
  expect_user "JMP through a call gate to more privileged code", V_GP, KCODE, "", "far_jump CALL_GATE | 3"

  gate_faults "to null", V_GP, 0, GATE_TO_NULL
  gate_faults "to data", V_GP, KDATA, GATE_TO_DATA
  gate_faults "to a selector past the GDT", V_GP, 0xFF8, GATE_PAST_GDT
  gate_faults "to code that is not present", V_NP, CODE_ABSENT, GATE_TO_ABSENT
  gate_faults "to an outer level", V_GP, "UCODE & ~3", GATE_TO_OUTER
  gate_faults "to an offset past the limit", V_GP, 0, GATE_PAST_LIMIT
  # Conforming code behind a gate: no change of privilege, so no new stack.
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  enter_user user_gate_conforming
1:
  check "call gate to conforming code: CPL stays", "[fault_cs]", "CONFORMING | 3"
  check "call gate to conforming code: so does the stack", "[fault_sp]", "offset user_stack_top - 8"
  # A 16-bit gate pushes and copies words.
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  enter_user user_call_gate16
1:
  mov eax, offset user_gate16_end
  movzx eax, ax
  check "16-bit call gate: IP", "[seen]", eax
  check "16-bit call gate: CS", "[seen + 4]", UCODE
  check "16-bit call gate: parameter", "[seen + 8]", 0x3333
  mov eax, offset user_stack_top - 2
  movzx eax, ax
  check "16-bit call gate: SP", "[seen + 12]", eax
  check "16-bit call gate: SS", "[seen + 16]", UDATA
  check "16-bit call gate: five words", "[seen + 20]", "offset isr_stack_top - 10"

  # "Direct Calls or Jumps to Code Segments".
  expect_user "far JMP to DPL 0 from CPL 3", V_GP, KCODE, "", "far_jump KCODE"
  expect "far JMP to DPL 3 from CPL 0", V_GP, "UCODE & ~3", "", "far_jump UCODE & ~3"
  expect "far JMP to data", V_GP, KDATA, "", "far_jump KDATA"
  expect "far JMP to null", V_GP, 0, "", "far_jump 0"
  expect "far JMP to code not present", V_NP, CODE_ABSENT, "", "far_jump CODE_ABSENT"
  expect "far CALL to data", V_GP, KDATA, "", "far_call KDATA"
  store recover_ip, "offset 2f"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  enter_user user_conforming
2:
  check "conforming code keeps CPL 3", "[fault_cs]", "CONFORMING | 3"
  check "conforming code runs", "[fault_ip]", "offset conforming_target"

  # "Returning from a Called Procedure": a return to an outer level loads SS:ESP and makes null what that level may not use.
  store recover_ip, "offset 3f"
  mov [recover_sp], esp
  mov eax, UDATA
  mov es, eax
  mov eax, KDATA
  mov ds, eax
  push UDATA
  push offset user_stack_top
  push UCODE
  push offset user_look
  retf
3:
  check "RETF to ring 3: DS is null", ebx, 0
  check "RETF to ring 3: ES is kept", ecx, UDATA
  check "RETF to ring 3: SS", "[fault_ss]", UDATA
  expect_user "RETF to an inner level", V_GP, KCODE, "push KCODE; push 0", "retf"
  expect_user "IRET to an inner level", V_GP, KCODE, "push 2; push KCODE; push 0", "iretd"

  # 16-bit code in a 32-bit world: D = 0 makes B8h take two bytes of immediate.
  xor eax, eax
  far_call CODE16
  check "a code segment with D = 0", eax, 0x1234
  # B = 0 in SS: pushes use SP and leave the upper half of ESP alone.
  mov ebx, esp
  mov eax, STACK16
  mov ss, eax
  mov esp, 0x56780100
  push ecx
  mov edx, esp
  mov eax, KDATA
  mov ss, eax
  mov esp, ebx
  check "a stack segment with B = 0", edx, 0x567800FC
  check "a stack segment with B = 0: where it went", "dword ptr [stack16_area + 0xFC]", ecx

  # "Exception and Interrupt Reference": #BR and #OF, which 64-bit mode does not have.
  expect "BOUND below", V_BR, 0, "mov eax, 9", "bound eax, [bounds]"
  expect "BOUND above", V_BR, 0, "mov eax, 21", "bound eax, [bounds]"
  expect_none "BOUND within", "mov eax, 20", "bound eax, [bounds]"
  expect_trap "INTO", V_OF, 0, "mov al, 0x7F; inc al", "into"
  expect_none "INTO without overflow", "xor eax, eax", "into"
  expect "INT n past the IDT's limit", V_GP, "0x90 * 8 + 2", "lidt [short_idtr]", "int 0x90"
  lidt [idtr]
  set_idt_access 0x91, 0x0E
  expect "INT n through a gate that is not present", V_NP, "0x91 * 8 + 2", "", "int 0x91"
  call checks_done

gate_target:
  mov eax, cs
  mov [seen], eax
  mov [seen + 20], esp
  mov eax, [esp + 4]
  mov [seen + 24], eax
  mov eax, [esp + 8]
  mov [seen + 4], eax
  mov eax, [esp + 12]
  mov [seen + 8], eax
  mov eax, [esp + 16]
  mov [seen + 12], eax
  mov eax, [esp + 20]
  mov [seen + 16], eax
  test byte ptr [seen + 24], 3
  jz 1f
  retf 8
1:
  retf

user_call_gate:
  push 0x1111
  push 0x2222
  far_call CALL_GATE | 3
user_gate_end:
  ud2
user_gate_conforming:
  far_call GATE_TO_CONFORMING | 3
user_call_gate16:
  pushw 0x3333
  far_call CALL_GATE16 | 3
user_gate16_end:
  ud2
user_conforming:
  far_jump CONFORMING, conforming_target
conforming_target:
  ud2
user_look:
  mov ebx, ds
  mov ecx, es
  ud2

# Offset 0 of CODE_AT, whose limit is FFh.
gate16_target:
.set field, 0
.rept 5
  movzx eax, word ptr ss:[esp + field * 2]
  mov ss:[seen + field * 4], eax
  .set field, field + 1
.endr
  mov ss:[seen + 20], esp
  ud2                             # (a 16-bit return would only know the lower half of EIP)
near_jump:
  jmp near ptr gate16_target + 0x100
  .skip 0xFE - (. - gate16_target), 0x90
  mov eax, 0x12345678             # five bytes, two of them within the limit

  .code16
code16:
  .byte 0xB8, 0x34, 0x12          # MOV AX, 1234h
  .byte 0x66
  retf                            # with a 32-bit return address
  .code32

  .data
  .balign 4
  .word 0
short_idtr:
  .word 0x90 * 8 - 1
  .long idt
