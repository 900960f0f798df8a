// The interrupt controller and the timers at EL1: SGI, PPI and SPI, enables, priorities, preemption, the ends of an
// interrupt, and the generic timer's condition. Runs on a GICv2 and on a GICv3.
#include "gic.h"

enum { SPI = 40, SPI2 = 41, TIMER_VIRTUAL = 27, TIMER_PHYSICAL = 30 };
enum { ENABLE = 1, IMASK = 2, ISTATUS = 4 };

static u32 log[16], count;
static void (*inside)(u32 id);

static void handler(struct frame *f) {
  (void)f;
  u32 id = gic_acknowledge();
  if (count < 16) log[count] = id;
  count++;
  if (id == SPURIOUS) return;
  if (inside) inside(id);
  gic_end(id);
}

static void unmask(void) {
  __asm__ volatile("msr DAIFClr, #2\n isb\n nop\n nop\n nop\n nop\n msr DAIFSet, #2\n isb" : : : "memory");
}
static void reset(void) {
  count = 0;
  inside = 0;
  for (u32 i = 0; i < 16; i++) log[i] = 0;
}

static void software(void) {
  reset();
  gic_enable(3, 1);
  gic_send_to_self(3);
  check("SGI: waits while masked", count, 0);
  check("SGI: pending", gic_is_pending(3), 1);
  unmask();
  check("SGI: taken", count, 1);
  check("SGI: its number", log[0], 3);
  check("SGI: no longer pending", gic_is_pending(3), 0);
  check("SGI: no longer active", gic_is_active(3), 0);
  check("acknowledge with nothing pending", gic_acknowledge(), SPURIOUS);
  if (gic_version == 3) {
    gic_enable(3, 0);
    reset();
    gic_send_to_self(3);
    unmask();
    check("SGI: not while disabled", count, 0);
    gic_enable(3, 1);
    unmask();
    check("SGI: once enabled", count, 1);
  }
}

static void shared(void) {
  reset();
  gic_set_edge(SPI, 1);
  gic_set_pending(SPI, 1);
  unmask();
  check("SPI: not while disabled", count, 0);
  gic_enable(SPI, 1);
  unmask();
  check("SPI: taken", count, 1);
  check("SPI: its number", log[0], SPI);
  gic_set_pending(SPI, 1);
  gic_set_pending(SPI, 0);
  unmask();
  check("SPI: pending and cleared", count, 1);

  // Priorities decide the order; of equal ones the lower number.
  reset();
  gic_enable(SPI2, 1);
  gic_set_edge(SPI2, 1);
  gic_set_priority(SPI, 0x80);
  gic_set_priority(SPI2, 0x60);
  gic_set_pending(SPI, 1);
  gic_set_pending(SPI2, 1);
  check("highest pending", gic_highest_pending(), SPI2);
  unmask();
  check("both taken", count, 2);
  check("the more urgent one first", log[0], SPI2);
  gic_set_priority(SPI2, 0x80);
  reset();
  gic_set_pending(SPI, 1);
  gic_set_pending(SPI2, 1);
  unmask();
  check("of equal priority the lower number first", log[0], SPI);

  reset();
  gic_set_mask(0x80);
  gic_set_pending(SPI, 1);
  unmask();
  check("priority mask: equal is not enough", count, 0);
  gic_set_mask(0x88);
  unmask();
  check("priority mask: above it", count, 1);
  gic_set_mask(0xFF);
}

static u32 running, nested;
static void raise_other(u32 id) {
  if (id != SPI) return;
  running = gic_running_priority();
  gic_set_pending(SPI2, 1);
  u32 before = count;
  unmask();
  nested = count - before;
}

static void preemption(void) {
  reset();
  inside = raise_other;
  gic_set_priority(SPI, 0x80);
  gic_set_priority(SPI2, 0x60);
  gic_set_pending(SPI, 1);
  unmask();
  check("running priority", running, 0x80);
  check("a more urgent one preempts", nested, 1);
  check("idle priority afterwards", gic_running_priority(), 0xFF);

  reset();
  inside = raise_other;
  gic_set_priority(SPI2, 0x80);
  gic_set_pending(SPI, 1);
  unmask();
  check("an equal one does not preempt", nested, 0);
  check("but comes afterwards", count, 2);

  // Bits below the binary point do not preempt: with 7 bits of group priority 0x70 would, with 3 not.
  reset();
  inside = raise_other;
  gic_set_binary_point(5);
  gic_set_priority(SPI2, 0x70);
  gic_set_priority(SPI, 0x78);
  gic_set_pending(SPI, 1);
  unmask();
  check("of the same group: no preemption", nested, 0);
  gic_set_binary_point(0);
  reset();
  inside = raise_other;
  gic_set_pending(SPI, 1);
  unmask();
  check("of another group: preemption", nested, 1);
}

