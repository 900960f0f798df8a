// Stage 2 translation, seen from EL2: what EL1 may not touch arrives here, with the intermediate physical address and, for
// plain loads and stores, with everything that a hypervisor needs to emulate a device.
#include "mmu.h"

const u32 stays_at_el2 = 1;

enum { DATA_ABORT_LOWER = 0x24, FETCH_ABORT_LOWER = 0x20, HVC = 0x16 };
enum { WRITE = 0x40, S1PTW = 0x80, TRANSLATION = 4, ACCESS_FLAG = 8, PERMISSION = 12 };
#define ISV (1u << 24)
#define SAS(size) ((size) << 22)
#define SSE (1u << 21)
#define SRT(n) ((n) << 16)
#define SF (1u << 15)

#define HCR_VM 1ull
#define HCR_RW (1ull << 31)
// Stage 2 descriptors (Arm ARM D8.5): attributes, S2AP, XN.
#define NORMAL2 (0xFull << 2 | SHARED | AF | VALID)
#define DEVICE2 (1ull << 2 | AF | VALID)
#define S2_READ (1ull << 6)
#define S2_WRITE (2ull << 6)
#define S2_XN (2ull << 53)

static u64 s2_level1[512] __attribute__((aligned(PAGE)));
static u64 s2_level2[512] __attribute__((aligned(PAGE)));
static u64 s2_pages[512] __attribute__((aligned(PAGE)));
static u8 frame[PAGE] __attribute__((aligned(PAGE)));

__asm__(
    ".pushsection .text\n"
    "load_w: ldr w5, [x0]\n mov x0, x5\n ret\n"
    "load_x: ldr x6, [x0]\n mov x0, x6\n ret\n"
    "load_sb: ldrsb x7, [x0]\n mov x0, x7\n ret\n"
    "load_sh: ldrsh w8, [x0]\n mov x0, x8\n ret\n"
    "store_b: mov w9, #0x7F\n strb w9, [x0]\n ret\n"
    "store_x: str xzr, [x0]\n ret\n"
    "load_pair: ldp x1, x2, [x0]\n ret\n"
    "load_post: ldr x1, [x0], #8\n ret\n"
    "load_q: ldr q0, [x0]\n ret\n"
    "jump: mov x9, x30\n blr x0\n mov x30, x9\n ret\n"
    ".popsection");
extern char load_w[], load_x[], load_sb[], load_sh[], store_b[], store_x[], load_pair[], load_post[], load_q[], jump[];

static void flush(void) { __asm__ volatile("dsb ishst\n tlbi vmalls12e1\n dsb ish\n isb" : : : "memory"); }
static void map2(u32 page, u64 descriptor) {
  s2_pages[page] = descriptor;
  flush();
}

static void set_up(void) {
  s2_level1[0] = DEVICE2 | S2_READ | S2_WRITE;
  s2_level1[1] = (u64)s2_level2 | TABLE | VALID;
  for (u64 i = 0; i < 3; i++) s2_level2[i] = (RAM_BASE + (i << 21)) | NORMAL2 | S2_READ | S2_WRITE;
  s2_level2[3] = (u64)s2_pages | TABLE | VALID;
  write_register("VTTBR_EL2", (u64)s2_level1);
  // T0SZ 25, SL0 = 1: walks begin at level 1; cached, inner-shareable, 4 KiB, 40 bits.
  write_register("VTCR_EL2", 25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16 | 1ull << 31);
  write_register("CPACR_EL1", 3ull << 20);
  flush();
  write_register("HCR_EL2", HCR_RW | HCR_VM);
}

static u64 at_el1(void *function, u64 argument) { return call_el1(function, argument, MASKED | EL1H); }

static void expect(const char *name, void *function, u64 at, u64 class, u64 iss) {
  clear();
  at_el1(function, at);
  if (iss == 0) {
    check_quiet(name);
    return;
  }
  check_exception(name, LOWER_A64, ESR(class, iss));
  check("  FAR", last.far, at);
  check("  HPFAR", last.hpfar, at >> 12 << 4);
}

static void faults(void) {
  map2(0, (u64)frame | NORMAL2 | PAGE_BIT | S2_READ | S2_WRITE);
  *(u32 *)frame = 0x12345678;
  clear();
  check("load through both stages", at_el1(load_w, TEST(0)), 0x12345678);
  check_quiet("  without a fault");

  map2(1, 0);
  expect("LDR W, no page", load_w, TEST(1) + 4, DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | TRANSLATION | 3);
  expect("LDR X, no page", load_x, TEST(1), DATA_ABORT_LOWER, ISV | SAS(3) | SRT(6) | SF | TRANSLATION | 3);
  expect("LDRSB X, no page", load_sb, TEST(1), DATA_ABORT_LOWER, ISV | SAS(0) | SSE | SRT(7) | SF | TRANSLATION | 3);
  expect("LDRSH W, no page", load_sh, TEST(1), DATA_ABORT_LOWER, ISV | SAS(1) | SSE | SRT(8) | TRANSLATION | 3);
  expect("STRB, no page", store_b, TEST(1), DATA_ABORT_LOWER, ISV | SAS(0) | SRT(9) | WRITE | TRANSLATION | 3);
  expect("STR XZR, no page", store_x, TEST(1), DATA_ABORT_LOWER, ISV | SAS(3) | SRT(31) | SF | WRITE | TRANSLATION | 3);
  expect("LDP: no description of the access", load_pair, TEST(1), DATA_ABORT_LOWER, TRANSLATION | 3);
  expect("LDR with write-back: none", load_post, TEST(1), DATA_ABORT_LOWER, TRANSLATION | 3);
  expect("LDR Q: none", load_q, TEST(1), DATA_ABORT_LOWER, TRANSLATION | 3);
  expect("no level-2 table", load_w, 0x80000000, DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | TRANSLATION | 1);
  expect("no level-3 table", load_w, 0x40800000, DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | TRANSLATION | 2);

  map2(1, (u64)frame | NORMAL2 | PAGE_BIT | S2_READ);
  expect("load from a read-only page", load_w, TEST(1), 0, 0);
  expect("store to a read-only page", store_b, TEST(1), DATA_ABORT_LOWER, ISV | SRT(9) | WRITE | PERMISSION | 3);
  map2(1, (u64)frame | NORMAL2 | PAGE_BIT | S2_WRITE);
  expect("load from a write-only page", load_w, TEST(1), DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | PERMISSION | 3);
  expect("store to a write-only page", store_b, TEST(1), 0, 0);
  map2(1, ((u64)frame | NORMAL2 | PAGE_BIT | S2_READ | S2_WRITE) & ~AF);
  expect("access flag clear", load_w, TEST(1), DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | ACCESS_FLAG | 3);

  *(u32 *)(frame + 64) = 0xD65F03C0;  // RET
  __asm__ volatile("dsb ish\n ic iallu\n dsb ish\n isb");
  expect("fetch", jump, TEST(0) + 64, 0, 0);
  map2(0, (u64)frame | NORMAL2 | PAGE_BIT | S2_READ | S2_WRITE | S2_XN);
  expect("fetch, XN", jump, TEST(0) + 64, FETCH_ABORT_LOWER, PERMISSION | 3);
  map2(1, 0);
  expect("fetch, no page", jump, TEST(1), FETCH_ABORT_LOWER, TRANSLATION | 3);
}

