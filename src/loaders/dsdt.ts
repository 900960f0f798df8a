// The DSDT's content: what is on the board that an operating system cannot find out by itself.

import * as P from '../vcpu/pc-ports.js';
import * as aml from './aml.js';
import { concatBytes } from './table-writer.js';

/** A virtio-mmio device (virtio 1.2, 4.2): its register window and its interrupt. */
export interface VirtioMmioNode {
  /** Guest physical address and bytes, both below 4 GiB. */
  readonly address: number;
  readonly size: number;
  /** Global system interrupt, which is the I/O APIC's input. Level-triggered, active high. */
  readonly gsi: number;
}

export interface DsdtOptions {
  /** Processors, which get the UIDs 0, 1, … */
  readonly processors: number;
  readonly virtioMmio: readonly VirtioMmioNode[];
  /** Announce the ATA channel at 0x1F0. */
  readonly ide: boolean;
}

/** AML of the definition block, without the table header. */
export function dsdtBody(options: DsdtOptions): Uint8Array {
  const devices: Uint8Array[] = [];
  for (let uid = 0; uid < options.processors; uid++) {
    devices.push(aml.device(`C${hex3(uid)}`, hid('ACPI0007'), aml.name('_UID', aml.integer(uid))));
  }
  devices.push(
    // 16550A-compatible serial port.
    isaDevice('COM1', 'PNP0501', aml.ioPorts(P.PORT_COM1, 8), aml.isaIrq(P.IRQ_COM1)),
    // AT real-time clock.
    isaDevice('RTC', 'PNP0B00', aml.ioPorts(P.PORT_RTC, 2), aml.isaIrq(P.IRQ_RTC)),
    // 101/102-key keyboard at an i8042.
    isaDevice(
      'KBD',
      'PNP0303',
      aml.ioPorts(P.PORT_KEYBOARD_DATA, 1),
      aml.ioPorts(P.PORT_KEYBOARD_COMMAND, 1),
      aml.isaIrq(P.IRQ_KEYBOARD),
    ),
  );
  if (options.ide) {
    // Generic IDE controller.
    const ports = [
      aml.ioPorts(P.PORT_IDE_COMMAND, P.IDE_COMMAND_LENGTH),
      aml.ioPorts(P.PORT_IDE_CONTROL, P.IDE_CONTROL_LENGTH),
    ];
    devices.push(isaDevice('IDE0', 'PNP0600', ...ports, aml.isaIrq(P.IRQ_IDE)));
  }
  options.virtioMmio.forEach((node, i) => {
    const settings = aml.resources(aml.memory32Fixed(node.address, node.size), aml.levelInterrupt(node.gsi));
    devices.push(
      // The ID that virtio-mmio drivers look for; its value is in no public register but theirs.
      aml.device(`V${hex3(i)}`, hid('LNRO0005'), aml.name('_UID', aml.integer(i)), aml.name('_CRS', settings)),
    );
  });
  return concatBytes([aml.scope('\\_SB', ...devices), s5()]);
}

/** \_S5 (7.4.2.6): the values for SLP_TYP in PM1a and PM1b control, and two reserved ones. */
function s5(): Uint8Array {
  const type = aml.integer(P.SLEEP_TYPE_S5);
  return aml.name('\\_S5', aml.packageOf(type, type, aml.integer(0), aml.integer(0)));
}

/** A hardware ID that is too long for an EISA ID is a string. */
function hid(id: string): Uint8Array {
  return aml.name('_HID', aml.string(id));
}

function isaDevice(path: string, id: string, ...descriptors: readonly Uint8Array[]): Uint8Array {
  return aml.device(path, aml.name('_HID', aml.eisaId(id)), aml.name('_CRS', aml.resources(...descriptors)));
}

function hex3(value: number): string {
  return value.toString(16).toUpperCase().padStart(3, '0');
}
