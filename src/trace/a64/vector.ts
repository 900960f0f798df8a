// A64 Advanced SIMD data processing as text (Arm ARM C4.1.68).

import { bits } from './fields.js';
import { binary, type Row, row } from './row.js';
import { arrangement, shiftSize, VECTOR_TOKENS } from './vector-fields.js';

const D = 'xxxxx';
const size = (w: number) => bits(w, 22, 2);
const q = (w: number) => bits(w, 30, 1);
const sz = (w: number) => bits(w, 22, 1);
type Test = (w: number) => boolean;
const any: Test = () => true;
const notDouble: Test = (w) => size(w) < 3;
/** 64-bit lanes need all 128 bits. */
const full: Test = (w) => size(w) < 3 || q(w) === 1;
const fullFloat: Test = (w) => sz(w) === 0 || q(w) === 1;
const halfOrWord: Test = (w) => size(w) === 1 || size(w) === 2;
const bytes: Test = (w) => size(w) === 0;
const doubles: Test = (w) => size(w) === 3;

const TOKENS = {
  ...VECTOR_TOKENS,
  2: (w: number) => (q(w) ? '2' : ''),
  'Vd.Sx': (w: number) => `v${bits(w, 0, 5)}.${arrangement(2, q(w))}`,
  'Vd.Hx': (w: number) => `v${bits(w, 0, 5)}.${arrangement(1, q(w))}`,
  'Vn.pair': (w: number) => `v${bits(w, 5, 5)}.2${'sd'[sz(w)]}`,
};
const v = (pattern: string, template: string, when: Test = any) => row(pattern, template, when, TOKENS);

/** [U, opcode, mnemonic, condition]. */
type Entry = readonly [u: number, opcode: number, name: string, when?: Test];
/** The same with bit 23, "a", of FP instructions. */
type FloatEntry = readonly [u: number, a: number, opcode: number, name: string, when?: Test];

const SAME: readonly Entry[] = [
  ...(['shadd', 'sqadd', 'srhadd', '', 'shsub', 'sqsub', 'cmgt', 'cmge'] as const).map((n, i): Entry => [0, i, n]),
  ...(['uhadd', 'uqadd', 'urhadd', '', 'uhsub', 'uqsub', 'cmhi', 'cmhs'] as const).map((n, i): Entry => [1, i, n]),
  ...(['shl', 'qshl', 'rshl', 'qrshl', 'max', 'min', 'abd', 'aba'] as const).flatMap((n, i): Entry[] => [
    [0, 8 + i, `s${n}`],
    [1, 8 + i, `u${n}`],
  ]),
  ...(['add', 'cmtst', 'mla', 'mul', 'smaxp', 'sminp', 'sqdmulh', 'addp'] as const).map(
    (n, i): Entry => [0, 16 + i, n],
  ),
  ...(['sub', 'cmeq', 'mls', 'pmul', 'umaxp', 'uminp', 'sqrdmulh', ''] as const).map((n, i): Entry => [1, 16 + i, n]),
];
const NOT_DOUBLE = new Set([0, 2, 4, 12, 13, 14, 15, 18, 19, 20, 21]);

function sameCondition([, opcode, name]: Entry): Test {
  if (name === 'pmul') return bytes;
  if (opcode === 22) return halfOrWord;
  return NOT_DOUBLE.has(opcode) ? notDouble : full;
}

const SAME_FLOAT: readonly FloatEntry[] = [
  ...[0, 1].flatMap((a): FloatEntry[] => {
    const m = a ? 'min' : 'max';
    return [
      [0, a, 24, `f${m}nm`],
      [0, a, 25, a ? 'fmls' : 'fmla'],
      [0, a, 26, a ? 'fsub' : 'fadd'],
      [0, a, 30, `f${m}`],
      [0, a, 31, a ? 'frsqrts' : 'frecps'],
      [1, a, 24, `f${m}nmp`],
      [1, a, 28, a ? 'fcmgt' : 'fcmge'],
      [1, a, 29, a ? 'facgt' : 'facge'],
      [1, a, 30, `f${m}p`],
    ];
  }),
  [0, 0, 27, 'fmulx'],
  [0, 0, 28, 'fcmeq'],
  [1, 0, 26, 'faddp'],
  [1, 1, 26, 'fabd'],
  [1, 0, 27, 'fmul'],
  [1, 0, 31, 'fdiv'],
];
const LOGIC = [
  ['and', 'bic', 'orr', 'orn'],
  ['eor', 'bsl', 'bit', 'bif'],
];

