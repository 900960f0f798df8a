// What a PC's BIOS keeps in the CMOS RAM behind the clock registers (IBM PC AT technical reference, section 1,
// "CMOS RAM address map"; the bytes above 0x33 as PC firmware has long agreed on them).

export { CMOS_CENTURY } from '../vcpu/pc-ports.js';

export const CMOS_SIZE = 128;

/** Equipment: bit 0 floppy drives present, bit 1 mathematics coprocessor, bits 5–4 display (00: EGA or VGA). */
const EQUIPMENT = 0x14;
const EQUIPMENT_FPU = 0x02;
const BASE_MEMORY_LOW = 0x15;
const EXTENDED_MEMORY_LOW = 0x17;
const CHECKSUM_HIGH = 0x2e;
const CHECKSUM_LOW = 0x2f;
const CHECKSUM_FIRST = 0x10;
const CHECKSUM_LAST = 0x2d;
/** The extended memory that the power-on test found: the same again. */
const FOUND_EXTENDED_LOW = 0x30;
/** Memory from 16 MiB to 4 GiB, in units of 64 KiB. */
const ABOVE_16M_LOW = 0x34;
/** Memory above 4 GiB, in units of 64 KiB, three bytes. */
const ABOVE_4G_LOW = 0x5b;

const KIB = 1024;
const MIB = 1024 * KIB;

export interface CmosOptions {
  /** Bytes of RAM below 4 GiB, counted from address 0. */
  readonly memoryBelow4G: number;
  /** Bytes of RAM from 4 GiB on. */
  readonly memoryAbove4G?: number;
  /** Anything else that the board's firmware wants to find: index (0x0E–0x7F) to value. */
  readonly bytes?: Readonly<Record<number, number>>;
}

/** The 128 bytes, with clock registers zero. A machine without floppy drives. */
export function initialCmos(options: CmosOptions): Uint8Array {
  const ram = new Uint8Array(CMOS_SIZE);
  const put = (at: number, length: number, value: number) => {
    const limited = Math.max(0, Math.min(Math.floor(value), 2 ** (8 * length) - 1));
    for (let i = 0; i < length; i++) ram[at + i] = Math.floor(limited / 2 ** (8 * i)) & 0xff;
  };
  const memory = options.memoryBelow4G;
  ram[EQUIPMENT] = EQUIPMENT_FPU;
  put(BASE_MEMORY_LOW, 2, Math.min(memory / KIB, 640));
  put(EXTENDED_MEMORY_LOW, 2, (memory - MIB) / KIB);
  put(FOUND_EXTENDED_LOW, 2, (memory - MIB) / KIB);
  put(ABOVE_16M_LOW, 2, (memory - 16 * MIB) / (64 * KIB));
  put(ABOVE_4G_LOW, 3, (options.memoryAbove4G ?? 0) / (64 * KIB));
  for (const [index, value] of Object.entries(options.bytes ?? {})) {
    const at = Number(index);
    if (at >= 0x0e && at < CMOS_SIZE) ram[at] = value;
  }
  let sum = 0;
  for (let i = CHECKSUM_FIRST; i <= CHECKSUM_LAST; i++) sum += ram[i];
  ram[CHECKSUM_HIGH] = (sum >> 8) & 0xff;
  ram[CHECKSUM_LOW] = sum & 0xff;
  return ram;
}
