// A64 loads and stores as text (Arm ARM C4.1.66), but for SIMD structures (vector-memory.ts).

import { bits } from './fields.js';
import { binary, type Row, row } from './row.js';

const D = 'xxxxx';
/** Register fields that should be ones, and are not looked at. */
const IGNORED = 'xxxxx';
const rt = (w: number) => bits(w, 0, 5);
const optionOk = (w: number) => bits(w, 14, 1) === 1;
const even = (w: number) => (bits(w, 16, 1) | bits(w, 0, 1)) === 0;

/** Name (without LDR/STR's "r"), size, opc, and the register transferred. */
const SINGLE: readonly (readonly [string, number, number, string])[] = [
  ['st/b', 0, 0, 'Wd'],
  ['ld/b', 0, 1, 'Wd'],
  ['ld/sb', 0, 2, 'Xd'],
  ['ld/sb', 0, 3, 'Wd'],
  ['st/h', 1, 0, 'Wd'],
  ['ld/h', 1, 1, 'Wd'],
  ['ld/sh', 1, 2, 'Xd'],
  ['ld/sh', 1, 3, 'Wd'],
  ['st/', 2, 0, 'Wd'],
  ['ld/', 2, 1, 'Wd'],
  ['ld/sw', 2, 2, 'Xd'],
  ['st/', 3, 0, 'Xd'],
  ['ld/', 3, 1, 'Xd'],
];

function single(): Row[] {
  return SINGLE.flatMap(([name, size, opc, t]) => {
    const head = `${binary(size, 2)} 111 0`;
    const op = binary(opc, 2);
    const plain = name.replace('/', 'r');
    return [
      row(`${head} 01 ${op} ${'x'.repeat(12)} ${D} ${D}`, `${plain} {${t}}, {uoffset}`),
      row(`${head} 00 ${op} 0 xxxxxxxxx 00 ${D} ${D}`, `${name.replace('/', 'ur')} {${t}}, {offset9}`),
      row(`${head} 00 ${op} 0 xxxxxxxxx 01 ${D} ${D}`, `${plain} {${t}}, {post9}`),
      row(`${head} 00 ${op} 0 xxxxxxxxx 10 ${D} ${D}`, `${name.replace('/', 'tr')} {${t}}, {offset9}`),
      row(`${head} 00 ${op} 0 xxxxxxxxx 11 ${D} ${D}`, `${plain} {${t}}, {pre9}`),
      row(`${head} 00 ${op} 1 ${D} xxx x 10 ${D} ${D}`, `${plain} {${t}}, {indexed}`, optionOk),
    ];
  });
}

function vectorSingle(): Row[] {
  const ok = (w: number) => bits(w, 23, 1) === 0 || bits(w, 30, 2) === 0;
  return ['st', 'ld'].flatMap((name, load) => {
    const head = 'xx 111 1';
    return [
      row(`${head} 01 x${load} ${'x'.repeat(12)} ${D} ${D}`, `${name}r {Ft}, {uoffset}`, ok),
      row(`${head} 00 x${load} 0 xxxxxxxxx 00 ${D} ${D}`, `${name}ur {Ft}, {offset9}`, ok),
      row(`${head} 00 x${load} 0 xxxxxxxxx 01 ${D} ${D}`, `${name}r {Ft}, {post9}`, ok),
      row(`${head} 00 x${load} 0 xxxxxxxxx 11 ${D} ${D}`, `${name}r {Ft}, {pre9}`, ok),
      row(`${head} 00 x${load} 1 ${D} xxx x 10 ${D} ${D}`, `${name}r {Ft}, {indexed}`, (w) => ok(w) && optionOk(w)),
    ];
  });
}

function literalAndPrefetch(): Row[] {
  const imm19 = 'x'.repeat(19);
  return [
    row(`00 011 0 00 ${imm19} ${D}`, 'ldr {Wd}, {label19}'),
    row(`01 011 0 00 ${imm19} ${D}`, 'ldr {Xd}, {label19}'),
    row(`10 011 0 00 ${imm19} ${D}`, 'ldrsw {Xd}, {label19}'),
    row(`11 011 0 00 ${imm19} ${D}`, 'prfm {prfop}, {label19}'),
    row(`xx 011 1 00 ${imm19} ${D}`, 'ldr {Fp}, {label19}', (w) => bits(w, 30, 2) !== 3),
    row(`11 111 0 01 10 ${'x'.repeat(12)} ${D} ${D}`, 'prfm {prfop}, {uoffset}'),
    row(`11 111 0 00 10 0 xxxxxxxxx 00 ${D} ${D}`, 'prfum {prfop}, {offset9}'),
    row(`11 111 0 00 10 1 ${D} xxx x 10 ${D} ${D}`, 'prfm {prfop}, {indexed}', optionOk),
  ];
}

const PAIR_MODES: readonly (readonly [string, string])[] = [
  ['00', 'offset7'],
  ['01', 'post7'],
  ['10', 'offset7'],
  ['11', 'pre7'],
];

/** Two registers, and a base to be written back that is neither (CONSTRAINED UNPREDICTABLE otherwise). */
function distinct(w: number): boolean {
  const [t, t2, n] = [bits(w, 0, 5), bits(w, 10, 5), bits(w, 5, 5)];
  return t !== t2 && (bits(w, 23, 1) === 0 || n === 31 || (n !== t && n !== t2));
}

