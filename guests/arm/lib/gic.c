#include "gic.h"

#define GICD ((volatile u32 *)0x08000000)
#define GICC ((volatile u32 *)0x08010000)
#define GICR ((volatile u32 *)0x080A0000)
#define GICR_SGI ((volatile u32 *)0x080B0000)
enum { CTLR = 0, IGROUPR = 0x80 / 4, ISENABLER = 0x100 / 4, ICENABLER = 0x180 / 4, ISPENDR = 0x200 / 4 };
enum { ICPENDR = 0x280 / 4, ISACTIVER = 0x300 / 4, ICACTIVER = 0x380 / 4, IPRIORITYR = 0x400, ITARGETSR = 0x800 };
enum { ICFGR = 0xC00 / 4, SGIR = 0xF00 / 4 };
enum { GICC_PMR = 1, GICC_BPR = 2, GICC_IAR = 3, GICC_EOIR = 4, GICC_RPR = 5, GICC_HPPIR = 6, GICC_DIR = 0x1000 / 4 };
enum { GICR_WAKER = 0x14 / 4, PROCESSOR_SLEEP = 2, CHILDREN_ASLEEP = 4 };
enum { GICD_ARE = 0x10, GICD_GROUP1 = 2, GICC_EOI_MODE = 1 << 9 };

// CPU interface registers by encoding: older assemblers do not know their names.
#define ICC_PMR "S3_0_C4_C6_0"
#define ICC_IAR1 "S3_0_C12_C12_0"
#define ICC_EOIR1 "S3_0_C12_C12_1"
#define ICC_HPPIR1 "S3_0_C12_C12_2"
#define ICC_BPR1 "S3_0_C12_C12_3"
#define ICC_DIR "S3_0_C12_C11_1"
#define ICC_RPR "S3_0_C12_C11_3"
#define ICC_SGI1R "S3_0_C12_C11_5"
#define ICC_CTLR "S3_0_C12_C12_4"
#define ICC_SRE "S3_0_C12_C12_5"
#define ICC_IGRPEN1 "S3_0_C12_C12_7"

int gic_version;

// Registers of a GICv3 for SGIs and PPIs are the redistributor's.
static volatile u32 *bank(u32 id) { return gic_version == 3 && id < 32 ? GICR_SGI : GICD; }
static void set_bit(u32 id, u32 at) {
  bank(id)[at + id / 32] = 1u << (id % 32);
  barrier();
}
static int get_bit(u32 id, u32 at) { return bank(id)[at + id / 32] >> (id % 32) & 1; }

void gic_enable(u32 id, int on) { set_bit(id, on ? ISENABLER : ICENABLER); }
void gic_set_priority(u32 id, u32 priority) { ((volatile u8 *)bank(id))[IPRIORITYR + id] = (u8)priority; }
void gic_set_pending(u32 id, int on) { set_bit(id, on ? ISPENDR : ICPENDR); }
int gic_is_pending(u32 id) { return get_bit(id, ISPENDR); }
int gic_is_active(u32 id) { return get_bit(id, ISACTIVER); }

void gic_set_edge(u32 id, int edge) {
  volatile u32 *config = bank(id) + ICFGR + id / 16;
  u32 bit = 2u << (id % 16 * 2);
  *config = edge ? *config | bit : *config & ~bit;
}

void gic_start(void) {
  gic_version = (read_register("ID_AA64PFR0_EL1") >> 24 & 15) ? 3 : 2;
  GICD[CTLR] = 0;
  if (gic_version == 3) {
    GICR[GICR_WAKER] &= ~(u32)PROCESSOR_SLEEP;
    while (GICR[GICR_WAKER] & CHILDREN_ASLEEP) {
    }
    GICD[CTLR] = GICD_ARE;
  }
  for (u32 id = 0; id < 64; id += 32) {
    bank(id)[ICENABLER + id / 32] = ~0u;
    bank(id)[ICPENDR + id / 32] = ~0u;
    bank(id)[ICACTIVER + id / 32] = ~0u;
    if (gic_version == 3) bank(id)[IGROUPR + id / 32] = ~0u;
  }
  for (u32 id = 0; id < 64; id++) gic_set_priority(id, 0xA0);
  if (gic_version == 3) {
    GICD[CTLR] = GICD_ARE | GICD_GROUP1;
    write_register(ICC_SRE, 7);
    write_register(ICC_PMR, 0xFF);
    write_register(ICC_BPR1, 0);
    write_register(ICC_CTLR, 0);
    write_register(ICC_IGRPEN1, 1);
  } else {
    for (u32 id = 32; id < 64; id++) ((volatile u8 *)GICD)[ITARGETSR + id] = 1;
    GICD[CTLR] = 1;
    GICC[GICC_PMR] = 0xFF;
    GICC[GICC_BPR] = 0;
    GICC[CTLR] = 1;
  }
  barrier();
}

void gic_set_mask(u32 priority) {
  if (gic_version == 3) write_register(ICC_PMR, priority);
  else GICC[GICC_PMR] = priority;
  barrier();
}
void gic_set_binary_point(u32 value) {
  if (gic_version == 3) write_register(ICC_BPR1, value);
  else GICC[GICC_BPR] = value;
  barrier();
}
void gic_set_split_end(int split) {
  if (gic_version == 3) write_register(ICC_CTLR, split ? 2 : 0);
  else GICC[CTLR] = 1 | (split ? GICC_EOI_MODE : 0);
}
u32 gic_acknowledge(void) {
  u32 id = gic_version == 3 ? (u32)read_register(ICC_IAR1) : GICC[GICC_IAR];
  barrier();
  return id & 0x3FF;
}
void gic_end(u32 id) {
  if (gic_version == 3) write_register(ICC_EOIR1, id);
  else GICC[GICC_EOIR] = id;
  barrier();
}
void gic_deactivate(u32 id) {
  if (gic_version == 3) write_register(ICC_DIR, id);
  else GICC[GICC_DIR] = id;
  barrier();
}
u32 gic_highest_pending(void) { return gic_version == 3 ? (u32)read_register(ICC_HPPIR1) : GICC[GICC_HPPIR] & 0x3FF; }
u32 gic_running_priority(void) { return gic_version == 3 ? (u32)read_register(ICC_RPR) : GICC[GICC_RPR]; }
void gic_send_to_self(u32 id) {
  if (gic_version == 3) write_register(ICC_SGI1R, (u64)id << 24 | 1);
  else GICD[SGIR] = 2 << 24 | id;
  barrier();
}
