# Hardware task switching: JMP, CALL, INT and exceptions through task gates, IRET with NT. Intel SDM, volume 3, chapter 8.

.include "protected.inc"
.include "check.inc"

  .section .gdt, "aw"
.set TSS_B, 0x30
.set TASK_GATE, 0x38              # DPL 3, to TSS_B
.set TSS_SHORT, 0x40              # limit one byte too small
.set TSS_ABSENT, 0x48
.set TIGHT_STACK, 0x50            # no room for an exception's frame
.set TASK_GATE_DPL0, 0x58
  descriptor 0, 103, 0x89, 0
  gate TSS_B, 0xE5
  descriptor 0, 102, 0x89, 0
  descriptor 0, 103, 0x09, 0
  descriptor 0, 0xFFF, 0x93, 0x4
  gate TSS_B, 0x85

# TSS, offsets (figure 8-2).
.set T_LINK, 0
.set T_EIP, 32
.set T_EFLAGS, 36
.set T_EAX, 40
.set T_EBX, 52
.set T_ESP, 56
.set T_ES, 72
.set T_CS, 76
.set T_SS, 80
.set T_DS, 84
.set T_FS, 88
.set T_GS, 92
.set T_TRAP, 100
.set T_IOMAP, 102

.set AVAILABLE, 0x89
.set BUSY, 0x8B
.set NT, 0x4000

  .bss
  .balign 4
seen_tr: .skip 4
seen_flags: .skip 4
seen_cr0: .skip 4
seen_link: .skip 4
seen_a: .skip 4
seen_b: .skip 4
seen_eax: .skip 4
seen_esp: .skip 4
seen_code: .skip 4
seen_ds: .skip 4
  .skip 1024
stack_b:

  .data
  .balign 4
tss_b: .skip 104

.macro far_call selector:req
  .byte 0x9A
  .long 0
  .word \selector
.endm
.macro far_jump selector:req
  .byte 0xEA
  .long 0
  .word \selector
.endm
.macro access_of selector:req
  movzx eax, byte ptr [gdt + \selector + 5]
.endm

# Make task B start at `entry`, with EAX = 0BBBB.
.macro prepare_b entry:req, flags=2
  push edi
  push ecx
  push eax
  mov edi, offset tss_b
  mov ecx, 26
  xor eax, eax
  rep stosd
  pop eax
  pop ecx
  pop edi
  mov dword ptr [tss_b + T_EIP], offset \entry
  mov dword ptr [tss_b + T_EFLAGS], \flags
  mov dword ptr [tss_b + T_EAX], 0xBBBB
  mov dword ptr [tss_b + T_ESP], offset stack_b
  mov word ptr [tss_b + T_CS], KCODE
  mov word ptr [tss_b + T_SS], KDATA
  mov word ptr [tss_b + T_DS], KDATA
  mov word ptr [tss_b + T_ES], KDATA
  mov word ptr [tss_b + T_FS], UDATA
  mov word ptr [tss_b + T_IOMAP], 104
.endm

  .text
