// tsvm explain: what became of a piece of guest code: its instructions, their IR, the WebAssembly of the region.

import { STATE } from '../../assembly/layout/memory.js';
import { S_STATS } from '../../assembly/layout/x86-state.js';
import type { CompiledRegion, TranslatedBlock } from '../emulator/explain.js';
import { importName, RUNTIME } from '../emulator/jit.js';
import { EmulatedVcpu } from '../emulator-x86/index.js';
import { InstructionClock, type MachineClock, WallClock } from '../machine/clock.js';
import { Machine } from '../machine/machine.js';
import type { Outcome } from '../machine/outcome.js';
import { disassembleX86, formatX86 } from '../trace/disassemble-x86.js';
import {
  type ExplainedBlock,
  type ExplainedInstruction,
  type ExplainedRegion,
  formatBlock,
  formatHotBlocks,
  type HotBlock,
} from '../trace/explain-text.js';
import { x86SlotName } from '../trace/ir-slots-x86.js';
import { type IrNames, irText, readIrOperation } from '../trace/ir-text.js';
import { wasmText } from '../trace/wasm-text.js';
import type { GuestMemory } from '../vcpu/guest-memory.js';
import { TsvmError } from '../vcpu/vcpu.js';
import type { X86State } from '../vcpu/x86-state.js';
import { readOwn } from './files.js';
import { monotonic, nodeTimers } from './host-timers.js';
import { parseCount, parseLinearAddress } from './options.js';
import { planRun, type RunFlags, type RunPlan } from './run-plan.js';
import { createPcSystem, type System } from './systems.js';

export interface ExplainFlags extends Omit<RunFlags, 'mode' | 'jit' | 'snapshot'> {
  readonly block?: string;
  readonly jit?: string;
  readonly top: string;
  readonly json: boolean;
}

const HELPERS = 'build/x86.helpers.json';
/** Addresses from STATE to here are slots with names. */
const SLOTS_END = STATE + S_STATS;
/** Looking for the block takes longer the more there are: once in so many nanoseconds. */
const LOOK_EVERY = 50e6;
/** Columns where standard output is no terminal. */
const PLAIN_WIDTH = 100;

/** Names of the core's functions by table entry; without the file, numbers have to do. */
function helperNames(): readonly string[] {
  try {
    return JSON.parse(new TextDecoder().decode(readOwn(HELPERS))) as string[];
  } catch {
    return [];
  }
}

/** A guest on the emulator, without a console. */
class Subject {
  readonly vcpu: EmulatedVcpu;
  readonly memory: GuestMemory;
  private readonly machine: Machine<X86State>;

  static async create(plan: RunPlan): Promise<Subject> {
    const late: { system?: System<X86State> } = {};
    const clock: MachineClock =
      plan.clock === 'instructions'
        ? new InstructionClock(() => late.system?.backend.instructions?.() ?? 0)
        : new WallClock({ monotonic, date: () => Date.now() });
    late.system = await createPcSystem({ plan, clock, sink: () => undefined, keepModules: true });
    return new Subject(plan, late.system, clock);
  }

  private constructor(plan: RunPlan, system: System<X86State>, clock: MachineClock) {
    const { board, backend, memory, newState, refuseHypercall } = system;
    const { vcpu, instructions, executingRip, memoryReplaced, memoryWritten } = backend;
    if (!(vcpu instanceof EmulatedVcpu)) throw new Error('explain runs on the emulator only');
    this.vcpu = vcpu;
    this.memory = memory;
    this.machine = new Machine<X86State>({
      board,
      vcpu,
      clock,
      timers: nodeTimers(() => Promise.resolve()),
      newState,
      refuseHypercall,
      instructions,
      executingRip,
      memoryReplaced,
      memoryWritten,
      maxInstructions: plan.maxInstructions,
      noReboot: plan.noReboot,
      inputOpen: () => false,
    });
  }

  /** Runs the guest until it ends or `found` is true. */
  async run(found: () => boolean): Promise<Outcome | undefined> {
    this.machine.powerOn();
    let looked = monotonic();
    for (;;) {
      const outcome = await this.machine.runSlice();
      if (outcome) return outcome;
      if (monotonic() - looked < LOOK_EVERY) continue;
      if (found()) return undefined;
      looked = monotonic();
    }
  }

