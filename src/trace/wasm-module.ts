// Reads a WebAssembly module as the JIT writes them: types, imports, one function, branch hints (core specification, 5.5).

export interface WasmType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  /** A function's type; undefined for a memory. */
  readonly type: WasmType | undefined;
}

export interface WasmModule {
  readonly types: readonly WasmType[];
  readonly imports: readonly WasmImport[];
  /** Imported functions, then the module's own: their types by function index. */
  readonly functions: readonly WasmType[];
  /** Name under which the function is exported. */
  readonly exported: string | undefined;
  /** Types of the function's locals, parameters first. */
  readonly locals: readonly string[];
  /** The function's code without its declaration of locals, and where that began in the body. */
  readonly code: Uint8Array;
  readonly codeOffset: number;
  /** Branch hints by offset in the body: is the branch likely to be taken? */
  readonly hints: ReadonlyMap<number, boolean>;
}

const TYPES: Record<number, string> = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128', 64: '' };

/** Name of a value type's code; '' for a block without a result. */
export function typeName(code: number): string {
  const name = TYPES[code];
  if (name === undefined) throw new SyntaxError(`WebAssembly: unknown type 0x${code.toString(16)}`);
  return name;
}

/** Bytes with a cursor. */
export class WasmReader {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    if (this.done) throw new SyntaxError('WebAssembly: unexpected end');
    return this.bytes[this.at++];
  }

  /** Unsigned LEB128, 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.byte();
      value += (b & 127) * 2 ** shift;
      if (b < 128) return value >>> 0;
      if (shift > 28) throw new SyntaxError('WebAssembly: number too long');
    }
  }

  /** Signed LEB128. */
  signed(): bigint {
    let value = 0n;
    for (let bits = 7; ; bits += 7) {
      const b = this.byte();
      value |= BigInt(b & 127) << BigInt(bits - 7);
      if (b < 128) return BigInt.asIntN(bits, value);
      if (bits > 63) throw new SyntaxError('WebAssembly: number too long');
    }
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new SyntaxError('WebAssembly: unexpected end');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  f32(): number {
    const n = this.view.getFloat32(this.at, true);
    this.take(4);
    return n;
  }
  f64(): number {
    const n = this.view.getFloat64(this.at, true);
    this.take(8);
    return n;
  }
}

function list<T>(r: WasmReader, one: () => T): T[] {
  return Array.from({ length: r.u32() }, one);
}

function readType(r: WasmReader): WasmType {
  if (r.byte() !== 0x60) throw new SyntaxError('WebAssembly: not a function type');
  const types = () => list(r, () => typeName(r.byte()));
  return { params: types(), results: types() };
}

function readImport(r: WasmReader, types: readonly WasmType[]): WasmImport {
  const module = r.name();
  const name = r.name();
  const kind = r.byte();
  if (kind === 0) return { module, name, type: types[r.u32()] };
  if (kind !== 2) throw new SyntaxError(`WebAssembly: import of kind ${kind}`);
  const limits = r.byte();
  r.u32();
  if (limits & 1) r.u32();
  return { module, name, type: undefined };
}

/** Hints of the first function that has any. */
function readHints(r: WasmReader): Map<number, boolean> {
  const hints = new Map<number, boolean>();
  if (r.u32() === 0) return hints;
  r.u32();
  list(r, () => {
    const offset = r.u32();
    r.u32();
    hints.set(offset, r.byte() === 1);
  });
  return hints;
}

/** Throws SyntaxError for anything but a module of the kind that the JIT writes. */
export function readWasmModule(bytes: Uint8Array): WasmModule {
  const r = new WasmReader(bytes);
  if (r.take(4).join() !== '0,97,115,109' || r.take(4).join() !== '1,0,0,0') {
    throw new SyntaxError('WebAssembly: not a module');
  }
  let types: WasmType[] = [];
  let imports: WasmImport[] = [];
  let own: WasmType[] = [];
  let exported: string | undefined;
  let hints = new Map<number, boolean>();
  let body = new WasmReader(new Uint8Array(0));
  while (!r.done) {
    const id = r.byte();
    const s = new WasmReader(r.take(r.u32()));
    if (id === 1) types = list(s, () => readType(s));
    else if (id === 2) imports = list(s, () => readImport(s, types));
    else if (id === 3) own = list(s, () => types[s.u32()]);
    else if (id === 7) {
      s.u32();
      exported = s.name();
    } else if (id === 10) {
      s.u32();
      body = new WasmReader(s.take(s.u32()));
    } else if (id === 0 && s.name() === 'metadata.code.branch_hint') hints = readHints(s);
  }
  const functions = [...imports.flatMap((i) => (i.type ? [i.type] : [])), ...own];
  if (own.length !== 1) throw new SyntaxError('WebAssembly: not a module of one function');
  const locals = [...own[0].params];
  list(body, () => {
    const count = body.u32();
    const type = typeName(body.byte());
    if (locals.length + count > 50_000) throw new SyntaxError('WebAssembly: too many locals');
    for (let i = 0; i < count; i++) locals.push(type);
  });
  return {
    types,
    imports,
    functions,
    exported,
    locals,
    code: body.bytes.subarray(body.at),
    codeOffset: body.at,
    hints,
  };
}
