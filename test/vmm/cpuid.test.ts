import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CpuidEntry } from '../../src/vcpu/cpu-model.js';
import { decodeCpuid, encodeCpuid, hostCpuid, intersectCpuid } from '../../src/vmm/cpuid.js';

const entry = (leaf: number, subleaf: number, eax: number, ebx: number, ecx: number, edx: number): CpuidEntry => ({
  leaf,
  subleaf,
  eax,
  ebx,
  ecx,
  edx,
});
const X2APIC = 0x200000;
const TSC_DEADLINE = 0x1000000;
const HYPERVISOR = 0x80000000;
const APIC = 0x200;

test('kvm_cpuid2 round trip; only leaves with subleaves are marked as indexed', () => {
  const list = [entry(0, 0, 0xd, 1, 2, 0xffffffff), entry(7, 1, 5, 6, 7, 8)];
  const buffer = encodeCpuid(list);
  assert.is(buffer.byteLength, 8 + 2 * 40);
  assert.equal(decodeCpuid(buffer), list);
  const view = new DataView(buffer);
  assert.is(view.getUint32(8 + 8, true), 0);
  assert.is(view.getUint32(48 + 8, true), 1);
});

test('a damaged entry count does not read past the buffer', () => {
  const buffer = encodeCpuid([entry(0, 0, 1, 2, 3, 4)]);
  new DataView(buffer).setUint32(0, 1000, true);
  assert.is(decodeCpuid(buffer).length, 1);
});

test('feature bits are intersected, identity comes from the model', () => {
  const model = [
    entry(0, 0, 7, 0x756e6547, 0x6c65746e, 0x49656e69),
    entry(1, 0, 0x306a9, 0x800, 0b1011, 0xff | APIC),
    entry(7, 0, 0, 0xff, 0, 0),
    entry(0x80000001, 0, 0, 0, 1, 0x20100800),
  ];
  const supported = [
    entry(0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65),
    entry(1, 0, 0xa20f11, 0, 0b0011, 0x0f),
    entry(0x80000001, 0, 0, 0, 0, 0x20000800),
  ];
  const cut = intersectCpuid(model, supported);
  assert.equal(cut[0], model[0]);
  assert.is(cut[1].eax, 0x306a9);
  assert.is(cut[1].ebx, 0x800);
  assert.is(cut[1].ecx, 0b0011);
  assert.is(cut[1].edx, 0x0f | APIC, 'the local APIC is not the back end’s');
  assert.is(cut[2].ebx, 0, 'a feature leaf that the back end lacks has no features');
  assert.is(cut[3].ecx, 0);
  assert.is(cut[3].edx, 0x20000800);
});

test('x2APIC and TSC-deadline are always masked', () => {
  const all = entry(1, 0, 0, 0, 0xffffffff, 0xffffffff);
  for (const cut of [intersectCpuid([all], [all])[0], hostCpuid([all])[0]]) {
    assert.is(cut.ecx, (0xffffffff & ~X2APIC & ~TSC_DEADLINE) >>> 0);
  }
});

test('whether a hypervisor is announced is the model’s decision', () => {
  const host = entry(1, 0, 0, 0, 0, 0);
  assert.is(intersectCpuid([entry(1, 0, 0, 0, HYPERVISOR, 0)], [host])[0].ecx, HYPERVISOR);
  assert.is(intersectCpuid([host], [entry(1, 0, 0, 0, HYPERVISOR, 0)])[0].ecx, 0);
});

test.run();
