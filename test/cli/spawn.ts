// Runs the real command, as a user would.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** dist/test/cli/ is three levels below the package. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Far beyond what any of these runs needs: a hang becomes a failed test instead of a hung suite. */
const PATIENCE_MS = 60_000;

export interface Result {
  /** null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnOptions {
  /** Standard input; empty when absent, never closed when null. */
  readonly stdin?: string | Uint8Array | null;
  /** Called with all of standard output so far, whenever there is more. */
  readonly onOutput?: (child: ChildProcess, text: string) => void;
}

export function tsvm(args: readonly string[], options: SpawnOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/tsvm.cjs'), ...args], { cwd: ROOT });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(child, stdout);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => undefined);
    if (options.stdin !== null) child.stdin.end(options.stdin ?? '');
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), 'tsvm-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export function scratch(name: string, content?: Uint8Array | string): string {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

/** Real-mode machine code for `--load-address 0x7c00`. */
export const PROGRAMS = {
  /** For every port but F4h: mov al, dl; out dx, al; in al, dx; in ax, dx. Then exits with code 42. */
  everyPort: Uint8Array.from([
    // xor dx, dx; next: cmp dx, 0F4h; je skip; mov al, dl; out dx, al; in al, dx; nop; in ax, dx; skip: inc dx; jnz next
    0x31,
    0xd2, 0x81, 0xfa, 0xf4, 0x00, 0x74, 0x06, 0x88, 0xd0, 0xee, 0xec, 0x90, 0xed, 0x42, 0x75, 0xf1,
    // mov al, 42; out F4h, al
    0xb0, 0x2a, 0xe6, 0xf4,
  ]),
  /** Echoes COM1; after 'q' exits with code 3. */
  echo: Uint8Array.from([
    // wait: mov dx, 3FDh; in al, dx; test al, 1; jz wait
    0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8,
    // mov dx, 3F8h; in al, dx; out dx, al; cmp al, 'q'; jne wait
    0xba, 0xf8, 0x03, 0xec, 0xee, 0x3c, 0x71, 0x75, 0xef,
    // mov al, 3; out F4h, al; hlt
    0xb0, 0x03, 0xe6, 0xf4, 0xf4,
  ]),
  /** mov dx, 3F8h; mov al, '.'; out dx, al; jmp $ */
  spin: Uint8Array.of(0xba, 0xf8, 0x03, 0xb0, 0x2e, 0xee, 0xeb, 0xfe),
  /** mov dx, 3F8h; mov al, 'y'; again: out dx, al; jmp again */
  flood: Uint8Array.of(0xba, 0xf8, 0x03, 0xb0, 0x79, 0xee, 0xeb, 0xfd),
  /** cli; hlt */
  halt: Uint8Array.of(0xfa, 0xf4),
  /** lidt with limit 0; int3: neither #BP nor #GP nor #DF can be delivered. */
  tripleFault: Uint8Array.of(0x0f, 0x01, 0x1e, 0x08, 0x7c, 0xcc, 0xf4, 0x90, 0, 0, 0, 0, 0, 0),
  /** mov dx, 2F9h; mov al, 5Ah; out dx, al; mov al, 0; out F4h, al */
  unclaimed: Uint8Array.of(0xba, 0xf9, 0x02, 0xb0, 0x5a, 0xee, 0xb0, 0x00, 0xe6, 0xf4),
  /** mov al, FEh; out 64h, al; jmp $ */
  reset: Uint8Array.of(0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe),
} as const;

/** Arguments that run one of PROGRAMS under the emulator. */
export function program(name: keyof typeof PROGRAMS): string[] {
  return ['run', scratch(`${name}.bin`, PROGRAMS[name]), '--mode', 'emu', '--load-address', '0x7c00'];
}
