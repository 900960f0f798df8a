// What travels between I/O APICs and local APICs, and who takes it.

import { ICR_ASSERT, ICR_LEVEL, ICR_LOGICAL } from './apic-registers.js';

/** Delivery modes, as local vector table, ICR and redirection table encode them (SDM vol. 3, 11.5.1 and 11.6.1). */
export const DELIVERY_FIXED = 0;
export const DELIVERY_LOWEST_PRIORITY = 1;
export const DELIVERY_SMI = 2;
export const DELIVERY_NMI = 4;
export const DELIVERY_INIT = 5;
export const DELIVERY_STARTUP = 6;
export const DELIVERY_EXTINT = 7;

export type TriggerMode = 'edge' | 'level';

/** One interrupt message. */
export interface ApicMessage {
  /** Message destination address, 8 bits; 0xFF addresses all. */
  readonly destination: number;
  /** Logical destination mode; otherwise `destination` is an APIC ID. */
  readonly logical: boolean;
  readonly deliveryMode: number;
  readonly vector: number;
  readonly trigger: TriggerMode;
}

/** A local APIC as the senders see it. */
export interface ApicTarget {
  /** Whether the message addresses this APIC (SDM vol. 3, 11.6.2). */
  matches(destination: number, logical: boolean): boolean;
  /** The processor priority, by which lowest-priority delivery chooses (11.6.2.4). */
  readonly priority: number;
  /** True when the interrupt was taken. */
  acceptInterrupt(vector: number, trigger: TriggerMode, deliveryMode: number): boolean;
}

/** Which APICs an interrupt command goes to, when not to those that a destination names (11.6.1). */
export type Shorthand = 'none' | 'self' | 'all' | 'others';
const SHORTHANDS = ['none', 'self', 'all', 'others'] as const;

/** Takes the interrupt command register apart (figure 11-12). Null for a command that sends nothing. */
export function decodeInterruptCommand(
  low: number,
  high: number,
): { readonly shorthand: Shorthand; readonly message: ApicMessage } | null {
  const deliveryMode = (low >> 8) & 7;
  const level = (low & ICR_LEVEL) !== 0;
  // INIT level de-assert only synchronised arbitration IDs on the old APIC bus. Modes 3 and 7 are reserved.
  if (deliveryMode === DELIVERY_INIT && level && (low & ICR_ASSERT) === 0) return null;
  if (deliveryMode === 3 || deliveryMode === DELIVERY_EXTINT) return null;
  const shorthand = SHORTHANDS[(low >> 18) & 3];
  const message: ApicMessage = {
    destination: shorthand === 'none' ? high >>> 24 : 0xff,
    logical: shorthand === 'none' && (low & ICR_LOGICAL) !== 0,
    deliveryMode,
    vector: low & 0xff,
    // All others are sent as edges, whatever the command says.
    trigger: 'edge',
  };
  return { shorthand, message };
}

/** Hands a message to the APICs that it addresses. True when at least one accepted it. */
export function deliverApicMessage(targets: readonly ApicTarget[], message: ApicMessage): boolean {
  const addressed = targets.filter((target) => target.matches(message.destination, message.logical));
  if (message.deliveryMode !== DELIVERY_LOWEST_PRIORITY) {
    let accepted = false;
    for (const target of addressed) {
      if (target.acceptInterrupt(message.vector, message.trigger, message.deliveryMode)) accepted = true;
    }
    return accepted;
  }
  // One APIC only: the least busy, or the next one if that one is off.
  const byPriority = addressed.toSorted((a, b) => a.priority - b.priority);
  return byPriority.some((target) => target.acceptInterrupt(message.vector, message.trigger, DELIVERY_FIXED));
}
