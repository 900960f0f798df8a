#include "test.h"

#define UART ((volatile u32 *)0x09000000)
enum { UARTDR = 0, UARTFR = 6 };

struct frame last;
u64 exceptions;
void (*on_interrupt)(struct frame *);
int (*on_exception)(struct frame *);
static u64 failures;
extern char resume_call[];

// gcc may call these for structures.
void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((u8 *)to)[i] = (u8)value;
  return to;
}

void print(const char *text) {
  for (; *text; text++) {
    while (UART[UARTFR] & 1 << 5) {
    }
    UART[UARTDR] = (u8)*text;
  }
}

void print_hex(u64 value, int digits) {
  char text[17];
  for (int i = 0; i < digits; i++) text[i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
  text[digits] = 0;
  print(text);
}

void check(const char *name, u64 got, u64 want) {
  print(got == want ? "OK " : "FAIL ");
  print(name);
  if (got != want) {
    failures++;
    print(" got=");
    print_hex(got, 16);
    print(" want=");
    print_hex(want, 16);
  }
  print("\n");
}

void clear(void) {
  exceptions = 0;
  last = (struct frame){0};
  last.esr = last.vector = ~0ull;
}

static void describe(const struct frame *f) {
  print(" vector=");
  print_hex(f->vector, 1);
  print(" esr=");
  print_hex(f->esr, 8);
  print(" elr=");
  print_hex(f->elr, 16);
  print(" far=");
  print_hex(f->far, 16);
}

void check_exception(const char *name, u64 vector, u64 esr) {
  if (exceptions == 1 && last.vector == vector && last.esr == esr) {
    check(name, 1, 1);
    return;
  }
  failures++;
  print("FAIL ");
  print(name);
  print(exceptions == 0 ? ": no exception" : exceptions == 1 ? ":" : ": several exceptions, the last:");
  if (exceptions > 0) describe(&last);
  print(", want vector=");
  print_hex(vector, 1);
  print(" esr=");
  print_hex(esr, 8);
  print("\n");
}

void check_quiet(const char *name) { check(name, exceptions ? last.esr : 0, 0); }

void finish(void) {
  print(failures ? "some checks FAILED\n" : "all checks passed\n");
  power_off();
}

enum { EC_ILLEGAL = 0x0E, EC_SVC = 0x15, EC_HVC = 0x16, EC_SMC = 0x17, EC_FETCH_LOWER = 0x20, EC_FETCH = 0x21, EC_PC = 0x22 };
enum { EC_STEP_LOWER = 0x32, EC_STEP = 0x33 };

static void skip(struct frame *f) {
  switch (f->esr >> 26) {
    case EC_SVC:
    case EC_HVC:
    case EC_STEP_LOWER:
    case EC_STEP:
      // These are taken behind the instruction.
      break;
    case EC_ILLEGAL:
      // The instruction was not at fault.
      f->spsr &= ~(u64)SPSR_IL;
      break;
    case EC_FETCH_LOWER:
    case EC_FETCH:
    case EC_PC:
      // A branch with link to an address that cannot be executed: back to behind it.
      f->elr = f->x[30];
      break;
    default:
      f->elr += 4;
  }
}

void exception(struct frame *f);
void exception(struct frame *f) {
  if ((f->vector & 3) != SYNCHRONOUS) {
    if (on_interrupt) {
      on_interrupt(f);
      return;
    }
  } else {
    u64 ec = f->esr >> 26;
    if ((ec == EC_SVC || ec == EC_HVC) && (f->esr & 0xFFFF) == 0xFFF && (f->vector & 12) == LOWER_A64) {
      // A function of call_el0 or call_el1 has returned.
      f->elr = (u64)resume_call;
      f->spsr = MASKED | (f->level == 2 ? EL2H : EL1H);
      return;
    }
    if (on_exception && on_exception(f)) return;
    last = *f;
    if (++exceptions < 100) {
      skip(f);
      return;
    }
  }
  print("FAIL unexpected:");
  describe(f);
  print("\n");
  failures++;
  finish();
}
