// Stage 1 translation for EL1 and EL0: faults with their levels, permissions, hierarchical attributes, tagged addresses,
// the upper range, address translation instructions, PAN, the other granules.
#include "mmu.h"

enum { DATA_ABORT_LOWER = 0x24, DATA_ABORT = 0x25, FETCH_ABORT_LOWER = 0x20, FETCH_ABORT = 0x21 };
enum { WRITE = 0x40, ADDRESS_SIZE = 0, TRANSLATION = 4, ACCESS_FLAG = 8, PERMISSION = 12 };  // plus the level

static u8 frames[2][PAGE] __attribute__((aligned(PAGE)));
#define FRAME0 ((u64)frames[0])
#define FRAME1 ((u64)frames[1])

static u64 load(u64 at) {
  u64 value = 0;
  __asm__ volatile("ldr %0, [%1]" : "+r"(value) : "r"(at) : "memory");
  return value;
}
static void store(u64 at, u64 value) { __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(at) : "memory"); }
static void call(u64 at) { __asm__ volatile("blr %0" : : "r"(at) : "x30", "memory"); }

__asm__(
    ".pushsection .text\n"
    "load_el0: ldr x0, [x0]\n ret\n"
    "store_el0: str x0, [x0]\n ret\n"
    "call_el0_page: mov x9, x30\n blr x0\n mov x30, x9\n ret\n"
    ".popsection");
extern char load_el0[], store_el0[], call_el0_page[];

static void expect_load(const char *name, u64 at, u64 status) {
  clear();
  load(at);
  check_exception(name, CURRENT_SPX, ESR(DATA_ABORT, status));
  check("  its FAR", last.far, at);
}
static void expect_store(const char *name, u64 at, u64 status) {
  clear();
  store(at, 1);
  check_exception(name, CURRENT_SPX, ESR(DATA_ABORT, WRITE | status));
}
static void expect_el0(const char *name, void *snippet, u64 at, u64 class, u64 status) {
  clear();
  call_el0(snippet, at, MASKED | EL0T);
  if (status == 0) check_quiet(name);
  else check_exception(name, LOWER_A64, ESR(class, status));
}

static void faults(void) {
  map(0, FRAME0 | PAGE_BIT | NORMAL);
  *(u64 *)FRAME0 = 0x1122334455667788;
  clear();
  check("load through a mapped page", load(TEST(0)), 0x1122334455667788);
  check_quiet("  without a fault");

  map(1, 0);
  expect_load("load, no page", TEST(1) + 8, TRANSLATION | 3);
  expect_store("store, no page", TEST(1), TRANSLATION | 3);
  expect_load("load, no level-3 table", 0x40400000, TRANSLATION | 2);
  expect_load("load, no level-2 table", 0x80000000, TRANSLATION | 1);
  expect_load("load above 39 bits", 1ull << 39, TRANSLATION | 0);
  expect_load("load, a page descriptor of a block", (map(1, FRAME0 | NORMAL), TEST(1)), TRANSLATION | 3);
  map(1, FRAME0 | PAGE_BIT | SHARED | VALID);
  expect_load("load, access flag clear", TEST(1), ACCESS_FLAG | 3);
  level2[2] = 0x40400000 | SHARED | VALID;
  flush_tlb();
  expect_load("load, access flag of a block clear", 0x40400000, ACCESS_FLAG | 2);
  level2[2] = 0;

  // Across a boundary: the address of the page that is missing.
  map(1, 0);
  clear();
  load(TEST(1) - 4);
  check_exception("load across into no page", CURRENT_SPX, ESR(DATA_ABORT, TRANSLATION | 3));
  check("  its FAR", last.far, TEST(1));
  *(u64 *)(FRAME0 + PAGE - 8) = 0x5555555555555555;
  clear();
  store(TEST(1) - 4, 0);
  check_exception("store across into no page", CURRENT_SPX, ESR(DATA_ABORT, WRITE | TRANSLATION | 3));
  check("  nothing was stored", *(u64 *)(FRAME0 + PAGE - 8), 0x5555555555555555);

  // Fetches.
  *(u32 *)(FRAME0 + 64) = 0xD65F03C0;  // RET
  __asm__ volatile("dsb ish\n ic iallu\n dsb ish\n isb");
  clear();
  call(TEST(0) + 64);
  check_quiet("fetch from a mapped page");
  clear();
  call(TEST(1));
  check_exception("fetch, no page", CURRENT_SPX, ESR(FETCH_ABORT, TRANSLATION | 3));
  check("  its FAR", last.far, TEST(1));
  check("  its ELR", last.elr, TEST(1));

  write_register("TCR_EL1", TCR & ~(7ull << 32));
  map(1, 0x200000000ull | PAGE_BIT | NORMAL);
  expect_load("load, output beyond IPS", TEST(1), ADDRESS_SIZE | 3);
  write_register("TCR_EL1", TCR);
}

