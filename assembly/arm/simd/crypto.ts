// The Cryptographic Extension: AES (FIPS 197), SHA-1 and SHA-256 (FIPS 180-4), one step an instruction.

import {
  A_AESD,
  A_AESE,
  A_AESIMC,
  A_AESMC,
  A_SHA1C,
  A_SHA1H,
  A_SHA1M,
  A_SHA1P,
  A_SHA1SU0,
  A_SHA1SU1,
  A_SHA256H,
  A_SHA256H2,
  A_SHA256SU0,
  A_SHA256SU1,
} from './kinds';
import { clearLanes, commitLanes, lane, setLane } from './lanes';

/** AES substitution box and its inverse, made when first needed. */
const box: usize = memory.data(256);
const inverseBox: usize = memory.data(256);
let boxesMade: bool = false;

/** Product in AES's field: polynomials modulo x^8 + x^4 + x^3 + x + 1. */
function fieldProduct(x: u32, y: u32): u32 {
  let r: u32 = 0;
  for (; y; y >>= 1) {
    if (y & 1) r ^= x;
    x = (x << 1) ^ (x & 0x80 ? 0x11b : 0);
  }
  return r;
}

/** FIPS 197, 5.1.1: the inverse in the field, then an affine map of its bits. */
function makeBoxes(): void {
  for (let x: u32 = 0; x < 256; x++) {
    // The inverse is x^254.
    let inverse: u32 = 1;
    for (let i = 0; i < 254; i++) inverse = fieldProduct(inverse, x);
    let s: u32 = inverse;
    for (let i: u32 = 1; i < 5; i++) s ^= (inverse << i) | (inverse >> (8 - i));
    s = (s ^ 0x63) & 0xff;
    store<u8>(box + x, s);
    store<u8>(inverseBox + s, x);
  }
  boxesMade = true;
}

/** AESE, AESD: AddRoundKey, then (Inv)ShiftRows and (Inv)SubBytes. Byte 4 × column + row of the state. */
function aesRound(d: usize, a: usize, inverse: bool): void {
  if (!boxesMade) makeBoxes();
  v128.store(d, v128.xor(v128.load(d), v128.load(a)));
  for (let i: u32 = 0; i < 16; i++) {
    const row = i & 3;
    const from = ((inverse ? i - (row << 2) : i + (row << 2)) & 12) | row;
    setLane(i, 0, load<u8>((inverse ? inverseBox : box) + <usize>lane(d, from, 0)));
  }
  commitLanes(d);
}

/** Bytes times 2 in the field. */
function doubled(x: v128): v128 {
  return v128.xor(i8x16.shl(x, 1), v128.and(i8x16.shr_s(x, 7), i8x16.splat(0x1b)));
}
/** Columns, their bytes moved up by one place; by two. */
function moved1(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}
function moved2(x: v128): v128 {
  return v128.shuffle<u16>(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
}

/** AESMC, AESIMC: each column times 3x³ + x² + x + 2. Its inverse is that times 4x² + 5. */
function mixColumns(d: usize, a: usize, inverse: bool): void {
  let x = v128.load(a);
  if (inverse) x = v128.xor(x, doubled(doubled(v128.xor(x, moved2(x)))));
  const next = moved1(x);
  const others = v128.xor(next, moved2(v128.xor(x, next)));
  v128.store(d, v128.xor(doubled(v128.xor(x, next)), others));
}

function word(v: usize, i: u32): u32 {
  return <u32>lane(v, i, 2);
}
function setWords(x0: u32, x1: u32, x2: u32, x3: u32): void {
  setLane(0, 2, x0);
  setLane(1, 2, x1);
  setLane(2, 2, x2);
  setLane(3, 2, x3);
}

function choose(x: u32, y: u32, z: u32): u32 {
  return (x & y) ^ (~x & z);
}
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) ^ (x & z) ^ (y & z);
}

/** Four rounds of SHA-1: a, b, c, d in the vector d, e in a, schedule and constants in b. */
function sha1Rounds(op: u32, d: usize, a: usize, b: usize): void {
  let x0 = word(d, 0);
  let x1 = word(d, 1);
  let x2 = word(d, 2);
  let x3 = word(d, 3);
  let y = word(a, 0);
  for (let i: u32 = 0; i < 4; i++) {
    const f = op == A_SHA1C ? choose(x1, x2, x3) : op == A_SHA1P ? x1 ^ x2 ^ x3 : majority(x1, x2, x3);
    const t = y + rotl<u32>(x0, 5) + f + word(b, i);
    y = x3;
    x3 = x2;
    x2 = rotl<u32>(x1, 30);
    x1 = x0;
    x0 = t;
  }
  setWords(x0, x1, x2, x3);
  commitLanes(d);
}

