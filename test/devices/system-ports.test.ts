import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { A20Gate } from '../../src/devices/a20.js';
import { DebugConsole, DebugExit, Port92, PostCode, ResetControl } from '../../src/devices/system-ports.js';
import { checkDevice, checkRefusals } from './harness.js';

test('port 0x92 opens and closes A20 and resets on a rising bit 0', () => {
  const levels: boolean[] = [];
  const a20 = new A20Gate((enabled) => levels.push(enabled), false);
  let resets = 0;
  const port = new Port92(a20, () => resets++);
  assert.is(port.read(0, 1), 0);
  port.write(0, 1, 0x02);
  assert.is(port.read(0, 1), 0x02);
  a20.set(false);
  assert.is(port.read(0, 1), 0x00, 'somebody else closed the gate');
  assert.equal(levels, [true, false]);
  port.write(0, 1, 0x01);
  port.write(0, 1, 0x01);
  assert.is(resets, 1);
});

test('0xCF9: 0x02 then 0x06 is a hard reset, 0x04 a soft one', () => {
  const kinds: string[] = [];
  const port = new ResetControl((kind) => kinds.push(kind));
  port.write(1, 1, 0x02);
  assert.equal(kinds, []);
  port.write(1, 1, 0x06);
  assert.equal(kinds, ['hard']);
  assert.is(port.read(1, 1), 0x06);
  port.write(1, 1, 0x00);
  port.write(1, 1, 0x04);
  assert.equal(kinds, ['hard', 'soft']);
});

test('a PCI configuration address is not a reset', () => {
  const kinds: string[] = [];
  const port = new ResetControl((kind) => kinds.push(kind));
  port.write(0, 4, 0x80000600);
  port.write(0, 2, 0x0600);
  assert.is(port.read(0, 4), 0xffffffff);
  assert.equal(kinds, []);
});

test('POST codes: the last one reads back, the last 32 are kept', () => {
  const port = new PostCode();
  assert.equal(port.codes(), []);
  for (let i = 0; i < 1000; i++) port.write(0, 1, i & 0xff);
  assert.is(port.read(0, 1), 999 & 0xff);
  assert.equal(
    port.codes(),
    Array.from({ length: 32 }, (_, i) => (968 + i) & 0xff),
  );
});

test('debug console and debug exit', () => {
  const sent: number[] = [];
  const console_ = new DebugConsole((byte) => sent.push(byte));
  assert.is(console_.read(0, 1), 0xe9);
  console_.write(0, 1, 0x41);
  assert.equal(sent, [0x41]);
  const codes: number[] = [];
  const exit = new DebugExit((code) => codes.push(code));
  exit.write(0, 1, 3);
  exit.write(0, 4, 0x1234567);
  exit.write(1, 1, 9);
  assert.equal(codes, [3, 0x67]);
});

test('refuse damaged states', () => {
  const a20 = new A20Gate(() => undefined);
  checkRefusals(a20);
  checkRefusals(new Port92(a20, () => undefined));
  checkRefusals(new ResetControl(() => undefined));
  checkRefusals(new PostCode());
});

test('property: port 0x92', () => {
  checkDevice(() => {
    const a20 = new A20Gate(() => undefined);
    const port = new Port92(a20, () => undefined);
    const stateful = {
      saveState: () => ({ version: 1, port: port.saveState(), a20: a20.saveState() }),
      loadState: (state: Record<string, unknown>) => {
        port.loadState(state['port'] as ReturnType<Port92['saveState']>);
        a20.loadState(state['a20'] as ReturnType<A20Gate['saveState']>);
      },
    };
    return { faces: [port], stateful, inputs: [(n) => a20.set((n & 1) !== 0)], observe: () => a20.enabled };
  });
});

test('property: the others', () => {
  checkDevice(() => {
    const reset = new ResetControl(() => undefined);
    return { faces: [reset], stateful: reset };
  });
  checkDevice(() => {
    const post = new PostCode();
    return { faces: [post], stateful: post, observe: () => post.codes() };
  });
  checkDevice(() => {
    const seen: number[] = [];
    const faces = [new DebugConsole((byte) => seen.push(byte)), new DebugExit((code) => seen.push(code))];
    return { faces, observe: () => seen.every((n) => n >= 0 && n <= 0xff) };
  });
});

test.run();
