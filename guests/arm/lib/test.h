// For self-checking tests of AArch64 at EL1 and EL2. Each check prints "OK name" or "FAIL name" with what was got and
// what the manual wants; exceptions are recorded and the code goes on behind the instruction that caused them.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define read_register(name)                                        \
  ({                                                               \
    u64 value_;                                                    \
    __asm__ volatile("mrs %0, " name : "=r"(value_) : : "memory"); \
    value_;                                                        \
  })
#define write_register(name, value) __asm__ volatile("msr " name ", %0\n isb" : : "r"((u64)(value)) : "memory")
#define execute(text) __asm__ volatile(text : : : "memory", "cc", "x0", "x1", "x2", "x3", "v0", "v1")

/** What an exception saved. */
struct frame {
  u64 x[31], elr, spsr, esr, far, hpfar;
  u64 vector;  // 0–15: which entry of the table
  u64 level;   // that took it
};

// Vector table entries (Arm ARM D1.3.4): group, then kind.
enum { CURRENT_SP0 = 0, CURRENT_SPX = 4, LOWER_A64 = 8 };
enum { SYNCHRONOUS = 0, IRQ = 1, FIQ = 2, SERROR = 3 };

// SPSR.M and masks.
enum { EL0T = 0, EL1T = 4, EL1H = 5, EL2H = 9, MASKED = 0x3C0 };
#define SPSR_PAN (1u << 22)
#define SPSR_SS (1u << 21)
#define SPSR_IL (1u << 20)

// ESR: class, instruction length (always 1 here), syndrome.
#define ESR(class, iss) ((u64)(class) << 26 | 1u << 25 | (u64)(iss))
// ISS of a trapped MSR, MRS or system instruction.
#define ISS_REGISTER(op0, op1, crn, crm, op2, rt, read) \
  ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))

extern u64 entry_level, device_tree;
extern struct frame last;  // the latest exception
extern u64 exceptions;     // how many since clear()

/** Asks that exceptions which come now be recorded. */
void clear(void);
/** Called for IRQ, FIQ and SError, if set; otherwise they are unexpected. */
extern void (*on_interrupt)(struct frame *);
/** A synchronous handler that is asked first: not 0 if it has dealt with the exception. */
extern int (*on_exception)(struct frame *);

u64 call_el0(void *function, u64 argument, u64 spsr);
u64 call_el1(void *function, u64 argument, u64 spsr);
void power_off(void);

void print(const char *text);
void print_hex(u64 value, int digits);
void check(const char *name, u64 got, u64 want);
/** Exactly one exception since clear(), through this vector, with this syndrome. */
void check_exception(const char *name, u64 vector, u64 esr);
/** No exception since clear(). */
void check_quiet(const char *name);
/** Ends the run. */
void finish(void);
int main(void);

static inline void barrier(void) { __asm__ volatile("dsb sy\n isb" : : : "memory"); }
