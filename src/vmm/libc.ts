// The handful of C library functions that a KVM monitor needs, bound with koffi. koffi is loaded on first use, so
// that a machine without it (or a browser page) can still emulate.

import { createRequire } from 'node:module';
import { TsvmError } from '../vcpu/vcpu.js';

type Koffi = typeof import('koffi');

export const O_RDWR = 0o2;
export const O_CLOEXEC = 0o2000000;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;

export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const E2BIG = 7;
export const EACCES = 13;
export const EPERM = 1;
export const ENXIO = 6;
export const ENODEV = 19;

const CLOCK_MONOTONIC = 1;
/** Deliver the timer's signal to one thread (timer_create(2)). */
const SIGEV_THREAD_ID = 4;
const SYS_GETTID = 186;
/** Real-time signals are free for the application's use; a few above the first, where libraries rarely look. */
const SIGNAL_OFFSET = 7;

/** Every call returns the C result, or the negative errno. */
export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** `arg` is a plain integer or an address (below 2^53). */
  ioctl(fd: number, request: number, arg: number): number;
  /** Maps `length` bytes of a file descriptor, shared and writable. Throws E_KVM_MAP. */
  map(fd: number, length: number): Mapping;
  /** The host address of a buffer's first byte. The buffer must stay referenced while the address is in use. */
  addressOf(buffer: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): number;
  /** A timer whose signal interrupts the calling thread. Throws E_KVM_TIMER. */
  createTimer(): SignalTimer;
}

export interface Mapping {
  readonly buffer: ArrayBuffer;
  /** After this, `buffer` must not be touched again. */
  unmap(): void;
}

/** Interrupts system calls of the thread that created it. The signal itself does nothing. */
export interface SignalTimer {
  /** First signal after `first` nanoseconds, then one each `interval` nanoseconds. */
  arm(first: number, interval: number): void;
  disarm(): void;
  delete(): void;
}

let loaded: Libc | undefined;

/** Binds the C library. Throws E_KOFFI where koffi or the library cannot be loaded. */
export function libc(): Libc {
  loaded ??= bind(loadKoffi());
  return loaded;
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    throw new TsvmError(
      'E_KOFFI',
      `the foreign-function library koffi does not load (${firstLine(error)}): KVM cannot be reached without it. Run npm install for this platform, or use --mode emu.`,
      126,
    );
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
}

function loadLibrary(koffi: Koffi) {
  let last: unknown;
  // glibc's name, then musl's.
  for (const name of ['libc.so.6', 'libc.musl-x86_64.so.1']) {
    try {
      return koffi.load(name);
    } catch (error) {
      last = error;
    }
  }
  throw new TsvmError('E_KOFFI', `no C library could be opened (${firstLine(last)}). Use --mode emu.`, 126);
}

function bind(koffi: Koffi): Libc {
  const lib = loadLibrary(koffi);
  const cOpen = lib.func('int open(const char *path, int flags)');
  const cClose = lib.func('int close(int fd)');
  // ioctl is variadic in C; on Linux its one optional argument is passed like a declared one.
  const cIoctl = lib.func('int ioctl(int fd, ulong request, uint64_t arg)');
  const cMmap = lib.func('void *mmap(uint64_t address, size_t length, int prot, int flags, int fd, int64_t offset)');
  const cMunmap = lib.func('int munmap(void *address, size_t length)');
  const cSignal = lib.func('uint64_t signal(int signum, uint64_t handler)');
  const cSyscall = lib.func('long syscall(long number)');
  const cTimerCreate = lib.func('int timer_create(int clock, uint64_t sevp, uint64_t timerid)');
  const cTimerSettime = lib.func('int timer_settime(uint64_t timer, int flags, uint64_t value, uint64_t old)');
  const cTimerDelete = lib.func('int timer_delete(uint64_t timer)');
  const cSigrtmin = lib.func('int __libc_current_sigrtmin()');

  const result = (value: number): number => (value < 0 ? -koffi.errno() : value);
  const addressOf = (buffer: ArrayBuffer | SharedArrayBuffer | ArrayBufferView) =>
    Number(koffi.address(ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer)));

  let signal = 0;
  /** Installs, once, a handler that does nothing: libc's own abs(), so that no JavaScript runs in signal context. */
  const interruptSignal = (): number => {
    if (signal === 0) {
      const number = (cSigrtmin() as number) + SIGNAL_OFFSET;
      cSignal(number, koffi.address(lib.symbol('abs')));
      signal = number;
    }
    return signal;
  };

  return {
    open: (path, flags) => result(cOpen(path, flags)),
    close: (fd) => result(cClose(fd)),
    ioctl: (fd, request, arg) => result(cIoctl(fd, request, arg)),
    addressOf,
    map(fd, length) {
      const pointer: unknown = cMmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      const address = koffi.address(pointer);
      if (address === 0n || address === 0xffff_ffff_ffff_ffffn || address === -1n) {
        throw new TsvmError('E_KVM_MAP', `mmap of ${length} bytes failed with errno ${koffi.errno()}`);
      }
      return { buffer: koffi.view(pointer, length), unmap: () => cMunmap(pointer, length) };
    },
    createTimer() {
      // struct sigevent: u64 value, int signo, int notify, int thread id; timer_t is 8 bytes in C.
      const scratch = new ArrayBuffer(128);
      const view = new DataView(scratch);
      const at = addressOf(scratch);
      view.setInt32(8, interruptSignal(), true);
      view.setInt32(12, SIGEV_THREAD_ID, true);
      view.setInt32(16, cSyscall(SYS_GETTID), true);
      const failed = result(cTimerCreate(CLOCK_MONOTONIC, at, at + 64));
      if (failed < 0) throw new TsvmError('E_KVM_TIMER', `timer_create failed with errno ${-failed}`);
      const timer = view.getBigUint64(64, true);
      // struct itimerspec: interval {s, ns}, value {s, ns}.
      const spec = new ArrayBuffer(32);
      const specView = new DataView(spec);
      const specAt = addressOf(spec);
      const set = (offset: number, ns: number): void => {
        specView.setBigInt64(offset, BigInt(Math.floor(ns / 1e9)), true);
        specView.setBigInt64(offset + 8, BigInt(Math.floor(ns % 1e9)), true);
      };
      const arm = (first: number, interval: number): void => {
        set(0, interval);
        set(16, first);
        cTimerSettime(timer, 0, specAt, 0);
      };
      // `spec` is captured by its view, so its memory lives as long as the timer.
      return { arm, disarm: () => arm(0, 0), delete: () => cTimerDelete(timer) };
    },
  };
}