function threeSame(): Row[] {
  const scalar = new Set([1, 5, 6, 7, 8, 9, 10, 11, 16, 17, 22]);
  const saturating = new Set([1, 5, 9, 11]);
  const scalarFloat = new Set(['fmulx', 'fcmeq', 'frecps', 'frsqrts', 'fcmge', 'facge', 'fabd', 'fcmgt', 'facgt']);
  return [
    v(`0 x 0 01110 10 1 ${D} 00011 1 ${D} ${D}`, 'mov {Vd.B}, {Vn.B}', (w) => bits(w, 16, 5) === bits(w, 5, 5)),
    ...LOGIC.flatMap((names, u) =>
      names.map((name, s) =>
        v(`0 x ${u} 01110 ${binary(s, 2)} 1 ${D} 00011 1 ${D} ${D}`, `${name} {Vd.B}, {Vn.B}, {Vm.B}`),
      ),
    ),
    ...SAME.filter(([, , name]) => name !== '').flatMap((entry) => {
      const [u, opcode, name] = entry;
      const rows = [
        v(
          `0 x ${u} 01110 xx 1 ${D} ${binary(opcode, 5)} 1 ${D} ${D}`,
          `${name} {Vd.T}, {Vn.T}, {Vm.T}`,
          sameCondition(entry),
        ),
      ];
      if (scalar.has(opcode)) {
        const when = saturating.has(opcode) ? any : opcode === 22 ? halfOrWord : doubles;
        rows.push(
          v(`01 ${u} 11110 xx 1 ${D} ${binary(opcode, 5)} 1 ${D} ${D}`, `${name} {sd.T}, {sn.T}, {sm.T}`, when),
        );
      }
      return rows;
    }),
    ...SAME_FLOAT.flatMap(([u, a, opcode, name]) => [
      v(`0 x ${u} 01110 ${a}x 1 ${D} ${binary(opcode, 5)} 1 ${D} ${D}`, `${name} {Vd.F}, {Vn.F}, {Vm.F}`, fullFloat),
      ...(scalarFloat.has(name)
        ? [v(`01 ${u} 11110 ${a}x 1 ${D} ${binary(opcode, 5)} 1 ${D} ${D}`, `${name} {sd.F}, {sn.F}, {sm.F}`)]
        : []),
    ]),
  ];
}

