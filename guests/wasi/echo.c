// Shows what a WASI program gets: prints its arguments and its environment, then what arrives on standard input as it
// arrives. Its exit code is the number of its arguments. With "trap" as the first it traps, with "spin" it loops.

#include "wasi.h"

enum { MAX_STRINGS = 64, STRING_BYTES = 4096, INPUT_BYTES = 256 };

static char *strings[MAX_STRINGS];
static char bytes[STRING_BYTES];

static word length(const char *s) {
  word n = 0;
  while (s[n]) n++;
  return n;
}

static int equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void print(int fd, const void *start, word n) {
  struct wasi_text text = {start, n};
  word written;
  wasi_fd_write(fd, &text, 1, &written);
}

static void print_lines(const char *label, word count) {
  for (word i = 0; i < count; i++) {
    print(WASI_STDOUT, label, length(label));
    print(WASI_STDOUT, strings[i], length(strings[i]));
    print(WASI_STDOUT, "\n", 1);
  }
}

static void check(word count, word size) {
  if (count > MAX_STRINGS || size > STRING_BYTES) wasi_proc_exit(100);
}

COMMAND void start(void) {
  word count = 0, size = 0, read = 0;
  wasi_environ_sizes_get(&count, &size);
  check(count, size);
  wasi_environ_get(strings, bytes);
  print_lines("env ", count);

  wasi_args_sizes_get(&count, &size);
  check(count, size);
  wasi_args_get(strings, bytes);
  print_lines("arg ", count);
  if (count > 1 && equal(strings[1], "trap")) __builtin_trap();
  if (count > 1 && equal(strings[1], "spin"))
    for (volatile int forever = 1; forever;) continue;

  static char input[INPUT_BYTES];
  struct wasi_space space = {input, sizeof input};
  while (wasi_fd_read(WASI_STDIN, &space, 1, &read) == 0 && read > 0) print(WASI_STDOUT, input, read);
  print(WASI_STDERR, "end of input\n", 13);
  wasi_proc_exit((int)count - 1);
}
