# Privileged or general? About forty instructions, each executed once at CPL 0 and once at CPL 3. An IDT catches
# what they raise, and one line per instruction says what happened.
#
# A probe is one line at the end of this file. It is followed by UD2: an invalid-opcode exception at that very
# address means that the instruction got through; anything else is the answer. The registers that a probe finds:
#   RAX = CR0, RBX = CR3, RBP = CR4, R8 = DR7, R9 = null selector, RSI -> 16 writable bytes of user memory,
#   R10 -> user_gdtr, R11 -> user_idtr, R12 = SPARE_TSS, R13 = KDATA, RDI -> a kernel-only page, RCX = 0, RDX = 0x80.

.include "long.inc"

# probe "NAME", instruction(s)   |   probe_if "NAME", …: interrupts are enabled at CPL 0
.macro probe_row name:req, flags:req, insn:req
  .pushsection .user, "awx"
.Lcode\@:
  \insn
.Lresume\@:
  ud2
  .popsection
  .pushsection .rodata
.Lname\@:
  .asciz "\name"
  .popsection
  .pushsection .data
  .quad .Lname\@, .Lcode\@, .Lresume\@, \flags
  .popsection
.endm
.macro probe name:req, insn:req
  probe_row "\name", 2, "\insn"
.endm
.macro probe_if name:req, insn:req
  probe_row "\name", 0x202, "\insn"
.endm

.set ROW_NAME, 0
.set ROW_CODE, 8
.set ROW_RESUME, 16
.set ROW_FLAGS, 24
.set ROW_SIZE, 32

  .bss
ring: .skip 8

  .section .user, "awx"
  .balign 16
user_gdtr: .skip 16
user_idtr: .skip 16
scratch: .skip 16

  .data
  .balign 8
mnemonics:                        # exception mnemonics, 4 bytes each (SDM vol. 3, table 6-1)
  .ascii "#DE #DB NMI #BP #OF #BR #UD #NM #DF ",  "9   ",  "#TS #NP #SS #GP #PF ", "15  ", "#MF #AC #MC #XM "
  .balign 8
rows:

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init

  gate_dpl V_BP, 3                  # INT3 and INT 80h are for everybody; INT 81h stays with CPL 0
  gate_dpl 0x80, 3
  sgdt [user_gdtr]
  sidt [user_idtr]

  # SYSCALL lands on a UD2 of its own (SDM vol. 3, 5.8.8).
  mov ecx, MSR_STAR
  xor eax, eax
  mov edx, ((0x18 | 3) << 16) | KCODE
  wrmsr
  mov ecx, MSR_LSTAR
  lea rax, [syscall_landing]
  xor edx, edx
  wrmsr
  mov ecx, MSR_FMASK
  mov eax, 0x200
  wrmsr

  # HLT at CPL 0 needs something to wake it: the PIT, a hundred times a second.
  lea rax, [tick]
  mov [handlers + IRQ_BASE * 8], rax
  mov ebx, PIT_HZ / 100
  call pit_start
  mov al, 0xFE
  out PIC1 + 1, al

  print "instruction           CPL 0        CPL 3\n"
  lea r15, [rows]
next_row:
  mov rsi, [r15 + ROW_NAME]
  call puts
  mov ecx, 22
1:
  cmp byte ptr [rsi], 0
  je 2f
  inc rsi
  dec ecx
  jmp 1b
2:
  call spaces
  store ring, 0
  call run_probe
  call show
  mov eax, 13
  sub eax, ecx
  mov ecx, eax
  call spaces
  store ring, 3
  call run_probe
  call show
  print "\n"
  add r15, ROW_SIZE
  lea rax, [rows_end]
  cmp r15, rax
  jb next_row
  print "done\n"
  exit 0

syscall_landing:
  ud2

tick:
  pic_eoi
  ret

# ECX spaces.
spaces:
  push rax
  push rcx
  mov al, ' '
1:
  call putc
  dec ecx
  jnz 1b
  pop rcx
  pop rax
  ret

# Run the probe of row R15 at CPL `ring`: leaves the record in fault_*. Preserves R15 only.
run_probe:
  push r15
  store recover_ip, "offset 3f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  cmp qword ptr [ring], 0
  jne 1f
  push KDATA
  lea rax, [rsp - 8]              # at CPL 0 the probe uses this very stack, below the frame
  push rax
  push [r15 + ROW_FLAGS]
  push KCODE
  jmp 2f
1:
  push UDATA
  push offset user_stack_top
  push 2
  push UCODE
2:
  push [r15 + ROW_CODE]
  mov rax, cr0
  mov rbx, cr3
  mov rbp, cr4
  mov r8d, 0x400
  xor r9d, r9d
  lea rsi, [scratch]
  lea r10, [user_gdtr]
  lea r11, [user_idtr]
  mov r12d, SPARE_TSS
  mov r13d, KDATA
  lea rdi, [pml4]
  xor ecx, ecx
  mov edx, 0x80
  iretq
