# SYSCALL and SYSRET, SYSENTER and SYSEXIT, SWAPGS, compatibility mode. Intel SDM, volume 2 (the instructions' pages) and volume 3,
# 5.8.7 and 5.8.8.

.include "long.inc"
.include "check.inc"

.set MSR_SYSENTER_CS, 0x174
.set MSR_SYSENTER_ESP, 0x175
.set MSR_SYSENTER_EIP, 0x176

.macro write_msr msr:req, low:req, high=0
  mov ecx, \msr
  mov eax, \low
  mov edx, \high
  wrmsr
.endm

# Go to ring 3 at `target`; come back at the end of this macro by whatever exception comes.
.macro visit_user target:req, flags=2, cs=UCODE
  store recover_ip, "offset .Lback\@"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  push UDATA
  push offset user_stack_top
  push \flags
  push \cs
  push offset \target
  iretq
.Lback\@:
  store recover_ip, 0
.endm

  .bss
  .balign 16
seen_rcx: .skip 8
seen_r11: .skip 8
seen_flags: .skip 8
seen_cs: .skip 8
seen_ss: .skip 8
seen_rsp: .skip 8
kernel_gs: .skip 16
user_gs: .skip 16

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  write_msr MSR_STAR, 0, "(UCODE32 << 16) | KCODE"
  write_msr MSR_LSTAR, "offset syscall_entry"
  write_msr MSR_FMASK, 0x500      # TF and DF

  # SYSCALL: RCX = next RIP, R11 = RFLAGS, RFLAGS &= ~FMASK, CS and SS from STAR[47:32], RSP unchanged.
  visit_user user_syscall, 0xC03  # OF, DF, CF
  check "SYSCALL: RCX", "[seen_rcx]", "offset user_after_syscall"
  mov rax, [seen_r11]
  check "SYSCALL: R11", rax, 0xC03
  mov rax, [seen_flags]
  check "SYSCALL: RFLAGS are masked", rax, 0x803
  check "SYSCALL: CS", "[seen_cs]", KCODE
  check "SYSCALL: SS", "[seen_ss]", KDATA
  check "SYSCALL: RSP is not changed", "[seen_rsp]", "offset user_stack_top"
  # SYSRETQ: RIP = RCX, RFLAGS = R11, CS and SS from STAR[63:48] with RPL 3.
  check "SYSRETQ: RIP", "[fault_ip]", "offset user_after_syscall"
  check "SYSRETQ: CS", "[fault_cs]", UCODE
  check "SYSRETQ: SS", "[fault_ss]", UDATA
  mov rax, [fault_flags]
  and eax, 0xFFFF
  check "SYSRETQ: RFLAGS from R11", rax, 0xC03

  # SYSRET without REX.W goes to 32-bit code in compatibility mode: 40h is INC EAX there, a REX prefix in 64-bit mode.
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  lea rcx, [user_code32]
  mov r11d, 2
  mov rax, 0x1122334400000005
  sysretd
