// The frame around every workload: reads how much to do, does it, and marks the end of each round on the console.
// Whoever watches the console takes the times: a clock in here would be part of the experiment.
//
//   command line   rounds=R repeat=N     R marks, N units of work between two of them; both default to 1
//   output         "start", then R lines "round CHECKSUM" with eight hexadecimal digits
//   exit code      0; 1 when two units of work gave different checksums

#include "bench.h"

__attribute__((weak)) void prepare(void) {}

// gcc may call these for structure copies, whatever the flags.
void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ n) {
  for (__SIZE_TYPE__ i = 0; i < n; i++) ((u8 *)to)[i] = (u8)value;
  return to;
}

static u32 length(const char *s) {
  u32 n = 0;
  while (s[n]) n++;
  return n;
}

static void say(const char *s) { kernel_call(CALL_WRITE, (word)s, length(s)); }

// Value of "name=" on the command line, at least 1.
static u32 parameter(const char *line, const char *name) {
  u32 n = length(name);
  for (const char *p = line; *p; p++) {
    u32 i = 0;
    while (i < n && p[i] == name[i]) i++;
    if (i < n) continue;
    u32 value = 0;
    for (p += n; *p >= '0' && *p <= '9'; p++) value = value * 10 + (u32)(*p - '0');
    return value ? value : 1;
  }
  return 1;
}

static void report(const char *word, u32 sum) {
  char line[32];
  u32 n = 0;
  while (word[n]) line[n] = word[n], n++;
  for (int shift = 28; shift >= 0; shift -= 4) line[n++] = "0123456789abcdef"[(sum >> shift) & 15];
  line[n++] = '\n';
  line[n] = 0;
  say(line);
}

// Entered by the kernel below with its command line.
void payload(const char *command_line) {
  u32 rounds = parameter(command_line, "rounds=");
  u32 repeat = parameter(command_line, "repeat=");
  prepare();
  say("start\n");
  u32 expected = 0;
  for (u32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < repeat; i++) {
      u32 sum = work();
      if (round == 0 && i == 0) expected = sum;
      if (sum != expected) {
        report("unstable ", sum);
        kernel_call(CALL_EXIT, 1, 0);
      }
    }
    report("round ", expected);
  }
  kernel_call(CALL_EXIT, 0, 0);
}
