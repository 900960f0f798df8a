// Firmware calls of the virt board: PSCI 1.1 (Arm DEN 0022) for one processor, and the SMC Calling Convention's own
// (Arm DEN 0028). The guest makes them by HVC or SMC.

const SMCCC_VERSION = 0x80000000;
const SMCCC_ARCH_FEATURES = 0x80000001;
const PSCI_VERSION = 0x84000000;
const PSCI_CPU_SUSPEND = 0x84000001;
const PSCI_CPU_OFF = 0x84000002;
const PSCI_CPU_ON = 0x84000003;
const PSCI_AFFINITY_INFO = 0x84000004;
const PSCI_MIGRATE_INFO_TYPE = 0x84000006;
const PSCI_SYSTEM_OFF = 0x84000008;
const PSCI_SYSTEM_RESET = 0x84000009;
const PSCI_FEATURES = 0x8400000a;
const PSCI_SYSTEM_RESET2 = 0x84000012;
/** Set in the function identifier of a call with 64-bit arguments. */
const SMC64 = 0x40000000;
/** Functions that exist with 64-bit arguments too. */
const HAS_SMC64 = new Set([PSCI_CPU_SUSPEND, PSCI_CPU_ON, PSCI_AFFINITY_INFO, PSCI_SYSTEM_RESET2]);
const KNOWN = new Set([
  ...HAS_SMC64,
  PSCI_VERSION,
  PSCI_CPU_OFF,
  PSCI_MIGRATE_INFO_TYPE,
  PSCI_SYSTEM_OFF,
  PSCI_SYSTEM_RESET,
  PSCI_FEATURES,
  SMCCC_VERSION,
]);

// Return values (PSCI 5.2.2).
const SUCCESS = 0n;
const NOT_SUPPORTED = -1n;
const INVALID_PARAMETERS = -2n;
const ALREADY_ON = -4n;

const VERSION_1_1 = 0x10001n;
/** MIGRATE_INFO_TYPE: nothing that would have to be migrated. */
const NO_TRUSTED_OS = 2n;
/** AFFINITY_INFO: the processor is on. */
const AFFINITY_ON = 0n;
/** CPU_SUSPEND, power_state: the processor would lose its state. */
const STATE_TYPE_POWER_DOWN = 1n << 16n;
/** Affinity fields of MPIDR. */
const AFFINITY_MASK = 0xff00ffffffn;

/** What a call asks of the machine. */
export interface PsciActions {
  systemOff(): void;
  systemReset(): void;
  /** The guest turned its only processor off. */
  cpuOff(): void;
}

/** Executes a call: X0–X3, unsigned 64-bit. Returns the new X0. */
export function psciCall(actions: PsciActions, x0: bigint, x1: bigint, x2: bigint): bigint {
  const called = Number(x0 & 0xffffffffn);
  const wide = (called & SMC64) !== 0 && HAS_SMC64.has((called & ~SMC64) >>> 0);
  const id = wide ? (called & ~SMC64) >>> 0 : called;
  const argument = (x: bigint) => (wide ? x : x & 0xffffffffn);
  return BigInt.asUintN(64, perform(actions, id, argument(x1), argument(x2)));
}

function perform(actions: PsciActions, id: number, first: bigint, second: bigint): bigint {
  switch (id) {
    case SMCCC_VERSION:
      return VERSION_1_1;
    case SMCCC_ARCH_FEATURES:
      return first === BigInt(SMCCC_VERSION) || first === BigInt(SMCCC_ARCH_FEATURES) ? SUCCESS : NOT_SUPPORTED;
    case PSCI_VERSION:
      return VERSION_1_1;
    case PSCI_CPU_SUSPEND:
      // A standby may end at any time for any reason: here, at once. Nothing deeper is offered.
      return first & STATE_TYPE_POWER_DOWN ? INVALID_PARAMETERS : SUCCESS;
    case PSCI_CPU_OFF:
      actions.cpuOff();
      return SUCCESS;
    case PSCI_CPU_ON:
      return (first & AFFINITY_MASK) === 0n ? ALREADY_ON : INVALID_PARAMETERS;
    case PSCI_AFFINITY_INFO:
      return (first & AFFINITY_MASK) === 0n && second <= 3n ? AFFINITY_ON : INVALID_PARAMETERS;
    case PSCI_MIGRATE_INFO_TYPE:
      return NO_TRUSTED_OS;
    case PSCI_SYSTEM_OFF:
      actions.systemOff();
      return SUCCESS;
    case PSCI_SYSTEM_RESET:
    case PSCI_SYSTEM_RESET2:
      actions.systemReset();
      return SUCCESS;
    case PSCI_FEATURES: {
      const asked = Number(first & 0xffffffffn);
      const narrow = (asked & ~SMC64) >>> 0;
      return KNOWN.has(asked) || ((asked & SMC64) !== 0 && HAS_SMC64.has(narrow)) ? SUCCESS : NOT_SUPPORTED;
    }
    default:
      return NOT_SUPPORTED;
  }
}
