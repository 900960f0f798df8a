// Runs A64 cases in a Linux process, under qemu-aarch64 or on an Arm host. Built and used only to record expectations:
// qemu-oracle.ts writes the input and reads the output. No C library, so that TPIDR_EL0 belongs to the cases.
//
// Everything happens inside one signal handler. It stores into the interrupted context what the next case starts from
// and returns: sigreturn then loads all registers at once. The case ends in an exception, BRK at the latest, whose
// signal brings the registers back here.
#include <asm/sigcontext.h>
#include <asm/unistd.h>
#include <stdint.h>

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_USR1 = 10, SIG_SEGV = 11, CODE_WORDS = 16 };
enum { ACTION_SIGINFO = 4, ACTION_ONSTACK = 0x08000000, ACTION_NODEFER = 0x40000000 };
static const uint32_t FILL = 0xd4200000;

struct start {
  uint64_t x[31], sp, pc, tpidr;
  uint32_t nzcv, fpcr, fpsr, words;
  uint64_t v[64];
  uint32_t code[CODE_WORDS];
  uint32_t windows, padding;
};
struct window {
  uint32_t at, size, data, padding;
};
struct result {
  uint64_t x[31], sp, pc, tpidr, far;
  uint32_t nzcv, fpcr, fpsr, signal, code, padding;
  uint64_t v[64];
};
struct context {
  uint64_t flags, link, stack[3], mask[16];
  struct sigcontext machine __attribute__((aligned(16)));
};
struct information {
  int signal, error, code, padding;
  uint64_t address;
};
struct action {
  void *handler;
  uint64_t flags;
  void *restorer;
  uint64_t mask;
};

static const uint8_t *input;
static uint8_t *output, *output_start;
static const struct start *current;
static uint32_t left;
static const char *output_path;

static long system_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e, x5 __asm__("x5") = f, x8 __asm__("x8") = number;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory");
  return x0;
}

static void leave(int code) {
  for (;;) system_call(__NR_exit_group, code, 0, 0, 0, 0, 0);
}

static void copy(void *to, const void *from, uint64_t size) {
  uint8_t *t = to;
  const uint8_t *f = from;
  while (size--) *t++ = *f++;
}

static void background(uint32_t at, uint32_t size) {
  for (uint32_t a = at; a < at + size; a++) *(volatile uint8_t *)(uintptr_t)a = (a * 0x9E3779B1u) >> 24;
}

static void fill(uint32_t at, uint32_t size) {
  for (uint32_t a = at; a < at + size; a++) *(volatile uint8_t *)(uintptr_t)a = FILL >> (8 * (a & 3));
}

static void finish(void) {
  enum { AT_FDCWD_ = -100, CREATE_TRUNCATE_WRITE = 01101 };
  long fd = system_call(__NR_openat, AT_FDCWD_, (long)output_path, CREATE_TRUNCATE_WRITE, 0600, 0, 0);
  long size = output - output_start;
  for (long done = 0; done < size;) {
    long n = system_call(__NR_write, fd, (long)(output_start + done), size - done, 0, 0, 0);
    if (n <= 0) leave(2);
    done += n;
  }
  leave(0);
}

static struct fpsimd_context *vectors(struct sigcontext *machine) {
  struct _aarch64_ctx *head = (struct _aarch64_ctx *)machine->__reserved;
  while (head->magic != FPSIMD_MAGIC) {
    if (head->magic == 0) leave(3);
    head = (struct _aarch64_ctx *)((uint8_t *)head + head->size);
  }
  return (struct fpsimd_context *)head;
}

static void store_result(const struct information *information, struct sigcontext *machine, uint64_t tpidr) {
  struct result *r = (struct result *)output;
  const struct fpsimd_context *fp = vectors(machine);
  copy(r->x, machine->regs, sizeof r->x);
  r->sp = machine->sp;
  r->pc = machine->pc;
  r->tpidr = tpidr;
  r->far = information->address;
  r->nzcv = machine->pstate & 0xF0000000;
  r->fpcr = fp->fpcr;
  r->fpsr = fp->fpsr;
  r->signal = information->signal;
  r->code = information->code;
  copy(r->v, fp->vregs, sizeof r->v);
  output += sizeof *r;
  const struct window *w = (const struct window *)(current + 1);
  for (uint32_t i = 0; i < current->windows; i++) {
    copy(output, (void *)(uintptr_t)w->at, w->size);
    output += w->size;
    if (w->data) background(w->at, w->size);
    else fill(w->at, w->size);
    w = (const struct window *)((const uint8_t *)(w + 1) + w->size);
  }
  fill(current->pc, 4 * current->words);
}

