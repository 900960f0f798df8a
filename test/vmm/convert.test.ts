import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import * as C from '../../src/vmm/convert.js';
import * as K from '../../src/vmm/structs.js';
import {
  changedGroups,
  GROUP_EVENTS,
  GROUP_FPU,
  GROUP_MSRS,
  GROUP_REGS,
  GROUP_SREGS,
} from '../../src/vmm/vcpu-state.js';
import { differences, randomState } from './random-state.js';

const block = (size: number) => new DataView(new ArrayBuffer(size));

test('every group converts to KVM and back without loss', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const from = randomState(seed, { iopl: true });
    from.setU32(L.S_INT_SHADOW, seed % 3);
    from.setU32(L.S_NMI_PENDING, seed & 1);
    const into = new X86State();
    // Fields that none of these structures carries.
    for (const [, offset] of C.STATE_MSRS) into.setU64(offset, from.u64(offset));
    into.setU64(L.S_TSC_OFFSET, from.u64(L.S_TSC_OFFSET));
    into.setU64(L.S_XCR0, from.u64(L.S_XCR0));
    const regs = block(K.KVM_REGS_SIZE);
    const sregs = block(K.KVM_SREGS_SIZE);
    const events = block(K.KVM_VCPU_EVENTS_SIZE);
    const debug = block(K.KVM_DEBUGREGS_SIZE);
    const xsave = block(K.KVM_XSAVE_SIZE);
    C.regsFromState(from, regs);
    C.regsToState(regs, into);
    C.sregsFromState(from, sregs);
    C.sregsToState(sregs, into);
    C.eventsFromState(from, events);
    C.eventsToState(events, into);
    C.debugRegsFromState(from, debug);
    C.debugRegsToState(debug, into);
    C.xsaveFromState(from, xsave);
    C.xsaveToState(xsave, into);
    assert.equal(differences(from, into), [], `seed ${seed}`);
  }
});

test('kvm_regs lists RBX before RCX and RSP after RDI', () => {
  const state = new X86State();
  for (let i = 0; i < 16; i++) state.setGpr(i, BigInt(i));
  const regs = block(K.KVM_REGS_SIZE);
  C.regsFromState(state, regs);
  const order = Array.from({ length: 16 }, (_, i) => Number(regs.getBigUint64(8 * i, true)));
  assert.equal(order, [0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15]);
});

test('a segment takes its access rights apart as a descriptor has them', () => {
  const state = new X86State();
  // A 64-bit, present, ring-3, execute/read code segment with 4 KiB granularity.
  state.setSegment(L.SEG_CS, { selector: 0x33, base: 0n, limit: 0xffffffff, attr: 0xa0fb, unusable: false });
  state.setSegment(L.SEG_LDTR, { selector: 0, base: 0n, limit: 0, attr: 0, unusable: true });
  const sregs = block(K.KVM_SREGS_SIZE);
  C.sregsFromState(state, sregs);
  const field = (offset: number) => sregs.getUint8(K.SREGS_CS + offset);
  assert.is(field(K.KSEG_TYPE), 11);
  assert.is(field(K.KSEG_S), 1);
  assert.is(field(K.KSEG_DPL), 3);
  assert.is(field(K.KSEG_PRESENT), 1);
  assert.is(field(K.KSEG_L), 1);
  assert.is(field(K.KSEG_DB), 0);
  assert.is(field(K.KSEG_G), 1);
  assert.is(field(K.KSEG_AVL), 0);
  assert.is(sregs.getUint32(K.SREGS_CS + K.KSEG_LIMIT, true), 0xffffffff);
  assert.is(sregs.getUint8(K.SREGS_LDT + K.KSEG_UNUSABLE), 1);
});

