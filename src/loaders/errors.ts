// The loaders' errors: stable codes, one sentence of cause, what to do.

import { MAX_GUEST_RAM } from '../../assembly/layout/memory.js';
import { TsvmError } from '../vcpu/vcpu.js';

/** What tsvm takes, for the end of a refusal. */
export const ACCEPTED =
  'Accepted are: Linux bzImage, multiboot 1 kernel, ELF (plain or with a PVH entry), boot sector or raw disk image, ' +
  'AArch64 Image, and with --load-address a flat binary.';

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** "640 KiB", "12.5 MiB". */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 0x100000 ? `${round(bytes / 1024)} KiB` : `${round(bytes / 0x100000)} MiB`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text out of an untrusted file, safe to print on a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** Nothing that tsvm can start. */
export function unknownImage(what: string): TsvmError {
  return new TsvmError('E_IMAGE_UNKNOWN', `${what} ${ACCEPTED}`);
}

/** The file ends before something that its header promises. */
export function truncated(what: string): TsvmError {
  return new TsvmError('E_IMAGE_TRUNCATED', `the image ends too early: ${what}. Is the file complete?`);
}

/** Header fields that contradict each other or the format. */
export function corrupt(what: string): TsvmError {
  return new TsvmError('E_IMAGE_CORRUPT', `the image contradicts itself: ${what}. Rebuild it or fetch it again.`);
}

/** Wants to be at an address where the board has no usable RAM. */
export function badAddress(what: string): TsvmError {
  return new TsvmError('E_IMAGE_ADDRESS', what);
}

/** `needed`: bytes of RAM, counted from address 0, with which it would fit. */
export function tooLarge(what: string, needed: number, ramSize: number): TsvmError {
  const have = `${sizeText(ramSize)} of RAM`;
  const mib = Math.ceil(needed / 0x100000);
  const advice =
    needed > MAX_GUEST_RAM
      ? `it would need more than the ${MAX_GUEST_RAM / 0x100000} MiB that a guest can have.`
      : `it needs at least ${mib} MiB: use --memory ${mib}M or more.`;
  return new TsvmError('E_IMAGE_TOO_LARGE', `${what} does not fit in ${have}: ${advice}`);
}

/** For a processor that tsvm does not have in any mode. */
export function unsupportedIsa(what: string): TsvmError {
  return new TsvmError('E_ISA_UNSUPPORTED', `${what} tsvm runs x86 (16, 32 and 64-bit) and AArch64 guests only.`, 126);
}
