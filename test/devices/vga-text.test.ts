import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CP437 } from '../../src/devices/cp437.js';
import { VgaText } from '../../src/devices/vga-text.js';
import { checkDevice, checkRefusals, FakeClock } from './harness.js';

const TEXT = 0x18000;

function setup() {
  const clock = new FakeClock();
  const vga = new VgaText(clock);
  const out = (port: number, value: number) => vga.ports.write(port - 0x3b0, 1, value);
  const input = (port: number) => vga.ports.read(port - 0x3b0, 1);
  const crtc = (index: number, value: number) => {
    out(0x3d4, index);
    out(0x3d5, value);
  };
  const print = (row: number, column: number, text: string) => {
    for (let i = 0; i < text.length; i++) {
      vga.memory.write(TEXT + 2 * (row * 80 + column + i), 2, 0x0700 | text.charCodeAt(i));
    }
  };
  return { clock, vga, out, input, crtc, print };
}

test('shows what is in the text buffer', () => {
  const { vga, print } = setup();
  assert.is(vga.text().length, 25);
  print(0, 0, 'Hello');
  print(24, 75, 'world');
  const text = vga.text();
  assert.ok(text.every((line) => line.length === 80));
  assert.is(text[0].trimEnd(), 'Hello');
  assert.is(text[24].trim(), 'world');
  assert.is(vga.cells()[0], 0x0748);
});

test('memory takes accesses of every size; outside it reads all ones', () => {
  const { vga } = setup();
  vga.memory.write(TEXT, 4, 0x07420741);
  assert.is(vga.text()[0].slice(0, 2), 'AB');
  assert.is(vga.memory.read(TEXT + 2, 2), 0x0742);
  assert.is(vga.memory.read(0x1fffe, 4), 0xffff0000);
  vga.memory.write(0x1ffff, 4, 0x11223344);
  assert.is(vga.memory.read(0x1ffff, 1), 0x44);
});

test('the cursor, as a kernel reads and sets it', () => {
  const { vga, out, input, crtc } = setup();
  const position = 12 * 80 + 34;
  crtc(0x0e, position >> 8);
  crtc(0x0f, position & 0xff);
  assert.equal(vga.cursor(), { row: 12, column: 34, visible: true, start: 13, end: 14 });
  out(0x3d4, 0x0e);
  assert.is(input(0x3d5), position >> 8);
  crtc(0x0a, 0x20);
  assert.not(vga.cursor().visible);
  crtc(0x0a, 0x0f);
  crtc(0x0b, 0x0e);
  assert.not(vga.cursor().visible, 'ends before it starts');
});

test('a word written to the index port sets index and data', () => {
  const { vga } = setup();
  vga.ports.write(0x3d4 - 0x3b0, 2, 0x070f);
  assert.is(vga.cursor().column, 7);
});

test('start address scrolls the screen by hardware', () => {
  const { vga, crtc, print } = setup();
  print(1, 0, 'second');
  crtc(0x0c, 0);
  crtc(0x0d, 80);
  assert.is(vga.text()[0].trimEnd(), 'second');
  crtc(0x0e, 0);
  crtc(0x0f, 85);
  assert.is(vga.cursor().row, 0);
  assert.is(vga.cursor().column, 5);
  crtc(0x0c, 0x3f);
  crtc(0x0d, 0xff);
  print(0, 0, 'x');
  assert.is(vga.text()[0].slice(1, 2), 'x', 'wraps at the end of the 32 KiB');
});

test('the CRTC answers at 0x3D4 or at 0x3B4', () => {
  const { input, out, crtc } = setup();
  crtc(0x0f, 0x12);
  assert.is(input(0x3b5), 0xff);
  out(0x3c2, input(0x3cc) & ~1);
  assert.is(input(0x3d5), 0xff);
  assert.is(input(0x3b4), 0x0f);
  assert.is(input(0x3b5), 0x12);
});

