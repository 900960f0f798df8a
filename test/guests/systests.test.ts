// The self-checking system tests of guests/systests through the real command line. In emu every one must pass, and so in
// virt, but for what a back end is known to leave out.

import { readdirSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { probeKvm } from '../../src/vmm/probe.js';
import { runGuest } from './run-guest.js';

/** A processor with virtualization extensions leaves the guest at every task switch; the kernel carries it out. */
const SOFTWARE_TASK_SWITCH = 'KVM switches tasks in software and leaves out the debug trap of the T bit';

/** Per back end: images that find it out, and what they find (src/vmm/divergences.ts has more of the causes). */
const DIVERGING: Record<string, Record<string, string>> = {
  kvm_intel: { taskswitch32: SOFTWARE_TASK_SWITCH },
  kvm_amd: { taskswitch32: SOFTWARE_TASK_SWITCH },
  kvm_pvm: {
    exceptions64: 'INT n at ring 3 raises #UD, data breakpoints do not fire at ring 0',
    gates32: 'LAR, LSL, VERR, VERW and far transfers at ring 3 look into the host’s descriptor tables',
    idt32: 'INT n at ring 3 raises #UD',
    idt64: 'IRETQ with a null SS is refused at ring 0',
    interrupts: 'ring 0 is emulated many instructions at a time, and an interrupt waits for the end of that',
    iopb32: 'the second byte of the I/O permission bitmap is not checked against the limit of the TSS',
    iopb64: 'IOPL 3 is lost on entry',
    paging32: 'there is no 32-bit paging outside long mode',
    paging64: 'a write at ring 0 that faults on its second page has written to the first',
    syscall64: 'SYSCALL to a user-accessible page arrives with CPL 3, SYSRET is refused',
    taskfaults32: 'a task in virtual-8086 mode ends in a triple fault',
    taskswitch32: 'far CALL at ring 3 is refused before it reaches the guest’s task gates',
    transfers64: 'far transfers at ring 3 look into the host’s descriptor tables',
    v8086: 'exceptions leave virtual-8086 mode without saving VM and the segment registers',
  },
};

const folder = new URL('../../../guests/systests/', import.meta.url);
const images = readdirSync(folder)
  .filter((name) => name.endsWith('.img'))
  .map((name) => name.slice(0, -'.img'.length))
  .sort();

function passes(name: string, mode: string): void {
  const { code, stdout, stderr } = runGuest(`guests/systests/${name}.img`, ['--mode', mode]);
  const failed = stdout.split(/\r?\n/).filter((line) => line.includes('FAIL'));
  assert.equal(failed, [], stderr);
  assert.match(stdout, 'all checks passed');
  assert.is(code, 0);
}

test('every source has its image', () => {
  const sources = readdirSync(folder).filter((name) => name.endsWith('.s'));
  assert.equal(sources.map((name) => name.slice(0, -'.s'.length)).sort(), images);
});

for (const name of images) test(`${name} in emu`, () => passes(name, 'emu'));

const kvm = probeKvm();
if (!kvm.usable) {
  console.log(`skipped: system tests in virt: ${kvm.error?.message}`);
} else {
  const diverging = DIVERGING[kvm.backend] ?? {};
  for (const name of images) {
    if (diverging[name]) console.log(`skipped: ${name} in virt: ${kvm.backend}: ${diverging[name]}`);
    else test(`${name} in virt`, () => passes(name, 'virt'));
  }
}

test.run();
