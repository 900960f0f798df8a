# The kernel under a 64-bit benchmark guest: sets ring 0 up, enters the payload in ring 3, serves its few calls.
# The payload computes in ring 3 because that is where every KVM back end executes directly.

.include "long.inc"
.include "calls.inc"

.set TASK_STACK_SIZE, 4096

  .bss
  .balign 4096
page_tables: .skip SMALL_PAGES * 8  # of the small pages, in the order of their addresses
second_pml4: .skip 4096
  .skip TASK_STACK_SIZE
second_stack_top:

  .data
  .balign 8
small_base: .quad 0               # address of the first small page
tasks:                            # RSP while it waits, top of its kernel stack, CR3
  .quad 0, isr_stack_top, pml4
  .quad 0, second_stack_top, second_pml4
.set TASK_SIZE, 24
running: .quad tasks
waiting: .quad tasks + TASK_SIZE
interrupts: .quad 0
user_rsp: .quad 0

# A gate that bypasses the stubs; the entry's upper half is that of the stubs. Clobbers EAX.
.macro gate_to vector:req, entry:req
  lea rax, [\entry]
  mov [idt + \vector * 16], ax
  shr eax, 16
  mov [idt + \vector * 16 + 6], ax
.endm

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

  # Calls arrive as #UD, which every KVM back end delivers, unlike SYSCALL and INT n.
  gate_to V_UD, call_entry
  gate_to V_PF, page_fault_entry
  gate_to IPI_VECTOR, interrupt_entry

  mov ecx, MSR_STAR
  xor eax, eax
  mov edx, KCODE                  # SYSCALL loads CS from here, SS from the next one
  wrmsr
  mov ecx, MSR_LSTAR
  xor edx, edx
  lea rax, [system_call_entry]
  wrmsr
  mov ecx, MSR_FMASK
  mov eax, 0x200                  # IF off
  wrmsr

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
call_return:
1:
  iretq

# Any other #UD goes the usual way and ends the run.
not_a_call:
  jmp stubs + V_UD * 16

# RCX = return address, R11 = flags. Back by IRETQ: not every KVM back end can execute SYSRET.
system_call_entry:
  mov [user_rsp], rsp
  lea rsp, [isr_stack_top]
  push UDATA
  push [user_rsp]
  push r11
  push UCODE
  push rcx
  iretq

# Maps a small page that is not present. Stack: error code, RIP, CS, RFLAGS, RSP, SS.
page_fault_entry:
  push rax
  push rcx
  mov rax, cr2
  sub rax, [small_base]
  cmp rax, SMALL_PAGES * 4096
  jae 1f
  test byte ptr [rsp + 16], PTE_P # a page that is there but forbids: not ours to mend
  jnz 1f
  shr rax, 12
  mov rcx, cr2
  and rcx, -4096
  or rcx, PTE_P | PTE_W | PTE_U
  mov [page_tables + rax * 8], rcx
  pop rcx
  pop rax
  add rsp, 8
  iretq
1:
  pop rcx
  pop rax
  jmp stubs + V_PF * 16

interrupt_entry:
  push rax
  inc qword ptr [interrupts]
  mov eax, LAPIC
  mov dword ptr [rax + LAPIC_EOI], 0
  pop rax
  iretq

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

service_small_pages:
  mov [small_base], rsi
  lea rax, [rsi + PTE_P + PTE_W + PTE_U]
  lea rdi, [page_tables]
  shr rdx, 12
1:
  mov [rdi], rax
  add rax, 4096
  add rdi, 8
  dec rdx
  jnz 1b
  # A page table for every 2 MiB.
  shr rsi, 21
  lea rax, [page_tables + PTE_P + PTE_W + PTE_U]
2:
  mov [pd + rsi * 8], rax
  inc rsi
  add rax, 4096
  cmp rax, rdi
  jb 2b
  mov rax, cr3
  mov cr3, rax
  ret

service_unmap:
  sub rsi, [small_base]
  shr rsi, 12
  lea rdi, [page_tables + rsi * 8]
  mov rcx, rdx
  shr rcx, 12
  xor eax, eax
  rep stosq
  mov rax, cr3
  mov cr3, rax
  ret

service_spawn:
  mov rax, [pml4]
  mov [second_pml4], rax
  # As if it had called service_switch: six registers, two return addresses.
  lea rdi, [second_stack_top - 8 * 12]
  mov [tasks + TASK_SIZE], rdi
  xor eax, eax
  mov ecx, 6
  rep stosq
  lea rax, [call_return]
  stosq
  mov rax, rsi
  stosq
  mov eax, UCODE
  stosq
  mov eax, 2
  stosq
  lea rax, [rdx - 8]              # as after a CALL
  stosq
  mov eax, UDATA
  stosq
  ret

service_switch:
  push rbx
  push rbp
  push r12
  push r13
  push r14
  push r15
  mov rax, [running]
  mov rdx, [waiting]
  mov [running], rdx
  mov [waiting], rax
  mov [rax], rsp
  mov rsp, [rdx]
  mov rax, [rdx + 8]
  mov [tss_rsp0], rax
  mov rax, [rdx + 16]
  mov cr3, rax
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbp
  pop rbx
  ret

service_hypercalls:
  push rbx
1:
  mov eax, UNKNOWN_HYPERCALL
  vmcall
  dec rsi
  jnz 1b
  pop rbx
  ret

service_interrupts:
  mov edx, LAPIC
  mov dword ptr [rdx + LAPIC_SVR], LAPIC_SVR_ON
  mov rcx, [interrupts]
  sti
1:
  inc rcx
  mov dword ptr [rdx + LAPIC_ICR], IPI_TO_SELF
2:
  cmp [interrupts], rcx
  jb 2b
  dec rsi
  jnz 1b
  cli
  ret

  .section .rodata
  .balign 8
services:
  .quad 0, service_write, service_exit, service_port_writes, service_mmio_reads, service_small_pages
  .quad service_unmap, service_spawn, service_switch, service_hypercalls, service_interrupts

# ---- Ring 3 ---------------------------------------------------------------------------------------------
  .section .user
.globl kernel_call
kernel_call:
  cmp edi, CALL_SYSTEM
  je 1f
call_site:
  ud2
  ret
1:
  syscall
  ret

  .section .payload, "aw", @nobits
  .balign 16
command_line: .skip COMMAND_LINE_SPACE
  .skip 65536
payload_stack_top:
