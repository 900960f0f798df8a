# 32-bit paging with 4 KiB and 4 MiB pages, and PAE paging with NX. Intel SDM, volume 3, chapter "Paging";
# sections are cited by title. Error codes: P 1, W/R 2, U/S 4, RSVD 8, I/D 10h.

.include "protected.inc"
.include "check.inc"

.set P, 1
.set W, 2
.set U, 4
.set A, 0x20
.set D, 0x40
.set LARGE, 0x80
.set WINDOW, 0x40000000
.set CR0_WP, 1 << 16
.set CR0_PG, 1 << 31
.set MSR_EFER, 0xC0000080

  .section .gdt, "aw"
.set LDT, GDT_FREE
  descriptor WINDOW, 23, 0x82, 0

  .bss
  .balign 4096
directory: .skip 4096
table: .skip 4096
frame0: .skip 4096
frame1: .skip 4096
pae_directory0: .skip 4096
pae_directory1: .skip 4096
pae_table: .skip 4096
  .balign 32
pointers: .skip 32

.macro map index:req, frame:req, bits:req
  mov eax, offset \frame + (\bits)
  mov [table + \index * 4], eax
  invlpg [ebp + \index * 4096]
.endm
.macro pae_map index:req, frame:req, bits:req, high=0
  mov eax, offset \frame + (\bits)
  mov [pae_table + \index * 8], eax
  mov dword ptr [pae_table + \index * 8 + 4], \high
  invlpg [ebp + \index * 4096]
.endm
.macro faults name:req, error:req, cr2:req, setup, insn:req
  expect "\name", V_PF, "\error", "\setup", "\insn"
  check "\name: CR2", "[fault_cr2]", "\cr2"
.endm
.macro user_faults name:req, error:req, cr2:req, setup, insn:req
  expect_user "\name", V_PF, "\error", "\setup", "\insn"
  check "\name: CR2", "[fault_cr2]", "\cr2"
.endm
# A call of the window must fault at its first byte.
.macro fetch_faults name:req, error:req
  store recover_ip, "offset .Lafter\@"
  mov [recover_sp], esp
  store fault_vector, NO_FAULT
  call ebp
.Lafter\@:
  store recover_ip, 0
  check "\name: vector", "[fault_vector]", V_PF
  check "\name: error code", "[fault_error]", "\error"
  check "\name: EIP", "[fault_ip]", ebp
.endm

  .text
