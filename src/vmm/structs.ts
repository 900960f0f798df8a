// The structures that KVM's x86 ioctls exchange, as byte offsets (Linux include/uapi/linux/kvm.h and
// arch/x86/include/uapi/asm/kvm.h). All are little-endian.

// --- struct kvm_regs: u64 each, in this order ---
export const KVM_REGS_ORDER = [
  'rax',
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rsp',
  'rbp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rip',
  'rflags',
] as const;
export const KVM_REGS_SIZE = 144;
export const REGS_RIP = 128;
export const REGS_RFLAGS = 136;

// --- struct kvm_segment ---
export const KVM_SEGMENT_SIZE = 24;
export const KSEG_BASE = 0; // u64
/** u32, in bytes: granularity is already applied, whatever `g` says. */
export const KSEG_LIMIT = 8;
export const KSEG_SELECTOR = 12; // u16
// One byte each:
export const KSEG_TYPE = 14;
export const KSEG_PRESENT = 15;
export const KSEG_DPL = 16;
export const KSEG_DB = 17;
export const KSEG_S = 18;
export const KSEG_L = 19;
export const KSEG_G = 20;
export const KSEG_AVL = 21;
export const KSEG_UNUSABLE = 22;

// --- struct kvm_sregs ---
export const KVM_SREGS_SIZE = 312;
export const SREGS_CS = 0;
export const SREGS_DS = 24;
export const SREGS_ES = 48;
export const SREGS_FS = 72;
export const SREGS_GS = 96;
export const SREGS_SS = 120;
export const SREGS_TR = 144;
export const SREGS_LDT = 168;
/** struct kvm_dtable: u64 base, u16 limit, padding. */
export const KVM_DTABLE_SIZE = 16;
export const SREGS_GDT = 192;
export const SREGS_IDT = 208;
export const DTABLE_LIMIT = 8;
export const SREGS_CR0 = 224;
export const SREGS_CR2 = 232;
export const SREGS_CR3 = 240;
export const SREGS_CR4 = 248;
export const SREGS_CR8 = 256;
export const SREGS_EFER = 264;
export const SREGS_APIC_BASE = 272;
/** u64[4]: the external interrupt that is acknowledged but not delivered yet, as a bitmap of vectors. */
export const SREGS_INTERRUPT_BITMAP = 280;

// --- struct kvm_vcpu_events ---
export const KVM_VCPU_EVENTS_SIZE = 64;
/** u8 injected, u8 nr, u8 has_error_code, u8 pending, u32 error_code. */
export const EVENTS_EXCEPTION = 0;
/** u8 injected, u8 nr, u8 soft, u8 shadow. */
export const EVENTS_INTERRUPT_INJECTED = 8;
export const EVENTS_INTERRUPT_NR = 9;
export const EVENTS_SHADOW = 11;
/** u8 injected, u8 pending, u8 masked, padding. */
export const EVENTS_NMI_INJECTED = 12;
export const EVENTS_NMI_PENDING = 13;
export const EVENTS_NMI_MASKED = 14;
export const EVENTS_FLAGS = 20; // u32
export const KVM_VCPUEVENT_VALID_NMI_PENDING = 1;
export const KVM_VCPUEVENT_VALID_SHADOW = 4;
export const KVM_X86_SHADOW_INT_MOV_SS = 1;
export const KVM_X86_SHADOW_INT_STI = 2;

// --- struct kvm_debugregs: u64 db[4], dr6, dr7, flags, reserved[9] ---
export const KVM_DEBUGREGS_SIZE = 128;
export const DEBUGREGS_DR6 = 32;
export const DEBUGREGS_DR7 = 40;

// --- struct kvm_xsave: the standard (not compacted) XSAVE image, SDM vol. 1, 13.4 ---
export const KVM_XSAVE_SIZE = 4096;
export const XSAVE_FCW = 0; // u16
export const XSAVE_FSW = 2; // u16
/** u8 abridged tag word: bit i set when physical register i is not empty (SDM vol. 1, 10.5.1.1). */
export const XSAVE_FTW = 4;
export const XSAVE_FOP = 6; // u16
export const XSAVE_FIP = 8; // u64: the kernel uses the 64-bit format, which has no FCS and FDS
export const XSAVE_FDP = 16; // u64
export const XSAVE_MXCSR = 24; // u32
/** ST(0)–ST(7), 16 bytes each: in stack order, not in the order of the physical registers. */
export const XSAVE_ST = 32;
export const XSAVE_XMM = 160;
/** u64: which components of the image are not in their initial state. */
export const XSAVE_XSTATE_BV = 512;
export const XSTATE_X87 = 1;
export const XSTATE_SSE = 2;

// --- struct kvm_xcrs: u32 nr_xcrs, u32 flags, then struct kvm_xcr {u32 xcr, u32 reserved, u64 value}[16] ---
export const KVM_XCRS_SIZE = 392;
export const XCRS_COUNT = 0;
export const XCRS_FIRST_INDEX = 8;
export const XCRS_FIRST_VALUE = 16;

// --- struct kvm_msrs: u32 nmsrs, u32 pad, then struct kvm_msr_entry {u32 index, u32 reserved, u64 data}[] ---
export const KVM_MSRS_SIZE = 8;
export const KVM_MSR_ENTRY_SIZE = 16;
export const MSR_ENTRY_DATA = 8;

// --- struct kvm_cpuid2: u32 nent, u32 padding, then struct kvm_cpuid_entry2[] ---
export const KVM_CPUID2_SIZE = 8;
export const KVM_CPUID_ENTRY2_SIZE = 40;
export const CPUID_FUNCTION = 0;
export const CPUID_INDEX = 4;
export const CPUID_FLAGS = 8;
export const CPUID_EAX = 12;
/** The leaf has subleaves: ECX matters. */
export const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

// --- struct kvm_guest_debug: u32 control, u32 pad, u64 debugreg[8] ---
export const KVM_GUEST_DEBUG_SIZE = 72;
export const GUEST_DEBUG_CONTROL = 0;
export const GUEST_DEBUG_DR0 = 8;
export const GUEST_DEBUG_DR7 = 64;
export const KVM_GUESTDBG_ENABLE = 1;
export const KVM_GUESTDBG_SINGLESTEP = 2;
export const KVM_GUESTDBG_USE_HW_BP = 0x20000;

// --- struct kvm_userspace_memory_region: u32 slot, u32 flags, u64 guest_phys_addr, memory_size, userspace_addr ---
export const KVM_USERSPACE_MEMORY_REGION_SIZE = 32;
export const REGION_SLOT = 0;
export const REGION_FLAGS = 4;
export const REGION_GUEST_PHYS_ADDR = 8;
export const REGION_MEMORY_SIZE = 16;
export const REGION_USERSPACE_ADDR = 24;
export const KVM_MEM_READONLY = 2;

// --- struct kvm_enable_cap: u32 cap, u32 flags, u64 args[4], u8 pad[64] ---
export const KVM_ENABLE_CAP_SIZE = 104;
export const ENABLE_CAP_CAP = 0;
export const ENABLE_CAP_ARG0 = 8;

// --- struct kvm_device_attr: u32 flags, u32 group, u64 attr, u64 addr ---
export const KVM_DEVICE_ATTR_SIZE = 24;
export const DEVICE_ATTR_GROUP = 4;
export const DEVICE_ATTR_ATTR = 8;
export const DEVICE_ATTR_ADDR = 16;
/** On a vCPU: guest TSC minus host TSC, u64. */
export const KVM_VCPU_TSC_CTRL = 0;
export const KVM_VCPU_TSC_OFFSET = 0;
