// The kernel under an AArch64 benchmark guest: sets EL1 up, lets the payload run at EL0 with the MMU on, serves its calls.
#include "bench.h"

enum { PAGE = 4096, RAM = 0x40000000, RAM_SIZE = 128 << 20, COMMAND_LINE_SPACE = 256, SMALL_PAGES = 4096 };

// VMSAv8-64 descriptors (Arm ARM D8.3): memory attribute 0 is normal memory, 1 a device.
enum { VALID = 1, TABLE = 2, DEVICE = 1 << 2, USER = 1 << 6, SHARED = 3 << 8, ACCESSED = 1 << 10, NOT_GLOBAL = 1 << 11 };
#define NOT_EXECUTABLE (3ull << 53)
#define USER_PAGE (ACCESSED | SHARED | USER | NOT_GLOBAL | VALID)

#define UART ((volatile u32 *)0x09000000)
enum { UARTDR = 0, UARTFR = 6, UARTFR_TXFF = 1 << 5 };
#define GICD ((volatile u32 *)0x08000000)
#define GICC ((volatile u32 *)0x08010000)
enum { GICD_CTLR = 0, GICD_IIDR = 2, GICD_ISENABLER0 = 0x100 / 4, GICD_SGIR = 0xF00 / 4 };
enum { GICC_CTLR = 0, GICC_PMR = 1, GICC_IAR = 3, GICC_EOIR = 4, SGI_TO_SELF = 2 << 24 };

#define read_register(name) ({ u64 v_; __asm__ volatile("mrs %0, " name : "=r"(v_) : : "memory"); v_; })
#define write_register(name, value) __asm__ volatile("msr " name ", %0\n isb" : : "r"((u64)(value)) : "memory")

struct frame {
  u64 x[31], elr, spsr, sp;
};

static u64 level1[512] __attribute__((aligned(PAGE)));
static u64 level2[512] __attribute__((aligned(PAGE)));
static u64 first_pages[512] __attribute__((aligned(PAGE)));
static u64 small_pages[SMALL_PAGES] __attribute__((aligned(PAGE)));
static u64 second_level1[512] __attribute__((aligned(PAGE)));
static u64 small_base;
static struct frame waiting;
static u32 running;
static volatile u32 interrupts;
static u32 firmware_is_smc;
extern char payload_start[], payload_bss[], payload_end[], kernel_bss[], command_line[];

static void put(char c) {
  while (UART[UARTFR] & UARTFR_TXFF) {
  }
  UART[UARTDR] = (u8)c;
}

static void put_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

// PSCI (Arm DEN 0022); returns what it returns.
static u64 firmware(u64 function) {
  register u64 x0 __asm__("x0") = function;
  if (firmware_is_smc) __asm__ volatile("smc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
  else __asm__ volatile("hvc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
  return x0;
}

static __attribute__((noreturn)) void power_off(void) {
  for (;;) firmware(0x84000008);
}

__attribute__((noreturn)) void kernel_panic(u64 esr, u64 elr);
void kernel_panic(u64 esr, u64 elr) {
  for (const char *p = "FAIL unexpected exception, ESR "; *p; p++) put(*p);
  put_hex(esr);
  for (const char *p = " ELR "; *p; p++) put(*p);
  put_hex(elr);
  put('\n');
  power_off();
}

// Big-endian word of the device tree.
static u32 tree_word(const u8 *p) { return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3]; }

// Copies /chosen's bootargs: the only property of that name (Devicetree Specification 5.4).
static void read_command_line(const u8 *tree, char *to) {
  enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };
  if (tree_word(tree) != 0xD00DFEED) return;
  const u8 *p = tree + tree_word(tree + 8), *names = tree + tree_word(tree + 12);
  for (;;) {
    u32 token = tree_word(p);
    p += 4;
    if (token == BEGIN_NODE) {
      while (*p) p++;
      p = (const u8 *)(((word)p + 4) & ~(word)3);
    } else if (token == PROP) {
      u32 length = tree_word(p);
      const u8 *name = names + tree_word(p + 4), *wanted = (const u8 *)"bootargs";
      p += 8;
      while (*name && *name == *wanted) name++, wanted++;
      if (!*name && !*wanted) {
        for (u32 i = 0; i < length && i < COMMAND_LINE_SPACE - 1; i++) to[i] = (char)p[i];
        return;
      }
      p += (length + 3) & ~3u;
    } else if (token != END_NODE && token != NOP) return;
  }
}

static void invalidate_tlb(void) { __asm__ volatile("dsb ishst\n tlbi vmalle1\n dsb ish\n isb" : : : "memory"); }

// Everything is mapped where it is: devices and the kernel for EL1, from payload_start to the kernel's data for EL0.
static void build_tables(void) {
  level1[0] = 0 | DEVICE | ACCESSED | NOT_EXECUTABLE | VALID;
  level1[1] = (word)level2 | TABLE | VALID;
  level2[0] = (word)first_pages | TABLE | VALID;
  for (word i = 0; i < 512; i++) {
    word at = RAM + i * PAGE;
    first_pages[i] = at | TABLE | (at >= (word)payload_start ? USER_PAGE : ACCESSED | SHARED | VALID);
  }
  for (word i = 1; i < RAM_SIZE >> 21; i++) {
    word at = RAM + (i << 21);
    level2[i] = at | (at < (word)kernel_bss ? USER_PAGE : ACCESSED | SHARED | VALID);
  }
  for (u32 i = 0; i < 512; i++) second_level1[i] = level1[i];
}

