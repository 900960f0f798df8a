# Hardware task switching: JMP, CALL, INT and exceptions through task gates, IRET with NT, 16-bit tasks. Intel SDM, volume
# 3, chapter
# "Task Management"; sections are cited by title. taskfaults32 has what goes wrong.

.include "protected.inc"
.include "check.inc"
.include "tasks.inc"

  .section .gdt, "aw"
.set TASK_GATE, TASK_GDT_FREE     # DPL 3, to TSS_B
.set TASK_GATE_DPL0, TASK_GDT_FREE + 0x08
.set TIGHT_STACK, TASK_GDT_FREE + 0x10    # no room for an exception's frame
.set TSS_16, TASK_GDT_FREE + 0x18         # a 16-bit TSS
.set CODE_16TASK, TASK_GDT_FREE + 0x20    # 32-bit code with its base at task_16: a 16-bit TSS holds a 16-bit IP
  gate TSS_B, 0xE5
  gate TSS_B, 0x85
  descriptor 0, 0xFFF, 0x93, 0x4
  descriptor 0, 43, 0x81, 0
  descriptor 0, 0xFFFF, 0x9B, 0x4

# 16-bit TSS, offsets (figure of that name in the same chapter).
.set T16_IP, 14
.set T16_FLAGS, 16
.set T16_CX, 20
.set T16_SP, 26
.set T16_ES, 34
.set T16_CS, 36
.set T16_SS, 38
.set T16_DS, 40

.set WINDOW, 0x40000000

  .bss
  .balign 4
marker: .skip 4
  .skip 256
stack_16:
  .balign 4096
directory_a: .skip 4096
directory_b: .skip 4096

  .data
  .balign 4
tss_16: .skip 44

  .text
main:
  set_base TSS_B, tss_b
  set_base TSS_16, tss_16
  set_base CODE_16TASK, task_16

  # "Task Switching": JMP to a TSS: old task available, new one busy, NT and link untouched, CR0.TS set.
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

  mov eax, [tss + T_EFLAGS]
  and eax, RF
  check "#GP through a task gate: RF in the old task's EFLAGS", eax, RF
  prepare_b task_jumped
  mov dword ptr [seen_eax], 0
  far_jump TASK_GATE
  check "JMP through a task gate", "[seen_eax]", 0xBBBB
  clts

  # From ring 3, and back there by IRET.
  prepare_b task_called
  mov dword ptr [seen_link], 0
  expect_user_none "CALL through a task gate from ring 3", "", "far_call TASK_GATE | 3"
  check "CALL from ring 3: task ran", "[seen_link]", TSS
  expect_user "task gate of DPL 0 from ring 3", V_GP, TASK_GATE_DPL0, "", "far_call TASK_GATE_DPL0 | 3"
  expect_user "TSS of DPL 0 from ring 3", V_GP, TSS_B, "", "far_call TSS_B | 3"

  # "Task-Switch Exception Condition": T in the TSS: a debug trap in the new task before its first instruction.
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

  # "16-Bit Task-State Segment (TSS)": CALL and IRET save and load 16-bit registers.
  mov word ptr [tss_16 + T16_FLAGS], 2
  mov word ptr [tss_16 + T16_CX], 0x5555
  mov word ptr [tss_16 + T16_SP], 0x7FF0
  mov word ptr [tss_16 + T16_CS], CODE_16TASK
  mov word ptr [tss_16 + T16_SS], KDATA
  mov word ptr [tss_16 + T16_DS], KDATA
  mov word ptr [tss_16 + T16_ES], KDATA
  mov ebx, 0x13579BDF
  far_call TSS_16
  clts
  check "16-bit TSS: back with EBX", ebx, 0x13579BDF
  check "16-bit TSS: CX", "[seen_eax]", 0x5555
  check "16-bit TSS: SP", "[seen_esp]", 0x7FF0
  check "16-bit TSS: TR", "[seen_tr]", TSS_16
  check "16-bit TSS: busy", "[seen_b]", 0x83
  mov eax, [seen_flags]
  and eax, NT
  check "16-bit TSS: NT", eax, NT
  movzx eax, word ptr [tss_16]
  check "16-bit TSS: link", eax, TSS
  access_of TSS_16
  check "16-bit TSS: available after IRET", eax, 0x81
  movzx eax, word ptr [tss_16 + T16_IP]
  check "16-bit TSS: IP is saved", eax, "task_16_end - task_16"
  movzx eax, word ptr [tss_16 + T16_CX]
  check "16-bit TSS: CX is saved", eax, 0x6666

  # "Debug Registers": the local enables of DR7 go, the global ones stay.
  xor eax, eax
  mov dr0, eax                    # (nothing runs at address 0)
  mov eax, 0x603                  # G0, L0, GE
  mov dr7, eax
  prepare_b task_jumped
  far_jump TSS_B
  mov eax, dr7
  check "DR7 after a task switch", eax, 0x602
  mov eax, 0x400
  mov dr7, eax

  # CR3 comes from the TSS if paging is on: the window shows task B another part of memory.
  mov dword ptr [directory_a], 0x83
  mov dword ptr [directory_b], 0x83
  mov dword ptr [directory_a + (WINDOW >> 22) * 4], 0x83
  mov dword ptr [directory_b + (WINDOW >> 22) * 4], 0x400083
  mov dword ptr [marker], 0xAAAAAAAA
  mov dword ptr [marker + 0x400000], 0xBBBBBBBB
  mov eax, 0x10                   # CR4.PSE
  mov cr4, eax
  mov eax, offset directory_a
  mov cr3, eax
  mov [tss + T_CR3], eax
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  prepare_b task_looking
  mov dword ptr [tss_b + T_CR3], offset directory_b
  far_jump TSS_B
  clts
  check "CR3: what task B sees", "[seen_a]", 0xBBBBBBBB
  mov eax, [marker + WINDOW]
  check "CR3: what task A sees", eax, 0xAAAAAAAA
  mov eax, cr3
  check "CR3 of task A", eax, "offset directory_a"
  check "CR3 is not saved in the TSS", "dword ptr [tss_b + T_CR3]", "offset directory_b"
  mov eax, cr0
  and eax, ~0x80000000
  mov cr0, eax

  # "Interrupt 8 - Double Fault Exception": why systems give #DF a task of its own: the stack is unusable, and only a task
  # switch brings a good one.
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

task_looking:
  mov eax, [marker + WINDOW]
  mov [seen_a], eax
  far_jump TSS

# Runs in CODE_16TASK. The upper halves of the registers are undefined.
task_16:
  movzx eax, cx
  mov [seen_eax], eax
  movzx eax, sp
  mov [seen_esp], eax
  mov esp, offset stack_16
  pushfd
  pop [seen_flags]
  str eax
  and eax, 0xFFFF
  mov [seen_tr], eax
  access_of TSS_16
  mov [seen_b], eax
  mov cx, 0x6666
  iretd
task_16_end:

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
