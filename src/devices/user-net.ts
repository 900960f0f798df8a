// A network that is all in this process: one gateway that answers ARP, DHCP and ping, and refuses everything else. The
// addresses are those of QEMU's user networking, so that a guest's settings fit both.

import type { NetBackend } from './virtio-net.js';

/** Gateway and DHCP server, and the address that the guest is given. */
export const GATEWAY_IP = [10, 0, 2, 2] as const;
export const GUEST_IP = [10, 0, 2, 15] as const;
const NETMASK = [255, 255, 255, 0] as const;
/** Locally administered addresses. */
export const GATEWAY_MAC = [0x52, 0x55, 10, 0, 2, 2] as const;
export const GUEST_MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56] as const;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERNET_HEADER = 14;
const IPV4_HEADER = 20;

// ARP (RFC 826).
const ARP_LENGTH = 28;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;

// IPv4 protocols; ICMP (RFC 792).
const PROTOCOL_ICMP = 1;
const PROTOCOL_UDP = 17;
const ICMP_ECHO_REPLY = 0;
const ICMP_UNREACHABLE = 3;
const ICMP_ECHO = 8;
const UNREACHABLE_NET = 0;
const UNREACHABLE_PORT = 3;

// DHCP (RFC 2131, RFC 2132).
const PORT_DHCP_SERVER = 67;
const PORT_DHCP_CLIENT = 68;
const BOOTP_LENGTH = 240;
const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const DHCP_MAGIC = [0x63, 0x82, 0x53, 0x63] as const;
const OPTION_PAD = 0;
const OPTION_NETMASK = 1;
const OPTION_ROUTER = 3;
const OPTION_REQUESTED_IP = 50;
const OPTION_LEASE_TIME = 51;
const OPTION_MESSAGE_TYPE = 53;
const OPTION_SERVER_ID = 54;
const OPTION_END = 255;
const DHCP_DISCOVER = 1;
const DHCP_OFFER = 2;
const DHCP_REQUEST = 3;
const DHCP_ACK = 5;
const DHCP_NAK = 6;
const LEASE_SECONDS = 86400;

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

function equal(bytes: Uint8Array, at: number, expected: readonly number[]): boolean {
  return expected.every((byte, i) => bytes[at + i] === byte);
}

/** Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export class UserNet implements NetBackend {
  deliver: (frame: Uint8Array) => void = () => undefined;

  send(frame: Uint8Array): void {
    if (frame.length < ETHERNET_HEADER) return;
    const type = u16(frame, 12);
    if (type === ETHERTYPE_ARP) this.arp(frame);
    else if (type === ETHERTYPE_IPV4) this.ipv4(frame);
  }

  private reply(to: Uint8Array, type: number, payload: Uint8Array): void {
    // 60 bytes is the shortest frame, without its checksum.
    const frame = new Uint8Array(Math.max(60, ETHERNET_HEADER + payload.length));
    frame.set(to.subarray(0, 6));
    frame.set(GATEWAY_MAC, 6);
    setU16(frame, 12, type);
    frame.set(payload, ETHERNET_HEADER);
    this.deliver(frame);
  }

  private arp(frame: Uint8Array): void {
    const request = frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + ARP_LENGTH);
    // Ethernet and IPv4, with addresses of six and four bytes.
    if (request.length < ARP_LENGTH || !equal(request, 0, [0, 1, 8, 0, 6, 4]) || u16(request, 6) !== ARP_REQUEST)
      return;
    if (!equal(request, 24, GATEWAY_IP)) return;
    const answer = request.slice();
    setU16(answer, 6, ARP_REPLY);
    answer.set(GATEWAY_MAC, 8);
    answer.set(GATEWAY_IP, 14);
    answer.set(request.subarray(8, 18), 18);
    this.reply(frame.subarray(6, 12), ETHERTYPE_ARP, answer);
  }

  private ipv4(frame: Uint8Array): void {
    const all = frame.subarray(ETHERNET_HEADER);
    if (all.length < IPV4_HEADER || all[0] >> 4 !== 4) return;
    const headerLength = (all[0] & 0xf) * 4;
    const total = u16(all, 2);
    // Fragments are not put together: nothing that is answered here needs more than one frame.
    const fragment = (u16(all, 6) & 0x3fff) !== 0;
    if (headerLength < IPV4_HEADER || total < headerLength || total > all.length || fragment) return;
    const packet = all.subarray(0, total);
    const payload = packet.subarray(headerLength);
    const protocol = packet[9];
    const toPort = protocol === PROTOCOL_UDP && payload.length >= 8 ? u16(payload, 2) : -1;
    if (toPort === PORT_DHCP_SERVER) {
      this.dhcp(frame.subarray(6, 12), payload.subarray(8));
      return;
    }
    // Broadcasts and multicasts interest nobody here.
    if ((frame[0] & 1) !== 0 || packet[16] >= 224) return;
    const forGateway = equal(packet, 16, GATEWAY_IP);
    if (forGateway && protocol === PROTOCOL_ICMP) this.ping(frame, packet, payload);
    else this.unreachable(frame, packet, headerLength, forGateway ? UNREACHABLE_PORT : UNREACHABLE_NET);
  }

  private sendIpv4(to: Uint8Array, destination: ArrayLike<number>, protocol: number, payload: Uint8Array): void {
    const packet = new Uint8Array(IPV4_HEADER + payload.length);
    packet[0] = 0x45;
    setU16(packet, 2, packet.length);
    packet[8] = 64;
    packet[9] = protocol;
    packet.set(GATEWAY_IP, 12);
    packet.set(Array.from(destination), 16);
    setU16(packet, 10, checksum(packet.subarray(0, IPV4_HEADER)));
    packet.set(payload, IPV4_HEADER);
    this.reply(to, ETHERTYPE_IPV4, packet);
  }

  private ping(frame: Uint8Array, packet: Uint8Array, payload: Uint8Array): void {
    if (payload.length < 8 || payload[0] !== ICMP_ECHO) return;
    const answer = payload.slice();
    answer[0] = ICMP_ECHO_REPLY;
    setU16(answer, 2, 0);
    setU16(answer, 2, checksum(answer));
    this.sendIpv4(frame.subarray(6, 12), packet.subarray(12, 16), PROTOCOL_ICMP, answer);
  }

  /** Tells the guest at once that nothing will answer. */
  private unreachable(frame: Uint8Array, packet: Uint8Array, headerLength: number, code: number): void {
    // Never about an ICMP error (RFC 1122, 3.2.2).
    const type = packet[headerLength] ?? 0;
    if (packet[9] === PROTOCOL_ICMP && type !== ICMP_ECHO) return;
    const quoted = packet.subarray(0, headerLength + 8);
    const message = new Uint8Array(8 + quoted.length);
    message[0] = ICMP_UNREACHABLE;
    message[1] = code;
    message.set(quoted, 8);
    setU16(message, 2, checksum(message));
    this.sendIpv4(frame.subarray(6, 12), packet.subarray(12, 16), PROTOCOL_ICMP, message);
  }

  private dhcp(from: Uint8Array, request: Uint8Array): void {
    const wellFormed = request.length >= BOOTP_LENGTH && request[0] === BOOTREQUEST && equal(request, 236, DHCP_MAGIC);
    if (!wellFormed) return;
    const options = readOptions(request.subarray(BOOTP_LENGTH));
    const type = options.get(OPTION_MESSAGE_TYPE)?.[0];
    if (type !== DHCP_DISCOVER && type !== DHCP_REQUEST) return;
    const wanted = options.get(OPTION_REQUESTED_IP);
    const refused = type === DHCP_REQUEST && wanted !== undefined && !equal(wanted, 0, GUEST_IP);
    const answerType = refused ? DHCP_NAK : type === DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK;

    const answer = new Uint8Array(8 + BOOTP_LENGTH + 64);
    const bootp = answer.subarray(8);
    bootp.set(request.subarray(0, BOOTP_LENGTH));
    bootp[0] = BOOTREPLY;
    if (!refused) bootp.set(GUEST_IP, 16);
    bootp.set(GATEWAY_IP, 20);
    // Neither server name nor boot file.
    bootp.fill(0, 44, 236);
    let at = BOOTP_LENGTH;
    const option = (code: number, ...value: number[]): void => {
      bootp.set([code, value.length, ...value], at);
      at += 2 + value.length;
    };
    option(OPTION_MESSAGE_TYPE, answerType);
    option(OPTION_SERVER_ID, ...GATEWAY_IP);
    if (!refused) {
      option(OPTION_LEASE_TIME, 0, LEASE_SECONDS >> 16, (LEASE_SECONDS >> 8) & 0xff, LEASE_SECONDS & 0xff);
      option(OPTION_NETMASK, ...NETMASK);
      option(OPTION_ROUTER, ...GATEWAY_IP);
    }
    bootp[at] = OPTION_END;

    setU16(answer, 0, PORT_DHCP_SERVER);
    setU16(answer, 2, PORT_DHCP_CLIENT);
    setU16(answer, 4, answer.length);
    // A UDP checksum of zero says that there is none (RFC 768).
    this.sendIpv4(from, [255, 255, 255, 255], PROTOCOL_UDP, answer);
  }
}

function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.length && bytes[at] !== OPTION_END) {
    if (bytes[at] === OPTION_PAD) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    options.set(bytes[at], bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