/** Two registers, same arrangement; "#0" at the end of a name: compared with zero. */
const MISC: readonly (readonly [u: number, opcode: number, name: string, when: Test, scalar?: Test])[] = [
  [0, 0, 'rev64', notDouble],
  [1, 0, 'rev32', (w) => size(w) < 2],
  [0, 1, 'rev16', bytes],
  [0, 3, 'suqadd', full, any],
  [1, 3, 'usqadd', full, any],
  [0, 4, 'cls', notDouble],
  [1, 4, 'clz', notDouble],
  [0, 5, 'cnt', bytes],
  [0, 7, 'sqabs', full, any],
  [1, 7, 'sqneg', full, any],
  [0, 8, 'cmgt #0', full, doubles],
  [1, 8, 'cmge #0', full, doubles],
  [0, 9, 'cmeq #0', full, doubles],
  [1, 9, 'cmle #0', full, doubles],
  [0, 10, 'cmlt #0', full, doubles],
  [0, 11, 'abs', full, doubles],
  [1, 11, 'neg', full, doubles],
];
const MISC_FLOAT: readonly (readonly [u: number, a: number, opcode: number, name: string, scalar?: boolean])[] = [
  [0, 1, 12, 'fcmgt #0.0', true],
  [1, 1, 12, 'fcmge #0.0', true],
  [0, 1, 13, 'fcmeq #0.0', true],
  [1, 1, 13, 'fcmle #0.0', true],
  [0, 1, 14, 'fcmlt #0.0', true],
  [0, 1, 15, 'fabs'],
  [1, 1, 15, 'fneg'],
  [0, 0, 24, 'frintn'],
  [1, 0, 24, 'frinta'],
  [0, 1, 24, 'frintp'],
  [0, 0, 25, 'frintm'],
  [1, 0, 25, 'frintx'],
  [0, 1, 25, 'frintz'],
  [1, 1, 25, 'frinti'],
  ...[0, 1].flatMap((u) => {
    const s = u ? 'u' : 's';
    return [
      [u, 0, 26, `fcvtn${s}`, true],
      [u, 0, 27, `fcvtm${s}`, true],
      [u, 0, 28, `fcvta${s}`, true],
      [u, 0, 29, `${s}cvtf`, true],
      [u, 1, 26, `fcvtp${s}`, true],
      [u, 1, 27, `fcvtz${s}`, true],
      [u, 1, 29, u ? 'frsqrte' : 'frecpe', true],
    ] as const;
  }),
  [1, 1, 31, 'fsqrt'],
];
/** "cmgt #0" → the mnemonic and what follows the registers. */
const withZero = (name: string, operands: string) => {
  const [mnemonic, zero] = name.split(' ');
  return `${mnemonic} ${operands}${zero === undefined ? '' : `, ${zero}`}`;
};

function twoRegister(): Row[] {
  const head = (u: number, s: string, opcode: number) => `0 x ${u} 01110 ${s} 10000 ${binary(opcode, 5)} 10 ${D} ${D}`;
  const scalar = (u: number, s: string, opcode: number) => `01 ${u} 11110 ${s} 10000 ${binary(opcode, 5)} 10 ${D} ${D}`;
  return [
    ...MISC.flatMap(([u, opcode, name, when, inScalar]) => [
      v(head(u, 'xx', opcode), withZero(name, '{Vd.T}, {Vn.T}'), when),
      ...(inScalar ? [v(scalar(u, 'xx', opcode), withZero(name, '{sd.T}, {sn.T}'), inScalar)] : []),
    ]),
    ...MISC_FLOAT.flatMap(([u, a, opcode, name, inScalar]) => [
      v(head(u, `${a}x`, opcode), withZero(name, '{Vd.F}, {Vn.F}'), fullFloat),
      ...(inScalar ? [v(scalar(u, `${a}x`, opcode), withZero(name, '{sd.F}, {sn.F}'))] : []),
    ]),
    v(scalar(0, '1x', 31), 'frecpx {sd.F}, {sn.F}'),
    v(head(0, '10', 28), 'urecpe {Vd.T}, {Vn.T}'),
    v(head(1, '10', 28), 'ursqrte {Vd.T}, {Vn.T}'),
    v(head(1, '00', 5), 'mvn {Vd.B}, {Vn.B}'),
    v(head(1, '01', 5), 'rbit {Vd.B}, {Vn.B}'),
    ...['s', 'u'].flatMap((s, u) => [
      v(head(u, 'xx', 2), `${s}addlp {Vd.LP}, {Vn.T}`, notDouble),
      v(head(u, 'xx', 6), `${s}adalp {Vd.LP}, {Vn.T}`, notDouble),
      v(head(u, 'xx', 20), `${s}qxtn{2} {Vd.T}, {Vn.L}`, notDouble),
      v(scalar(u, 'xx', 20), `${s}qxtn {sd.T}, {sn.L}`, notDouble),
    ]),
    v(head(0, 'xx', 18), 'xtn{2} {Vd.T}, {Vn.L}', notDouble),
    v(head(1, 'xx', 18), 'sqxtun{2} {Vd.T}, {Vn.L}', notDouble),
    v(scalar(1, 'xx', 18), 'sqxtun {sd.T}, {sn.L}', notDouble),
    v(head(1, 'xx', 19), 'shll{2} {Vd.L}, {Vn.T}, {widths}', notDouble),
    v(head(0, '0x', 22), 'fcvtn{2} {Vd.FN}, {Vn.FL}'),
    v(head(0, '0x', 23), 'fcvtl{2} {Vd.FL}, {Vn.FN}'),
    v(head(1, '01', 22), 'fcvtxn{2} {Vd.FN}, {Vn.FL}'),
    v(scalar(1, '01', 22), 'fcvtxn {Sd}, {Dn}'),
  ];
}

