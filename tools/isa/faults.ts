import type { Case } from './case.js';
export function* faultCases(_name: string): Generator<Case> {}
