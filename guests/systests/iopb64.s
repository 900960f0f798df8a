# The I/O permission bitmap of a 64-bit TSS, and IOPL.

.include "long.inc"
.include "check.inc"
.include "iopb.inc"

.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  iopb_tests

  # IOPL 3: no map is looked at, and CLI and STI are allowed.
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  enter_user iopl_code, 0x3202
1:
  check "IOPL 3: no exception", "[fault_ip]", "offset iopl_end"
  mov rax, [fault_flags]
  and eax, 0x3200
  check "IOPL 3: CLI worked", rax, 0x3000
  # POPF at CPL 3 cannot change IOPL, and with IOPL 0 not IF either.
  store recover_ip, "offset 2f"
  mov [recover_sp], rsp
  enter_user popf_code, 0x202
2:
  mov rax, [fault_flags]
  and eax, 0x3200
  check "POPF at CPL 3 leaves IF and IOPL alone", rax, 0x200
  call checks_done

  .section .user, "awx"
iopl_code:
  mov edx, 0x80
  in al, dx
  out 0x80, al
  cli
iopl_end:
  ud2
popf_code:
  push 0x3000
  popfq
  ud2