function acrossLanes(): Row[] {
  const ok: Test = (w) => size(w) < 2 || (size(w) === 2 && q(w) === 1);
  const head = (u: number, s: string, opcode: number) => `0 x ${u} 01110 ${s} 11000 ${binary(opcode, 5)} 10 ${D} ${D}`;
  const word: Test = (w) => q(w) === 1 && sz(w) === 0;
  return [
    ...['s', 'u'].flatMap((s, u) => [
      v(head(u, 'xx', 3), `${s}addlv {sd.L}, {Vn.T}`, ok),
      v(head(u, 'xx', 10), `${s}maxv {sd.T}, {Vn.T}`, ok),
      v(head(u, 'xx', 26), `${s}minv {sd.T}, {Vn.T}`, ok),
    ]),
    v(head(0, 'xx', 27), 'addv {sd.T}, {Vn.T}', ok),
    ...['max', 'min'].flatMap((m, a) => [
      v(head(1, `${a}x`, 12), `f${m}nmv {sd.F}, {Vn.F}`, word),
      v(head(1, `${a}x`, 15), `f${m}v {sd.F}, {Vn.F}`, word),
      v(`01 1 11110 ${a}x 11000 01100 10 ${D} ${D}`, `f${m}nmp {sd.F}, {Vn.pair}`),
      v(`01 1 11110 ${a}x 11000 01111 10 ${D} ${D}`, `f${m}p {sd.F}, {Vn.pair}`),
    ]),
    v(`01 1 11110 0x 11000 01101 10 ${D} ${D}`, 'faddp {sd.F}, {Vn.pair}'),
    v(`01 0 11110 11 11000 11011 10 ${D} ${D}`, 'addp {Dd}, {Vn.2d}'),
  ];
}

const LONG = ['addl', 'addw', 'subl', 'subw', '', 'abal', '', 'abdl', 'mlal', '', 'mlsl', '', 'mull'];

function threeDifferent(): Row[] {
  const head = (u: number, s: string, opcode: number) => `0 x ${u} 01110 ${s} 1 ${D} ${binary(opcode, 4)} 00 ${D} ${D}`;
  return [
    ...['s', 'u'].flatMap((s, u) =>
      LONG.map((name, opcode) => ({ name, opcode }))
        .filter(({ name }) => name !== '')
        .map(({ name, opcode }) => {
          const n = name.endsWith('w') ? 'Vn.L' : 'Vn.T';
          return v(head(u, 'xx', opcode), `${s}${name}{2} {Vd.L}, {${n}}, {Vm.T}`, notDouble);
        }),
    ),
    ...['', 'r'].flatMap((r, u) => [
      v(head(u, 'xx', 4), `${r}addhn{2} {Vd.T}, {Vn.L}, {Vm.L}`, notDouble),
      v(head(u, 'xx', 6), `${r}subhn{2} {Vd.T}, {Vn.L}, {Vm.L}`, notDouble),
    ]),
    ...['al', 'sl', 'ull'].flatMap((name, i) => {
      const mnemonic = name === 'ull' ? 'sqdmull' : `sqdml${name}`;
      return [
        v(head(0, 'xx', 9 + 2 * i), `${mnemonic}{2} {Vd.L}, {Vn.T}, {Vm.T}`, halfOrWord),
        v(
          `01 0 11110 xx 1 ${D} ${binary(9 + 2 * i, 4)} 00 ${D} ${D}`,
          `${mnemonic} {sd.L}, {sn.T}, {sm.T}`,
          halfOrWord,
        ),
      ];
    }),
    v(head(0, '00', 14), 'pmull{2} {Vd.8h}, {Vn.T}, {Vm.T}'),
    v(head(0, '11', 14), 'pmull{2} {Vd.1q}, {Vn.T}, {Vm.T}'),
  ];
}

