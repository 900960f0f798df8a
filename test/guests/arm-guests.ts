// The AArch64 guests and the machines on which they are to be run.

/** `--machine` of tsvm and -M of QEMU alike. */
export interface ArmGuest {
  /** Image below guests/arm. */
  readonly name: string;
  readonly machines: readonly string[];
  /** Lines in which QEMU 7.2 differs from the manual, and so from tsvm. */
  readonly wrongInQemu?: RegExp;
}

const EL1 = 'virt';
const EL2 = 'virt,virtualization=on';

export const ARM_GUESTS: readonly ArmGuest[] = [
  { name: 'hello', machines: [EL1, EL2] },
  { name: 'levels', machines: [EL1, EL2] },
];

export const ARM_SYSTESTS: readonly ArmGuest[] = [
  // TCG does not check the alignment of stack pointers.
  { name: 'exceptions', machines: [EL1, EL2], wrongInQemu: /stack pointer that is not aligned/ },
  { name: 'stage1', machines: [EL1, EL2] },
  { name: 'stage2', machines: [EL2] },
  { name: 'traps', machines: [EL2] },
  // TCG takes breakpoints while the OS lock is set.
  { name: 'debug', machines: [EL1, EL2], wrongInQemu: /OS lock: no breakpoints/ },
  { name: 'interrupts', machines: [EL1, EL2, 'virt,gic-version=3', 'virt,gic-version=3,virtualization=on'] },
];
