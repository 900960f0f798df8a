# For other virtual machine monitors: starts a plain 64-bit ELF guest of ours, given as PVH module (QEMU's -initrd),
# the way tsvm's loader starts it. So the very same file runs there. Itself entered through lib/pvh-entry.s, with
# RDI = command line and EBX -> hvm_start_info. Lives at 32 MiB, out of the way.

.intel_syntax noprefix

.set ELF_PHDR_SIZE, 56
.set PT_LOAD, 1

  .text
.globl _start
_start:
  mov r8, rdi
  mov ebx, ebx
  cmp dword ptr [rbx + 12], 0     # hvm_start_info.nr_modules
  je no_module
  mov r9, [rbx + 16]              # modlist_paddr
  mov r9, [r9]                    # first module's paddr: the ELF file
  mov r10, [r9 + 32]              # e_phoff
  add r10, r9
  movzx r11d, word ptr [r9 + 56]  # e_phnum
1:
  test r11d, r11d
  jz 3f
  cmp dword ptr [r10], PT_LOAD
  jne 2f
  mov rsi, [r10 + 8]              # p_offset
  add rsi, r9
  mov rdi, [r10 + 24]             # p_paddr
  mov rcx, [r10 + 32]             # p_filesz
  mov rdx, [r10 + 40]             # p_memsz
  sub rdx, rcx
  rep movsb
  mov rcx, rdx
  xor eax, eax
  rep stosb
2:
  add r10, ELF_PHDR_SIZE
  dec r11d
  jmp 1b
3:
  mov rdi, r8
  jmp [r9 + 24]                   # e_entry
no_module:
  hlt
  jmp no_module
