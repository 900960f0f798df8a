// CRC32 and CRC32C (Arm ARM C6.2.75, C6.2.76): reflected polynomials, no final inversion.

import { emitCall } from '../ir/emit';
import { LIFT_NEXT, LIFT_NONE } from '../ir/lift-result';
import { STATE } from '../layout/memory';
import { bits, rd, rm, rn } from './operands';
import { dstSlot, srcSlot } from './slots';

/** 0x04C11DB7 and 0x1EDC6F41, bits reversed. */
const POLYNOMIAL: u32 = 0xedb88320;
const POLYNOMIAL_C: u32 = 0x82f63b78;

// For each polynomial the CRC of every byte, made at first use.
const tables: usize = memory.data(2 * 256 * 4);
let tablesReady: bool = false;

function makeTables(): void {
  for (let i: u32 = 0; i < 512; i++) {
    const polynomial = i < 256 ? POLYNOMIAL : POLYNOMIAL_C;
    let crc = i & 255;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
    store<u32>(tables + (i << 2), crc);
  }
  tablesReady = true;
}

/** State slot imm & 0xFFFF = CRC of 1 << (imm >> 16 & 3) bytes of slot `data` after slot `crc`; bit 18: CRC32C. */
function updateCrc(crc: u32, data: u32, imm: u64): void {
  if (!tablesReady) makeTables();
  const table = tables + ((<u32>imm >> 18) & 1) * 1024;
  const bytes: u32 = 1 << ((<u32>imm >> 16) & 3);
  let value = load<u32>(STATE + crc);
  for (let i: u32 = 0; i < bytes; i++) {
    value = (value >> 8) ^ load<u32>(table + (((value ^ load<u8>(STATE + data + i)) & 255) << 2));
  }
  store<u64>(STATE + <usize>(imm & 0xffff), value);
}

/** CRC32B…CRC32X, CRC32CB…CRC32CX. */
export function liftCrc(insn: u32): u32 {
  if ((insn & 0x7fe0e000) != 0x1ac04000) return LIFT_NONE;
  const size = bits(insn, 10, 2);
  // 64 bits of data, and only they, come from an X register.
  if (insn >> 31 != u32(size == 3)) return LIFT_NONE;
  const what = size | (bits(insn, 12, 1) << 2);
  emitCall(updateCrc.index, srcSlot(rn(insn)), srcSlot(rm(insn)), <u64>(dstSlot(rd(insn)) | (what << 16)));
  return LIFT_NEXT;
}
