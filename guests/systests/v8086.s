# Virtual-8086 mode: entry by IRETD, segments as in real mode, what traps, and what an interrupt pushes. Intel SDM, volume 3,
# chapter 20.

.include "protected.inc"
.include "check.inc"

.set V86_SEGMENT, 0x0800          # code at linear 8000h
.set V86_STACK, 0x0900
.set VM, 1 << 17

# run_v86 name, flags, code: 16-bit code runs in virtual-8086 mode until it traps. v86_code = where it began.
.macro run_v86 flags:req, code:req
  .pushsection .rodata
  .code16
.Lcode\@:
  \code
  hlt                             # privileged: #GP(0) brings us back
.Lend\@:
  .code32
  .popsection
  mov esi, offset .Lcode\@
  mov edi, V86_SEGMENT * 16
  mov ecx, offset .Lend\@ - .Lcode\@
  rep movsb
  dec edi
  sub edi, V86_SEGMENT * 16
  mov [v86_end], edi
  store recover_ip, "offset .Lback\@"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  push 0x0444                     # GS, FS, DS, ES
  push 0x0333
  push 0x0A00
  push 0x0222
  push V86_STACK
  push 0x100
  push VM | \flags
  push V86_SEGMENT
  push 0
  iretd
.Lback\@:
  store recover_ip, 0
.endm

# The code must trap with this vector and error code, at this offset.
.macro v86_traps name:req, flags:req, vector:req, error:req, offset:req, code:req
  run_v86 "\flags", "\code"
  check "\name: vector", "[fault_vector]", "\vector"
  check "\name: error code", "[fault_error]", "\error"
  check "\name: IP", "[fault_ip]", "\offset"
.endm
# It must reach its end.
.macro v86_runs name:req, flags:req, code:req
  run_v86 "\flags", "\code"
  check "\name", "[fault_ip]", "[v86_end]"
.endm

  .bss
  .balign 4
v86_end: .skip 4

  .text
