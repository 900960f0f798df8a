// The escape key of the terminal: Ctrl-a and a letter belong to tsvm, everything else to the guest.

const CTRL_A = 0x01;

export type EscapeCommand = 'quit' | 'help' | 'stats';

const COMMANDS: Readonly<Record<string, EscapeCommand>> = { x: 'quit', h: 'help', '?': 'help', s: 'stats' };

export const ESCAPE_HELP = [
  'Ctrl-a x       quit',
  'Ctrl-a s       statistics of the run so far',
  'Ctrl-a h       this help',
  'Ctrl-a Ctrl-a  send Ctrl-a to the guest',
];

/** Takes typed bytes, gives back what is for the guest. Remembers a Ctrl-a whose second key has yet to come. */
export class EscapeFilter {
  private escaped = false;

  constructor(private readonly onCommand: (command: EscapeCommand) => void) {}

  feed(bytes: Uint8Array): Uint8Array {
    const forGuest: number[] = [];
    for (const byte of bytes) {
      if (!this.escaped) {
        if (byte === CTRL_A) this.escaped = true;
        else forGuest.push(byte);
        continue;
      }
      this.escaped = false;
      const command = COMMANDS[String.fromCharCode(byte).toLowerCase()];
      if (command) this.onCommand(command);
      else if (byte === CTRL_A) forGuest.push(CTRL_A);
    }
    return Uint8Array.from(forGuest);
  }
}
