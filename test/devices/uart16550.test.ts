import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MSR_CTS, MSR_DCD, MSR_DSR, MSR_RI, Uart16550 } from '../../src/devices/uart16550.js';
import { checkDevice, checkRefusals, FakeClock, run, Wire } from './harness.js';

// Registers.
const DATA = 0;
const IER = 1;
const IIR = 2;
const FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

function setup(out2GatesIrq = false) {
  const clock = new FakeClock();
  const irq = new Wire();
  const sent: number[] = [];
  const uart = new Uart16550({ clock, irq, sink: (byte) => sent.push(byte), out2GatesIrq });
  const read = (offset: number) => uart.read(offset, 1);
  const write = (offset: number, value: number) => uart.write(offset, 1, value);
  const receive = (text: string) => uart.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  const drain = () => {
    let text = '';
    while (read(LSR) & 1) text += String.fromCharCode(read(DATA));
    return text;
  };
  return { clock, irq, sent, uart, read, write, receive, drain };
}

test('a polling boot loader can print without programming anything', () => {
  const { read, write, sent } = setup();
  assert.is(read(LSR), 0x60, 'transmitter empty after reset');
  for (const c of 'hi\xff') {
    assert.ok(read(LSR) & 0x20);
    write(DATA, c.charCodeAt(0));
  }
  assert.equal(sent, [0x68, 0x69, 0xff], 'eight bits, although LCR says five');
});

test('DLAB switches the first two registers to the divisor latch', () => {
  const { read, write, sent } = setup();
  write(LCR, 0x83);
  write(DATA, 0x01);
  write(IER, 0x02);
  assert.is(read(DATA), 0x01);
  assert.is(read(IER), 0x02);
  write(LCR, 0x03);
  assert.is(read(IER), 0, 'the interrupt enable register was not touched');
  assert.equal(sent, []);
  assert.is(read(LCR), 0x03);
});

test('scratch register, and the bits that do not exist', () => {
  const { read, write } = setup();
  write(SCR, 0xa5);
  assert.is(read(SCR), 0xa5);
  write(IER, 0xff);
  assert.is(read(IER), 0x0f);
  write(MCR, 0xff);
  assert.is(read(MCR), 0x1f);
  write(LSR, 0x00);
  assert.is(read(LSR), 0x60);
});

test('a driver recognizes a 16550A by the FIFO bits of IIR', () => {
  const { read, write } = setup();
  assert.is(read(IIR), 0x01);
  write(FCR, 0x01);
  assert.is(read(IIR), 0xc1);
  write(FCR, 0xc0);
  assert.is(read(IIR), 0x01, 'without bit 0 nothing else counts');
});

test('enabling THRE raises it, reading IIR clears it, enabling again raises it again', () => {
  const { irq, read, write } = setup();
  write(IER, 0x02);
  assert.ok(irq.level);
  assert.is(read(IIR), 0x02);
  assert.not(irq.level);
  assert.is(read(IIR), 0x01);
  write(IER, 0x02);
  assert.not(irq.level, 'it was enabled already');
  write(IER, 0x00);
  write(IER, 0x02);
  assert.ok(irq.level);
  assert.is(read(IIR), 0x02);
  write(DATA, 0x41);
  assert.ok(irq.level, 'the byte left at once, the transmitter is empty again');
});

test('an IIR read that shows something else leaves THRE pending', () => {
  const { read, write, receive } = setup();
  write(IER, 0x03);
  receive('x');
  assert.is(read(IIR), 0x04);
  assert.is(read(DATA), 0x78);
  assert.is(read(IIR), 0x02);
});

test('received data interrupt without FIFO: one character at a time', () => {
  const { irq, read, write, receive } = setup();
  write(IER, 0x01);
  assert.is(receive('ab'), 2);
  assert.ok(irq.level);
  assert.is(read(IIR), 0x04);
  assert.is(read(LSR), 0x61);
  assert.is(read(DATA), 0x61);
  assert.is(irq.rises, 2, 'an edge for each character');
  assert.is(read(DATA), 0x62);
  assert.not(irq.level);
  assert.is(read(LSR), 0x60);
  assert.is(read(DATA), 0, 'empty');
});

test('trigger level, then the character timeout for the rest', () => {
  const { clock, uart, irq, read, write, receive } = setup();
  write(FCR, 0x81);
  write(IER, 0x01);
  receive('1234567');
  assert.not(irq.level, 'seven of eight');
  receive('8');
  assert.is(read(IIR), 0xc4);
  assert.is(read(DATA), 0x31);
  assert.not(irq.level, 'below the trigger level again');
  const deadline = uart.deadline();
  // Four characters of 7 bits (start, 5 data, stop) at 9600 baud.
  assert.ok(Math.abs(deadline - (4 * 7 * 1e9) / 9600) < 1);
  run(clock, uart, deadline);
  assert.is(read(IIR), 0xcc);
  assert.ok(irq.level);
  assert.is(read(DATA), 0x32);
  assert.not(irq.level, 'reading a character clears the timeout and starts it again');
  run(clock, uart, 4e6);
  assert.is(read(IIR), 0xcc);
});

test('the timeout is seen by a guest that polls IIR, even if nobody called advance', () => {
  const { clock, read, write, receive } = setup();
  write(FCR, 0xc1);
  write(IER, 0x01);
  receive('x');
  assert.is(read(IIR), 0xc1);
  clock.time += 10e6;
  assert.is(read(IIR), 0xcc);
});

