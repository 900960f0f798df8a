import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE, BARE_HANDLERS, BARE_STACK0, EXCEPTION_STUB } from '../../src/vmm/bare-guest.js';
import { kvmUnavailable, withGuest } from './kvm-guest.js';

const why = kvmUnavailable();
if (why) console.log(`skipped: ${why}`);
const kvmTest = why ? test.skip : test;
const at = (offset: number) => BigInt(BARE_CODE + offset);

// inc eax; add rax,rax; nop; xor ecx,ecx; jmp to the start
const CODE = [0xff, 0xc0, 0x48, 0x01, 0xc0, 0x90, 0x31, 0xc9, 0xeb, 0xf6];
const STARTS = [0, 2, 5, 6, 8];

for (const ring of [0, 3] as const) {
  kvmTest(`single step in ring ${ring} executes one instruction`, () => {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring, rip: BARE_CODE }, CODE);
      const state = new X86State();
      for (let i = 1; i <= 10; i++) {
        assert.equal(guest.vcpu.step(), { reason: 'debug', pc: at(STARTS[i % 5]) });
        guest.vcpu.readState(state);
        assert.is(state.rip, at(STARTS[i % 5]));
        assert.is(state.rflags & 0x100n, 0n, 'the guest does not see TF');
      }
      assert.is(state.gpr(0), 6n, '((0+1)*2+1)*2');
    });
  });

  kvmTest(`breakpoints in ring ${ring} stop before their instruction, and a run goes on from there`, () => {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring, rip: BARE_CODE }, CODE);
      guest.vcpu.setBreakpoints([at(5)]);
      const state = new X86State();
      for (const expected of [2n, 6n, 14n]) {
        assert.equal(guest.runUntilExit(), { reason: 'debug', pc: at(5) });
        guest.vcpu.readState(state);
        assert.is(state.gpr(0), expected);
      }
      guest.vcpu.setBreakpoints([]);
      assert.is(guest.vcpu.run({ instructions: 1e9, nanoseconds: 1e6 }).reason, 'slice-end');
    });
  });

  kvmTest(`more breakpoints than debug registers in ring ${ring}`, () => {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring, rip: BARE_CODE }, CODE);
      guest.vcpu.setBreakpoints([at(2), at(5), at(8), 0x100n, 0x200n]);
      for (const offset of [2, 5, 8, 2, 5]) {
        assert.equal(guest.runUntilExit(), { reason: 'debug', pc: at(offset) });
      }
    });
  });
}

kvmTest('a step over I/O makes the access once and stops behind it', () => {
  withGuest((guest) => {
    guest.bus.input = () => 0x33;
    guest.load({ mode: 'long', ring: 0, rip: BARE_CODE }, [0xe4, 0x10, 0xe6, 0x11, 0xf4]);
    assert.equal(guest.vcpu.step(), { reason: 'debug', pc: at(2) });
    assert.equal(guest.vcpu.step(), { reason: 'debug', pc: at(4) });
    assert.equal(guest.bus.text(), ['in 0x10 1 0x33', 'out 0x11 1 0x33']);
  });
});

kvmTest('real mode: the address of a step is linear', () => {
  withGuest((guest) => {
    guest.ram.write(0x8000, Uint8Array.from([0x90, 0x90]));
    // jmp 0700:1000
    guest.load({ mode: 'real', ring: 0, rip: 0x7c00 }, [0xea, 0x00, 0x10, 0x00, 0x07]);
    assert.equal(guest.vcpu.step(), { reason: 'debug', pc: 0x8000n });
    assert.is(guest.vcpu.linearPc(), 0x8000n);
    assert.equal(guest.vcpu.step(), { reason: 'debug', pc: 0x8001n });
  });
});

kvmTest('a step into an exception ends in its handler, and the pushed RFLAGS are the guest’s own', () => {
  for (const [name, code, vector, pushedRip] of [
    ['#UD', [0x0f, 0x0b], 6, 0],
    ['#BP', [0xcc], 3, 1],
    ['#GP', [0xfa], 13, 0], // CLI with IOPL 0
  ] as const) {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring: 3, rip: BARE_CODE, rflags: L.FLAG_IF }, code);
      const exit = guest.vcpu.step();
      const handler = BigInt(BARE_HANDLERS + EXCEPTION_STUB * vector);
      // Back ends differ in whether the handler's first instruction still belongs to the step.
      assert.is(exit.reason === 'debug' && (exit.pc === handler || exit.pc === handler + 2n), true, name);
      const errorCode = vector === 13 ? 8 : 0;
      assert.is(guest.ram.readU64(BARE_STACK0 - 40), at(pushedRip), `${name}: RIP`);
      assert.is(guest.ram.readU64(BARE_STACK0 - 24) & 0x100n, 0n, `${name}: TF`);
      const state = new X86State();
      guest.vcpu.readState(state);
      assert.is(state.gpr(4), BigInt(BARE_STACK0 - 40 - errorCode), `${name}: RSP`);
      assert.is(state.u32(L.S_IDTR_LIMIT), 0xfff);
    });
  }
});

kvmTest('a step with an interrupt waiting delivers it', () => {
  for (const ring of [0, 3] as const) {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring, rip: BARE_CODE, rflags: L.FLAG_IF }, [0x90, 0x90, 0x90, 0x90, 0xeb, 0xfa]);
      guest.vcpu.step();
      guest.vcpu.inject(0x2a);
      const handler = BigInt(BARE_HANDLERS + EXCEPTION_STUB * (0x2a & 31));
      let reached = false;
      for (let i = 0; i < 4 && !reached; i++) {
        const exit = guest.vcpu.step();
        reached = exit.reason === 'debug' && exit.pc >= handler && exit.pc < handler + 16n;
      }
      assert.is(reached, true, `ring ${ring}`);
    });
  }
});

test.run();
