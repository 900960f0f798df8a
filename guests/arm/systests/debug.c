// Self-hosted debug (Arm ARM D2): single step, hardware breakpoints, watchpoints, the OS lock.
#include "test.h"

enum { BREAKPOINT_LOWER = 0x30, BREAKPOINT = 0x31, STEP_LOWER = 0x32, STEP = 0x33, WATCHPOINT_LOWER = 0x34, WATCHPOINT = 0x35 };
enum { DEBUG_EVENT = 0x22, STEP_ISV = 1 << 24, STEP_EX = 1 << 6, WNR = 1 << 6 };
#define MDSCR_SS 1ull
#define MDSCR_KDE (1ull << 13)
#define MDSCR_MDE (1ull << 15)
// DBGBCR and DBGWCR.
#define ENABLE 1ull
#define AT_EL1 (1ull << 1)
#define AT_EL0 (2ull << 1)
#define ALL_BYTES_BREAK (0xFull << 5)
#define LOADS (1ull << 3)
#define STORES (2ull << 3)
#define BYTES(mask) ((u64)(mask) << 5)

static u64 words[4] __attribute__((aligned(64)));

__asm__(
    ".pushsection .text\n"
    "walk: mov x1, #1\n"
    "walk_second: add x1, x1, #1\n"
    "walk_third: add x0, x1, #40\n"
    " ret\n"
    "stepped_svc: svc #3\n nop\n ret\n"
    "exclusive: ldxr x1, [x0]\n nop\n ret\n"
    "load_it: ldr x0, [x0]\n ret\n"
    "load_byte: ldrb w0, [x0]\n ret\n"
    "store_it: str xzr, [x0]\n ret\n"
    ".popsection");
extern char walk[], walk_second[], walk_third[], stepped_svc[], exclusive[], load_it[], load_byte[], store_it[];

static u64 steps, addresses[8], step_syndrome;
static int count_steps(struct frame *f) {
  u64 ec = f->esr >> 26;
  if (ec != STEP_LOWER && ec != STEP) return 0;
  if (steps < 8) addresses[steps] = f->elr;
  steps++;
  step_syndrome = f->esr;
  if (steps < 3) f->spsr |= SPSR_SS;
  else {
    // Enough: SPSR.SS does not matter when stepping is off.
    write_register("MDSCR_EL1", 0);
    f->spsr &= ~(u64)SPSR_SS;
  }
  return 1;
}

static void stepping(void) {
  write_register("OSLAR_EL1", 0);
  on_exception = count_steps;
  steps = 0;
  clear();
  write_register("MDSCR_EL1", MDSCR_SS);
  u64 result = call_el0(walk, 0, MASKED | EL0T | SPSR_SS);
  check("step: three instructions", steps, 3);
  check("step: after the first", addresses[0], (u64)walk_second);
  check("step: after the second", addresses[1], (u64)walk_third);
  check("step: syndrome", step_syndrome, ESR(STEP_LOWER, STEP_ISV | DEBUG_EVENT));
  check("step: the program's result", result, 42);
  check_quiet("step: nothing else");

  // SS clear on entry: the exception comes before the first instruction, and says that it stepped nothing.
  steps = 2;
  write_register("MDSCR_EL1", MDSCR_SS);
  result = call_el0(walk, 0, MASKED | EL0T);
  check("step: pending at once", addresses[2], (u64)walk);
  check("step: syndrome without ISV", step_syndrome, ESR(STEP_LOWER, DEBUG_EVENT));
  check("step: the program runs on", result, 42);

  steps = 2;
  write_register("MDSCR_EL1", MDSCR_SS);
  call_el0(exclusive, (u64)words, MASKED | EL0T | SPSR_SS);
  check("step: EX for a load exclusive", step_syndrome, ESR(STEP_LOWER, STEP_ISV | STEP_EX | DEBUG_EVENT));

  // An exception taken by the stepped instruction: then stepping goes on behind the handler's return.
  steps = 2;
  clear();
  write_register("MDSCR_EL1", MDSCR_SS);
  call_el0(stepped_svc, 0, MASKED | EL0T | SPSR_SS);
  check_exception("step: of an SVC, the SVC is taken", LOWER_A64, ESR(0x15, 3));
  check("step: its SPSR.SS", last.spsr & SPSR_SS, 0);
  check("step: then a step is pending behind it", addresses[2], (u64)stepped_svc + 4);
  on_exception = 0;
  write_register("MDSCR_EL1", 0);
}

static u64 hits, hit_syndrome, hit_address, hit_far;
static int count_hits(struct frame *f) {
  u64 ec = f->esr >> 26;
  if (ec != BREAKPOINT && ec != BREAKPOINT_LOWER && ec != WATCHPOINT && ec != WATCHPOINT_LOWER) return 0;
  hits++;
  hit_syndrome = f->esr;
  hit_address = f->elr;
  hit_far = f->far;
  write_register("MDSCR_EL1", read_register("MDSCR_EL1") & ~MDSCR_MDE);
  return 1;
}

