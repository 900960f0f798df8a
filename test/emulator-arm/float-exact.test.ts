// Floating-point arithmetic against exact rational numbers, in every rounding mode, with FPSR.IXC clear (every result
// has to be known exact or not) and set (the common case, for which there are short cuts).

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/arm-state.js';
import { CODE, Rig } from './rig.js';

/** sign × n / d × 2^e; n = 0 is a zero of that sign. */
interface Exact {
  readonly negative: boolean;
  readonly n: bigint;
  readonly d: bigint;
  readonly e: number;
}

interface Format {
  readonly name: string;
  /** Bits of the significand and of the exponent. */
  readonly precision: number;
  readonly bias: number;
  /** In the instructions' type field. */
  readonly type: number;
}
const SINGLE: Format = { name: 'single', precision: 24, bias: 127, type: 0 };
const DOUBLE: Format = { name: 'double', precision: 53, bias: 1023, type: 1 };

const IXC = 1 << 4;
const UFC = 1 << 3;
const OFC = 1 << 2;
const MODES = ['nearest', 'up', 'down', 'zero'] as const;

const length = (v: bigint) => v.toString(2).length;
const shift = (v: bigint, n: number) => (n >= 0 ? v << BigInt(n) : v >> BigInt(-n));

function unpack(bits: bigint, f: Format): Exact {
  const fractionBits = BigInt(f.precision - 1);
  const negative = bits >> (fractionBits + BigInt(length(BigInt(f.bias))) + 1n) !== 0n;
  const exponent = Number((bits >> fractionBits) & BigInt(2 * f.bias + 1));
  const fraction = bits & ((1n << fractionBits) - 1n);
  const n = exponent ? fraction | (1n << fractionBits) : fraction;
  return { negative, n, d: 1n, e: Math.max(exponent, 1) - f.bias - f.precision + 1 };
}

function pack(negative: boolean, magnitude: bigint, f: Format): bigint {
  const sign = BigInt(length(BigInt(f.bias)) + f.precision);
  return (negative ? 1n << sign : 0n) | magnitude;
}

/** floor(log2(n / d)). */
function logarithm(n: bigint, d: bigint): number {
  const guess = length(n) - length(d);
  const [x, y] = guess >= 0 ? [n, d << BigInt(guess)] : [n << BigInt(-guess), d];
  return x >= y ? guess : guess - 1;
}

/** Bits and FPSR flags of the number `whole` × 2^quantum, plus a rest below that: 0 none, 1 < ½, 2 = ½, 3 > ½. */
function rounded(
  negative: boolean,
  whole: bigint,
  rest: number,
  tiny: boolean,
  quantum: number,
  mode: number,
  f: Format,
) {
  let flags = rest ? (tiny ? IXC | UFC : IXC) : 0;
  const up = [rest === 3 || (rest === 2 && (whole & 1n) === 1n), rest > 0 && !negative, rest > 0 && negative, false][
    mode
  ];
  const significand = up ? whole + 1n : whole;
  // Below the smallest normal number the field is 0; above, the integer bit adds 1 to it.
  const field = quantum + f.precision - 1 + f.bias - 1;
  const magnitude = (BigInt(Math.max(field, 0)) << BigInt(f.precision - 1)) + significand;
  const infinity = BigInt(2 * f.bias + 1) << BigInt(f.precision - 1);
  if (magnitude < infinity) return { bits: pack(negative, magnitude, f), flags };
  flags = OFC | IXC;
  const toInfinity = mode === 0 || (mode === 1 && !negative) || (mode === 2 && negative);
  return { bits: pack(negative, toInfinity ? infinity : infinity - 1n, f), flags };
}

function round(v: Exact, mode: number, f: Format) {
  if (v.n === 0n) return { bits: pack(v.negative, 0n, f), flags: 0 };
  const exponent = logarithm(v.n, v.d) + v.e;
  const least = 1 - f.bias;
  const quantum = Math.max(exponent, least) - f.precision + 1;
  const n = shift(v.n, Math.max(v.e - quantum, 0));
  const d = shift(v.d, Math.max(quantum - v.e, 0));
  const twice = 2n * (n % d);
  const rest = twice === 0n ? 0 : twice < d ? 1 : twice === d ? 2 : 3;
  return rounded(v.negative, n / d, rest, exponent < least, quantum, mode, f);
}

