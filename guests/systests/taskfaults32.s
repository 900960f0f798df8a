# What goes wrong with hardware task switching: what is refused in the old task, and what is found only in the new one. Intel SDM,
# volume 3, chapter "Task Management", and volume 2, CALL, JMP, INT n, IRET.

.include "protected.inc"
.include "check.inc"
.include "tasks.inc"

  .section .gdt, "aw"
.set TSS_C, TASK_GDT_FREE         # takes the exceptions of task B
.set TSS_SHORT, TASK_GDT_FREE + 0x08      # limit one byte too small
.set TSS_ABSENT, TASK_GDT_FREE + 0x10
.set GATE_ABSENT, TASK_GDT_FREE + 0x18
.set GATE_TO_ABSENT, TASK_GDT_FREE + 0x20
.set GATE_TO_BUSY, TASK_GDT_FREE + 0x28
.set GATE_TO_SHORT, TASK_GDT_FREE + 0x30
.set GATE_TO_DATA, TASK_GDT_FREE + 0x38
.set GATE_TO_NULL, TASK_GDT_FREE + 0x40
.set CODE_ABSENT, TASK_GDT_FREE + 0x48
.set DATA_ABSENT, TASK_GDT_FREE + 0x50
.set READ_ONLY, TASK_GDT_FREE + 0x58
.set EXECUTE_ONLY, TASK_GDT_FREE + 0x60
.set LDT, TASK_GDT_FREE + 0x68
.set LDT_ABSENT, TASK_GDT_FREE + 0x70
.set CODE_SMALL, TASK_GDT_FREE + 0x78
  descriptor 0, 103, 0x89, 0
  descriptor 0, 102, 0x89, 0
  descriptor 0, 103, 0x09, 0
  gate TSS_B, 0x65
  gate TSS_ABSENT, 0x85
  gate TSS, 0x85
  gate TSS_SHORT, 0x85
  gate KDATA, 0x85
  gate 0, 0x85
  descriptor 0, 0xFFFFF, 0x1B, 0xC
  descriptor 0, 0xFFFFF, 0x13, 0xC
  descriptor 0, 0xFFFFF, 0x91, 0xC
  descriptor 0, 0xFFFFF, 0x99, 0xC
  descriptor 0, 15, 0x82, 0
  descriptor 0, 15, 0x02, 0
  descriptor 0, 0xFFFF, 0x9B, 0x4

.set VM, 1 << 17

  .bss
  .balign 4
  .skip 512
stack_c:

  .data
  .balign 8
ldt: .quad 0
  descriptor 0, 0xFFFFF, 0x93, 0xC
tss_c: .skip 104

# Task B cannot start: task C gets the exception. What was done to tss_b by the caller is what is wrong.
# The task gate stands in the IDT at the one vector that is wanted.
.macro start_faults name:req, vector:req, error:req
  task_gate \vector, TSS_C
  call start_and_fault
  interrupt_gate \vector
  check "\name", "[seen_code]", "\error"
.endm
.macro field_faults name:req, vector:req, error:req, field:req, value:req
  prepare_b task_jumped
  mov word ptr [tss_b + \field], \value
  start_faults "\name", \vector, "\error"
.endm
  .text
