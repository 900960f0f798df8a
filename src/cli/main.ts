// The tsvm command: verbs, their options, and what becomes of errors.

import { Command, CommanderError } from 'commander';
import { version } from './files.js';
import { describeError, EXIT_OWN_ERROR } from './report.js';
import type { RunFlags } from './run-plan.js';

const EXAMPLES = `Examples:
  tsvm run guests/hello.img                     run a guest: under KVM where possible, else emulated
  tsvm run guests/hello.img --mode emu          the same guest, every instruction emulated
  tsvm run -k vmlinuz -i initrd.img -a "console=ttyS0" -m 512M
  tsvm run freedos.img --snapshot               boot a disk image, throw its changes away
  tsvm run guests/rings.img --stats run.json    write exit counts and speed to a file
  tsvm doctor                                   what this host can do
`;

const RUN_EXAMPLES = `Examples:
  tsvm run guests/hello.img
  tsvm run kernel.elf --mode emu --max-instructions 10M
  tsvm run -k vmlinuz -i initrd.img -a "console=ttyS0" -m 512M
  tsvm run disk.img -d file=data.img,format=raw,ro --snapshot
  tsvm run code.bin --load-address 0x7c00 --strict-io

On a terminal, Ctrl-a x quits and Ctrl-a h shows the other keys.
`;

const RUN_EXIT_CODES = `
Exit codes:
  what the guest wrote to port 0xF4, 0 when it powered off
  124 stopped by --max-instructions   125 tsvm's own error, or the guest crashed
  126 guest cannot run in this mode   127 file not found   128+n ended by signal n
`;

const collect = (value: string, previous: string[] | undefined): string[] => [...(previous ?? []), value];

function buildProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('tsvm')
    .description('Runs one guest image in two ways, under KVM or emulated, and shows the difference.')
    .version(version(), '-V, --version')
    .addHelpText('before', EXAMPLES)
    .configureOutput({
      outputError: (text, write) => write(`E_USAGE: ${text.replace(/^error: /, '').trimEnd()}. See tsvm --help.\n`),
    })
    .exitOverride();

  program
    .command('run')
    .description('run a guest image until it ends')
    .argument('[image]', 'kernel (bzImage, multiboot, ELF), boot sector or raw disk image, flat binary')
    .option('--mode <mode>', 'virt (KVM), emu (emulator) or auto', 'auto')
    .option('-m, --memory <size>', 'guest RAM, such as 512M or 1G (default: 128M)')
    .option('-k, --kernel <file>', 'kernel to start, instead of an image')
    .option('-i, --initrd <file>', 'initrd or boot module; may be repeated', collect)
    .option('-a, --append <text>', 'kernel command line')
    .option('-d, --disk <disk>', 'disk: FILE or file=FILE,format=raw,ro; may be repeated', collect)
    .option('--bios <file>', 'BIOS ROM to boot disks with (default: the one of tsvm)')
    .option('--cpu <model>', 'CPU model: max, x86-64-v1, i386', 'max')
    .option('--load-address <address>', 'the image is a flat binary: load and start it there')
    .option('--clock <clock>', 'wall, or instructions: deterministic time, emu only', 'wall')
    .option('--jit <jit>', 'off, on, or threshold=N: compile code after N executions, emu only', 'off')
    .option('--max-instructions <n>', 'end the run after n guest instructions, emu only')
    .option('--strict-io', 'end the run when the guest accesses a device that is not there')
    .option('--snapshot', 'throw away what the guest writes to disks')
    .option('--no-reboot', 'end the run when the guest resets the machine')
    .option('--stats <file>', 'write statistics of the run as JSON')
    .addHelpText('before', RUN_EXAMPLES)
    .addHelpText('after', RUN_EXIT_CODES)
    .action(async (image: string | undefined, flags: RunFlags) => {
      const { runCommand } = await import('./run.js');
      setExitCode(await runCommand(image, flags));
    });

  program
    .command('doctor')
    .description('tell what this host offers: KVM, its back end, Node')
    .option('--json', 'as JSON', false)
    .action(async (flags: { json: boolean }) => {
      const { doctorCommand } = await import('./doctor.js');
      setExitCode(await doctorCommand(flags.json));
    });
  return program;
}

async function main(): Promise<number> {
  let exitCode = 0;
  try {
    const program = buildProgram((code) => {
      exitCode = code;
    });
    await program.parseAsync();
  } catch (error) {
    // commander has printed its message; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_OWN_ERROR;
    const described = describeError(error);
    process.stderr.write(`${described.message}\n`);
    return described.exitCode;
  }
  return exitCode;
}

// A closed standard error must not turn into a crash.
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => {
  const described = describeError(error);
  process.stderr.write(`${described.message}\n`);
  process.exit(described.exitCode);
});
// Standard input may still be open: nothing but this ends the process.
process.exit(await main());