test('registers 0–7 of the CRTC are protected until bit 7 of register 0x11 is cleared', () => {
  const { vga, crtc } = setup();
  crtc(0x01, 0x27);
  assert.is(vga.size.columns, 80);
  crtc(0x11, 0x0e);
  crtc(0x01, 0x27);
  crtc(0x13, 0x14);
  assert.equal(vga.size, { columns: 40, rows: 25 });
  crtc(0x09, 0x47);
  assert.equal(vga.size, { columns: 40, rows: 50 });
  assert.is(vga.text().length, 50);
});

test('the attribute controller takes index and data alternately; reading status 1 starts over', () => {
  const { out, input } = setup();
  input(0x3da);
  out(0x3c0, 0x10);
  out(0x3c0, 0x04);
  out(0x3c0, 0x11);
  input(0x3da);
  out(0x3c0, 0x30);
  assert.is(input(0x3c0), 0x30);
  assert.is(input(0x3c1), 0x04);
});

test('sequencer, graphics controller and palette keep what they are given', () => {
  const { out, input } = setup();
  out(0x3c4, 2);
  out(0x3c5, 0x0f);
  assert.is(input(0x3c5), 0x0f);
  out(0x3ce, 5);
  out(0x3cf, 0x40);
  assert.is(input(0x3cf), 0x40);
  out(0x3c8, 10);
  for (const value of [1, 2, 0xff, 4]) out(0x3c9, value);
  assert.is(input(0x3c7), 0);
  out(0x3c7, 10);
  assert.is(input(0x3c7), 3);
  assert.equal([input(0x3c9), input(0x3c9), input(0x3c9), input(0x3c9)], [1, 2, 0x3f, 4]);
  out(0x3c7, 7);
  assert.equal([input(0x3c9), input(0x3c9), input(0x3c9)], [42, 42, 42], 'light gray');
});

test('vertical retrace comes 70 times a second', () => {
  const { clock, input } = setup();
  let retraces = 0;
  let last = 0;
  for (let i = 0; i < 100_000; i++) {
    clock.time += 10_000;
    const bit = input(0x3da) & 8;
    if (bit && !last) retraces++;
    last = bit;
    if (bit) assert.is(input(0x3da) & 1, 1, 'nothing is displayed meanwhile');
  }
  assert.is(retraces, 70);
});

test('graphics mode has no text', () => {
  const { vga, out } = setup();
  out(0x3ce, 6);
  out(0x3cf, 0x05);
  assert.ok(vga.graphicsMode);
  assert.equal(vga.text(), []);
});

test('code page 437 has 256 single characters', () => {
  assert.is(CP437.length, 256);
  assert.ok(CP437.every((c) => [...c].length === 1));
  assert.is(CP437[0x41], 'A');
  assert.is(CP437[0x7f], '⌂');
  assert.is(CP437[0xb0], '░');
  assert.is(CP437[0xc4], '─');
  assert.is(CP437[0xdb], '█');
  assert.is(CP437[0xe1], 'ß');
  assert.is(CP437[0xfe], '■');
});

test('refuses a damaged state', () => checkRefusals(setup().vga));

test('property', () => {
  checkDevice((clock) => {
    const vga = new VgaText(clock);
    return {
      faces: [vga.ports, vga.ports, vga.ports, vga.memory],
      stateful: vga,
      inputs: [
        (n) => {
          vga.ports.write(0x24, 2, n);
          return vga.size;
        },
      ],
      observe: () => [vga.cursor(), vga.size],
    };
  }, 25);
});

test('whatever is programmed, the screen stays bounded', () => {
  const { vga, crtc, out } = setup();
  crtc(0x11, 0);
  for (let i = 0; i < 0x20; i++) crtc(i, 0xff);
  crtc(0x09, 0);
  for (const map of [0, 4, 8, 12]) {
    out(0x3ce, 6);
    out(0x3cf, map);
    const text = vga.text();
    assert.ok(text.length <= 64 && text.every((line) => line.length <= 160));
  }
});

test.run();
