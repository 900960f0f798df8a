// How a run ends.

/** Why a machine stopped running. */
export type Outcome =
  /** The guest wrote `code` (0–255) to the debug-exit port. */
  | { readonly kind: 'exit'; readonly code: number }
  /** ACPI S5. */
  | { readonly kind: 'poweroff' }
  /** The guest asked for a reset, and the run is one that ends there. `source` names the register it used. */
  | { readonly kind: 'reset'; readonly source: string }
  /** Triple fault or equivalent: the CPU stopped. */
  | { readonly kind: 'shutdown'; readonly cause: string }
  /** HLT, and nothing is left that could wake the CPU. */
  | { readonly kind: 'halted'; readonly cause: string }
  | { readonly kind: 'max-instructions' }
  /** The back end or the board cannot go on. `name` is an E_… code. */
  | { readonly kind: 'failed'; readonly name: string; readonly message: string }
  /** The user (or a signal) ended the run. */
  | { readonly kind: 'quit' };

/** What the guest or the host asks of the run loop at the next boundary. */
export type MachineRequest = Extract<Outcome, { kind: 'exit' | 'poweroff' | 'reset' | 'failed' | 'quit' }>;
