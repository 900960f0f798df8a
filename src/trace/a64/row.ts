// A row of the disassembler's tables: which words it is for, and their text.

import { TOKENS, type Token } from './fields.js';

export interface Row {
  readonly mask: number;
  readonly value: number;
  readonly text: Token;
  /** Further condition: an alias is preferred only then, an encoding is allocated only then. */
  readonly when: (w: number) => boolean;
}

const always = () => true;

/** Fills `{name}`s of a template with the operands of that name. */
function compile(template: string, tokens: Readonly<Record<string, Token>>): Token {
  const parts = template.split(/[{}]/).map((part, i): Token => {
    if (i % 2 === 0) return () => part;
    const token = tokens[part];
    if (token === undefined) throw new Error(`no operand ${part} in ${template}`);
    return token;
  });
  return (w, at) => parts.map((p) => p(w, at)).join('');
}

/** @param pattern 32 characters 0, 1 and x from bit 31 down; spaces do not count */
export function row(
  pattern: string,
  template: string,
  when: (w: number) => boolean = always,
  tokens: Readonly<Record<string, Token>> = TOKENS,
): Row {
  const digits = pattern.replaceAll(' ', '');
  if (digits.length !== 32) throw new Error(`${pattern}: ${digits.length} bits`);
  return {
    mask: Number.parseInt(digits.replaceAll('0', '1').replaceAll('x', '0'), 2),
    value: Number.parseInt(digits.replaceAll('x', '0'), 2),
    text: compile(template, tokens),
    when,
  };
}

/** `width` binary digits. */
export const binary = (value: number, width: number) => value.toString(2).padStart(width, '0');

export function matches(r: Row, w: number): boolean {
  return (w & r.mask) >>> 0 === r.value && r.when(w);
}
