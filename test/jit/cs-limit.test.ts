// Code segments with a limit, which may become lower after code has been compiled.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as L from '../../assembly/layout/x86-state.js';
import type { JitOptions } from '../../src/emulator/jit.js';
import { NEVER } from './alike.js';
import { CodeRig } from './code-rig.js';

/** inc eax; dec ecx; je to the HLT before; eight NOPs; jmp to the first. Jumps look at the limit, what follows does not. */
const LOOP = [
  { address: 0xfff0, bytes: Uint8Array.of(0xf4) },
  { address: 0x10000, bytes: Uint8Array.of(0x40, 0x49, 0x74, 0xec, ...new Array(8).fill(0x90), 0xeb, 0xf2) },
] as const;
const INSTRUCTIONS = 12;
const ROUNDS = 1000;

/** EAX, where it stopped, and how many instructions were compiled, if the limit becomes `limit` after some rounds. */
async function run(limit: number, jit?: JitOptions): Promise<[bigint, bigint, string, number]> {
  const rig = await CodeRig.create(jit);
  const [hlt, loop] = LOOP;
  rig.loadPlain('flat', 0, loop);
  rig.put(hlt.address, hlt.bytes);
  const setLimit = (bytes: number): void => {
    rig.state.setSegment(L.SEG_CS, { selector: 8, base: 0n, limit: bytes, attr: 0xc09b, unusable: false });
  };
  setLimit(0x11fff);
  rig.state.setGpr(1, BigInt(ROUNDS));
  rig.start();
  rig.run(INSTRUCTIONS * 100);
  rig.vcpu.readState(rig.state);
  setLimit(limit);
  rig.vcpu.writeState(rig.state);
  const exit = rig.run(1e6);
  rig.vcpu.readState(rig.state);
  const compiled = rig.vcpu.counters().details['jitInstructions'] ?? 0;
  return [rig.state.gpr(0), rig.state.rip, exit.reason, compiled];
}

const TIERS: readonly JitOptions[] = [{ threshold: 1 }, { threshold: 10 }, { threshold: NEVER, baseline: 2 }];

test('a region is left to the interpreter when the limit cuts it', async () => {
  // There is no IDT: #GP(0) for the third NOP ends in a shutdown.
  const [eax, rip, reason] = await run(0x10005);
  assert.equal([eax, reason], [101n, 'shutdown']);
  for (const jit of TIERS) {
    const [a, b, c, compiled] = await run(0x10005, jit);
    assert.equal([a, b, c], [eax, rip, reason], JSON.stringify(jit));
    assert.ok(compiled > 100, 'compiled before');
  }
});

test('and entered when it does not', async () => {
  for (const jit of TIERS) {
    const [eax, , reason, compiled] = await run(0x10fff, jit);
    assert.equal([eax, reason], [BigInt(ROUNDS), 'halt']);
    assert.ok(compiled > 0.95 * INSTRUCTIONS * ROUNDS, `${compiled} instructions compiled, ${JSON.stringify(jit)}`);
  }
});

test.run();
