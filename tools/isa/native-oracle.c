// Runs instruction cases on this machine's CPU in a plain Linux process, in compatibility mode (32-bit and 16-bit code)
// or in 64-bit mode. Built and used only to record expectations: native-oracle.ts writes the input and reads the output.
//
// Everything happens inside one signal handler. It stores into the interrupted context what the next case starts from,
// code segment included, and returns: the kernel's sigreturn then loads all registers at once. The case ends in an
// exception, INT3 at the latest, whose signal brings the registers back here.
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct start {
  uint64_t gpr[16], rip, rflags, fs_base, gs_base;
  uint32_t cs, ds, es, ss;
  uint32_t linear, code_size;
  uint8_t code[16];
  uint32_t windows, long_mode;
  uint8_t fxsave[416];
};
struct window {
  uint32_t at, size;
};
struct result {
  uint64_t gpr[16], rip, rflags, cr2, fs_base, gs_base;
  uint32_t vector, error;
  uint8_t fxsave[416];
};

// The kernel's order of registers in the order of their encoding.
static const int ORDER[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
enum { FILL = 0xcc, XSTATE_BV = 512, FLAGS_NOT_RESTORED = 0x244000 };

static const uint8_t *input;
static uint8_t *output, *output_start;
static const struct start *current;
static uint32_t left;
static const char *output_path;

static void copy(void *to, const void *from, size_t size) {
  uint8_t *t = to;
  const uint8_t *f = from;
  while (size--) *t++ = *f++;
}

static void finish(void) {
  int fd = open(output_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  size_t size = output - output_start;
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, output_start + done, size - done);
    if (n <= 0) _exit(2);
    done += n;
  }
  _exit(0);
}

static void store_result(ucontext_t *context, uint64_t fs_base, uint64_t gs_base) {
  const greg_t *g = context->uc_mcontext.gregs;
  struct result *r = (struct result *)output;
  for (int i = 0; i < 16; i++) r->gpr[i] = g[ORDER[i]];
  r->rip = g[REG_RIP];
  r->rflags = g[REG_EFL];
  r->cr2 = g[REG_CR2];
  r->fs_base = fs_base;
  r->gs_base = gs_base;
  r->vector = g[REG_TRAPNO];
  r->error = g[REG_ERR];
  copy(r->fxsave, context->uc_mcontext.fpregs, sizeof r->fxsave);
  output += sizeof *r;
  const uint8_t *w = (const uint8_t *)(current + 1);
  for (uint32_t i = 0; i < current->windows; i++) {
    const struct window *window = (const struct window *)w;
    copy(output, (void *)(uintptr_t)window->at, window->size);
    output += window->size;
    memset((void *)(uintptr_t)window->at, 0, window->size);
    w += sizeof *window + window->size;
  }
  memset((void *)(uintptr_t)current->linear, FILL, current->code_size);
}

static void load_next(ucontext_t *context) {
  greg_t *g = context->uc_mcontext.gregs;
  current = (const struct start *)input;
  for (int i = 0; i < 16; i++) g[ORDER[i]] = current->gpr[i];
  g[REG_RIP] = current->rip;
  g[REG_EFL] = current->rflags;
  g[REG_CSGSFS] = current->cs | (uint64_t)current->ss << 48;
  uint8_t *fp = (uint8_t *)context->uc_mcontext.fpregs;
  copy(fp, current->fxsave, sizeof current->fxsave);
  *(uint64_t *)(fp + XSTATE_BV) |= 3;
  copy((void *)(uintptr_t)current->linear, current->code, current->code_size);
  input += sizeof *current;
  for (uint32_t i = 0; i < current->windows; i++) {
    const struct window *window = (const struct window *)input;
    copy((void *)(uintptr_t)window->at, window + 1, window->size);
    input += sizeof *window + window->size;
  }
}

static void on_signal(int number, siginfo_t *info, void *context) {
  uint64_t fs_base = 0, gs_base = 0;
  static uint64_t own_fs_base;
  static uint32_t was_long;
  (void)info;
  if (was_long) {
    __asm__ volatile("rdfsbase %0; rdgsbase %1; wrfsbase %2" : "=&r"(fs_base), "=&r"(gs_base) : "r"(own_fs_base));
  }
  // ID and NT are not loaded by sigreturn: they stay what they are here.
  __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~FLAGS_NOT_RESTORED) : "memory", "cc");
  if (number == SIGUSR1) __asm__ volatile("rdfsbase %0" : "=r"(own_fs_base));
  else store_result(context, fs_base, gs_base);
  if (left-- == 0) finish();
  load_next(context);
  was_long = current->long_mode;
  if (was_long) __asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(current->fs_base), "r"(current->gs_base));
  else __asm__ volatile("movw %w0, %%ds; movw %w1, %%es" : : "r"(current->ds), "r"(current->es));
}

static uint32_t next32(void) {
  uint32_t v = *(const uint32_t *)input;
  input += 4;
  return v;
}

static void fail(const char *what) {
  perror(what);
  exit(2);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  output_path = argv[2];
  int fd = open(argv[1], O_RDONLY);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) fail(argv[1]);
  input = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  output = output_start = mmap(0, 2 * st.st_size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (input == MAP_FAILED || output == MAP_FAILED) fail("mmap");

  for (uint32_t n = next32(), i = 0; i < n; i++) {
    struct user_desc d = {.entry_number = i, .useable = 1};
    d.base_addr = next32();
    d.limit = next32();
    d.contents = next32() ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA;
    d.seg_32bit = next32();
    if (syscall(SYS_modify_ldt, 1, &d, sizeof d) < 0) fail("modify_ldt");
  }
  for (uint32_t n = next32(); n > 0; n--) {
    void *at = (void *)(uintptr_t)next32();
    uint32_t size = next32(), writable = next32(), code = next32();
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE;
    if (mmap(at, size, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) != at) fail("mmap of guest memory");
    memset(at, code ? FILL : 0, size);
    if (!writable && mprotect(at, size, PROT_READ | PROT_EXEC) < 0) fail("mprotect");
  }
  left = next32();

  stack_t stack = {.ss_size = 1 << 18};
  stack.ss_sp = mmap(0, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  static const int SIGNALS[] = {SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
  for (unsigned i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) sigaction(SIGNALS[i], &action, 0);
  raise(SIGUSR1);
  return 2;
}
