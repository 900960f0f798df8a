// The network inside the process: ARP (RFC 826), ping (RFC 792), DHCP (RFC 2131), and refusals.

import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checksum, GATEWAY_MAC, GUEST_MAC, UserNet } from '../../src/devices/user-net.js';

const GATEWAY = [10, 0, 2, 2];
const GUEST = [10, 0, 2, 15];

function make() {
  const net = new UserNet();
  const frames: Uint8Array[] = [];
  net.deliver = (frame) => frames.push(frame.slice());
  return { net, frames };
}

function frame(to: readonly number[], type: number, payload: readonly number[]): Uint8Array {
  return Uint8Array.from([...to, ...GUEST_MAC, type >> 8, type & 0xff, ...payload]);
}

function ipv4(to: readonly number[], protocol: number, payload: readonly number[], from = GUEST): number[] {
  const total = 20 + payload.length;
  const header = [0x45, 0, total >> 8, total & 0xff, 0, 0, 0, 0, 64, protocol, 0, 0, ...from, ...to];
  const sum = checksum(Uint8Array.from(header));
  header[10] = sum >> 8;
  header[11] = sum & 0xff;
  return [...header, ...payload];
}

test('Internet checksum of RFC 1071’s example', () => {
  assert.is(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)), 0x220d);
});

test('ARP: the gateway answers for itself alone', () => {
  const { net, frames } = make();
  const ask = (ip: readonly number[]) =>
    net.send(
      frame([255, 255, 255, 255, 255, 255], 0x806, [
        0,
        1,
        8,
        0,
        6,
        4,
        0,
        1,
        ...GUEST_MAC,
        ...GUEST,
        0,
        0,
        0,
        0,
        0,
        0,
        ...ip,
      ]),
    );
  ask([10, 0, 2, 3]);
  assert.is(frames.length, 0);
  ask(GATEWAY);
  assert.is(frames.length, 1);
  assert.equal([...frames[0].slice(0, 14)], [...GUEST_MAC, ...GATEWAY_MAC, 8, 6]);
  assert.equal([...frames[0].slice(20, 42)], [0, 2, ...GATEWAY_MAC, ...GATEWAY, ...GUEST_MAC, ...GUEST]);
  assert.is(frames[0].length, 60, 'padded to the shortest frame');
});

test('ping: the same data back, with right checksums', () => {
  const { net, frames } = make();
  const data = [8, 0, 0, 0, 0x12, 0x34, 0, 1, 1, 2, 3, 4, 5];
  net.send(frame(GATEWAY_MAC, 0x800, ipv4(GATEWAY, 1, data)));
  const packet = frames[0].subarray(14, 14 + 20 + data.length);
  assert.is(checksum(packet.subarray(0, 20)), 0);
  assert.is(checksum(packet.subarray(20)), 0);
  assert.equal([...packet.slice(12, 20)], [...GATEWAY, ...GUEST]);
  assert.equal([...packet.slice(20, 22)], [0, 0]);
  assert.equal([...packet.slice(24)], data.slice(4));
});

test('everything else is refused at once: port here, network elsewhere', () => {
  const { net, frames } = make();
  const udp = [0x30, 0x39, 0, 53, 0, 8, 0, 0];
  net.send(frame(GATEWAY_MAC, 0x800, ipv4(GATEWAY, 17, udp)));
  net.send(frame(GATEWAY_MAC, 0x800, ipv4([8, 8, 8, 8], 17, udp)));
  assert.equal([...frames[0].slice(34, 36)], [3, 3]);
  assert.equal([...frames[1].slice(34, 36)], [3, 0]);
  assert.is(checksum(frames[0].subarray(34, 34 + 36)), 0);
  net.send(frame(GATEWAY_MAC, 0x800, ipv4([8, 8, 8, 8], 1, [3, 0, 0, 0, 0, 0, 0, 0])));
  assert.is(frames.length, 2, 'never about an error');
});

function dhcp(type: number, ...options: number[]): Uint8Array {
  const bootp = new Array<number>(240).fill(0);
  bootp[0] = 1;
  bootp.splice(4, 4, 0xde, 0xad, 0xbe, 0xef);
  bootp.splice(236, 4, 0x63, 0x82, 0x53, 0x63);
  const message = [...bootp, 53, 1, type, ...options, 255];
  const length = 8 + message.length;
  const udp = [0, 68, 0, 67, length >> 8, length & 0xff, 0, 0, ...message];
  return frame([255, 255, 255, 255, 255, 255], 0x800, ipv4([255, 255, 255, 255], 17, udp, [0, 0, 0, 0]));
}

test('DHCP: an offer, an acknowledgement, a refusal', () => {
  const { net, frames } = make();
  net.send(dhcp(1));
  net.send(dhcp(3, 50, 4, ...GUEST));
  net.send(dhcp(3, 50, 4, 10, 0, 2, 99));
  const types = frames.map((f) => f[14 + 28 + 242]);
  assert.equal(types, [2, 5, 6]);
  const offer = frames[0].subarray(14 + 28);
  assert.is(offer[0], 2, 'BOOTREPLY');
  assert.equal([...offer.slice(4, 8)], [0xde, 0xad, 0xbe, 0xef], 'the same transaction');
  assert.equal([...offer.slice(16, 20)], GUEST);
  const options = [...offer.slice(240)].join();
  assert.ok(options.includes([1, 4, 255, 255, 255, 0].join()), 'netmask');
  assert.ok(options.includes([3, 4, ...GATEWAY].join()), 'router');
});

test('frames of any content are survived', () => {
  const { net } = make();
  const start = fc.constantFrom<number[]>(
    [],
    [...frame(GATEWAY_MAC, 0x806, [0, 1, 8, 0, 6, 4, 0, 1])],
    [...frame(GATEWAY_MAC, 0x800, [0x45, 0, 0, 40])],
    [...frame(GATEWAY_MAC, 0x800, [0x4f, 0, 0, 60])],
    [...dhcp(1).subarray(0, 14 + 20 + 8 + 240)],
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 100 }), (head, rest) => {
      net.send(Uint8Array.from([...head, ...rest]));
    }),
    { numRuns: 1000 },
  );
});

test.run();
