// Page tables for tests: VMSAv8-64, 4 KiB granule, 39-bit addresses, so that walks begin at level 1. Everything is mapped
// where it is; one level-3 table is left to the test: TEST_BASE, 2 MiB.
#pragma once
#include "test.h"

enum { PAGE = 4096 };
#define RAM_BASE 0x40000000ull
/** Page `n` of the range that a test maps as it likes. */
#define TEST_BASE 0x40600000ull
#define TEST(n) (TEST_BASE + (u64)(n) * PAGE)

// Descriptors (Arm ARM D8.3).
#define VALID 1ull
#define TABLE 2ull
#define PAGE_BIT 2ull
#define ATTRIBUTE(n) ((u64)(n) << 2)
#define AP_EL0 (1ull << 6)
#define AP_READ_ONLY (1ull << 7)
#define SHARED (3ull << 8)
#define AF (1ull << 10)
#define NOT_GLOBAL (1ull << 11)
#define PXN (1ull << 53)
#define UXN (1ull << 54)
#define PXN_TABLE (1ull << 59)
#define UXN_TABLE (1ull << 60)
#define AP_TABLE_NO_EL0 (1ull << 61)
#define AP_TABLE_READ_ONLY (1ull << 62)
#define NORMAL (AF | SHARED | VALID)

// TCR_EL1 with T0SZ = T1SZ = 25, cached walks, 4 KiB, no upper range, 40 bits of output.
#define TCR_TBI0 (1ull << 37)
#define TCR_EPD1 (1ull << 23)
#define TCR (25ull | 0x35ull << 8 | 25ull << 16 | TCR_EPD1 | 0x35ull << 24 | 2ull << 30 | 2ull << 32)
// SCTLR_EL1: RES1 bits, SPAN.
#define SCTLR (0x30D00800ull | 1 << 23)
#define SCTLR_M 1ull
#define SCTLR_WXN (1ull << 19)
#define SCTLR_SPAN (1ull << 23)

extern u64 level1[512], level2[512], test_pages[512];

/** Builds the tables: code is everybody's, EL0's stack EL0's, all else EL1's alone. */
void build_tables(void);
/** Both ranges by one table, which depends on TCR's granule; level1 is that of build_tables. */
void start_mmu(const u64 *table, u64 tcr);
void flush_tlb(void);
/** Puts a descriptor into the test's table. */
void map(u32 page, u64 descriptor);
