#include "base/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

double machine_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char processor[192] = "unknown";
static once_flag processor_once = ONCE_FLAG_INIT;

/* Value of a line "key : value" of /proc/cpuinfo; NULL for other lines. */
static const char *value_of(const char *line, const char *key) {
  const char *const colon = strstr(line, ": ");
  return colon && strncmp(line, key, strlen(key)) == 0 ? colon + 2 : NULL;
}

static void ask_processor(void) {
  FILE *const file = fopen("/proc/cpuinfo", "re");
  char line[512];
  while (file && fgets(line, sizeof line, file)) {
    const char *const name = value_of(line, "model name");
    if (!name) continue;
    snprintf(processor, sizeof processor, "%.*s", (int)strcspn(name, "\n"), name);
    break;
  }
  if (file) fclose(file);
}

const char *machine_processor(void) {
  call_once(&processor_once, ask_processor);
  return processor;
}

double machine_clock(void) {
  FILE *const file = fopen("/proc/cpuinfo", "re");
  char line[512];
  double most = 0;
  while (file && fgets(line, sizeof line, file)) {
    const char *const mhz = value_of(line, "cpu MHz");
    if (mhz && strtod(mhz, NULL) > most) most = strtod(mhz, NULL);
  }
  if (file) fclose(file);
  return 1e6 * most;
}
