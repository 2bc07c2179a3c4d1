/** @file status.h
 *  How every function of the library reports success or failure, and how a running job is asked to stop.
 *
 *  Nothing in the library prints or exits.  A function returns a status; when it is not CUONN_OK, one line of
 *  text that says what went wrong, where, and what to do about it is kept for the calling thread.
 */
#ifndef CUONN_STATUS_H
#define CUONN_STATUS_H

#include <stdbool.h>

#if defined(__GNUC__)
#define CUONN_API __attribute__((visibility("default")))
#else
#define CUONN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a call: 0 is success, every failure is negative. */
typedef enum cuonn_status {
  CUONN_OK = 0,              /**< done */
  CUONN_E_INTERNAL = -1,     /**< a broken promise inside the library, or a dependency that failed without reason */
  CUONN_E_ARGUMENT = -2,     /**< an argument or option out of its range, or unknown */
  CUONN_E_CONFIG = -3,       /**< a configuration file, key or value that is refused */
  CUONN_E_DATA = -4,         /**< a file or array whose content is not what it must be */
  CUONN_E_SHAPE = -5,        /**< sizes that do not fit each other */
  CUONN_E_NONFINITE = -6,    /**< NaN or infinity where a finite number must stand */
  CUONN_E_IO = -7,           /**< a file that cannot be opened, read or written (missing, denied, disk full) */
  CUONN_E_MEMORY = -8,       /**< not enough memory */
  CUONN_E_DEVICE = -9,       /**< no such backend or device here, or the device failed */
  CUONN_E_DIVERGED = -10,    /**< training's loss became NaN or infinite */
  CUONN_E_INTERRUPTED = -11, /**< stopped because cuonn_request_stop() was called */
  CUONN_E_PROCESSES = -12    /**< processes that share a training have come to different phases; all of them fail so */
} cuonn_status;

/** Text of the calling thread's last failure: one line without a newline at its end, "" if there was none.
 *  @return owned by the library; valid until the thread's next failing call. */
CUONN_API const char *cuonn_last_error(void);

/** Short name of a status, such as "bad data".  @return a constant string, never NULL. */
CUONN_API const char *cuonn_status_name(cuonn_status status);

/** Asks a running cuonn_train() to finish its present step and return CUONN_E_INTERRUPTED.
 *  Safe to call from a signal handler and from any thread. */
CUONN_API void cuonn_request_stop(void);

/** @return true after cuonn_request_stop(), until cuonn_clear_stop(). */
CUONN_API bool cuonn_stop_requested(void);

/** Forgets an earlier cuonn_request_stop(). */
CUONN_API void cuonn_clear_stop(void);

#ifdef __cplusplus
}
#endif
#endif
