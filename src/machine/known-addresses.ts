// Names of what software looks for and the boards do not have: for messages about unclaimed accesses.

interface KnownRange {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

const range = (start: number, end: number, name: string): KnownRange => ({ start, end, name });

/** Port assignments that PCs have long agreed on; `end` is the last port. */
const PORTS: readonly KnownRange[] = [
  range(0x00, 0x0f, 'DMA controller 1 (8237)'),
  range(0x22, 0x23, 'chipset configuration / IMCR'),
  range(0x2e, 0x2f, 'Super I/O configuration'),
  range(0x4e, 0x4f, 'Super I/O or TPM configuration'),
  range(0x81, 0x8f, 'DMA page registers'),
  range(0xb2, 0xb3, 'system-management interrupt (APM)'),
  range(0xc0, 0xdf, 'DMA controller 2 (8237)'),
  range(0xed, 0xed, 'I/O delay'),
  range(0xf0, 0xf1, 'coprocessor busy latch'),
  range(0x170, 0x177, 'second ATA channel'),
  range(0x1ce, 0x1cf, 'Bochs VBE display'),
  range(0x1f0, 0x1f7, 'first ATA channel (no disk attached)'),
  range(0x201, 0x201, 'game port'),
  range(0x220, 0x22f, 'sound card'),
  range(0x278, 0x27f, 'LPT2'),
  range(0x2e8, 0x2ef, 'COM4'),
  range(0x2f8, 0x2ff, 'COM2'),
  range(0x376, 0x376, 'second ATA channel, control'),
  range(0x378, 0x37f, 'LPT1'),
  range(0x3e8, 0x3ef, 'COM3'),
  range(0x3f0, 0x3f5, 'floppy controller'),
  range(0x3f6, 0x3f6, 'first ATA channel, control (no disk attached)'),
  range(0x3f7, 0x3f7, 'floppy controller'),
  range(0x402, 0x402, 'SeaBIOS debug console'),
  range(0x510, 0x51b, 'QEMU firmware configuration'),
  range(0xa79, 0xa79, 'ISA Plug and Play'),
  range(0xcf8, 0xcff, 'PCI configuration'),
  range(0x5658, 0x5659, 'VMware backdoor'),
];

const ADDRESSES: readonly KnownRange[] = [
  range(0xd0000000, 0xd0ffffff, 'virtio-mmio window'),
  range(0xfec00000, 0xfec00fff, 'I/O APIC'),
  range(0xfed00000, 0xfed003ff, 'HPET'),
  range(0xfed40000, 0xfed44fff, 'TPM'),
  range(0xfee00000, 0xfee00fff, 'local APIC (disabled)'),
  range(0xfffc0000, 0xffffffff, 'firmware below 4 GiB'),
];

/** What QEMU's virt machine has and the virt board has not. */
const VIRT_ADDRESSES: readonly KnownRange[] = [
  range(0x00000000, 0x07ffffff, 'flash'),
  range(0x08010000, 0x0801ffff, 'GICv2 CPU interface'),
  range(0x08020000, 0x0802ffff, 'GICv2m'),
  range(0x08030000, 0x0804ffff, 'GICv2 virtual interface'),
  range(0x08080000, 0x0809ffff, 'GICv3 ITS'),
  range(0x080a0000, 0x08ffffff, 'GICv3 redistributors'),
  range(0x09020000, 0x09020fff, 'QEMU firmware configuration'),
  range(0x09030000, 0x09030fff, 'GPIO (PL061)'),
  range(0x09040000, 0x09040fff, 'secure UART'),
  range(0x09050000, 0x0906ffff, 'SMMU'),
  range(0x09070000, 0x0907ffff, 'memory hot-plug'),
  range(0x0c000000, 0x0dffffff, 'platform bus'),
  range(0x10000000, 0x3fffffff, 'PCIe'),
];

function nameIn(ranges: readonly KnownRange[], address: number): string | undefined {
  return ranges.find((r) => address >= r.start && address <= r.end)?.name;
}

/** "port 0x2f9 (COM2)", "physical address 0xfed00000 (HPET)". */
export function describeAddress(space: 'port' | 'mmio', address: number): string {
  const name = nameIn(space === 'port' ? PORTS : ADDRESSES, address);
  return `${space === 'port' ? 'port' : 'physical address'} 0x${address.toString(16)}${name ? ` (${name})` : ''}`;
}

/** "physical address 0x9030000 (GPIO (PL061))", on the virt board. */
export function describeVirtAddress(address: number): string {
  const name = nameIn(VIRT_ADDRESSES, address);
  return `physical address 0x${address.toString(16)}${name ? ` (${name})` : ''}`;
}
