# Interrupts: the 8259A, the local APIC and the I/O APIC; when they are taken and when they wait. Intel SDM, volume 3, chapters 6
# and 11; 8259A and 82093AA data sheets.

.include "long.inc"
.include "check.inc"

.set APIC_ID, LAPIC + 0x20
.set APIC_TPR, LAPIC + 0x80
.set APIC_PPR, LAPIC + 0xA0
.set APIC_EOI, LAPIC + 0xB0
.set APIC_SVR, LAPIC + 0xF0
.set APIC_ISR, LAPIC + 0x100
.set APIC_IRR, LAPIC + 0x200
.set APIC_ICR, LAPIC + 0x300
.set APIC_ICR_HIGH, LAPIC + 0x310
.set APIC_LVT_TIMER, LAPIC + 0x320
.set APIC_LINT0, LAPIC + 0x350
.set APIC_TIMER_INITIAL, LAPIC + 0x380
.set APIC_TIMER_CURRENT, LAPIC + 0x390
.set APIC_TIMER_DIVIDE, LAPIC + 0x3E0

.set VECTOR_TIMER, 0x40
.set VECTOR_LOW, 0x51             # priority class 5
.set VECTOR_HIGH, 0x91            # priority class 9
.set VECTOR_IOAPIC, 0x60

  .bss
  .balign 8
irq_count: .skip 8
irq_ip: .skip 8
irq_flags: .skip 8                # in the handler
low_count: .skip 8
high_count: .skip 8
high_isr: .skip 8
nmi_count: .skip 8
nmi_depth: .skip 8
nmi_nested: .skip 8

# The local APIC lies above 2 GiB, out of reach of a sign-extended displacement: R15 = its base.
.macro apic_read register:req
  mov eax, [r15 + (\register - LAPIC)]
.endm
.macro apic_write register:req, value:req
  mov dword ptr [r15 + (\register - LAPIC)], \value
.endm

  .text
.globl _start
_start:
  lea rsp, [stack_top]
  call long_init
  mov r15d, LAPIC
  lea rax, [irq0_handler]
  mov [handlers + IRQ_BASE * 8], rax

  # The virtual wire: LINT0 as ExtINT lets the 8259A's interrupts through.
  apic_write APIC_SVR, 0x1FF
  apic_write APIC_LINT0, 0x700

  # ---- 8259A ----
  mov ebx, PIT_HZ / 1000
  call pit_start
  call wait_irq0_pending          # masked in the 8259A: IRR shows it all the same
  check "8259A: a masked request shows in IRR", rax, 1
  sti
  nop
  nop
  cli
  check "8259A: a masked request is not delivered", "[irq_count]", 0
  mov al, 0xFE
  out PIC1 + 1, al
  nop
  check "IF = 0: not delivered", "[irq_count]", 0

  # 6.8.1: STI takes effect after the instruction that follows it.
  call wait_irq0_pending
  sti
  nop
after_shadow:
  nop
  cli
  check "STI: delivered", "[irq_count]", 1
  check "STI: after the instruction that follows", "[irq_ip]", "offset after_shadow"
  mov rax, [irq_flags]
  and eax, 0x200
  check "interrupt gate clears IF", rax, 0
  call wait_irq0_pending
  mov qword ptr [irq_count], 0
  sti
  cli
  nop
  check "STI, CLI: nothing in between", "[irq_count]", 0
  # POPF has no such delay.
  call wait_irq0_pending
  push 0x202
  popfq
after_popf:
  cli
  check "POPF: at once", "[irq_ip]", "offset after_popf"

  # HLT wakes, and the saved RIP is that of the next instruction.
  mov qword ptr [irq_count], 0
  call drain_irq0
  sti
  hlt
after_hlt:
  cli
  check "HLT: woken once", "[irq_count]", 1
  check "HLT: RIP", "[irq_ip]", "offset after_hlt"

  # 6.8.3, 17.3.1.4: MOV SS holds back a single-step trap until after the next instruction.
  mov ebx, KDATA
  store recover_ip, "offset 1f"
  mov [recover_sp], rsp
  store fault_vector, NO_FAULT
  push 0x102
  popfq
  mov ss, ebx
  nop
