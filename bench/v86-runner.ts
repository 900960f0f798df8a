// Runs a 32-bit multiboot image in v86, as the benchmark wants it: the guest's serial line on standard output, its exit
// code from port 0xF4, no BIOS, no screen, no disk.
//   node v86-runner.js FOLDER IMAGE COMMAND-LINE      FOLDER: v86's npm package

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What is used here of v86's interface. */
interface V86Emulator {
  add_listener(event: 'serial0-output-byte', listener: (byte: number) => void): void;
  add_listener(event: 'emulator-loaded', listener: () => void): void;
  readonly v86: {
    readonly cpu: {
      readonly io: { register_write(port: number, device: object, write: (value: number) => void): void };
    };
  };
}
interface V86Module {
  readonly V86: new (options: Readonly<Record<string, unknown>>) => V86Emulator;
}

const DEBUG_EXIT = 0xf4;
const LINE_FEED = 10;

const [folder, image, commandLine] = process.argv.slice(2);
const library = (await import(pathToFileURL(join(folder, 'build/libv86.mjs')).href)) as V86Module;
const bytes = readFileSync(image);
const emulator = new library.V86({
  wasm_path: join(folder, 'build/v86.wasm'),
  memory_size: 128 * 2 ** 20,
  vga_memory_size: 2 ** 20,
  autostart: true,
  acpi: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  multiboot: { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
  cmdline: commandLine,
});

let line: number[] = [];
emulator.add_listener('serial0-output-byte', (byte) => {
  line.push(byte);
  if (byte !== LINE_FEED) return;
  process.stdout.write(Uint8Array.from(line));
  line = [];
});
emulator.add_listener('emulator-loaded', () => {
  emulator.v86.cpu.io.register_write(DEBUG_EXIT, {}, (value) => process.exit(value));
});
