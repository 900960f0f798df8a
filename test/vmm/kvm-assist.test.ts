import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { VmExit } from '../../src/vcpu/vcpu.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE } from '../../src/vmm/bare-guest.js';
import { kvmUnavailable, withGuest } from './kvm-guest.js';

const start = { mode: 'long', ring: 0, rip: BARE_CODE } as const;
// mov ecx,8; lar eax,ecx; out 10h,eax; hlt
const LAR_AT = 5;
const CODE = [0xb9, 8, 0, 0, 0, 0x0f, 0x02, 0xc1, 0xe7, 0x10, 0xf4];
/** LAR of the flat 64-bit code descriptor: its second word masked with 00FxFF00h (SDM vol. 2, LAR). */
const LAR_RESULT = 0x00af9b00;

/** How this KVM takes LAR in ring 0. */
function tryLar(): VmExit {
  let exit: VmExit = { reason: 'slice-end' };
  withGuest((guest) => {
    guest.load(start, CODE);
    exit = guest.runUntilExit();
  });
  return exit;
}

const unavailable = kvmUnavailable();
const plain = unavailable ? null : tryLar();
const why = unavailable ?? (plain?.reason === 'failed' ? null : 'this KVM executes LAR in ring 0 by itself');
if (why) console.log(`skipped: ${why}`);
const refusedTest = why ? test.skip : test;

const lar = (state: X86State): null => {
  state.setGpr(0, BigInt(LAR_RESULT));
  state.rip = state.rip + 3n;
  return null;
};

refusedTest('without an assist the refusal is named, with RIP, bytes and registers', () => {
  if (plain?.reason !== 'failed') throw new Error('unreachable');
  assert.is(plain.name, 'E_KVM_EMULATION');
  assert.match(plain.message, 'rip=0x10005');
  assert.match(plain.message, '0f 02 c1');
  assert.match(plain.message, 'rcx=0000000000000008');
});

refusedTest('the assist executes the refused instruction and KVM goes on', () => {
  const seen: bigint[] = [];
  withGuest(
    (guest) => {
      guest.load(start, CODE);
      assert.equal(guest.runUntilExit(), { reason: 'halt' });
      assert.equal(guest.bus.text(), [`out 0x10 4 0x${LAR_RESULT.toString(16)}`]);
      assert.is(guest.vcpu.counters().assists, 1);
      assert.is(guest.vcpu.counters().exits['INTERNAL_ERROR'], 1);
    },
    {
      assist: (state) => {
        seen.push(state.rip);
        assert.is(state.gpr(1), 8n);
        return lar(state);
      },
    },
  );
  assert.equal(seen, [BigInt(BARE_CODE + LAR_AT)]);
});

refusedTest('a step over a refused instruction is one step', () => {
  withGuest(
    (guest) => {
      guest.load(start, CODE);
      assert.equal(guest.vcpu.step(), { reason: 'debug', pc: BigInt(BARE_CODE + LAR_AT) });
      assert.equal(guest.vcpu.step(), { reason: 'debug', pc: BigInt(BARE_CODE + LAR_AT + 3) });
      assert.equal(guest.vcpu.step(), { reason: 'debug', pc: BigInt(BARE_CODE + LAR_AT + 5) });
      assert.is(guest.bus.log.length, 1);
    },
    { assist: lar },
  );
});

refusedTest('an assist that fails ends the run with its name', () => {
  withGuest(
    (guest) => {
      guest.load(start, CODE);
      const exit = guest.runUntilExit();
      assert.is(exit.reason, 'failed');
      if (exit.reason === 'failed') {
        assert.is(exit.name, 'E_UNIMPLEMENTED');
        assert.match(exit.message, '0f 02 c1');
        assert.match(exit.message, 'no such instruction');
      }
      const state = new X86State();
      guest.vcpu.readState(state);
      assert.is(state.rip, BigInt(BARE_CODE + LAR_AT));
    },
    { assist: () => ({ reason: 'failed', name: 'E_UNIMPLEMENTED', message: 'no such instruction' }) },
  );
});

refusedTest('an assist that makes no progress is noticed', () => {
  withGuest(
    (guest) => {
      guest.load(start, CODE);
      const exit = guest.runUntilExit();
      assert.is(exit.reason === 'failed' && exit.name, 'E_KVM_EMULATION');
    },
    { assist: () => null },
  );
});

test.run();