const ELEMENT: readonly (readonly [u: number, opcode: number, name: string])[] = [
  [0, 8, 'mul'],
  [1, 0, 'mla'],
  [1, 4, 'mls'],
  [0, 12, 'sqdmulh'],
  [0, 13, 'sqrdmulh'],
];
const ELEMENT_LONG: readonly (readonly [u: number, opcode: number, name: string])[] = [
  [0, 2, 'smlal'],
  [1, 2, 'umlal'],
  [0, 6, 'smlsl'],
  [1, 6, 'umlsl'],
  [0, 10, 'smull'],
  [1, 10, 'umull'],
  [0, 3, 'sqdmlal'],
  [0, 7, 'sqdmlsl'],
  [0, 11, 'sqdmull'],
];
const ELEMENT_FLOAT: readonly (readonly [u: number, opcode: number, name: string])[] = [
  [0, 1, 'fmla'],
  [0, 5, 'fmls'],
  [0, 9, 'fmul'],
  [1, 9, 'fmulx'],
];

function byElement(): Row[] {
  const head = (u: number, s: string, opcode: number) =>
    `0 x ${u} 01111 ${s} xx xxxx ${binary(opcode, 4)} x 0 ${D} ${D}`;
  const scalar = (u: number, s: string, opcode: number) =>
    `01 ${u} 11111 ${s} xx xxxx ${binary(opcode, 4)} x 0 ${D} ${D}`;
  /** 64-bit elements: L is zero, all 128 bits. */
  const float: Test = (w) => sz(w) === 0 || bits(w, 21, 1) === 0;
  return [
    ...ELEMENT.flatMap(([u, opcode, name]) => [
      v(head(u, 'xx', opcode), `${name} {Vd.T}, {Vn.T}, {el.T}`, halfOrWord),
      ...(opcode >= 12 ? [v(scalar(u, 'xx', opcode), `${name} {sd.T}, {sn.T}, {el.T}`, halfOrWord)] : []),
    ]),
    ...ELEMENT_LONG.flatMap(([u, opcode, name]) => [
      v(head(u, 'xx', opcode), `${name}{2} {Vd.L}, {Vn.T}, {el.T}`, halfOrWord),
      ...(opcode & 1 ? [v(scalar(u, 'xx', opcode), `${name} {sd.L}, {sn.T}, {el.T}`, halfOrWord)] : []),
    ]),
    ...ELEMENT_FLOAT.flatMap(([u, opcode, name]) => [
      v(head(u, '1x', opcode), `${name} {Vd.F}, {Vn.F}, {el.F}`, (w) => float(w) && fullFloat(w)),
      v(scalar(u, '1x', opcode), `${name} {sd.F}, {sn.F}, {el.F}`, float),
    ]),
  ];
}

function copies(): Row[] {
  const lane = (w: number) => 31 - Math.clz32(bits(w, 16, 5) & -bits(w, 16, 5));
  const ok: Test = (w) => bits(w, 16, 4) !== 0 && (lane(w) < 3 || q(w) === 1);
  const whole: Test = (w) => bits(w, 16, 4) !== 0;
  const head = (qop: string, imm4: string) => `0 ${qop} 01110000 xxxxx 0 ${imm4} 1 ${D} ${D}`;
  return [
    v(head('x 0', '0000'), 'dup {Vd.lane}, {laneN}', ok),
    v(head('x 0', '0001'), 'dup {Vd.lane}, {laneGn}', ok),
    v(head('1 0', '0011'), 'mov {laneD}, {laneGn}', whole),
    v(head('x 0', '0101'), 'smov {laneGd}, {laneN}', (w) => whole(w) && lane(w) < 2 + q(w)),
    v(head('x 0', '0111'), 'mov {laneGd}, {laneN}', (w) => whole(w) && lane(w) === 2 + q(w)),
    v(head('0 0', '0111'), 'umov {laneGd}, {laneN}', (w) => whole(w) && lane(w) < 2),
    v(head('1 1', 'xxxx'), 'mov {laneD}, {laneN4}', whole),
    v(`01 0 11110000 xxxxx 0 0000 1 ${D} ${D}`, 'mov {laneSd}, {laneN}', whole),
  ];
}