  /** The code of a block; undefined where it does not lie in RAM. */
  code(block: TranslatedBlock): Uint8Array | undefined {
    const first = Math.min(block.length, 4096 - (block.physical & 4095));
    const rest = block.length - first;
    const second = block.secondPage ?? 0;
    if (block.physical + first > this.memory.size || second + rest > this.memory.size) return undefined;
    const bytes = new Uint8Array(block.length);
    bytes.set(this.memory.slice(block.physical, first));
    if (rest > 0) bytes.set(this.memory.slice(second, rest), first);
    return bytes;
  }
}

/** The block that has an instruction at `address`: one that begins there, or else the most executed around it. */
function blockAt(blocks: readonly TranslatedBlock[], address: bigint): TranslatedBlock | undefined {
  const around = blocks.filter((b) => address >= b.address && address < b.address + BigInt(b.length));
  const rank = (b: TranslatedBlock) => (b.stepped ? 0 : 2) + (b.address === address ? 1 : 0);
  return around.sort((a, b) => rank(b) - rank(a) || b.count - a.count)[0];
}

/** The optimized region that `block` is the head of, or else one that it is part of, or else its baseline region. */
function regionOf(regions: readonly CompiledRegion[], block: TranslatedBlock): CompiledRegion | undefined {
  const its = regions.filter(({ blocks }) => blocks.includes(block.serial));
  const optimized = its.filter(({ baseline }) => !baseline);
  return optimized.find(({ blocks }) => blocks[0] === block.serial) ?? optimized[0] ?? its[0];
}

/** Text of the operations of a block by the offset of their instruction. */
function operationsOf(vcpuMemory: ArrayBuffer, block: TranslatedBlock, names: IrNames): Map<number, string[]> {
  const view = new DataView(vcpuMemory);
  const byOffset = new Map<number, string[]>();
  for (let i = 0; i < block.operations; i++) {
    const offset = view.getUint32(block.side + 4 * i, true) & 0xffff;
    const text = irText(readIrOperation(view, block.code + 16 * i), names);
    const known = byOffset.get(offset);
    if (known) known.push(text);
    else byOffset.set(offset, [text]);
  }
  return byOffset;
}

/** Instructions of a block with their operations. */
function instructionsOf(subject: Subject, block: TranslatedBlock, names: IrNames): ExplainedInstruction[] {
  const operations = operationsOf(subject.memory.memory.buffer, block, names);
  const code = subject.code(block);
  const result: ExplainedInstruction[] = [];
  for (let offset = 0; offset < block.length; ) {
    const bytes = code?.subarray(offset) ?? new Uint8Array(1);
    const insn = disassembleX86(bytes, block.rip + BigInt(offset), block.bits);
    const length = code ? insn.length : block.length;
    result.push({
      address: block.address + BigInt(offset),
      bytes: code ? [...bytes.subarray(0, length)].map((b) => b.toString(16).padStart(2, '0')).join(' ') : '',
      text: code ? formatX86(insn) : '(not in RAM)',
      operations: operations.get(offset) ?? [],
    });
    offset += length;
  }
  return result;
}

/** What a number means that compiled code hands on: a block or an operation, the low bits put aside. */
function codeConstant(memory: ArrayBuffer, blocks: readonly TranslatedBlock[], value: number): string | undefined {
  const at = value & ~15;
  const within = blocks.find((b) => at === b.header || (at >= b.code && at < b.code + 16 * b.operations));
  if (!within) return undefined;
  if (at === within.header) return `block 0x${within.address.toString(16)}`;
  const side = within.side + 4 * ((at - within.code) / 16);
  const offset = new DataView(memory).getUint32(side, true) & 0xffff;
  return `0x${(within.address + BigInt(offset)).toString(16)}`;
}

function explainRegion(subject: Subject, region: CompiledRegion, names: IrNames): ExplainedRegion {
  const all = subject.vcpu.translatedBlocks();
  const blocks = region.blocks.flatMap((serial) => all.filter((b) => b.serial === serial));
  const { buffer } = subject.memory.memory;
  const wasm = wasmText(region.module, {
    import: (name) => RUNTIME.find((_, i) => importName(i) === name),
    address: (address) => (address >= STATE && address < SLOTS_END ? x86SlotName(address - STATE, 3) : undefined),
    constant: (value) => codeConstant(buffer, blocks, value),
    parameters: ['fuel', 'entry'],
  });
  return {
    baseline: region.baseline,
    blocks: blocks.map((b) => ({ address: b.address, instructions: instructionsOf(subject, b, names) })),
    moduleBytes: region.module.length,
    wasm,
  };
}

