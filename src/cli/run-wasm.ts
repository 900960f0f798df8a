// tsvm run program.wasm: a program for the language-level virtual machine. The module's code is compiled by this
// process's own WebAssembly engine; its system interface, WASI preview 1, is @wasmer/wasi's.

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { basename } from 'node:path';
import type { WASI } from '@wasmer/wasi';
import { TsvmError } from '../vcpu/vcpu.js';
import { readWhole } from './files.js';
import { quote } from './options.js';
import { EXIT_OWN_ERROR, EXIT_SIGNAL } from './report.js';

/** "\0asm" (WebAssembly Core Specification, 5.5.16). */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
/** Far more than any program has; what is larger is something else. Bytes. */
const MODULE_LIMIT = 1 << 30;
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
/** Bytes read from standard input at a time. */
const INPUT_CHUNK = 65536;
/** How long to wait for a descriptor that is not ready, in milliseconds. */
const NOT_READY_MS = 2;

type Imports = Record<string, Record<string, (...args: never[]) => unknown>>;

export interface WasmRequest {
  readonly path: string;
  /** What the program finds after its own name. */
  readonly args: readonly string[];
  /** NAME=VALUE. The host's own environment stays hidden. */
  readonly env: readonly string[];
  /** Options that only a machine can have, as the user wrote them. */
  readonly machineOptions: readonly string[];
}

