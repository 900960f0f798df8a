// Which execution path a run takes: virt, emu, or whichever fits.

import { accessSync, constants } from 'node:fs';
import type { ImageKind, Isa } from '../loaders/index.js';
import { TsvmError } from '../vcpu/vcpu.js';

export const MODES = ['virt', 'emu', 'auto'] as const;
export type ModeOption = (typeof MODES)[number];
export type Mode = Exclude<ModeOption, 'auto'>;

const ISA_NAMES: Record<Isa, string> = { x86: 'x86', aarch64: 'AArch64' };
const HOST_ISAS: Partial<Record<string, Isa>> = { x64: 'x86', arm64: 'aarch64' };
const HOST_NAMES: Partial<Record<string, string>> = { x64: 'x86-64', arm64: 'AArch64' };

const ONLY_X86 = 'tsvm virtualizes x86 guests only';

export interface ModeRequest {
  readonly mode: ModeOption;
  readonly isa: Isa;
  readonly kind: ImageKind;
  /** An option that only the emulator can serve, as the user wrote it. */
  readonly emulatorOnly?: string | undefined;
}

export interface ModeChoice {
  readonly mode: Mode;
  /** For `auto`: one line that says which mode and why. */
  readonly notice?: string;
}

/**
 * Why `auto` does not choose a KVM that can be opened. kvm_pvm, a KVM for hosts without virtualization extensions,
 * runs ring 3 of long mode natively, interprets everything else slowly, and cannot run 32-bit paging at all.
 */
async function unsuitable(kind: ImageKind): Promise<string | undefined> {
  const { backendName } = await import('../vmm/probe.js');
  if (backendName() !== 'kvm_pvm' || kind === 'elf64') return undefined;
  return kind === 'linux-bzimage'
    ? 'the KVM back end here, kvm_pvm, interprets ring 0, where a kernel spends its time'
    : 'the guest starts outside long mode, and the KVM back end here, kvm_pvm, cannot run 32-bit paging';
}

/** Throws the named reason why KVM cannot be used here. Loads koffi only when there is a device to open. */
async function checkKvm(): Promise<void> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    // Kvm.open() names every reason; without the device it need not even be asked.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new TsvmError('E_KVM_ABSENT', '/dev/kvm does not exist: this host offers no KVM. Use --mode emu.', 126);
    }
  }
  const { Kvm } = await import('../vmm/kvm.js');
  Kvm.open().close();
}

/** The first sentence of a refusal, without its advice. */
function cause(error: TsvmError): string {
  return error.message.replace(/:.*$/s, '').replace(/\.\s.*$/s, '');
}

/** Throws E_ISA_MISMATCH, E_ISA_UNSUPPORTED, E_OPTION_CONFLICT, or why KVM cannot be used. */
export async function chooseMode(request: ModeRequest): Promise<ModeChoice> {
  const host = HOST_ISAS[process.arch];
  const [guestName, hostName] = [ISA_NAMES[request.isa], HOST_NAMES[process.arch] ?? process.arch];
  const sameIsa = host === request.isa;

  if (request.mode === 'virt') {
    if (!sameIsa) {
      throw new TsvmError(
        'E_ISA_MISMATCH',
        `guest is ${guestName}, host CPU is ${hostName}: virtualization runs guest code directly on the host CPU. Use --mode emu.`,
        126,
      );
    }
    if (request.isa === 'aarch64') {
      throw new TsvmError('E_ISA_UNSUPPORTED', `${ONLY_X86}. Use --mode emu.`, 126);
    }
    if (request.emulatorOnly) {
      throw new TsvmError(
        'E_OPTION_CONFLICT',
        `${request.emulatorOnly} needs an exact count of guest instructions, which KVM does not give. Use --mode emu.`,
      );
    }
    await checkKvm();
    return { mode: 'virt' };
  }

  if (request.mode === 'emu') return { mode: 'emu' };

  const emulate = (why: string): ModeChoice => ({ mode: 'emu', notice: `mode emu, because ${why}` });
  if (!sameIsa) return emulate(`guest is ${guestName} and host CPU is ${hostName}`);
  if (request.isa === 'aarch64') return emulate(ONLY_X86);
  if (request.emulatorOnly) return emulate(`${request.emulatorOnly} needs an exact count of guest instructions`);
  try {
    await checkKvm();
  } catch (error) {
    if (error instanceof TsvmError) return emulate(`${cause(error)} (${error.code})`);
    throw error;
  }
  const reason = await unsuitable(request.kind);
  if (reason) return emulate(reason);
  return { mode: 'virt', notice: `mode virt, because guest and host CPU are ${guestName} and KVM is usable` };
}
