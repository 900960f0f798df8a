import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CPU_MODELS, findCpuModel } from '../../src/vcpu/cpu-model.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';

const text = (...words: number[]) => {
  const bytes = new Uint8Array(Uint32Array.from(words).buffer);
  return String.fromCharCode(...bytes).replace(/\0+$/, '');
};

test('vendor, brand and hypervisor strings', () => {
  for (const model of CPU_MODELS) {
    const vendor = model.cpuid(0, 0);
    assert.is(text(vendor.ebx, vendor.edx, vendor.ecx), 'GenuineIntel');
    const brand = [2, 3, 4].flatMap((n) => {
      const r = model.cpuid(0x80000000 + n, 0);
      return [r.eax, r.ebx, r.ecx, r.edx];
    });
    assert.is(text(...brand), 'tsvm virtual CPU');
    const hypervisor = model.cpuid(0x40000000, 0);
    assert.is(text(hypervisor.ebx, hypervisor.ecx, hypervisor.edx), 'tsvmtsvmtsvm');
    assert.is(model.cpuid(1, 0).ecx >>> 31, 1, 'hypervisor present');
  }
});

test('every value is an unsigned 32-bit number', () => {
  for (const model of CPU_MODELS) {
    for (const { eax, ebx, ecx, edx } of model.leaves) {
      for (const value of [eax, ebx, ecx, edx]) assert.is(value, value >>> 0);
    }
  }
});

test('the signature decodes to family, model and stepping (SDM vol. 2A, CPUID)', () => {
  for (const model of CPU_MODELS) {
    const { eax } = model.cpuid(1, 0);
    const family = (eax >> 8) & 15;
    assert.is(family, model.family);
    assert.is(((eax >> 4) & 15) | (((eax >> 16) & 15) << 4), model.model);
    assert.is(eax & 15, model.stepping);
  }
});

test('max has what x86-64-v2 demands, and nothing that tsvm lacks', () => {
  const max = findCpuModel('max');
  const one = max.cpuid(1, 0);
  // psABI v2: SSE3 0, SSSE3 9, CMPXCHG16B 13, SSE4.1 19, SSE4.2 20, POPCNT 23; LAHF in 80000001H.
  for (const bit of [0, 9, 13, 19, 20, 23]) assert.is((one.ecx >>> bit) & 1, 1, `ECX bit ${bit}`);
  assert.is(max.cpuid(0x80000001, 0).ecx & 1, 1);
  // VMX 5, FMA 12, PCID 17, x2APIC 21, TSC-deadline 24, OSXSAVE 27, AVX 28.
  for (const bit of [5, 12, 17, 21, 24, 27, 28]) assert.is((one.ecx >>> bit) & 1, 0, `ECX bit ${bit}`);
  // PSE-36 17.
  assert.is((one.edx >>> 17) & 1, 0);
  // 1-GiB pages.
  assert.is((max.cpuid(0x80000001, 0).edx >>> 26) & 1, 0);
  assert.ok(max.hasLongMode);
});

test('i386 has no long mode, and x86-64-v1 no SSE3', () => {
  const i386 = findCpuModel('i386');
  assert.not(i386.hasLongMode);
  assert.is((i386.cpuid(0x80000001, 0).edx >>> 29) & 1, 0);
  const v1 = findCpuModel('x86-64-v1');
  assert.ok(v1.hasLongMode);
  assert.is(v1.cpuid(1, 0).ecx & 1, 0);
  assert.is(v1.cpuid(0xd, 0).eax, 0, 'no XSAVE, no state components');
});

test('TSC and crystal run at 1 GHz (leaf 15H)', () => {
  const { eax, ebx, ecx } = findCpuModel('max').cpuid(0x15, 0);
  assert.is((ecx * ebx) / eax, 1e9);
  assert.is((findCpuModel('max').cpuid(0x80000007, 0).edx >> 8) & 1, 1, 'invariant');
});

test('leaves out of range give the highest basic leaf; absent subleaves give zeros', () => {
  const max = findCpuModel('max');
  assert.equal(max.cpuid(0x17, 5), max.cpuid(0x16, 0));
  assert.equal(max.cpuid(0x80001000, 0), max.cpuid(0x16, 0));
  assert.equal({ ...max.cpuid(7, 1) }, { eax: 0, ebx: 0, ecx: 0, edx: 0 });
  assert.is(max.cpuid(0xb, 7).ecx, 7);
  assert.is(max.cpuid(1, 99).eax, max.cpuid(1, 0).eax, 'leaf 1 ignores ECX');
});

test('an unknown model is refused with the names there are', () => {
  assert.throws(
    () => findCpuModel('z80'),
    (e: Error) => e instanceof TsvmError && e.code === 'E_CPU_UNKNOWN' && e.message.includes('x86-64-v1'),
  );
});

test.run();
