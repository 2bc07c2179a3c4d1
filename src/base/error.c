/* The text of the last failure, one per thread, and the flag that asks a run to stop. */
#include "base/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { kTextSize = 4096 };

static _Thread_local char last_error[kTextSize];
static atomic_bool stop_requested;

const char *cuonn_last_error(void) { return last_error; }

const char *cuonn_status_name(cuonn_status status) {
  switch (status) {
    case CUONN_OK: return "done";
    case CUONN_E_INTERNAL: return "internal error";
    case CUONN_E_ARGUMENT: return "bad argument";
    case CUONN_E_CONFIG: return "bad configuration";
    case CUONN_E_DATA: return "bad data";
    case CUONN_E_SHAPE: return "sizes do not fit";
    case CUONN_E_NONFINITE: return "not a finite number";
    case CUONN_E_IO: return "file error";
    case CUONN_E_MEMORY: return "out of memory";
    case CUONN_E_DEVICE: return "device not available";
    case CUONN_E_DIVERGED: return "training diverged";
    case CUONN_E_INTERRUPTED: return "interrupted";
    case CUONN_E_PROCESSES: return "processes differ";
  }
  return "unknown status";
}

cuonn_status cuonn_fail(cuonn_status status, const char *format, ...) {
  char text[kTextSize]; /* an argument may be the present text */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char *c = text; *c; c++) { /* names and texts from files may hold anything; a message is one line */
    if ((unsigned char)*c < ' ') *c = ' ';
  }
  memcpy(last_error, text, sizeof text);
  return status;
}

cuonn_status cuonn_fail_within(cuonn_status status, const char *format, ...) {
  char prefix[kTextSize / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  return cuonn_fail(status, "%s: %s", prefix, last_error);
}

void cuonn_request_stop(void) { atomic_store(&stop_requested, true); }
bool cuonn_stop_requested(void) { return atomic_load(&stop_requested); }
void cuonn_clear_stop(void) { atomic_store(&stop_requested, false); }
