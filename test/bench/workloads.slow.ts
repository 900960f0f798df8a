// Every workload on every engine that is here, both widths: the same checksum everywhere.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngines } from '../../bench/engines.js';
import { RunFailure, runOnce } from '../../bench/measure.js';
import { selectWorkloads, WORKLOADS } from '../../bench/workloads.js';

for (const architecture of ['x86-64', 'i386'] as const) {
  for (const engine of createEngines(architecture)) {
    if (engine.version() === undefined) {
      console.log(`skipped: ${engine.name}, ${architecture}: ${engine.absence}`);
      continue;
    }
    test(`${engine.name}, ${architecture}`, async () => {
      let backend: string | undefined;
      try {
        const [workload] = selectWorkloads(['alu32']);
        const { statistics } = await runOnce(engine, { workload, rounds: 1, repeat: 1, timeout: 60_000 });
        backend = statistics?.backend;
      } catch (error) {
        // Hosts differ in what they let run; an emulator has no such excuse.
        if (!(error instanceof RunFailure) || !/^(native|virt|qemu-kvm)/.test(engine.name)) throw error;
        console.log(`skipped: ${engine.name}, ${architecture}: ${error.message}`);
        return;
      }
      for (const workload of WORKLOADS) {
        if (engine.processes && workload.guestOnly) continue;
        const obstacle = workload.needs && engine.cannot?.(workload.needs, backend);
        if (obstacle) {
          console.log(`skipped: ${workload.name} on ${engine.name}: ${obstacle}`);
          continue;
        }
        try {
          const { rounds } = await runOnce(engine, { workload, rounds: 2, repeat: 1, timeout: 60_000 });
          assert.is(rounds.length, 2, workload.name);
        } catch (error) {
          // Another program on this host's KVM: what the two make of a guest is not tsvm's doing.
          if (!(error instanceof RunFailure) || !engine.name.startsWith('qemu-kvm')) throw error;
          console.log(`skipped: ${workload.name} on ${engine.name}: ${error.message}`);
        }
      }
    });
  }
}

test.run();