static void permissions(void) {
  map(2, FRAME0 | AP_READ_ONLY | PAGE_BIT | NORMAL);
  clear();
  load(TEST(2));
  check_quiet("load from a read-only page");
  expect_store("store to a read-only page", TEST(2), PERMISSION | 3);

  map(3, FRAME0 | PAGE_BIT | NORMAL);
  expect_el0("EL0: load from EL1's page", load_el0, TEST(3), DATA_ABORT_LOWER, PERMISSION | 3);
  map(3, FRAME0 | AP_EL0 | PAGE_BIT | NORMAL);
  expect_el0("EL0: load from its page", load_el0, TEST(3), 0, 0);
  expect_el0("EL0: store to its page", store_el0, TEST(3), 0, 0);
  expect_el0("EL0: fetch from its page", call_el0_page, TEST(3) + 64, 0, 0);
  clear();
  call(TEST(3) + 64);
  check_exception("EL1: fetch from a page that EL0 can write", CURRENT_SPX, ESR(FETCH_ABORT, PERMISSION | 3));
  map(3, FRAME0 | AP_EL0 | AP_READ_ONLY | PAGE_BIT | NORMAL);
  expect_el0("EL0: store to a page read-only for both", store_el0, TEST(3), DATA_ABORT_LOWER, WRITE | PERMISSION | 3);
  clear();
  call(TEST(3) + 64);
  check_quiet("EL1: fetch from a page that EL0 can only read");
  map(3, FRAME0 | AP_EL0 | AP_READ_ONLY | UXN | PAGE_BIT | NORMAL);
  expect_el0("EL0: fetch, UXN", call_el0_page, TEST(3) + 64, FETCH_ABORT_LOWER, PERMISSION | 3);
  map(3, FRAME0 | PXN | PAGE_BIT | NORMAL);
  clear();
  call(TEST(3) + 64);
  check_exception("EL1: fetch, PXN", CURRENT_SPX, ESR(FETCH_ABORT, PERMISSION | 3));

  map(3, FRAME0 | PAGE_BIT | NORMAL);
  // Data permissions do not concern fetches: such a page is execute-only for EL0 (Arm ARM D8.4.1).
  expect_el0("EL0: fetch from EL1's page", call_el0_page, TEST(3) + 64, 0, 0);
  clear();
  __asm__ volatile("ldtr x0, [%0]" : : "r"(TEST(3)) : "x0", "memory");
  check_exception("LDTR from EL1's page", CURRENT_SPX, ESR(DATA_ABORT, PERMISSION | 3));
  clear();
  __asm__ volatile("sttr x0, [%0]" : : "r"(TEST(3)) : "x0", "memory");
  check_exception("STTR to EL1's page", CURRENT_SPX, ESR(DATA_ABORT, WRITE | PERMISSION | 3));
}

static void hierarchy(void) {
  map(4, FRAME0 | AP_EL0 | PAGE_BIT | NORMAL);
  level2[3] = (u64)test_pages | AP_TABLE_READ_ONLY | TABLE | VALID;
  flush_tlb();
  expect_store("store, APTable[1]", TEST(4), PERMISSION | 3);
  level2[3] = (u64)test_pages | AP_TABLE_NO_EL0 | TABLE | VALID;
  flush_tlb();
  expect_el0("EL0: load, APTable[0]", load_el0, TEST(4), DATA_ABORT_LOWER, PERMISSION | 3);
  level2[3] = (u64)test_pages | UXN_TABLE | TABLE | VALID;
  flush_tlb();
  expect_el0("EL0: fetch, UXNTable", call_el0_page, TEST(4) + 64, FETCH_ABORT_LOWER, PERMISSION | 3);
  map(4, FRAME0 | PAGE_BIT | NORMAL);
  level2[3] = (u64)test_pages | PXN_TABLE | TABLE | VALID;
  flush_tlb();
  clear();
  call(TEST(4) + 64);
  check_exception("EL1: fetch, PXNTable", CURRENT_SPX, ESR(FETCH_ABORT, PERMISSION | 3));
  level2[3] = (u64)test_pages | TABLE | VALID;
  flush_tlb();
}

static void ranges(void) {
  map(0, FRAME0 | PAGE_BIT | NORMAL);
  u64 tagged = TEST(0) | 0xA5ull << 56;
  expect_load("load with a tag, TBI0 = 0", tagged, TRANSLATION | 0);
  write_register("TCR_EL1", TCR | TCR_TBI0);
  flush_tlb();
  clear();
  load(tagged);
  check_quiet("load with a tag, TBI0 = 1");
  map(1, 0);
  clear();
  load(TEST(1) | 0xA5ull << 56);
  check("fault with a tag: FAR has it", last.far, TEST(1) | 0xA5ull << 56);

  u64 upper = 0xFFFFFF8000000000ull | TEST(0);
  expect_load("load from the upper range, EPD1 = 1", upper, TRANSLATION | 0);
  write_register("TCR_EL1", TCR & ~TCR_EPD1);
  flush_tlb();
  clear();
  check("load from the upper range", load(upper), load(TEST(0)));
  check_quiet("  without a fault");
  expect_load("load between the ranges", 0xFFFFFF0000000000ull, TRANSLATION | 0);
  write_register("TCR_EL1", TCR);
  flush_tlb();
}

