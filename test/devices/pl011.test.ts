// PL011 UART against DDI 0183.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pl011 } from '../../src/devices/pl011.js';
import { checkDamagedStates, checkRandomAccess, type Plan, TestClock, TestLine } from './random-access.js';

const DR = 0x00;
const RSR = 0x04;
const FR = 0x18;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const RX = 0x10;
const TX = 0x20;
const RT = 0x40;
const OE = 0x400;

function make() {
  const clock = new TestClock();
  const irq = new TestLine();
  const sent: number[] = [];
  const uart = new Pl011({ clock, irq, sink: (byte) => sent.push(byte), frequency: 24e6 });
  const write = (offset: number, value: number) => uart.write(offset, 4, value);
  const read = (offset: number) => uart.read(offset, 4);
  const receive = (text: string) => uart.receive(new TextEncoder().encode(text));
  return { clock, irq, sent, uart, write, read, receive };
}

test('identification: part 011, designer Arm, PrimeCell', () => {
  const { read } = make();
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => read(0xfe0 + 4 * i));
  assert.equal(bytes, [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1]);
});

test('reset state', () => {
  const { read } = make();
  assert.is(read(CR), 0x300);
  assert.is(read(0x34), 0x12, 'IFLS: half');
  assert.is(read(FR) & 0xf8, 0x90, 'both FIFOs empty');
  assert.is(read(RIS), 0);
});

test('transmits, by bytes and words, and raises TX', () => {
  const { uart, write, read, sent, irq } = make();
  write(DR, 0x41);
  uart.write(DR, 1, 0x42);
  assert.equal(sent, [0x41, 0x42]);
  assert.is(read(RIS), TX);
  assert.is(irq.level, false);
  write(IMSC, TX);
  assert.is(irq.level, true);
  assert.is(read(MIS), TX);
  write(ICR, TX);
  assert.is(irq.level, false);
});

test('receives one character without FIFO, sixteen with; the rest waits with the host', () => {
  const { write, read, receive } = make();
  assert.is(receive('ab'), 2);
  assert.is(read(FR) & 0x50, 0x40, 'full');
  assert.is(read(DR), 0x61);
  assert.is(read(DR), 0x62);
  assert.is(read(FR) & 0x50, 0x10, 'empty');
  write(LCR_H, 0x70);
  receive('x'.repeat(20));
  assert.is(read(FR) & 0x50, 0x40);
  for (let i = 0; i < 20; i++) assert.is(read(DR), 0x78, `character ${i}`);
  assert.is(read(FR) & 0x50, 0x10);
});

test('the receive interrupt comes with the first character and goes with the last', () => {
  const { write, read, receive, irq } = make();
  write(LCR_H, 0x70);
  write(IMSC, RX);
  receive('hi');
  assert.is(irq.level, true);
  read(DR);
  assert.is(irq.level, true);
  read(DR);
  assert.is(irq.level, false);
});

test('receive timeout after 32 bit times', () => {
  const { uart, clock, write, read, receive, irq } = make();
  write(IBRD, 13);
  write(FBRD, 1);
  write(LCR_H, 0x70);
  write(IMSC, RT);
  receive('a');
  const bit = (16 * (13 + 1 / 64) * 1e9) / 24e6;
  assert.is(Math.round(uart.deadline()), Math.round(32 * bit));
  clock.time = uart.deadline();
  uart.advance(clock.time);
  assert.is(irq.level, true);
  assert.is(read(RIS) & RT, RT);
  read(DR);
  assert.is(irq.level, false);
  assert.is(uart.deadline(), Infinity);
});

test('loopback: the receiver gets what is sent, and can overrun', () => {
  const { write, read, sent } = make();
  write(CR, 0x381);
  write(DR, 0x31);
  assert.equal(sent, []);
  write(DR, 0x32);
  assert.is(read(RIS) & OE, OE);
  assert.is(read(RSR), 8);
  assert.is(read(DR), 0x31);
  write(RSR, 0);
  assert.is(read(RSR), 0);
});

test('a break arrives with its error bits', () => {
  const { uart, read } = make();
  uart.receiveBreak();
  assert.is(read(DR), 0x500);
  assert.is(read(RSR), 5);
  assert.is(read(RIS) & 0x280, 0x280);
});

const plan: Plan = {
  make: (clock) => {
    const irq = new TestLine();
    const uart = new Pl011({ clock, irq, sink: () => undefined, frequency: 24e6 });
    return {
      device: uart,
      faces: [uart],
      timed: uart,
      inputs: [(n) => uart.receive(new Uint8Array(n)), () => uart.receiveBreak()],
      outputs: () => [irq.level, uart.space(), uart.deadline()],
    };
  },
  offsets: [[0, 4, 0x18, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x48, 0xfe0]],
  values: [0, 0x10, 0x20, 0x40, 0x70, 0x301, 0x381, 0x7ff, 0xffffffff],
};

test('any access, and states that travel', () => {
  checkRandomAccess(plan);
  checkDamagedStates(plan);
});

test.run();
