# Four-level paging: what each bit of a paging-structure entry permits, the error code of each refusal, CR2, accessed and dirty
# bits, INVLPG. Chapter 4 of the Intel SDM, volume 3; error codes are figure 4-12: P 1, W/R 2, U/S 4, RSVD 8, I/D 10h.

.include "long.inc"
.include "check.inc"

.set WINDOW, 0x200000000          # 8 GiB: a page table of its own maps 4 KiB test pages here
.set PTE_NX_HIGH, 0x80000000      # bit 63, in the high half
.set CR0_WP_OFF, 0x80000033
.set CR0_WP_ON, 0x80010033

  .bss
  .balign 4096
window_pd: .skip 4096
window_pt: .skip 4096
frame0: .skip 4096
frame1: .skip 4096

# map index, frame, bits: entry `index` of window_pt; R8 = the window.
.macro map index:req, frame:req, bits:req
  mov rax, offset \frame + (\bits)
  mov [window_pt + \index * 8], rax
  invlpg [r8 + \index * 4096]
.endm
.macro unmap index:req
  mov qword ptr [window_pt + \index * 8], 0
  invlpg [r8 + \index * 4096]
.endm

# A page fault with this error code and this CR2.
.macro faults name:req, error:req, cr2:req, setup, insn:req
  expect "\name", V_PF, "\error", "\setup", "\insn"
  mov rax, \cr2
  check "\name: CR2", "[fault_cr2]", rax
.endm
.macro user_faults name:req, error:req, cr2:req, setup, insn:req
  expect_user "\name", V_PF, "\error", "\setup", "\insn"
  mov rax, \cr2
  check "\name: CR2", "[fault_cr2]", rax
.endm

# Jump to the window; what is mapped there begins with RET.
.macro fetch_faults name:req, error:req, target:req
  store recover_ip, "offset .Lafter\@"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  mov rax, \target
  call rax
.Lafter\@:
  store recover_ip, 0
  check "\name: vector", "[fault_vector]", V_PF
  check "\name: error code", "[fault_error]", \error
  mov rax, \target
  check "\name: saved RIP is the target", "[fault_ip]", rax
  check "\name: CR2", "[fault_cr2]", rax
.endm

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  mov byte ptr [frame0], 0xC3     # RET
  mov byte ptr [frame1], 0xC3
  mov dword ptr [frame0 + 0x100], 0x11111111
  mov dword ptr [frame1 + 0x100], 0x22222222
  lea rax, [window_pt + PTE_P + PTE_W + PTE_U]
  mov [window_pd], rax
  lea rax, [window_pd + PTE_P + PTE_W + PTE_U]
  mov [pdpt + 8 * 8], rax
  mov r8, WINDOW
  mov r9, WINDOW + 0x1000

  # 4.6, 4.7: not present.
  faults "not present, read", 0, r8, "", "mov eax, [r8]"
  faults "not present, write", 2, "WINDOW + 0x123", "", "mov [r8 + 0x123], eax"
  fetch_faults "not present, fetch", 0x10, r8
  user_faults "not present, user read", 4, r8, "", "mov eax, [r8]"
  user_faults "not present, user write", 6, r8, "", "mov [r8], eax"
  user_faults "not present, read-modify-write reports a write", 6, r8, "", "add dword ptr [r8], 1"

  # A not-present entry may hold anything: its other bits do not matter.
  mov rax, 0xFFFFFFFFFFFFFFFE
  mov [window_pt], rax
  faults "not present, all other bits set", 0, r8, "", "mov eax, [r8]"

  # 4.6: R/W.
  map 0, frame0, PTE_P
  expect_none "read-only page, read", "", "mov eax, [r8]"
  faults "read-only page, write with CR0.WP", 3, r8, "", "mov [r8], eax"
  mov eax, CR0_WP_OFF
  mov cr0, rax
  expect_none "read-only page, write without CR0.WP", "", "mov [r8 + 8], eax"
  mov eax, CR0_WP_ON
  mov cr0, rax
  faults "read-only page, write with CR0.WP again", 3, r8, "", "mov [r8], eax"
  faults "CMPXCHG writes even when unequal", 3, "WINDOW + 0x100", "xor eax, eax", "cmpxchg [r8 + 0x100], ecx"
  map 0, frame0, "PTE_P + PTE_U"
  expect_user_none "read-only page, user read", "", "mov eax, [r8]"
  user_faults "read-only page, user write", 7, r8, "", "mov [r8], eax"
  mov eax, CR0_WP_OFF
  mov cr0, rax
  user_faults "read-only page, user write without CR0.WP", 7, r8, "", "mov [r8], eax"
  mov eax, CR0_WP_ON
  mov cr0, rax

  # 4.6: U/S.
  map 0, frame0, "PTE_P + PTE_W"
  user_faults "supervisor page, user read", 5, r8, "", "mov eax, [r8]"
  user_faults "supervisor page, user write", 7, r8, "", "mov [r8], eax"
  expect_none "supervisor page, supervisor write", "", "mov [r8 + 8], eax"
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  push UDATA
  push offset user_stack_top
  push 2
  push UCODE
  push r8
  iretq