#define PAR_ADDRESS 0xFFFFFFFFF000ull
static u64 translate(const char *which, u64 at) {
  switch (which[0]) {
    case 'r':
      __asm__ volatile("at s1e1r, %0\n isb" : : "r"(at) : "memory");
      break;
    case 'w':
      __asm__ volatile("at s1e1w, %0\n isb" : : "r"(at) : "memory");
      break;
    case 'u':
      __asm__ volatile("at s1e0r, %0\n isb" : : "r"(at) : "memory");
      break;
    default:
      __asm__ volatile("at s1e0w, %0\n isb" : : "r"(at) : "memory");
  }
  return read_register("PAR_EL1");
}

static void translations(void) {
  map(5, FRAME1 | PAGE_BIT | NORMAL);
  u64 par = translate("r", TEST(5) + 0x123);
  check("AT S1E1R: no fault", par & 1, 0);
  check("AT S1E1R: address", par & PAR_ADDRESS, FRAME1);
  check("AT S1E1R: memory attributes", par >> 56, 0xFF);
  par = translate("u", TEST(5));
  check("AT S1E0R of EL1's page", par & 0x7F, (PERMISSION | 3) << 1 | 1);
  map(5, FRAME1 | AP_READ_ONLY | AP_EL0 | PAGE_BIT | NORMAL);
  check("AT S1E0R of a page for both", translate("u", TEST(5)) & 1, 0);
  check("AT S1E1W of a read-only page", translate("w", TEST(5)) & 0x7F, (PERMISSION | 3) << 1 | 1);
  check("AT S1E0W of a read-only page", translate("x", TEST(5)) & 0x7F, (PERMISSION | 3) << 1 | 1);
  map(5, 0);
  check("AT S1E1R, no page", translate("r", TEST(5)) & 0x7F, (TRANSLATION | 3) << 1 | 1);
  check("AT S1E1R, no table", translate("r", 0x80000000) & 0x7F, (TRANSLATION | 1) << 1 | 1);
}

static void invalidation(void) {
  *(u64 *)FRAME0 = 1;
  *(u64 *)FRAME1 = 2;
  map(6, FRAME0 | PAGE_BIT | NORMAL);
  check("before a change", load(TEST(6)), 1);
  test_pages[6] = FRAME1 | PAGE_BIT | NORMAL;
  __asm__ volatile("dsb ishst\n tlbi vae1, %0\n dsb ish\n isb" : : "r"(TEST(6) >> 12) : "memory");
  check("after TLBI VAE1", load(TEST(6)), 2);
  test_pages[6] = FRAME0 | PAGE_BIT | NORMAL;
  __asm__ volatile("dsb ishst\n tlbi vaae1is, %0\n dsb ish\n isb" : : "r"(TEST(6) >> 12) : "memory");
  check("after TLBI VAAE1IS", load(TEST(6)), 1);
  // Two address spaces with a table each, told apart by their ASIDs.
  static u64 other1[512] __attribute__((aligned(PAGE))), other2[512] __attribute__((aligned(PAGE)));
  static u64 other_pages[512] __attribute__((aligned(PAGE)));
  for (u32 i = 0; i < 512; i++) other1[i] = level1[i], other2[i] = level2[i];
  other1[1] = (u64)other2 | TABLE | VALID;
  other2[3] = (u64)other_pages | TABLE | VALID;
  map(6, FRAME0 | NOT_GLOBAL | PAGE_BIT | NORMAL);
  other_pages[6] = FRAME1 | NOT_GLOBAL | PAGE_BIT | NORMAL;
  barrier();
  for (int round = 0; round < 2; round++) {
    write_register("TTBR0_EL1", (u64)level1 | 1ull << 48);
    check("ASID 1", load(TEST(6)), 1);
    write_register("TTBR0_EL1", (u64)other1 | 2ull << 48);
    check("ASID 2", load(TEST(6)), 2);
  }
  write_register("TTBR0_EL1", (u64)level1);
}

static void write_execute(void) {
  map(7, FRAME0 | PAGE_BIT | NORMAL);
  write_register("SCTLR_EL1", SCTLR | SCTLR_M | SCTLR_WXN);
  flush_tlb();
  // The image itself is read-only where it is executed.
  clear();
  call(TEST(7) + 64);
  check_exception("EL1: fetch from a writable page, WXN", CURRENT_SPX, ESR(FETCH_ABORT, PERMISSION | 3));
  write_register("SCTLR_EL1", SCTLR | SCTLR_M);
  flush_tlb();
}