static u32 active_inside, active_after_end;
static void end_in_two_steps(u32 id) {
  active_inside = (u32)gic_is_active(id);
  gic_end(id);
  active_after_end = (u32)gic_is_active(id);
  gic_deactivate(id);
}
static void handle_split(struct frame *f) {
  (void)f;
  u32 id = gic_acknowledge();
  count++;
  if (id != SPURIOUS) end_in_two_steps(id);
}

static void split_end(void) {
  reset();
  gic_set_split_end(1);
  on_interrupt = handle_split;
  gic_set_pending(SPI, 1);
  unmask();
  check("split end: active in the handler", active_inside, 1);
  check("split end: still active after the priority drop", active_after_end, 1);
  check("split end: not after deactivation", gic_is_active(SPI), 0);
  gic_set_split_end(0);
  on_interrupt = handler;
}

static void stop_virtual(u32 id) {
  if (id == TIMER_VIRTUAL) write_register("CNTV_CTL_EL0", IMASK | ENABLE);
  else if (id == TIMER_PHYSICAL) write_register("CNTP_CTL_EL0", 0);
}

static void timers(void) {
  u64 frequency = read_register("CNTFRQ_EL0");
  check("counter frequency", frequency, 62500000);
  u64 before = read_register("CNTVCT_EL0"), after = before;
  for (int i = 0; i < 1000000 && after == before; i++) after = read_register("CNTVCT_EL0");
  check("the counter counts", after > before, 1);

  write_register("CNTV_CTL_EL0", 0);
  write_register("CNTV_CVAL_EL0", 0);
  write_register("CNTV_CTL_EL0", ENABLE | IMASK);
  check("timer: condition met in the past", read_register("CNTV_CTL_EL0"), ENABLE | IMASK | ISTATUS);
  write_register("CNTV_CVAL_EL0", ~0ull >> 1);
  check("timer: not met in the future", read_register("CNTV_CTL_EL0"), ENABLE | IMASK);
  write_register("CNTV_TVAL_EL0", -5);
  check("timer: a negative value is the past", read_register("CNTV_CTL_EL0"), ENABLE | IMASK | ISTATUS);
  write_register("CNTV_TVAL_EL0", 0x7FFFFFFF);
  u64 left = read_register("CNTV_TVAL_EL0");
  check("timer: the value counts down", left <= 0x7FFFFFFF && left > 0x7FFFFFFF - frequency, 1);
  check("timer: CVAL is the counter plus the value", read_register("CNTV_CVAL_EL0") - read_register("CNTVCT_EL0") <= 0x7FFFFFFF, 1);

  reset();
  inside = stop_virtual;
  gic_enable(TIMER_VIRTUAL, 1);
  write_register("CNTV_CVAL_EL0", 0);
  barrier();
  unmask();
  check("timer: masked by IMASK", count, 0);
  write_register("CNTV_CTL_EL0", ENABLE);
  check("timer: pending", gic_is_pending(TIMER_VIRTUAL), 1);
  unmask();
  check("timer: interrupt of the virtual timer", log[0], TIMER_VIRTUAL);
  check("timer: once", count, 1);
  write_register("CNTV_CTL_EL0", 0);
  check("timer: no longer pending", gic_is_pending(TIMER_VIRTUAL), 0);

  // In 2 ms, asleep meanwhile.
  reset();
  inside = stop_virtual;
  gic_enable(TIMER_PHYSICAL, 1);
  u64 start = read_register("CNTPCT_EL0");
  write_register("CNTP_TVAL_EL0", frequency / 500);
  write_register("CNTP_CTL_EL0", ENABLE);
  while (count == 0) {
    __asm__ volatile("wfi" : : : "memory");
    unmask();
  }
  u64 elapsed = read_register("CNTPCT_EL0") - start;
  check("timer: interrupt of the physical timer", log[0], TIMER_PHYSICAL);
  check("timer: not too early", elapsed >= frequency / 500, 1);

  // WFI wakes although interrupts stay masked.
  reset();
  write_register("CNTP_TVAL_EL0", frequency / 1000);
  write_register("CNTP_CTL_EL0", ENABLE);
  __asm__ volatile("wfi" : : : "memory");
  while (!(read_register("CNTP_CTL_EL0") & ISTATUS)) {
  }
  check("WFI with interrupts masked", count, 0);
  write_register("CNTP_CTL_EL0", 0);
}

int main(void) {
  gic_start();
  on_interrupt = handler;
  software();
  shared();
  preemption();
  split_end();
  timers();
  finish();
  return 0;
}