/** Whether a file begins as a WebAssembly module does. False for what cannot be read: the loaders say why. */
export function isWasm(path: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const head = new Uint8Array(MAGIC.length);
    return readSync(fd, head, 0, head.length, 0) === head.length && MAGIC.every((byte, i) => head[i] === byte);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Throws E_USAGE or E_OPTION_CONFLICT when something is given to a machine that only a program takes. */
export function refuseWasmOptions(image: string | undefined, args: readonly string[], env: readonly string[]): void {
  const name = image === undefined ? 'nothing to run' : quote(image);
  const advice = "is none. A kernel's command line goes to --append.";
  if (args.length > 0) {
    throw new TsvmError('E_USAGE', `the argument ${quote(args[0])} is for WASI modules, and ${name} ${advice}`);
  }
  if (env.length > 0) throw new TsvmError('E_OPTION_CONFLICT', `--env is for WASI modules, and ${name} ${advice}`);
}

/** The program called proc_exit, or cannot go on because its output has no reader. */
class ProgramExit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** A function of the WASI library failed instead of returning an error number. */
class CallFailure extends Error {
  constructor(
    readonly call: string,
    override readonly cause: unknown,
  ) {
    super(call);
  }
}

/** Runs a WASI program; returns its exit code. Throws a TsvmError for what is not one. */
export async function runWasm(request: WasmRequest): Promise<number> {
  const [option] = request.machineOptions;
  if (option !== undefined) {
    throw new TsvmError(
      'E_OPTION_CONFLICT',
      `${option} is for machines, and ${quote(request.path)} is a WebAssembly module: it has no processor or devices of its own. Leave ${option} out.`,
      option === '--mode' ? 126 : EXIT_OWN_ERROR,
    );
  }
  const env = parseEnvironment(request.env);
  const module = compile(request.path);
  checkModule(request.path, module);
  const { init, WASI } = await import('@wasmer/wasi');
  await init();
  const wasi = new WASI({ args: [basename(request.path), ...request.args], env });
  return new Program(request.path, module, wasi).run();
}

function parseEnvironment(pairs: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new TsvmError('E_ENV', `--env ${quote(pair)} is not NAME=VALUE. Give one, such as LANG=C.`);
    env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return env;
}

function compile(path: string): WebAssembly.Module {
  const bytes = readWhole('module', path, MODULE_LIMIT).slice();
  // After the magic number: version 1 of modules. Components have version 13 and layer 1 in its place.
  const version = bytes.length >= 8 ? new DataView(bytes.buffer).getUint32(4, true) : 0;
  if (version >> 16 === 1) {
    throw new TsvmError(
      'E_WASM_COMPONENT',
      `${quote(path)} is a WebAssembly component, and only core modules can be run. Compile for wasm32-wasi (preview 1).`,
    );
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    const reason = error.message.replace(/^WebAssembly\.Module\(\): /, '');
    throw new TsvmError('E_WASM_INVALID', `${quote(path)} is not a valid WebAssembly module: ${reason}.`);
  }
}

const PREVIEW_1 = 'wasi_snapshot_preview1';
/** What preview 1 was called before; a few functions differ. */
const UNSTABLE = 'wasi_unstable';

/** Throws E_WASI_MODULE with what was found instead of a WASI command. */
function checkModule(path: string, module: WebAssembly.Module): void {
  const refuse = (found: string, advice: string): never => {
    throw new TsvmError('E_WASI_MODULE', `${quote(path)} is not a WASI program: it ${found}. ${advice}`);
  };
  const list = (names: readonly string[]): string =>
    `${names.slice(0, 5).map(quote).join(', ')}${names.length > 5 ? `, … (${names.length})` : ''}` || 'nothing';
  const imports = WebAssembly.Module.imports(module);
  const foreign = imports.filter((i) => i.kind !== 'function' || (i.module !== PREVIEW_1 && i.module !== UNSTABLE));
  if (foreign.length > 0) {
    const names = foreign.map((i) => `${i.module}.${i.name}`);
    refuse(`imports ${list(names)}`, `Accepted is a module that imports functions of ${PREVIEW_1} only.`);
  }
  const exports = WebAssembly.Module.exports(module);
  const has = (name: string, kind: string) => exports.some((e) => e.name === name && e.kind === kind);
  if (!has('_start', 'function')) {
    const found = has('_initialize', 'function')
      ? 'is a reactor (a library with _initialize)'
      : `exports ${list(exports.map((e) => e.name))} and no function _start`;
    refuse(found, 'Link it as a command.');
  }
  if (!has('memory', 'memory')) refuse('exports no memory', 'WASI functions need it to be exported as "memory".');
}

/** One run of one module, with this process's standard streams. */
class Program {
  private readonly instance: WebAssembly.Instance;
  /** Bytes of standard input that the library has and the program has not read. */
  private waiting = 0;
  private inputEnded = false;
  private readonly input = new Uint8Array(INPUT_CHUNK);

  constructor(
    private readonly path: string,
    module: WebAssembly.Module,
    private readonly wasi: WASI,
  ) {
    const imports = WebAssembly.Module.imports(module).length === 0 ? {} : (wasi.getImports(module) as Imports);
    const known: Imports = {};
    for (const { module: space, name } of WebAssembly.Module.imports(module)) {
      const call = imports[space]?.[name];
      if (!call) {
        throw new TsvmError(
          'E_WASI_MODULE',
          `${quote(path)} imports ${quote(`${space}.${name}`)}, which is no function of WASI.`,
        );
      }
      known[space] ??= {};
      known[space][name] = this.wrap(name, call as (...args: unknown[]) => unknown);
    }
    try {
      this.instance = new WebAssembly.Instance(module, known);
    } catch (error) {
      throw this.describe(error);
    }
    if (Object.keys(known).length > 0) wasi.instantiate(this.instance);
  }

  /**
   * The library keeps what is written in a buffer until it is asked for it, and standard input is a buffer too: so
   * that a program can talk to its user, both are looked after at every call that touches them.
   */
  private wrap(name: string, call: (...args: unknown[]) => unknown): (...args: never[]) => unknown {
    const guarded = (...args: unknown[]): unknown => {
      try {
        return call(...args);
      } catch (error) {
        throw new CallFailure(name, error);
      }
    };
    switch (name) {
      case 'proc_exit':
        return (code: number) => {
          throw new ProgramExit(code >>> 0);
        };
      case 'fd_write':
        return (...args: unknown[]) => {
          const result = guarded(...args);
          if (args[0] !== STDERR) writeAll(STDOUT, this.wasi.getStdoutBuffer());
          if (args[0] !== STDOUT) writeAll(STDERR, this.wasi.getStderrBuffer());
          return result;
        };
      case 'fd_read':
        return (fd: number, vectors: number, count: number, read: number) => {
          if (fd !== STDIN) return guarded(fd, vectors, count, read);
          this.fetchInput();
          const result = guarded(fd, vectors, count, read);
          if (result === 0) this.waiting -= this.memory.getUint32(read >>> 0, true);
          return result;
        };
      default:
        return guarded;
    }
  }

  private get memory(): DataView {
    return new DataView((this.instance.exports['memory'] as WebAssembly.Memory).buffer);
  }

  /** Waits for standard input when the library has none left. */
  private fetchInput(): void {
    if (this.waiting > 0 || this.inputEnded) return;
    const length = readSome(STDIN, this.input);
    if (length === 0) {
      this.inputEnded = true;
    } else {
      this.wasi.setStdinBuffer(this.input.subarray(0, length));
      this.waiting = length;
    }
  }

  run(): number {
    try {
      (this.instance.exports['_start'] as () => void)();
      return 0;
    } catch (error) {
      if (error instanceof ProgramExit) return error.code;
      throw this.describe(error);
    }
  }

  private describe(error: unknown): unknown {
    if (error instanceof CallFailure && !(error.cause instanceof RangeError)) {
      return new TsvmError(
        'E_WASI_CALL',
        `${quote(this.path)} was stopped: the WASI library failed in ${error.call} and cannot go on.`,
      );
    }
    const trap = error instanceof CallFailure ? error.cause : error;
    if (!isTrap(trap)) return error;
    const frame = /wasm-function\[(\d+)\]:(0x[0-9a-f]+)/.exec(trap.stack ?? '');
    const where = frame ? ` in function ${frame[1]} at offset ${frame[2]} of the module` : '';
    const what = trap instanceof RangeError ? 'call stack exhausted' : trap.message;
    return new TsvmError('E_WASM_TRAP', `${quote(this.path)} trapped: ${what}${where}.`);
  }
}

/** V8 reports a full stack as a RangeError, every other trap as a RuntimeError. */
const isTrap = (error: unknown): error is Error =>
  error instanceof RangeError || error instanceof WebAssembly.RuntimeError;

const pauseCell = new Int32Array(new SharedArrayBuffer(4));

/** Whether to try again: a descriptor that is shared with a non-blocking user may not be ready. */
function notReady(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EINTR'))) return false;
  Atomics.wait(pauseCell, 0, 0, NOT_READY_MS);
  return true;
}

/** At least one byte, or 0 at the end. A descriptor that cannot be read is at its end. */
function readSome(fd: number, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      if (!notReady(error)) return 0;
    }
  }
}

/** Writes all of it before it returns. A reader that went away ends the program as SIGPIPE would. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if (notReady(error)) continue;
      if (error instanceof Error && 'code' in error && error.code === 'EPIPE') {
        throw new ProgramExit(EXIT_SIGNAL + osConstants.signals.SIGPIPE);
      }
      throw error;
    }
  }
}
