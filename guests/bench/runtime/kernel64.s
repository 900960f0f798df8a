# The kernel under a 64-bit benchmark guest: sets ring 0 up, enters the payload in ring 3, serves its few calls.
# The payload computes in ring 3 because that is where every KVM back end executes directly.

.include "long.inc"
.include "calls.inc"

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  push rdi                        # command line (docs/loaders.md)
  call long_init

  # Everything from 4 MiB up to 128 MiB belongs to ring 3: code from 4 MiB, data from 6 MiB (guest.ld).
  lea rdi, [pd + 2 * 8]
1:
  or qword ptr [rdi], PTE_U
  add rdi, 8
  cmp rdi, offset pd + 64 * 8
  jb 1b
  mov rax, cr3
  mov cr3, rax

  # Calls arrive as #UD, which every KVM back end delivers, unlike SYSCALL and INT n. Its gate bypasses the stubs.
  lea rax, [call_entry]
  mov [idt + V_UD * 16], ax
  shr eax, 16
  mov [idt + V_UD * 16 + 6], ax

  pop rsi                         # the payload cannot read the loader's page
  lea rdi, [command_line]
  mov ecx, COMMAND_LINE_SPACE - 1
2:
  mov al, [rsi]
  mov [rdi], al
  inc rsi
  inc rdi
  test al, al
  jz 3f
  dec ecx
  jnz 2b
3:
  lea rdi, [command_line]
  push UDATA
  push offset payload_stack_top - 8   # as after a CALL
  push 2                          # interrupts stay off
  push UCODE
  push offset payload
  iretq

# EDI = service, RSI and RDX = arguments. Stack: RIP, CS, RFLAGS, RSP, SS. Clobbers what a C call may.
call_entry:
  cmp qword ptr [rsp], offset call_site
  jne not_a_call
  add qword ptr [rsp], 2          # past the UD2
  test edi, edi
  jz 1f
  cmp edi, CALL_LAST
  ja 1f
  call [services + rdi * 8]
1:
  iretq

# Any other #UD goes the usual way and ends the run.
not_a_call:
  jmp stubs + V_UD * 16

service_write:
  mov rcx, rdx
1:
  mov edi, 16                     # an empty transmitter FIFO takes 16 bytes
  mov dx, COM1_LSR
2:
  in al, dx
  test al, 0x20                   # LSR.THRE
  jz 2b
  mov dx, COM1
3:
  test rcx, rcx
  jz 4f
  lodsb
  out dx, al
  dec rcx
  dec edi
  jnz 3b
  jmp 1b
4:
  ret

service_exit:
  mov eax, esi
  out DEBUG_EXIT, al
1:
  hlt
  jmp 1b

service_port_writes:
  out POST_PORT, al
  dec rsi
  jnz service_port_writes
  ret

service_mmio_reads:
  mov edx, LAPIC
1:
  mov eax, [rdx + LAPIC_VERSION]
  dec rsi
  jnz 1b
  ret

  .section .rodata
  .balign 8
services:
  .quad 0, service_write, service_exit, service_port_writes, service_mmio_reads

# ---- Ring 3 ---------------------------------------------------------------------------------------------
  .section .user
.globl kernel_call
kernel_call:
call_site:
  ud2
  ret

  .section .payload, "aw", @nobits
  .balign 16
command_line: .skip COMMAND_LINE_SPACE
  .skip 65536
payload_stack_top:
