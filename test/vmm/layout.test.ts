import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as IO from '../../src/vmm/ioctl.js';
import { EXIT_NAMES, exitName, SYNC_EVENTS, SYNC_REGS, SYNC_SREGS, suberrorName } from '../../src/vmm/run-page.js';
import * as K from '../../src/vmm/structs.js';

test('ioctl numbers are those of the KVM API', () => {
  // As <linux/kvm.h> computes them.
  const expected: Record<string, [number, number]> = {
    KVM_GET_API_VERSION: [IO.KVM_GET_API_VERSION, 0xae00],
    KVM_CREATE_VM: [IO.KVM_CREATE_VM, 0xae01],
    KVM_CHECK_EXTENSION: [IO.KVM_CHECK_EXTENSION, 0xae03],
    KVM_GET_VCPU_MMAP_SIZE: [IO.KVM_GET_VCPU_MMAP_SIZE, 0xae04],
    KVM_GET_SUPPORTED_CPUID: [IO.KVM_GET_SUPPORTED_CPUID, 0xc008ae05],
    KVM_CREATE_VCPU: [IO.KVM_CREATE_VCPU, 0xae41],
    KVM_SET_USER_MEMORY_REGION: [IO.KVM_SET_USER_MEMORY_REGION, 0x4020ae46],
    KVM_SET_TSS_ADDR: [IO.KVM_SET_TSS_ADDR, 0xae47],
    KVM_SET_IDENTITY_MAP_ADDR: [IO.KVM_SET_IDENTITY_MAP_ADDR, 0x4008ae48],
    KVM_ENABLE_CAP: [IO.KVM_ENABLE_CAP, 0x4068aea3],
    KVM_RUN: [IO.KVM_RUN, 0xae80],
    KVM_GET_REGS: [IO.KVM_GET_REGS, 0x8090ae81],
    KVM_SET_REGS: [IO.KVM_SET_REGS, 0x4090ae82],
    KVM_GET_SREGS: [IO.KVM_GET_SREGS, 0x8138ae83],
    KVM_SET_SREGS: [IO.KVM_SET_SREGS, 0x4138ae84],
    KVM_INTERRUPT: [IO.KVM_INTERRUPT, 0x4004ae86],
    KVM_GET_MSRS: [IO.KVM_GET_MSRS, 0xc008ae88],
    KVM_SET_MSRS: [IO.KVM_SET_MSRS, 0x4008ae89],
    KVM_SET_CPUID2: [IO.KVM_SET_CPUID2, 0x4008ae90],
    KVM_NMI: [IO.KVM_NMI, 0xae9a],
    KVM_SET_GUEST_DEBUG: [IO.KVM_SET_GUEST_DEBUG, 0x4048ae9b],
    KVM_GET_VCPU_EVENTS: [IO.KVM_GET_VCPU_EVENTS, 0x8040ae9f],
    KVM_SET_VCPU_EVENTS: [IO.KVM_SET_VCPU_EVENTS, 0x4040aea0],
    KVM_GET_DEBUGREGS: [IO.KVM_GET_DEBUGREGS, 0x8080aea1],
    KVM_SET_DEBUGREGS: [IO.KVM_SET_DEBUGREGS, 0x4080aea2],
    KVM_GET_TSC_KHZ: [IO.KVM_GET_TSC_KHZ, 0xaea3],
    KVM_GET_XSAVE: [IO.KVM_GET_XSAVE, 0x9000aea4],
    KVM_SET_XSAVE: [IO.KVM_SET_XSAVE, 0x5000aea5],
    KVM_GET_XCRS: [IO.KVM_GET_XCRS, 0x8188aea6],
    KVM_SET_XCRS: [IO.KVM_SET_XCRS, 0x4188aea7],
    KVM_GET_STATS_FD: [IO.KVM_GET_STATS_FD, 0xaece],
  };
  for (const [name, [built, header]] of Object.entries(expected)) {
    assert.is(built.toString(16), header.toString(16), name);
  }
});

test('an ioctl argument larger than 14 bits is refused', () => {
  assert.throws(() => IO.ioc(IO.IOC_READ, 1, 0x4000), /does not fit/);
});

test('structures end where their last field does', () => {
  assert.is(K.REGS_RFLAGS + 8, K.KVM_REGS_SIZE);
  assert.is(K.KVM_REGS_ORDER.length * 8, K.KVM_REGS_SIZE);
  assert.is(K.SREGS_LDT + K.KVM_SEGMENT_SIZE, K.SREGS_GDT);
  assert.is(K.SREGS_GDT + K.KVM_DTABLE_SIZE, K.SREGS_IDT);
  assert.is(K.SREGS_IDT + K.KVM_DTABLE_SIZE, K.SREGS_CR0);
  assert.is(K.SREGS_INTERRUPT_BITMAP + 32, K.KVM_SREGS_SIZE);
  assert.is(K.XSAVE_ST + 8 * 16, K.XSAVE_XMM);
  assert.is(K.GUEST_DEBUG_DR7 + 8, K.KVM_GUEST_DEBUG_SIZE);
  assert.is(8 + 16 * 24, K.KVM_XCRS_SIZE);
  assert.is(SYNC_REGS, 304);
  assert.is(SYNC_SREGS, 448);
  assert.is(SYNC_EVENTS, 760);
});

test('exit reasons have names, unknown ones a number', () => {
  assert.is(exitName(2), 'IO');
  assert.is(exitName(5), 'HLT');
  assert.is(exitName(17), 'INTERNAL_ERROR');
  assert.is(EXIT_NAMES[39], 'MEMORY_FAULT');
  assert.is(exitName(999), 'EXIT_999');
  assert.is(suberrorName(1), 'EMULATION');
  assert.is(suberrorName(77), 'SUBERROR_77');
});

test.run();
