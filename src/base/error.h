/* Failing with one line of text, and passing failures on. */
#ifndef CUONN_BASE_ERROR_H
#define CUONN_BASE_ERROR_H

#include "cuonn/status.h"

/* Keeps the text for the calling thread and returns the status. */
cuonn_status cuonn_fail(cuonn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text of the present failure, and returns the status. */
cuonn_status cuonn_fail_within(cuonn_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns from the calling function unless the condition holds. These macros say the status themselves, so that static
 * analysis knows that what follows was reached without a failure. */
#define CUONN_CHECK(condition, status, ...) \
  do {                                      \
    if (!(condition)) {                     \
      cuonn_fail((status), __VA_ARGS__);    \
      return (status);                      \
    }                                       \
  } while (0)

/* Passes a failure on. */
#define CUONN_TRY(call)                                    \
  do {                                                     \
    const cuonn_status status_of_call = (call);            \
    if (status_of_call != CUONN_OK) return status_of_call; \
  } while (0)

/* The same for a function that owns something: sets `status` and goes to `done`. */
#define CUONN_CHECK_DONE(condition, code, ...) \
  do {                                         \
    if (!(condition)) {                        \
      cuonn_fail((code), __VA_ARGS__);         \
      status = (code);                         \
      goto done;                               \
    }                                          \
  } while (0)
#define CUONN_TRY_DONE(call)           \
  do {                                 \
    status = (call);                   \
    if (status != CUONN_OK) goto done; \
  } while (0)

#endif