/** Four rounds of SHA-256 of a…d in `x`, e…h in `y`; part 1 gives the former, part 2 the latter. */
function sha256Rounds(d: usize, x: usize, y: usize, b: usize, second: bool): void {
  let x0 = word(x, 0);
  let x1 = word(x, 1);
  let x2 = word(x, 2);
  let x3 = word(x, 3);
  let y0 = word(y, 0);
  let y1 = word(y, 1);
  let y2 = word(y, 2);
  let y3 = word(y, 3);
  for (let i: u32 = 0; i < 4; i++) {
    const sigma1 = rotr<u32>(y0, 6) ^ rotr<u32>(y0, 11) ^ rotr<u32>(y0, 25);
    const sigma0 = rotr<u32>(x0, 2) ^ rotr<u32>(x0, 13) ^ rotr<u32>(x0, 22);
    const t = y3 + sigma1 + choose(y0, y1, y2) + word(b, i);
    const next = t + sigma0 + majority(x0, x1, x2);
    y3 = y2;
    y2 = y1;
    y1 = y0;
    y0 = t + x3;
    x3 = x2;
    x2 = x1;
    x1 = x0;
    x0 = next;
  }
  if (second) setWords(y0, y1, y2, y3);
  else setWords(x0, x1, x2, x3);
  commitLanes(d);
}

function sha1Schedule0(d: usize, a: usize, b: usize): void {
  for (let i: u32 = 0; i < 4; i++) {
    const x = i < 2 ? word(d, i + 2) : word(a, i - 2);
    setLane(i, 2, x ^ word(d, i) ^ word(b, i));
  }
  commitLanes(d);
}
function sha1Schedule1(d: usize, a: usize): void {
  const x0 = rotl<u32>(word(d, 0) ^ word(a, 1), 1);
  const x1 = rotl<u32>(word(d, 1) ^ word(a, 2), 1);
  const x2 = rotl<u32>(word(d, 2) ^ word(a, 3), 1);
  setWords(x0, x1, x2, rotl<u32>(word(d, 3), 1) ^ rotl<u32>(x0, 1));
  commitLanes(d);
}
function sha256Schedule0(d: usize, a: usize): void {
  for (let i: u32 = 0; i < 4; i++) {
    const x = i < 3 ? word(d, i + 1) : word(a, 0);
    setLane(i, 2, word(d, i) + (rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3)));
  }
  commitLanes(d);
}
function sigma(x: u32): u32 {
  return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10);
}
function sha256Schedule1(d: usize, a: usize, b: usize): void {
  const x0 = sigma(word(b, 2)) + word(d, 0) + word(a, 1);
  const x1 = sigma(word(b, 3)) + word(d, 1) + word(a, 2);
  const x2 = sigma(x0) + word(d, 2) + word(a, 3);
  const x3 = sigma(x1) + word(d, 3) + word(b, 0);
  setWords(x0, x1, x2, x3);
  commitLanes(d);
}

/** Operations A_AESE to A_SHA256SU0. */
export function cryptoOperation(op: u32, d: usize, a: usize, b: usize): void {
  clearLanes();
  switch (op) {
    case A_AESE:
      aesRound(d, a, false);
      break;
    case A_AESD:
      aesRound(d, a, true);
      break;
    case A_AESMC:
      mixColumns(d, a, false);
      break;
    case A_AESIMC:
      mixColumns(d, a, true);
      break;
    case A_SHA1C:
    case A_SHA1P:
    case A_SHA1M:
      sha1Rounds(op, d, a, b);
      break;
    case A_SHA1SU0:
      sha1Schedule0(d, a, b);
      break;
    case A_SHA256H:
      sha256Rounds(d, d, a, b, false);
      break;
    case A_SHA256H2:
      sha256Rounds(d, a, d, b, true);
      break;
    case A_SHA256SU1:
      sha256Schedule1(d, a, b);
      break;
    case A_SHA1H:
      setLane(0, 2, rotl<u32>(word(a, 0), 30));
      commitLanes(d);
      break;
    case A_SHA1SU1:
      sha1Schedule1(d, a);
      break;
    case A_SHA256SU0:
      sha256Schedule0(d, a);
      break;
    default:
      unreachable();
  }
}