main:
  mov byte ptr [frame0], 0xC3     # RET
  mov dword ptr [frame0 + 0x100], 0x11111111
  mov dword ptr [frame1 + 0x100], 0x22222222
  mov ebp, WINDOW

  # The first 8 MiB as two 4 MiB pages, for ring 3 too; the window through a table.
  mov dword ptr [directory], P | W | U | LARGE
  mov dword ptr [directory + 4], 0x400000 | P | W | U | LARGE
  mov eax, offset table + P + W + U
  mov [directory + (WINDOW >> 22) * 4], eax
  mov eax, 0x10                   # CR4.PSE
  mov cr4, eax
  mov eax, offset directory
  mov cr3, eax
  mov eax, cr0
  or eax, CR0_PG | CR0_WP
  mov cr0, eax
  print "OK paging is on\n"

  # "32-Bit Paging", "Access Rights": who may do what.
  faults "not present, read", 0, WINDOW, "", "mov eax, [ebp]"
  faults "not present, write", 2, "WINDOW + 0x234", "", "mov [ebp + 0x234], eax"
  fetch_faults "not present, fetch: no I/D bit without NX", 0
  user_faults "not present, user read", 4, WINDOW, "", "mov eax, [ebp]"
  user_faults "not present, user write", 6, WINDOW, "", "mov [ebp], eax"
  faults "no table", 0, 0x50000000, "", "mov eax, ds:[0x50000000]"
  map 0, frame0, P
  expect_none "read-only: read", "", "mov eax, [ebp]"
  faults "read-only: write with WP", 3, WINDOW, "", "mov [ebp], eax"
  mov eax, cr0
  and eax, ~CR0_WP
  mov cr0, eax
  expect_none "read-only: write without WP", "", "mov [ebp + 8], eax"
  mov eax, cr0
  or eax, CR0_WP
  mov cr0, eax
  user_faults "supervisor page: user read", 5, WINDOW, "", "mov eax, [ebp]"
  user_faults "supervisor page: user write", 7, WINDOW, "", "mov [ebp], eax"
  map 0, frame0, "P + U"
  expect_user_none "user page: read", "", "mov eax, [ebp]"
  user_faults "read-only user page: user write", 7, WINDOW, "", "mov [ebp], eax"
  map 0, frame0, "P + W + U"
  and dword ptr [directory + (WINDOW >> 22) * 4], ~W
  mov eax, cr3
  mov cr3, eax
  user_faults "R/W clear in the directory", 7, WINDOW, "", "mov [ebp], eax"
  or dword ptr [directory + (WINDOW >> 22) * 4], W
  and dword ptr [directory + (WINDOW >> 22) * 4], ~U
  mov eax, cr3
  mov cr3, eax
  user_faults "U/S clear in the directory", 5, WINDOW, "", "mov eax, [ebp]"
  or dword ptr [directory + (WINDOW >> 22) * 4], U

  # "Accessed and Dirty Flags".
  map 0, frame0, "P + W"
  mov eax, [ebp]
  mov eax, [table]
  and eax, A | D
  check "A is set by a read", eax, A
  mov [ebp + 8], eax
  mov eax, [table]
  and eax, A | D
  check "D is set by a write", eax, "A | D"
  mov eax, [directory + 4]
  and eax, A | D
  check "4 MiB page not yet used: neither", eax, 0
  mov ds:[0x600000], eax
  mov eax, [directory + 4]
  and eax, A | D
  check "4 MiB page written: both", eax, "A | D"

  # Reserved bits: bit 21 of an entry for a 4 MiB page.
  or dword ptr [directory + 4], 1 << 21
  mov eax, cr3
  mov cr3, eax
  faults "4 MiB page, reserved bit: read", 9, 0x600000, "", "mov eax, ds:[0x600000]"
  faults "4 MiB page, reserved bit: write", 11, 0x600000, "", "mov ds:[0x600000], eax"
  user_faults "4 MiB page, reserved bit: user read", 13, 0x600000, "", "mov eax, ds:[0x600000]"
  mov dword ptr [directory + 4], 0x400000 | P | U | LARGE
  mov eax, cr3
  mov cr3, eax
  expect_user_none "4 MiB page, read-only: user read", "", "mov eax, ds:[0x600000]"
  faults "4 MiB page, read-only: write with WP", 3, 0x600000, "", "mov ds:[0x600000], eax"
  mov dword ptr [directory + 4], 0x400000 | P | W | LARGE
  mov eax, cr3
  mov cr3, eax
  user_faults "4 MiB page, supervisor: user read", 5, 0x600000, "", "mov eax, ds:[0x600000]"

  # "Determination of Access Rights": descriptor tables are read as by a supervisor, whoever loads the segment.
  mov eax, 0x0000FFFF
  mov [frame1 + 8], eax
  mov [frame1 + 16], eax
  mov dword ptr [frame1 + 12], 0x00CFF300      # accessed
  mov dword ptr [frame1 + 20], 0x00CFF200      # not yet accessed
  map 0, frame1, "P"
  mov eax, LDT
  lldt ax
  expect_user_none "LDT in a supervisor page: load at CPL 3", "mov eax, 0x0F", "mov es, eax"
  expect_user "LDT in a read-only page: setting the accessed bit", V_PF, 3, "mov eax, 0x17", "mov es, eax"
  check "the accessed bit stays clear", "dword ptr [frame1 + 20]", 0x00CFF200
  map 0, frame1, "P + W"
  expect_user_none "LDT in a writable page", "mov eax, 0x17", "mov es, eax"
  check "the accessed bit is set", "dword ptr [frame1 + 20]", 0x00CFF300
  mov dword ptr [table], 0
  invlpg [ebp]
  expect_user "LDT in an absent page: a supervisor's read", V_PF, 0, "mov eax, 0x0F", "mov es, eax"
  mov eax, [fault_cr2]
  and eax, ~0xFFF
  check "LDT in an absent page: CR2", eax, WINDOW
  xor eax, eax
  lldt ax
  map 0, frame0, "P + W"

  # INVLPG, CR3.
  mov eax, [ebp + 0x100]
  check "frame 0", eax, 0x11111111
  map 0, frame1, "P + W"
  mov eax, [ebp + 0x100]
  check "INVLPG: frame 1", eax, 0x22222222
  # Across pages: all or nothing.
  map 0, frame0, "P + W"
  mov dword ptr [table + 4], 0
  invlpg [ebp + 4096]
  mov dword ptr [frame0 + 4092], 0x44444444
  faults "write across pages", 2, "WINDOW + 0x1000", "", "mov [ebp + 4094], eax"
  check "write across pages: nothing is written", "dword ptr [frame0 + 4092]", 0x44444444

  # Without CR4.PSE bit 7 of a directory entry is ignored: the entry leads to a table.
  mov eax, cr0
  and eax, ~CR0_PG
  mov cr0, eax
  xor eax, eax
  mov cr4, eax
  mov eax, offset table + P + W + U + LARGE
  mov [directory + (WINDOW >> 22) * 4], eax
  mov ecx, 0                      # this code needs a table of its own then: 1 MiB-2 MiB, by the window's second half
