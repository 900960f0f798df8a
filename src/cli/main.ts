// The tsvm command: verbs, their options, and what becomes of errors.

import { Command, CommanderError } from 'commander';
import { addBenchCommand } from './bench.js';
import { addLevelsCommand } from './bench-levels.js';
import type { ExplainFlags } from './explain.js';
import { version } from './files.js';
import { describeError, EXIT_OWN_ERROR } from './report.js';
import type { RunFlags } from './run-plan.js';

const EXAMPLES = `Examples:
  tsvm run guests/hello.img                     run a guest: under KVM where possible, else emulated
  tsvm run guests/hello.img --mode emu          the same guest, every instruction emulated
  tsvm run -k vmlinuz -i initrd.img -a "console=ttyS0" -m 512M
  tsvm run freedos.img --snapshot               boot a disk image, throw its changes away
  tsvm run guests/rings.img --stats run.json    write exit counts and speed to a file
  tsvm explain guests/longmode.img              where a guest spends its time, and what its code becomes
  tsvm bench overhead --export-html report.html what virtual machines cost, measured here
  tsvm doctor                                   what this host can do
`;

const RUN_EXAMPLES = `Examples:
  tsvm run guests/hello.img
  tsvm run kernel.elf --mode emu --max-instructions 10M
  tsvm run -k vmlinuz -i initrd.img -a "console=ttyS0" -m 512M
  tsvm run -k Image -i initrd.img -a "console=ttyAMA0" -d disk.img     AArch64, a virtio disk
  tsvm run disk.img -d file=data.img,format=raw,ro --snapshot
  tsvm run code.bin --load-address 0x7c00 --strict-io
  tsvm run program.wasm --env LANG=C -- -v input   a WASI module and its arguments

On a terminal, Ctrl-a x quits and Ctrl-a h shows the other keys.
`;

const EXPLAIN_EXAMPLES = `Examples:
  tsvm explain guests/longmode.img                          the blocks that execute most instructions
  tsvm explain guests/longmode.img --block 0x100123         one of them: code, IR, WebAssembly
  tsvm explain guests/longmode.img --block 0x100123 --jit off    without waiting for it to be compiled

The guest runs on the emulator, without a console, and what it writes to disks is thrown away.
`;

const RUN_EXIT_CODES = `
Exit codes:
  what the guest wrote to port 0xF4, 0 when it powered off
  124 stopped by --max-instructions   125 tsvm's own error, or the guest crashed
  126 guest cannot run in this mode   127 file not found   128+n ended by signal n
`;

const collect = (value: string, previous: string[] | undefined): string[] => [...(previous ?? []), value];

interface WasmFlags {
  readonly env?: string[];
}

