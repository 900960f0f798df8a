# Exceptions in 64-bit mode: vector, error code and saved RIP of each. Chapters are those of the Intel SDM, volume 3.

.include "long.inc"
.include "check.inc"

.set NON_CANONICAL, 0x8000
.set CR0_VALUE, 0x80010033
.set CR0_TS, 8
.set CR0_EM, 4
.set CR0_AM, 1 << 18

  .section .gdt, "aw"
.set NOT_PRESENT_DATA, GDT_FREE
.set DPL3_CODE_ONLY, GDT_FREE + 8
.set EXECUTE_ONLY, GDT_FREE + 16
.set NOT_PRESENT_DPL3, GDT_FREE + 24
  .quad 0x00CF13000000FFFF        # data, not present
  .quad 0x00CFF3000000FFFF        # data, DPL 3
  .quad 0x0020990000000000        # code, execute-only
  .quad 0x00CF73000000FFFF        # data, DPL 3, not present

  .section .user, "awx"
  .balign 16
user_data: .skip 32
  .data
  .balign 16
kernel_data: .skip 64
zero: .float 0, 0, 0, 0
one: .float 1, 1, 1, 1
mxcsr: .long 0x1D80               # all masked but ZM
mxcsr_default: .long 0x1F80
control_word: .word 0x033B        # all masked but ZM
short_idtr:
  .word 0x90 * 16 - 1             # vectors 00-8F only
  .quad idt
