// Fields of an A64 instruction word as text (Arm ARM C1.2.5, C6, C7). `w` is the word, `at` its address.

export type Token = (w: number, at: bigint) => string;

export const bits = (w: number, low: number, width: number) => Math.floor(w / 2 ** low) % 2 ** width;
export const signed = (value: number, width: number) => (value << (32 - width)) >> (32 - width);
export const hex = (n: number | bigint) => `#0x${n.toString(16)}`;

export const CONDITIONS = [
  ...['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc'],
  ...['hi', 'ls', 'ge', 'lt', 'gt', 'le', 'al', 'nv'],
];

export const xReg = (n: number) => (n === 31 ? 'xzr' : `x${n}`);
export const wReg = (n: number) => (n === 31 ? 'wzr' : `w${n}`);
export const xSp = (n: number) => (n === 31 ? 'sp' : `x${n}`);
export const wSp = (n: number) => (n === 31 ? 'wsp' : `w${n}`);
const sized = (w: number, n: number) => (bits(w, 31, 1) ? xReg(n) : wReg(n));
const sizedSp = (w: number, n: number) => (bits(w, 31, 1) ? xSp(n) : wSp(n));
const target = (w: number, at: bigint, low: number, width: number) =>
  `0x${BigInt.asUintN(64, at + 4n * BigInt(signed(bits(w, low, width), width))).toString(16)}`;

/** Where each register field is. */
const REGISTER_FIELDS: Readonly<Record<string, number>> = { d: 0, n: 5, m: 16, a: 10 };

/** DecodeBitMasks of the Arm ARM, or undefined where the encoding is reserved. */
export function bitmask(n: number, immr: number, imms: number, width: number): bigint | undefined {
  const code = (n << 6) | (~imms & 63);
  const length = 31 - Math.clz32(code);
  if (length < 1 || (width === 32 && n)) return undefined;
  const size = 1 << length;
  const s = imms & (size - 1);
  const r = BigInt(immr & (size - 1));
  if (s === size - 1) return undefined;
  const run = (1n << BigInt(s + 1)) - 1n;
  const element = BigInt.asUintN(size, (run >> r) | (run << (BigInt(size) - r)));
  let value = 0n;
  for (let i = 0; i < width; i += size) value |= element << BigInt(i);
  return value;
}

export const immOf = (w: number) => bitmask(bits(w, 22, 1), bits(w, 16, 6), bits(w, 10, 6), bits(w, 31, 1) ? 64 : 32);

/** Could MOVZ or MOVN make this constant? Then ORR is not shown as MOV. */
export function moveWidePreferred(w: number): boolean {
  const value = immOf(w);
  if (value === undefined) return false;
  const width = bits(w, 31, 1) ? 64 : 32;
  const fits = (v: bigint) => {
    for (let i = 0; i < width; i += 16) if ((v & ~(0xffffn << BigInt(i))) === 0n) return true;
    return false;
  };
  return fits(value) || fits(BigInt.asUintN(width, ~value));
}

const SHIFTS = ['lsl', 'lsr', 'asr', 'ror'];
const EXTENDS = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'];

/** "Rm{, extend {#amount}}" of add and subtract (extended register). */
function extended(w: number): string {
  const option = bits(w, 13, 3);
  const amount = bits(w, 10, 3);
  const wide = bits(w, 31, 1);
  const m = bits(w, 16, 5);
  const register = (option & 3) === 3 && wide ? xReg(m) : wReg(m);
  const ofSp = bits(w, 5, 5) === 31 || (bits(w, 0, 5) === 31 && !bits(w, 29, 1));
  const plain = ofSp && option === (wide ? 3 : 2);
  if (plain) return amount ? `${register}, lsl #${amount}` : register;
  return `${register}, ${EXTENDS[option]}${amount ? ` #${amount}` : ''}`;
}

