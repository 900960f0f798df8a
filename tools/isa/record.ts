// Records expectations: `node dist/tools/isa/record.js [group …]`. Needs KVM and, for what KVM does not leave to the
// CPU, gcc. Overwrites test/data/isa/<group>.bin.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Case, ENDED, IMAGE_VECTOR } from './case.js';
import { casesOf, GROUPS, isNative } from './cases.js';
import { describeCase, differences } from './compare.js';
import { ExpectationWriter } from './expected.js';
import { requireImage } from './guest.js';
import { KvmOracle } from './kvm-oracle.js';
import { hostCpu } from './makes.js';
import { keepCase, NativeOracle } from './native-oracle.js';

const DATA = fileURLToPath(new URL('../../../test/data/isa/', import.meta.url));

const vectorOf = (image: Uint8Array) => image[IMAGE_VECTOR];
const UD = 6;
const SS = 12;
const GP = 13;
const PF = 14;
const INTERPRETED: ReadonlySet<number> = new Set([UD, SS, GP]);

function recordNatively(group: string, native: NativeOracle): Uint8Array[] {
  const images: Uint8Array[] = [];
  let batch: Case[] = [];
  const flush = () => {
    for (const image of native.run(batch)) images.push(image);
    batch = [];
  };
  for (const c of casesOf(group)) {
    batch.push(keepCase(c));
    if (batch.length === 4096) flush();
  }
  flush();
  return images;
}

/**
 * Images by KVM, checked against a process. They differ where an exception made KVM interpret the instruction instead of
 * handing on what the CPU said: then the process is right. Of page faults KVM's is the right one: a process has no
 * supervisor pages, and its kernel has execute-disable on and hides from it what kernel addresses are.
 */
function recordWithKvm(group: string, native: NativeOracle): Uint8Array[] {
  const fromProcess = recordNatively(group, native);
  const oracle = new KvmOracle();
  try {
    const images: Uint8Array[] = [];
    for (const c of casesOf(group)) {
      const process = fromProcess[c.index];
      const interpreted = (image: Uint8Array) =>
        INTERPRETED.has(vectorOf(image)) || /^FX(SAVE|RSTOR)$/.test(c.mnemonic);
      const pageFaults = (image: Uint8Array) => vectorOf(image) === PF && vectorOf(process) === PF;
      let image = requireImage(c, oracle.run(c));
      // An interruption at the wrong moment makes KVM interpret, too: then a second time is different.
      for (let tries = 0; ; tries++) {
        if (interpreted(image) || interpreted(process)) image = process;
        if (pageFaults(image) || differences(c, process.slice(), image.slice()).length === 0) break;
        if (tries === 3) throw new Error(`${group}: KVM and a process disagree about\n${describeCase(c)}`);
        image = requireImage(c, oracle.run(c));
      }
      images.push(image);
    }
    const stray = oracle.strayWrite();
    if (stray >= 0) throw new Error(`${group}: a case wrote outside its windows, at 0x${stray.toString(16)}`);
    return images;
  } finally {
    oracle.close();
  }
}

mkdirSync(DATA, { recursive: true });
const wanted = process.argv.slice(2);
const native = new NativeOracle();
try {
  for (const group of wanted.length > 0 ? wanted : GROUPS) {
    const images = isNative(group) ? recordNatively(group, native) : recordWithKvm(group, native);
    const writer = new ExpectationWriter();
    let faults = 0;
    for (const c of casesOf(group)) {
      writer.add(c, images[c.index]);
      if (vectorOf(images[c.index]) !== ENDED) faults++;
    }
    writer.save(`${DATA}${group}.bin`, group, hostCpu());
    console.log(`${group}: ${images.length} cases, ${faults} of them exceptions`);
  }
} finally {
  native.close();
}