main:
  set_base TSS_B, tss_b
  set_base TSS_SHORT, tss_b
  set_base TSS_ABSENT, tss_b

  # 8.3: JMP to a TSS: old task available, new one busy, NT and link untouched, CR0.TS set.
  prepare_b task_jumped
  mov eax, 0xAAAA
  mov ebx, 0x12345
  mov ecx, esp
  mov edx, 0xFEED
  far_jump TSS_B
  check "JMP: back with EAX", eax, 0xAAAA
  check "JMP: back with EBX", ebx, 0x12345
  check "JMP: back with ESP", esp, ecx
  check "JMP: TR in the new task", "[seen_tr]", TSS_B
  check "JMP: EAX from the TSS", "[seen_eax]", 0xBBBB
  check "JMP: ESP from the TSS", "[seen_esp]", "offset stack_b"
  mov eax, [seen_flags]
  and eax, NT
  check "JMP: NT is clear", eax, 0
  mov eax, [seen_cr0]
  and eax, 8
  check "JMP: CR0.TS is set", eax, 8
  check "JMP: the old task is available", "[seen_a]", AVAILABLE
  check "JMP: the new task is busy", "[seen_b]", BUSY
  access_of TSS_B
  check "JMP back: task B is available", eax, AVAILABLE
  access_of TSS
  check "JMP back: task A is busy", eax, BUSY
  mov eax, [tss + T_EBX]
  check "the old task's registers are in its TSS", eax, 0x12345
  clts

  # CALL: NT set in the new task, link to the old one, both busy; IRET returns and undoes that.
  prepare_b task_called
  mov ebx, 0x54321
  far_call TSS_B
  check "CALL: back with EBX", ebx, 0x54321
  check "CALL: TR", "[seen_tr]", TSS_B
  check "CALL: link", "[seen_link]", TSS
  mov eax, [seen_flags]
  and eax, NT
  check "CALL: NT is set", eax, NT
  check "CALL: the old task stays busy", "[seen_a]", BUSY
  check "CALL: the new task is busy", "[seen_b]", BUSY
  access_of TSS_B
  check "IRET: task B is available", eax, AVAILABLE
  access_of TSS
  check "IRET: task A is busy", eax, BUSY
  pushfd
  pop eax
  and eax, NT
  check "IRET: NT of the old task is clear", eax, 0
  mov eax, [tss_b + T_EFLAGS]
  and eax, NT
  check "IRET: NT in B's TSS is clear", eax, 0
  mov eax, [tss_b + T_EIP]
  check "IRET: B would go on after it", eax, "offset task_called_again"
  # So a second CALL goes on there, in the loop that the task is.
  far_call TSS_B
  check "CALL again: the task goes on", "[seen_eax]", 0xCCCC

  # Task gates: in the GDT by CALL, in the IDT by INT n and by an exception with an error code.
  prepare_b task_called
  far_call TASK_GATE
  check "CALL through a task gate", "[seen_link]", TSS
  mov dword ptr [idt + 0x70 * 8], TSS_B << 16
  mov dword ptr [idt + 0x70 * 8 + 4], 0x8500
  prepare_b task_called
  mov dword ptr [seen_link], 0
  int 0x70
  check "INT n through a task gate", "[seen_link]", TSS
  mov eax, [idt + V_GP * 8]
  mov edx, [idt + V_GP * 8 + 4]
  push eax
  push edx
  mov dword ptr [idt + V_GP * 8], TSS_B << 16
  mov dword ptr [idt + V_GP * 8 + 4], 0x8500
  prepare_b task_fault
  mov ebx, 0xFF8
  mov es, ebx
  check "#GP through a task gate: error code on the new stack", "[seen_code]", 0xFF8
  check "#GP through a task gate: ESP", "[seen_esp]", "offset stack_b - 4"
  pop edx
  pop eax
  mov [idt + V_GP * 8], eax
  mov [idt + V_GP * 8 + 4], edx

  # From ring 3, and back there by IRET.
  prepare_b task_called
  mov dword ptr [seen_link], 0
  expect_user_none "CALL through a task gate from ring 3", "", "far_call TASK_GATE | 3"
  check "CALL from ring 3: task ran", "[seen_link]", TSS
  expect_user "task gate of DPL 0 from ring 3", V_GP, TASK_GATE_DPL0, "", "far_call TASK_GATE_DPL0 | 3"
  expect_user "TSS of DPL 0 from ring 3", V_GP, TSS_B, "", "far_call TSS_B | 3"

  # What is refused before the switch, in the old task.
  expect "JMP to a busy TSS: itself", V_GP, TSS, "", "far_jump TSS"
  expect "JMP to a TSS that is not present", V_NP, TSS_ABSENT, "", "far_jump TSS_ABSENT"
  expect "JMP to a TSS whose limit is too small", V_TS, TSS_SHORT, "", "far_jump TSS_SHORT"
  access_of TSS
  check "after refusals: task A is busy", eax, BUSY
  # IRET with NT and a link that is not busy.
  mov word ptr [tss + T_LINK], TSS_B
  expect "IRET with NT to a task that is not busy", V_TS, TSS_B, "pushfd; or dword ptr [esp], NT; popfd", "iretd"

  # 17.3.1.5: T in the TSS: a debug trap in the new task before its first instruction.
  prepare_b task_jumped
  mov word ptr [tss_b + T_TRAP], 1
  xor eax, eax
  mov dr6, eax
  store recover_ip, "offset 1f"
  mov dword ptr [recover_sp], offset stack_b
  store fault_vector, NO_FAULT
  far_jump TSS_B
  jmp 2f
1:
  far_jump TSS                    # still in task B: back to A
2:
  check "T bit: #DB", "[fault_vector]", V_DB
  check "T bit: at the first instruction", "[fault_ip]", "offset task_jumped"
  mov eax, dr6
  and eax, 0xE00F
  check "T bit: DR6.BT", eax, 0x8000
  clts

  # 8.3: segment faults of the new task are raised in it, as #TS with the selector (table 8-1). CS and SS
  # are loaded before ES, so an interrupt gate will do here: the handler runs in task B, on B's stack.
  prepare_b task_jumped
  mov word ptr [tss_b + T_ES], 0xFF8
  call switch_and_fault
  check "bad ES: #TS", "[fault_vector]", V_TS
  check "bad ES: selector", "[fault_error]", 0xFF8
  clts

  # 6.15: why systems give #DF a task of its own: the stack is unusable, and only a task switch brings a good one.
  mov dword ptr [idt + V_DF * 8], TSS_B << 16
  mov dword ptr [idt + V_DF * 8 + 4], 0x8500
  prepare_b task_double_fault
  mov dword ptr [tss_b + T_EBX], 0
  mov ebx, esp
  mov eax, TIGHT_STACK
  mov ss, eax
  mov esp, 0x1004                 # one past the limit: PUSH faults, and so does its delivery
  push eax
after_double_fault:
  mov eax, KDATA
  mov ss, eax
  mov esp, ebx
  check "#DF through a task gate: error code", "[seen_code]", 0
  check "#DF through a task gate: link", "[seen_link]", TSS
  call checks_done

# Jump to task B, whose state is bad: the exception is recorded there, and we come back.
switch_and_fault:
  store recover_ip, "offset 1f"
  mov dword ptr [recover_sp], offset stack_b
  store fault_vector, NO_FAULT
  far_jump TSS_B
  ret
1:
  far_jump TSS

note:
  mov [seen_eax], eax
  pushfd
  pop [seen_flags]
  str eax
  and eax, 0xFFFF
  mov [seen_tr], eax
  mov eax, cr0
  mov [seen_cr0], eax
  movzx eax, word ptr [tss_b + T_LINK]
  mov [seen_link], eax
  access_of TSS
  mov [seen_a], eax
  access_of TSS_B
  mov [seen_b], eax
  clts
  ret

task_jumped:
  mov [seen_esp], esp
  call note
  far_jump TSS

task_called:
  call note
  iretd
task_called_again:
  mov eax, 0xCCCC
  call note
  iretd

# Entered by an exception with an error code, which is on the stack. The link's task would repeat the instruction: move it on.
task_fault:
  mov [seen_esp], esp
  pop [seen_code]
  add dword ptr [tss + T_EIP], 2  # MOV ES, EBX
  call note
  iretd

task_double_fault:
  pop [seen_code]
  call note
  mov dword ptr [tss + T_EIP], offset after_double_fault
  mov dword ptr [tss + T_ESP], 0x1000
  iretd
