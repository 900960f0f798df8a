# Virtual-8086 mode: entry by IRETD, segments as in real mode, what traps, and what an interrupt pushes. Intel SDM, volume 3,
# chapter "8086 Emulation"; sections are cited by title.

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

# What IRETD takes to enter the mode at this EIP.
.macro v86_frame eip:req
  push 0
  push 0
  push 0
  push 0
  push V86_STACK
  push 0x100
  push VM | 2
  push V86_SEGMENT
  push \eip
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

  .section .gdt, "aw"
.set MAP_TSS, 0x30                # with an I/O permission bitmap
.set CONFORMING, 0x38
  descriptor 0, map_tss_limit, 0x89, 0
  descriptor 0, 0xFFFFF, 0x9F, 0xC

  .data
  .balign 4
map_tss:
  .long 0
  .long isr_stack_top, KDATA
  .skip 90
  .word 104
map: .skip 0x100 / 8
  .byte 0xFF
.set map_tss_limit, . - map_tss - 1

  .bss
  .balign 4
v86_end: .skip 4
seen_ds: .skip 4

  .text
main:
  # "Entering Virtual-8086 Mode", "Leaving Virtual-8086 Mode": an exception leaves for ring 0 and pushes GS, FS, DS, ES,
  # SS, ESP, EFLAGS with VM, CS, EIP; segments are null then.
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

  # "Address Translation in Real-Address Mode": base = selector * 16, limit FFFFh.
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

  # "Sensitive Instructions": with IOPL < 3: #GP(0).
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

  v86_traps "LMSW", 2, V_GP, 0, 0, "lmsw ax"
  v86_traps "LIDT", 2, V_GP, 0, 0, "lidt [0]"
  v86_traps "MOV DR7", 2, V_GP, 0, 0, "mov dr7, eax"
  v86_traps "RDMSR", 2, V_GP, 0, 0, "rdmsr"
  v86_traps "WBINVD", 2, V_GP, 0, 0, "wbinvd"
  v86_traps "LTR", 2, V_UD, 0, 0, "ltr ax"
  v86_traps "LSL", 2, V_UD, 0, 0, "lsl ax, bx"
  v86_traps "VERW", 2, V_UD, 0, 0, "verw ax"

  # "Sensitive Instructions": their 32-bit forms see neither VM nor RF and do not change VM or IOPL.
  v86_traps "PUSHFD, IOPL 0", 2, V_GP, 0, 0, "pushfd"
  v86_runs "PUSHFD, IOPL 3", 0x13002, "pushfd; pop ebx"
  check "PUSHFD, IOPL 3: value", ebx, 0x3002
  v86_runs "POPFD, IOPL 3", 0x3002, "push dword ptr 0x203; popfd"
  mov eax, [fault_flags]
  and eax, VM | 0x3201
  check "POPFD, IOPL 3: IF and CF change, VM and IOPL do not", eax, "VM | 0x3201"
  v86_traps "IRETD, IOPL 0", 2, V_GP, 0, 0, "iretd"
  # INTO and INT3 look at the DPL of their gates, but not at IOPL.
  set_idt_access V_OF, 0xEE
  v86_traps "INTO, IOPL 0", 2, V_OF, 0, 5, "mov al, 0x7F; inc al; into"
  set_idt_access V_BP, 0x8E
  v86_traps "INT3, gate DPL 0", 0x3002, V_GP, "V_BP * 8 + 2", 0, "int3"

  # "Class 1 - Hardware Interrupt and Exception Handling": the handler must be nonconforming code of DPL 0.
  mov word ptr [idt + 0x61 * 8 + 2], CONFORMING
  v86_traps "INT n, handler in conforming code", 0x3002, V_GP, CONFORMING, 0, "int 0x61"
  mov word ptr [idt + 0x61 * 8 + 2], UCODE
  v86_traps "INT n, handler of DPL 3", 0x3002, V_GP, "UCODE & ~3", 0, "int 0x61"
  mov word ptr [idt + 0x61 * 8 + 2], KCODE
  mov word ptr [idt + V_DE * 8 + 2], UCODE
  v86_traps "#DE, handler of DPL 3: #GP, hence #DF", 2, V_DF, 0, 2, "xor cx, cx; div cx"
  mov word ptr [idt + V_DE * 8 + 2], KCODE

  # A handler returns by IRETD: all nine doublewords are loaded again.
  mov dword ptr [handlers + 0x61 * 4], offset note_segments
  v86_runs "INT n and back", 0x3202, "mov bx, 0x1111; int 0x61; mov cx, ds; mov dx, gs"
  check "INT n and back: the handler's DS", "[seen_ds]", 0
  movzx eax, bx
  check "INT n and back: register", eax, 0x2222
  movzx eax, cx
  check "INT n and back: DS", eax, 0x0A00
  movzx eax, dx
  check "INT n and back: GS", eax, 0x0444
  check "INT n and back: SP", "[fault_sp]", 0x100
  mov eax, [fault_flags]
  and eax, VM | 0x3200
  check "INT n and back: flags", eax, "VM | 0x3200"
  mov dword ptr [handlers + 0x61 * 4], 0

  # Single steps: #DB after the first instruction.
  v86_traps "TF", 0x102, V_DB, 0, 1, "nop; nop"

  # "Address Translation in Real-Address Mode": 64 KiB segments, of which the last reach past 1 MiB. #SS(0) for the stack.
  mov ebx, ds:[0x100010]
  v86_runs "above 1 MiB", 2, "mov ax, 0xFFFF; mov ds, ax; mov eax, [0x20]"
  check "above 1 MiB: value", eax, ebx
  v86_traps "PUSH across the end of the stack", 2, V_SS, 0, 3, "mov sp, 1; push ax"
  v86_traps "word across the end through BP", 2, V_SS, 0, 3, "mov bp, 0xFFFF; mov ax, [bp]"
  v86_traps "instruction past the limit of CS", 2, V_GP, 0, 0, ".byte 0x66, 0xE9; .long 0x10000"

  # Volume 2, IRET: VM counts at CPL 0 only, and EIP must be within 64 KiB. POPFD never changes it.
  expect "IRETD with EIP above FFFFh", V_GP, 0, "v86_frame 0x10000", "iretd"
  push VM | 2
  popfd
  pushfd
  pop eax
  check "POPFD at CPL 0: VM stays clear", eax, 2
  expect_user_none "IRETD at CPL 3", "", "push VM | 2; push UCODE; push offset 1f; iretd; 1:"
  mov eax, [fault_flags]
  and eax, VM
  check "IRETD at CPL 3: VM stays clear", eax, 0

  # "Port-Mapped I/O": it looks at the bitmap only, IOPL or not.
  v86_traps "IN without a bitmap, IOPL 3", 0x3002, V_GP, 0, 0, "in al, 0x80"
  set_base MAP_TSS, map_tss
  mov eax, MAP_TSS
  ltr ax
  v86_runs "IN, bit clear, IOPL 0", 2, "in al, 0x80"
  v86_runs "OUT, bit clear, IOPL 0", 2, "mov dx, 0x80; out dx, al"
  mov byte ptr [map + 0x80 / 8], 2
  v86_runs "IN, next bit set", 2, "in al, 0x80"
  v86_traps "IN, bit set, IOPL 0", 2, V_GP, 0, 0, "in al, 0x81"
  v86_traps "IN, bit set, IOPL 3", 0x3002, V_GP, 0, 0, "in al, 0x81"
  v86_traps "IN word, second bit set", 2, V_GP, 0, 0, "in ax, 0x80"
  v86_traps "OUTSB, bit set", 2, V_GP, 0, 3, "mov dx, 0x81; outsb"
  v86_traps "INSB, bit set", 2, V_GP, 0, 3, "mov dx, 0x81; insb"
  v86_traps "IN, port past the map", 2, V_GP, 0, 3, "mov dx, 0x300; in al, dx"
  call checks_done

# Handler: EDI -> frame.
note_segments:
  mov eax, [edi + FRAME_DS]
  mov [seen_ds], eax
  mov word ptr [edi + FRAME_EBX], 0x2222
  ret
