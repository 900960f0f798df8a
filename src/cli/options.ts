// What users type after an option, made into numbers: sizes, addresses, counts, disks. Each refusal names
// the option, what was given and what is accepted.

import { MAX_GUEST_RAM } from '../../assembly/layout/memory.js';
import type { JitOptions } from '../emulator/jit.js';
import { TsvmError } from '../vcpu/vcpu.js';

const UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

const MIN_GUEST_RAM = 2 ** 20;
export const DEFAULT_GUEST_RAM = 128 * 2 ** 20;

/** Text quoted for a message: bounded, and with nothing in it that a terminal would obey. */
export function quote(text: string): string {
  const printable = [...text].map((c) => (c < ' ' || (c >= '\x7f' && c < '\xa0') ? '?' : c)).join('');
  return `'${printable.length > 60 ? `${printable.slice(0, 57)}...` : printable}'`;
}

/**
 * Guest RAM: a number with an optional K, M, G (or KiB, MB, …; all powers of 1024). A bare number is MiB, as
 * in QEMU. Returns bytes, a multiple of 4096.
 */
export function parseMemorySize(text: string): number {
  const accepted = `Give a size from 1M to ${MAX_GUEST_RAM / 2 ** 30}G, such as 128M.`;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?$/i.exec(text.trim());
  if (!match) throw new TsvmError('E_MEMORY_SIZE', `--memory ${quote(text)} is not a size. ${accepted}`);
  const unit = match[2].toLowerCase() || (match[3] ? '' : 'm');
  const bytes = Number(match[1]) * UNITS[unit];
  if (bytes < MIN_GUEST_RAM) {
    throw new TsvmError('E_MEMORY_SIZE', `--memory ${quote(text)} is less than 1 MiB. ${accepted}`);
  }
  if (bytes > MAX_GUEST_RAM) {
    throw new TsvmError(
      'E_MEMORY_SIZE',
      `--memory ${quote(text)} is more than a guest can have: devices begin at 0xD0000000. ${accepted}`,
    );
  }
  if (bytes % 4096 !== 0) {
    throw new TsvmError('E_MEMORY_SIZE', `--memory ${quote(text)} is not a multiple of 4 KiB. ${accepted}`);
  }
  return bytes;
}

/** A guest physical address, decimal or 0x… hexadecimal. */
export function parseAddress(option: string, text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 0xffffffff)) {
    throw new TsvmError(
      'E_ADDRESS',
      `${option} ${quote(text)} is not a physical address. Give one below 4 GiB, such as 0x7c00.`,
    );
  }
  return value;
}

/** An address as guest code has it, up to 64 bits; hexadecimal with or without 0x, as disassemblers print them. */
export function parseLinearAddress(option: string, text: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text)) {
    throw new TsvmError(
      'E_ADDRESS',
      `${option} ${quote(text)} is not an address. Give a hexadecimal one of at most 64 bits, such as 0x100000.`,
    );
  }
  return BigInt(`0x${text.replace(/^0x/i, '')}`);
}

/** A positive count; K, M, G, T stand for powers of 1000, and 1e9 works too. */
export function parseCount(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e\d{1,2})?)([kmgt]?)$/i.exec(text);
  const value = match ? Number(match[1]) * 1000 ** ' kmgt'.indexOf(match[2].toLowerCase() || ' ') : Number.NaN;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TsvmError(
      'E_COUNT',
      `${option} ${quote(text)} is not a count. Give a whole number, such as 1000000 or 1M.`,
    );
  }
  return value;
}

/** Executions after which code is compiled, unless the user says otherwise (measured: docs/jit.md). */
const DEFAULT_JIT_THRESHOLD = 60_000;

/** --jit: when code is compiled; undefined for off. */
export function parseJit(text: string): JitOptions | undefined {
  if (text === 'off') return undefined;
  if (text === 'on') return { threshold: DEFAULT_JIT_THRESHOLD };
  const given: { threshold?: number; baseline?: number } = {};
  for (const part of text.split(',')) {
    const match = /^(threshold|baseline)=(.+)$/.exec(part);
    if (!match) {
      throw new TsvmError(
        'E_JIT',
        `--jit ${quote(text)} is unknown. Use off, on, threshold=N or threshold=N,baseline=M.`,
      );
    }
    const [, name, value] = match;
    if (given[name as keyof typeof given] !== undefined) {
      throw new TsvmError('E_JIT', `--jit ${quote(text)} has ${name} twice.`);
    }
    const count = name === 'baseline' && value === 'off' ? 0 : parseCount(`--jit ${name}`, value);
    if (count > 0xffffffff) throw new TsvmError('E_JIT', `--jit ${name} is more than 4294967295.`);
    given[name as keyof typeof given] = count;
  }
  const { threshold = DEFAULT_JIT_THRESHOLD, baseline } = given;
  if (baseline !== undefined && baseline >= threshold) {
    throw new TsvmError(
      'E_JIT',
      `--jit ${quote(text)}: baseline=${baseline} is not below threshold=${threshold}, so it would compile nothing. ` +
        'Give a smaller one, or baseline=off.',
    );
  }
  return { threshold, baseline };
}

