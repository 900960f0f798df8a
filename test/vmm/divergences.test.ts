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

test('the other back ends have none', () => {
  assert.equal(divergencesOf('kvm_intel'), []);
  assert.equal(divergencesOf('kvm_amd'), []);
});

test.run();
