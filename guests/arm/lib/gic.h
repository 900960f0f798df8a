// A GIC of version 2 (Arm IHI 0048) or 3 (Arm IHI 0069) on the virt board, told apart by ID_AA64PFR0_EL1.GIC. One security
// state, group 1.
#pragma once
#include "test.h"

enum { SPURIOUS = 1023 };

extern int gic_version;
/** Everything off, all priorities 0xA0, group 1; then distributor and CPU interface on, priority mask open. */
void gic_start(void);
void gic_enable(u32 id, int on);
void gic_set_priority(u32 id, u32 priority);
void gic_set_pending(u32 id, int on);
int gic_is_pending(u32 id);
int gic_is_active(u32 id);
/** Bit 1 of the configuration: 1 edge, 0 level. */
void gic_set_edge(u32 id, int edge);
void gic_set_mask(u32 priority);
void gic_set_binary_point(u32 value);
/** Priority drop and deactivation apart, or together. */
void gic_set_split_end(int split);
u32 gic_acknowledge(void);
void gic_end(u32 id);
void gic_deactivate(u32 id);
u32 gic_highest_pending(void);
u32 gic_running_priority(void);
/** Software-generated interrupt `id` to this CPU. */
void gic_send_to_self(u32 id);
