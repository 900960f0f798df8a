# The same kernel for 32-bit benchmark guests (multiboot): ring 0, 4 MiB pages, payload in ring 3.

.include "protected.inc"
.include "calls.inc"

.set CR4_PSE, 0x10
.set CR4_OSFXSR, 0x200
.set CR4_OSXMMEXCPT, 0x400
.set PDE, 0x83                    # present, writable, 4 MiB
.set PDE_U, 4
.set PTE, 7                       # present, writable, user
.set V_SYSTEM_CALL, 0x80
.set TASK_STACK_SIZE, 4096

  .bss
  .balign 4096
page_directory: .skip 4096
second_directory: .skip 4096
page_tables: .skip SMALL_PAGES * 4  # of the small pages, in the order of their addresses
  .skip TASK_STACK_SIZE
second_stack_top:

  .data
  .balign 4
small_base: .long 0               # address of the first small page
tasks:                            # ESP while it waits, top of its kernel stack, CR3
  .long 0, isr_stack_top, page_directory
  .long 0, second_stack_top, second_directory
.set TASK_SIZE, 12
running: .long tasks
waiting: .long tasks + TASK_SIZE
interrupts: .long 0

# A gate that bypasses the stubs. Clobbers EAX.
.macro gate_to vector:req, entry:req
  lea eax, [\entry]
  mov [idt + \vector * 8], ax
  shr eax, 16
  mov [idt + \vector * 8 + 6], ax
.endm

  .text
main:
  # Identity-map 4 GiB. Ring 3 gets 4 MiB to 128 MiB.
  lea edi, [page_directory]
  mov eax, PDE
  xor ecx, ecx
1:
  mov [edi + ecx * 4], eax
  add eax, 0x400000
  inc ecx
  cmp ecx, 1024
  jb 1b
  mov ecx, 1
2:
  or dword ptr [edi + ecx * 4], PDE_U
  inc ecx
  cmp ecx, 32
  jb 2b
  mov cr3, edi
  mov eax, cr4
  or eax, CR4_PSE | CR4_OSFXSR | CR4_OSXMMEXCPT
  mov cr4, eax
  mov eax, cr0
  and eax, ~4                     # EM off: SSE is there
  or eax, 0x80010022              # PG, WP, NE, MP
  mov cr0, eax

  gate_to V_UD, call_entry
  gate_to V_PF, page_fault_entry
  gate_to IPI_VECTOR, interrupt_entry
  gate_to V_SYSTEM_CALL, system_call_entry
  set_idt_access V_SYSTEM_CALL, 0xEE  # present, DPL 3, 32-bit interrupt gate

  mov ebx, [boot_info]
  mov esi, [ebx + 16]             # multiboot information: cmdline, valid if flags bit 2
  test dword ptr [ebx], 4
  jnz 3f
  lea esi, [no_command_line]
3:
  lea edi, [command_line]
  mov ecx, COMMAND_LINE_SPACE - 1
4:
  lodsb
  stosb
  test al, al
  jz 5f
  dec ecx
  jnz 4b
5:
  mov eax, UDATA
  mov ds, eax
  mov es, eax
  # As after a CALL: return address, then the argument, which the ABI wants on a multiple of 16.
  mov dword ptr [payload_stack_top - 16], offset command_line
  push UDATA
  push offset payload_stack_top - 20
  push 2                          # interrupts stay off
  push UCODE
  push offset payload
  iretd

# Arguments on the payload's stack, as C has them: [ESP] return address, then service, a, b. DS and ES are flat in
# both rings, so the payload's serve. Stack: EIP, CS, EFLAGS, ESP, SS.
call_entry:
  cmp dword ptr [esp], offset call_site
  jne not_a_call
  add dword ptr [esp], 2          # past the UD2
  mov ecx, [esp + 12]
  mov eax, [ecx + 4]
  test eax, eax
  jz 1f
  cmp eax, CALL_LAST
  ja 1f
  call [services + eax * 4]
call_return:
1:
  iretd

not_a_call:
  jmp stubs + V_UD * 16

system_call_entry:
  iretd

# Maps a small page that is not present. Stack: error code, EIP, CS, EFLAGS, ESP, SS.
page_fault_entry:
  push eax
  push ecx
  mov eax, cr2
  sub eax, [small_base]
  cmp eax, SMALL_PAGES * 4096
  jae 1f
  test byte ptr [esp + 8], 1      # a page that is there but forbids: not ours to mend
  jnz 1f
  shr eax, 12
  mov ecx, cr2
  and ecx, -4096
  or ecx, PTE
  mov [page_tables + eax * 4], ecx
  pop ecx
  pop eax
  add esp, 4
  iretd
1:
  pop ecx
  pop eax
  jmp stubs + V_PF * 16

interrupt_entry:
  push eax
  inc dword ptr [interrupts]
  mov eax, LAPIC
  mov dword ptr [eax + LAPIC_EOI], 0
  pop eax
  iretd

# The services get ECX = the payload's stack pointer and may clobber EAX, ECX, EDX.
service_write:
  push esi
  push edi
  mov esi, [ecx + 8]
  mov ecx, [ecx + 12]
1:
  mov edi, 16                     # an empty transmitter FIFO takes 16 bytes
  mov dx, COM1_LSR
2:
  in al, dx
  test al, 0x20                   # LSR.THRE
  jz 2b
  mov dx, COM1
3:
  test ecx, ecx
  jz 4f
  lodsb
  out dx, al
  dec ecx
  dec edi
  jnz 3b
  jmp 1b
4:
  pop edi
  pop esi
  ret

service_exit:
  mov eax, [ecx + 8]
  out DEBUG_EXIT, al
1:
  hlt
  jmp 1b

service_port_writes:
  mov ecx, [ecx + 8]
1:
  out POST_PORT, al
  dec ecx
  jnz 1b
  ret

service_mmio_reads:
  mov ecx, [ecx + 8]
  mov edx, LAPIC
1:
  mov eax, [edx + LAPIC_VERSION]
  dec ecx
  jnz 1b
  ret

service_small_pages:
  push esi
  push edi
  mov esi, [ecx + 8]
  mov edx, [ecx + 12]
  mov [small_base], esi
  lea eax, [esi + PTE]
  lea edi, [page_tables]
  shr edx, 12
1:
  mov [edi], eax
  add eax, 4096
  add edi, 4
  dec edx
  jnz 1b
  # A page table for every 4 MiB.
  shr esi, 22
  lea eax, [page_tables + PTE]
2:
  mov [page_directory + esi * 4], eax
  inc esi
  add eax, 4096
  cmp eax, edi
  jb 2b
  mov eax, cr3
  mov cr3, eax
  pop edi
  pop esi
  ret

service_unmap:
  push edi
  mov eax, [ecx + 8]
  mov ecx, [ecx + 12]
  sub eax, [small_base]
  shr eax, 12
  lea edi, [page_tables + eax * 4]
  shr ecx, 12
  xor eax, eax
  rep stosd
  mov eax, cr3
  mov cr3, eax
  pop edi
  ret

service_spawn:
  push esi
  push edi
  push [ecx + 8]
  push [ecx + 12]
  lea esi, [page_directory]
  lea edi, [second_directory]
  mov ecx, 1024
  rep movsd
  # As if it had called service_switch: four registers, a return address, the frame of an exception.
  lea edi, [second_stack_top - 4 * 10]
  mov [tasks + TASK_SIZE], edi
  xor eax, eax
  mov ecx, 4
  rep stosd
  lea eax, [call_return]
  stosd
  pop edx
  pop eax
  stosd
  mov eax, UCODE
  stosd
  mov eax, 2
  stosd
  lea eax, [edx - 4]              # as after a CALL
  stosd
  mov eax, UDATA
  stosd
  pop edi
  pop esi
  ret

service_switch:
  push ebx
  push ebp
  push esi
  push edi
  mov eax, [running]
  mov edx, [waiting]
  mov [running], edx
  mov [waiting], eax
  mov [eax], esp
  mov esp, [edx]
  mov eax, [edx + 4]
  mov [tss_esp0], eax
  mov eax, [edx + 8]
  mov cr3, eax
  pop edi
  pop esi
  pop ebp
  pop ebx
  ret

service_hypercalls:
  push ebx
  push esi
  mov esi, [ecx + 8]
1:
  mov eax, UNKNOWN_HYPERCALL
  vmcall
  dec esi
  jnz 1b
  pop esi
  pop ebx
  ret

service_interrupts:
  push esi
  mov esi, [ecx + 8]
  mov edx, LAPIC
  mov dword ptr [edx + LAPIC_SVR], LAPIC_SVR_ON
  mov ecx, [interrupts]
  sti
1:
  inc ecx
  mov dword ptr [edx + LAPIC_ICR], IPI_TO_SELF
2:
  cmp [interrupts], ecx
  jb 2b
  dec esi
  jnz 1b
  cli
  pop esi
  ret

  .section .rodata
  .balign 4
services:
  .long 0, service_write, service_exit, service_port_writes, service_mmio_reads, service_small_pages
  .long service_unmap, service_spawn, service_switch, service_hypercalls, service_interrupts
no_command_line:
  .byte 0

# ---- Ring 3 ---------------------------------------------------------------------------------------------
  .section .usercode, "ax"
.globl kernel_call
kernel_call:
  cmp dword ptr [esp + 4], CALL_SYSTEM
  je 1f
call_site:
  ud2
  ret
1:
  int V_SYSTEM_CALL
  ret

  .section .payload, "aw", @nobits
  .balign 16
command_line: .skip COMMAND_LINE_SPACE
  .skip 65536
payload_stack_top:
