// Where the pc board puts its ports, interrupt controllers and interrupt requests. One place, because three parties
// must agree on it: the board that attaches the devices, the firmware tables that announce them, and the tests.

/** 8237/8259/8254-age ports (IBM PC AT technical reference; any PC chipset data sheet lists the same). */
export const PORT_PIC_MASTER = 0x20;
export const PORT_PIT = 0x40;
export const PORT_KEYBOARD_DATA = 0x60;
export const PORT_KEYBOARD_COMMAND = 0x64;
export const PORT_RTC = 0x70;
export const PORT_PIC_SLAVE = 0xa0;
export const PORT_COM1 = 0x3f8;

/** First ATA channel: the command block, and the control block (ATA/ATAPI-6, annex on the PC's addresses). */
export const PORT_IDE_COMMAND = 0x1f0;
export const IDE_COMMAND_LENGTH = 8;
export const PORT_IDE_CONTROL = 0x3f6;
export const IDE_CONTROL_LENGTH = 1;

/** Reset control register of PC chipsets; this value asks for a hard reset. */
export const PORT_RESET_CONTROL = 0xcf9;
export const RESET_CONTROL_HARD = 0x06;

/** ACPI fixed hardware (ACPI 6.4, 4.8.3), as offsets from ACPI_PM_BASE. */
export const ACPI_PM_BASE = 0x600;
export const ACPI_PM_LENGTH = 0x0c;
export const PM1_EVENT_OFFSET = 0x00;
export const PM1_EVENT_LENGTH = 4;
export const PM1_CONTROL_OFFSET = 0x04;
export const PM1_CONTROL_LENGTH = 2;
export const PM_TIMER_OFFSET = 0x08;
export const PM_TIMER_LENGTH = 4;

/**
 * SLP_TYP that the DSDT's \_S5 package names. Zero, so that the widespread "outw(0x604, 0x2000)" of small kernels,
 * which assume this value instead of reading the tables, powers off as well.
 */
export const SLEEP_TYPE_S5 = 0;

/** Interrupt requests of the ISA bus. */
export const IRQ_TIMER = 0;
export const IRQ_KEYBOARD = 1;
export const IRQ_COM1 = 4;
export const IRQ_RTC = 8;
/** System control interrupt of ACPI: level-triggered, active high. */
export const IRQ_SCI = 9;
export const IRQ_MOUSE = 12;
export const IRQ_IDE = 14;

/** I/O APIC input of the 8254, since the 8259A's cascade left input 2 free (MP specification 1.4, 5.3). */
export const TIMER_GSI = 2;

/** Physical addresses of the interrupt controllers' register pages (SDM vol. 3, 11.4.1; 82093AA data sheet, 3.0). */
export const LOCAL_APIC_ADDRESS = 0xfee00000;
export const LOCAL_APIC_LENGTH = 0x1000;
export const IO_APIC_ADDRESS = 0xfec00000;
export const IO_APIC_LENGTH = 0x1000;
/** Above the IDs of any processors that the board will have: the tables and the device's ID register must agree. */
export const IO_APIC_ID = 8;

/** virtio-mmio windows, one page each, and the I/O APIC inputs that no ISA device has. */
export const VIRTIO_BASE = 0xd0000000;
export const VIRTIO_STRIDE = 0x1000;
export const VIRTIO_LENGTH = 0x200;
export const VIRTIO_SLOTS = 8;
export const VIRTIO_GSI = 16;

/** CMOS byte that holds the century, as the FADT announces it. */
export const CMOS_CENTURY = 0x32;

/** Firmware tables: ACPI's in the lower half of the BIOS area, MP's in the EBDA behind its size word. */
export const ACPI_TABLES_ADDRESS = 0xe0000;
export const ACPI_TABLES_END = 0xf0000;
export const EBDA_ADDRESS = 0x9fc00;
export const MP_TABLE_ADDRESS = 0x9fc10;
