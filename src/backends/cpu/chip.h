/* A network on a chip: batches layer after layer, because a measurement is scaled to the whole batch. */
#ifndef CPU_CHIP_H
#define CPU_CHIP_H

#include "cpu/in_situ.h"
#include "cpu/network.h"

typedef struct {
  cuonn_network_shape shape;
  size_t most;              /* examples of a batch */
  const double *amplitudes; /* [layer][n_modes] of the model; not owned; NULL: none */
  cpu_processes *processes; /* that share batches with this one; not owned */
  cpu_tap_mesh *meshes;
  cpu_measure_space measuring;

  /* measurement: example */
  uint32_t *index;      /* [example] of the batch, in its set */
  float *x, *y;         /* [layer][batch in tiles] inputs and outputs as they were read */
  float *g;             /* [batch in tiles] */
  double *losses;       /* [tile], or [chunk] of a set */
  double *chunk_slopes; /* [chunk][n_modes] sums of slopes */
  float *tiles;         /* [thread][3] */
  float *powers;        /* [thread][class][lanes] */
  float *ones;          /* [n_modes] */
  float (*unturned)[2]; /* [n_modes] 1 + 0 i */
  double *slopes;       /* [tile][n_modes] derivatives by amplitudes; NULL unless there are any */

  /* measurement: matrix */
  float *units;                  /* [unit vectors in tiles] */
  float *columns;                /* [layer][the same] their cotangents */
  cpu_measurement *measurements; /* [layer] */
} cpu_chip;

/* Unit vectors in tiles. */
cpu_tiling cpu_chip_unit_tiling(size_t n_modes);

/* For batches of up to `most` examples, 0 if nothing will be measured, and for teams of up to `threads`. Release with
 * cpu_chip_free(); zeroed on failure. */
cuonn_status cpu_chip_create(cpu_chip *out, const cuonn_network_shape *shape, cuonn_measurement measurement,
                             size_t most, int threads);
void cpu_chip_free(cpu_chip *chip);

/* Examples of a batch are index[0 .. count - 1], or as they stand if it is NULL; noise is of a step and a pass. */
typedef struct {
  const cpu_set *set;
  const uint32_t *index;
  size_t count;
  const cuonn_chip_options *options;
  uint32_t step, pass;
} cpu_chip_batch;

/* The two functions below send examples one by one, each process those of its chunks. They are called by all threads of
 * a parallel region, which meet in them and at their ends. */

/* Loss, a mean, and gradients [layer] as the chip measures them; batch->index is not NULL. */
void cpu_chip_gradient(double *loss, cuonn_mesh_gradient *gradients, const cpu_chip *chip, const cpu_chip_batch *batch,
                       cuonn_gradient_method method, const cpu_kernels *kernels, cpu_team *team);

/* Mean loss and predictions, unless NULL, of a batch of any size, read with the noise of a use. */
void cpu_chip_evaluate(double *loss, uint32_t *predictions, const cpu_chip *chip, const cpu_chip_batch *batch,
                       chip_use use, const cpu_kernels *kernels, cpu_team *team);

#endif
