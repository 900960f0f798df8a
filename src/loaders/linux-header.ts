// Reads a Linux bzImage's setup header (Linux kernel documentation, "The Linux/x86 Boot Protocol").

import { corrupt, hex, printable, truncated, unknownImage } from './errors.js';
import { ImageReader } from './image-reader.js';

/** File offset of the setup header: its first field is setup_sects. */
export const SETUP_HEADER = 0x1f1;
/** "HdrS" at 0x202 marks a kernel that has boot protocol 2.00 or later. */
const HDRS_OFFSET = 0x202;
const HDRS = [0x48, 0x64, 0x72, 0x53];

// loadflags
const LOADED_HIGH = 1 << 0;
// xloadflags (2.12)
const XLF_KERNEL_64 = 1 << 0;

/** Where a kernel without CONFIG_RELOCATABLE, or older than 2.10, is loaded. */
const DEFAULT_LOAD_ADDRESS = 0x100000;
/** initrd_addr_max before 2.03. */
const DEFAULT_INITRD_MAX = 0x37ffffff;

export interface LinuxHeader {
  /** Major in the high byte, minor in the low one: 0x020f is 2.15. */
  readonly protocol: number;
  /** The bytes of the setup header, to be copied into boot_params. */
  readonly setupHeader: Uint8Array;
  /** The protected-mode kernel. */
  readonly kernel: Uint8Array;
  /** Has an entry point at load address + 0x200 for long mode. */
  readonly is64: boolean;
  readonly loadAddress: number;
  /** Bytes from loadAddress that the kernel uses before it can read the memory map. */
  readonly initSize: number;
  /** Highest address that an initrd may occupy. */
  readonly initrdMax: number;
  /** Longest command line without its NUL. */
  readonly commandLineMax: number;
  /** Such as "6.1.0-13-cloud-amd64", or ''. */
  readonly version: string;
}

export function isLinuxBzImage(bytes: Uint8Array): boolean {
  return new ImageReader(bytes).matches(HDRS_OFFSET, HDRS);
}

export function protocolText(protocol: number): string {
  return `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`;
}

/** Reads the header of an image that isLinuxBzImage recognized. */
export function parseLinuxHeader(bytes: Uint8Array): LinuxHeader {
  const r = new ImageReader(bytes);
  const protocol = r.u16(0x206, 'boot protocol version');
  if (protocol < 0x202) {
    const found = `This Linux kernel speaks boot protocol ${protocolText(protocol)}; 2.02 or later is needed.`;
    throw unknownImage(found);
  }
  if ((r.u8(0x211, 'loadflags') & LOADED_HIGH) === 0) {
    throw unknownImage('This is a Linux zImage, which is loaded below 640 KiB; a bzImage is needed.');
  }
  // The header ends where the jump instruction at 0x200 goes; boot_params has room up to 0x290.
  const headerEnd = Math.min(0x202 + r.u8(0x201, 'jump'), 0x290);
  const setupHeader = r.slice(SETUP_HEADER, headerEnd - SETUP_HEADER, 'setup header');

  // Setup sectors follow the boot sector; 0 stands for 4.
  const setupSectors = r.u8(SETUP_HEADER, 'setup_sects') || 4;
  const kernelOffset = (setupSectors + 1) * 512;
  if (bytes.length <= kernelOffset) throw truncated(`the kernel should start at file offset ${hex(kernelOffset)}`);
  let kernel = bytes.subarray(kernelOffset);
  if (protocol >= 0x204) {
    // In paragraphs of 16 bytes, the last of which may be incomplete. A signature may follow.
    const size = r.u32(0x1f4, 'syssize') * 16;
    if (size > kernel.length + 15) {
      throw truncated(`the kernel should have ${size} bytes, and ${kernel.length} are there`);
    }
    if (size > 0) kernel = kernel.subarray(0, size);
  }

  let loadAddress = DEFAULT_LOAD_ADDRESS;
  let initSize = kernel.length;
  if (protocol >= 0x20a) {
    initSize = Math.max(initSize, r.u32(0x260, 'init_size'));
    const relocatable = r.u8(0x234, 'relocatable_kernel') !== 0;
    const preferred = r.u64(0x258, 'pref_address');
    if (relocatable && preferred !== 0n) {
      // The kernel decompresses itself to no lower an address than this one, so it is also the best.
      const alignment = r.u32(0x230, 'kernel_alignment');
      const odd = alignment === 0 || (alignment & (alignment - 1)) !== 0 || preferred % BigInt(alignment) !== 0n;
      if (odd || preferred > 0xffffffffn) {
        throw corrupt(`pref_address ${hex(preferred)} with kernel_alignment ${hex(alignment)}`);
      }
      loadAddress = Number(preferred);
    }
  }
  const versionOffset = r.u16(0x20e, 'kernel_version');
  return {
    protocol,
    setupHeader,
    kernel,
    is64: protocol >= 0x20c && (r.u16(0x236, 'xloadflags') & XLF_KERNEL_64) !== 0,
    loadAddress,
    initSize,
    initrdMax: protocol >= 0x203 ? r.u32(0x22c, 'initrd_addr_max') : DEFAULT_INITRD_MAX,
    commandLineMax: protocol >= 0x206 ? r.u32(0x238, 'cmdline_size') : 255,
    // "6.1.0-13-cloud-amd64 (builder@host) #1 SMP …": the first word says enough.
    version: versionOffset ? printable(r.text(versionOffset + 0x200, 64).split(' ')[0]) : '',
  };
}