after_mov_ss:
  nop
1:
  check "MOV SS: trap after the next instruction", "[fault_ip]", "offset after_mov_ss"

  # A trap gate leaves IF alone.
  mov byte ptr [idt + 0x88 * 16 + 5], 0x8F
  lea rax, [flags_handler]
  mov [handlers + 0x88 * 8], rax
  mov al, 0xFF
  out PIC1 + 1, al
  sti
  int 0x88
  cli
  mov rax, [irq_flags]
  and eax, 0x200
  check "trap gate keeps IF", rax, 0x200

  # ---- Local APIC ----
  lea rax, [low_handler]
  mov [handlers + VECTOR_LOW * 8], rax
  lea rax, [high_handler]
  mov [handlers + VECTOR_HIGH * 8], rax
  lea rax, [nmi_handler]
  mov [handlers + V_NMI * 8], rax
  lea rax, [timer_handler]
  mov [handlers + VECTOR_TIMER * 8], rax
  lea rax, [ioapic_handler]
  mov [handlers + VECTOR_IOAPIC * 8], rax

  # 11.6.1: IPI to self. It waits in IRR while IF is 0.
  apic_write APIC_ICR, 0x40000 | VECTOR_LOW
  apic_read (APIC_IRR + 0x10 * (VECTOR_LOW / 32))
  and eax, 1 << (VECTOR_LOW % 32)
  check "self-IPI: in IRR while IF = 0", rax, "1 << (VECTOR_LOW % 32)"
  sti
  nop
  nop
  cli
  check "self-IPI: delivered", "[low_count]", 1
  apic_read (APIC_IRR + 0x10 * (VECTOR_LOW / 32))
  check "self-IPI: gone from IRR", rax, 0

  # 11.8.3, 11.8.6: the task priority holds back its class and below; CR8 is TPR[7:4].
  mov eax, 5
  mov cr8, rax
  apic_read APIC_TPR
  check "CR8 shows in TPR", rax, 0x50
  apic_write APIC_TPR, 0x70
  mov rax, cr8
  check "TPR shows in CR8", rax, 7
  apic_read APIC_PPR
  check "PPR follows TPR", rax, 0x70
  mov qword ptr [low_count], 0
  apic_write APIC_ICR, 0x40000 | VECTOR_LOW
  apic_write APIC_ICR, 0x40000 | VECTOR_HIGH
  sti
  nop
  nop
  cli
  check "TPR 7: class 5 waits", "[low_count]", 0
  check "TPR 7: class 9 is delivered", "[high_count]", 1
  xor eax, eax
  sti
  mov cr8, rax
  nop
  nop
  cli
  check "TPR 0: class 5 is delivered", "[low_count]", 1

  # The more urgent first; it is in service until EOI.
  mov qword ptr [low_count], 0
  mov qword ptr [high_count], 0
  mov qword ptr [high_isr], 0
  apic_write APIC_ICR, 0x40000 | VECTOR_LOW
  apic_write APIC_ICR, 0x40000 | VECTOR_HIGH
  sti
  nop
  nop
  nop
  cli
  check "priority: both delivered", "[low_count]", 1
  check "priority: class 9 before class 5", "[high_isr]", 0
  apic_read (APIC_ISR + 0x10 * (VECTOR_HIGH / 32))
  check "EOI clears ISR", rax, 0

  # 11.5.4: the timer.
  apic_write APIC_TIMER_DIVIDE, 0xB         # divide by 1
  apic_write APIC_LVT_TIMER, VECTOR_TIMER   # one-shot
  mov qword ptr [irq_count], 0
  apic_write APIC_TIMER_INITIAL, 100000
  sti
  hlt
  cli
  check "timer, one-shot: delivered", "[irq_count]", 1
  apic_read APIC_TIMER_CURRENT
  check "timer, one-shot: stays at 0", rax, 0
  apic_write APIC_LVT_TIMER, 0x20000 | VECTOR_TIMER
  mov qword ptr [irq_count], 0
  apic_write APIC_TIMER_INITIAL, 100000
