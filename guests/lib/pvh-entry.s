# For other virtual machine monitors: the same 64-bit guests behind a PVH entry point (32-bit protected mode,
# paging off), so that a second opinion on any guest is one command away. Not part of the committed images.
.intel_syntax noprefix
.section .note.Xen, "a", @note
  .long 4, 4, 18                  # XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .long pvh_entry

.section .bss
  .balign 4096
pvh_pml4: .skip 4096
pvh_pdpt: .skip 4096
pvh_pd:   .skip 4 * 4096
  .skip 256
pvh_stack_top:

.section .data
  .balign 8
pvh_gdt:
  .quad 0
  .quad 0x00209B0000000000
  .quad 0x00CF93000000FFFF
pvh_gdtr:
  .word 23
  .long pvh_gdt

.text
.code32
.globl pvh_entry
pvh_entry:
  cli
  mov ebp, [ebx + 24]             # hvm_start_info.cmdline_paddr
  mov dword ptr [pvh_pml4], offset pvh_pdpt + 3
  mov eax, offset pvh_pd + 3
  xor ecx, ecx
1:
  mov [pvh_pdpt + ecx * 8], eax
  add eax, 4096
  inc ecx
  cmp ecx, 4
  jb 1b
  mov eax, 0x83
  xor ecx, ecx
2:
  mov [pvh_pd + ecx * 8], eax
  add eax, 0x200000
  inc ecx
  cmp ecx, 2048
  jb 2b
  mov eax, 0x20
  mov cr4, eax
  mov eax, offset pvh_pml4
  mov cr3, eax
  mov ecx, 0xC0000080
  rdmsr
  or eax, 0x100
  wrmsr
  mov eax, 0x80000011
  mov cr0, eax
  lgdt [pvh_gdtr]
  push 8
  push offset 3f
  retf
.code64
3:
  mov eax, 16
  mov ds, eax
  mov es, eax
  mov ss, eax
  lea rsp, [pvh_stack_top]
  mov edi, ebp
  jmp _start
