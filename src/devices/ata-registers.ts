// Registers, bits and command codes of an ATA device (ATA/ATAPI-6, T13/1410D: clause 7 registers, clause 8 commands).

/** Offsets in the command block. Reading 1 gives Error, reading 7 Status. */
export const ATA_DATA = 0;
export const ATA_FEATURES = 1;
export const ATA_SECTOR_COUNT = 2;
export const ATA_LBA_LOW = 3;
export const ATA_LBA_MID = 4;
export const ATA_LBA_HIGH = 5;
export const ATA_DEVICE = 6;
export const ATA_COMMAND = 7;

// Device register (7.10).
export const DEVICE_LBA = 0x40;
export const DEVICE_DEV = 0x10;
/** Bits 7 and 5 are obsolete; drives have always read them as ones. */
export const DEVICE_OBSOLETE = 0xa0;

// Status (7.15).
export const STATUS_BSY = 0x80;
export const STATUS_DRDY = 0x40;
export const STATUS_DF = 0x20;
/** Seek complete in older standards, and still what software waits for. */
export const STATUS_DSC = 0x10;
export const STATUS_DRQ = 0x08;
export const STATUS_ERR = 0x01;
export const STATUS_READY = STATUS_DRDY | STATUS_DSC;

// Error (7.11).
export const ERROR_UNC = 0x40;
export const ERROR_IDNF = 0x10;
export const ERROR_ABRT = 0x04;
/** After reset or diagnostics: device passed. */
export const DIAGNOSTIC_PASSED = 0x01;

// Device control (7.9).
export const CONTROL_NIEN = 0x02;
export const CONTROL_SRST = 0x04;
export const CONTROL_HOB = 0x80;

export const CMD_RECALIBRATE = 0x10;
export const CMD_READ_SECTORS = 0x20;
export const CMD_READ_SECTORS_NO_RETRY = 0x21;
export const CMD_READ_SECTORS_EXT = 0x24;
export const CMD_READ_MULTIPLE_EXT = 0x29;
export const CMD_WRITE_SECTORS = 0x30;
export const CMD_WRITE_SECTORS_NO_RETRY = 0x31;
export const CMD_WRITE_SECTORS_EXT = 0x34;
export const CMD_WRITE_MULTIPLE_EXT = 0x39;
export const CMD_READ_VERIFY = 0x40;
export const CMD_READ_VERIFY_NO_RETRY = 0x41;
export const CMD_READ_VERIFY_EXT = 0x42;
export const CMD_SEEK = 0x70;
export const CMD_EXECUTE_DEVICE_DIAGNOSTIC = 0x90;
export const CMD_INITIALIZE_DEVICE_PARAMETERS = 0x91;
export const CMD_READ_MULTIPLE = 0xc4;
export const CMD_WRITE_MULTIPLE = 0xc5;
export const CMD_SET_MULTIPLE_MODE = 0xc6;
export const CMD_STANDBY_IMMEDIATE = 0xe0;
export const CMD_IDLE_IMMEDIATE = 0xe1;
export const CMD_STANDBY = 0xe2;
export const CMD_IDLE = 0xe3;
export const CMD_CHECK_POWER_MODE = 0xe5;
export const CMD_SLEEP = 0xe6;
export const CMD_FLUSH_CACHE = 0xe7;
export const CMD_FLUSH_CACHE_EXT = 0xea;
export const CMD_IDENTIFY_DEVICE = 0xec;
export const CMD_SET_FEATURES = 0xef;
// The power commands' first opcodes, from before ATA-2 gave them new ones.
export const CMD_OLD_STANDBY_IMMEDIATE = 0x94;
export const CMD_OLD_IDLE_IMMEDIATE = 0x95;
export const CMD_OLD_STANDBY = 0x96;
export const CMD_OLD_IDLE = 0x97;
export const CMD_OLD_CHECK_POWER_MODE = 0x98;
export const CMD_OLD_SLEEP = 0x99;

/** Power modes as CHECK POWER MODE reports them (8.6). */
export const POWER_STANDBY = 0x00;
export const POWER_IDLE = 0x80;
export const POWER_ACTIVE = 0xff;

/** Sectors per interrupt of READ and WRITE MULTIPLE, at most. */
export const MAX_MULTIPLE = 16;
