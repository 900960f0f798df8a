// Where the virt board puts its devices and interrupts. One place, because three parties must agree on it: the board
// that attaches the devices, the device tree that announces them, and the tests. Addresses and interrupts are those of
// QEMU's machine of the same name, so that a guest made for one runs on the other.

/** First byte of RAM. */
export const VIRT_RAM_BASE = 0x40000000;
/** Where a binary without a header goes unless the user says otherwise. */
export const FLAT_ADDRESS_AARCH64 = 0x40080000;

/** Interrupt controller: distributor; GICv2's CPU interface; GICv3's redistributor (two frames of 64 KiB). */
export const GICD_BASE = 0x08000000;
export const GICD_LENGTH = 0x10000;
export const GICC_BASE = 0x08010000;
export const GICC_LENGTH = 0x10000;
export const GICR_BASE = 0x080a0000;
export const GICR_LENGTH = 0x20000;

export const UART_BASE = 0x09000000;
export const UART_LENGTH = 0x1000;
export const RTC_BASE = 0x09010000;
export const RTC_LENGTH = 0x1000;

/** virtio-mmio register windows, one after the other. */
export const VIRTIO_BASE = 0x0a000000;
export const VIRTIO_LENGTH = 0x200;
export const VIRTIO_SLOTS = 32;

/** Shared peripheral interrupts, counted from INTID 32. */
export const SPI_UART = 1;
export const SPI_RTC = 2;
export const SPI_VIRTIO = 16;
/** Interrupt identifiers of the controller: 32 private ones and 256 shared. */
export const GIC_INTERRUPTS = 288;

/** Private peripheral interrupts of the generic timers, as INTIDs (Arm BSA, table of PPI assignments). */
export const PPI_TIMER_HYPERVISOR = 26;
export const PPI_TIMER_VIRTUAL = 27;
export const PPI_TIMER_SECURE = 29;
export const PPI_TIMER_PHYSICAL = 30;

/** Clock of UART and RTC, Hz. */
export const APB_CLOCK = 24_000_000;