function permute(): Row[] {
  return [
    ...['', 'uzp1', 'trn1', 'zip1', '', 'uzp2', 'trn2', 'zip2']
      .map((name, opcode) => ({ name, opcode }))
      .filter(({ name }) => name !== '')
      .map(({ name, opcode }) =>
        v(`0 x 001110 xx 0 ${D} 0 ${binary(opcode, 3)} 10 ${D} ${D}`, `${name} {Vd.T}, {Vn.T}, {Vm.T}`, full),
      ),
    v(
      `0 x 101110 000 ${D} 0 xxxx 0 ${D} ${D}`,
      'ext {Vd.B}, {Vn.B}, {Vm.B}, {extIndex}',
      (w) => q(w) === 1 || bits(w, 14, 1) === 0,
    ),
    v(`0 x 001110 000 ${D} 0 xx 0 00 ${D} ${D}`, 'tbl {Vd.B}, {table}, {Vm.B}'),
    v(`0 x 001110 000 ${D} 0 xx 1 00 ${D} ${D}`, 'tbx {Vd.B}, {table}, {Vm.B}'),
  ];
}

function immediates(): Row[] {
  const head = (qop: string, cmode: string) => `0 ${qop} 0111100000 xxx ${cmode} 01 ${D} ${D}`;
  return [
    ...['movi', 'mvni'].flatMap((name, op) => [
      v(head(`x ${op}`, '0xx0'), `${name} {Vd.Sx}, {byteShift}`),
      v(head(`x ${op}`, '10x0'), `${name} {Vd.Hx}, {byteShift}`),
      v(head(`x ${op}`, '110x'), `${name} {Vd.Sx}, {byteOnes}`),
    ]),
    ...['orr', 'bic'].flatMap((name, op) => [
      v(head(`x ${op}`, '0xx1'), `${name} {Vd.Sx}, {byteShift}`),
      v(head(`x ${op}`, '10x1'), `${name} {Vd.Hx}, {byteShift}`),
    ]),
    v(head('x 0', '1110'), 'movi {Vd.B}, {byteImm}'),
    v(head('0 1', '1110'), 'movi {Dd}, {byteMask}'),
    v(head('1 1', '1110'), 'movi {Vd.2d}, {byteMask}'),
    v(head('x 0', '1111'), 'fmov {Vd.Sx}, {floatImm}'),
    v(head('1 1', '1111'), 'fmov {Vd.2d}, {floatImm}'),
  ];
}

/** [U, opcode, mnemonic, "right" or "left", also scalar for 64 bits only (d) or any size (s)]. */
const SHIFTS: readonly (readonly [u: number, opcode: number, name: string, way: string, scalar: string])[] = [
  ...['s', 'u'].flatMap((s, u) => [
    [u, 0, `${s}shr`, 'right', 'd'] as const,
    [u, 2, `${s}sra`, 'right', 'd'] as const,
    [u, 4, `${s}rshr`, 'right', 'd'] as const,
    [u, 6, `${s}rsra`, 'right', 'd'] as const,
    [u, 14, `${s}qshl`, 'left', 's'] as const,
  ]),
  [1, 8, 'sri', 'right', 'd'],
  [0, 10, 'shl', 'left', 'd'],
  [1, 10, 'sli', 'left', 'd'],
  [1, 12, 'sqshlu', 'left', 's'],
];
const NARROW: readonly (readonly [u: number, opcode: number, name: string, scalar: boolean])[] = [
  [0, 16, 'shrn', false],
  [0, 17, 'rshrn', false],
  [0, 18, 'sqshrn', true],
  [0, 19, 'sqrshrn', true],
  [1, 16, 'sqshrun', true],
  [1, 17, 'sqrshrun', true],
  [1, 18, 'uqshrn', true],
  [1, 19, 'uqrshrn', true],
];
const FIXED: readonly (readonly [u: number, opcode: number, name: string])[] = [
  [0, 28, 'scvtf'],
  [1, 28, 'ucvtf'],
  [0, 31, 'fcvtzs'],
  [1, 31, 'fcvtzu'],
];

