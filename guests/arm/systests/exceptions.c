// Synchronous exceptions at EL1 and EL0 with the MMU off: vectors, syndromes, return addresses, what EL0 may not do.
#include "test.h"

// A function of one instruction, for EL0.
#define SNIPPET(name, text) \
  __asm__(".pushsection .text\n" #name ": " text "\n ret\n.popsection"); \
  extern char name[]

#define CPACR_FPEN(x) ((u64)(x) << 20)

static void from_el1(void) {
  clear();
  execute("svc #0x1234");
  check_exception("SVC at EL1", CURRENT_SPX, ESR(0x15, 0x1234));
  check("SVC: SPSR has EL1h and the masks", last.spsr & 0x3CF, MASKED | EL1H);

  clear();
  execute("msr SPSel, #0\n svc #1\n msr SPSel, #1");
  check_exception("SVC at EL1 with SP_EL0", CURRENT_SP0, ESR(0x15, 1));
  check("SVC: SPSR has EL1t", last.spsr & 15, EL1T);

  clear();
  u64 address;
  __asm__ volatile("adr %0, 1f\n1: brk #0x77" : "=r"(address) : : "memory");
  check_exception("BRK", CURRENT_SPX, ESR(0x3C, 0x77));
  check("BRK: ELR is its own address", last.elr, address);

  clear();
  execute(".inst 0");
  check_exception("UDF", CURRENT_SPX, ESR(0, 0));
  clear();
  execute("mrs x0, S3_3_C5_C5_5");
  check_exception("MRS of a register that does not exist", CURRENT_SPX, ESR(0, 0));
  clear();
  execute("hlt #1");
  check_exception("HLT without a debugger", CURRENT_SPX, ESR(0, 0));

  clear();
  __asm__ volatile(
      "mov x0, #0xA0000000\n msr NZCV, x0\n svc #2\n mrs %0, NZCV" : "=r"(address) : : "x0", "cc", "memory");
  check("flags in SPSR", last.spsr >> 28, 0xA);
  check("flags after the return", address >> 28, 0xA);

  clear();
  write_register("CPACR_EL1", CPACR_FPEN(0));
  execute("fmov d0, xzr");
  check_exception("FP instruction with FPEN = 0", CURRENT_SPX, ESR(7, 0x1E00000));
  clear();
  execute("ldr q0, [sp]");
  check_exception("vector load with FPEN = 0", CURRENT_SPX, ESR(7, 0x1E00000));
  write_register("CPACR_EL1", CPACR_FPEN(3));
  clear();
  execute("fmov d0, xzr");
  check_quiet("FP instruction with FPEN = 3");
}

static void alignment(void) {
  clear();
  u64 sctlr = read_register("SCTLR_EL1");
  write_register("SCTLR_EL1", sctlr | 1 << 3);
  __asm__ volatile(
      "msr SPSel, #0\n mov x1, sp\n add x0, x1, #8\n mov sp, x0\n ldr x0, [sp]\n mov sp, x1\n msr SPSel, #1"
      : : : "x0", "x1", "memory");
  check_exception("load by a stack pointer that is not aligned", CURRENT_SP0, ESR(0x26, 0));
  write_register("SCTLR_EL1", sctlr);

  clear();
  u64 target = (u64)&alignment + 2;
  __asm__ volatile("blr %0" : : "r"(target) : "x30", "memory");
  check_exception("branch to an address that is not aligned", CURRENT_SPX, ESR(0x22, 0));
  check("PC alignment: FAR", last.far, target);
  check("PC alignment: ELR", last.elr, target);

  clear();
  __asm__ volatile("ldxr x0, [%0]" : : "r"((u64)&last + 4) : "x0", "memory");
  check_exception("LDXR that is not aligned", CURRENT_SPX, ESR(0x25, 0x21));
}

static void external(void) {
  clear();
  u64 nobody = 0x0B000000;
  __asm__ volatile("ldr w0, [%0]" : : "r"(nobody) : "x0", "memory");
  check_exception("load where no device is", CURRENT_SPX, ESR(0x25, 0x10));
  check("external abort: FAR", last.far, nobody);
  clear();
  __asm__ volatile("str w0, [%0]" : : "r"(nobody) : "x0", "memory");
  check_exception("store where no device is", CURRENT_SPX, ESR(0x25, 0x50));
}

static void illegal_return(void) {
  clear();
  u64 address;
  __asm__ volatile(
      "adr %0, 1f\n msr ELR_EL1, %0\n mov x1, #0x3CD\n msr SPSR_EL1, x1\n eret\n1: nop" : "=&r"(address) : : "x1", "memory");
  check_exception("ERET to EL3", CURRENT_SPX, ESR(0x0E, 0));
  check("illegal return: ELR", last.elr, address);
  check("illegal return: SPSR.IL, still EL1h", last.spsr & (SPSR_IL | 15), SPSR_IL | EL1H);
  clear();
  __asm__ volatile("adr x0, 1f\n msr ELR_EL1, x0\n mov x1, #0x3C1\n msr SPSR_EL1, x1\n eret\n1: nop" : : : "x0", "x1", "memory");
  check_exception("ERET to EL0 with a stack pointer of its own", CURRENT_SPX, ESR(0x0E, 0));
}

SNIPPET(snippet_svc, "svc #5");
SNIPPET(snippet_brk, "brk #9");
SNIPPET(snippet_register, "mrs x0, SCTLR_EL1");
SNIPPET(snippet_write, "msr VBAR_EL1, x0");
SNIPPET(snippet_tlbi, "tlbi vmalle1");
SNIPPET(snippet_hvc, "hvc #1");
SNIPPET(snippet_smc, "smc #1");
SNIPPET(snippet_eret, "eret");
SNIPPET(snippet_ctr, "mrs x7, CTR_EL0");
SNIPPET(snippet_zva, "dc zva, x9");
SNIPPET(snippet_ivau, "ic ivau, x9");
SNIPPET(snippet_daif, "mrs x2, DAIF");
SNIPPET(snippet_wfi, "wfi");
SNIPPET(snippet_count, "mrs x3, CNTVCT_EL0");
SNIPPET(snippet_timer, "mrs x3, CNTP_CTL_EL0");
SNIPPET(snippet_fp, "fmov s0, wzr");
SNIPPET(snippet_nothing, "nop");

static void at_el0(const char *name, void *snippet, u64 esr) {
  clear();
  call_el0(snippet, 0, MASKED | EL0T);
  if (esr == 0) check_quiet(name);
  else check_exception(name, LOWER_A64, esr);
}

static void from_el0(void) {
  u64 sctlr = read_register("SCTLR_EL1");
  at_el0("EL0 runs", snippet_nothing, 0);
  at_el0("EL0: SVC", snippet_svc, ESR(0x15, 5));
  check("EL0: SPSR", last.spsr & 0x3CF, MASKED | EL0T);
  check("EL0: SVC returns behind itself", last.elr, (u64)snippet_svc + 4);
  at_el0("EL0: BRK", snippet_brk, ESR(0x3C, 9));
  at_el0("EL0: MRS SCTLR_EL1", snippet_register, ESR(0, 0));
  at_el0("EL0: MSR VBAR_EL1", snippet_write, ESR(0, 0));
  at_el0("EL0: TLBI", snippet_tlbi, ESR(0, 0));
  at_el0("EL0: HVC", snippet_hvc, ESR(0, 0));
  at_el0("EL0: SMC", snippet_smc, ESR(0, 0));
  at_el0("EL0: ERET", snippet_eret, ESR(0, 0));

  // UCT, DZE, UCI, UMA, nTWI are clear: trapped. Then set.
  at_el0("EL0: CTR_EL0, UCT = 0", snippet_ctr, ESR(0x18, ISS_REGISTER(3, 3, 0, 0, 1, 7, 1)));
  at_el0("EL0: DC ZVA, DZE = 0", snippet_zva, ESR(0x18, ISS_REGISTER(1, 3, 7, 4, 1, 9, 0)));
  at_el0("EL0: IC IVAU, UCI = 0", snippet_ivau, ESR(0x18, ISS_REGISTER(1, 3, 7, 5, 1, 9, 0)));
  at_el0("EL0: MRS DAIF, UMA = 0", snippet_daif, ESR(0x18, ISS_REGISTER(3, 3, 4, 2, 1, 2, 1)));
  at_el0("EL0: WFI, nTWI = 0", snippet_wfi, ESR(1, 0x1E00000));
  write_register("SCTLR_EL1", sctlr | 1 << 15 | 1 << 9);
  at_el0("EL0: CTR_EL0, UCT = 1", snippet_ctr, 0);
  at_el0("EL0: MRS DAIF, UMA = 1", snippet_daif, 0);
  write_register("SCTLR_EL1", sctlr);

  write_register("CNTKCTL_EL1", 0);
  at_el0("EL0: CNTVCT_EL0, EL0VCTEN = 0", snippet_count, ESR(0x18, ISS_REGISTER(3, 3, 14, 0, 2, 3, 1)));
  at_el0("EL0: CNTP_CTL_EL0, EL0PTEN = 0", snippet_timer, ESR(0x18, ISS_REGISTER(3, 3, 14, 2, 1, 3, 1)));
  write_register("CNTKCTL_EL1", 1 << 1 | 1 << 9);
  at_el0("EL0: CNTVCT_EL0, EL0VCTEN = 1", snippet_count, 0);
  at_el0("EL0: CNTP_CTL_EL0, EL0PTEN = 1", snippet_timer, 0);

  write_register("CPACR_EL1", CPACR_FPEN(1));
  at_el0("EL0: FP with FPEN = 1", snippet_fp, ESR(7, 0x1E00000));
  clear();
  execute("fmov s0, wzr");
  check_quiet("EL1: FP with FPEN = 1");
  write_register("CPACR_EL1", CPACR_FPEN(3));
  at_el0("EL0: FP with FPEN = 3", snippet_fp, 0);
}

int main(void) {
  from_el1();
  alignment();
  external();
  illegal_return();
  from_el0();
  finish();
  return 0;
}