static void load_next(struct sigcontext *machine) {
  current = (const struct start *)input;
  struct fpsimd_context *fp = vectors(machine);
  copy(machine->regs, current->x, sizeof current->x);
  machine->sp = current->sp;
  machine->pc = current->pc;
  machine->pstate = current->nzcv;
  fp->fpcr = current->fpcr;
  fp->fpsr = current->fpsr;
  copy(fp->vregs, current->v, sizeof current->v);
  const struct window *w = (const struct window *)(current + 1);
  for (uint32_t i = 0; i < current->windows; i++) {
    copy((void *)(uintptr_t)w->at, w + 1, w->size);
    w = (const struct window *)((const uint8_t *)(w + 1) + w->size);
  }
  input = (const uint8_t *)w;
  copy((void *)(uintptr_t)current->pc, current->code, 4 * current->words);
  __builtin___clear_cache((char *)(uintptr_t)current->pc, (char *)(uintptr_t)current->pc + 4 * current->words);
}

void __clear_cache(void *from, void *to) {
  for (uintptr_t a = (uintptr_t)from & ~15ull; a < (uintptr_t)to; a += 16) __asm__ volatile("dc cvau, %0" ::"r"(a));
  __asm__ volatile("dsb ish");
  for (uintptr_t a = (uintptr_t)from & ~15ull; a < (uintptr_t)to; a += 16) __asm__ volatile("ic ivau, %0" ::"r"(a));
  __asm__ volatile("dsb ish; isb");
}

static void on_signal(int number, const struct information *information, struct context *context) {
  uint64_t tpidr;
  __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tpidr));
  if (number != SIG_USR1) store_result(information, &context->machine, tpidr);
  if (left-- == 0) finish();
  load_next(&context->machine);
  __asm__ volatile("msr tpidr_el0, %0" ::"r"(current->tpidr));
}

__asm__("restore: mov x8, 139; svc 0");  // rt_sigreturn
extern char restore[];

static uint32_t next32(void) {
  uint32_t v = *(const uint32_t *)input;
  input += 4;
  return v;
}

static void *map(uint64_t at, uint64_t size, long protection, long flags) {
  enum { PRIVATE_ANONYMOUS = 0x22 };
  long got = system_call(__NR_mmap, at, size, protection, PRIVATE_ANONYMOUS | flags, -1, 0);
  if (got < 0 && got > -4096) leave(4);
  return (void *)got;
}

__attribute__((used)) static void begin(uint64_t *stack) {
  enum { READ_WRITE = 3, READ_EXECUTE = 5, EVERYTHING = 7, FIXED = 0x10, FILE_PRIVATE = 2, STACK = 1 << 18 };
  if (stack[0] != 4) leave(5);
  // Arguments: input, its size in decimal, output.
  output_path = (const char *)stack[4];
  uint64_t size = 0;
  for (const char *p = (const char *)stack[3]; *p; p++) size = size * 10 + (*p - '0');
  long fd = system_call(__NR_openat, -100, (long)stack[2], 0, 0, 0, 0);
  if (fd < 0) leave(6);
  long in = system_call(__NR_mmap, 0, size, 1, FILE_PRIVATE, fd, 0);
  if (in < 0 && in > -4096) leave(7);
  input = (const uint8_t *)in;
  output = output_start = map(0, 2 * size + 4096, READ_WRITE, 0);

  for (uint32_t n = next32(); n > 0; n--) {
    uint32_t at = next32(), length = next32(), writable = next32(), code = next32();
    map(at, length, EVERYTHING, FIXED);
    if (code) fill(at, length);
    else background(at, length);
    // Data must not be executable, or a stray branch would run it.
    if (!code && system_call(__NR_mprotect, at, length, writable ? READ_WRITE : 1, 0, 0, 0) < 0) leave(8);
  }
  left = next32();
  next32();

  uint64_t alternate[3] = {(uint64_t)map(0, STACK, READ_WRITE, 0), 0, STACK};
  system_call(__NR_sigaltstack, (long)alternate, 0, 0, 0, 0, 0);
  struct action action = {on_signal, ACTION_SIGINFO | ACTION_ONSTACK | ACTION_NODEFER, restore, 0};
  static const int SIGNALS[] = {SIG_USR1, SIG_TRAP, SIG_SEGV, SIG_ILL, SIG_BUS};
  for (unsigned i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
    if (system_call(__NR_rt_sigaction, SIGNALS[i], (long)&action, 0, 8, 0, 0) < 0) leave(9);
  system_call(__NR_kill, system_call(__NR_getpid, 0, 0, 0, 0, 0, 0), SIG_USR1, 0, 0, 0, 0);
  leave(10);
}

__asm__(".globl _start\n_start: mov x0, sp\n and sp, x0, -16\n b begin");