1:
  check "supervisor page, user fetch", "[fault_error]", 0x15
  check "supervisor page, user fetch: RIP", "[fault_ip]", r8

  # Rights of all levels combine: the upper level takes away what the lower one gives.
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  expect_user_none "user page, user write", "", "mov [r8 + 8], eax"
  and qword ptr [window_pd], ~PTE_W
  invlpg [r8]
  user_faults "R/W clear one level up", 7, r8, "", "mov [r8], eax"
  or qword ptr [window_pd], PTE_W
  and qword ptr [window_pd], ~PTE_U
  invlpg [r8]
  user_faults "U/S clear one level up", 5, r8, "", "mov eax, [r8]"
  or qword ptr [window_pd], PTE_U
  and qword ptr [pdpt + 8 * 8], ~PTE_W
  invlpg [r8]
  faults "R/W clear two levels up", 3, r8, "", "mov [r8], eax"
  or qword ptr [pdpt + 8 * 8], PTE_W
  mov rax, [pdpt + 8 * 8]
  mov qword ptr [pdpt + 8 * 8], 0
  invlpg [r8]
  push rax
  faults "not present two levels up", 2, r8, "", "mov [r8], eax"
  pop rax
  mov [pdpt + 8 * 8], rax
  invlpg [r8]

  # 4.6: XD (NX), with IA32_EFER.NXE.
  or dword ptr [window_pt + 4], PTE_NX_HIGH
  invlpg [r8]
  expect_none "NX page, read", "", "mov eax, [r8]"
  fetch_faults "NX page, fetch", 0x11, r8
  and dword ptr [window_pt + 4], ~PTE_NX_HIGH
  or dword ptr [window_pd + 4], PTE_NX_HIGH
  invlpg [r8]
  fetch_faults "NX one level up, fetch", 0x11, r8
  and dword ptr [window_pd + 4], ~PTE_NX_HIGH
  invlpg [r8]
  expect_none "executable page, fetch", "", "call r8"
  # Without NXE the bit is reserved.
  or dword ptr [window_pt + 4], PTE_NX_HIGH
  invlpg [r8]
  mov ecx, MSR_EFER
  rdmsr
  and eax, ~EFER_NXE
  wrmsr
  faults "NX is reserved without EFER.NXE", 9, r8, "", "mov eax, [r8]"
  mov ecx, MSR_EFER
  rdmsr
  or eax, EFER_NXE
  wrmsr
  and dword ptr [window_pt + 4], ~PTE_NX_HIGH
  invlpg [r8]

  # 4.8: accessed and dirty bits.
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  and qword ptr [window_pd], ~PTE_A
  and qword ptr [pdpt + 8 * 8], ~PTE_A
  mov rax, cr3
  mov cr3, rax
  mov eax, [r8]
  mov eax, [window_pt]
  and eax, PTE_A | PTE_D
  check "A is set by a read, D is not", rax, PTE_A
  mov eax, [window_pd]
  and eax, PTE_A | PTE_D
  check "A is set one level up", rax, PTE_A
  mov eax, [pdpt + 8 * 8]
  and eax, PTE_A | PTE_D
  check "A is set two levels up", rax, PTE_A
  mov [r8 + 8], eax
  mov eax, [window_pt]
  and eax, PTE_A | PTE_D
  check "D is set by a write after a read", rax, "PTE_A | PTE_D"
  mov eax, [window_pd]
  and eax, PTE_D
  check "D is not set one level up", rax, 0
  map 0, frame0, PTE_P
  faults "refused write", 3, r8, "", "mov [r8], eax"
  mov eax, [window_pt]
  and eax, PTE_D
  check "D is not set by a refused write", rax, 0

  # 4.5, table 4-14 ff.: reserved bits. MAXPHYADDR is CPUID.80000008h:EAX[7:0].
  mov eax, 0x80000008
  cpuid
  cmp al, 52
  jae 1f
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  or dword ptr [window_pt + 4], 1 << 19
  invlpg [r8]
  faults "reserved: address bit 51", 9, r8, "", "mov eax, [r8]"
  faults "reserved: address bit 51, write", 0xB, r8, "", "mov [r8], eax"
  user_faults "reserved: address bit 51, user", 0xD, r8, "", "mov eax, [r8]"
