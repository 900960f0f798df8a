// What the core has translated and compiled, for those who want to look at it.

import * as E from '../../assembly/layout/explain.js';
import { TRANSFER } from '../../assembly/layout/memory.js';

/** A block: straight-line guest code, translated. */
export interface TranslatedBlock {
  /** Linear address of the first instruction; and as offset in its code segment. */
  readonly address: bigint;
  readonly rip: bigint;
  /** It was made for ring 3. */
  readonly user: boolean;
  /** Width of the code. */
  readonly bits: 16 | 32 | 64;
  /** It was made to be executed with something looked at after each instruction. */
  readonly stepped: boolean;
  /** Physical addresses of the first byte, and of the second page if it reaches there. */
  readonly physical: number;
  readonly secondPage: number | undefined;
  /** Bytes, instructions. */
  readonly length: number;
  readonly instructions: number;
  /** Where the block stands in the machine's memory: what compiled code calls it. */
  readonly header: number;
  /** Operations: how many, and where they and their side table begin in the machine's memory. */
  readonly operations: number;
  readonly code: number;
  readonly side: number;
  /** How often it has been executed, as far as that is counted: in regions not, or only where they are entered. */
  readonly count: number;
  /** No other block of this core has or had this number. */
  readonly serial: number;
}

/** Blocks compiled together to one WebAssembly module: an optimized region, or a baseline one. */
export interface CompiledRegion {
  readonly module: Uint8Array;
  /** Serial numbers of its blocks. The first is the head, where an optimized region is entered. */
  readonly blocks: readonly number[];
  readonly baseline: boolean;
}

export interface ExplainExports {
  explainNext(block: number): number;
  explainRegionBlocks(): number;
  explainRegionBlock(index: number): number;
  explainRegionIsBaseline(): number;
}

/** All blocks that the core holds, in no order. */
export function translatedBlocks(core: ExplainExports, memory: WebAssembly.Memory): TranslatedBlock[] {
  const blocks: TranslatedBlock[] = [];
  const view = new DataView(memory.buffer, TRANSFER, 64);
  const word = (offset: number) => view.getUint32(offset, true);
  for (let b = core.explainNext(0); b !== 0; b = core.explainNext(b)) {
    const rip = view.getBigUint64(E.EXPLAIN_RIP, true);
    const mode = word(E.EXPLAIN_MODE);
    const bits = (8 << (mode & E.EXPLAIN_MODE_CODE)) as 16 | 32 | 64;
    const second = word(E.EXPLAIN_PHYS2);
    blocks.push({
      address: bits === 64 ? rip : BigInt.asUintN(32, rip + BigInt(word(E.EXPLAIN_CS_BASE))),
      rip,
      bits,
      user: (mode & E.EXPLAIN_MODE_USER) !== 0,
      stepped: (mode & E.EXPLAIN_MODE_SINGLE) !== 0,
      physical: word(E.EXPLAIN_PHYS),
      secondPage: second ? (second & ~1) >>> 0 : undefined,
      length: word(E.EXPLAIN_LENGTH),
      instructions: word(E.EXPLAIN_INSTRUCTIONS),
      header: b >>> 0,
      operations: word(E.EXPLAIN_OPS),
      code: word(E.EXPLAIN_CODE),
      side: word(E.EXPLAIN_SIDE),
      count: word(E.EXPLAIN_COUNT),
      serial: word(E.EXPLAIN_SERIAL),
    });
  }
  return blocks;
}