test('a slow guest loses nothing of a long paste', () => {
  const { read, write, receive, drain, uart } = setup();
  write(FCR, 0xc1);
  const text = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
  assert.is(receive(text), text.length);
  assert.is(read(LSR) & 0x02, 0, 'no overrun');
  assert.is(drain(), text);
  assert.is(uart.space(), 65536);
});

test('the host queue is bounded', () => {
  const { uart } = setup();
  const taken = uart.receive(new Uint8Array(100_000));
  assert.is(taken, 65536);
  assert.is(uart.space(), 1, 'one went on into the receiver');
  assert.is(uart.receive(new Uint8Array(100)), 1);
});

test('changing the FIFO enable bit or resetting the receiver empties the FIFO', () => {
  const { read, write, receive } = setup();
  write(FCR, 0x01);
  receive('abc');
  write(FCR, 0x03);
  assert.is(read(LSR) & 1, 0);
  receive('d');
  write(FCR, 0x00);
  assert.is(read(LSR) & 1, 0);
});

test('loopback: data, and modem outputs wired to the inputs', () => {
  const { read, write, sent, receive } = setup();
  write(MCR, 0x1a);
  assert.is(read(MSR) & 0xf0, 0x90, 'what Linux checks: RTS gives CTS, OUT2 gives DCD');
  write(MCR, 0x15);
  assert.is(read(MSR) & 0xf0, MSR_DSR | MSR_RI);
  write(DATA, 0x5a);
  assert.equal(sent, []);
  assert.is(read(DATA), 0x5a);
  receive('q');
  assert.is(read(LSR) & 1, 0, 'the line is disconnected');
  write(MCR, 0);
  assert.is(read(DATA), 0x71);
});

test('overrun in loopback: the FIFO keeps 16, without FIFO the last one wins', () => {
  const { irq, read, write } = setup();
  write(MCR, 0x10);
  write(FCR, 0x01);
  write(IER, 0x04);
  for (let i = 0; i < 17; i++) write(DATA, i);
  assert.is(read(IIR), 0xc6);
  assert.is(read(LSR), 0x63);
  assert.not(irq.level, 'reading LSR clears the error');
  assert.is(read(LSR), 0x61);
  for (let i = 0; i < 16; i++) assert.is(read(DATA), i);
  write(FCR, 0x00);
  write(DATA, 1);
  write(DATA, 2);
  assert.is(read(LSR), 0x63);
  assert.is(read(DATA), 2);
});

test('a break is a zero character whose errors show when it is at the top of the FIFO', () => {
  const { read, write, receive, uart } = setup();
  write(FCR, 0x01);
  receive('a');
  uart.receiveBreak();
  assert.is(read(LSR), 0xe1, 'an error somewhere in the FIFO');
  assert.is(read(DATA), 0x61);
  assert.is(read(LSR), 0xf9, 'break and framing error');
  assert.is(read(LSR), 0x61);
  assert.is(read(DATA), 0);
});

test('modem status interrupt and its deltas', () => {
  const { irq, uart, read, write } = setup();
  assert.is(read(MSR), MSR_DCD | MSR_DSR | MSR_CTS);
  write(IER, 0x08);
  uart.setModemInputs(MSR_CTS | MSR_RI);
  assert.ok(irq.level);
  assert.is(read(IIR), 0x00);
  assert.is(read(MSR), MSR_CTS | MSR_RI | 0x0a, 'DSR and DCD changed; a ring that begins does not count');
  assert.not(irq.level);
  uart.setModemInputs(MSR_CTS);
  assert.is(read(MSR), MSR_CTS | 0x04, 'trailing edge of the ring');
});

test('interrupt priorities: line status, data, transmitter, modem', () => {
  const { uart, read, write, receive } = setup();
  uart.setModemInputs(0);
  uart.receiveBreak();
  receive('a');
  write(IER, 0x0f);
  const order = [];
  order.push(read(IIR));
  read(LSR);
  order.push(read(IIR));
  read(DATA);
  read(DATA);
  order.push(read(IIR), read(IIR));
  read(MSR);
  order.push(read(IIR));
  assert.equal(order, [0x06, 0x04, 0x02, 0x00, 0x01]);
});

test('with PC wiring OUT2 gates the interrupt', () => {
  const { irq, write } = setup(true);
  write(IER, 0x02);
  assert.not(irq.level);
  write(MCR, 0x08);
  assert.ok(irq.level);
  write(MCR, 0x18);
  assert.not(irq.level, 'loopback forces OUT2 off');
});

test('wide accesses are those of an 8-bit bus', () => {
  const { uart, sent } = setup();
  uart.write(DATA, 2, 0x0541);
  assert.equal(sent, [0x41]);
  assert.is(uart.read(IER, 1), 5);
  assert.is(uart.read(SCR, 4), 0xffffff00, 'past the last register');
});

test('refuses a damaged state', () => checkRefusals(setup().uart));

test('property', () => {
  checkDevice((clock) => {
    const irq = new Wire();
    const uart = new Uart16550({ clock, irq, sink: () => undefined });
    return {
      faces: [uart],
      stateful: uart,
      timed: uart,
      inputs: [
        (n) => uart.receive(new Uint8Array(n % 40).fill(n)),
        () => uart.receiveBreak(),
        (n) => uart.setModemInputs(n & 0xff),
      ],
      observe: () => [irq.level, uart.space()],
    };
  });
});

test.run();
