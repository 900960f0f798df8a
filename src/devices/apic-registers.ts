// Register offsets and fields of the local APIC's memory-mapped page (SDM vol. 3, table 11-1). Registers are 32 bits
// wide and stand 16 bytes apart.

export const APIC_ID = 0x020;
export const APIC_VERSION = 0x030;
export const APIC_TPR = 0x080;
export const APIC_APR = 0x090;
export const APIC_PPR = 0x0a0;
export const APIC_EOI = 0x0b0;
export const APIC_RRD = 0x0c0;
export const APIC_LDR = 0x0d0;
export const APIC_DFR = 0x0e0;
export const APIC_SVR = 0x0f0;
/** Eight registers each, 32 vectors per register. */
export const APIC_ISR = 0x100;
export const APIC_TMR = 0x180;
export const APIC_IRR = 0x200;
export const APIC_ESR = 0x280;
export const APIC_ICR_LOW = 0x300;
export const APIC_ICR_HIGH = 0x310;
export const APIC_LVT_TIMER = 0x320;
export const APIC_LVT_THERMAL = 0x330;
export const APIC_LVT_PERFORMANCE = 0x340;
export const APIC_LVT_LINT0 = 0x350;
export const APIC_LVT_LINT1 = 0x360;
export const APIC_LVT_ERROR = 0x370;
export const APIC_INITIAL_COUNT = 0x380;
export const APIC_CURRENT_COUNT = 0x390;
export const APIC_DIVIDE_CONFIGURATION = 0x3e0;

/** Version 0x14 (an integrated xAPIC), highest LVT entry 5, no EOI-broadcast suppression (11.4.8). */
export const VERSION_VALUE = 0x00050014;

// Local vector table entries (figure 11-8).
export const LVT_MASKED = 1 << 16;
export const LVT_PERIODIC = 1 << 17;
export const LVT_LEVEL = 1 << 15;
export const LVT_REMOTE_IRR = 1 << 14;
/** Writable bits by entry: timer, thermal, performance, LINT0, LINT1, error. TSC-deadline (bit 18) is not offered. */
export const LVT_WRITABLE = [0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;
export const LVT_INDEX_TIMER = 0;
export const LVT_INDEX_LINT0 = 3;
export const LVT_INDEX_LINT1 = 4;
export const LVT_INDEX_ERROR = 5;

/** Software enable bit of the spurious-interrupt vector register (11.9). */
export const SVR_ENABLE = 1 << 8;
export const SVR_WRITABLE = 0x3ff;

// Error status register (11.5.3).
export const ESR_SEND_ILLEGAL_VECTOR = 1 << 5;
export const ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
export const ESR_ILLEGAL_REGISTER = 1 << 7;

// Interrupt command register, low half (figure 11-12).
export const ICR_WRITABLE = 0xccfff;
export const ICR_LOGICAL = 1 << 11;
export const ICR_ASSERT = 1 << 14;
export const ICR_LEVEL = 1 << 15;

// IA32_APIC_BASE (figure 11-5).
export const APIC_BASE_BSP = 1 << 8;
export const APIC_BASE_ENABLE = 1 << 11;
