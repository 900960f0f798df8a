// IR operations that only A64 is lifted to, as text: selects, bit fields, wide products, conditional compares, pairs.

import * as IR from '../../assembly/ir/ops.js';

/** What they need of ir-text.ts. */
export interface IntegerText {
  readonly d: number;
  readonly a: number;
  readonly b: number;
  readonly imm: bigint;
  readonly slot: (slot: number, size: number) => string;
  readonly condition: (cc: number) => string;
}

const hex = (n: bigint): string => `0x${n.toString(16)}`;

/** Operations of two 64-bit results and operands, by opcode. */
const PLAIN: Record<number, readonly [string, number]> = {
  [IR.OP_CLZ32]: ['clz32', 1],
  [IR.OP_CLZ64]: ['clz64', 1],
  [IR.OP_RBIT64]: ['reverse bits', 1],
  [IR.OP_SMULL]: ['mul32.sx', 2],
  [IR.OP_UMULL]: ['mul32.zx', 2],
  [IR.OP_SMULH]: ['mulhigh64.s', 2],
  [IR.OP_UMULH]: ['mulhigh64.u', 2],
  [IR.OP_UDIV + 2]: ['div32.u', 2],
  [IR.OP_UDIV + 3]: ['div64.u', 2],
  [IR.OP_SDIV + 2]: ['div32.s', 2],
  [IR.OP_SDIV + 3]: ['div64.s', 2],
};

/** Pairs by opcode: load?, log2 of the size. */
const PAIRS = new Map<number, readonly [boolean, number]>(
  [2, 3, 4].flatMap((size): [number, readonly [boolean, number]][] => [
    [IR.OP_LDP + size, [true, size]],
    [IR.OP_STP + size, [false, size]],
  ]),
);

/** The line of an operation of these, or undefined for any other. */
export function integerText(opcode: number, t: IntegerText): string | undefined {
  const { d, a, b, imm, slot, condition } = t;
  const plain = PLAIN[opcode];
  if (plain)
    return `${slot(d, 3)} = ${plain[0]} ${[a, b]
      .slice(0, plain[1])
      .map((s) => slot(s, 3))
      .join(', ')}`;
  const pair = PAIRS.get(opcode);
  if (pair) {
    const [load, size] = pair;
    const disp = BigInt.asIntN(32, imm);
    const where = `[${slot(a, 3)}${disp < 0n ? ` - ${hex(-disp)}` : disp ? ` + ${hex(disp)}` : ''}]`;
    const both = `${slot(d, size)}, ${slot(b, size)}`;
    return load ? `${both} = load pair ${where}` : `store pair ${where}, ${both}`;
  }
  switch (opcode) {
    case IR.OP_SETCC64:
      return `${slot(d, 3)} = ${condition(Number(imm))} ? 1 : 0`;
    case IR.OP_SEL + 2:
    case IR.OP_SEL + 3: {
      const size = opcode - IR.OP_SEL;
      return `${slot(d, size)} = ${condition(Number(imm))} ? ${slot(a, size)} : ${slot(b, size)}`;
    }
    case IR.OP_FIELD:
      return `${slot(d, 3)} = (${slot(a, 3)} rol ${b}) & ${hex(imm)}`;
    case IR.OP_INSERT32:
    case IR.OP_INSERT64:
      return `${slot(d, opcode === IR.OP_INSERT32 ? 2 : 3)}, bits ${hex(imm)} = ${slot(a, 3)} rol ${b}`;
    case IR.OP_CCMP + 2:
    case IR.OP_CCMP + 3:
    case IR.OP_CCMN + 2:
    case IR.OP_CCMN + 3: {
      const minus = opcode < IR.OP_CCMN + 2;
      const size = opcode - (minus ? IR.OP_CCMP : IR.OP_CCMN);
      const compare = `${minus ? 'cmp' : 'cmn'}${8 << size} ${slot(a, size)}, ${slot(b, size)}`;
      return `if ${condition(d)}: ${compare}, else flags ${hex(imm)}  ; sets flags`;
    }
    case IR.OP_JZ:
      return `if ${slot(a, b)} == 0: goto ${hex(imm)}`;
    default:
      return undefined;
  }
}