/** Index register of a load or store, with extension and shift; the amount is log2 of the access's bytes. */
function index(w: number, scale: number): string {
  const option = bits(w, 13, 3);
  const shift = bits(w, 12, 1);
  const register = option & 1 ? xReg(bits(w, 16, 5)) : wReg(bits(w, 16, 5));
  if (option === 3) return shift ? `${register}, lsl #${scale}` : register;
  return `${register}, ${EXTENDS[option]}${shift ? ` #${scale}` : ''}`;
}

/** log2 of the bytes of a single-register access. */
export function accessScale(w: number): number {
  return bits(w, 26, 1) && bits(w, 23, 1) ? 4 : bits(w, 30, 2);
}

const base = (w: number) => xSp(bits(w, 5, 5));
const offset = (n: number) => (n ? `, #${n}` : '');
const imm9 = (w: number) => signed(bits(w, 12, 9), 9);
const imm7 = (w: number) => {
  const scale = bits(w, 26, 1) ? 2 + bits(w, 30, 2) : 2 + bits(w, 31, 1);
  return signed(bits(w, 15, 7), 7) * 2 ** scale;
};

const BARRIERS: Readonly<Record<number, string>> = {
  ...{ 1: 'oshld', 2: 'oshst', 3: 'osh', 5: 'nshld', 6: 'nshst', 7: 'nsh' },
  ...{ 9: 'ishld', 10: 'ishst', 11: 'ish', 13: 'ld', 14: 'st', 15: 'sy' },
};

function prefetch(w: number): string {
  const code = bits(w, 0, 5);
  const kind = ['pld', 'pli', 'pst'][code >> 3];
  const level = (code >> 1) & 3;
  if (kind === undefined || level === 3) return `#0x${code.toString(16).padStart(2, '0')}`;
  return `${kind}l${level + 1}${code & 1 ? 'strm' : 'keep'}`;
}