1:
  store recover_ip, 0
  check "SYSRET: CS is the 32-bit segment", "[fault_cs]", UCODE32
  check "SYSRET: the code ran as 32-bit code", rax, 6
  check "SYSRET: RIP", "[fault_ip]", "offset user_code32_end"

  # In compatibility mode addresses are 32 bits wide, and a stack push takes 4 bytes.
  visit_user user_code32_push, 2, UCODE32
  mov rax, offset user_stack_top - 4
  check "compatibility mode: PUSH takes 4 bytes", "[fault_sp]", rax
  # Far jumps lead from one mode to the other within ring 3.
  visit_user user_code32_jump, 2, UCODE32
  check "far JMP to 64-bit code: CS", "[fault_cs]", UCODE
  check "far JMP to 64-bit code: R8 exists", r8, 0x1234
  visit_user user_return32
  check "far RET to 32-bit code: CS", "[fault_cs]", UCODE32

  # A 64-bit gate reached from compatibility mode: the frame is 64-bit, and IRETQ leads back.
  lea rax, [count_handler]
  mov [handlers + 0x80 * 8], rax
  gate_dpl 0x80, 3
  xor ebx, ebx
  visit_user user_code32_int, 2, UCODE32
  check "INT 80h from compatibility mode: handler ran", rbx, 1
  check "INT 80h from compatibility mode: back", "[fault_ip]", "offset user_code32_int_end"
  check "INT 80h from compatibility mode: CS", "[fault_cs]", UCODE32

  # What is refused.
  expect_user "SYSRETQ at CPL 3", V_GP, 0, "lea rcx, [user_after_syscall]", "sysretq"
  expect_user "SYSEXIT at CPL 3", V_GP, 0, "", ".byte 0x0F, 0x35"
  expect_user "SWAPGS at CPL 3", V_GP, 0, "", "swapgs"
  expect "SYSRETQ to a non-canonical address", V_GP, 0, "mov rcx, 0x800000000000; mov r11d, 2", "sysretq"
  write_msr MSR_EFER, 0xD00
  expect "SYSCALL without EFER.SCE", V_UD, 0, "", "syscall"
  expect "SYSRETQ without EFER.SCE", V_UD, 0, "", "sysretq"
  write_msr MSR_EFER, 0xD01

  # SWAPGS exchanges the base of GS with IA32_KERNEL_GS_BASE.
  mov dword ptr [kernel_gs], 0x4B4B4B4B
  mov dword ptr [user_gs], 0x55555555
  write_msr MSR_GS_BASE, "offset user_gs"
  write_msr MSR_KERNEL_GS_BASE, "offset kernel_gs"
  mov eax, gs:[0]
  check "GS base by WRMSR", rax, 0x55555555
  swapgs
  mov eax, gs:[0]
  check "SWAPGS: kernel base", rax, 0x4B4B4B4B
  mov ecx, MSR_KERNEL_GS_BASE
  rdmsr
  check "SWAPGS: the MSR has the other one", rax, "offset user_gs"
  swapgs
  mov eax, gs:[0]
  check "SWAPGS: and back", rax, 0x55555555
  # FS and GS have 64-bit bases; a selector load replaces the base by the descriptor's 32 bits.
  write_msr MSR_FS_BASE, "offset kernel_gs - 0x100"
  mov eax, fs:[0x100]
  check "FS base by WRMSR", rax, 0x4B4B4B4B
  mov eax, UDATA
  mov fs, eax
  mov ecx, MSR_FS_BASE
  rdmsr
  check "MOV FS: base from the descriptor", rax, 0
  # DS, ES, CS and SS have base 0 in 64-bit mode whatever the descriptor says.
  expect "RDFSBASE without CR4.FSGSBASE", V_UD, 0, "", "rdfsbase rax"

  # SYSENTER and SYSEXIT: Intel processors only have them in long mode.
  xor eax, eax
  cpuid
  cmp ebx, 0x756E6547             # "Genu"
  jne no_sysenter
  write_msr MSR_SYSENTER_CS, 0
  expect "SYSENTER with a null SYSENTER_CS", V_GP, 0, "", "sysenter"
  expect "SYSEXIT with a null SYSENTER_CS", V_GP, 0, "", ".byte 0x0F, 0x35"
  write_msr MSR_SYSENTER_CS, KCODE
  write_msr MSR_SYSENTER_EIP, "offset sysenter_entry"
  write_msr MSR_SYSENTER_ESP, "offset ist2_stack_top"
  visit_user user_sysenter, 0x202
  check "SYSENTER: CS", "[seen_cs]", KCODE
  check "SYSENTER: SS", "[seen_ss]", KDATA
  check "SYSENTER: RSP", "[seen_rsp]", "offset ist2_stack_top"
  mov rax, [seen_flags]
  check "SYSENTER: IF is cleared", rax, 2
  check "SYSEXITQ: CS", "[fault_cs]", UCODE
  check "SYSEXITQ: SS", "[fault_ss]", "UDATA + 16"
  check "SYSEXITQ: RIP", "[fault_ip]", "offset user_after_syscall"
  check "SYSEXITQ: RSP", "[fault_sp]", "offset user_stack_top - 16"
  expect_user "SYSCALL in compatibility mode", V_UD, 0, "push UCODE32; push offset 1f; rex.w retf; .code32; 1:", "syscall; .code64"
no_sysenter:
  call checks_done

count_handler:
  inc qword ptr [rdi + FRAME_RBX]
  ret

syscall_entry:
  mov [seen_rsp], rsp
  lea rsp, [stack_top - 2048]
  pushfq
  pop [seen_flags]
  mov [seen_rcx], rcx
  mov [seen_r11], r11
  mov rax, cs
  mov [seen_cs], rax
  mov rax, ss
  mov [seen_ss], rax
  mov rsp, [seen_rsp]
  sysretq

sysenter_entry:
  mov [seen_rsp], rsp
  pushfq
  pop [seen_flags]
  mov rax, cs
  mov [seen_cs], rax
  mov rax, ss
  mov [seen_ss], rax
  lea rdx, [user_after_syscall]
  lea rcx, [user_stack_top - 16]
  .byte 0x48, 0x0F, 0x35          # SYSEXIT with REX.W

  .section .user, "awx"
user_syscall:
  syscall
user_after_syscall:
  ud2
user_sysenter:
  sysenter
user_return32:
  push UCODE32
  push offset user_code32_end
  rex.w retf
  .code32
user_code32:
  .byte 0x40                      # INC EAX, or REX
user_code32_end:
  ud2
user_code32_push:
  push eax
  ud2
user_code32_jump:
  .byte 0xEA                      # far JMP to 64-bit code
  .long user_code64
  .word UCODE
user_code32_int:
  int 0x80
user_code32_int_end:
  ud2
  .code64
user_code64:
  mov r8d, 0x1234
  ud2
