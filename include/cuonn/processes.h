/** @file processes.h
 *  One training by many processes.  Each has its share of every batch, and all get the same bits as one process alone.
 *
 *  The library neither starts processes nor knows how they reach each other: its caller does, by MPI or otherwise.
 */
#ifndef CUONN_PROCESSES_H
#define CUONN_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/compute.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Processes of one size, on processors and devices of one type, with one build of the library.  All make the same
 * calls. */
typedef struct cuonn_processes {
  size_t rank; /**< of this one, 0 .. size - 1 */
  size_t size;
  /** Gives each process, this one too, its part of `out`, and takes one of each; parts lie one after the other in order
   *  of ranks, [size] bytes in `in_sizes` and `out_sizes`, less than 2 GiB together, and `in` does not overlap `out`.
   *  Returns when all have called it; ends the program where that cannot be.  Called by the thread that called the
   *  library. */
  void (*exchange)(void *user, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes);
  void *user;
  /** The same between memories of devices, queued on a stream (cudaStream_t) of the backend's device; NULL: "cuda" goes
   *  through host memory and `exchange`.
   *  @return CUONN_OK; what it could not do */
  cuonn_status (*exchange_device)(void *user, void *in, const size_t *in_sizes, const void *out,
                                  const size_t *out_sizes, void *stream);
  /** Whether all processes can call exchange_device(), the same answer for all; NULL: they can.  "cuda" asks when a
   *  handle is made, on the thread that called the library, whose current device is then the backend's.
   *  @param[in] device  [16 bytes] its UUID, which no other has */
  bool (*join_devices)(void *user, const void *device);
} cuonn_processes;

/** Handles that are made afterwards share batches and sets with those of the other processes: steps, gradients and
 *  evaluations are then done together.  Each process is given all examples.
 *  @param[in] processes  copied; one alone is as if it was not called
 *  @return CUONN_OK; CUONN_E_ARGUMENT if the backend does not: "cpu" and "cuda" do */
CUONN_API cuonn_status cuonn_context_share(cuonn_context *context, const cuonn_processes *processes);

/** What cuonn_context_share() was given.  @return owned by the context; NULL if it is not shared */
CUONN_API const cuonn_processes *cuonn_context_processes(const cuonn_context *context);

#ifdef __cplusplus
}
#endif
#endif