main:
  set_base TSS_B, tss_b
  set_base TSS_SHORT, tss_b
  set_base TSS_ABSENT, tss_b
  set_base TSS_C, tss_c
  set_base LDT, ldt

  # What is refused before the switch, in the old task. The error code names the TSS, or the gate if that is at fault.
  expect "task gate not present", V_NP, GATE_ABSENT, "", "far_call GATE_ABSENT"
  expect "task gate to a TSS that is not present", V_NP, TSS_ABSENT, "", "far_call GATE_TO_ABSENT"
  expect "task gate to a busy TSS", V_GP, TSS, "", "far_call GATE_TO_BUSY"
  expect "task gate to a TSS whose limit is too small", V_TS, TSS_SHORT, "", "far_call GATE_TO_SHORT"
  expect "task gate to data", V_GP, KDATA, "", "far_call GATE_TO_DATA"
  expect "task gate to null", V_GP, 0, "", "far_call GATE_TO_NULL"
  expect "CALL to a busy TSS: itself", V_GP, TSS, "", "far_call TSS"
  task_gate 0x70, TSS_ABSENT
  expect "INT n through a task gate to a TSS that is not present", V_NP, TSS_ABSENT, "", "int 0x70"
  task_gate 0x70, TSS
  expect "INT n through a task gate to a busy TSS", V_GP, TSS, "", "int 0x70"
  task_gate V_BR, TSS_ABSENT
  expect "#BR through such a gate: EXT", V_NP, "TSS_ABSENT + 1", "mov eax, 9", "bound eax, [bounds]"
  task_gate V_BR, KDATA
  expect "#BR through a task gate to data: EXT", V_GP, "KDATA + 1", "mov eax, 9", "bound eax, [bounds]"
  interrupt_gate V_BR
  expect "JMP to a busy TSS: itself", V_GP, TSS, "", "far_jump TSS"
  expect "JMP to a TSS that is not present", V_NP, TSS_ABSENT, "", "far_jump TSS_ABSENT"
  expect "JMP to a TSS whose limit is too small", V_TS, TSS_SHORT, "", "far_jump TSS_SHORT"
  access_of TSS
  check "after refusals: task A is busy", eax, BUSY
  # IRET with NT and a link that is not busy.
  mov word ptr [tss + T_LINK], TSS_B
  mov word ptr [tss + T_LINK], 0
  expect "IRET with NT, link is null", V_TS, 0, "pushfd; or dword ptr [esp], NT; popfd", "iretd"
  mov word ptr [tss + T_LINK], KDATA
  expect "IRET with NT, link is data", V_TS, KDATA, "pushfd; or dword ptr [esp], NT; popfd", "iretd"
  mov word ptr [tss + T_LINK], TSS_B
  expect "IRET with NT to a task that is not busy", V_TS, TSS_B, "pushfd; or dword ptr [esp], NT; popfd", "iretd"

  # "Task Switching": segment faults of the new task are raised in it, as #TS with the selector. CS and SS
  # are loaded before ES, so an interrupt gate will do here: the handler runs in task B, on B's stack.
  prepare_b task_jumped
  mov word ptr [tss_b + T_ES], 0xFF8
  call switch_and_fault
  check "bad ES: #TS", "[fault_vector]", V_TS
  check "bad ES: selector", "[fault_error]", 0xFF8
  clts

  # Table "Exception Conditions Checked During a Task Switch": the new task's exceptions, taken by another task.
  field_faults "null CS", V_TS, 0, T_CS, 0
  check "null CS: no instruction has run", "dword ptr [tss_b + T_EIP]", "offset task_jumped"
  check "null CS: the link of task C", "[seen_link]", TSS_B
  field_faults "CS is data", V_TS, KDATA, T_CS, KDATA
  field_faults "CS past the GDT", V_TS, 0xFF8, T_CS, 0xFF8
  field_faults "DPL of CS is not its RPL", V_TS, "UCODE & ~3", T_CS, "UCODE & ~3"
  field_faults "CS not present", V_NP, CODE_ABSENT, T_CS, CODE_ABSENT
  field_faults "null SS", V_TS, 0, T_SS, 0
  field_faults "SS is read-only", V_TS, READ_ONLY, T_SS, READ_ONLY
  field_faults "RPL of SS", V_TS, KDATA, T_SS, "KDATA | 3"
  field_faults "DPL of SS", V_TS, "UDATA & ~3", T_SS, "UDATA & ~3"
  field_faults "SS not present", V_SS, DATA_ABSENT, T_SS, DATA_ABSENT
  field_faults "DS past the GDT", V_TS, 0xFF8, T_DS, 0xFF8
  field_faults "DS is execute-only", V_TS, EXECUTE_ONLY, T_DS, EXECUTE_ONLY
  field_faults "DS is a system segment", V_TS, TSS_C, T_DS, TSS_C
  field_faults "DS, RPL above its DPL", V_TS, KDATA, T_DS, "KDATA | 3"
  field_faults "DS not present", V_NP, DATA_ABSENT, T_DS, DATA_ABSENT
  field_faults "GS not present", V_NP, DATA_ABSENT, T_GS, DATA_ABSENT
  field_faults "LDT is no LDT", V_TS, KDATA, T_LDT, KDATA
  field_faults "LDT in an LDT", V_TS, 0x0C, T_LDT, 0x0C
  field_faults "LDT not present", V_TS, LDT_ABSENT, T_LDT, LDT_ABSENT
  field_faults "DS in an LDT that is not there", V_TS, 0x0C, T_DS, 0x0C
  prepare_b 0x10000
  mov word ptr [tss_b + T_CS], CODE_SMALL
  start_faults "EIP past the limit of CS", V_GP, 0
  prepare_b task_jumped
  mov word ptr [tss_b + T_LDT], LDT
  mov word ptr [tss_b + T_DS], 0x0C
  far_jump TSS_B
  check "DS in the task's own LDT", "[seen_ds]", 0x0C
  sldt ecx
  check "and back: no LDT", ecx, 0

  # A task in virtual-8086 mode: EFLAGS.VM in its TSS. HLT brings task C.
  mov byte ptr ds:[0x8005], 0xF4
  prepare_b 5, "VM | 2"
  mov word ptr [tss_b + T_CS], 0x0800
  mov word ptr [tss_b + T_SS], 0x0900
  mov word ptr [tss_b + T_GS], 0x0123
  start_faults "a virtual-8086 task", V_GP, 0
  mov eax, [tss_b + T_EFLAGS]
  and eax, VM | RF
  check "a virtual-8086 task: EFLAGS", eax, "VM | RF"
  movzx eax, word ptr [tss_b + T_CS]
  check "a virtual-8086 task: CS", eax, 0x0800
  movzx eax, word ptr [tss_b + T_GS]
  check "a virtual-8086 task: GS", eax, 0x0123
  check "a virtual-8086 task: EIP", "dword ptr [tss_b + T_EIP]", 5

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

# The same where task C takes the exception. It leaves a busy task B behind it.
start_and_fault:
  store seen_code, NO_FAULT
  mov dword ptr [tss_c + T_EIP], offset task_c
  mov dword ptr [tss_c + T_EFLAGS], 2
  mov dword ptr [tss_c + T_ESP], offset stack_c
  mov word ptr [tss_c + T_CS], KCODE
  mov word ptr [tss_c + T_SS], KDATA
  mov word ptr [tss_c + T_DS], KDATA
  mov word ptr [tss_c + T_ES], KDATA
  far_jump TSS_B
  clts
  ret
task_c:
  pop [seen_code]
  movzx eax, word ptr [tss_c + T_LINK]
  mov [seen_link], eax
  set_access TSS_B, AVAILABLE
  far_jump TSS