#define SET_PAN(x) __asm__ volatile(".inst %0" : : "i"(0xD500409F | (x) << 8) : "memory")
static u64 pan_in_handler;
static int remember_pan(struct frame *f) {
  (void)f;
  pan_in_handler = read_register("S3_0_C4_C2_3");
  return 1;
}

static void privileged_access_never(void) {
  if ((read_register("ID_AA64MMFR1_EL1") >> 20 & 15) == 0) {
    print("PAN: not there\n");
    return;
  }
  map(8, FRAME0 | AP_EL0 | PAGE_BIT | NORMAL);
  SET_PAN(1);
  clear();
  load(TEST(8));
  check_exception("PAN: load from EL0's page", CURRENT_SPX, ESR(DATA_ABORT, PERMISSION | 3));
  check("PAN: saved in SPSR", last.spsr & SPSR_PAN, SPSR_PAN);
  clear();
  store(TEST(8), 0);
  check_exception("PAN: store to EL0's page", CURRENT_SPX, ESR(DATA_ABORT, WRITE | PERMISSION | 3));
  clear();
  __asm__ volatile("ldtr x0, [%0]" : : "r"(TEST(8)) : "x0", "memory");
  check_quiet("PAN: LDTR");
  map(8, FRAME0 | PAGE_BIT | NORMAL);
  clear();
  load(TEST(8));
  check_quiet("PAN: load from EL1's page");
  check("PAN: read", read_register("S3_0_C4_C2_3"), SPSR_PAN);
  SET_PAN(0);
  check("PAN: read after clearing", read_register("S3_0_C4_C2_3"), 0);
  // With SPAN = 0, an exception to EL1 sets it: seen in the handler.
  on_exception = remember_pan;
  execute("svc #1");
  check("PAN: kept on entry with SPAN = 1", pan_in_handler, 0);
  write_register("SCTLR_EL1", (SCTLR & ~SCTLR_SPAN) | SCTLR_M);
  execute("svc #1");
  check("PAN: set on entry with SPAN = 0", pan_in_handler, SPSR_PAN);
  check("PAN: back after the return", read_register("S3_0_C4_C2_3"), 0);
  write_register("SCTLR_EL1", SCTLR | SCTLR_M);
  on_exception = 0;
}

static void granules(void) {
  static u64 big[8192] __attribute__((aligned(65536)));
  // 64 KiB: walks of 39 bits begin at level 2, whose blocks have 512 MiB.
  big[0] = 0 | ATTRIBUTE(1) | AF | PXN | UXN | VALID;
  big[2] = RAM_BASE | NORMAL;
  write_register("SCTLR_EL1", SCTLR);
  start_mmu(big, (TCR & ~(3ull << 14)) | 1ull << 14);
  clear();
  check("64 KiB granule: load", load(FRAME0), *(u64 *)FRAME0);
  check_quiet("  without a fault");
  expect_load("64 KiB granule: no block", 0x80000000, TRANSLATION | 2);
  expect_load("64 KiB granule: above 39 bits", 1ull << 40, TRANSLATION | 0);
  write_register("SCTLR_EL1", SCTLR);
  if ((read_register("ID_AA64MMFR0_EL1") >> 20 & 15) == 0) {
    print("16 KiB granule: not there\n");
    return;
  }
  // 16 KiB: level 1 has 8 entries of 64 GiB, level 2 blocks of 32 MiB.
  u64 *one = big, *two = big + 2048;
  for (u32 i = 0; i < 4096; i++) big[i] = 0;
  one[0] = (u64)two | TABLE | VALID;
  for (u32 i = 0; i < 32; i++) two[i] = (u64)i << 25 | ATTRIBUTE(1) | AF | PXN | UXN | VALID;
  for (u32 i = 32; i < 36; i++) two[i] = (u64)i << 25 | NORMAL;
  start_mmu(one, (TCR & ~(3ull << 14)) | 2ull << 14);
  clear();
  check("16 KiB granule: load", load(FRAME0), *(u64 *)FRAME0);
  check_quiet("  without a fault");
  expect_load("16 KiB granule: no block", 0x60000000, TRANSLATION | 2);
  expect_load("16 KiB granule: no table", 1ull << 36, TRANSLATION | 1);
  write_register("SCTLR_EL1", SCTLR);
}

int main(void) {
  build_tables();
  start_mmu(level1, TCR);
  faults();
  permissions();
  hierarchy();
  ranges();
  translations();
  invalidation();
  write_execute();
  privileged_access_never();
  granules();
  finish();
  return 0;
}
