// Where a known KVM back end departs from the architecture. `tsvm doctor` finds the same by trying (probe.ts); this
// table adds the cause and what tsvm makes of it.

export interface Divergence {
  /** Instruction or situation. */
  readonly what: string;
  /** Privilege level, where it matters. */
  readonly ring: 0 | 3 | null;
  /** What SDM and APM say. */
  readonly manual: string;
  /** What the back end does. */
  readonly backend: string;
  /** As far as it can be told from outside the kernel. */
  readonly cause: string;
  /** How a run copes: 'assisted' by the emulator, 'worked around' in src/vmm, or left 'visible' to the guest. */
  readonly handling: 'assisted' | 'worked around' | 'visible';
}

/**
 * kvm_pvm is a KVM for hosts that are virtual machines themselves and have no virtualization extensions. Guest ring 3
 * runs directly, as a process of the host would; everything else is interpreted by the kernel's instruction emulator,
 * which was written for the few instructions that touch devices.
 */
const KVM_PVM: readonly Divergence[] = [
  {
    what: '32-bit and PAE paging outside long mode',
    ring: null,
    manual: 'runs',
    backend: 'MOV to CR0 that sets PG raises #GP; a state that has it set ends in KVM_EXIT_SHUTDOWN at once',
    cause: 'the back end shadows 4-level page tables only',
    handling: 'visible',
  },
  {
    what: 'LAR, LSL, VERR, VERW, CMPXCHG16B, x87 and most SSE instructions',
    ring: 0,
    manual: 'executed',
    backend: 'KVM_EXIT_INTERNAL_ERROR, emulation failure',
    cause: 'ring 0 is interpreted, and the kernel’s emulator lacks them',
    handling: 'assisted',
  },
  {
    what: 'INT n and INT3',
    ring: 0,
    manual: 'call their gate',
    backend: 'KVM_EXIT_INTERNAL_ERROR, emulation failure',
    cause: 'the kernel’s emulator knows software interrupts in real mode only',
    handling: 'assisted',
  },
  {
    what: 'VMCALL',
    ring: 0,
    manual: 'answered by the hypervisor',
    backend: 'no progress: the instruction is entered again and again',
    cause: 'the emulator rewrites it to the host’s own hypercall instruction and retries',
    handling: 'visible',
  },
  {
    what: 'HLT under single step',
    ring: 0,
    manual: 'halts',
    backend: 'a debug exit replaces the halt exit, and the next step goes on behind HLT',
    cause: 'one exit reason overwrites the other in kvm_run',
    handling: 'visible',
  },
  {
    what: 'INT n',
    ring: 3,
    manual: 'calls its gate',
    backend: 'raises #UD',
    cause: 'the host’s own IDT answers with #GP, and the emulator that is asked next lacks INT n',
    handling: 'visible',
  },
  {
    what: 'SYSCALL to a user-accessible page',
    ring: 3,
    manual: 'continues in ring 0',
    backend: 'the handler runs directly, with CPL 3',
    cause: 'guest kernel and guest user both run in the host’s ring 3',
    handling: 'visible',
  },
  {
    what: 'MOV r,CS and MOV r,SS',
    ring: 3,
    manual: 'read the guest’s selectors',
    backend: 'read the host’s (0x33, 0x2B)',
    cause: 'selector reads are sensitive but do not trap (Robin and Irvine, 2000)',
    handling: 'visible',
  },
  {
    what: 'PUSHF, and POPF with IOPL 3',
    ring: 3,
    manual: 'show and change the guest’s IF',
    backend: 'IF reads as set; a change of it is dropped',
    cause: 'sensitive but not trapping: in the host’s ring 3, POPF ignores IF',
    handling: 'visible',
  },
  {
    what: 'IOPL 3',
    ring: 3,
    manual: 'lets ring 3 use IN, OUT, CLI and STI',
    backend: 'IOPL is lost on entry: #GP',
    cause: 'the host never gives a process IOPL 3',
    handling: 'visible',
  },
  {
    what: 'LAR, LSL, VERR, VERW',
    ring: 3,
    manual: 'look into the guest’s descriptor tables',
    backend: 'look into the host’s',
    cause: 'sensitive but not trapping',
    handling: 'visible',
  },
  {
    what: 'CR4.OSXSAVE clear, CR4.TSD, CR0.TS, CR0.EM',
    ring: 3,
    manual: 'make XGETBV, RDTSC and x87 instructions fault',
    backend: 'they execute',
    cause: 'the host’s control registers are in force',
    handling: 'visible',
  },
  {
    what: 'TSC offset',
    ring: null,
    manual: 'WRMSR to IA32_TIME_STAMP_COUNTER moves what RDTSC reads',
    backend: 'the offset cannot be set',
    cause: 'RDTSC in ring 3 reads the host’s counter',
    handling: 'visible',
  },
  {
    what: 'KVM_SET_GUEST_DEBUG: single step',
    ring: 3,
    manual: 'one debug exit an instruction',
    backend: 'the trap is delivered to the guest’s #DB handler',
    cause: 'TF reaches the processor, but the back end does not intercept #DB',
    handling: 'worked around',
  },
  {
    what: 'KVM_SET_GUEST_DEBUG: breakpoints',
    ring: 3,
    manual: 'a debug exit before the instruction',
    backend: 'ignored',
    cause: 'debug registers are not switched on entry',
    handling: 'worked around',
  },
];

/** What KVM leaves out under every back end. */
const ANY_KVM: readonly Divergence[] = [
  {
    what: 'FCS and FDS',
    ring: null,
    manual: 'FNSTENV stores them on processors that keep them',
    backend: 'read as zero once the state has passed through KVM',
    cause: 'the kernel saves x87 state in the 64-bit format, which has no room for them',
    handling: 'visible',
  },
  {
    what: 'PUSHF under single step',
    ring: null,
    manual: 'pushes the guest’s TF',
    backend: 'pushes TF set',
    cause: 'the step is made with the guest’s own TF',
    handling: 'visible',
  },
  {
    what: 'A20 masked',
    ring: null,
    manual: 'bit 20 of every physical address reads as zero',
    backend: 'only the second megabyte is folded onto the first',
    cause: 'KVM has no address mask; tsvm rearranges memory slots',
    handling: 'worked around',
  },
];

/** @param backend module name, such as 'kvm_pvm' (several joined with '+'). */
export function divergencesOf(backend: string): readonly Divergence[] {
  return backend.split('+').includes('kvm_pvm') ? [...KVM_PVM, ...ANY_KVM] : ANY_KVM;
}
