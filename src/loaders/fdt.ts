// Writes flattened device trees (Devicetree Specification 0.4, chapter 5).

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_SIZE = 40;
/** One empty entry: no memory reservations. */
const RESERVATIONS_SIZE = 16;

// Tokens of the structure block (5.4.1).
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const END = 9;

/** A property's value: 32-bit cells, a string, several strings, bytes, or nothing. */
export type FdtValue = readonly number[] | string | { readonly strings: readonly string[] } | Uint8Array | true;

export interface FdtNode {
  readonly properties: Readonly<Record<string, FdtValue>>;
  readonly children?: Readonly<Record<string, FdtNode>>;
}

function ascii(text: string): number[] {
  // Command lines may hold any UTF-8; a NUL would end the string for the reader and is refused before.
  return [...new TextEncoder().encode(text), 0];
}

function encodeValue(value: FdtValue): number[] {
  if (value === true) return [];
  if (typeof value === 'string') return ascii(value);
  if (value instanceof Uint8Array) return [...value];
  if ('strings' in value) return value.strings.flatMap(ascii);
  return value.flatMap(bigEndian);
}

function bigEndian(cell: number): number[] {
  return [(cell >>> 24) & 0xff, (cell >>> 16) & 0xff, (cell >>> 8) & 0xff, cell & 0xff];
}

/** A 64-bit number as two cells. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value >>> 0];
}

/** Encodes a tree whose root node is `root`. */
export function buildFdt(root: FdtNode): Uint8Array {
  const structure: number[] = [];
  const strings: number[] = [];
  const stringOffsets = new Map<string, number>();

  const nameOffset = (name: string): number => {
    const known = stringOffsets.get(name);
    if (known !== undefined) return known;
    const offset = strings.length;
    stringOffsets.set(name, offset);
    strings.push(...ascii(name));
    return offset;
  };
  const pad = (): void => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const emit = (name: string, node: FdtNode): void => {
    structure.push(...bigEndian(BEGIN_NODE), ...ascii(name));
    pad();
    for (const [property, value] of Object.entries(node.properties)) {
      const bytes = encodeValue(value);
      structure.push(...bigEndian(PROP), ...bigEndian(bytes.length), ...bigEndian(nameOffset(property)), ...bytes);
      pad();
    }
    for (const [child, childNode] of Object.entries(node.children ?? {})) emit(child, childNode);
    structure.push(...bigEndian(END_NODE));
  };
  emit('', root);
  structure.push(...bigEndian(END));

  const structureAt = HEADER_SIZE + RESERVATIONS_SIZE;
  const stringsAt = structureAt + structure.length;
  const total = stringsAt + strings.length;
  const header = [
    MAGIC,
    total,
    structureAt,
    stringsAt,
    HEADER_SIZE,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    // boot_cpuid_phys
    0,
    strings.length,
    structure.length,
  ];
  return Uint8Array.from([
    ...header.flatMap(bigEndian),
    ...new Array<number>(RESERVATIONS_SIZE).fill(0),
    ...structure,
    ...strings,
  ]);
}
