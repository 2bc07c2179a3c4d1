/* What the backend keeps between calls. */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include "backends/backend.h"
#include "chip/phases.h"
#include "cpu/chip.h"
#include "cpu/network.h"
#include "cpu/team.h"

/* Phases and moments are kept, and updated, in double: that costs some hundredths of a step, and a checkpoint, which
 * holds doubles, is then exactly the state. */
typedef struct {
  cuonn_network network;
  double *moments; /* [2][layer][N^2] */
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cpu_layer *layers; /* [layer]; zeroed before the model is set */
  cpu_layer
      *ideal; /* [layer] without the chip's errors; zeroed unless the model's gradients are those of an ideal chip */

  cuonn_gradient_method gradient;
  bool train_gamma;
  cuonn_chip_options options;
  chip_phases *phases;   /* [layer]; zeroed before the model is set */
  cuonn_network applied; /* phases as the chip applies them */
  cpu_chip chip;         /* zeroed unless gradients are measured or fields are read with noise */

  cuonn_mesh_gradient *gradients; /* [layer] this model's part of the state's d_theta, d_phi, flow */
} cpu_model;

/* A batch is cut into chunks, a function of its size alone. A chunk is summed by one thread, tile by tile, and the
 * chunks are added in their order, so that results do not depend on the number of threads. */
enum { kMostChunks = 16 };

typedef struct {
  backend_problem problem;
  const cpu_kernels *kernels;
  int threads;
  cpu_team team; /* of the parallel region at work */
  size_t most_chunks;
  cpu_model *models; /* [model] */
  cpu_set sets[BACKEND_SPLITS];
  cpu_space *spaces;       /* [thread] */
  size_t kept_size;        /* of the spaces */
  node_sums *sums;         /* [model][chunk][layer][node]; made when first needed */
  double *losses;          /* [model][chunk] */
  double *d_theta, *d_phi; /* [model][layer][node] */
  double *flow;            /* [model][layer][n_modes] */
  uint32_t steps_done;     /* what tests are counted by, for noise */
} cpu_state;

/* Layers that a computed gradient goes through. */
static inline const cpu_layer *cpu_layers_of(const cpu_model *model, cuonn_gradient_method method) {
  return method == CUONN_GRADIENT_IDEAL ? model->ideal : model->layers;
}

/* What the chip makes of a layer's phases goes into all coefficients. */
void cpu_program_layer(cpu_model *model, size_t layer, const cpu_kernels *kernels);

/* state.c */
cuonn_status cpu_create(void **out, const backend_problem *problem);
void cpu_destroy(void *state);
cuonn_status cpu_set_model(void *state, size_t model, const backend_model *from);
cuonn_status cpu_get_model(const backend_model *to, void *state, size_t model);
cuonn_status cpu_set_images(void *state, backend_split split, const cuonn_examples *images,
                            const cuonn_features_options *options);
cuonn_status cpu_set_fields(void *state, backend_split split, const cuonn_fields *fields, const uint8_t *labels);
cuonn_status cpu_get_features(double *out, void *state, backend_split split);

/* train.c */
cuonn_status cpu_train_steps(double *losses, void *state, const backend_step *steps, size_t n_steps);
cuonn_status cpu_evaluate(cuonn_evaluation *out, void *state, size_t model, backend_split split);
cuonn_status cpu_gradient(double *loss, cuonn_mesh_gradient *gradients, void *state, size_t model, backend_split split,
                          const backend_step *step, cuonn_gradient_method method);

/* optimizer.c: one update of one layer's theta or phi. first, second: moments; n: nodes. */
void cpu_optimizer_update(double *phase, double *first, double *second, const double *gradient, size_t n,
                          const cuonn_optimizer_options *options, double rate_factor, uint64_t adam_index,
                          const cpu_kernels *kernels);

/* features.c: values [example][2][n_modes], already made. */
cuonn_status cpu_features(float *values, const cuonn_examples *images, const cuonn_features_options *options,
                          int threads);

/* propagate.c */
cuonn_status cpu_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                           const cuonn_buffer *in, bool backward, int threads);
cuonn_status cpu_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                     const cuonn_buffer *input, const cuonn_buffer *cotangent, int threads);

/* Examples first .. first + count - 1 into a tile; the other lanes are zero. */
void cpu_read_tile(float *x, const cuonn_buffer *from, size_t first, size_t count, size_t n_modes, size_t lanes);

/* machine.c, timing.c */
cuonn_status cpu_measure_machine(backend_machine *out, int threads);
cuonn_status cpu_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                  const cuonn_fields *in, int threads);

/* Threads that OpenMP would take. */
int cpu_own_threads(void);

/* Threads to use: `threads`, or OpenMP's choice if 0, with its bound. */
int cpu_threads(int threads);

#endif