/** One of `choices`, or an error with `code` that lists them. */
export function parseChoice<T extends string>(code: string, option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((c) => c === text);
  if (found === undefined) {
    throw new TsvmError(code, `${option} ${quote(text)} is unknown. Use one of: ${choices.join(', ')}.`);
  }
  return found;
}

const DISK_INTERFACES = ['ide', 'virtio'] as const;
export type DiskInterface = (typeof DISK_INTERFACES)[number];

export interface DiskOption {
  readonly file: string;
  readonly readOnly: boolean;
  /** How the guest reaches the disk; undefined: the board's usual way. */
  readonly interface?: DiskInterface;
}

/** `FILE`, or QEMU's `file=FILE,format=raw,if=virtio,ro`; in a file name a comma is written twice. */
export function parseDisk(text: string): DiskOption {
  const accepted = 'Give --disk FILE or --disk file=FILE,format=raw,if=virtio,ro.';
  if (!/^(file|format|if|ro|readonly)(=|,|$)/.test(text)) {
    if (text === '') throw new TsvmError('E_DISK_OPTION', `--disk names no file. ${accepted}`);
    return { file: text, readOnly: false };
  }
  let file = '';
  let readOnly = false;
  let attachment: DiskInterface | undefined;
  // A doubled comma belongs to the name; a single one separates.
  for (const part of text.split(/(?<!,),(?!,)/).map((p) => p.replaceAll(',,', ','))) {
    const [key, value] = part.includes('=')
      ? [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]
      : [part];
    if (key === 'file' && value) file = value;
    else if (key === 'format' && value === 'raw') continue;
    else if (key === 'if') attachment = parseChoice('E_DISK_OPTION', '--disk if', value ?? '', DISK_INTERFACES);
    else if (key === 'format') {
      throw new TsvmError(
        'E_DISK_FORMAT',
        `disk format ${quote(value ?? '')} is not supported. Convert it: qemu-img convert -O raw.`,
      );
    } else if ((key === 'ro' || key === 'readonly') && (value === undefined || value === 'on')) readOnly = true;
    else if ((key === 'ro' || key === 'readonly') && value === 'off') readOnly = false;
    else throw new TsvmError('E_DISK_OPTION', `--disk does not know ${quote(part)}. ${accepted}`);
  }
  if (!file) throw new TsvmError('E_DISK_OPTION', `--disk ${quote(text)} names no file. ${accepted}`);
  return attachment ? { file, readOnly, interface: attachment } : { file, readOnly };
}

const BOARDS = ['pc', 'virt'] as const;

/** What --machine chooses. */
export type MachineOption =
  | { readonly board: 'pc' }
  | { readonly board: 'virt'; readonly gic: 2 | 3; readonly el2: boolean };

export const DEFAULT_VIRT: MachineOption & { board: 'virt' } = { board: 'virt', gic: 2, el2: false };

/** `pc`, or `virt` with QEMU's options: `virt,gic-version=3,virtualization=on`; `gic=3` is the same. */
export function parseMachine(text: string): MachineOption {
  const [name, ...properties] = text.split(',');
  const board = parseChoice('E_MACHINE', '--machine', name, BOARDS);
  const refuse = (property: string): never => {
    const accepted = 'Give pc, or virt with gic=2 or 3 and virtualization=on or off: --machine virt,gic=3.';
    throw new TsvmError('E_MACHINE', `--machine ${board} does not know ${quote(property)}. ${accepted}`);
  };
  if (board === 'pc') return properties.length > 0 ? refuse(properties[0]) : { board };
  let { gic, el2 } = DEFAULT_VIRT;
  for (const property of properties) {
    if (property === 'gic=2' || property === 'gic-version=2') gic = 2;
    else if (property === 'gic=3' || property === 'gic-version=3') gic = 3;
    else if (property === 'virtualization=on') el2 = true;
    else if (property === 'virtualization=off') el2 = false;
    else refuse(property);
  }
  return { board, gic, el2 };
}

/** --smp: the boards have one processor. */
export function checkProcessors(text: string): void {
  if (parseCount('--smp', text) !== 1) {
    throw new TsvmError('E_SMP', `--smp ${quote(text)}: tsvm's boards have one processor. Leave --smp out.`);
  }
}