1:
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  mov rax, PTE_P | PTE_W | PTE_PS | 0x2000
  mov [window_pd + 8], rax
  mov r10, WINDOW + 0x200000
  faults "reserved: bit 13 of a 2 MiB page", 9, r10, "", "mov eax, [r10]"
  mov rax, [pml4]
  or rax, PTE_PS
  mov [pml4 + 8], rax
  mov r11, 0x8000000000
  faults "reserved: bit 7 of a PML4 entry", 9, r11, "", "mov eax, [r11]"
  mov qword ptr [pml4 + 8], 0

  # 4.5: 2 MiB pages.
  mov eax, PTE_P | PTE_W | PTE_PS
  mov [window_pd + 8], rax
  invlpg [r10]
  lea rbx, [frame1]
  mov eax, [r10 + rbx + 0x100]
  check "2 MiB page translates", rax, 0x22222222
  mov eax, [window_pd + 8]
  and eax, PTE_A | PTE_D
  check "2 MiB page: A", rax, PTE_A
  mov [r10 + rbx + 0x200], eax
  mov eax, [window_pd + 8]
  and eax, PTE_A | PTE_D
  check "2 MiB page: D", rax, "PTE_A | PTE_D"
  mov rbx, WINDOW + 0x345678
  user_faults "2 MiB supervisor page, user read", 5, rbx, "", "mov eax, [rbx]"

  # 4.10.4: what must be seen after INVLPG, and after a load of CR3.
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  mov eax, [r8 + 0x100]
  check "mapped to frame 0", rax, 0x11111111
  map 0, frame1, "PTE_P + PTE_W + PTE_U"
  mov eax, [r8 + 0x100]
  check "INVLPG: mapped to frame 1", rax, 0x22222222
  lea rax, [frame0 + PTE_P + PTE_W + PTE_U]
  mov [window_pt], rax
  mov rax, cr3
  mov cr3, rax
  mov eax, [r8 + 0x100]
  check "MOV CR3: mapped to frame 0", rax, 0x11111111
  # 4.10.2.4: with CR4.PGE, a load of CR3 keeps global pages, INVLPG does not, and neither does a change of PGE.
  mov eax, 0x6A0
  mov cr4, rax
  map 0, frame0, "PTE_P + PTE_W + PTE_U + PTE_G"
  mov eax, [r8 + 0x100]
  lea rax, [frame1 + PTE_P + PTE_W + PTE_U + PTE_G]
  mov [window_pt], rax
  mov eax, 0x620
  mov cr4, rax
  mov eax, [r8 + 0x100]
  check "clearing CR4.PGE flushes global pages", rax, 0x22222222
  # 4.10.2.3: no stale "not present": an entry that becomes present needs no INVLPG.
  unmap 1
  faults "page 1 is not present", 0, r9, "", "mov eax, [r9]"
  lea rax, [frame1 + PTE_P + PTE_W + PTE_U]
  mov [window_pt + 8], rax
  expect_none "page 1 has become present", "", "mov eax, [r9]"

  # An access that crosses into a page that faults: CR2 is in the second page and nothing is written.
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  unmap 1
  mov dword ptr [r8 + 0xFFC], 0x33333333
  mov rbx, -1
  faults "write across pages", 2, r9, "", "mov [r8 + 0xFFC], rbx"
  mov eax, [r8 + 0xFFC]
  check "write across pages: no half of it is done", rax, 0x33333333
  faults "read across pages", 0, r9, "", "mov rax, [r8 + 0xFFD]"
  map 1, frame1, "PTE_P + PTE_W + PTE_U"
  mov rbx, 0x8877665544332211
  mov [r8 + 0xFFD], rbx
  mov eax, [frame1]
  and eax, 0xFFFFFF
  check "write across pages: the second half", rax, 0x665544
  mov byte ptr [frame1], 0xC3
  # An instruction whose last bytes lie in a page that is not there: CR2 is the second page, RIP the instruction.
  unmap 1
  mov dword ptr [frame0 + 0xFFC], 0xB8909090          # NOP NOP NOP, MOV EAX, imm32
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  lea rax, [r8 + 0xFFC]
  call rax