function pairs(): Row[] {
  return PAIR_MODES.flatMap(([mode, address]) => {
    const rest = `xxxxxxx ${D} ${D} ${D}`;
    const temporal = mode === '00';
    const rows = ['st', 'ld'].flatMap((name, load) => {
      const mnemonic = `${name}${temporal ? 'n' : ''}p`;
      return [
        row(`00 101 0 0${mode} ${load} ${rest}`, `${mnemonic} {Wd}, {Wt2}, {${address}}`),
        row(`10 101 0 0${mode} ${load} ${rest}`, `${mnemonic} {Xd}, {Xa}, {${address}}`),
        row(`xx 101 1 0${mode} ${load} ${rest}`, `${mnemonic} {Fp}, {Fp2}, {${address}}`, (w) => bits(w, 30, 2) !== 3),
      ];
    });
    if (!temporal) rows.push(row(`01 101 0 0${mode} 1 ${rest}`, `ldpsw {Xd}, {Xa}, {${address}}`, distinct));
    return rows;
  });
}

const SIZES = ['b', 'h', '', ''];

function exclusive(): Row[] {
  return [0, 1, 2, 3].flatMap((size) => {
    const suffix = SIZES[size];
    const t = size === 3 ? 'Xd' : 'Wd';
    const head = `${binary(size, 2)} 001000`;
    const rows = [
      row(`${head} 0 0 0 ${D} 0 ${IGNORED} ${D} ${D}`, `stxr${suffix} {Wm}, {${t}}, {base}`),
      row(`${head} 0 0 0 ${D} 1 ${IGNORED} ${D} ${D}`, `stlxr${suffix} {Wm}, {${t}}, {base}`),
      row(`${head} 0 1 0 ${IGNORED} 0 ${IGNORED} ${D} ${D}`, `ldxr${suffix} {${t}}, {base}`),
      row(`${head} 0 1 0 ${IGNORED} 1 ${IGNORED} ${D} ${D}`, `ldaxr${suffix} {${t}}, {base}`),
      row(`${head} 1 0 0 ${IGNORED} 1 ${IGNORED} ${D} ${D}`, `stlr${suffix} {${t}}, {base}`),
      row(`${head} 1 1 0 11111 1 11111 ${D} ${D}`, `ldar${suffix} {${t}}, {base}`),
    ];
    for (const order of ORDERS) {
      const s = size === 3 ? 'Xm' : 'Wm';
      rows.push(
        row(
          `${head} 1 ${order.a} 1 ${D} ${order.r} 11111 ${D} ${D}`,
          `cas${order.name}${suffix} {${s}}, {${t}}, {base}`,
        ),
      );
      if (size >= 2) continue;
      rows.push(
        row(
          `${head} 0 ${order.a} 1 ${D} ${order.r} 11111 ${D} ${D}`,
          `casp${order.name} {Rs}, {Rs+1}, {Rt}, {Rt+1}, {base}`,
          even,
        ),
      );
    }
    if (size < 2) return rows;
    rows.push(
      row(`${head} 0 0 1 ${D} 0 ${D} ${D} ${D}`, 'stxp {Wm}, {Rt}, {Rt2}, {base}'),
      row(`${head} 0 0 1 ${D} 1 ${D} ${D} ${D}`, 'stlxp {Wm}, {Rt}, {Rt2}, {base}'),
      row(`${head} 0 1 1 ${IGNORED} 0 ${D} ${D} ${D}`, 'ldxp {Rt}, {Rt2}, {base}'),
      row(`${head} 0 1 1 ${IGNORED} 1 ${D} ${D} ${D}`, 'ldaxp {Rt}, {Rt2}, {base}'),
    );
    return rows;
  });
}

/** Acquire and release bits, and the mnemonic's letters for them. */
const ORDERS = [
  { a: 0, r: 0, name: '' },
  { a: 0, r: 1, name: 'l' },
  { a: 1, r: 0, name: 'a' },
  { a: 1, r: 1, name: 'al' },
];
const ATOMICS = ['add', 'clr', 'eor', 'set', 'smax', 'smin', 'umax', 'umin'];

function atomic(): Row[] {
  return [0, 1, 2, 3].flatMap((size) =>
    ORDERS.flatMap((order) => {
      const head = `${binary(size, 2)} 111000 ${order.a}${order.r} 1 ${D}`;
      const suffix = order.name + SIZES[size];
      const x = size === 3 ? 'X' : 'W';
      return [
        ...ATOMICS.flatMap((name, op) => [
          row(
            `${head} 0 ${binary(op, 3)} 00 ${D} ${D}`,
            `st${name}${suffix} {${x}m}, {base}`,
            (w) => order.a === 0 && rt(w) === 31,
          ),
          row(`${head} 0 ${binary(op, 3)} 00 ${D} ${D}`, `ld${name}${suffix} {${x}m}, {${x}d}, {base}`),
        ]),
        row(`${head} 1 000 00 ${D} ${D}`, `swp${suffix} {${x}m}, {${x}d}, {base}`),
      ];
    }),
  );
}

export const MEMORY: readonly Row[] = [
  ...single(),
  ...vectorSingle(),
  ...literalAndPrefetch(),
  ...pairs(),
  ...exclusive(),
  ...atomic(),
];