1:
  sti
  hlt
  cli
  cmp qword ptr [irq_count], 3
  jb 1b
  print "OK timer, periodic: goes on\n"     # (a timer that fires once only would never get here)
  apic_write APIC_LVT_TIMER, 0x10000        # masked
  apic_write APIC_TIMER_INITIAL, 0

  # 6.7: NMI is delivered with IF = 0, and no second one until IRET.
  apic_read APIC_ID
  mov [r15 + (APIC_ICR_HIGH - LAPIC)], eax
  apic_write APIC_ICR, 0x4400
  nop
  nop
  check "NMI: delivered with IF = 0, the second after the first's IRET", "[nmi_count]", 2
  check "NMI: not nested", "[nmi_nested]", 0

  # ---- I/O APIC: the PIT is its input 2 on every PC with an ACPI or MP table that says so. ----
  mov ebx, IOAPIC
  mov dword ptr [rbx], 1          # version: how many entries there are
  mov eax, [rbx + 0x10]
  shr eax, 16
  and eax, 0xFF
  check "I/O APIC: 24 inputs", rax, 23
  mov dword ptr [rbx], 0x15       # input 2, high half: destination
  apic_read APIC_ID
  mov [rbx + 0x10], eax
  mov dword ptr [rbx], 0x14
  mov dword ptr [rbx + 0x10], VECTOR_IOAPIC # edge, active high, fixed, not masked
  mov qword ptr [irq_count], 0
1:
  sti
  hlt
  cli
  cmp qword ptr [irq_count], 3
  jb 1b
  print "OK I/O APIC: interrupts of the PIT\n"
  mov ebx, IOAPIC
  mov dword ptr [rbx + 0x10], 0x10000 | VECTOR_IOAPIC
  sti                             # one may have been on its way
  nop
  nop
  cli
  mov qword ptr [irq_count], 0
  call wait_irq0_pending          # the PIT goes on: the 8259A sees it
  pic_eoi
  sti
  nop
  nop
  cli
  check "I/O APIC: a masked input is not delivered", "[irq_count]", 0
  call checks_done

# Wait until the 8259A has a request on line 0; RAX = 1. IF stays 0.
wait_irq0_pending:
  mov al, 0x0A                    # OCW3: read IRR
  out PIC1, al
1:
  in al, PIC1
  test al, 1
  jz 1b
  movzx eax, al
  and eax, 1
  ret

# Take a pending request away, so that the next one is a new one.
drain_irq0:
  sti
  nop
  nop
  cli
  mov qword ptr [irq_count], 0
  ret

irq0_handler:
  inc qword ptr [irq_count]
  mov rax, [rdi + FRAME_IP]
  mov [irq_ip], rax
  pushfq
  pop [irq_flags]
  pic_eoi
  ret

flags_handler:
  pushfq
  pop [irq_flags]
  ret

low_handler:
  inc qword ptr [low_count]
  apic_write APIC_EOI, 0
  ret

high_handler:
  inc qword ptr [high_count]
  mov rax, [low_count]            # how many of the less urgent have come before
  mov [high_isr], rax
  apic_write APIC_EOI, 0
  ret

timer_handler:
ioapic_handler:
  inc qword ptr [irq_count]
  apic_write APIC_EOI, 0
  ret

nmi_handler:
  inc qword ptr [nmi_count]
  cmp qword ptr [nmi_depth], 0
  je 1f
  inc qword ptr [nmi_nested]
1:
  inc qword ptr [nmi_depth]
  cmp qword ptr [nmi_count], 1
  jne 2f
  apic_write APIC_ICR, 0x4400     # a second one: it has to wait for IRETQ
  nop
  nop
2:
  dec qword ptr [nmi_depth]
  ret
