// KVM_GET_STATS_FD: the kernel's own counters of a vCPU, as a binary file (KVM API, 4.133).

import { closeSync, readSync } from 'node:fs';
import * as IO from './ioctl.js';
import type { Libc } from './libc.js';

// struct kvm_stats_header: u32 flags, name_size, num_desc, id_offset, desc_offset, data_offset.
const HEADER_SIZE = 24;
// struct kvm_stats_desc: u32 flags, s16 exponent, u16 size, u32 offset, u32 bucket_size, char name[name_size].
const DESC_SIZE = 16;
/** KVM_STATS_TYPE_MASK: 0 cumulative, 1 instant, 2 peak; histograms are not read. */
const TYPE_MASK = 15;
const TYPE_PEAK = 2;

export class VcpuStats {
  private readonly values: Buffer;

  private constructor(
    private readonly fd: number,
    private readonly dataOffset: number,
    /** Counters by name: offset in the data block. */
    private readonly counters: readonly (readonly [string, number])[],
  ) {
    const end = counters.reduce((max, [, offset]) => Math.max(max, offset + 8), 0);
    this.values = Buffer.alloc(end);
  }

  /** Null where this KVM has no binary statistics. */
  static open(libc: Libc, vcpuFd: number): VcpuStats | null {
    const fd = libc.ioctl(vcpuFd, IO.KVM_GET_STATS_FD, 0);
    if (fd < 0) return null;
    const header = Buffer.alloc(HEADER_SIZE);
    readSync(fd, header, 0, HEADER_SIZE, 0);
    const nameSize = header.readUInt32LE(4);
    const count = header.readUInt32LE(8);
    const stride = DESC_SIZE + nameSize;
    const descriptors = Buffer.alloc(count * stride);
    readSync(fd, descriptors, 0, descriptors.length, header.readUInt32LE(16));
    const counters: (readonly [string, number])[] = [];
    for (let at = 0; at < descriptors.length; at += stride) {
      const single = descriptors.readUInt16LE(at + 6) === 1;
      if (!single || (descriptors.readUInt32LE(at) & TYPE_MASK) > TYPE_PEAK) continue;
      const name = descriptors.toString('latin1', at + DESC_SIZE, at + stride);
      counters.push([name.slice(0, name.indexOf('\0')), descriptors.readUInt32LE(at + 8)]);
    }
    return new VcpuStats(fd, header.readUInt32LE(20), counters);
  }

  /** Every simple counter, by the kernel's name. */
  read(): Record<string, number> {
    readSync(this.fd, this.values, 0, this.values.length, this.dataOffset);
    const result: Record<string, number> = {};
    for (const [name, offset] of this.counters) result[name] = Number(this.values.readBigUInt64LE(offset));
    return result;
  }

  close(): void {
    closeSync(this.fd);
  }
}
