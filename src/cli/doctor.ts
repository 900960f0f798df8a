// tsvm doctor: what this host can do, found out by trying.

import { cpus, release } from 'node:os';
import { type Divergence, divergencesOf } from '../vmm/divergences.js';
import type { InstructionReport, KvmReport, ModeReport } from '../vmm/probe.js';

interface DoctorReport {
  readonly node: { readonly version: string; readonly arch: string; readonly platform: string };
  readonly kernel: string;
  readonly cpu: { readonly model: string; readonly count: number };
  readonly wasm: Readonly<Record<string, boolean>>;
  readonly kvm: KvmReport;
  readonly divergences: readonly Divergence[];
}

/** Smallest modules that use one proposal each (WebAssembly binary format, chapter 5). */
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const NO_ARGUMENTS = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0];
const WASM_FEATURES: Readonly<Record<string, readonly number[]>> = {
  // (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt)
  simd: [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 11],
  // (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))
  'bulk memory': [...NO_ARGUMENTS, 5, 3, 1, 0, 1, 10, 13, 1, 11, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0, 11],
  // (func (drop (i32.atomic.load (i32.const 0)))) over a shared memory
  threads: [...NO_ARGUMENTS, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 0x41, 0, 0xfe, 16, 2, 0, 26, 11],
  // (func (return_call 0))
  'tail calls': [...NO_ARGUMENTS, 10, 6, 1, 4, 0, 0x12, 0, 11],
};

function wasmFeatures(): Record<string, boolean> {
  const supported = (body: readonly number[]) => WebAssembly.validate(Uint8Array.from([...HEADER, ...body]));
  return Object.fromEntries(Object.entries(WASM_FEATURES).map(([name, body]) => [name, supported(body)]));
}

const NO_KVM_ON_PLATFORM: KvmReport = {
  usable: false,
  error: {
    code: 'E_KVM_ABSENT',
    message: `KVM runs x86-64 guests on x86-64 Linux hosts; this is ${process.platform} on ${process.arch}. Use --mode emu.`,
  },
  device: { path: '/dev/kvm', present: false },
  apiVersion: null,
  backend: 'none',
  capabilities: {},
  tscKhz: 0,
  modes: [],
  instructions: [],
  debug: null,
};

async function examine(): Promise<DoctorReport> {
  const onLinux = process.platform === 'linux' && process.arch === 'x64';
  const kvm = onLinux ? (await import('../vmm/probe.js')).probeKvm() : NO_KVM_ON_PLATFORM;
  const processors = cpus();
  return {
    node: { version: process.version, arch: process.arch, platform: process.platform },
    kernel: release(),
    cpu: { model: processors[0]?.model.trim() ?? 'unknown', count: processors.length },
    wasm: wasmFeatures(),
    kvm,
    divergences: kvm.usable ? divergencesOf(kvm.backend) : [],
  };
}

const MODE_NAMES: Record<ModeReport['mode'], string> = {
  real: 'real mode',
  protected32: 'protected mode without paging',
  paging32: '32-bit paging',
  pae: 'PAE paging',
  compat32: '32-bit code in long mode',
  long: 'long mode',
};

const EXECUTION: Record<ModeReport['execution'], string> = {
  native: 'native',
  emulated: 'emulated in the kernel, slow',
  none: 'does not run',
  unknown: 'runs (native or not: no statistics)',
};

function describeModes(modes: readonly ModeReport[]): string[] {
  return modes.map((m) => {
    const name = `${MODE_NAMES[m.mode]}, ring ${m.ring}`;
    const detail = m.detail && m.execution === 'none' ? ` (${m.detail})` : '';
    return `  ${name.padEnd(38)} ${EXECUTION[m.execution]}${detail}`;
  });
}

function describeInstructions(all: readonly InstructionReport[]): string[] {
  const lines: string[] = [];
  const name = (i: InstructionReport) => `${i.name} (ring ${i.ring})`;
  const refused = all.filter((i) => i.outcome === 'refused');
  if (refused.length > 0) {
    lines.push('Refused by KVM, executed by the emulator on its behalf:');
    lines.push(`  ${refused.map(name).join(', ')}`);
  }
  const wrong = all.filter((i) => i.outcome === 'wrong' || i.outcome === 'stuck');
  if (wrong.length > 0) {
    lines.push('Not as the manual says, and KVM does not notice (a guest that depends on it needs --mode emu):');
    for (const i of wrong) lines.push(`  ${name(i).padEnd(38)} manual: ${i.manual}; here: ${i.observed}`);
  }
  if (lines.length === 0 && all.length > 0)
    lines.push(`All ${all.length} probed instructions behave as the manual says.`);
  return lines;
}

function describe(report: DoctorReport): string[] {
  const { kvm, wasm } = report;
  const lines = [
    `Host      ${report.cpu.model}, ${report.cpu.count} processors; kernel ${report.kernel}`,
    `Node      ${report.node.version} (${report.node.platform}, ${report.node.arch})`,
    `WASM      ${Object.entries(wasm)
      .map(([name, on]) => `${name} ${on ? 'yes' : 'no'}`)
      .join(', ')}`,
  ];
  if (!wasm['simd']) lines.push('          Without SIMD the emulator does not load: use Node 20 or later.');
  if (!kvm.usable) {
    lines.push(`KVM       not usable. ${kvm.error?.code}: ${kvm.error?.message}`, '', 'Guests run with --mode emu.');
    return lines;
  }
  lines.push(`KVM       usable, back end ${kvm.backend}, API ${kvm.apiVersion}, guest TSC ${kvm.tscKhz} kHz`);
  const absent = Object.entries(kvm.capabilities).filter(([, value]) => value === 0);
  if (absent.length > 0) lines.push(`          capabilities absent: ${absent.map(([name]) => name).join(', ')}`);
  lines.push('', 'How KVM executes a guest here:', ...describeModes(kvm.modes), '');
  lines.push(...describeInstructions(kvm.instructions));
  if (kvm.debug && !(kvm.debug.userStep && kvm.debug.userBreakpoints)) {
    lines.push('', 'Single step and breakpoints in ring 3 are not KVM’s here: tsvm steps by other means, slower.');
  }
  return lines;
}

/** Prints the report; 0 even without KVM, because emulation always works. */
export async function doctorCommand(json: boolean): Promise<number> {
  const report = await examine();
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${describe(report).join('\n')}\n`);
  return 0;
}