1:
  check "fetch across pages: error code", "[fault_error]", 0x10
  check "fetch across pages: CR2", "[fault_cr2]", r9
  lea rax, [r8 + 0xFFF]
  check "fetch across pages: RIP", "[fault_ip]", rax

  # REP: the registers show how far it came.
  faults "REP STOSB into a page that is not present", 2, r9, "lea rdi, [r8 + 0xFF0]; mov ecx, 0x40; mov al, 0x55", "rep stosb"
  check "REP STOSB: RCX", rcx, 0x30
  check "REP STOSB: RDI", rdi, r9
  mov eax, [frame0 + 0xFFC]
  check "REP STOSB: what came before is done", rax, 0x55555555
  faults "REP MOVSD", 0, r9, "lea rsi, [r8 + 0xFF0]; lea rdi, [frame1]; mov ecx, 8", "rep movsd"
  check "REP MOVSD: RCX", rcx, 4
  check "REP MOVSD: RSI", rsi, r9
  # A PUSH that faults leaves RSP as it was.
  mov rbx, rsp
  unmap 0
  store recover_ip, "offset 1f"
  mov [recover_sp], rbx
  store fault_vector, NO_FAULT
  mov byte ptr [idt + V_PF * 16 + 4], 2     # the stack is what faults: take the exception on IST 2
  lea rsp, [r9]
  push rax
1:
  mov byte ptr [idt + V_PF * 16 + 4], 0
  check "PUSH to a page that is not present: error code", "[fault_error]", 2
  lea rax, [r9 - 8]
  check "PUSH to a page that is not present: CR2", "[fault_cr2]", rax
  check "PUSH to a page that is not present: RSP is unchanged", "[fault_sp]", r9

  # 4.6: SMEP and SMAP, where CPUID.7.EBX announces them (bits 7 and 20).
  mov eax, 7
  xor ecx, ecx
  cpuid
  mov r12d, ebx
  map 0, frame0, "PTE_P + PTE_W + PTE_U"
  mov byte ptr [frame0], 0xC3
  test r12d, 1 << 7
  jz no_smep
  mov eax, 0x100620
  mov cr4, rax
  fetch_faults "SMEP: supervisor fetch from a user page", 0x11, r8
  expect_none "SMEP: data access to a user page", "", "mov eax, [r8]"
  mov eax, 0x620
  mov cr4, rax
no_smep:
  test r12d, 1 << 20
  jz no_smap
  mov eax, 0x200620
  mov cr4, rax
  faults "SMAP: supervisor read of a user page", 1, r8, "", "mov eax, [r8]"
  faults "SMAP: supervisor write of a user page", 3, r8, "", "mov [r8], eax"
  stac
  mov eax, [r8 + 0x100]
  clac
  check "SMAP: allowed with AC", rax, 0x11111111
  faults "SMAP: refused again after CLAC", 1, r8, "", "mov eax, [r8]"
  expect_user_none "SMAP: ring 3 itself is not concerned", "", "mov eax, [r8]"
  mov eax, 0x620
  mov cr4, rax
no_smap:
  call checks_done
