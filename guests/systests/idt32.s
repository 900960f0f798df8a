# Interrupt and trap gates in 32-bit protected mode: what a handler finds, what is refused, error codes with their EXT and IDT bits,
# stack switches that fail, and IRET. Intel SDM; sections are cited by title.

.include "protected.inc"
.include "check.inc"

  .section .gdt, "aw"
.set CODE_ABSENT, 0x30
.set CONFORMING, 0x38             # DPL 0
.set CODE_AT, 0x40                # base at entry16, 15 bytes
.set DATA_ABSENT, 0x48
.set READ_ONLY, 0x50
.set TIGHT_STACK, 0x58            # 16 bytes: too small for any frame from an outer level
.set RING1_CODE, 0x60 | 1
.set RING1_DATA, 0x68 | 1
.set UDATA_ABSENT, 0x70
.set CALL_GATE, 0x78              # DPL 3, to ring 0
.set UDATA_READ, 0x80
.set UCODE_ABSENT, 0x88
  descriptor 0, 0xFFFFF, 0x1B, 0xC
  descriptor 0, 0xFFFFF, 0x9F, 0xC
  descriptor 0, 0xFFFF, 0x9B, 0x4
  descriptor 0, 0xFFFFF, 0x13, 0xC
  descriptor 0, 0xFFFFF, 0x91, 0xC
  descriptor 0, 15, 0x93, 0x4
  descriptor 0, 0xFFFFF, 0xBB, 0xC
  descriptor 0, 0xFFFFF, 0xB3, 0xC
  descriptor 0, 0xFFFFF, 0x73, 0xC
  gate KCODE, 0xEC
  descriptor 0, 0xFFFFF, 0xF1, 0xC
  descriptor 0, 0xFFFFF, 0x7B, 0xC

.set IF, 0x200
.set IOPL3, 0x3000
.set NT, 0x4000
.set RF, 0x10000
# Access bytes of IDT gates.
.set INTERRUPT_GATE, 0x8E
.set TRAP_GATE, 0x8F
.set INTERRUPT_GATE16, 0x86
.set GATE_DPL3, 0x60

  .bss
  .balign 4
seen_flags: .skip 4
seen_esp: .skip 4
seen_vector: .skip 4
seen_error: .skip 4
seen_cs: .skip 4
frame: .skip 20
  .balign 16
  .skip 512
ring1_stack_top:

  .data
  .balign 4
bounds: .long 10, 20

# A gate of the IDT: where to, and how.
.macro set_gate vector:req, symbol:req, access:req, selector=KCODE
  mov eax, offset \symbol
  mov [idt + \vector * 8], ax
  mov word ptr [idt + \vector * 8 + 2], \selector
  mov word ptr [idt + \vector * 8 + 4], (\access) << 8
  shr eax, 16
  mov [idt + \vector * 8 + 6], ax
.endm
# Go to ring 3; back at the end of this macro by whatever exception comes to a handler of the library.
.macro visit_user target:req, flags=2
  store recover_ip, "offset .Lback\@"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  enter_user \target, \flags
.Lback\@:
  store recover_ip, 0
.endm
# INT 50h at CPL 0 must fault.
.macro int_faults name:req, vector:req, error:req, setup:req
  expect "INT n: \name", \vector, "\error", "\setup", "int 0x50"
.endm
# An instruction of ring 3 leads to ring 0, whose stack is bad; a handler in ring 1 takes the exception.
.macro stack_faults name:req, vector:req, error:req, target:req, ss0:req
  mov dword ptr [tss_ss0], \ss0
  store seen_vector, NO_FAULT
  xor ecx, ecx
  visit_user \target
  check "\name: vector", "[seen_vector]", \vector
  check "\name: error code", "[seen_error]", "\error"
  check "\name: EIP", "[frame]", "offset \target"
.endm
# IRETD at CPL 0 with this frame must fault.
.macro iret_faults name:req, vector:req, error:req, eip:req, cs:req, ss:req
  expect "IRETD: \name", \vector, "\error", "push \ss; push 0; push 2; push \cs; push \eip", "iretd"
