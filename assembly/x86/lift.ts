// From a decoded instruction to IR: which part of the lift knows it.

import { liftX87 } from '../fpu/lift-x87';
import { emit, opCount, truncateOps } from '../ir/emit';
import { LIFT_END, LIFT_NONE } from '../ir/lift-result';
import { OP_RAISE } from '../ir/ops';
import { A_LOCK } from '../layout/x86-attributes';
import { liftSse } from '../sse/lift-sse';
import { dAttr, dLock, dMap, dMod, dModrm, dOpcode, MAP_0F, MAP_1 } from './decode';
import { EXC_UD } from './fault';
import { liftInteger } from './lift-integer';
import { liftProtection } from './lift-protection';
import { liftSystem } from './lift-system';
import { liftTwoByte } from './lift-two-byte';
import { resetTemps } from './operand';

/** May this instruction carry LOCK? Only read-modify-writes of memory. */
function lockAllowed(): bool {
  if (!(dAttr & A_LOCK) || dMod == 3) return false;
  const op = dOpcode;
  const reg = (dModrm >> 3) & 7;
  if (dMap == MAP_1) {
    if (op >= 0x80 && op <= 0x83) return reg != 7; // CMP
    if (op == 0xf6 || op == 0xf7) return reg == 2 || reg == 3; // NOT, NEG
    if (op == 0xfe || op == 0xff) return reg < 2; // INC, DEC
    if (op < 0x40) return op >> 3 != 7 && (op & 7) < 2;
    return true;
  }
  if (dMap == MAP_0F) {
    if (op == 0xba) return reg > 4; // BTS, BTR, BTC
    if (op == 0xc7) return reg == 1;
  }
  return true;
}

/** Emits the instruction just decoded. Returns LIFT_NEXT or LIFT_END. */
export function lift(): u32 {
  resetTemps();
  const start = opCount();
  if (!dLock || lockAllowed()) {
    let r = dMap == MAP_1 ? liftInteger() : liftTwoByte();
    if (r == LIFT_NONE) r = attempt(start, liftProtection());
    if (r == LIFT_NONE) r = attempt(start, liftSystem());
    if (r == LIFT_NONE) r = attempt(start, liftX87());
    if (r == LIFT_NONE) r = attempt(start, liftSse());
    if (r != LIFT_NONE) return r;
  }
  truncateOps(start);
  emit(OP_RAISE, 0, 0, 0, EXC_UD);
  return LIFT_END;
}

/** Undoes what a lift emitted before it found that the instruction is not its own. */
function attempt(start: u32, r: u32): u32 {
  if (r == LIFT_NONE) {
    truncateOps(start);
    resetTemps();
  }
  return r;
}
