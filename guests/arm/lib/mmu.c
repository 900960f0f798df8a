#include "mmu.h"

u64 level1[512] __attribute__((aligned(PAGE)));
u64 level2[512] __attribute__((aligned(PAGE)));
u64 test_pages[512] __attribute__((aligned(PAGE)));
static u64 image_pages[512] __attribute__((aligned(PAGE)));
extern char rodata_start[], data_start[], stack_el0[];

void flush_tlb(void) { __asm__ volatile("dsb ishst\n tlbi vmalle1\n dsb ish\n isb" : : : "memory"); }

void build_tables(void) {
  level1[0] = ATTRIBUTE(1) | AF | PXN | UXN | VALID;
  level1[1] = (u64)level2 | TABLE | VALID;
  level2[0] = (u64)image_pages | TABLE | VALID;
  for (u32 i = 0; i < 512; i++) {
    u64 at = RAM_BASE + (u64)i * PAGE;
    u64 access = 0;
    if (at < (u64)rodata_start) access = AP_READ_ONLY | AP_EL0;
    else if (at < (u64)data_start) access = AP_READ_ONLY;
    else if (at >= (u64)stack_el0 - 8192 && at < (u64)stack_el0) access = AP_EL0;
    image_pages[i] = at | access | PAGE_BIT | NORMAL;
  }
  level2[1] = (RAM_BASE + 0x200000) | NORMAL;
  level2[2] = 0;
  level2[3] = (u64)test_pages | TABLE | VALID;
}

void start_mmu(const u64 *table, u64 tcr) {
  write_register("MAIR_EL1", 0x00FF);
  write_register("TCR_EL1", tcr);
  write_register("TTBR0_EL1", (u64)table);
  write_register("TTBR1_EL1", (u64)table);
  flush_tlb();
  write_register("SCTLR_EL1", SCTLR | SCTLR_M);
}

void map(u32 page, u64 descriptor) {
  test_pages[page] = descriptor;
  flush_tlb();
}