main:
  # 20.2: entry; an exception leaves for ring 0 and pushes GS, FS, DS, ES, SS, ESP, EFLAGS with VM, CS, EIP; segments are null then.
  v86_runs "runs", 2, "nop"
  check "vector of HLT", "[fault_vector]", V_GP
  check "CS", "[fault_cs]", V86_SEGMENT
  check "SS", "[fault_ss]", V86_STACK
  check "SP", "[fault_sp]", 0x100
  mov eax, [fault_flags]
  and eax, VM
  check "VM in the saved flags", eax, VM
  mov eax, [isr_stack_top - 4]
  check "GS is saved", eax, 0x0444
  mov eax, [isr_stack_top - 8]
  check "FS is saved", eax, 0x0333
  mov eax, [isr_stack_top - 12]
  check "DS is saved", eax, 0x0A00
  mov eax, [isr_stack_top - 16]
  check "ES is saved", eax, 0x0222
  # What stub_common pushed of the handler's own DS, ES, FS, GS lies below the frame.
  mov eax, [isr_stack_top - 36 - 8 - SAVED - 4]
  or eax, [isr_stack_top - 36 - 8 - SAVED - 8]
  or eax, [isr_stack_top - 36 - 8 - SAVED - 12]
  or eax, [isr_stack_top - 36 - 8 - SAVED - 16]
  check "segment registers are null in the handler", eax, 0

  # 20.1.1: base = selector * 16, limit FFFFh.
  mov word ptr [0xA000 + 0x10], 0x5678
  v86_runs "DS * 16", 2, "mov ax, [0x10]"
  movzx eax, ax
  check "DS * 16: value", eax, 0x5678
  v86_runs "load a segment", 2, "mov ax, 0x0A01; mov es, ax; mov bx, es:[0]"
  movzx ebx, bx
  check "load a segment: value", ebx, 0x5678
  v86_traps "limit", 2, V_GP, 0, 0, "mov ax, [0xFFFF]"
  v86_traps "32-bit offset past the limit", 2, V_GP, 0, 0, "mov al, [eax + 0x10000]"
  v86_runs "PUSH and POP", 2, "mov ax, 0x1357; push ax; pop cx"
  movzx ecx, cx
  check "PUSH and POP: value", ecx, 0x1357
  v86_runs "far call and return", 2, "push cs; call 1f; jmp 2f; 1: retf; 2:"

  # 20.2.7: IOPL-sensitive instructions with IOPL < 3: #GP(0).
  v86_traps "CLI, IOPL 0", 2, V_GP, 0, 1, "nop; cli"
  v86_traps "STI, IOPL 0", 2, V_GP, 0, 1, "nop; sti"
  v86_traps "PUSHF, IOPL 0", 2, V_GP, 0, 0, "pushf"
  v86_traps "POPF, IOPL 0", 2, V_GP, 0, 0, "popf"
  v86_traps "INT n, IOPL 0", 2, V_GP, 0, 0, "int 0x21"
  v86_traps "IRET, IOPL 0", 2, V_GP, 0, 0, "iret"
  # With IOPL 3 they work.
  v86_runs "CLI, IOPL 3", 0x3202, "cli"
  mov eax, [fault_flags]
  and eax, 0x3200
  check "CLI, IOPL 3: IF is clear", eax, 0x3000
  v86_runs "PUSHF, IOPL 3", 0x3002, "pushf; pop ax"
  movzx eax, ax
  check "PUSHF, IOPL 3: value", eax, 0x3002
  v86_runs "POPF, IOPL 3", 0x3002, "push 0x0202; popf"
  mov eax, [fault_flags]
  and eax, 0x3200
  check "POPF, IOPL 3: IF changes, IOPL does not", eax, 0x3200
  v86_runs "IRET, IOPL 3", 0x3002, "push 0x3003; push cs; call 1f; jmp 2f; 1: iret; 2:"
  mov eax, [fault_flags]
  and eax, VM | 1
  check "IRET, IOPL 3: stays in the mode, CF from the stack", eax, "VM | 1"
  # INT n with IOPL 3 goes through the IDT: gate DPL 0 refuses, DPL 3 lets it through.
  v86_traps "INT n, IOPL 3, gate DPL 0", 0x3002, V_GP, "0x21 * 8 + 2", 0, "int 0x21"
  set_idt_access 0x61, 0xEE
  v86_traps "INT n, IOPL 3, gate DPL 3", 0x3002, 0x61, 0, 2, "int 0x61"
  # INT3 does not look at IOPL.
  set_idt_access V_BP, 0xEE
  v86_traps "INT3, IOPL 0", 2, V_BP, 0, 1, "int3"

  # Always privileged, and never recognized here (20.2.8).
  v86_traps "MOV CR0", 2, V_GP, 0, 0, "mov eax, cr0"
  v86_traps "LGDT", 2, V_GP, 0, 0, "lgdt [0]"
  v86_traps "CLTS", 2, V_GP, 0, 0, "clts"
  v86_runs "SMSW", 2, "smsw ax"
  v86_runs "SGDT", 2, "sgdt [0x20]"
  v86_traps "SLDT", 2, V_UD, 0, 0, "sldt ax"
  v86_traps "STR", 2, V_UD, 0, 0, "str ax"
  v86_traps "LAR", 2, V_UD, 0, 0, "lar ax, bx"
  v86_traps "VERR", 2, V_UD, 0, 0, "verr ax"
  v86_traps "ARPL", 2, V_UD, 0, 0, "arpl ax, bx"
  v86_traps "LLDT", 2, V_UD, 0, 0, "lldt ax"
  v86_traps "DIV by zero", 2, V_DE, 0, 2, "xor cx, cx; div cx"

  # 20.2.8.1: I/O looks at the bitmap only, IOPL or not.
  v86_traps "IN without a bitmap, IOPL 3", 0x3002, V_GP, 0, 0, "in al, 0x80"
  call checks_done