bad_idtr:
  .word 0xFFF
  .quad 0x0000800000000000

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init

  # 6.15, #DE: a fault, no error code; also for a quotient that does not fit.
  expect "DE DIV by zero", V_DE, 0, "xor ecx, ecx", "div ecx"
  expect "DE quotient too large", V_DE, 0, "mov edx, 2; xor eax, eax; mov ecx, 2", "div ecx"
  expect "DE IDIV most negative by -1", V_DE, 0, "mov eax, 0x80000000; cdq; mov ecx, -1", "idiv ecx"

  # 17.3.1.4: TF raises a trap after the next instruction; DR6.BS says so. 17.2.3: DR6 is not cleared by hardware.
  xor eax, eax
  mov dr6, rax
  expect_trap "DB single step", V_DB, 0, "pushfq; or dword ptr [rsp], 0x100; popfq", "nop"
  mov rax, dr6
  and eax, 0xE00F
  check "DB single step: DR6.BS", rax, 0x4000
  mov rax, [fault_flags]
  and eax, 0x100
  check "DB single step: TF in the saved flags", rax, 0x100

  # 17.2.4, 17.3.1.1: an instruction breakpoint is a fault, before the instruction; DR6.B0.
  xor eax, eax
  mov dr6, rax
  lea rax, [breakpoint_here]
  mov dr0, rax
  mov eax, 0x402                  # G0, execute
  mov dr7, rax
  expect "DB instruction breakpoint", V_DB, 0, "", "breakpoint_here: nop"
  mov rax, dr6
  and eax, 0xE00F
  check "DB instruction breakpoint: DR6.B0", rax, 1
  # 6.8.3: with RF set in the flags that IRET loads, the same breakpoint does not stop the instruction again.
  lea rax, [breakpoint_here2]
  mov dr0, rax
  expect_none "DB RF suppresses the breakpoint", "push KDATA; lea rax, [rsp]; push rax; push 0x10002; push KCODE; push offset breakpoint_here2; iretq", "breakpoint_here2: pop rax"

  # 17.3.1.2: a data breakpoint is a trap, after the access.
  xor eax, eax
  mov dr6, rax
  lea rax, [kernel_data]
  mov dr1, rax
  mov eax, 0x00D00408             # G1, write, 4 bytes
  mov dr7, rax
  expect_trap "DB data write", V_DB, 0, "", "mov dword ptr [kernel_data], 5"
  mov rax, dr6
  and eax, 0xE00F
  check "DB data write: DR6.B1", rax, 2
  expect_none "DB data write: a read does not match", "", "mov eax, [kernel_data]"
  expect_trap "DB data write: a byte within", V_DB, 0, "", "mov byte ptr [kernel_data + 3], 5"
  expect_none "DB data write: next to it", "", "mov byte ptr [kernel_data + 4], 5"

  # 17.2.4: general detect. MOV to or from a debug register is a fault; DR6.BD; GD is cleared on entry to the handler.
  xor eax, eax
  mov dr6, rax
  mov eax, 0x2400
  mov dr7, rax
  expect "DB general detect", V_DB, 0, "", "mov rax, dr3"
  mov rax, dr6
  and eax, 0xE00F
  check "DB general detect: DR6.BD", rax, 0x2000
  mov rax, dr7
  check "DB general detect: GD is clear", rax, 0x400
  xor eax, eax
  mov dr6, rax
  expect_trap "DB INT1", V_DB, 0, "", ".byte 0xF1"

  # 6.15, #BP and INT n: traps.
  expect_trap "BP INT3", V_BP, 0, "", "int3"
  expect_trap "BP INT 3", V_BP, 0, "", ".byte 0xCD, 3"
  expect_trap "INT 83h", 0x83, 0, "", "int 0x83"
  # 6.8.3 RF is set in the flags that a fault pushes, and clear for a trap.
  mov rax, [fault_flags]
  and eax, 0x10000
  check "RF clear after a trap", rax, 0

  # 6.15, #UD.
  expect "UD UD2", V_UD, 0, "", "ud2"
  mov rax, [fault_flags]
  and eax, 0x10000
  check "RF set after a fault", rax, 0x10000
  expect "UD LOCK on a register", V_UD, 0, "", ".byte 0xF0, 0x01, 0xC0"
  expect "UD LOCK NOP", V_UD, 0, "", ".byte 0xF0, 0x90"
  expect "UD MOV CS", V_UD, 0, "mov eax, KCODE", ".byte 0x8E, 0xC8"
  expect "UD PUSH ES in 64-bit mode", V_UD, 0, "", ".byte 0x06"
  expect "UD INTO in 64-bit mode", V_UD, 0, "", ".byte 0xCE"
  expect "UD AAM in 64-bit mode", V_UD, 0, "", ".byte 0xD4, 0x0A"
  expect "UD far JMP immediate in 64-bit mode", V_UD, 0, "", ".byte 0xEA, 0, 0, 0, 0, 8, 0"
  expect "UD LEA from a register", V_UD, 0, "", ".byte 0x8D, 0xC0"
  expect "UD MOV CR1", V_UD, 0, "", ".byte 0x0F, 0x20, 0xC8"

  # 2.5, 6.15 #NM: x87 with TS or EM; SSE with TS is #NM, with EM is #UD.
  mov eax, CR0_VALUE | CR0_TS
  mov cr0, rax
  expect "NM x87 with CR0.TS", V_NM, 0, "", "fld1"
  expect "NM SSE with CR0.TS", V_NM, 0, "", "movaps xmm0, xmm1"
  expect "NM FWAIT with CR0.MP and TS", V_NM, 0, "", "fwait"
  clts
  expect_none "NM not after CLTS", "", "fld1"
  mov eax, (CR0_VALUE | CR0_EM) & ~2
  mov cr0, rax
  expect "NM x87 with CR0.EM", V_NM, 0, "", "fld1"
  expect "UD SSE with CR0.EM", V_UD, 0, "", "movaps xmm0, xmm1"
  expect_none "FWAIT with CR0.EM", "", "fwait"
  mov eax, CR0_VALUE
  mov cr0, rax

  # 6.15, #NP, #SS and #GP of segment loads: the selector is the error code, without its RPL.
  expect "NP MOV DS", V_NP, NOT_PRESENT_DATA, "mov eax, NOT_PRESENT_DATA", "mov ds, eax"
  expect "NP: RPL is not in the error code", V_NP, NOT_PRESENT_DPL3, "mov eax, NOT_PRESENT_DPL3 | 3", "mov es, eax"
  expect "SS MOV SS, not present", V_SS, NOT_PRESENT_DATA, "mov eax, NOT_PRESENT_DATA", "mov ss, eax"
  expect "GP MOV SS, DPL 3", V_GP, DPL3_CODE_ONLY, "mov eax, DPL3_CODE_ONLY", "mov ss, eax"
  expect "GP MOV SS, code segment", V_GP, KCODE, "mov eax, KCODE", "mov ss, eax"
  expect "GP MOV SS, RPL 3", V_GP, KDATA, "mov eax, KDATA | 3", "mov ss, eax"
  expect "GP MOV DS, execute-only code", V_GP, EXECUTE_ONLY, "mov eax, EXECUTE_ONLY", "mov ds, eax"
  expect "GP MOV DS, past the GDT", V_GP, 0x7F0, "mov eax, 0x7F3", "mov ds, eax"
  expect "GP MOV DS, no LDT", V_GP, 0x14, "xor eax, eax; lldt ax; mov eax, 0x14", "mov ds, eax"
  expect_none "MOV DS, null", "xor eax, eax", "mov ds, eax"
  expect "GP LTR null", V_GP, 0, "xor eax, eax", "ltr ax"
  expect "GP LTR of a busy TSS", V_GP, TSS, "mov eax, TSS", "ltr ax"
  expect "GP LTR of a data segment", V_GP, KDATA, "mov eax, KDATA", "ltr ax"
  expect "GP LLDT of a TSS", V_GP, SPARE_TSS, "mov eax, SPARE_TSS", "lldt ax"

  # 3.3.7.1 of volume 1: canonical addresses. #SS through RSP or RBP, #GP otherwise.
  expect "GP non-canonical read", V_GP, 0, "mov rax, 0x800000000000", "mov rbx, [rax]"
  expect "GP non-canonical write", V_GP, 0, "mov rax, 0xFFFF7FFFFFFFFFFF", "mov [rax], bl"
  expect "SS non-canonical through RBP", V_SS, 0, "mov rbp, 0x800000000000", "mov rbx, [rbp]"
  expect "GP JMP to a non-canonical address", V_GP, 0, "mov rax, 0x800000000000", "jmp rax"
  expect "GP CALL to a non-canonical address", V_GP, 0, "mov rax, 0x800000000000", "call rax"
  expect "GP RET to a non-canonical address", V_GP, 0, "mov rax, 0x800000000000; push rax", "ret"
  expect_none "GS override, canonical with its base", "mov rax, 0x100000", "mov rbx, gs:[rax]"

  # 6.15, #GP(0) of privileged state.
  expect "GP RDMSR of no MSR", V_GP, 0, "mov ecx, 0x12345678", "rdmsr"
  expect "GP WRMSR of a non-canonical LSTAR", V_GP, 0, "mov ecx, MSR_LSTAR; xor eax, eax; mov edx, 0x8000", "wrmsr"
  expect "GP WRMSR of a reserved EFER bit", V_GP, 0, "mov ecx, MSR_EFER; rdmsr; or eax, 0x200", "wrmsr"
  expect "GP clearing EFER.LME with paging on", V_GP, 0, "mov ecx, MSR_EFER; rdmsr; and eax, ~0x100", "wrmsr"
  expect "GP CR0: PG without PE", V_GP, 0, "mov eax, CR0_VALUE & ~1", "mov cr0, rax"
  expect "GP CR0: NW without CD", V_GP, 0, "mov eax, CR0_VALUE | 0x20000000", "mov cr0, rax"
  expect "GP CR0: a high bit", V_GP, 0, "mov rax, 0x180010033", "mov cr0, rax"
  expect "GP CR4: PAE off in long mode", V_GP, 0, "mov eax, 0x600", "mov cr4, rax"
  expect "GP CR4: a reserved bit", V_GP, 0, "mov rax, 0x80000620", "mov cr4, rax"
  expect "GP CR8 above 15", V_GP, 0, "mov eax, 16", "mov cr8, rax"
  expect "GP DR7: a high bit", V_GP, 0, "mov rax, 0x100000400", "mov dr7, rax"
  expect "GP LIDT with a non-canonical base", V_GP, 0, "", "lidt [bad_idtr]"
  expect "GP MOVAPS misaligned", V_GP, 0, "", "movaps xmm0, [kernel_data + 8]"
  expect "GP CMPXCHG16B misaligned", V_GP, 0, "", "cmpxchg16b [kernel_data + 8]"
  expect "GP 16 bytes long", V_GP, 0, "", ".skip 15, 0x66; nop"
  expect_none "15 bytes long", "", ".skip 14, 0x66; nop"
  expect "GP IRETQ with NT", V_GP, 0, "push KDATA; push rsp; push 2; push KCODE; push offset iret_nt; pushfq; or dword ptr [rsp], 0x4000; popfq", "iret_nt: iretq"

  # 6.13: error codes that point into the IDT: index * 8 + 2, and + 1 (EXT) if no INT n caused it.
  mov byte ptr [idt + 0x82 * 16 + 5], 0x0E
  expect "NP INT n through a gate that is not present", V_NP, "0x82 * 8 + 2", "", "int 0x82"
  mov byte ptr [idt + 0x84 * 16 + 5], 0x92
  expect "GP INT n through what is no gate", V_GP, "0x84 * 8 + 2", "", "int 0x84"
  mov byte ptr [idt + V_UD * 16 + 5], 0x0E
  expect "NP exception through a gate that is not present", V_NP, "V_UD * 8 + 3", "", "ud2"
  mov byte ptr [idt + V_UD * 16 + 5], 0x8E
  lidt [short_idtr]
  expect "GP INT n past the IDT's limit", V_GP, "0x91 * 8 + 2", "", "int 0x91"
  lidt [idtr]

  # Table 6-5: a contributory exception while one is being delivered is a double fault: error code 0, on IST 1 here.
  mov byte ptr [idt + V_GP * 16 + 5], 0x0E
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  mov eax, 0x7F0                  # past the GDT
  mov ds, eax