function explainBlock(subject: Subject, block: TranslatedBlock): ExplainedBlock {
  const helpers = helperNames();
  const names: IrNames = { slot: x86SlotName, helper: (index) => helpers[index] || `helper ${index}` };
  const region = regionOf(subject.vcpu.compiledRegions(), block);
  return {
    address: block.address,
    bits: block.bits,
    physical: block.physical,
    count: block.count,
    instructions: instructionsOf(subject, block, names),
    region: region && explainRegion(subject, region, names),
  };
}

/** The `top` blocks in which most instructions were executed. */
function hottest(subject: Subject, top: number): HotBlock[] {
  const blocks = subject.vcpu.translatedBlocks();
  const work = (b: TranslatedBlock) => b.count * b.instructions;
  const total = blocks.reduce((sum, b) => sum + work(b), 0);
  return blocks
    .sort((a, b) => work(b) - work(a) || Number(a.address - b.address))
    .slice(0, top)
    .map((b) => {
      const code = subject.code(b);
      return {
        address: b.address,
        bits: b.bits,
        ring3: b.user,
        count: b.count,
        share: total ? work(b) / total : 0,
        instructions: b.instructions,
        bytes: b.length,
        operations: b.operations,
        text: code ? formatX86(disassembleX86(code, b.rip, b.bits)) : '(not in RAM)',
      };
    });
}

/** Addresses as hexadecimal strings: JSON has no 64-bit numbers. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v), 2);

function howItEnded(outcome: Outcome | undefined): string {
  return outcome ? `the guest ended (${outcome.kind})` : 'the guest was stopped';
}

function terminalWidth(): number {
  return process.stdout.columns ?? (Number(process.env['COLUMNS']) || PLAIN_WIDTH);
}

/** Returns the exit code of the process. */
export async function explainCommand(image: string | undefined, flags: ExplainFlags): Promise<number> {
  const wanted = flags.block === undefined ? undefined : parseLinearAddress('--block', flags.block);
  const top = parseCount('--top', flags.top);
  // Executions are counted where nothing is optimized; for the block's WebAssembly it has to be compiled.
  const jit = flags.jit ?? (wanted === undefined ? 'off' : 'on');
  const plan = await planRun(image, { ...flags, mode: 'emu', jit, snapshot: true });
  if (plan.machine.board !== 'pc') {
    throw new TsvmError(
      'E_ISA_UNSUPPORTED',
      `guest is ${plan.source.description}: explain knows x86 guests only.`,
      126,
    );
  }
  const subject = await Subject.create(plan);
  const print = (lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);
  const find = (): TranslatedBlock | undefined =>
    wanted === undefined ? undefined : blockAt(subject.vcpu.translatedBlocks(), wanted);
  const isReady = (): boolean => {
    const block = find();
    if (!block) return false;
    return !plan.jit || regionOf(subject.vcpu.compiledRegions(), block)?.baseline === false;
  };
  const outcome = await subject.run(isReady);

  if (wanted === undefined) {
    const blocks = hottest(subject, top);
    print(flags.json ? [json(blocks)] : formatHotBlocks(blocks));
    return 0;
  }
  const block = find();
  if (!block) {
    throw new TsvmError(
      'E_NO_BLOCK',
      `no code at 0x${wanted.toString(16)} was translated before ${howItEnded(outcome)}. ` +
        'tsvm explain IMAGE, without --block, lists what is executed.',
    );
  }
  const explained = explainBlock(subject, block);
  if (flags.json) print([json(explained)]);
  else {
    print(formatBlock(explained, terminalWidth()));
    if (!explained.region && plan.jit) {
      process.stderr.write(
        `tsvm: note: the block was not compiled before ${howItEnded(outcome)}: that takes ${plan.jit.threshold} ` +
          'executions. --jit threshold=1 compiles everything.\n',
      );
    }
  }
  return 0;
}
