// One block of guest code as the guest, the interpreter and WebAssembly have it, laid out for a terminal.

/** An instruction and what it became. */
export interface ExplainedInstruction {
  /** Linear. */
  readonly address: bigint;
  /** Hexadecimal, separated by spaces. */
  readonly bytes: string;
  readonly text: string;
  readonly operations: readonly string[];
}

export interface ExplainedRegion {
  /** Its blocks; the first is where it is entered. */
  readonly blocks: readonly { readonly address: bigint; readonly instructions: readonly ExplainedInstruction[] }[];
  /** It is a baseline region, which is entered at any of its blocks. */
  readonly baseline: boolean;
  /** Bytes of the module. */
  readonly moduleBytes: number;
  readonly wasm: readonly string[];
}

export interface ExplainedBlock {
  readonly address: bigint;
  readonly bits: 16 | 32 | 64;
  readonly physical: number;
  readonly count: number;
  readonly instructions: readonly ExplainedInstruction[];
  readonly region: ExplainedRegion | undefined;
}

const GAP = '  ';
const BYTES_WIDTH = 23;
const WASM_WIDTH = 96;
const IR_WIDTH = 52;
/** Terminals of at least so many columns have guest and IR side by side, and the WebAssembly beside them. */
const TWO_COLUMNS = 110;
const THREE_COLUMNS = 200;

const hex = (n: bigint | number): string => `0x${n.toString(16)}`;
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Cut or filled to `width`. */
function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** What there is to say of the block as a whole, one sentence a line. */
export function describeBlock(block: ExplainedBlock): string[] {
  const bytes = block.instructions.reduce((sum, insn) => sum + insn.bytes.split(' ').length, 0);
  const lines = [
    `block ${hex(block.address)}: ${block.bits}-bit code, ${plural(block.instructions.length, 'instruction')}, ` +
      `${plural(bytes, 'byte')} at physical address ${hex(block.physical)}, executed ${plural(block.count, 'time')} ` +
      'so far, not counting optimized regions',
  ];
  const { region } = block;
  if (region) {
    const others = region.blocks.map((b) => hex(b.address)).join(' ');
    lines.push(
      `compiled as one of ${plural(region.blocks.length, 'block')} to ${plural(region.moduleBytes, 'byte')} of ` +
        `WebAssembly: ${others} ` +
        (region.baseline ? '(a baseline region, entered at any of them)' : '(the first is where it is entered)'),
    );
  } else lines.push('not compiled');
  return lines;
}

function guestText(insn: ExplainedInstruction, withBytes: boolean): string {
  const bytes = withBytes ? `${insn.bytes.padEnd(BYTES_WIDTH)}${GAP}` : '';
  return `${insn.address.toString(16).padStart(8)}:${GAP}${bytes}${insn.text}`;
}

/** The block's own instructions, then those of the blocks compiled with it. */
function parts(block: ExplainedBlock): { title: string; instructions: readonly ExplainedInstruction[] }[] {
  const others = block.region?.blocks.filter((other) => other.address !== block.address) ?? [];
  return [
    { title: '', instructions: block.instructions },
    ...others.map(({ address, instructions }) => ({ title: `compiled with it: block ${hex(address)}`, instructions })),
  ];
}

function stacked(block: ExplainedBlock): string[] {
  const lines = ['guest and IR'];
  for (const { title, instructions } of parts(block)) {
    if (title) lines.push('', title);
    for (const insn of instructions) {
      lines.push(guestText(insn, true));
      for (const operation of insn.operations) lines.push(`${' '.repeat(16)}${operation}`);
    }
  }
  return lines;
}

function sideBySide(block: ExplainedBlock, width: number): string[] {
  const left = width - IR_WIDTH - GAP.length;
  const withBytes = left >= 75;
  const lines = [`${fit('guest', left)}${GAP}IR`];
  for (const { title, instructions } of parts(block)) {
    if (title) lines.push('', title);
    for (const insn of instructions) {
      const rows = Math.max(1, insn.operations.length);
      for (let i = 0; i < rows; i++) {
        const guest = i === 0 ? guestText(insn, withBytes) : '';
        lines.push(`${fit(guest, left)}${GAP}${fit(insn.operations[i] ?? '', IR_WIDTH)}`.trimEnd());
      }
    }
  }
  return lines;
}

/** `left` and `right` beside each other. */
function join(left: readonly string[], right: readonly string[], leftWidth: number): string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${fit(left[i] ?? '', leftWidth)}${GAP}${GAP}${right[i] ?? ''}`.trimEnd(),
  );
}

/** Lines for a terminal of `width` columns. */
export function formatBlock(block: ExplainedBlock, width: number): string[] {
  const lines = [...describeBlock(block), ''];
  const wasm = block.region ? ['WebAssembly', ...block.region.wasm] : [];
  if (width >= THREE_COLUMNS && block.region) {
    const left = width - WASM_WIDTH - 2 * GAP.length;
    return [...lines, ...join(sideBySide(block, left), wasm, left)];
  }
  const guest = width >= TWO_COLUMNS ? sideBySide(block, width) : stacked(block);
  return [...lines, ...guest, ...(wasm.length ? ['', ...wasm] : [])];
}

/** A block in the list of the hottest. */
export interface HotBlock {
  readonly address: bigint;
  readonly bits: 16 | 32 | 64;
  readonly ring3: boolean;
  readonly count: number;
  /** Of all instructions executed in blocks that still exist, 0 to 1. */
  readonly share: number;
  readonly instructions: number;
  readonly bytes: number;
  readonly operations: number;
  /** The first instruction. */
  readonly text: string;
}

const COLUMNS = ['address', 'bits', 'ring', 'executed', 'share', 'insns', 'bytes', 'ops', 'begins with'];
const COLUMN_WIDTHS = [-18, 4, 4, 12, 7, 5, 5, 5, -1];

/** A table of blocks. */
export function formatHotBlocks(blocks: readonly HotBlock[]): string[] {
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (COLUMN_WIDTHS[i] < 0 ? cell.padEnd(-COLUMN_WIDTHS[i]) : cell.padStart(COLUMN_WIDTHS[i])))
      .join(' ');
  return [
    row(COLUMNS),
    ...blocks.map((b) => {
      const numbers = [b.count, `${(100 * b.share).toFixed(1)}%`, b.instructions, b.bytes, b.operations].map(String);
      return row([hex(b.address), String(b.bits), b.ring3 ? '3' : '0-2', ...numbers, b.text]);
    }),
  ];
}
