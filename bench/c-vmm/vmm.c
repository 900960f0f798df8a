// The least that a virtual machine monitor on KVM can be, in C: the yardstick for tsvm's cost of an exit.
//   gcc -O2 -o vmm vmm.c && ./vmm guests/bench/x86-64/port.img "rounds=5 repeat=100"
// One vCPU, no interrupts, no timers, no slices: it loads a plain 64-bit ELF guest the way tsvm's loader does, writes
// COM1 to standard output, ends at port 0xF4, and answers every other port and address with nothing.

#include <elf.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  RAM = 128 << 20,
  // Where tsvm's loader puts things too (docs/loaders.md).
  PAGE_TABLES = 0x92000,
  COMMAND_LINE = 0x98000,
  STACK_TOP = 0x9F000,
  COM1 = 0x3F8,
  COM1_LCR = COM1 + 3,
  COM1_LSR = COM1 + 5,
  LCR_DIVISOR = 0x80, // the data port is the divisor's for now
  LSR_TRANSMITTER_EMPTY = 0x60,
  DEBUG_EXIT = 0xF4,
};

static uint8_t *ram;

static void fail(const char *what) {
  perror(what);
  exit(125);
}

static int check(int result, const char *what) {
  if (result < 0) fail(what);
  return result;
}

// Copies the segments to their physical addresses; returns the entry point.
static uint64_t load(const char *path) {
  int fd = check(open(path, O_RDONLY), path);
  off_t size = lseek(fd, 0, SEEK_END);
  uint8_t *file = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (file == MAP_FAILED) fail(path);
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
  if ((size_t)size < sizeof *header || memcmp(header->e_ident, ELFMAG "\2", 5) != 0) {
    fprintf(stderr, "%s: not a 64-bit ELF file\n", path);
    exit(125);
  }
  const Elf64_Phdr *segment = (const Elf64_Phdr *)(file + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++, segment++) {
    if (segment->p_type != PT_LOAD) continue;
    if (segment->p_paddr + segment->p_memsz > RAM || segment->p_offset + segment->p_filesz > (size_t)size) {
      fprintf(stderr, "%s: a segment does not fit\n", path);
      exit(125);
    }
    memcpy(ram + segment->p_paddr, file + segment->p_offset, segment->p_filesz);
  }
  return header->e_entry;
}

// The first 4 GiB mapped to themselves with 2 MiB pages: PML4, PDPT, four page directories.
static void make_page_tables(void) {
  uint64_t *table = (uint64_t *)(ram + PAGE_TABLES);
  const uint64_t present_writable = 3, large = 0x80;
  table[0] = (PAGE_TABLES + 0x1000) | present_writable;
  for (int i = 0; i < 4; i++) table[512 + i] = (uint64_t)(PAGE_TABLES + 0x2000 + i * 0x1000) | present_writable;
  for (uint64_t i = 0; i < 4 * 512; i++) table[1024 + i] = i << 21 | present_writable | large;
}

// Long mode at CPL 0 with flat segments.
static void enter_long_mode(int vcpu, uint64_t entry) {
  struct kvm_sregs sregs;
  check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  struct kvm_segment data = {.limit = ~0u, .selector = 0x10, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
  struct kvm_segment code = data;
  code.selector = 8, code.type = 11, code.db = 0, code.l = 1;
  sregs.cs = code;
  sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
  sregs.cr0 = 0x80000033; // PG, NE, ET, MP, PE
  sregs.cr3 = PAGE_TABLES;
  sregs.cr4 = 0x620;  // OSXMMEXCPT, OSFXSR, PAE
  sregs.efer = 0x500; // LMA, LME
  check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  struct kvm_regs regs = {
      .rip = entry, .rflags = 2, .rsp = STACK_TOP - 8, .rdi = COMMAND_LINE, .rsi = RAM};
  check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void set_cpuid(int kvm, int vcpu) {
  enum { ENTRIES = 256 };
  struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof *cpuid->entries);
  if (!cpuid) fail("calloc");
  cpuid->nent = ENTRIES;
  check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
  check(ioctl(vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
  free(cpuid);
}

// One port exit: `count` elements of `size` bytes behind kvm_run.
static void port_io(struct kvm_run *run) {
  static uint8_t line_control;
  uint8_t *data = (uint8_t *)run + run->io.data_offset;
  const uint32_t bytes = run->io.size * run->io.count;
  if (run->io.direction == KVM_EXIT_IO_IN) {
    memset(data, run->io.port == COM1_LSR ? LSR_TRANSMITTER_EMPTY : 0xFF, bytes);
  } else if (run->io.port == COM1_LCR) {
    line_control = *data;
  } else if (run->io.port == COM1 && !(line_control & LCR_DIVISOR)) {
    // Whole lines in one piece: whoever takes the times reads lines.
    static char line[256];
    static size_t used;
    line[used++] = (char)*data;
    if (*data == '\n' || used == sizeof line) {
      if (write(STDOUT_FILENO, line, used) < 0) exit(125);
      used = 0;
    }
  } else if (run->io.port == DEBUG_EXIT) {
    exit(*data);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: vmm GUEST [COMMAND-LINE]\n");
    return 125;
  }
  int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
  int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (ram == MAP_FAILED) fail("mmap");
  struct kvm_userspace_memory_region region = {.memory_size = RAM, .userspace_addr = (uintptr_t)ram};
  check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");

  int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  size_t run_size = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
  struct kvm_run *run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) fail("kvm_run");
  set_cpuid(kvm, vcpu);

  make_page_tables();
  strncpy((char *)ram + COMMAND_LINE, argc > 2 ? argv[2] : "", 255);
  enter_long_mode(vcpu, load(argv[1]));

  for (;;) {
    check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
      port_io(run);
      break;
    case KVM_EXIT_MMIO:
      if (!run->mmio.is_write) memset(run->mmio.data, 0, sizeof run->mmio.data);
      break;
    default:
      fprintf(stderr, "vmm: exit reason %u\n", run->exit_reason);
      return 125;
    }
  }
}
