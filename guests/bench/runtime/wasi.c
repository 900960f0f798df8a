// Below the payload, a WASI runtime: the services are the functions that the module imports. No C library; clang
// links it (tools/wasi-images.ts).

#include "bench.h"
#include "wasi.h"

enum { USAGE = 2, MAX_ARGUMENTS = 8, ARGUMENT_BYTES = 1024 };

void payload(const char *command_line);

void kernel_call(word service, word a, word b) {
  if (service == CALL_WRITE) {
    struct wasi_text text = {(const void *)a, b};
    word written;
    wasi_fd_write(WASI_STDOUT, &text, 1, &written);
  } else if (service == CALL_EXIT) {
    wasi_proc_exit((int)a);
  } else {
    wasi_sched_yield(); // CALL_NOTHING: the cheapest way out of the module and back
  }
}

COMMAND void start(void) {
  static char *arguments[MAX_ARGUMENTS];
  static char buffer[ARGUMENT_BYTES];
  word count = 0, bytes = 0;
  wasi_args_sizes_get(&count, &bytes);
  if (count > MAX_ARGUMENTS || bytes > ARGUMENT_BYTES) wasi_proc_exit(USAGE);
  wasi_args_get(arguments, buffer);
  payload(count > 1 ? arguments[1] : "");
}