/** An FP constant of 8 bits (VFPExpandImm), as printf's %.18e. */
export function floatImm(imm8: number): string {
  const exponent = (((imm8 >> 4) & 7) ^ 4) - 3;
  const value = (imm8 & 128 ? -1 : 1) * (1 + (imm8 & 15) / 16) * 2 ** exponent;
  const [digits, power] = value.toExponential(18).split('e');
  return `#${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

const moveWide = (w: number) => BigInt(bits(w, 5, 16)) << BigInt(16 * bits(w, 21, 2));
const width = (w: number) => (bits(w, 31, 1) ? 64 : 32);

/** Operands of integer instructions, loads and stores by name. */
export const TOKENS: Record<string, Token> = {
  'Rd|sp': (w) => sizedSp(w, bits(w, 0, 5)),
  'Rn|sp': (w) => sizedSp(w, bits(w, 5, 5)),
  'Xd|sp': (w) => xSp(bits(w, 0, 5)),
  'Xn|sp': base,
  Wt2: (w) => wReg(bits(w, 10, 5)),
  Rs: (w) => (bits(w, 30, 1) ? xReg : wReg)(bits(w, 16, 5)),
  'Rs+1': (w) => (bits(w, 30, 1) ? xReg : wReg)((bits(w, 16, 5) + 1) % 32),
  Rt: (w) => (bits(w, 30, 1) ? xReg : wReg)(bits(w, 0, 5)),
  'Rt+1': (w) => (bits(w, 30, 1) ? xReg : wReg)((bits(w, 0, 5) + 1) % 32),
  Rt2: (w) => (bits(w, 30, 1) ? xReg : wReg)(bits(w, 10, 5)),
  Ft: (w) => `${'bhsdq'[accessScale(w)]}${bits(w, 0, 5)}`,
  Fp: (w) => `${'sdq'[bits(w, 30, 2)]}${bits(w, 0, 5)}`,
  Fp2: (w) => `${'sdq'[bits(w, 30, 2)]}${bits(w, 10, 5)}`,
  imm12: (w) => hex(bits(w, 10, 12)) + (bits(w, 22, 1) ? ', lsl #12' : ''),
  bitmask: (w) => hex(immOf(w) ?? 0),
  shifted: (w) => {
    const amount = bits(w, 10, 6);
    const type = bits(w, 22, 2);
    return sized(w, bits(w, 16, 5)) + (amount || type ? `, ${SHIFTS[type]} #${amount}` : '');
  },
  extended,
  wide: (w) => hex(bits(w, 5, 16)) + (bits(w, 21, 2) ? `, lsl #${16 * bits(w, 21, 2)}` : ''),
  movz: (w) => hex(moveWide(w)),
  movn: (w) => hex(BigInt.asUintN(width(w), ~moveWide(w))),
  adr: (w, at) => {
    const imm = signed(bits(w, 5, 19), 19) * 4 + bits(w, 29, 2);
    return `0x${BigInt.asUintN(64, at + BigInt(imm)).toString(16)}`;
  },
  adrp: (w, at) => {
    const imm = signed(bits(w, 5, 19), 19) * 4 + bits(w, 29, 2);
    return `0x${BigInt.asUintN(64, (at & ~0xfffn) + 4096n * BigInt(imm)).toString(16)}`;
  },
  immr: (w) => `#${bits(w, 16, 6)}`,
  imms: (w) => `#${bits(w, 10, 6)}`,
  lslAmount: (w) => `#${width(w) - bits(w, 16, 6)}`,
  insertLsb: (w) => `#${(width(w) - bits(w, 16, 6)) % width(w)}`,
  insertWidth: (w) => `#${bits(w, 10, 6) + 1}`,
  extractWidth: (w) => `#${bits(w, 10, 6) - bits(w, 16, 6) + 1}`,
  cond: (w) => CONDITIONS[bits(w, 12, 4)],
  notCond: (w) => CONDITIONS[bits(w, 12, 4) ^ 1],
  branchCond: (w) => CONDITIONS[bits(w, 0, 4)],
  nzcv: (w) => hex(bits(w, 0, 4)),
  imm5: (w) => hex(bits(w, 16, 5)),
  imm16: (w) => hex(bits(w, 5, 16)),
  label26: (w, at) => target(w, at, 0, 26),
  label19: (w, at) => target(w, at, 5, 19),
  label14: (w, at) => target(w, at, 5, 14),
  testReg: (w) => (bits(w, 31, 1) ? xReg : wReg)(bits(w, 0, 5)),
  testBit: (w) => `#${bits(w, 31, 1) * 32 + bits(w, 19, 5)}`,
  barrier: (w) => BARRIERS[bits(w, 8, 4)] ?? hex(bits(w, 8, 4)),
  CRm: (w) => hex(bits(w, 8, 4)),
  hint: (w) => hex(bits(w, 5, 7)),
  prfop: prefetch,
  base: (w) => `[${base(w)}]`,
  uoffset: (w) => `[${base(w)}${offset(bits(w, 10, 12) * 2 ** accessScale(w))}]`,
  offset9: (w) => `[${base(w)}${offset(imm9(w))}]`,
  pre9: (w) => `[${base(w)}, #${imm9(w)}]!`,
  post9: (w) => `[${base(w)}], #${imm9(w)}`,
  indexed: (w) => `[${base(w)}, ${index(w, accessScale(w))}]`,
  offset7: (w) => `[${base(w)}${offset(imm7(w))}]`,
  pre7: (w) => `[${base(w)}, #${imm7(w)}]!`,
  post7: (w) => `[${base(w)}], #${imm7(w)}`,
};
for (const [name, low] of Object.entries(REGISTER_FIELDS)) {
  TOKENS[`R${name}`] = (w) => sized(w, bits(w, low, 5));
  TOKENS[`W${name}`] = (w) => wReg(bits(w, low, 5));
  TOKENS[`X${name}`] = (w) => xReg(bits(w, low, 5));
  for (const letter of ['B', 'H', 'S', 'D', 'Q']) {
    TOKENS[letter + name] = (w) => letter.toLowerCase() + bits(w, low, 5);
  }
}
