// A WASI module that does nothing: says that it is there, then waits for input until it ends.

#include "wasi.h"

COMMAND void start(void) {
  static char input[64];
  struct wasi_text text = {"start\n", 6};
  struct wasi_space space = {input, sizeof input};
  word done;
  wasi_fd_write(WASI_STDOUT, &text, 1, &done);
  do {
    done = 0;
  } while (wasi_fd_read(WASI_STDIN, &space, 1, &done) == 0 && done > 0);
}
