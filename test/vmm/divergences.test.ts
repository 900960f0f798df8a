// The table of divergences that docs/virt.md shows is the one that a run names on stderr.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { divergencesOf } from '../../src/vmm/divergences.js';

test('docs/virt.md lists every divergence of kvm_pvm', () => {
  const page = readFileSync(new URL('../../../docs/virt.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf('<!-- kvm_pvm')).split('\n').slice(3);
  const table = rows.filter((row) => row.startsWith('|'));
  const expected = divergencesOf('kvm_pvm').map(
    (d) => `| ${d.what} | ${d.ring ?? 'any'} | ${d.manual} | ${d.backend} | ${d.cause} | ${d.handling} |`,
  );
  assert.equal(table, expected);
});

test('what every KVM has in common is in the table of kvm_pvm too', () => {
  const pvm = divergencesOf('kvm_pvm').map((d) => d.what);
  const common = divergencesOf('kvm_intel').map((d) => d.what);
  assert.equal(
    common,
    divergencesOf('kvm_amd').map((d) => d.what),
  );
  assert.ok(common.length < pvm.length);
  assert.equal(
    common.filter((what) => !pvm.includes(what)),
    [],
  );
});

test.run();