function root(n: bigint): bigint {
  if (n < 2n) return n;
  let r = 1n << BigInt((length(n) + 1) >> 1);
  for (;;) {
    const next = (r + n / r) >> 1n;
    if (next >= r) return r;
    r = next;
  }
}
function roundRoot(v: Exact, mode: number, f: Format) {
  if (v.n === 0n) return round(v, mode, f);
  const exponent = Math.floor((length(v.n) - 1 + v.e) / 2);
  const quantum = exponent - f.precision + 1;
  // All bits of n are kept: the quantum's square is far below them, except for numbers of many bits.
  const extra = Math.max(0, 2 * quantum - v.e);
  const x = shift(v.n, v.e - 2 * quantum + 2 * extra);
  const r = root(x);
  const step = 1n << BigInt(extra);
  const below = r % step;
  const whole = r / step;
  const exact = r * r === x;
  const half = step / 2n;
  let rest: number;
  if (below === 0n && exact) rest = 0;
  else if (extra === 0) rest = x - r * r > r ? 3 : 1;
  else if (below === half && exact) rest = 2;
  else rest = below >= half ? 3 : 1;
  return rounded(v.negative, whole, rest, false, quantum, mode, f);
}

function multiply(a: Exact, b: Exact): Exact {
  return { negative: a.negative !== b.negative, n: a.n * b.n, d: a.d * b.d, e: a.e + b.e };
}
function divide(a: Exact, b: Exact): Exact {
  return multiply(a, { ...b, n: b.d, d: b.n, e: -b.e });
}
/** Operands without denominators. An exact zero sum of different signs is negative when rounding down. */
function add(a: Exact, b: Exact, mode: number): Exact {
  const e = Math.min(a.e, b.e);
  const x = shift(a.negative ? -a.n : a.n, a.e - e);
  const y = shift(b.negative ? -b.n : b.n, b.e - e);
  const sum = x + y;
  if (sum === 0n) return { negative: a.negative === b.negative ? a.negative : mode === 2, n: 0n, d: 1n, e };
  return { negative: sum < 0n, n: sum < 0n ? -sum : sum, d: 1n, e };
}
const opposite = (a: Exact): Exact => ({ ...a, negative: !a.negative });

interface Operation {
  readonly name: string;
  /** Instruction of S0 = S1 op S2 (, S3); of V0.4S = V1 op V2, or V0 += V1 × V2. */
  readonly scalar: number;
  readonly vector?: number;
  readonly expected: (a: Exact, b: Exact, c: Exact, mode: number, f: Format) => { bits: bigint; flags: number } | null;
}
const two = (opcode: number) => 0x1e220820 | (opcode << 12);
const three = (o1: number, o0: number) => 0x1f020c20 | (o1 << 21) | (o0 << 15);
const OPERATIONS: readonly Operation[] = [
  { name: 'FMUL', scalar: two(0), vector: 0x6e22dc20, expected: (a, b, _, m, f) => round(multiply(a, b), m, f) },
  {
    name: 'FDIV',
    scalar: two(1),
    vector: 0x6e22fc20,
    expected: (a, b, _, m, f) => (b.n ? round(divide(a, b), m, f) : null),
  },
  { name: 'FADD', scalar: two(2), vector: 0x4e22d420, expected: (a, b, _, m, f) => round(add(a, b, m), m, f) },
  {
    name: 'FSUB',
    scalar: two(3),
    vector: 0x4ea2d420,
    expected: (a, b, _, m, f) => round(add(a, opposite(b), m), m, f),
  },
  {
    name: 'FSQRT',
    scalar: 0x1e21c020,
    vector: 0x6ea1f820,
    expected: (a, _b, _c, m, f) => (a.negative && a.n ? null : roundRoot(a, m, f)),
  },
  {
    name: 'FMADD',
    scalar: three(0, 0),
    vector: 0x4e22cc20,
    expected: (a, b, c, m, f) => round(add(c, multiply(a, b), m), m, f),
  },
  {
    name: 'FMSUB',
    scalar: three(0, 1),
    vector: 0x4ea2cc20,
    expected: (a, b, c, m, f) => round(add(c, opposite(multiply(a, b)), m), m, f),
  },
  {
    name: 'FNMADD',
    scalar: three(1, 0),
    expected: (a, b, c, m, f) => round(add(opposite(c), opposite(multiply(a, b)), m), m, f),
  },
  {
    name: 'FNMSUB',
    scalar: three(1, 1),
    expected: (a, b, c, m, f) => round(add(opposite(c), multiply(a, b), m), m, f),
  },
];

let seed = 0x2545f491n;
function random(): bigint {
  seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
  return seed ^ (seed >> 29n);
}
const below = (n: number) => Number(BigInt.asUintN(32, random() >> 8n) % BigInt(n));