// A device that is not there: a register that counts its reads, at the start of test page 9.
static u64 device_reads, device_value;
static int emulate(struct frame *f) {
  if (f->esr >> 26 != DATA_ABORT_LOWER || !(f->esr & ISV)) return 0;
  u64 address = f->hpfar >> 4 << 12 | (f->far & 4095);
  if (address != TEST(9)) return 0;
  u32 n = f->esr >> 16 & 31;
  if (f->esr & WRITE) device_value = n == 31 ? 0 : f->x[n];
  else if (n != 31) f->x[n] = ++device_reads;
  f->elr += 4;
  return 1;
}

static void device(void) {
  on_exception = emulate;
  clear();
  check("emulated device: first read", at_el1(load_w, TEST(9)), 1);
  check("emulated device: second read", at_el1(load_x, TEST(9)), 2);
  at_el1(store_b, TEST(9));
  check("emulated device: written", device_value, 0x7F);
  check_quiet("emulated device: no other exception");
  on_exception = 0;
}

static u64 translate_s12(u64 at) {
  __asm__ volatile("at s12e1r, %0\n isb" : : "r"(at) : "memory");
  return read_register("PAR_EL1");
}

// With stage 1 on: addresses of EL1 are not those of stage 2.
static void both_stages(void) {
  enum { VIRTUAL = 20, INTERMEDIATE = 21, TABLE_PAGE = 22 };
  build_tables();
  map2(INTERMEDIATE, (u64)frame | NORMAL2 | PAGE_BIT | S2_READ | S2_WRITE);
  for (u32 i = 0; i < 512; i++) test_pages[i] = 0;
  test_pages[VIRTUAL] = TEST(INTERMEDIATE) | PAGE_BIT | NORMAL;
  test_pages[VIRTUAL + 1] = TEST(30) | PAGE_BIT | NORMAL;
  write_register("MAIR_EL1", 0x00FF);
  write_register("TCR_EL1", TCR);
  write_register("TTBR0_EL1", (u64)level1);
  write_register("SCTLR_EL1", SCTLR | SCTLR_M);
  flush();
  clear();
  check("both stages: load", at_el1(load_w, TEST(VIRTUAL)), 0x1234567F);
  check_quiet("  without a fault");
  u64 par = translate_s12(TEST(VIRTUAL) + 8);
  check("AT S12E1R: no fault", par & 1, 0);
  check("AT S12E1R: the physical address", par & 0xFFFFFFFFF000ull, (u64)frame);

  clear();
  at_el1(load_w, TEST(VIRTUAL + 1) + 8);
  check_exception("both stages: fault of stage 2", LOWER_A64, ESR(DATA_ABORT_LOWER, ISV | SAS(2) | SRT(5) | TRANSLATION | 3));
  check("  FAR is virtual", last.far, TEST(VIRTUAL + 1) + 8);
  check("  HPFAR is intermediate", last.hpfar, TEST(30) >> 12 << 4);
  clear();
  at_el1(load_w, TEST(40));
  // EL1's own handler saw it: stage 1 comes first.
  check_exception("both stages: fault of stage 1 goes to EL1", CURRENT_SPX, ESR(0x25, TRANSLATION | 3));
  check("  taken by EL1", last.level, 1);

  // The table of stage 1 itself is in a page that stage 2 does not map.
  level2[3] = TEST(TABLE_PAGE) | TABLE | VALID;
  flush();
  clear();
  at_el1(load_w, TEST(VIRTUAL) + 4);
  check_exception("fault of stage 2 on a walk of stage 1", LOWER_A64, ESR(DATA_ABORT_LOWER, S1PTW | TRANSLATION | 3));
  check("  FAR is virtual", last.far, TEST(VIRTUAL) + 4);
  check("  HPFAR is the table's", last.hpfar, TEST(TABLE_PAGE) >> 12 << 4);
  write_register("SCTLR_EL1", SCTLR);
}

int main(void) {
  if (entry_level != 2) {
    print("FAIL: there is no EL2\n");
    power_off();
  }
  set_up();
  faults();
  device();
  both_stages();
  finish();
  return 0;
}
