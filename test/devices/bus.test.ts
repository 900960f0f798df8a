import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { UnclaimedAccess } from '../../src/devices/bus.js';
import { IoBus } from '../../src/devices/bus.js';
import type { BusDevice } from '../../src/vcpu/device.js';
import type { AccessSize } from '../../src/vcpu/vcpu.js';
import { errorCode } from './harness.js';

/** Reads its offset in every byte, and notes what is written. */
function probe(name: string, log: string[] = []): BusDevice {
  return {
    name,
    read: (offset, size) => {
      log.push(`${name} r ${offset}/${size}`);
      let value = 0;
      for (let i = 0; i < size; i++) value |= (offset + i) << (8 * i);
      return value >>> 0;
    },
    write: (offset, size, value) => log.push(`${name} w ${offset}/${size}=${value.toString(16)}`),
  };
}

test('routes an access to the device with its offset', () => {
  const log: string[] = [];
  const bus = new IoBus('port');
  bus.attach(0x3f8, 8, probe('a', log));
  bus.attach(0x20, 2, probe('b', log));
  assert.is(bus.read(0x3fd, 1), 5);
  assert.is(bus.read(0x3f8, 4), 0x03020100);
  bus.write(0x21, 1, 0xff);
  assert.equal(log, ['a r 5/1', 'a r 0/4', 'b w 1/1=ff']);
});

test('splits an access that straddles devices or runs past the end', () => {
  const log: string[] = [];
  const unclaimed: UnclaimedAccess[] = [];
  const bus = new IoBus('mmio', (access) => unclaimed.push(access));
  bus.attach(0x1000, 2, probe('a', log));
  bus.attach(0x1002, 1, probe('b', log));
  assert.is(bus.read(0x1000, 4), 0xff000100, 'the byte that nobody has reads all ones');
  assert.equal(log, ['a r 0/1', 'a r 1/1', 'b r 0/1']);
  log.length = 0;
  bus.write(0xfff, 2, 0x1234);
  assert.equal(log, ['a w 0/1=12']);
  assert.equal(unclaimed, [
    { space: 'mmio', kind: 'read', address: 0x1003, size: 1 },
    { space: 'mmio', kind: 'write', address: 0xfff, size: 1, value: 0x34 },
  ]);
});

test('unknown addresses read all ones, ignore writes, and are reported', () => {
  const unclaimed: UnclaimedAccess[] = [];
  const bus = new IoBus('port', (access) => unclaimed.push(access));
  assert.is(bus.read(0x60, 1), 0xff);
  assert.is(bus.read(0x60, 2), 0xffff);
  assert.is(bus.read(0xffff, 4), 0xffffffff, 'past the last port');
  bus.write(0x70, 2, 0x1ffff);
  assert.equal(unclaimed.at(-1), { space: 'port', kind: 'write', address: 0x70, size: 2, value: 0xffff });
  assert.equal(bus.unclaimed, { name: 'unclaimed port', reads: 3, writes: 1 });
});

test('refuses overlaps and ranges that do not exist', () => {
  const bus = new IoBus('port');
  bus.attach(0x100, 8, probe('first'));
  assert.is(
    errorCode(() => bus.attach(0x107, 1, probe('x'))),
    'E_BUS_OVERLAP',
  );
  assert.is(
    errorCode(() => bus.attach(0xff, 2, probe('x'))),
    'E_BUS_OVERLAP',
  );
  assert.is(
    errorCode(() => bus.attach(0, 0x10000, probe('x'))),
    'E_BUS_OVERLAP',
  );
  assert.is(
    errorCode(() => bus.attach(0x200, 0, probe('x'))),
    'E_BUS_RANGE',
  );
  assert.is(
    errorCode(() => bus.attach(0xffff, 2, probe('x'))),
    'E_BUS_RANGE',
  );
  assert.is(
    errorCode(() => bus.attach(-1, 2, probe('x'))),
    'E_BUS_RANGE',
  );
  assert.is(
    errorCode(() => bus.attach(1.5, 1, probe('x'))),
    'E_BUS_RANGE',
  );
  bus.attach(0x108, 1, probe('next'));
  assert.is(bus.map().length, 2);
});

test('counts accesses by device name', () => {
  const bus = new IoBus('port');
  bus.attach(0x20, 2, probe('pic'));
  bus.attach(0xa0, 2, probe('pic'));
  bus.attach(0x40, 4, probe('pit'));
  bus.read(0x20, 1);
  bus.write(0xa0, 1, 0);
  bus.read(0x43, 1);
  bus.read(0x43, 1);
  assert.equal(bus.accessCounts(), [
    { name: 'pic', reads: 1, writes: 1 },
    { name: 'pit', reads: 2, writes: 0 },
    { name: 'unclaimed port', reads: 0, writes: 0 },
  ]);
});

test('a device cannot return more bits than were asked for', () => {
  const bus = new IoBus('port');
  bus.attach(0, 4, { name: 'wide', read: () => -1, write: () => undefined });
  assert.is(bus.read(0, 1), 0xff);
  assert.is(bus.read(0, 2), 0xffff);
  assert.is(bus.read(0, 4), 0xffffffff);
});

test('property: agrees with a lookup byte by byte, whatever was accessed before', () => {
  const ranges = fc.uniqueArray(fc.nat(30), { selector: (slot) => slot, maxLength: 10 });
  const accesses = fc.array(fc.tuple(fc.nat(260), fc.constantFrom<AccessSize>(1, 2, 4)), { maxLength: 40 });
  fc.assert(
    fc.property(ranges, accesses, (slots, list) => {
      const bus = new IoBus('mmio');
      const owner = new Map<number, number>();
      for (const slot of slots) {
        const length = 1 + (slot % 8);
        bus.attach(slot * 8, length, probe(`d${slot}`));
        for (let i = 0; i < length; i++) owner.set(slot * 8 + i, i);
      }
      for (const [address, size] of list) {
        let expected = 0;
        for (let i = 0; i < size; i++) expected += (owner.get(address + i) ?? 0xff) * 2 ** (8 * i);
        assert.is(bus.read(address, size), expected);
      }
    }),
  );
});

test.run();
