import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import { X86State } from '../../src/vcpu/x86-state.js';
import { BARE_CODE, BARE_DATA, EXCEPTION_PORT } from '../../src/vmm/bare-guest.js';
import { kvmUnavailable, withGuest } from './kvm-guest.js';

const why = kvmUnavailable();
if (why) console.log(`skipped: ${why}`);
const kvmTest = why ? test.skip : test;
const start64 = { mode: 'long', ring: 0, rip: BARE_CODE } as const;

kvmTest('real mode: OUT, IN, HLT', () => {
  withGuest((guest) => {
    guest.bus.input = () => 0xa5;
    // mov al,42h; out 10h,al; in al,11h; out 12h,al; mov dx,3f8h; mov ax,1234h; out dx,ax; hlt
    const code = [0xb0, 0x42, 0xe6, 0x10, 0xe4, 0x11, 0xe6, 0x12, 0xba, 0xf8, 0x03, 0xb8, 0x34, 0x12, 0xef, 0xf4];
    guest.load({ mode: 'real', ring: 0, rip: 0x7c00 }, code);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['out 0x10 1 0x42', 'in 0x11 1 0xa5', 'out 0x12 1 0xa5', 'out 0x3f8 2 0x1234']);
    const state = new X86State();
    guest.vcpu.readState(state);
    assert.is(state.rip, BigInt(0x7c00 + code.length), 'RIP stands behind HLT');
    assert.is(state.u32(L.S_ACTIVITY), L.ACTIVITY_HLT);
    assert.is(guest.vcpu.counters().exits['IO'], 4);
    assert.is(guest.vcpu.counters().exits['HLT'], 1);
  });
});

kvmTest('a processor out of reset starts in the firmware below 4 GiB', () => {
  withGuest((guest) => {
    // At F000:FFF0, reached through the alias at 0xFFFFFFF0: jmp F000:0000, there out 80h,al; hlt.
    guest.ram.write(0xffff0, Uint8Array.from([0xea, 0x00, 0x00, 0x00, 0xf0]));
    guest.ram.write(0xf0000, Uint8Array.from([0xb0, 0x07, 0xe6, 0x80, 0xf4]));
    guest.vcpu.writeState(X86State.reset());
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['out 0x80 1 0x7']);
  });
});

kvmTest('string I/O: REP OUTSB, REP INSW', () => {
  withGuest((guest) => {
    let next = 0x100;
    guest.bus.input = () => next++;
    guest.ram.write(BARE_DATA, Uint8Array.from([1, 2, 3, 4, 5]));
    // mov esi,DATA; mov ecx,5; mov edx,10h; rep outsb; mov edi,DATA+100h; mov ecx,3; inc edx; rep insw; hlt
    guest.load(start64, [
      ...[0xbe, 0, 0x40, 1, 0, 0xb9, 5, 0, 0, 0, 0xba, 0x10, 0, 0, 0, 0xf3, 0x6e],
      ...[0xbf, 0, 0x41, 1, 0, 0xb9, 3, 0, 0, 0, 0xff, 0xc2, 0xf3, 0x66, 0x6d, 0xf4],
    ]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    const outs = guest.bus.log.filter((a) => a.what === 'out');
    assert.equal(
      outs.map((a) => [a.at, a.size, a.value]),
      [1, 2, 3, 4, 5].map((v) => [0x10, 1, v]),
    );
    assert.is(guest.bus.log.filter((a) => a.what === 'in' && a.at === 0x11 && a.size === 2).length >= 3, true);
    assert.is(guest.ram.readU32(BARE_DATA + 0x100), 0x01010100);
    assert.is(guest.ram.readU16(BARE_DATA + 0x104), 0x102);
    const state = new X86State();
    guest.vcpu.readState(state);
    assert.is(state.gpr(1), 0n, 'RCX');
    assert.is(state.gpr(7), BigInt(BARE_DATA + 0x106), 'RDI');
  });
});

kvmTest('MMIO: 8-byte accesses arrive as two of 4, lowest address first', () => {
  withGuest((guest) => {
    guest.bus.input = (at) => (at === 0xb8008 ? 0x55667788 : 0x11223344);
    // mov rax,1122334455667788h; mov ebx,b8000h; mov [rbx],rax; mov [rbx+4],al; mov rcx,[rbx+8]; mov [DATA],rcx; hlt
    guest.load(start64, [
      ...[0x48, 0xb8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xbb, 0, 0x80, 0x0b, 0],
      ...[0x48, 0x89, 0x03, 0x88, 0x43, 0x04, 0x48, 0x8b, 0x4b, 0x08, 0x48, 0x89, 0x0c, 0x25, 0, 0x40, 1, 0, 0xf4],
    ]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), [
      'write 0xb8000 4 0x55667788',
      'write 0xb8004 4 0x11223344',
      'write 0xb8004 1 0x88',
      'read 0xb8008 4 0x55667788',
      'read 0xb800c 4 0x11223344',
    ]);
    assert.is(guest.ram.readU64(BARE_DATA), 0x1122334455667788n);
  });
});

