// WASI preview 1, as far as the modules here use it. Functions return 0 or an error number (errno in witx).
#pragma once

typedef __UINTPTR_TYPE__ word;

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
// The function that a command begins with.
#define COMMAND __attribute__((export_name("_start")))

enum { WASI_STDIN, WASI_STDOUT, WASI_STDERR };

struct wasi_text { // ciovec
  const void *start;
  word length;
};
struct wasi_space { // iovec
  void *start;
  word length;
};

WASI(args_sizes_get) int wasi_args_sizes_get(word *count, word *bytes);
WASI(args_get) int wasi_args_get(char **arguments, char *buffer);
WASI(environ_sizes_get) int wasi_environ_sizes_get(word *count, word *bytes);
WASI(environ_get) int wasi_environ_get(char **variables, char *buffer);
WASI(fd_read) int wasi_fd_read(int fd, const struct wasi_space *spaces, word count, word *read);
WASI(fd_write) int wasi_fd_write(int fd, const struct wasi_text *texts, word count, word *written);
WASI(sched_yield) int wasi_sched_yield(void);
WASI(proc_exit) _Noreturn void wasi_proc_exit(int code);
