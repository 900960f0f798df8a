import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE, setIdtGate } from '../../src/vmm/bare-guest.js';
import { type Guest, kvmUnavailable, withGuest } from './kvm-guest.js';

const why = kvmUnavailable();
if (why) console.log(`skipped: ${why}`);
const kvmTest = why ? test.skip : test;
const start64 = { mode: 'long', ring: 0, rip: BARE_CODE } as const;

const HANDLER = 0x3800;
/** Vector 0x30 (and NMI): mov al,value; out 30h,al; iretq. */
function handlers(guest: Guest): void {
  guest.ram.write(HANDLER, Uint8Array.from([0xb0, 0x30, 0xe6, 0x30, 0x48, 0xcf]));
  guest.ram.write(HANDLER + 16, Uint8Array.from([0xb0, 0x02, 0xe6, 0x30, 0x48, 0xcf]));
  guest.ram.write(HANDLER + 32, Uint8Array.from([0xb0, 0x31, 0xe6, 0x30, 0x48, 0xcf]));
  setIdtGate(guest.ram, 0x30, HANDLER);
  setIdtGate(guest.ram, 2, HANDLER + 16);
  setIdtGate(guest.ram, 0x31, HANDLER + 32);
}

kvmTest('the interrupt line is acknowledged once the guest can take it', () => {
  withGuest((guest) => {
    handlers(guest);
    // out 10h,al (IF=0); sti; nop; out 11h,al; hlt
    guest.load(start64, [0xe6, 0x10, 0xfb, 0x90, 0xe6, 0x11, 0xf4]);
    guest.bus.vectors = [0x30];
    guest.vcpu.setInterruptLine(true);
    guest.bus.onAccess = () => {
      if (guest.bus.acknowledged > 0) guest.vcpu.setInterruptLine(false);
    };
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    const ports = guest.bus.log.map((a) => a.at);
    assert.is(ports[0], 0x10, 'nothing is delivered while IF is clear');
    assert.is(ports.filter((p) => p === 0x30).length, 1);
    assert.is(guest.bus.acknowledged, 1);
  });
});

kvmTest('a masked guest is not interrupted', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load(start64, [0xe6, 0x10, 0x90, 0x90, 0xf4]);
    guest.bus.vectors = [0x30];
    guest.vcpu.setInterruptLine(true);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.is(guest.bus.acknowledged, 0);
    assert.equal(guest.runUntilExit(), { reason: 'halt' }, 'it stays halted');
    assert.equal(guest.bus.text(), ['out 0x10 1 0x0']);
  });
});

kvmTest('an interrupt ends HLT and execution goes on behind it', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load(start64, [0xfb, 0xf4, 0xb0, 1, 0xe6, 0x11, 0xfa, 0xf4]); // sti; hlt; mov al,1; out 11h,al; cli; hlt
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.runUntilExit(), { reason: 'halt' }, 'without an interrupt it stays halted');
    assert.equal(guest.bus.text(), []);
    guest.vcpu.inject(0x30);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['out 0x30 1 0x30', 'out 0x11 1 0x1']);
  });
});

kvmTest('a spurious line (no vector left) does not end HLT', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load(start64, [0xfb, 0xf4, 0xe6, 0x11, 0xf4]);
    guest.vcpu.setInterruptLine(true);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    guest.vcpu.setInterruptLine(false);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), []);
  });
});

kvmTest('a halted state that is written wakes up by an interrupt', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load(start64, [0xfb, 0xf4, 0xe6, 0x11, 0xfa, 0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    const state = new X86State();
    guest.vcpu.readState(state);
    guest.vcpu.writeState(state);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    guest.vcpu.inject(0x30);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(
      guest.bus.log.map((a) => a.at),
      [0x30, 0x11],
    );
  });
});

kvmTest('an NMI is delivered with IF clear and wakes a halted processor', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load(start64, [0xf4, 0xe6, 0x11, 0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    guest.vcpu.injectNmi();
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['out 0x30 1 0x2', 'out 0x11 1 0x2']);
  });
});

kvmTest('many interrupts into running code: each exactly once, ring 0 and ring 3', () => {
  for (const ring of [0, 3] as const) {
    withGuest((guest) => {
      handlers(guest);
      guest.load({ mode: 'long', ring, rip: BARE_CODE, rflags: L.FLAG_IF }, [0x48, 0xff, 0xc0, 0xeb, 0xfb]);
      for (let i = 0; i < 20; i++) {
        guest.vcpu.inject(0x30);
        guest.vcpu.inject(0x31);
        assert.is(guest.vcpu.run({ instructions: 1e9, nanoseconds: 3e6 }).reason, 'slice-end');
      }
      for (let i = 0; i < 20 && guest.bus.log.length < 40; i++) {
        guest.vcpu.run({ instructions: 1e9, nanoseconds: 3e6 });
      }
      const values = guest.bus.log.map((a) => a.value);
      assert.is(values.filter((v) => v === 0x30).length, 20);
      assert.is(values.filter((v) => v === 0x31).length, 20);
    });
  }
});

kvmTest('no acknowledged interrupt is left behind when a slice ends: the state can move', () => {
  withGuest((guest) => {
    handlers(guest);
    guest.load({ ...start64, rflags: L.FLAG_IF }, [0x48, 0xff, 0xc0, 0xeb, 0xfb]);
    const state = new X86State();
    for (let i = 0; i < 30; i++) {
      guest.vcpu.inject(0x30);
      guest.vcpu.run({ instructions: 1e9, nanoseconds: 50_000 });
      // Reading and writing back drops whatever KVM still holds: nothing may be lost by it.
      guest.vcpu.readState(state);
      guest.vcpu.writeState(state);
    }
    for (let i = 0; i < 100 && guest.bus.log.length < 30; i++) {
      guest.vcpu.run({ instructions: 1e9, nanoseconds: 1e6 });
    }
    assert.is(guest.bus.log.length, 30);
  });
});

test.run();
