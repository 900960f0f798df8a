# The same kernel for 32-bit benchmark guests (multiboot): ring 0, 4 MiB pages, payload in ring 3.

.include "protected.inc"
.include "calls.inc"

.set CR4_PSE, 0x10
.set CR4_OSFXSR, 0x200
.set CR4_OSXMMEXCPT, 0x400
.set PDE, 0x83                    # present, writable, 4 MiB
.set PDE_U, 4

  .bss
  .balign 4096
page_directory: .skip 4096

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

  # The gate of #UD bypasses the stubs.
  lea eax, [call_entry]
  mov [idt + V_UD * 8], ax
  shr eax, 16
  mov [idt + V_UD * 8 + 6], ax

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
1:
  iretd

not_a_call:
  jmp stubs + V_UD * 16

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

  .section .rodata
  .balign 4
services:
  .long 0, service_write, service_exit, service_port_writes, service_mmio_reads
no_command_line:
  .byte 0

# ---- Ring 3 ---------------------------------------------------------------------------------------------
  .section .usercode, "ax"
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