.endm
.macro retf_faults name:req, vector:req, error:req, eip:req, cs:req, ss:req
  expect "RETF: \name", \vector, "\error", "push \ss; push 0; push \cs; push \eip", "retf"
.endm

.set tss_ss0, tss_esp0 + 4
.set tss_esp1, tss_esp0 + 8
.set tss_ss1, tss_esp0 + 12

  .text
main:
  set_base CODE_AT, entry16
  set_gate_offset CALL_GATE, plain_entry
  mov dword ptr [tss_esp1], offset ring1_stack_top
  mov dword ptr [tss_ss1], RING1_DATA

  # Volume 3, "Flag Usage By Exception- or Interrupt-Handler Procedure": an interrupt gate clears IF, a trap gate does not;
  # both clear NT.
  set_gate 0x50, plain_entry, INTERRUPT_GATE
  push IF | NT | 3
  popfd
  mov ebx, esp
  int 0x50
after_int:
  pushfd
  pop ecx
  cli
  push 2
  popfd
  check "interrupt gate: flags in the handler", "[seen_flags]", 3
  lea eax, [ebx - 12]
  check "interrupt gate, same level: three doublewords", "[seen_esp]", eax
  check "interrupt gate: saved EIP", "[frame]", "offset after_int"
  check "interrupt gate: saved CS", "[frame + 4]", KCODE
  check "interrupt gate: saved EFLAGS", "[frame + 8]", "IF | NT | 3"
  check "IRETD restores EFLAGS", ecx, "IF | NT | 3"
  check "IRETD restores ESP", esp, ebx
  set_gate 0x50, plain_entry, TRAP_GATE
  push IF | NT | 2
  popfd
  int 0x50
  push 2
  popfd
  check "trap gate: flags in the handler", "[seen_flags]", "IF | 2"

  # "16-bit gates" (volume 3, chapter on mixing 16-bit and 32-bit code): three words are pushed.
  set_gate 0x50, 0, INTERRUPT_GATE16, CODE_AT
  mov ebx, esp
  int 0x50
after_int16:
  mov eax, offset after_int16
  movzx eax, ax
  check "16-bit gate: saved IP", "[frame]", eax
  check "16-bit gate: saved CS", "[frame + 4]", KCODE
  sub ebx, [seen_esp]
  check "16-bit gate: three words", ebx, 6

  # "Exception- and Interrupt-Handler Procedures": from ring 3, the stack of the TSS and SS:ESP on it.
  set_gate 0x50, plain_entry, "INTERRUPT_GATE | GATE_DPL3"
  visit_user user_int, "IF | 3"
  check "INT n from ring 3: five doublewords", "[seen_esp]", "offset isr_stack_top - 20"
  check "INT n from ring 3: saved EIP", "[frame]", "offset user_int + 2"
  check "INT n from ring 3: saved CS", "[frame + 4]", UCODE
  check "INT n from ring 3: saved EFLAGS", "[frame + 8]", "IF | 3"
  check "INT n from ring 3: saved ESP", "[frame + 12]", "offset user_stack_top"
  check "INT n from ring 3: saved SS", "[frame + 16]", UDATA
  check "INT n from ring 3: and back", "[fault_ip]", "offset user_int + 2"
  # A conforming handler keeps the privilege level and its stack.
  set_gate 0x50, conforming_entry, "INTERRUPT_GATE | GATE_DPL3", CONFORMING
  visit_user user_int
  check "conforming handler: CS", "[fault_cs]", "CONFORMING | 3"
  check "conforming handler: runs", "[fault_ip]", "offset conforming_entry"
  check "conforming handler: the stack stays", "[fault_sp]", "offset user_stack_top - 12"

  # Volume 2, INT n, PROTECTED-MODE: what a gate must be. The error code has bit 1 set if it names a gate of the IDT.
  set_gate 0x50, plain_entry, INTERRUPT_GATE
  expect_user "INT n at CPL 3, gate of DPL 0", V_GP, "0x50 * 8 + 2", "", "int 0x50"
  int_faults "gate not present", V_NP, "0x50 * 8 + 2", "set_gate 0x50, plain_entry, 0x0E"
  expect_user "INT n: DPL is checked before P", V_GP, "0x50 * 8 + 2", "", "int 0x50"
  int_faults "a call gate", V_GP, "0x50 * 8 + 2", "set_gate 0x50, plain_entry, 0x8C"
  int_faults "a TSS", V_GP, "0x50 * 8 + 2", "set_gate 0x50, plain_entry, 0x89"
  int_faults "a code segment", V_GP, "0x50 * 8 + 2", "set_gate 0x50, plain_entry, 0x9B"
  int_faults "to null", V_GP, 0, "set_gate 0x50, plain_entry, INTERRUPT_GATE, 0"
  int_faults "past the GDT", V_GP, 0xFF8, "set_gate 0x50, plain_entry, INTERRUPT_GATE, 0xFF8"
  int_faults "to data", V_GP, KDATA, "set_gate 0x50, plain_entry, INTERRUPT_GATE, KDATA"
  int_faults "to an outer level", V_GP, "UCODE & ~3", "set_gate 0x50, plain_entry, INTERRUPT_GATE, UCODE"
  int_faults "to code that is not present", V_NP, CODE_ABSENT, "set_gate 0x50, plain_entry, INTERRUPT_GATE, CODE_ABSENT"
  int_faults "past the limit of the code segment", V_GP, 0, "set_gate 0x50, plain_entry, INTERRUPT_GATE, CODE_AT"

  # "Error Code": EXT (bit 0) if the event was not an INT n of the program. DPL matters to INT n alone.
  set_idt_access V_BR, 0x0E
  expect "#BR through a gate that is not present", V_NP, "V_BR * 8 + 3", "xor eax, eax", "bound eax, [bounds]"
  set_idt_access V_BR, INTERRUPT_GATE
  mov word ptr [idt + V_BR * 8 + 2], KDATA
  expect "#BR through a gate to data", V_GP, "KDATA + 1", "xor eax, eax", "bound eax, [bounds]"
  mov word ptr [idt + V_BR * 8 + 2], 0
  expect "#BR through a gate to null", V_GP, 1, "xor eax, eax", "bound eax, [bounds]"
  mov word ptr [idt + V_BR * 8 + 2], KCODE
  expect_user "#BR from ring 3 does not look at DPL", V_BR, 0, "xor eax, eax", "bound eax, [bounds]"
  set_idt_access V_BP, 0x0E
  expect "INT3 through a gate that is not present", V_NP, "V_BP * 8 + 2", "", "int3"
  set_idt_access V_BP, INTERRUPT_GATE
  expect_user "INT3 from ring 3, gate of DPL 0", V_GP, "V_BP * 8 + 2", "", "int3"
  set_idt_access V_OF, 0x0E
  expect "INTO through a gate that is not present", V_NP, "V_OF * 8 + 2", "mov al, 0x7F; inc al", "into"
  set_idt_access V_OF, INTERRUPT_GATE
  # "Interrupt 8: Double Fault Exception (#DF)": #NP during #DE, both contributory.
  set_idt_access V_DE, 0x0E
  expect "#NP while #DE is delivered: #DF", V_DF, 0, "xor ecx, ecx", "div ecx"
  set_idt_access V_DE, INTERRUPT_GATE

  # Volume 2, INT n, INTER-PRIVILEGE-LEVEL-INTERRUPT, and CALL, MORE-PRIVILEGE: the stack of ring 0 is checked as any other,
  # but with #TS; what is absent or too small raises #SS. The selector is the error code.
  set_gate 0x50, plain_entry, "INTERRUPT_GATE | GATE_DPL3"
  set_gate V_TS, ring1_ts, INTERRUPT_GATE, RING1_CODE
  set_gate V_SS, ring1_ss, INTERRUPT_GATE, RING1_CODE
  stack_faults "INT n, SS0 is null", V_TS, 0, user_int, 0
  stack_faults "INT n, SS0 is past the GDT", V_TS, 0xFF8, user_int, 0xFF8
  stack_faults "INT n, RPL of SS0", V_TS, KDATA, user_int, "KDATA | 3"
  stack_faults "INT n, DPL of SS0", V_TS, "UDATA & ~3", user_int, "UDATA & ~3"
  stack_faults "INT n, SS0 is read-only", V_TS, READ_ONLY, user_int, READ_ONLY
  stack_faults "INT n, SS0 is code", V_TS, KCODE, user_int, KCODE
  stack_faults "INT n, SS0 is not present", V_SS, DATA_ABSENT, user_int, DATA_ABSENT
  mov dword ptr [tss_esp0], 16
  stack_faults "INT n, no room on SS0", V_SS, TIGHT_STACK, user_int, TIGHT_STACK
  mov dword ptr [tss_esp0], 16
  stack_faults "#BR, no room on SS0", V_SS, "TIGHT_STACK + 1", user_bound, TIGHT_STACK
  mov dword ptr [tss_esp0], 12
  stack_faults "call gate, no room on SS0", V_SS, TIGHT_STACK, user_call, TIGHT_STACK
  stack_faults "#BR, SS0 is null", V_TS, 1, user_bound, 0
  stack_faults "#BR, RPL of SS0", V_TS, "KDATA + 1", user_bound, "KDATA | 3"
  stack_faults "call gate, SS0 is null", V_TS, 0, user_call, 0
  stack_faults "call gate, RPL of SS0", V_TS, KDATA, user_call, "KDATA | 3"
  stack_faults "call gate, SS0 is not present", V_SS, DATA_ABSENT, user_call, DATA_ABSENT
  mov dword ptr [tss_ss0], KDATA
  check "a handler in ring 1", "[seen_cs]", RING1_CODE
  set_gate V_TS, "stubs + V_TS * 16", INTERRUPT_GATE
  set_gate V_SS, "stubs + V_SS * 16", INTERRUPT_GATE

  # Volume 2, IRET and RET, PROTECTED-MODE.
  iret_faults "null CS", V_GP, 0, 0, 0, UDATA
  iret_faults "null CS with RPL 3", V_GP, 0, 0, 3, UDATA
  iret_faults "CS past the GDT", V_GP, 0xFF8, 0, 0xFF8, UDATA
  iret_faults "CS is data", V_GP, "UDATA & ~3", 0, UDATA, UDATA
  iret_faults "RPL of CS is not its DPL", V_GP, KCODE, 0, "KCODE | 3", UDATA
  iret_faults "CS not present", V_NP, UCODE_ABSENT, 0, "UCODE_ABSENT | 3", UDATA
  iret_faults "same level, CS not present", V_NP, CODE_ABSENT, 0, CODE_ABSENT, UDATA
  iret_faults "same level, EIP past the limit", V_GP, 0, 0x10000, CODE_AT, UDATA
  iret_faults "SS is null", V_GP, 0, 0, UCODE, 0
  iret_faults "SS past the GDT", V_GP, 0xFF8, 0, UCODE, 0xFFB
  iret_faults "RPL of SS", V_GP, "UDATA & ~3", 0, UCODE, "UDATA & ~3"
  iret_faults "DPL of SS", V_GP, KDATA, 0, UCODE, "KDATA | 3"
  iret_faults "SS is read-only", V_GP, UDATA_READ, 0, UCODE, "UDATA_READ | 3"
  iret_faults "SS is code", V_GP, "UCODE & ~3", 0, UCODE, UCODE
  iret_faults "SS not present", V_SS, UDATA_ABSENT, 0, UCODE, "UDATA_ABSENT | 3"
  retf_faults "null CS", V_GP, 0, 0, 0, UDATA
  retf_faults "RPL of CS is not its DPL", V_GP, KCODE, 0, "KCODE | 3", UDATA
  retf_faults "CS not present", V_NP, UCODE_ABSENT, 0, "UCODE_ABSENT | 3", UDATA
  retf_faults "same level, EIP past the limit", V_GP, 0, 0x10000, CODE_AT, UDATA
  retf_faults "SS is null", V_GP, 0, 0, UCODE, 0
  retf_faults "DPL of SS", V_GP, KDATA, 0, UCODE, "KDATA | 3"
  retf_faults "SS not present", V_SS, UDATA_ABSENT, 0, UCODE, "UDATA_ABSENT | 3"
  # From ring 0 to ring 1: between them is no difference but the number.
  push RING1_DATA
  push offset ring1_stack_top
  push 2
  push RING1_CODE
  push offset ring1_stop
  store recover_ip, "offset 1f"
  mov dword ptr [recover_sp], offset stack_top
  iretd
1:
  check "IRETD to ring 1", "[fault_cs]", RING1_CODE
  check "IRETD to ring 1: SS", "[fault_ss]", RING1_DATA

  # "System Flags and Fields in the EFLAGS Register": IOPL changes at CPL 0 only, IF at CPL <= IOPL; otherwise they keep their
  # values, and nothing faults.
  visit_user user_popf
  mov eax, [fault_flags]
  and eax, IF | IOPL3 | 1
  check "POPFD at CPL 3", eax, 1
  visit_user user_popf, "IOPL3 | 2"
  mov eax, [fault_flags]
  and eax, IF | IOPL3 | 1
  check "POPFD at CPL 3, IOPL 3: IF changes", eax, "IF | IOPL3 | 1"
  visit_user user_iret
  mov eax, [fault_flags]
  and eax, IF | IOPL3 | 1
  check "IRETD at CPL 3", eax, 1
  visit_user user_iret, "IOPL3 | 2"
  mov eax, [fault_flags]
  and eax, IF | IOPL3 | 1
  check "IRETD at CPL 3, IOPL 3: IF changes", eax, "IF | IOPL3 | 1"
  expect_user "CLI at CPL 3", V_GP, 0, "", "cli"
  expect_user "HLT at CPL 3", V_GP, 0, "", "hlt"
  call checks_done

# A handler that looks at its surroundings: ESP, EFLAGS, and the frame as far as five doublewords.
plain_entry:
  mov ss:[seen_esp], esp
  pushfd
  pop ss:[seen_flags]
.set field, 0
.rept 5
  mov eax, ss:[esp + field * 4]
  mov ss:[frame + field * 4], eax
  .set field, field + 1
.endr
  iretd

# Reached by a 16-bit gate, at offset 0 of CODE_AT.
entry16:
  mov [seen_esp], esp
  movzx eax, word ptr [esp]
  mov [frame], eax
  movzx eax, word ptr [esp + 2]
  mov [frame + 4], eax
  mov esp, ebx
  .byte 0xEA                      # IRET would only know the lower half of EIP
  .long after_int16
  .word KCODE

conforming_entry:
  ud2

# Handlers in ring 1: note the exception, mend the stack of ring 0, and go there by UD2.
ring1_ts:
  push V_TS
  jmp ring1_note
ring1_ss:
  push V_SS
ring1_note:
  mov eax, RING1_DATA
  mov ds, eax
  pop [seen_vector]
  pop [seen_error]
  mov eax, [esp]
  mov [frame], eax
  mov eax, cs
  mov [seen_cs], eax
  mov dword ptr [tss_ss0], KDATA
  mov dword ptr [tss_esp0], offset isr_stack_top
ring1_stop:
  ud2

user_int:
  int 0x50
  ud2
user_bound:
  bound ecx, [bounds]
  ud2
user_call:
  .byte 0x9A
  .long 0
  .word CALL_GATE
  ud2
user_popf:
  push IF | IOPL3 | 3
  popfd
  ud2
user_iret:
  push IF | IOPL3 | 3
  push UCODE
  push offset 1f
  iretd
1:
  ud2
