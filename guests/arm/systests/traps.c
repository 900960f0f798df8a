// What EL2 can be told of: instructions and registers of EL1 by HCR_EL2, CPTR_EL2, MDCR_EL2 and CNTHCTL_EL2; virtual
// interrupts; HVC.
#include "test.h"

const u32 stays_at_el2 = 1;

#define HCR_RW (1ull << 31)
enum { TWI = 13, TID1 = 16, TID2 = 17, TID3 = 18, TSC = 19, TACR = 21, TSW = 22, TPC = 23, TPU = 24, TTLB = 25, TVM = 26 };
enum { TDZ = 28, HCD = 29, TRVM = 30, VF = 6, VI = 7, VSE = 8, FMO = 3, IMO = 4, AMO = 5 };
enum { EC_UNKNOWN = 0, EC_WFI = 1, EC_FP = 7, EC_HVC = 0x16, EC_SMC = 0x17, EC_REGISTER = 0x18 };

#define SNIPPET(name, text) \
  __asm__(".pushsection .text\n" #name ": " text "\n ret\n.popsection"); \
  extern char name[]

SNIPPET(nothing, "nop");
SNIPPET(do_hvc, "hvc #0x123");
SNIPPET(do_wfi, "wfi");
SNIPPET(do_smc, "smc #2");
SNIPPET(write_ttbr, "msr TTBR0_EL1, xzr");
SNIPPET(write_contextidr, "msr CONTEXTIDR_EL1, x3");
SNIPPET(read_tcr, "mrs x4, TCR_EL1");
SNIPPET(read_isar, "mrs x5, ID_AA64ISAR0_EL1");
SNIPPET(read_aidr, "mrs x6, AIDR_EL1");
SNIPPET(read_clidr, "mrs x7, CLIDR_EL1");
SNIPPET(read_actlr, "mrs x8, ACTLR_EL1");
SNIPPET(do_tlbi, "tlbi vmalle1");
SNIPPET(do_iallu, "ic iallu");
SNIPPET(do_civac, "adrp x9, last\n dc civac, x9");
SNIPPET(do_isw, "dc isw, xzr");
SNIPPET(do_zva, "adrp x10, last\n dc zva, x10");
SNIPPET(use_fp, "fmov d0, xzr");
SNIPPET(read_cpacr, "mrs x11, CPACR_EL1");
SNIPPET(read_mdscr, "mrs x12, MDSCR_EL1");
SNIPPET(read_count, "mrs x13, CNTPCT_EL0");
SNIPPET(write_timer, "msr CNTP_CTL_EL0, xzr");
SNIPPET(unmask, "msr DAIFClr, #7\n nop\n nop\n msr DAIFSet, #7");
SNIPPET(read_midr, "mrs x0, MIDR_EL1");
SNIPPET(read_mpidr, "mrs x0, MPIDR_EL1");

static void at_el1(const char *name, void *snippet, u64 class, u64 iss) {
  clear();
  call_el1(snippet, 0, MASKED | EL1H);
  if (class == ~0ull) check_quiet(name);
  else {
    check_exception(name, LOWER_A64, ESR(class, iss));
    check("  taken by EL2", last.level, 2);
  }
}
#define QUIET ~0ull, 0

static void with(u32 bit) { write_register("HCR_EL2", HCR_RW | 1ull << bit); }
static void without(void) { write_register("HCR_EL2", HCR_RW); }

static void registers(void) {
  without();
  at_el1("nothing is trapped", nothing, QUIET);
  at_el1("MSR TTBR0_EL1", write_ttbr, QUIET);
  at_el1("MRS TCR_EL1", read_tcr, QUIET);
  with(TVM);
  at_el1("TVM: MSR TTBR0_EL1", write_ttbr, EC_REGISTER, ISS_REGISTER(3, 0, 2, 0, 0, 31, 0));
  at_el1("TVM: MSR CONTEXTIDR_EL1", write_contextidr, EC_REGISTER, ISS_REGISTER(3, 0, 13, 0, 1, 3, 0));
  at_el1("TVM: not MRS TCR_EL1", read_tcr, QUIET);
  with(TRVM);
  at_el1("TRVM: MRS TCR_EL1", read_tcr, EC_REGISTER, ISS_REGISTER(3, 0, 2, 0, 2, 4, 1));
  at_el1("TRVM: not MSR TTBR0_EL1", write_ttbr, QUIET);
  with(TID3);
  at_el1("TID3: MRS ID_AA64ISAR0_EL1", read_isar, EC_REGISTER, ISS_REGISTER(3, 0, 0, 6, 0, 5, 1));
  at_el1("TID3: not MRS AIDR_EL1", read_aidr, QUIET);
  with(TID1);
  at_el1("TID1: MRS AIDR_EL1", read_aidr, EC_REGISTER, ISS_REGISTER(3, 1, 0, 0, 7, 6, 1));
  with(TID2);
  at_el1("TID2: MRS CLIDR_EL1", read_clidr, EC_REGISTER, ISS_REGISTER(3, 1, 0, 0, 1, 7, 1));
  with(TACR);
  at_el1("TACR: MRS ACTLR_EL1", read_actlr, EC_REGISTER, ISS_REGISTER(3, 0, 1, 0, 1, 8, 1));
  without();
  write_register("VPIDR_EL2", 0x410FD034);
  write_register("VMPIDR_EL2", 0x80000003);
  check("VPIDR_EL2 is EL1's MIDR_EL1", call_el1(read_midr, 0, MASKED | EL1H), 0x410FD034);
  check("VMPIDR_EL2 is EL1's MPIDR_EL1", call_el1(read_mpidr, 0, MASKED | EL1H), 0x80000003);
}

static void instructions(void) {
  with(TWI);
  at_el1("TWI: WFI", do_wfi, EC_WFI, 0x1E00000);
  with(TSC);
  at_el1("TSC: SMC", do_smc, EC_SMC, 2);
  check("TSC: ELR is its own address", last.elr, (u64)do_smc);
  without();
  at_el1("HVC", do_hvc, EC_HVC, 0x123);
  check("HVC: ELR is behind it", last.elr, (u64)do_hvc + 4);
  check("HVC: SPSR", last.spsr & 0x3CF, MASKED | EL1H);
  with(TTLB);
  at_el1("TTLB: TLBI VMALLE1", do_tlbi, EC_REGISTER, ISS_REGISTER(1, 0, 8, 7, 0, 31, 0));
  with(TPU);
  at_el1("TPU: IC IALLU", do_iallu, EC_REGISTER, ISS_REGISTER(1, 0, 7, 5, 0, 31, 0));
  with(TPC);
  at_el1("TPC: DC CIVAC", do_civac, EC_REGISTER, ISS_REGISTER(1, 3, 7, 14, 1, 9, 0));
  with(TSW);
  at_el1("TSW: DC ISW", do_isw, EC_REGISTER, ISS_REGISTER(1, 0, 7, 6, 2, 31, 0));
  with(TDZ);
  at_el1("TDZ: DC ZVA", do_zva, EC_REGISTER, ISS_REGISTER(1, 3, 7, 4, 1, 10, 0));
  without();
}

static void other_controls(void) {
  write_register("CPACR_EL1", 3ull << 20);
  write_register("CPTR_EL2", 0x33FF | 1 << 10);
  at_el1("CPTR.TFP: an FP instruction", use_fp, EC_FP, 0x1E00000);
  write_register("CPTR_EL2", 0x33FFull | 1ull << 31);
  at_el1("CPTR.TCPAC: MRS CPACR_EL1", read_cpacr, EC_REGISTER, ISS_REGISTER(3, 0, 1, 0, 2, 11, 1));
  write_register("CPTR_EL2", 0x33FF);
  at_el1("an FP instruction", use_fp, QUIET);
  write_register("MDCR_EL2", 1 << 9);
  at_el1("MDCR.TDA: MRS MDSCR_EL1", read_mdscr, EC_REGISTER, ISS_REGISTER(2, 0, 0, 2, 2, 12, 1));
  write_register("MDCR_EL2", 0);
  write_register("CNTHCTL_EL2", 0);
  at_el1("EL1PCTEN = 0: MRS CNTPCT_EL0", read_count, EC_REGISTER, ISS_REGISTER(3, 3, 14, 0, 1, 13, 1));
  at_el1("EL1PCEN = 0: MSR CNTP_CTL_EL0", write_timer, EC_REGISTER, ISS_REGISTER(3, 3, 14, 2, 1, 31, 0));
  write_register("CNTHCTL_EL2", 3);
  at_el1("EL1PCTEN = 1: MRS CNTPCT_EL0", read_count, QUIET);
}

static u64 interrupts, interrupt_vector, interrupt_level;
static void note(struct frame *f) {
  interrupts++;
  interrupt_vector = f->vector;
  interrupt_level = f->level;
  // EL1 cannot take it back: it leaves with interrupts masked.
  f->spsr |= MASKED;
}

static void pending(const char *name, u32 kind, u32 route, u64 want) {
  on_interrupt = note;
  interrupts = 0;
  write_register("HCR_EL2", HCR_RW | 1ull << kind | 1ull << route);
  clear();
  call_el1(nothing, 0, MASKED | EL1H);
  check(name, interrupts, 0);
  call_el1(unmask, 0, MASKED | EL1H);
  check("  taken when unmasked", interrupts, 1);
  check("  vector", interrupt_vector, CURRENT_SPX + want);
  check("  by EL1", interrupt_level, 1);
  without();
  on_interrupt = 0;
}

int main(void) {
  if (entry_level != 2) {
    print("FAIL: there is no EL2\n");
    power_off();
  }
  registers();
  instructions();
  other_controls();
  pending("virtual IRQ: masked", VI, IMO, IRQ);
  pending("virtual FIQ: masked", VF, FMO, FIQ);
  pending("virtual SError: masked", VSE, AMO, SERROR);
  finish();
  return 0;
}
