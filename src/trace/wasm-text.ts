// A WebAssembly module of the JIT as text: the folded form of the text format, one statement a line, with names for
// what the module leaves numbered. Alignments, which are all of one byte, are left out.

import { readWasmModule, typeName, type WasmModule, WasmReader, type WasmType } from './wasm-module.js';
import { OPCODES, SATURATING_OPCODES, VECTOR_OPCODES, type WasmOpcode } from './wasm-opcodes.js';

export interface WasmNames {
  /** What the import is called where it comes from. */
  readonly import: (name: string) => string | undefined;
  /** What lies at an address of memory that the code names as a constant. */
  readonly address: (address: number) => string | undefined;
  /** What an i32 constant means. */
  readonly constant?: (value: number) => string | undefined;
  /** The function's parameters. */
  readonly parameters?: readonly string[];
}

/** An expression or statement: its head, and the expressions that it takes its operands from. */
interface Node {
  readonly head: string;
  readonly operands: readonly Node[];
  /** The whole as one line. */
  readonly line: string;
  readonly comment?: string | undefined;
}

function nodeOf(head: string, operands: readonly Node[], comment?: string): Node {
  const line = operands.length ? `(${head} ${operands.map((operand) => operand.line).join(' ')})` : `(${head})`;
  return { head, operands, line, comment };
}

/** What happens at one place of the code, before the operands are put together. */
interface Step {
  readonly head: string;
  readonly operands: number;
  readonly results: number;
  readonly comment?: string;
  /** Blocks: how the indentation changes before and after it. */
  readonly close?: boolean;
  readonly open?: boolean;
  /** END of a block that leaves a value. */
  readonly value?: boolean;
  /** Of LOCAL.SET and LOCAL.GET: which local; of loads: from where. */
  readonly local?: number;
  readonly address?: number;
}

/** Expressions wider than this are broken into lines. */
const WIDTH = 92;

function number(n: bigint): string {
  return n > -0x10000n && n < 0x10000n ? String(n) : n < 0n ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`;
}

/** Reads the code instruction by instruction. */
class Decoder {
  private readonly r: WasmReader;
  /** Labels of the blocks that are open. */
  private readonly labels: string[] = ['$exit'];
  /** Of these, the ones that leave a value. */
  private readonly withValue = new Set<string>();
  private opened = 0;

  constructor(
    private readonly module: WasmModule,
    private readonly names: WasmNames,
    private readonly functionNames: readonly string[],
  ) {
    this.r = new WasmReader(module.code);
  }

  steps(): Step[] {
    const steps: Step[] = [];
    while (this.labels.length > 0) steps.push(this.step());
    // The last END is the function's own.
    steps.pop();
    return steps;
  }

  private block(name: string, operands: number, hint: string): Step {
    const type = typeName(this.r.byte());
    const label = `$${name === 'loop' ? 'loop' : 'b'}${++this.opened}`;
    this.labels.push(label);
    if (type) this.withValue.add(label);
    const result = type ? ` (result ${type})` : '';
    return { head: `${name} ${label}${result}`, operands, results: 0, open: true, comment: hint };
  }

  private end(): Step {
    const label = this.labels.pop() ?? '';
    return { head: 'end', operands: 0, results: 0, close: true, comment: label, value: this.withValue.has(label) };
  }

  private label(): string {
    const depth = this.r.u32();
    return this.labels.at(-1 - depth) ?? `${depth}`;
  }

  private call(type: WasmType, head: string, more = 0): Step {
    return { head, operands: type.params.length + more, results: type.results.length };
  }

  private step(): Step {
    const { r, module } = this;
    const likely = module.hints.get(module.codeOffset + r.at);
    const hint = likely === undefined ? '' : likely ? 'likely' : 'unlikely';
    const code = r.byte();
    switch (code) {
      case 0x00:
        return { head: 'unreachable', operands: 0, results: 0 };
      case 0x02:
        return this.block('block', 0, '');
      case 0x03:
        return this.block('loop', 0, '');
      case 0x04:
        return this.block('if', 1, hint);
      case 0x05:
        return { head: 'else', operands: 0, results: 0, close: true, open: true };
      case 0x0b:
        return this.end();
      case 0x0c:
        return { head: `br ${this.label()}`, operands: 0, results: 0 };
      case 0x0d:
        return { head: `br_if ${this.label()}`, operands: 1, results: 0, comment: hint };
      case 0x0e: {
        const targets = Array.from({ length: r.u32() + 1 }, () => this.label());
        return { head: `br_table ${targets.join(' ')}`, operands: 1, results: 0 };
      }
      case 0x0f:
        return { head: 'return', operands: module.functions.at(-1)!.results.length, results: 0 };
      case 0x10: {
        const f = r.u32();
        const type = module.functions[f];
        if (!type) throw new SyntaxError(`WebAssembly: no function ${f}`);
        return this.call(type, `call ${this.functionNames[f]}`);
      }
      case 0x11: {
        const type = module.types[r.u32()];
        r.u32();
        return this.call(type, 'call_indirect', 1);
      }
      case 0xfc:
        return this.plain(SATURATING_OPCODES.get(r.u32()), code);
      case 0xfd:
        return this.plain(VECTOR_OPCODES.get(r.u32()), code);
      default:
        return this.plain(OPCODES.get(code), code);
    }
  }

  private plain(op: WasmOpcode | undefined, code: number): Step {
    if (!op) throw new SyntaxError(`WebAssembly: unknown opcode 0x${code.toString(16)} at ${this.r.at}`);
    const { r } = this;
    const { name, operands, results } = op;
    const step = (immediate: string) => ({ head: immediate ? `${name} ${immediate}` : name, operands, results });
    switch (op.immediate) {
      case 'none':
        return step('');
      case 'local': {
        const local = r.u32();
        return { head: name, operands, results, local };
      }
      case 'i32': {
        const value = r.signed();
        const known = this.names.constant?.(Number(BigInt.asUintN(32, value)));
        return step(`${number(value)}${known ? ` (;${known};)` : ''}`);
      }
      case 'i64':
        return step(number(r.signed()));
      case 'f32':
        return step(String(r.f32()));
      case 'f64':
        return step(String(r.f64()));
      case 'v128': {
        const bytes = [...r.take(16)].map((byte) => byte.toString(16).padStart(2, '0'));
        const word = (i: number) =>
          `0x${bytes
            .slice(i, i + 4)
            .reverse()
            .join('')}`;
        return step(`i32x4 ${word(0)} ${word(4)} ${word(8)} ${word(12)}`);
      }
      case 'lane':
        return step(String(r.byte()));
      case 'lanes':
        return step([...r.take(16)].join(' '));
      default: {
        r.u32();
        const address = r.u32();
        const known = this.names.address(address);
        const lane = op.immediate === 'memory-lane' ? ` ${r.byte()}` : '';
        const offset = address ? `offset=0x${address.toString(16)}` : '';
        return { ...step(`${offset}${known ? ` (;${known};)` : ''}${lane}`.trim()), address };
      }
    }
  }
}

/** Names for locals that are loaded from a place with a name, each name once. */
function nameLocals(module: WasmModule, steps: readonly Step[], names: WasmNames): string[] {
  const result = module.locals.map((_, i) => `$${names.parameters?.[i] ?? i}`);
  const given = new Set<string>();
  steps.forEach((step, i) => {
    const load = steps[i - 1];
    if (step.local === undefined || step.head !== 'local.set' || load?.address === undefined) return;
    if (steps[i - 2]?.head !== 'i32.const 0' || result[step.local] !== `$${step.local}`) return;
    const name = names.address(load.address);
    if (!name || given.has(name)) return;
    given.add(name);
    result[step.local] = `$${name}`;
  });
  return result;
}

/** Lines of a node, broken where they would be too wide. */
function render(node: Node, indent: string, lines: string[], tail = ''): void {
  const { line } = node;
  const comment = node.comment ? `  ;; ${node.comment}` : '';
  if (indent.length + line.length <= WIDTH || node.operands.length === 0) {
    lines.push(`${indent}${line}${tail}${comment}`);
    return;
  }
  lines.push(`${indent}(${node.head}${comment}`);
  node.operands.forEach((operand, i) => {
    render(operand, `${indent}  `, lines, i === node.operands.length - 1 ? `)${tail}` : '');
  });
}

/** Puts operands to the instructions that take them; statements and blocks in between become lines. */
class Writer {
  readonly lines: string[] = [];
  private depth: number;
  /** Expressions that nothing has taken yet. */
  private pending: Node[] = [];

  constructor(depth: number) {
    this.depth = depth;
  }

  private indent(): string {
    return '  '.repeat(Math.max(0, this.depth));
  }

  private flush(): void {
    for (const node of this.pending) render(node, this.indent(), this.lines);
    this.pending = [];
  }

  add(step: Step): void {
    const folded = step.operands <= this.pending.length;
    if (!folded) this.flush();
    const operands = folded && step.operands ? this.pending.splice(-step.operands) : [];
    const node = nodeOf(step.head, operands, step.comment);
    if (step.results && !step.open) {
      this.pending.push(node);
      return;
    }
    this.flush();
    if (step.close) this.depth--;
    if (step.open || step.close) this.block(node);
    else render(node, this.indent(), this.lines);
    if (step.open) this.depth++;
    // The block's value, for whoever takes it.
    if (step.value) this.pending.push(nodeOf(`;${step.comment};`, []));
  }

  /** Blocks are written flat: `block $b1`, …, `end`. */
  private block(node: Node): void {
    if (node.operands.length > 0) render(node.operands[0], this.indent(), this.lines);
    this.lines.push(`${this.indent()}${node.head}${node.comment ? `  ;; ${node.comment}` : ''}`);
  }

  finish(): readonly string[] {
    this.flush();
    return this.lines;
  }
}

const signature = (type: WasmType): string =>
  [
    ...(type.params.length ? [`(param ${type.params.join(' ')})`] : []),
    ...(type.results.length ? [`(result ${type.results.join(' ')})`] : []),
  ].join(' ');

/** The lines of a module. Throws SyntaxError for anything but a module of the kind that the JIT writes. */
export function wasmText(bytes: Uint8Array, names: WasmNames): string[] {
  const module = readWasmModule(bytes);
  const lines = ['(module'];
  const functionNames: string[] = [];
  for (const { module: from, name, type } of module.imports) {
    const known = `$${names.import(name) ?? name}`;
    if (type) functionNames.push(known);
    lines.push(`  (import "${from}" "${name}" (${type ? `func ${known} ${signature(type)}` : 'memory 0'}))`);
  }
  functionNames.push('$region');
  const own = module.functions.at(-1)!;
  const exported = module.exported === undefined ? '' : ` (export "${module.exported}")`;
  const steps = new Decoder(module, names, functionNames).steps();
  const locals = nameLocals(module, steps, names);
  const declared = (from: number, to: number) =>
    locals.slice(from, to).map((name, i) => `${name} ${module.locals[from + i]}`);
  const params = declared(0, own.params.length).map((local) => ` (param ${local})`);
  lines.push(`  (func $region${exported}${params.join('')} (result ${own.results.join(' ')})`);
  let line = '   ';
  for (const local of declared(own.params.length, locals.length)) {
    if (line.length + local.length > WIDTH) {
      lines.push(line);
      line = '   ';
    }
    line += ` (local ${local})`;
  }
  if (line.trim()) lines.push(line);
  const writer = new Writer(2);
  for (const step of steps) {
    writer.add(step.local === undefined ? step : { ...step, head: `${step.head} ${locals[step.local]}` });
  }
  lines.push(...writer.finish(), '  ))');
  return lines;
}
