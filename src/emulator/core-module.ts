// The core as a module of WebAssembly.

/**
 * V8 compiles the core's functions when they are called first, so this takes milliseconds. It does not wait for a promise:
 * while Node waits for one of V8 and nothing else, it stands still until all of V8's compile threads are done.
 */
export function coreModule(wasm: BufferSource | WebAssembly.Module): WebAssembly.Module {
  return wasm instanceof WebAssembly.Module ? wasm : new WebAssembly.Module(wasm);
}