test('x87 registers are stored in stack order, tags abridged in physical order', () => {
  const state = X86State.reset();
  state.setU16(L.S_FSW, 6 << 11);
  state.setU16(L.S_FTW, 0x0fff); // R6 and R7 valid
  state.setU64(L.S_FPR + 16 * 6, 0x8000000000000001n);
  state.setU64(L.S_FPR + 16 * 6 + 8, 0x3fffn);
  state.setU64(L.S_FPR + 16 * 7, 0x8000000000000002n);
  state.setU64(L.S_FPR + 16 * 7 + 8, 0x3fffn);
  const xsave = block(K.KVM_XSAVE_SIZE);
  C.xsaveFromState(state, xsave);
  assert.is(xsave.getBigUint64(K.XSAVE_ST, true), 0x8000000000000001n, 'ST(0) is R6');
  assert.is(xsave.getBigUint64(K.XSAVE_ST + 16, true), 0x8000000000000002n, 'ST(1) is R7');
  assert.is(xsave.getUint8(K.XSAVE_FTW), 0xc0);
  assert.is(xsave.getUint32(K.XSAVE_XSTATE_BV, true), 3);
});

test('components in their initial state read as FNINIT leaves them', () => {
  const xsave = block(K.KVM_XSAVE_SIZE);
  for (let i = 0; i < 416; i++) xsave.setUint8(i, 0xee);
  xsave.setUint32(K.XSAVE_MXCSR, 0x1f80, true);
  const state = new X86State();
  C.xsaveToState(xsave, state);
  assert.is(state.u16(L.S_FCW), 0x37f);
  assert.is(state.u16(L.S_FTW), 0xffff);
  assert.is(state.u64(L.S_FPR), 0n);
  assert.is(state.u64(L.S_XMM), 0n);
  assert.is(state.u32(L.S_MXCSR), 0x1f80);
});

test('tags follow the contents (SDM vol. 1, 8.1.7)', () => {
  assert.is(C.x87Tag(1n << 63n, 0x3fff), 0, 'one');
  assert.is(C.x87Tag(0n, 0), 1, 'zero');
  assert.is(C.x87Tag(0n, 0x8000), 1, 'minus zero');
  assert.is(C.x87Tag(1n, 0), 2, 'denormal');
  assert.is(C.x87Tag(1n << 63n, 0x7fff), 2, 'infinity');
  assert.is(C.x87Tag(1n, 0x3fff), 2, 'unnormal');
});

test('SVM reports both shadows at once; they read as STI', () => {
  const events = block(K.KVM_VCPU_EVENTS_SIZE);
  events.setUint8(K.EVENTS_SHADOW, 3);
  const state = new X86State();
  C.eventsToState(events, state);
  assert.is(state.u32(L.S_INT_SHADOW), L.SHADOW_STI);
});

test('a written state carries no exception or interrupt in flight', () => {
  const events = block(K.KVM_VCPU_EVENTS_SIZE);
  for (let i = 0; i < K.KVM_VCPU_EVENTS_SIZE; i++) events.setUint8(i, 0xff);
  C.eventsFromState(X86State.reset(), events);
  assert.is(events.getUint32(K.EVENTS_EXCEPTION, true), 0);
  assert.is(C.queuedInterrupt(events), -1);
});

test('a change is found in its group', () => {
  const before = X86State.reset();
  const touched = (change: (state: X86State) => void): number => {
    const after = X86State.reset();
    change(after);
    return changedGroups(before, after);
  };
  assert.is(
    touched(() => undefined),
    0,
  );
  assert.is(
    touched((s) => s.setGpr(15, 1n)),
    GROUP_REGS,
  );
  assert.is(
    touched((s) => s.setU64(L.S_RFLAGS, 0x46n)),
    GROUP_REGS,
  );
  assert.is(
    touched((s) => s.setU64(L.S_EFER, 1n)),
    GROUP_SREGS,
  );
  assert.is(
    touched((s) => s.setU64(L.S_MSR_APIC_BASE, 1n)),
    GROUP_SREGS,
  );
  assert.is(
    touched((s) => s.setU64(L.S_MSR_LSTAR, 1n)),
    GROUP_MSRS,
  );
  assert.is(
    touched((s) => s.setU64(L.S_XMM + 0xf8, 1n)),
    GROUP_FPU,
  );
  assert.is(
    touched((s) => s.setU32(L.S_NMI_BLOCKED, 1)),
    GROUP_EVENTS,
  );
});

test.run();