// An address space is a table and an ASID.
static void use_space(u32 task) {
  write_register("TTBR0_EL1", (word)(task ? second_level1 : level1) | (u64)(task + 1) << 48);
}

static void start_mmu(void) {
  build_tables();
  write_register("MAIR_EL1", 0x00FF);
  // 39 bits, tables cached and inner-shareable, no upper range, 40 bits of physical address.
  write_register("TCR_EL1", 25 | 0x35 << 8 | 1 << 23 | 25ull << 16 | 2ull << 30 | 2ull << 32);
  use_space(0);
  invalidate_tlb();
  // M, C, I; EL0 may use DC ZVA, CTR_EL0 and cache maintenance.
  write_register("SCTLR_EL1", 0x30D00800 | 1 | 1 << 2 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 26);
}

const char *kernel_start(const u8 *tree, u64 entered_at);
const char *kernel_start(const u8 *tree, u64 entered_at) {
  firmware_is_smc = entered_at == 2;
  for (u64 *p = (u64 *)payload_bss; p < (u64 *)payload_end; p++) *p = 0;
  read_command_line(tree, command_line);
  start_mmu();
  return command_line;
}

static void use_small_pages(word at, word length) {
  small_base = at;
  for (word i = 0; i < length / PAGE; i++) small_pages[i] = (at + i * PAGE) | TABLE | USER_PAGE;
  for (word i = 0; i < length >> 21; i++) {
    level2[(at - RAM) / (2 << 20) + i] = (word)(small_pages + 512 * i) | TABLE | VALID;
  }
  if (length & ((2 << 20) - 1)) level2[(at - RAM + length) >> 21] = (word)(small_pages + 512 * (length >> 21)) | TABLE | VALID;
  invalidate_tlb();
}

static void unmap(word at, word length) {
  for (word i = 0; i < length / PAGE; i++) small_pages[(at - small_base) / PAGE + i] = 0;
  invalidate_tlb();
}

static int map_missing(u64 address) {
  u64 page = (address - small_base) / PAGE;
  if (!small_base || page >= SMALL_PAGES || small_pages[page]) return 0;
  small_pages[page] = (address & ~4095ull) | TABLE | USER_PAGE;
  __asm__ volatile("dsb ishst" : : : "memory");
  return 1;
}

static void take_interrupts(word count) {
  GICC[GICC_PMR] = 0xFF;
  GICC[GICC_CTLR] = 1;
  GICD[GICD_CTLR] = 1;
  GICD[GICD_ISENABLER0] = 1;
  for (; count > 0; count--) {
    u32 before = interrupts;
    GICD[GICD_SGIR] = SGI_TO_SELF;
    __asm__ volatile("msr DAIFClr, #2" : : : "memory");
    while (interrupts == before) {
    }
    __asm__ volatile("msr DAIFSet, #2" : : : "memory");
  }
}

// Not by an assignment: gcc's memcpy would be the payload's, which EL1 may not execute.
static void switch_task(struct frame *f) {
  u64 *a = (u64 *)f, *b = (u64 *)&waiting;
  for (u32 i = 0; i < sizeof *f / sizeof *a; i++) {
    u64 t = a[i];
    a[i] = b[i];
    b[i] = t;
  }
  running ^= 1;
  use_space(running);
}

static void serve(struct frame *f) {
  word a = f->x[1], b = f->x[2];
  switch (f->x[0]) {
    case CALL_WRITE:
      for (word i = 0; i < b; i++) put(((const char *)a)[i]);
      break;
    case CALL_EXIT:
      if (a) kernel_panic(a, 0);
      power_off();
    case CALL_MMIO_READS:
      for (; a > 0; a--) (void)GICD[GICD_IIDR];
      break;
    case CALL_SMALL_PAGES:
      use_small_pages(a, b);
      break;
    case CALL_UNMAP:
      unmap(a, b);
      break;
    case CALL_SPAWN:
      waiting.elr = a;
      waiting.sp = b;
      waiting.spsr = f->spsr;
      break;
    case CALL_SWITCH:
      switch_task(f);
      break;
    case CALL_HYPERCALLS:
      for (; a > 0; a--) firmware(0x84005455);
      break;
    case CALL_INTERRUPTS:
      take_interrupts(a);
      break;
  }
}

// `esr` is 0 for an interrupt.
void kernel_enter(struct frame *f, u64 esr);
void kernel_enter(struct frame *f, u64 esr) {
  enum { EC_UNDEFINED = 0, EC_SVC = 0x15, EC_FETCH_ABORT = 0x20, EC_DATA_ABORT = 0x24 };
  if (esr == 0) {
    u32 id = GICC[GICC_IAR];
    interrupts++;
    GICC[GICC_EOIR] = id;
    return;
  }
  switch (esr >> 26) {
    case EC_UNDEFINED:
      f->elr += 4;
      return;
    case EC_SVC:
      serve(f);
      return;
    case EC_FETCH_ABORT:
    case EC_DATA_ABORT:
      if (map_missing(read_register("FAR_EL1"))) return;
  }
  kernel_panic(esr, f->elr);
}