1:
  mov eax, ecx
  shl eax, 12
  or eax, P | W
  mov [pae_directory0 + ecx * 4], eax
  inc ecx
  cmp ecx, 1024
  jb 1b
  mov eax, offset pae_directory0 + P + W
  mov [directory], eax
  mov eax, offset directory
  mov cr3, eax
  mov eax, cr0
  or eax, CR0_PG
  mov cr0, eax
  mov eax, [ebp + 0x100]
  check "PSE off: bit 7 is ignored", eax, 0x11111111
  mov eax, cr0
  and eax, ~CR0_PG
  mov cr0, eax

  # "PDPTE Registers": setting CR0.PG reads the four pointers, and reserved bits in a present one refuse it.
  mov eax, 0x20                   # CR4.PAE
  mov cr4, eax
  mov dword ptr [pointers + 16], P | W
  mov eax, offset pointers
  mov cr3, eax
  expect "PAE: reserved bits in a pointer: MOV CR0 faults", V_GP, 0, "mov eax, cr0; or eax, CR0_PG", "mov cr0, eax"
  mov eax, cr0
  and eax, CR0_PG
  check "PAE: paging stays off", eax, 0
  mov dword ptr [pointers + 16], 0x1E6         # not present: nothing else counts

  # ---- PAE ----
  mov eax, 1
  cpuid
  test edx, 1 << 6
  jz no_pae
  mov edi, offset pae_directory0
  xor eax, eax
  mov ecx, 1024
  rep stosd
  mov dword ptr [pae_directory0], P | W | U | LARGE             # 2 MiB pages now
  mov dword ptr [pae_directory0 + 8], 0x200000 | P | W | U | LARGE
  mov dword ptr [pae_directory0 + 16], 0x400000 | P | W | U | LARGE
  mov eax, offset pae_table + P + W + U
  mov [pae_directory1], eax
  mov eax, offset pae_directory0 + P
  mov [pointers], eax
  mov eax, offset pae_directory1 + P
  mov [pointers + 8], eax         # 1 GiB: the window
  mov eax, 0x20                   # CR4.PAE
  mov cr4, eax
  mov eax, offset pointers
  mov cr3, eax
  mov eax, cr0
  or eax, CR0_PG
  mov cr0, eax
  print "OK PAE paging is on\n"
  faults "PAE: not present", 0, WINDOW, "", "mov eax, [ebp]"
  pae_map 0, frame0, "P"
  faults "PAE: read-only", 3, WINDOW, "", "mov [ebp], eax"
  user_faults "PAE: supervisor page", 5, WINDOW, "", "mov eax, [ebp]"
  pae_map 0, frame0, "P + W + U"
  expect_user_none "PAE: user page", "", "mov [ebp + 8], eax"
  mov eax, [pae_table]
  and eax, A | D
  check "PAE: A and D", eax, "A | D"
  pae_map 0, frame1, "P + W + U"
  mov eax, [ebp + 0x100]
  check "PAE: INVLPG", eax, 0x22222222
  mov eax, [pae_directory0 + 8]
  and eax, A | D
  check "PAE: 2 MiB page not yet used: neither A nor D", eax, 0
  mov eax, ds:[0x200000]
  mov eax, [pae_directory0 + 8]
  and eax, A | D
  check "PAE: 2 MiB page read: A", eax, A
  mov ds:[0x200000], eax
  mov eax, [pae_directory0 + 8]
  and eax, A | D
  check "PAE: 2 MiB page written: A and D", eax, "A | D"
  mov dword ptr [pae_directory0 + 24], 0x200000 | P | W | U | LARGE
  mov dword ptr ds:[0x6ABCDC], 0x12345678
  check "PAE: 2 MiB page as an alias", "dword ptr ds:[0x2ABCDC]", 0x12345678
  or dword ptr [pae_directory0 + 24], 1 << 13
  invlpg ds:[0x600000]
  faults "PAE: 2 MiB page, reserved bit 13", 9, 0x600000, "", "mov eax, ds:[0x600000]"
  mov dword ptr [pae_directory0 + 24], 0x200000 | P | U | LARGE
  invlpg ds:[0x600000]
  faults "PAE: 2 MiB page, read-only", 3, 0x600000, "", "mov ds:[0x600000], eax"
  user_faults "PAE: 2 MiB page, read-only: user write", 7, 0x600000, "", "mov ds:[0x600000], eax"
  and dword ptr [pae_directory1], ~W
  mov eax, cr3
  mov cr3, eax
  user_faults "PAE: R/W clear in the directory", 7, WINDOW, "", "mov [ebp], eax"
  or dword ptr [pae_directory1], W
  mov dword ptr [pae_directory1 + 4], 0x80000000
  mov eax, cr3
  mov cr3, eax
  faults "PAE: NX of the directory is reserved without EFER.NXE", 9, WINDOW, "", "mov eax, [ebp]"
  mov dword ptr [pae_directory1 + 4], 0
  mov eax, cr3
  mov cr3, eax
  faults "PAE: no directory pointer", 0, 0x80000000, "", "mov eax, ds:[0x80000000]"
  pae_map 0, frame0, "P + W + U", 0x40000000
  faults "PAE: reserved bit 62", 9, WINDOW, "", "mov eax, [ebp]"
  pae_map 0, frame0, "P + W + U", 0x80000000
  faults "PAE: NX is reserved without EFER.NXE", 9, WINDOW, "", "mov eax, [ebp]"

  # "PDPTE Registers": the four pointers are read when CR3 is loaded, and only then.
  mov dword ptr [pointers + 8], 0
  pae_map 0, frame0, "P + W + U"
  expect_none "PAE: a changed pointer has no effect yet", "", "mov eax, [ebp]"
  mov eax, cr3
  mov cr3, eax
  faults "PAE: after MOV CR3 it has", 0, WINDOW, "", "mov eax, [ebp]"
  mov eax, offset pae_directory1 + P
  mov [pointers + 8], eax
  mov eax, cr3
  mov cr3, eax
  or dword ptr [pointers + 24], P | W       # R/W is reserved in a pointer
  expect "PAE: reserved bits in a pointer: MOV CR3 faults", V_GP, 0, "mov eax, cr3", "mov cr3, eax"
  mov dword ptr [pointers + 24], 0

  mov eax, 0x80000001
  cpuid
  test edx, 1 << 20
  jz no_pae
  mov ecx, MSR_EFER
  rdmsr
  or eax, 1 << 11
  wrmsr
  pae_map 0, frame0, "P + W + U", 0x80000000
  expect_none "NX page: read", "", "mov eax, [ebp]"
  fetch_faults "NX page: fetch", 0x11
  pae_map 0, frame0, "P + W + U"
  expect_none "executable page: fetch", "", "call ebp"
  mov dword ptr [pae_directory1 + 4], 0x80000000
  mov eax, cr3
  mov cr3, eax
  expect_none "NX in the directory: read", "", "mov eax, [ebp]"
  fetch_faults "NX in the directory: fetch", 0x11
  mov dword ptr [pae_directory1 + 4], 0
  mov eax, cr3
  mov cr3, eax
  mov dword ptr [pae_table], 0
  invlpg [ebp]
  fetch_faults "not present: fetch, with NXE", 0x10
no_pae:
  call checks_done
