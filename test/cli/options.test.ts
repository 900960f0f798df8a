import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EscapeCommand, EscapeFilter } from '../../src/cli/escape.js';
import {
  checkProcessors,
  parseAddress,
  parseChoice,
  parseCount,
  parseDisk,
  parseMachine,
  parseMemorySize,
  quote,
} from '../../src/cli/options.js';
import { TsvmError } from '../../src/vcpu/vcpu.js';

const refused = (code: string) => (error: unknown) => error instanceof TsvmError && error.code === code;

test('memory sizes', () => {
  assert.is(parseMemorySize('128'), 128 << 20);
  assert.is(parseMemorySize('1M'), 1 << 20);
  assert.is(parseMemorySize('2048k'), 2 << 20);
  assert.is(parseMemorySize('1g'), 1 << 30);
  assert.is(parseMemorySize('1.5G'), 1.5 * 2 ** 30);
  assert.is(parseMemorySize('512MiB'), 512 << 20);
  assert.is(parseMemorySize('3G'), 3 * 2 ** 30);
  const bad = [
    '',
    '0',
    '-1',
    '-64M',
    '1K',
    '1023K',
    'lots',
    '12X',
    '1e9',
    '0x100',
    'NaN',
    'Infinity',
    '4G',
    '9999999G',
  ];
  for (const text of [...bad, '1000001K', '1.0000001M', '12 34', '9'.repeat(400)]) {
    assert.throws(() => parseMemorySize(text), refused('E_MEMORY_SIZE'), text);
  }
});

test('addresses', () => {
  assert.is(parseAddress('--x', '0x7c00'), 0x7c00);
  assert.is(parseAddress('--x', '4096'), 4096);
  for (const text of ['', '-1', '0x', 'zero', '0x100000000', '1.5', '7c00h']) {
    assert.throws(() => parseAddress('--x', text), refused('E_ADDRESS'), text);
  }
});

test('counts', () => {
  assert.is(parseCount('--n', '1000'), 1000);
  assert.is(parseCount('--n', '10M'), 10_000_000);
  assert.is(parseCount('--n', '1e9'), 1e9);
  for (const text of ['0', '-5', 'many', '0.5', '1e400', '', '9'.repeat(30)]) {
    assert.throws(() => parseCount('--n', text), refused('E_COUNT'), text);
  }
});

test('machines', () => {
  assert.equal(parseMachine('pc'), { board: 'pc' });
  assert.equal(parseMachine('virt'), { board: 'virt', gic: 2, el2: false });
  assert.equal(parseMachine('virt,gic=3'), { board: 'virt', gic: 3, el2: false });
  assert.equal(parseMachine('virt,gic-version=3,virtualization=on'), { board: 'virt', gic: 3, el2: true });
  assert.equal(parseMachine('virt,virtualization=off,gic=2'), { board: 'virt', gic: 2, el2: false });
  for (const text of ['', 'q35', 'pc,gic=3', 'virt,', 'virt,gic=1', 'virt,secure=on']) {
    assert.throws(() => parseMachine(text), refused('E_MACHINE'), text);
  }
});

test('processors: one', () => {
  checkProcessors('1');
  assert.throws(() => checkProcessors('4'), refused('E_SMP'));
  assert.throws(() => checkProcessors('none'), refused('E_COUNT'));
});

test('choices name what there is', () => {
  assert.is(parseChoice('E_X', '--x', 'b', ['a', 'b']), 'b');
  assert.throws(
    () => parseChoice('E_X', '--x', 'c', ['a', 'b']),
    (e: Error) => refused('E_X')(e) && e.message.includes('a, b'),
  );
});

test('disks', () => {
  assert.equal(parseDisk('disk.img'), { file: 'disk.img', readOnly: false });
  assert.equal(parseDisk('file=a.img,format=raw,ro'), { file: 'a.img', readOnly: true });
  assert.equal(parseDisk('file=a,,b.img,readonly=on'), { file: 'a,b.img', readOnly: true });
  assert.equal(parseDisk('file=a.img,if=virtio'), { file: 'a.img', readOnly: false, interface: 'virtio' });
  assert.equal(parseDisk('if=ide,file=a.img'), { file: 'a.img', readOnly: false, interface: 'ide' });
  assert.equal(parseDisk('file=a=b.img'), { file: 'a=b.img', readOnly: false });
  assert.throws(() => parseDisk('file=a.img,format=qcow2'), refused('E_DISK_FORMAT'));
  for (const text of ['', 'file=', 'ro', 'file=a,cache=none']) {
    assert.throws(() => parseDisk(text), refused('E_DISK_OPTION'), text);
  }
});

test('any text is parsed or refused by name', () => {
  const parsers = [
    parseMemorySize,
    parseDisk,
    (t: string) => parseCount('--n', t),
    (t: string) => parseAddress('--a', t),
  ];
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...parsers), (text, parse) => {
      try {
        parse(text);
      } catch (error) {
        assert.ok(error instanceof TsvmError, String(error));
      }
    }),
  );
});

test('quoted text cannot steer a terminal', () => {
  assert.is(quote('a\x1b[2Jb'), "'a?[2Jb'");
  assert.ok(quote('x'.repeat(1000)).length < 70);
});

test('the escape key', () => {
  const commands: EscapeCommand[] = [];
  const filter = new EscapeFilter((c) => commands.push(c));
  const feed = (text: string) => String.fromCharCode(...filter.feed(Uint8Array.from(text, (c) => c.charCodeAt(0))));
  assert.is(feed('ls\r\x03'), 'ls\r\x03', 'Ctrl-c is the guest’s');
  assert.is(feed('a\x01\x01b'), 'a\x01b');
  assert.is(feed('\x01h\x01sx'), 'x');
  assert.equal(commands, ['help', 'stats']);
  assert.is(feed('\x01'), '');
  assert.is(feed('xy'), 'y', 'the two keys may come apart');
  assert.equal(commands, ['help', 'stats', 'quit']);
  assert.is(feed('\x01zz'), 'z', 'an unknown key after Ctrl-a is dropped');
});

test.run();
