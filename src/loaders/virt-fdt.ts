// The virt board's device tree: what Linux' device tree bindings want to know about each device.

import * as V from '../vcpu/virt-map.js';
import { cells64, type FdtNode } from './fdt.js';

/** How the virt board is equipped. */
export interface VirtHardware {
  readonly gic: 2 | 3;
  /** The processor has EL2: the guest starts there, and PSCI is reached by SMC. */
  readonly el2: boolean;
  /** Windows that have a device behind them, by slot. */
  readonly virtioSlots: readonly number[];
}

export interface VirtChosen {
  readonly commandLine: string;
  readonly initrd?: { readonly start: number; readonly end: number } | undefined;
  /** Entropy for the guest's random number generator. */
  readonly rngSeed?: Uint8Array | undefined;
}

const PHANDLE_GIC = 1;
const PHANDLE_CLOCK = 2;

// Interrupt specifiers of the GIC binding: type, number within it, flags.
const SPI = 0;
const PPI = 1;
const LEVEL_HIGH = 4;
/** GICv2: the processors that a PPI goes to, as a mask in bits 15–8. */
const CPU_MASK = 1 << 8;

function region(start: number, size: number): number[] {
  return [...cells64(start), ...cells64(size)];
}

function spi(number: number): number[] {
  return [SPI, number, LEVEL_HIGH];
}

function gicNode(hardware: VirtHardware): FdtNode {
  const common = { phandle: [PHANDLE_GIC], 'interrupt-controller': true, '#interrupt-cells': [3] } as const;
  if (hardware.gic === 2) {
    const reg = [...region(V.GICD_BASE, V.GICD_LENGTH), ...region(V.GICC_BASE, V.GICC_LENGTH)];
    return { properties: { compatible: 'arm,cortex-a15-gic', reg, ...common } };
  }
  const reg = [...region(V.GICD_BASE, V.GICD_LENGTH), ...region(V.GICR_BASE, V.GICR_LENGTH)];
  return { properties: { compatible: 'arm,gic-v3', '#redistributor-regions': [1], reg, ...common } };
}

function timerNode(hardware: VirtHardware): FdtNode {
  const flags = LEVEL_HIGH | (hardware.gic === 2 ? CPU_MASK : 0);
  const ppi = (intid: number) => [PPI, intid - 16, flags];
  return {
    properties: {
      compatible: { strings: ['arm,armv8-timer', 'arm,armv7-timer'] },
      'always-on': true,
      // In this order by the binding.
      interrupts: [V.PPI_TIMER_SECURE, V.PPI_TIMER_PHYSICAL, V.PPI_TIMER_VIRTUAL, V.PPI_TIMER_HYPERVISOR].flatMap(ppi),
    },
  };
}

function uartNode(): FdtNode {
  return {
    properties: {
      compatible: { strings: ['arm,pl011', 'arm,primecell'] },
      reg: region(V.UART_BASE, V.UART_LENGTH),
      interrupts: spi(V.SPI_UART),
      clocks: [PHANDLE_CLOCK, PHANDLE_CLOCK],
      'clock-names': { strings: ['uartclk', 'apb_pclk'] },
    },
  };
}

function rtcNode(): FdtNode {
  return {
    properties: {
      compatible: { strings: ['arm,pl031', 'arm,primecell'] },
      reg: region(V.RTC_BASE, V.RTC_LENGTH),
      interrupts: spi(V.SPI_RTC),
      clocks: [PHANDLE_CLOCK],
      'clock-names': 'apb_pclk',
    },
  };
}

function virtioNode(slot: number): FdtNode {
  const reg = region(V.VIRTIO_BASE + slot * V.VIRTIO_LENGTH, V.VIRTIO_LENGTH);
  return {
    properties: { compatible: 'virtio,mmio', reg, interrupts: spi(V.SPI_VIRTIO + slot), 'dma-coherent': true },
  };
}

function chosenNode(chosen: VirtChosen): FdtNode {
  const { initrd, rngSeed } = chosen;
  return {
    properties: {
      'stdout-path': `/pl011@${V.UART_BASE.toString(16)}`,
      ...(chosen.commandLine === '' ? {} : { bootargs: chosen.commandLine }),
      ...(initrd
        ? { 'linux,initrd-start': cells64(initrd.start), 'linux,initrd-end': cells64(initrd.end) }
        : undefined),
      ...(rngSeed ? { 'rng-seed': rngSeed } : undefined),
    },
  };
}

/** The tree for a board with `ramSize` bytes of RAM. */
export function virtTree(hardware: VirtHardware, ramSize: number, chosen: VirtChosen): FdtNode {
  const at = (name: string, address: number) => `${name}@${address.toString(16)}`;
  const virtio = Object.fromEntries(
    hardware.virtioSlots.map((slot) => [at('virtio_mmio', V.VIRTIO_BASE + slot * V.VIRTIO_LENGTH), virtioNode(slot)]),
  );
  return {
    properties: {
      compatible: 'linux,dummy-virt',
      model: 'linux,dummy-virt',
      '#address-cells': [2],
      '#size-cells': [2],
      'interrupt-parent': [PHANDLE_GIC],
    },
    children: {
      chosen: chosenNode(chosen),
      [at('memory', V.VIRT_RAM_BASE)]: {
        properties: { device_type: 'memory', reg: region(V.VIRT_RAM_BASE, ramSize) },
      },
      cpus: {
        properties: { '#address-cells': [1], '#size-cells': [0] },
        children: { 'cpu@0': { properties: { device_type: 'cpu', compatible: 'arm,armv8', reg: [0] } } },
      },
      psci: {
        properties: {
          compatible: { strings: ['arm,psci-1.0', 'arm,psci-0.2'] },
          method: hardware.el2 ? 'smc' : 'hvc',
        },
      },
      timer: timerNode(hardware),
      [at('intc', V.GICD_BASE)]: gicNode(hardware),
      'apb-pclk': {
        properties: {
          phandle: [PHANDLE_CLOCK],
          compatible: 'fixed-clock',
          '#clock-cells': [0],
          'clock-frequency': [V.APB_CLOCK],
          'clock-output-names': 'clk24mhz',
        },
      },
      [at('pl011', V.UART_BASE)]: uartNode(),
      [at('pl031', V.RTC_BASE)]: rtcNode(),
      ...virtio,
    },
  };
}
