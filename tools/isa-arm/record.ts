// Records expectations: `node dist/tools/isa-arm/record.js [group …]`. Needs qemu-aarch64 and aarch64-linux-gnu-gcc
// (Debian: qemu-user, gcc-aarch64-linux-gnu). Overwrites test/data/isa-arm/<group>.bin.

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import * as I from './case.js';
import { keepCase } from './case.js';
import { dataFile, ExpectationWriter } from './expected.js';
import { casesOf, findGroup, GROUPS } from './groups.js';
import { QemuOracle, qemuVersion } from './qemu-oracle.js';

const wanted = process.argv.slice(2);
const version = qemuVersion();
if (version === null) throw new Error('qemu-aarch64 is not installed (Debian: apt-get install qemu-user)');
const oracle = new QemuOracle();
try {
  for (const group of wanted.length > 0 ? wanted.map(findGroup) : GROUPS) {
    const path = dataFile(group.name);
    mkdirSync(dirname(path), { recursive: true });
    const cases = [...casesOf(group)].map(keepCase);
    const writer = new ExpectationWriter();
    const ends = I.END_NAMES.map(() => 0);
    oracle.run(cases, group.cpu).forEach((image, i) => {
      writer.add(cases[i], image);
      ends[new DataView(image.buffer).getUint32(I.IMAGE_END, true)]++;
    });
    writer.save(path, group.name, `${version}, -cpu ${group.cpu}`);
    const summary = ends.flatMap((n, i) => (n > 0 && i > 0 ? [`${n} ${I.END_NAMES[i]}`] : []));
    console.log(`${group.name}: ${cases.length} cases, ${statSync(path).size} bytes; ${summary.join(', ')}`);
  }
} finally {
  oracle.close();
}
