/* How a chip reads fields and powers. */
#ifndef CUONN_KERNELS_READER_H
#define CUONN_KERNELS_READER_H

#include <cuda_runtime.h>
#include <stdbool.h>
#include <stdint.h>

/* What fields are read for. */
typedef enum { READ_TRAINING, READ_MEASUREMENT, READ_TEST, READ_USES } reading_use;

/* How one model's chip reads and measures. */
typedef struct {
  uint64_t seed;
  double tap_shot, io_amplitude, io_phase; /* io_phase in units of pi */
  unsigned purposes[READ_USES];            /* of random numbers (src/base/random.h), for fields */
  unsigned tap_purpose;                    /* the same for taps */
  bool has_steps, has_layers;              /* each step, each layer has noise of its own */
  bool has_examples;                       /* each example, too; else all examples share a waveguide's error */
  bool digital;                            /* scheme */
  bool by_matrix;                          /* tests read matrices, else the fields of examples */
  /* Device, [layer][example or, where those share it, 1][N]: factors that do not change from step to step; NULL: they
   * do. */
  double2 *frozen[READ_USES];
  bool by_example; /* the largest norm of an example limits the scale, else of a waveguide */
} chip_reader;

#endif
