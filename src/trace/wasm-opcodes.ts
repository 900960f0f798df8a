// WebAssembly instructions by opcode (core specification, 5.4 and appendix A.7): name, immediates, operands.

/** What follows the opcode. */
export type Immediate =
  | 'none'
  | 'memory'
  | 'memory-lane'
  | 'lane'
  | 'lanes'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'v128'
  | 'local';

export interface WasmOpcode {
  readonly name: string;
  readonly immediate: Immediate;
  /** Values that it takes from the stack, and that it leaves there. */
  readonly operands: number;
  readonly results: number;
}

const INTEGER_COMPARE = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const FLOAT_COMPARE = 'eq ne lt gt le ge';
const INTEGER = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const FLOAT = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';

const of = (type: string, names: string): string =>
  names
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');

/** Names of opcodes that follow each other: the first one's number, then the names; "-" is an opcode that does not exist. */
const PLAIN: readonly (readonly [number, string])[] = [
  [
    0x28,
    `${of('i32', 'load')} ${of('i64', 'load')} f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u`,
  ],
  [0x30, of('i64', 'load8_s load8_u load16_s load16_u load32_s load32_u')],
  [0x36, 'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32'],
  [0x45, `i32.eqz ${of('i32', INTEGER_COMPARE)} i64.eqz ${of('i64', INTEGER_COMPARE)}`],
  [0x5b, `${of('f32', FLOAT_COMPARE)} ${of('f64', FLOAT_COMPARE)}`],
  [0x67, `${of('i32', INTEGER)} ${of('i64', INTEGER)} ${of('f32', FLOAT)} ${of('f64', FLOAT)}`],
  [0xa7, of('i32', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xac, of('i64', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xb2, of('f32', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64')],
  [0xb7, of('f64', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32')],
  [0xbc, 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, `${of('i32', 'extend8_s extend16_s')} ${of('i64', 'extend8_s extend16_s extend32_s')}`],
];

/** After the prefix FC. */
const SATURATING: readonly (readonly [number, string])[] = [
  [0, of('i32', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [4, of('i64', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
];

/** After the prefix FD. */
const VECTOR: readonly (readonly [number, string])[] = [
  [0, of('v128', 'load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u load8_splat load16_splat')],
  [9, of('v128', 'load32_splat load64_splat store const')],
  [13, of('i8x16', 'shuffle swizzle splat')],
  [16, 'i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [21, of('i8x16', 'extract_lane_s extract_lane_u replace_lane')],
  [24, of('i16x8', 'extract_lane_s extract_lane_u replace_lane')],
  [27, `${of('i32x4', 'extract_lane replace_lane')} ${of('i64x2', 'extract_lane replace_lane')}`],
  [31, `${of('f32x4', 'extract_lane replace_lane')} ${of('f64x2', 'extract_lane replace_lane')}`],
  [35, `${of('i8x16', INTEGER_COMPARE)} ${of('i16x8', INTEGER_COMPARE)} ${of('i32x4', INTEGER_COMPARE)}`],
  [65, `${of('f32x4', FLOAT_COMPARE)} ${of('f64x2', FLOAT_COMPARE)}`],
  [77, of('v128', 'not and andnot or xor bitselect any_true')],
  [84, of('v128', 'load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane')],
  [92, 'v128.load32_zero v128.load64_zero f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [96, of('i8x16', 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u')],
  [103, of('f32x4', 'ceil floor trunc nearest')],
  [107, of('i8x16', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u')],
  [116, 'f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u f64x2.trunc i8x16.avgr_u'],
  [124, `${of('i16x8', 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u')}`],
  [126, `${of('i32x4', 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u')}`],
  [128, of('i16x8', 'abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u')],
  [135, of('i16x8', 'extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u')],
  [139, of('i16x8', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u')],
  [148, `f64x2.nearest ${of('i16x8', 'mul min_s min_u max_s max_u')} - i16x8.avgr_u`],
  [156, of('i16x8', 'extmul_low_i8x16_s extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u')],
  [160, `i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask`],
  [167, of('i32x4', 'extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u')],
  [171, `${of('i32x4', 'shl shr_s shr_u add')} - - i32x4.sub`],
  [181, of('i32x4', 'mul min_s min_u max_s max_u dot_i16x8_s')],
  [188, of('i32x4', 'extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u')],
  [192, `i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask`],
  [199, of('i64x2', 'extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u')],
  [203, `${of('i64x2', 'shl shr_s shr_u add')} - - i64x2.sub`],
  [213, of('i64x2', 'mul eq ne lt_s gt_s le_s ge_s')],
  [220, of('i64x2', 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u')],
  [224, `f32x4.abs f32x4.neg - ${of('f32x4', 'sqrt add sub mul div min max pmin pmax')}`],
  [236, `f64x2.abs f64x2.neg - ${of('f64x2', 'sqrt add sub mul div min max pmin pmax')}`],
  [248, 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [
    252,
    'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u',
  ],
];

/** Instructions of one operand, by what follows the type in their names. */
const UNARY =
  /^(?:eqz|clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|not|splat|any_true|all_true|bitmask)$|^(?:wrap|trunc|extend|convert|demote|promote|reinterpret|extadd|extract_lane)_?/;

function immediateOf(name: string): Immediate {
  if (/\.(?:load|store)\d*_lane$/.test(name)) return 'memory-lane';
  if (/\.(?:load|store)/.test(name)) return 'memory';
  if (/(?:extract|replace)_lane/.test(name)) return 'lane';
  if (name.endsWith('.shuffle')) return 'lanes';
  return name === 'v128.const' ? 'v128' : 'none';
}

function opcodeOf(name: string): WasmOpcode {
  const immediate = immediateOf(name);
  const plain = name.slice(name.indexOf('.') + 1);
  if (plain.startsWith('store')) return { name, immediate, operands: 2, results: 0 };
  let operands = 2;
  if (immediate === 'memory' || UNARY.test(plain)) operands = 1;
  else if (plain === 'bitselect') operands = 3;
  else if (plain === 'const') operands = 0;
  return { name, immediate, operands, results: 1 };
}

function index(rows: readonly (readonly [number, string])[], into: Map<number, WasmOpcode>): Map<number, WasmOpcode> {
  for (const [first, names] of rows) {
    names.split(' ').forEach((name, i) => {
      if (name !== '-') into.set(first + i, opcodeOf(name));
    });
  }
  return into;
}

const value = (name: string, immediate: Immediate): WasmOpcode => ({ name, immediate, operands: 0, results: 1 });

/** Opcodes of one byte; control instructions and calls, whose operands depend on the module, are not among them. */
export const OPCODES: ReadonlyMap<number, WasmOpcode> = index(
  PLAIN,
  new Map([
    [0x01, { name: 'nop', immediate: 'none', operands: 0, results: 0 }],
    [0x1a, { name: 'drop', immediate: 'none', operands: 1, results: 0 }],
    [0x1b, { name: 'select', immediate: 'none', operands: 3, results: 1 }],
    [0x20, value('local.get', 'local')],
    [0x21, { name: 'local.set', immediate: 'local', operands: 1, results: 0 }],
    [0x22, { name: 'local.tee', immediate: 'local', operands: 1, results: 1 }],
    [0x41, value('i32.const', 'i32')],
    [0x42, value('i64.const', 'i64')],
    [0x43, value('f32.const', 'f32')],
    [0x44, value('f64.const', 'f64')],
  ]),
);
export const SATURATING_OPCODES: ReadonlyMap<number, WasmOpcode> = index(SATURATING, new Map());
export const VECTOR_OPCODES: ReadonlyMap<number, WasmOpcode> = index(VECTOR, new Map());