function shifts(): Row[] {
  const head = (u: number, opcode: number) => `0 x ${u} 011110 xxxx xxx ${binary(opcode, 5)} 1 ${D} ${D}`;
  const scalar = (u: number, opcode: number) => `01 ${u} 111110 xxxx xxx ${binary(opcode, 5)} 1 ${D} ${D}`;
  const some: Test = (w) => bits(w, 19, 4) !== 0;
  const ok: Test = (w) => some(w) && (shiftSize(w) < 3 || q(w) === 1);
  const narrow: Test = (w) => some(w) && shiftSize(w) < 3;
  const plain: Test = (w) => narrow(w) && bits(w, 16, 7) === 8 << shiftSize(w);
  return [
    ...SHIFTS.flatMap(([u, opcode, name, way, sc]) => [
      v(head(u, opcode), `${name} {Vd.I}, {Vn.I}, {${way}}`, ok),
      v(scalar(u, opcode), `${name} {sd.I}, {sn.I}, {${way}}`, (w) => some(w) && (sc === 's' || shiftSize(w) === 3)),
    ]),
    ...NARROW.flatMap(([u, opcode, name, sc]) => [
      v(head(u, opcode), `${name}{2} {Vd.I}, {Vn.IL}, {right}`, narrow),
      ...(sc ? [v(scalar(u, opcode), `${name} {sd.I}, {sn.IL}, {right}`, narrow)] : []),
    ]),
    ...['s', 'u'].flatMap((s, u) => [
      v(head(u, 20), `${s}xtl{2} {Vd.IL}, {Vn.I}`, plain),
      v(head(u, 20), `${s}shll{2} {Vd.IL}, {Vn.I}, {left}`, narrow),
    ]),
    ...FIXED.flatMap(([u, opcode, name]) => [
      v(head(u, opcode), `${name} {Vd.I}, {Vn.I}, {right}`, (w) => ok(w) && shiftSize(w) >= 2),
      v(scalar(u, opcode), `${name} {sd.I}, {sn.I}, {right}`, (w) => some(w) && shiftSize(w) >= 2),
    ]),
  ];
}

function cryptography(): Row[] {
  const sha = (op: number) => `01011110 000 ${D} 0 ${binary(op, 3)} 00 ${D} ${D}`;
  return [
    ...['aese', 'aesd', 'aesmc', 'aesimc'].map((name, i) =>
      v(`01001110 00 10100 ${binary(4 + i, 5)} 10 ${D} ${D}`, `${name} {Vd.16b}, {Vn.16b}`),
    ),
    ...['sha1c', 'sha1p', 'sha1m'].map((name, i) => v(sha(i), `${name} {Qd}, {Sn}, {Vm.4s}`)),
    v(sha(3), 'sha1su0 {Vd.4s}, {Vn.4s}, {Vm.4s}'),
    v(sha(4), 'sha256h {Qd}, {Qn}, {Vm.4s}'),
    v(sha(5), 'sha256h2 {Qd}, {Qn}, {Vm.4s}'),
    v(sha(6), 'sha256su1 {Vd.4s}, {Vn.4s}, {Vm.4s}'),
    v(`01011110 00 10100 00000 10 ${D} ${D}`, 'sha1h {Sd}, {Sn}'),
    v(`01011110 00 10100 00001 10 ${D} ${D}`, 'sha1su1 {Vd.4s}, {Vn.4s}'),
    v(`01011110 00 10100 00010 10 ${D} ${D}`, 'sha256su0 {Vd.4s}, {Vn.4s}'),
  ];
}

export const VECTOR: readonly Row[] = [
  ...threeSame(),
  ...twoRegister(),
  ...acrossLanes(),
  ...threeDifferent(),
  ...byElement(),
  ...copies(),
  ...permute(),
  ...immediates(),
  ...shifts(),
  ...cryptography(),
];