kvmTest('ROM can be read; a write to it changes nothing and reaches no device', () => {
  withGuest((guest) => {
    guest.ram.writeU8(0xf0010, 0x99);
    // mov ebx,f0010h; mov byte [rbx],1; mov al,[rbx]; out 10h,al; hlt
    guest.load(start64, [0xbb, 0x10, 0, 0x0f, 0, 0xc6, 0x03, 1, 0x8a, 0x03, 0xe6, 0x10, 0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    if (!guest.vm.readonlyMemory) return;
    assert.equal(guest.bus.text(), ['out 0x10 1 0x99']);
    assert.is(guest.ram.readU8(0xf0010), 0x99);
    assert.is(guest.vcpu.counters().details['rom_writes_ignored'], 1);
  });
});

kvmTest('A20 masked: the second megabyte shows the first', () => {
  withGuest((guest) => {
    // mov ax,ffffh; mov es,ax; mov byte es:[1010h],AL-value; hlt — FFFF:1010 is 0x101000
    const code = (value: number) => [0xb8, 0xff, 0xff, 0x8e, 0xc0, 0x26, 0xc6, 0x06, 0x10, 0x10, value, 0xf4];
    guest.vcpu.setA20(false);
    guest.load({ mode: 'real', ring: 0, rip: 0x7c00 }, code(1));
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal([guest.ram.readU8(0x1000), guest.ram.readU8(0x101000)], [1, 0]);
    guest.vcpu.setA20(true);
    guest.load({ mode: 'real', ring: 0, rip: 0x7c00 }, code(2));
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal([guest.ram.readU8(0x1000), guest.ram.readU8(0x101000)], [1, 2]);
    // A device in the first megabyte shows at its folded address: FFFF:... 0x1b8000 in long mode.
    guest.vcpu.setA20(false);
    guest.load(start64, [0xb0, 7, 0x88, 0x04, 0x25, 0, 0x80, 0x1b, 0, 0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['write 0xb8000 1 0x7']);
  });
});

kvmTest('long mode ring 3 computes; its HLT faults with #GP', () => {
  withGuest((guest) => {
    // mov ecx,1000; L: add rax,rcx; dec ecx; jnz L; mov [DATA],rax; hlt
    guest.load({ mode: 'long', ring: 3, rip: BARE_CODE }, [
      ...[0xb9, 0xe8, 3, 0, 0, 0x48, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xf9],
      ...[0x48, 0x89, 0x04, 0x25, 0, 0x40, 1, 0, 0xf4],
    ]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), [`out 0x${EXCEPTION_PORT.toString(16)} 1 0xd`]);
    assert.is(guest.ram.readU64(BARE_DATA), 500500n);
    const state = new X86State();
    guest.vcpu.readState(state);
    assert.is(state.cpl, 0, 'the handler runs in ring 0');
    assert.is(state.rip > 0x3000n && state.rip < 0x4000n, true);
  });
});

kvmTest('an endless loop ends with its slice, again and again', () => {
  for (const ring of [0, 3] as const) {
    withGuest((guest) => {
      guest.load({ mode: 'long', ring, rip: BARE_CODE }, [0x48, 0xff, 0xc0, 0xeb, 0xfb]); // L: inc rax; jmp L
      const state = new X86State();
      // On a busy host a slice may be over before the guest got its turn, so progress is asked of them together.
      let last = 0n;
      let advanced = 0;
      for (let i = 0; i < 200 && advanced < 5; i++) {
        assert.equal(guest.vcpu.run({ instructions: 1e9, nanoseconds: 2e6 }), { reason: 'slice-end' });
        guest.vcpu.readState(state);
        assert.ok(state.gpr(0) >= last, 'the count never goes back');
        if (state.gpr(0) > last) advanced++;
        last = state.gpr(0);
        assert.is(state.rip === BigInt(BARE_CODE) || state.rip === BigInt(BARE_CODE + 3), true);
      }
      assert.is(advanced, 5, 'the guest made progress');
    });
  }
});

kvmTest('kick() from a bus callback ends the run behind the I/O instruction', () => {
  withGuest((guest) => {
    guest.bus.input = () => {
      guest.vcpu.kick();
      return 0x77;
    };
    guest.load(start64, [0xe4, 0x10, 0xe6, 0x11, 0xf4]); // in al,10h; out 11h,al; hlt
    assert.equal(guest.vcpu.run({ instructions: 1e9, nanoseconds: 1e9 }), { reason: 'slice-end' });
    const state = new X86State();
    guest.vcpu.readState(state);
    assert.is(state.rip, BigInt(BARE_CODE + 2));
    assert.is(state.gpr(0) & 0xffn, 0x77n, 'IN is complete');
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['in 0x10 1 0x77', 'out 0x11 1 0x77']);
  });
});

kvmTest('kick() before run() ends the next run at once', () => {
  withGuest((guest) => {
    guest.load(start64, [0xeb, 0xfe]);
    guest.vcpu.kick();
    assert.equal(guest.vcpu.run({ instructions: 1e9, nanoseconds: 60e9 }), { reason: 'slice-end' });
  });
});

kvmTest('a triple fault shuts the processor down, until a state is written', () => {
  withGuest((guest) => {
    // lidt of an empty table, then #UD
    guest.ram.fill(BARE_DATA, 16);
    guest.load(start64, [0x0f, 0x01, 0x1c, 0x25, 0, 0x40, 1, 0, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0x7f]);
    const exit = guest.runUntilExit();
    assert.is(exit.reason, 'shutdown');
    assert.is(guest.runUntilExit(2).reason, 'shutdown');
    guest.load(start64, [0xf4]);
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
  });
});

kvmTest('CR8 belongs to the bus, IA32_APIC_BASE is reported to it', () => {
  withGuest((guest) => {
    guest.bus.cr8 = 5;
    // mov rax,cr8; out 10h,al; mov al,9; mov cr8,rax; mov ecx,1bh; rdmsr; or eax,0; and ah,f7h → clear EN (bit 11); wrmsr; hlt
    guest.load(start64, [
      ...[0x44, 0x0f, 0x20, 0xc0, 0xe6, 0x10, 0xb8, 9, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0],
      ...[0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0x80, 0xe4, 0xf7, 0x0f, 0x30, 0xf4],
    ]);
    guest.bus.cr8 = 5; // writing the state had set it to the state's own value
    guest.bus.apicBases.length = 0;
    assert.equal(guest.runUntilExit(), { reason: 'halt' });
    assert.equal(guest.bus.text(), ['out 0x10 1 0x5']);
    assert.is(guest.bus.cr8, 9);
    assert.equal(guest.bus.apicBases, [0xfee00100]);
  });
});

kvmTest('a vCPU closed by a bus callback ends cleanly and stays closed', () => {
  withGuest((guest) => {
    guest.bus.onAccess = () => guest.vcpu.close();
    guest.load(start64, [0xe6, 0x10, 0xeb, 0xfc]);
    assert.equal(guest.vcpu.run({ instructions: 1e9, nanoseconds: 1e9 }), { reason: 'slice-end' });
    assert.throws(
      () => guest.vcpu.run({ instructions: 1, nanoseconds: 1 }),
      (e: { code?: string }) => e.code === 'E_CLOSED',
    );
    guest.vcpu.close();
  });
});

test.run();
