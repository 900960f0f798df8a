import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE, BARE_DATA, BARE_STACK0, bareState } from '../../src/vmm/bare-guest.js';
import { GROUP_ALL } from '../../src/vmm/vcpu-state.js';
import { kvmUnavailable, withGuest } from './kvm-guest.js';
import { differences, randomState } from './random-state.js';

const why = kvmUnavailable();
if (why) console.log(`skipped: ${why}`);
const kvmTest = why ? test.skip : test;

kvmTest('a valid state survives the way into KVM and out again', () => {
  withGuest((guest) => {
    const into = new X86State();
    for (let seed = 1; seed <= 60; seed++) {
      const from = randomState(seed, { iopl: false });
      guest.vcpu.writeState(from);
      // A kicked run enters KVM, which loads the synchronized registers, but executes nothing.
      guest.vcpu.kick();
      assert.equal(guest.vcpu.run({ instructions: 1, nanoseconds: 1e6 }), { reason: 'slice-end' });
      guest.vcpu.readState(into);
      assert.equal(differences(from, into), [], `seed ${seed}`);
    }
  });
});

kvmTest('the reset state survives too', () => {
  withGuest((guest) => {
    const from = X86State.reset();
    const into = new X86State();
    guest.vcpu.writeState(from);
    guest.vcpu.kick();
    guest.vcpu.run({ instructions: 1, nanoseconds: 1e6 });
    guest.vcpu.readState(into);
    assert.equal(differences(from, into), []);
  });
});

kvmTest('what the guest computes is in the state: x87, SSE, RFLAGS', () => {
  withGuest((guest) => {
    guest.ram.writeU64(BARE_DATA, 0x400921fb54442d18n); // pi
    // fninit; fld1; fld qword [DATA]; movq xmm3,[DATA]; stc; hlt
    guest.load({ mode: 'long', ring: 3, rip: BARE_CODE }, [
      ...[0xdb, 0xe3, 0xd9, 0xe8, 0xdd, 0x04, 0x25, 0, 0x40, 1, 0],
      ...[0xf3, 0x0f, 0x7e, 0x1c, 0x25, 0, 0x40, 1, 0, 0xf9, 0xf4],
    ]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    const state = new X86State();
    guest.vcpu.readState(state);
    assert.is((state.u16(L.S_FSW) >> 11) & 7, 6, 'TOP');
    assert.is(state.u64(L.S_FPR + 16 * 6), 0xc90fdaa22168c000n, 'significand of pi in R6');
    assert.is(state.u16(L.S_FPR + 16 * 6 + 8), 0x4000);
    assert.is(state.u64(L.S_FPR + 16 * 7), 1n << 63n, 'one in R7');
    assert.is(state.u16(L.S_FTW), 0x0fff);
    assert.is(state.u64(L.S_XMM + 48), 0x400921fb54442d18n);
    assert.is(guest.ram.readU64(BARE_STACK0 - 24) & 1n, 1n, 'CF in the RFLAGS that #GP pushed');
  });
});

kvmTest('a state moves from one vCPU to another in the middle of a loop', () => {
  withGuest((first) => {
    withGuest((second) => {
      // L: inc rax; dec rcx; jnz L; hlt
      const code = [0x48, 0xff, 0xc0, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4];
      const start = { mode: 'long', ring: 3, rip: BARE_CODE } as const;
      first.load(start, code);
      second.load(start, code);
      const state = bareState(start);
      state.setGpr(1, 30_000_000n);
      const guests = [first, second];
      let exits = 0;
      for (let i = 0; i < 2000; i++) {
        const guest = guests[i & 1];
        guest.vcpu.writeGroups(state, GROUP_ALL);
        const exit = guest.vcpu.run({ instructions: 1e9, nanoseconds: 1e6 });
        guest.vcpu.readState(state);
        exits++;
        if (exit.reason !== 'slice-end') break;
      }
      assert.is(exits > 1, true);
      // HLT in ring 3 raised #GP, whose handler overwrote AL only.
      assert.is(state.gpr(0) >> 8n, 30_000_000n >> 8n);
      assert.is(state.gpr(1), 0n);
    });
  });
});

kvmTest('a state that no processor can have is refused by name', () => {
  withGuest((guest) => {
    const state = bareState({ mode: 'long', ring: 0, rip: BARE_CODE });
    state.setU64(L.S_CR0, 0x8000_0000n); // paging without protection (SDM vol. 3, 2.5)
    guest.vcpu.writeState(state);
    const exit = guest.vcpu.run({ instructions: 1, nanoseconds: 1e6 });
    assert.is(exit.reason, 'failed');
    assert.is(exit.reason === 'failed' && exit.name, 'E_KVM_STATE');
    const bad = bareState({ mode: 'long', ring: 0, rip: BARE_CODE });
    bad.setU32(L.S_MXCSR, 0xffff0000);
    assert.throws(
      () => guest.vcpu.writeState(bad),
      (e: { code?: string }) => e.code === 'E_KVM_STATE',
    );
    guest.load({ mode: 'long', ring: 0, rip: BARE_CODE }, [0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' }, 'a good state afterwards runs');
  });
});

test.run();