/** The options that were given, other than those that a WASI module takes too. */
const machineOptions = (command: Command): string[] =>
  command.options
    .filter((o) => command.getOptionValueSource(o.attributeName()) === 'cli' && o.attributeName() !== 'env')
    .map((o) => o.long ?? o.flags);

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
    .argument(
      '[image]',
      'kernel (bzImage, AArch64 Image, multiboot, ELF), boot sector or disk image, flat binary, WASI module',
    )
    .argument('[args...]', 'arguments of a WASI module; after -- where they begin with a dash')
    .option('--env <name=value>', 'environment variable of a WASI module; may be repeated', collect)
    .option('--mode <mode>', 'virt (KVM), emu (emulator) or auto', 'auto')
    .option('-M, --machine <board>', 'pc (x86) or virt[,gic=3][,virtualization=on] (AArch64); default: by the image')
    .option('--smp <n>', 'processors: 1')
    .option('-m, --memory <size>', 'guest RAM, such as 512M or 1G (default: 128M)')
    .option('-k, --kernel <file>', 'kernel to start, instead of an image')
    .option('-i, --initrd <file>', 'initrd or boot module; may be repeated', collect)
    .option('-a, --append <text>', 'kernel command line')
    .option('-d, --disk <disk>', 'disk: FILE or file=FILE,format=raw,if=virtio,ro; may be repeated', collect)
    .option('--net <net>', 'none, or user: a network card and a gateway that answers DHCP and ping')
    .option('--console <console>', 'serial, or virtio: which of them gets standard input')
    .option('--bios <file>', 'BIOS ROM to boot disks with (default: the one of tsvm)')
    .option('--cpu <model>', 'CPU model: max, x86-64-v1, i386', 'max')
    .option('--load-address <address>', 'the image is a flat binary: load and start it there')
    .option('--clock <clock>', 'wall, or instructions: deterministic time, emu only', 'wall')
    .option(
      '--jit <jit>',
      'off, on, threshold=N or threshold=N,baseline=M: compile code after N executions, emu only',
      'on',
    )
    .option('--max-instructions <n>', 'end the run after n guest instructions, emu only')
    .option('--strict-io', 'end the run when the guest accesses a device that is not there')
    .option('--snapshot', 'throw away what the guest writes to disks')
    .option('--no-reboot', 'end the run when the guest resets the machine')
    .option('--stats <file>', 'write statistics of the run as JSON (-: to standard error)')
    .addHelpText('before', RUN_EXAMPLES)
    .addHelpText('after', RUN_EXIT_CODES)
    .action(async (image: string | undefined, args: string[], flags: RunFlags & WasmFlags, command: Command) => {
      const { isWasm, refuseWasmOptions, runWasm } = await import('./run-wasm.js');
      if (image !== undefined && isWasm(image)) {
        setExitCode(
          await runWasm({ path: image, args, env: flags.env ?? [], machineOptions: machineOptions(command) }),
        );
        return;
      }
      refuseWasmOptions(image, args, flags.env ?? []);
      const { runCommand } = await import('./run.js');
      setExitCode(await runCommand(image, flags));
    });

  program
    .command('explain')
    .description('show what becomes of guest code: IR and WebAssembly')
    .argument('[image]', 'as for run')
    .option('--block <address>', 'linear address of an instruction (hexadecimal); without it, a list of hot blocks')
    .option('--top <n>', 'length of that list', '20')
    .option('-m, --memory <size>', 'guest RAM (default: 128M)')
    .option('-k, --kernel <file>', 'kernel to start, instead of an image')
    .option('-i, --initrd <file>', 'initrd or boot module; may be repeated', collect)
    .option('-a, --append <text>', 'kernel command line')
    .option('-d, --disk <disk>', 'disk: FILE or file=FILE,format=raw,if=virtio,ro; may be repeated', collect)
    .option('--bios <file>', 'BIOS ROM to boot disks with (default: the one of tsvm)')
    .option('--cpu <model>', 'CPU model: max, x86-64-v1, i386', 'max')
    .option('--load-address <address>', 'the image is a flat binary: load and start it there')
    .option('--clock <clock>', 'instructions: deterministic time, or wall', 'instructions')
    .option('--jit <jit>', 'off, on, threshold=N or threshold=N,baseline=M (default: on with --block, else off)')
    .option('--max-instructions <n>', 'stop after n guest instructions', '100M')
    .option('--no-reboot', 'stop when the guest resets the machine')
    .option('--json', 'as JSON', false)
    .addHelpText('before', EXPLAIN_EXAMPLES)
    .action(async (image: string | undefined, flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.js');
      setExitCode(await explainCommand(image, flags));
    });

  program
    .command('doctor')
    .description('tell what this host offers: KVM, its back end, Node')
    .option('--json', 'as JSON', false)
    .action(async (flags: { json: boolean }) => {
      const { doctorCommand } = await import('./doctor.js');
      setExitCode(await doctorCommand(flags.json));
    });
  addLevelsCommand(addBenchCommand(program, setExitCode), setExitCode);
  return program;
}

/** Executes the command line of the process; returns its exit code. */
export async function main(): Promise<number> {
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
