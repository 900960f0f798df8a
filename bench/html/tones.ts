// Colours by number, so that an engine has the same one in every chart. Each keeps a contrast of 3:1 against its page
// (WCAG 2.2, 1.4.11), and neighbours differ in lightness as well as in hue.

interface Tone {
  readonly light: string;
  readonly dark: string;
}

const COLOURS: readonly Tone[] = [
  { light: '#6b7280', dark: '#9aa3b2' }, // grey: what others are compared with
  { light: '#1d6fd1', dark: '#69a8ff' }, // blue
  { light: '#c4540a', dark: '#ff9c57' }, // orange
  { light: '#8a6c00', dark: '#dcbc45' }, // yellow
  { light: '#0a7d72', dark: '#45c9ba' }, // teal
  { light: '#7a4fc4', dark: '#b99df6' }, // violet
  { light: '#b5307c', dark: '#f27fba' }, // pink
  { light: '#3f7a1d', dark: '#8fd061' }, // green
];

/** How many there are; charts take a tone modulo this number. */
export const TONES = COLOURS.length;

/** Name of the CSS variable of a tone. */
export const toneVariable = (tone: number): string => `var(--tone-${tone % TONES})`;

const declarations = (key: keyof Tone): string => COLOURS.map((tone, i) => `--tone-${i}:${tone[key]}`).join(';');

export const LIGHT_TONES = declarations('light');
export const DARK_TONES = declarations('dark');