static void breakpoints(void) {
  on_exception = count_hits;
  hits = 0;
  write_register("DBGBVR0_EL1", (u64)walk_third);
  write_register("DBGBCR0_EL1", ENABLE | AT_EL0 | ALL_BYTES_BREAK);
  call_el0(walk, 0, MASKED | EL0T);
  check("breakpoint: nothing with MDE = 0", hits, 0);
  write_register("MDSCR_EL1", MDSCR_MDE);
  u64 result = call_el0(walk, 0, MASKED | EL0T);
  check("breakpoint: hit", hits, 1);
  check("breakpoint: syndrome", hit_syndrome, ESR(BREAKPOINT_LOWER, DEBUG_EVENT));
  check("breakpoint: address", hit_address, (u64)walk_third);
  check("breakpoint: then the instruction runs", result, 42);
  write_register("MDSCR_EL1", MDSCR_MDE);
  ((u64(*)(void))walk)();
  check("breakpoint: not at EL1, it is EL0's", hits, 1);
  write_register("DBGBCR0_EL1", ENABLE | AT_EL1 | ALL_BYTES_BREAK);
  write_register("MDSCR_EL1", MDSCR_MDE | MDSCR_KDE);
  ((u64(*)(void))walk)();
  check("breakpoint: not at EL1 with PSTATE.D", hits, 1);
  __asm__ volatile("msr DAIFClr, #8\n isb" : : : "memory");
  ((u64(*)(void))walk)();
  __asm__ volatile("msr DAIFSet, #8" : : : "memory");
  check("breakpoint: at EL1", hits, 2);
  check("breakpoint: syndrome at EL1", hit_syndrome, ESR(BREAKPOINT, DEBUG_EVENT));
  write_register("DBGBCR0_EL1", 0);
  on_exception = 0;
}

static void watch(const char *name, void *snippet, u64 at, u64 control, u64 want_far, u64 wnr) {
  print("watchpoint: ");
  hits = 0;
  write_register("DBGWVR0_EL1", (u64)words);
  write_register("DBGWCR0_EL1", control | ENABLE | AT_EL0);
  write_register("MDSCR_EL1", MDSCR_MDE);
  call_el0(snippet, at, MASKED | EL0T);
  write_register("DBGWCR0_EL1", 0);
  write_register("MDSCR_EL1", 0);
  print(name);
  print("\n");
  check("  hits", hits, want_far != 0);
  if (want_far == 0 || hits == 0) return;
  check("  syndrome", hit_syndrome & ~0x3F80ull, ESR(WATCHPOINT_LOWER, wnr | DEBUG_EVENT));
  check("  FAR", hit_far, want_far);
  check("  ELR", hit_address, (u64)snippet);
}

static void watchpoints(void) {
  on_exception = count_hits;
  u64 at = (u64)words;
  watch("store to what is watched for stores", store_it, at, STORES | BYTES(0xFF), at, WNR);
  watch("load from what is watched for stores", load_it, at, STORES | BYTES(0xFF), 0, 0);
  watch("load from what is watched for loads", load_it, at, LOADS | BYTES(0xFF), at, 0);
  watch("load from the next word", load_it, at + 8, LOADS | BYTES(0xFF), 0, 0);
  watch("byte that is selected", load_byte, at + 3, LOADS | BYTES(0x08), at + 3, 0);
  watch("byte that is not", load_byte, at + 2, LOADS | BYTES(0x08), 0, 0);
  // A mask of 4: all of 16 bytes.
  watch("load within a masked range", load_byte, at + 9, LOADS | BYTES(0xFF) | 4ull << 24, at + 9, 0);
  on_exception = 0;
}

static void lock(void) {
  write_register("OSLAR_EL1", 1);
  check("OS lock: set", read_register("OSLSR_EL1") >> 1 & 1, 1);
  on_exception = count_hits;
  hits = 0;
  write_register("DBGBVR0_EL1", (u64)walk_third);
  write_register("DBGBCR0_EL1", ENABLE | AT_EL0 | ALL_BYTES_BREAK);
  write_register("MDSCR_EL1", MDSCR_MDE);
  call_el0(walk, 0, MASKED | EL0T);
  check("OS lock: no breakpoints", hits, 0);
  write_register("DBGBCR0_EL1", 0);
  write_register("MDSCR_EL1", 0);
  write_register("OSLAR_EL1", 0);
  check("OS lock: cleared", read_register("OSLSR_EL1") >> 1 & 1, 0);
  on_exception = 0;
}

int main(void) {
  stepping();
  breakpoints();
  watchpoints();
  lock();
  finish();
  return 0;
}
