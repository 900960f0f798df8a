// virtio console, network and entropy devices against virtio 1.2, 5.1, 5.3 and 5.4.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtioConsole } from '../../src/devices/virtio-console.js';
import { type NetBackend, VirtioNet } from '../../src/devices/virtio-net.js';
import { VirtioRng } from '../../src/devices/virtio-rng.js';
import { BUFFERS, TestDriver, WRITE } from './virtio-driver.js';

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const encode = (s: string) => new TextEncoder().encode(s);

test('console: what the guest sends is printed', () => {
  let printed = '';
  const driver = new TestDriver(new VirtioConsole((byte) => (printed += String.fromCharCode(byte))));
  driver.start(2);
  driver.memory.at(BUFFERS, 5).set(encode('hello'));
  driver.send(1, [
    { address: BUFFERS, length: 2 },
    { address: BUFFERS + 2, length: 3 },
  ]);
  assert.is(printed, 'hello');
  assert.equal(driver.take(1), [{ head: 0, length: 0 }]);
});

test('console: input waits for buffers, and buffers for input', () => {
  const device = new VirtioConsole(() => undefined);
  const driver = new TestDriver(device);
  assert.is(device.receive(encode('early')), 5);
  driver.start(2);
  driver.send(0, [{ address: BUFFERS, length: 3, flags: WRITE }]);
  assert.equal(driver.take(0), [{ head: 0, length: 3 }]);
  assert.is(text(driver.memory.at(BUFFERS, 3)), 'ear');
  driver.send(0, [{ address: BUFFERS, length: 16, flags: WRITE }]);
  assert.equal(driver.take(0), [{ head: 1, length: 2 }]);
  driver.send(0, [{ address: BUFFERS, length: 16, flags: WRITE }]);
  assert.equal(driver.take(0), []);
  driver.write(0x64, 3);
  device.receive(encode('now'));
  assert.equal(driver.take(0), [{ head: 2, length: 3 }]);
  assert.is(driver.irq.level, true);
});

test('console: no more input than there is room for', () => {
  const device = new VirtioConsole(() => undefined);
  assert.is(device.receive(new Uint8Array(100_000)), 65536);
  assert.is(device.space(), 0);
});

test('console: emergency write', () => {
  let printed = '';
  const driver = new TestDriver(new VirtioConsole((byte) => (printed += String.fromCharCode(byte))));
  driver.write(0x108, 0x21);
  assert.is(printed, '!');
});

class Cable implements NetBackend {
  deliver: (frame: Uint8Array) => void = () => undefined;
  readonly sent: Uint8Array[] = [];
  send(frame: Uint8Array): void {
    this.sent.push(frame.slice());
  }
}

function makeNet() {
  const cable = new Cable();
  const driver = new TestDriver(new VirtioNet(cable, Uint8Array.of(2, 3, 4, 5, 6, 7)));
  return { cable, driver };
}

test('network: MAC address and link', () => {
  const { driver } = makeNet();
  assert.is(driver.read(0x100), 0x05040302);
  assert.is(driver.mmio.read(0x104, 2), 0x0706);
  assert.is(driver.mmio.read(0x106, 2), 1, 'link up');
});

test('network: a frame goes out without its header', () => {
  const { cable, driver } = makeNet();
  driver.start(2);
  driver.memory.at(BUFFERS + 12, 60).fill(0x33);
  driver.send(1, [
    { address: BUFFERS, length: 12 },
    { address: BUFFERS + 12, length: 60 },
  ]);
  assert.is(cable.sent.length, 1);
  assert.equal(cable.sent[0], new Uint8Array(60).fill(0x33));
  driver.send(1, [{ address: BUFFERS, length: 12 }]);
  driver.send(1, [{ address: BUFFERS, length: 12 + 1519 }]);
  assert.is(cable.sent.length, 1, 'neither nothing nor a giant');
  assert.is(driver.take(1).length, 3);
});

test('network: a frame comes in behind a header with one buffer', () => {
  const { cable, driver } = makeNet();
  driver.start(2);
  driver.send(0, [{ address: BUFFERS, length: 1530, flags: WRITE }]);
  cable.deliver(new Uint8Array(64).fill(0x44));
  assert.equal(driver.take(0), [{ head: 0, length: 76 }]);
  assert.is(driver.memory.u16(BUFFERS + 10), 1, 'num_buffers');
  assert.is(driver.memory.at(BUFFERS + 12, 1)[0], 0x44);
  cable.deliver(new Uint8Array(64));
  driver.send(0, [{ address: BUFFERS, length: 20, flags: WRITE }]);
  assert.equal(driver.take(0), [{ head: 1, length: 0 }], 'too small: the frame is lost');
});

test('network: only so many frames wait', () => {
  const { cable, driver } = makeNet();
  driver.start(2);
  for (let i = 0; i < 1000; i++) cable.deliver(new Uint8Array(60));
  let count = 0;
  for (let i = 0; i < 1000; i++) {
    driver.send(0, [{ address: BUFFERS, length: 1530, flags: WRITE }]);
    const taken = driver.take(0).length;
    if (taken === 0) break;
    count += taken;
  }
  assert.is(count, 256);
});

test('entropy: a bounded number of bytes, and the used ring says how many', () => {
  let asked = 0;
  const driver = new TestDriver(
    new VirtioRng((into) => {
      asked = into.length;
      into.fill(9);
    }),
    8,
  );
  driver.start(1);
  driver.send(0, [{ address: BUFFERS, length: 0x8000, flags: WRITE }]);
  assert.equal(driver.take(0), [{ head: 0, length: 4096 }]);
  assert.is(asked, 4096);
  assert.is(driver.memory.at(BUFFERS + 4095, 1)[0], 9);
  assert.is(driver.memory.at(BUFFERS + 4096, 1)[0], 0);
});

test('states travel: waiting input and frames', () => {
  const console = new VirtioConsole(() => undefined);
  console.receive(encode('abc'));
  const other = new VirtioConsole(() => undefined);
  other.loadState(structuredClone(console.saveState()));
  assert.is(other.space(), 65533);
  const cable = new Cable();
  const net = new VirtioNet(cable, new Uint8Array(6));
  cable.deliver(Uint8Array.of(1, 2, 3));
  const saved = structuredClone(net.saveState());
  const twin = new VirtioNet(new Cable(), new Uint8Array(6));
  twin.loadState(saved);
  assert.equal(twin.saveState(), saved);
  for (const waiting of ['x', [['y']], [[300]], null, new Array(257).fill([])]) {
    assert.throws(() => twin.loadState({ version: 1, waiting }), /saved state/);
  }
});

test.run();
