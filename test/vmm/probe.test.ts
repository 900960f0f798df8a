import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { divergencesOf } from '../../src/vmm/divergences.js';
import { Kvm } from '../../src/vmm/kvm.js';
import { type InstructionReport, probeKvm } from '../../src/vmm/probe.js';
import { kvmUnavailable } from './kvm-guest.js';

const why = kvmUnavailable();
const kvmTest = why?.startsWith('E_KVM') || why?.startsWith('E_KOFFI') ? test.skip : test;
if (why) console.log(`skipped in part: ${why}`);

const code = (error: unknown) => (error as { code?: string }).code;

test('a missing device, and a device that is not KVM, are named', () => {
  if (why?.startsWith('E_KOFFI')) return;
  assert.throws(
    () => Kvm.open('/dev/kvm-that-is-not-there'),
    (e: unknown) => code(e) === 'E_KVM_ABSENT' && /--mode emu/.test(String(e)),
  );
  assert.throws(
    () => Kvm.open('/dev/null'),
    (e: unknown) => code(e) === 'E_KVM_VERSION' && /--mode emu/.test(String(e)),
  );
});

kvmTest('the probe reports modes and instructions, and what it says holds together', () => {
  const report = probeKvm();
  assert.is(report.usable, true);
  assert.is(report.apiVersion, 12);
  assert.is(report.modes.length, 7);
  const long3 = report.modes.find((m) => m.mode === 'long' && m.ring === 3);
  assert.ok(long3 && long3.execution !== 'none', 'every KVM runs ring 3 of long mode');
  assert.ok(report.instructions.length > 20);
  const find = (name: string, ring: number): InstructionReport | undefined =>
    report.instructions.find((i) => i.name === name && i.ring === ring);
  // These hold on every back end.
  assert.is(find('UD2', 0)?.outcome, 'ok');
  assert.is(find('IRETQ to ring 3', 0)?.outcome, 'ok');
  assert.is(find('INT3', 3)?.outcome, 'ok');
  // A native ring 0 has nothing to refuse.
  if (report.modes.find((m) => m.mode === 'long' && m.ring === 0)?.execution === 'native') {
    assert.equal(
      report.instructions.filter((i) => i.outcome === 'refused'),
      [],
    );
  }
});

test('the table of divergences is complete in every row and knows back ends by name', () => {
  assert.ok(divergencesOf('kvm_pvm').length > divergencesOf('kvm_intel').length);
  assert.equal(divergencesOf('kvm_amd'), divergencesOf('kvm_intel'));
  for (const row of divergencesOf('kvm_pvm')) {
    for (const text of [row.what, row.manual, row.backend, row.cause]) assert.ok(text.length > 0);
  }
});

test('doctor prints valid JSON and friendly text, and ends well with or without KVM', () => {
  const run = (json: boolean) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { doctorCommand } = await import(${JSON.stringify(new URL('../../src/cli/doctor.js', import.meta.url).href)});
         process.exitCode = await doctorCommand(${json});`,
      ],
      { encoding: 'utf8' },
    );
  const json = run(true);
  assert.is(json.status, 0, json.stderr);
  const report = JSON.parse(json.stdout) as { node: { version: string }; kvm: { usable: boolean } };
  assert.is(report.node.version, process.version);
  assert.is(report.kvm.usable, why === null);
  const text = run(false);
  assert.is(text.status, 0, text.stderr);
  assert.match(text.stdout, 'Node');
  assert.match(text.stdout, why === null ? 'back end' : '--mode emu');
});

test.run();
