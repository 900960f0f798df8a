# A 32-bit kernel started by a multiboot 1 loader: looks at what the loader hands over, turns paging on with 4 MiB
# pages, takes a page fault and a divide error on purpose, and counts timer interrupts through the 8259A.

.include "protected.inc"

  .bss
  .balign 4096
page_directory: .skip 4096
ticks: .skip 4

  .text
main:
  cmp dword ptr [boot_magic], MULTIBOOT_LOADED
  je 1f
  print "not started by a multiboot loader\n"
  exit 1
1:
  print "multiboot: magic ok\n"

  # Multiboot information: flags, mem_lower, mem_upper, boot_device, cmdline (+16), …, mmap_length (+44), mmap_addr (+48).
  mov ebp, [boot_info]
  mov eax, [ebp]
  test eax, 1 << 2
  jz 2f
  print "command line: "
  mov esi, [ebp + 16]
  call puts
  print "\n"
2:
  mov eax, [ebp]
  test eax, 1 << 6
  jz 5f
  mov esi, [ebp + 48]
  mov edi, esi
  add edi, [ebp + 44]
  xor ebx, ebx                    # entries
  xor edx, edx                    # of them, available memory
3:
  cmp esi, edi
  jae 4f
  inc ebx
  cmp dword ptr [esi + 20], 1
  jne 6f
  inc edx
6:
  add esi, [esi]                  # an entry's size does not count the size field itself
  add esi, 4
  jmp 3b
4:
  print "memory map: "
  mov eax, ebx
  call put_decimal
  print " entries, "
  mov eax, edx
  call put_decimal
  print " available\n"
5:

  # Paging: the first 4 MiB and the top 4 MiB (local APIC and firmware live there) identity-mapped, nothing else.
  mov eax, cr4
  or eax, 0x10                    # CR4.PSE
  mov cr4, eax
  mov dword ptr [page_directory], 0x00000083        # P, R/W, PS
  mov dword ptr [page_directory + 1023 * 4], 0xFFC00083
  mov eax, offset page_directory
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80010000              # CR0.PG, CR0.WP
  mov cr0, eax
  jmp 7f
7:
  print "paging on\n"

  # A read from an address that is not mapped: error code 0 (not present, read, supervisor).
  store recover_ip, "offset 1f"
  mov [recover_sp], esp
  mov eax, [0x40000010]
1:
  print "page fault: vector "
  call show_fault
  print " cr2 "
  mov eax, [fault_cr2]
  mov ecx, 8
  call put_hex
  print "\n"

  store recover_ip, "offset 2f"
  mov [recover_sp], esp
  xor edx, edx
  xor ecx, ecx
  mov eax, 7
  div ecx
2:
  print "divide error: vector "
  call show_fault
  print "\n"

  store "handlers + IRQ_BASE * 4", "offset tick_handler"
  mov ebx, PIT_HZ / 100
  call pit_start
  mov al, 0xFE
  out PIC1 + 1, al
3:
  sti
  hlt
  cli
  cmp dword ptr [ticks], 5
  jb 3b
  print "timer interrupts: yes\n"
  print "OK\n"
  exit 0

tick_handler:
  inc dword ptr [ticks]
  pic_eoi
  ret

show_fault:
  mov eax, [fault_vector]
  mov ecx, 2
  call put_hex
  print " error "
  mov eax, [fault_error]
  mov ecx, 4
  call put_hex
  ret
