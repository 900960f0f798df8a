// The emulators' cores: WebAssembly, and beside it the machine code that V8 made of it when tsvm was built.
//
// V8 compiles a function when it is called first, badly at first, and better in the background while it is used: a start
// would spend some tens of milliseconds on that, and execute slow code for as long. WebAssembly's interface has no way
// to keep machine code; V8's own functions for it are for its tests. What they make is only valid for the V8 that made it,
// with the same flags, on a processor with the same features, all of which V8 checks. Without such a file, or when V8
// does not take it, the core is compiled as usual.

import { existsSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { ROOT, readOwn } from './files.js';

/** Path of the kept machine code of the core at `path`, for the Node that is running. */
export function machineCodePath(path: string): string {
  return path.replace(/\.wasm$/, `.${process.version}-${process.arch}.code`);
}

/** Executes V8's function `name`; undefined if this V8 has none. Flags are as before afterwards. */
function native(name: string, ...args: unknown[]): unknown {
  setFlagsFromString('--allow-natives-syntax');
  try {
    const parameters = args.map((_, i) => `a${i}`).join();
    return new Function(parameters, `return %${name}(${parameters})`)(...args);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

// A file of machine code: u32 length of the WebAssembly, which must be that of the core, the WebAssembly, machine code.
const LENGTH_BYTES = 4;

/** The contents of such a file for `wasm`. Ends the process if V8 cannot do it: to be called by one of its own. */
export function makeMachineCode(wasm: Uint8Array): Uint8Array {
  // All of it, by the better compiler, and without the checks of the stack that it does not need (backends.ts).
  const flags = ['liftoff', 'wasm-lazy-compilation', 'wasm-dynamic-tiering', 'wasm-stack-checks'];
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  const module = new WebAssembly.Module(wasm as BufferSource);
  // V8 compares flags when it reads the code.
  for (const flag of flags) setFlagsFromString(`--${flag}`);
  const code = native('SerializeWasmModule', module);
  if (!(code instanceof ArrayBuffer)) throw new Error('this V8 does not give machine code away');
  const file = new Uint8Array(LENGTH_BYTES + wasm.length + code.byteLength);
  new DataView(file.buffer).setUint32(0, wasm.length, true);
  file.set(wasm, LENGTH_BYTES);
  file.set(new Uint8Array(code), LENGTH_BYTES + wasm.length);
  return file;
}

/** The module of `file`, undefined if that is not for `wasm` or not for this V8. */
export function takeMachineCode(file: Buffer, wasm: Uint8Array): WebAssembly.Module | undefined {
  const end = LENGTH_BYTES + wasm.length;
  if (file.length <= end || file.readUInt32LE(0) !== wasm.length) return undefined;
  if (file.compare(wasm, 0, wasm.length, LENGTH_BYTES, end) !== 0) return undefined;
  const code = new Uint8Array(file.subarray(end)).buffer;
  const module = native('DeserializeWasmModule', code, wasm);
  return module instanceof WebAssembly.Module ? module : undefined;
}

/** The core at `path` inside the package. To be called before V8's flags are changed for the guest. */
export function loadCore(path: string): WebAssembly.Module {
  const wasm = readOwn(path);
  const kept = new URL(machineCodePath(path), ROOT);
  return (existsSync(kept) && takeMachineCode(readFileSync(kept), wasm)) || new WebAssembly.Module(wasm);
}