1:
  mov byte ptr [idt + V_GP * 16 + 5], 0x8E
  check "DF: #NP while delivering #GP", "[fault_vector]", V_DF
  check "DF: error code", "[fault_error]", 0
  mov byte ptr [idt + V_PF * 16 + 5], 0x0E
  store recover_ip, "offset 2f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  mov rax, 0x700000000000
  mov rax, [rax]
2:
  mov byte ptr [idt + V_PF * 16 + 5], 0x8E
  check "DF: #NP while delivering #PF", "[fault_vector]", V_DF

  # 6.14.5: an IST entry of the gate selects the stack; 6.14.2: RSP is aligned to 16 first, the old one is saved.
  lea rax, [ist_handler]
  mov [handlers + 0x85 * 8], rax
  mov byte ptr [idt + 0x85 * 16 + 4], 2
  mov rbx, rsp
  int 0x85
  check "IST: frame is on stack 2", r14, "offset ist2_stack_top - 56"
  check "IST: RSP is saved", r15, rbx
  mov byte ptr [idt + 0x85 * 16 + 4], 0
  mov rbx, rsp
  sub rsp, 3
  lea rcx, [rsp]
  int 0x85
  mov rsp, rbx
  check "RSP is saved as it was", r15, rcx
  and r14, 15                     # vector, error and five quadwords below an aligned address
  check "RSP is aligned to 16 before the frame", r14, 8

  # 6.15, #AC: only at CPL 3, with CR0.AM and RFLAGS.AC.
  mov eax, CR0_VALUE | CR0_AM
  mov cr0, rax
  expect_user "AC misaligned read", V_AC, 0, "pushfq; or dword ptr [rsp], 0x40000; popfq; lea rsi, [user_data]", "mov eax, [rsi + 1]"
  expect_user "AC misaligned quadword", V_AC, 0, "pushfq; or dword ptr [rsp], 0x40000; popfq; lea rsi, [user_data]", "mov rax, [rsi + 4]"
  expect_user_none "AC aligned read", "pushfq; or dword ptr [rsp], 0x40000; popfq; lea rsi, [user_data]", "mov eax, [rsi + 4]"
  expect_user_none "AC without RFLAGS.AC", "lea rsi, [user_data]", "mov eax, [rsi + 1]"
  expect_none "AC not at CPL 0", "pushfq; or dword ptr [rsp], 0x40000; popfq", "mov eax, [kernel_data + 1]"
  push 2
  popfq
  mov eax, CR0_VALUE
  mov cr0, rax

  # 8.7 of volume 1, #MF: an unmasked x87 exception is raised by the next waiting instruction.
  fninit
  fldcw [control_word]
  fld1
  fldz
  expect_none "MF not at the division", "", "fdivp"
  expect "MF at the next x87 instruction", V_MF, 0, "", "fld1"
  expect "MF at FWAIT", V_MF, 0, "", "fwait"
  expect_none "MF not at FNINIT", "", "fninit"

  # 11.5.2 of volume 1, #XM: a fault at the SSE instruction itself.
  ldmxcsr [mxcsr]
  expect "XM DIVPS by zero", V_XM, 0, "movaps xmm0, [one]", "divps xmm0, [zero]"
  mov eax, 0x220                  # without CR4.OSXMMEXCPT it is #UD
  mov cr4, rax
  expect "UD instead of #XM without OSXMMEXCPT", V_UD, 0, "movaps xmm0, [one]", "divps xmm0, [zero]"
  mov eax, 0x620
  mov cr4, rax
  ldmxcsr [mxcsr_default]

  # 6.12.1.2: INT n from ring 3 needs a gate of DPL 3; exceptions do not.
  expect_user "GP INT n from ring 3, gate DPL 0", V_GP, "0x86 * 8 + 2", "", "int 0x86"
  expect_user "UD UD2 from ring 3", V_UD, 0, "", "ud2"
  check "CS of ring 3 is saved", "[fault_cs]", UCODE
  check "SS of ring 3 is saved", "[fault_ss]", UDATA
  expect_user "GP INT3 from ring 3, gate DPL 0", V_GP, "V_BP * 8 + 2", "", "int3"
  call checks_done

ist_handler:                      # tells in R15 and R14 what RSP was saved and where the frame is
  mov rax, [rdi + FRAME_SP]
  mov [rdi], rax
  lea rax, [rdi + FRAME_VECTOR]
  mov [rdi + 8], rax
  ret