/** A finite number: exponents mostly near each other, significands often with long runs of equal bits. */
function operand(f: Format, near: bigint): bigint {
  const top = 2 * f.bias;
  const exponents = [below(top + 1), below(4), top - below(2), f.bias + below(100) - 50];
  const exponent = exponents[below(8)] ?? f.bias + below(8) - 4;
  const ones = (1n << BigInt(f.precision - 1)) - 1n;
  const runs = [
    0n,
    ones,
    random() << BigInt(below(f.precision)),
    near ^ BigInt(below(4)),
    ones << BigInt(below(f.precision)),
  ];
  const fraction = (runs[below(8)] ?? random()) & ones;
  return pack(below(2) === 1, (BigInt(exponent) << BigInt(f.precision - 1)) | fraction, f);
}

/** A third operand that nearly cancels the product. */
function cancelling(a: Exact, b: Exact, f: Format): bigint {
  const { bits } = round(opposite(multiply(a, b)), 3, f);
  return bits + BigInt(below(3)) - 1n;
}

const finite = (bits: bigint, f: Format) =>
  ((bits >> BigInt(f.precision - 1)) & BigInt(2 * f.bias + 1)) !== BigInt(2 * f.bias + 1);

type Operands = readonly [bigint, bigint, bigint];

function operands(f: Format): Operands {
  const x = operand(f, 0n);
  const y = operand(f, x);
  const z = below(3) ? operand(f, y) : cancelling(unpack(x, f), unpack(y, f), f);
  return [x, y, finite(z, f) ? z : 0n];
}

/** Lanes as a 128-bit number. */
function vectorOf(lanes: readonly bigint[], f: Format): bigint {
  return lanes.reduce((all, v, i) => all | (v << BigInt(i * (32 << f.type))), 0n);
}

class Arithmetic {
  private readonly view: DataView;

  constructor(private readonly rig: Rig) {
    this.view = new DataView(rig.state.bytes.buffer, rig.state.bytes.byteOffset);
  }

  /** V0 and FPSR after the instruction at CODE with lanes V1, V2, V3; V0 starts as V3. */
  run(lanes: readonly Operands[], mode: number, fpsr: number, f: Format): { result: bigint; flags: number } {
    const { rig, view } = this;
    [2, 0, 1, 2].forEach((which, v) => {
      const bits = vectorOf(
        lanes.map((l) => l[which]),
        f,
      );
      view.setBigUint64(L.S_V_REG + 16 * v, BigInt.asUintN(64, bits), true);
      // Above a scalar's operand lies something else.
      view.setBigUint64(L.S_V_REG + 16 * v + 8, lanes.length === 1 ? 0x123456789n : bits >> 64n, true);
    });
    view.setUint32(L.S_FPCR, mode << 22, true);
    view.setUint32(L.S_FPSR, fpsr, true);
    rig.state.pc = BigInt(CODE);
    rig.vcpu.writeState(rig.state);
    rig.more(1);
    const high = view.getBigUint64(L.S_V_REG + 8, true);
    return { result: (high << 64n) | view.getBigUint64(L.S_V_REG, true), flags: view.getUint32(L.S_FPSR, true) };
  }
}

function check(operation: Operation, lanes: readonly Operands[], arithmetic: Arithmetic, f: Format): void {
  for (let mode = 0; mode < MODES.length; mode++) {
    const expected = lanes.flatMap(([x, y, z]) => {
      return operation.expected(unpack(x, f), unpack(y, f), unpack(z, f), mode, f) ?? [];
    });
    if (expected.length < lanes.length) continue;
    const bits = vectorOf(
      expected.map((e) => e.bits),
      f,
    );
    for (const sticky of [0, IXC]) {
      const { result, flags } = arithmetic.run(lanes, mode, sticky, f);
      const numbers = lanes.map((l) => l.map((v) => v.toString(16)).join(', ')).join('; ');
      const what = `${numbers}, ${MODES[mode]}, IXC ${sticky ? 1 : 0}`;
      assert.is(result.toString(16), bits.toString(16), what);
      assert.is(
        flags,
        expected.reduce((all, e) => all | e.flags, sticky),
        `flags of ${what}`,
      );
    }
  }
}

const CASES = 120;

for (const f of [SINGLE, DOUBLE]) {
  for (const operation of OPERATIONS) {
    test(`${operation.name}, ${f.name} precision`, async () => {
      const rig = await Rig.create();
      const arithmetic = new Arithmetic(rig);
      rig.load(CODE, [operation.scalar | (f.type << 22)]);
      for (let i = 0; i < CASES; i++) check(operation, [operands(f)], arithmetic, f);
      if (operation.vector === undefined) return;
      rig.load(CODE, [operation.vector | (f.type << 22)]);
      for (let i = 0; i < CASES; i++) {
        check(
          operation,
          Array.from({ length: 4 >> f.type }, () => operands(f)),
          arithmetic,
          f,
        );
      }
    });
  }
}

test.run();