3:
  mov eax, TSS                    # the LTR probe left the other TSS loaded: make both as they were
  and byte ptr [gdt + TSS + 5], 0xFD
  and byte ptr [gdt + SPARE_TSS + 5], 0xFD
  ltr ax
  xor eax, eax
  lldt ax
  mov rax, cr0
  and eax, ~8                     # CR0.TS
  mov cr0, rax
  pop r15
  ret

# Print what the record says; ECX = characters printed.
show:
  mov rax, [fault_vector]
  mov rdx, [fault_ip]
  cmp rax, V_UD
  jne 2f
  cmp rdx, [r15 + ROW_RESUME]
  je 1f
  lea rbx, [syscall_landing]
  cmp rdx, rbx
  jne 2f
1:
  print "ok"
  mov ecx, 2
  ret
2:
  cmp eax, 32
  jae 4f
  lea rbx, [mnemonics + rax * 4]
  mov edx, eax
  mov al, [rbx]
  call putc
  mov al, [rbx + 1]
  call putc
  mov al, [rbx + 2]
  call putc
  mov ecx, 3
  bt dword ptr [error_vectors], edx
  jnc 3f
  mov al, '('
  call putc
  mov rax, [fault_error]
  mov ecx, 4
  call put_hex
  mov al, ')'
  call putc
  mov ecx, 9
3:
  ret
4:
  print "vector "
  mov ecx, 2
  call put_hex
  mov ecx, 9
  ret

  .section .rodata
  .balign 4
error_vectors: .long HAS_ERROR_CODE

  .text
# The table. General instructions first, then the sensitive but unprivileged, then the privileged ones.
  probe "NOP",              "nop"
  probe "ADD",              "add rax, rbx"
  probe "CPUID",            "cpuid"
  probe "RDTSC",            "rdtsc"
  probe "DIV by 0",         "div ecx"
  probe "UD2",              "ud2; nop"
  probe "INT3",             "int3"
  probe "INT 80h, DPL 3",   "int 0x80"
  probe "INT 81h, DPL 0",   "int 0x81"
  probe "SYSCALL",          "syscall"
  probe "read kernel page", "mov rax, [rdi]"
  probe "IRETQ, same ring", "mov rax, rsp; mov ecx, ss; mov edx, cs; push rcx; push rax; pushfq; push rdx; lea rax, [rip + 2f]; push rax; iretq; 2: nop"
  probe "IRETQ to CPL 0",   "mov rax, rsp; push r13; push rax; push 2; push 8; lea rax, [rip + 2f]; push rax; iretq; 2: nop"
  probe "SGDT",             "sgdt [rsi]"
  probe "SIDT",             "sidt [rsi]"
  probe "SLDT",             "sldt eax"
  probe "STR",              "str eax"
  probe "SMSW",             "smsw eax"
  probe "PUSHFQ",           "pushfq; pop rax"
  probe "POPFQ",            "pushfq; popfq"
  probe "LAR",              "lar eax, r13d"
  probe "LSL",              "lsl eax, r13d"
  probe "VERR",             "verr r13w"
  probe "VERW",             "verw r13w"
  probe "MOV r, CS",        "mov eax, cs"
  probe "MOV SS, null",     "mov ss, r9d"
  probe "MOV DS, null",     "mov ds, r9d"
  probe "IN",               "in al, 0x61"
  probe "OUT",              "out 0x80, al"
  probe "CLI",              "cli"
  probe "STI",              "sti; nop; cli"
  probe_if "HLT",           "hlt"
  probe "MOV r, CR0",       "mov rax, cr0"
  probe "MOV CR0, r",       "mov cr0, rax"
  probe "MOV r, CR2",       "mov rax, cr2"
  probe "MOV r, CR3",       "mov rax, cr3"
  probe "MOV CR3, r",       "mov cr3, rbx"
  probe "MOV r, CR4",       "mov rax, cr4"
  probe "MOV CR4, r",       "mov cr4, rbp"
  probe "MOV r, CR8",       "mov rax, cr8"
  probe "MOV CR8, r",       "mov cr8, rcx"
  probe "MOV r, DR7",       "mov rax, dr7"
  probe "MOV DR7, r",       "mov dr7, r8"
  probe "CLTS",             "clts"
  probe "LMSW",             "lmsw ax"
  probe "LGDT",             "lgdt [r10]"
  probe "LIDT",             "lidt [r11]"
  probe "LLDT",             "lldt r9w"
  probe "LTR",              "ltr r12w"
  probe "RDMSR",            "mov ecx, 0xC0000080; rdmsr"
  probe "WRMSR",            "mov ecx, 0xC0000102; xor eax, eax; xor edx, edx; wrmsr"
  probe "SWAPGS",           "swapgs"
  probe "INVLPG",           "invlpg [rsi]"
  probe "INVD",             "invd"
  probe "WBINVD",           "wbinvd"
  probe "SYSRETQ",          "lea rcx, [rip + 2f]; mov r11d, 2; sysretq; 2: nop"
  .data
rows_end:
