# Self-modifying code. Intel SDM, volume 3, 8.1.3 and 11.6: a store to code takes effect for what is executed next, on the same
# linear address without further ado, through another linear address after a serializing instruction.

.include "long.inc"
.include "check.inc"

.set ALIAS, 0x200000000           # a second linear address of page_a and page_b

  .bss
  .balign 4096
alias_pd: .skip 4096
alias_pt: .skip 4096
page_a: .skip 4096
page_b: .skip 4096
page_c: .skip 4096

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init

  # The next instruction.
  mov byte ptr [next_instruction + 1], 0x42
next_instruction:
  mov al, 0
  movzx eax, al
  check "store to the next instruction", rax, 0x42

  # An instruction that changes another further on in the same straight line, twice.
  mov ecx, 2
  xor ebx, ebx
1:
  mov byte ptr [immediate_in_loop + 1], cl
  nop
  nop
immediate_in_loop:
  mov al, 0
  movzx eax, al
  add ebx, eax
  dec ecx
  jnz 1b
  check "store ahead in a loop", rbx, 3

  # A loop that runs long enough to be translated, then its body is patched; many rounds.
  xor r12d, r12d
  xor r13d, r13d                  # what the sum must be
  mov r14d, 1
2:
  mov [add_immediate + 3], r14b   # ADD RBX, imm8
  call hot_loop
  add r12, rbx
  imul eax, r14d, 1000
  add r13, rax
  inc r14d
  cmp r14d, 50
  jbe 2b
  check "a hot loop, patched 50 times", r12, r13

  # A loop that patches itself while it is hot.
  xor ebx, ebx
  mov ecx, 20000
3:
  mov eax, ecx
  and eax, 0x3F
  mov [patched_in_hot_loop + 3], al
patched_in_hot_loop:
  add rbx, 0
  dec ecx
  jnz 3b
  xor edx, edx
  mov ecx, 20000
4:
  mov eax, ecx
  and eax, 0x3F
  add rdx, rax
  dec ecx
  jnz 4b
  check "a hot loop that patches itself", rbx, rdx

  # The opcode changes: INC becomes DEC. 48 FF C3, 48 FF CB.
  xor ebx, ebx
  mov ecx, 1000
5:
  xor byte ptr [flip + 2], 0x08
flip:
  inc rbx
  dec ecx
  jnz 5b
  check "an opcode that alternates", rbx, 0

  # Different routines in one buffer, copied by REP MOVSB and by stores.
  xor r12d, r12d
  mov r14d, 200
6:
  lea rsi, [routine_one]
  lea rdi, [page_a]
  mov ecx, routine_end - routine_one
  rep movsb
  lea rax, [page_a]
  call rax
  add r12, rbx
  mov rax, [routine_two]
  mov [page_a], rax
  lea rax, [page_a]
  call rax
  add r12, rbx
  dec r14d
  jnz 6b
  check "routines that take turns in a buffer", r12, "200 * 30"

  # An instruction that lies across two pages; its second half changes.
  mov byte ptr [page_b - 2], 0xBB           # MOV EBX, imm32
  mov dword ptr [page_b - 1], 0x00000007
  mov byte ptr [page_b + 3], 0xC3
  lea rax, [page_b - 2]
  call rax
  mov r12, rbx
  mov byte ptr [page_b], 1
  call rax
  shl rbx, 16
  or r12, rbx
  check "an instruction across pages", r12, 0x01070007

  # A store into the middle of code that is being executed: code behind the current block's start.
  xor ebx, ebx
  mov ecx, 3
7:
  add ebx, 1
  jmp 8f
8:
  mov byte ptr [7b + 2], 5
  dec ecx
  jnz 7b
  check "a store to a block already executed", rbx, 11

  # By a PUSH, by a string store, by a locked instruction, by CALL (its return address is data, but on a code page).
  mov r12, rsp
  lea rsp, [pushed_code + 8]
  mov rax, 0x9090909090C30DB0     # MOV AL, 0Dh; RET
  push rax
  mov rsp, r12
  call pushed_code
  movzx eax, al
  check "code written by PUSH", rax, 0x0D
  lock add byte ptr [pushed_code + 1], 1
  call pushed_code
  movzx eax, al
  check "code written by LOCK ADD", rax, 0x0E
  lea rdi, [pushed_code + 1]
  mov al, 0x21
  stosb
  call pushed_code
  movzx eax, al
  check "code written by STOSB", rax, 0x21

  # Data on a page with code: nothing about the code changes.
  xor ebx, ebx
  mov ecx, 5000
9:
  inc dword ptr [data_in_code]
  add ebx, [data_in_code]
  dec ecx
  jnz 9b
  check "data on a page of code", rbx, 12502500

  # An alias: write through another linear address, then serialize (CPUID), then execute.
  lea rax, [page_a + PTE_P + PTE_W]
  mov [alias_pt], rax
  lea rax, [page_b + PTE_P + PTE_W]
  mov [alias_pt + 8], rax
  lea rax, [alias_pt + PTE_P + PTE_W]
  mov [alias_pd], rax
  lea rax, [alias_pd + PTE_P + PTE_W]
  mov [pdpt + 8 * 8], rax
  mov r8, ALIAS
  mov dword ptr [page_a], 0xC311B0          # MOV AL, 11h; RET
  lea r9, [page_a]
  call r9
  movzx r12d, al
  mov byte ptr [r8 + 1], 0x22
  xor eax, eax
  cpuid
  call r9
  movzx eax, al
  shl eax, 8
  or r12d, eax
  check "code written through an alias", r12, 0x2211
  call r8
  movzx eax, al
  check "code executed at the alias", rax, 0x22
  mov byte ptr [page_a + 1], 0x33
  xor eax, eax
  cpuid
  call r8
  movzx eax, al
  check "executed at the alias, written at the first address", rax, 0x33

  # Another frame appears at a linear address whose code was hot.
  mov dword ptr [page_b], 0xC344B0
  mov ecx, 3000
10:
  call r8
  dec ecx
  jnz 10b
  lea rax, [page_b + PTE_P + PTE_W]
  mov [alias_pt], rax
  invlpg [r8]
  call r8
  movzx eax, al
  check "another frame mapped at hot code", rax, 0x44
  lea rax, [page_a + PTE_P + PTE_W]
  mov [alias_pt], rax
  mov rax, cr3
  mov cr3, rax
  call r8
  movzx eax, al
  check "and back, by MOV CR3", rax, 0x33

  # A page loses its right to be executed.
  or dword ptr [alias_pt + 4], 0x80000000
  invlpg [r8]
  store recover_ip, "offset 11f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  call r8
11:
  check "hot code that becomes NX faults", "[fault_error]", 0x11

  # Ring 3 patches its own code.
  expect_user_none "ring 3 patches its next instruction", "mov byte ptr [user_patch + 1], 0x77", "user_patch: mov al, 0"
  movzx eax, al
  check "ring 3 sees the patch", rax, 0x77
  call checks_done

hot_loop:
  xor ebx, ebx
  mov ecx, 1000
add_immediate:
  add rbx, 1
  dec ecx
  jnz add_immediate
  ret

routine_one:
  mov ebx, 10
  ret
  nop
  nop
routine_two:
  mov ebx, 20
  ret
  nop
  nop
routine_end:

  .balign 64
data_in_code: .long 0
  .balign 64
pushed_code: .skip 16, 0x90
