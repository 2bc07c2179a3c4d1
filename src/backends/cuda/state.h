/* What the backend keeps between calls, and its functions. */
#ifndef CUDA_STATE_H
#define CUDA_STATE_H

#include "backends/backend.h"
#include "cuda/fields.h"
#include "cuda/meshes.h"
#include "kernels/dense.h"
#include "kernels/in_situ.h"
#include "kernels/network.h"
#include "kernels/optimizer.h"

enum {
  kMostChunks = 512, /* of a batch: four blocks for each multiprocessor of a large device */
  kGraphSteps = 128, /* steps of one graph */
  kGraphs = 2        /* of different length: whole ones, and the last of an epoch */
};

/* A labelled set on the device. */
typedef struct {
  size_t n_examples;
  float2 *fields;  /* [example][stride] */
  uint8_t *labels; /* [example] */
  cuda_memory memory;
} cuda_set;

/* The host's copy of one model: errors, losses and gamma do not change; theta and phi live on the device. */
typedef struct {
  cuonn_network network;
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cuonn_gradient_method gradient;
  cuonn_chip_options chip;
} cuda_model;

/* What steps need on the device. Pinned: written before the steps, read after them. */
typedef struct {
  size_t most_chunks;
  size_t most_models; /* whose exact gradients are computed at once: all, or 1 where gradients are measured */
  float2 *gradient, *outputs, *kept;  /* network_task */
  float2 *derived, *pulled;           /* [model][layer][place] gradients by applied and by programmed phases */
  double *chunk_losses, *losses;      /* [model][chunk]; [step][model] */
  network_batch *batches;             /* [step] */
  optimizer_step *steps;              /* [step][model] */
  double2 *first, *second;            /* [model][layer][place] moments */
  double *gamma_first, *gamma_second; /* [model][layer][N]; NULL where gradients are not measured: gamma's are 0 */
  optimizer_rule *rules;              /* [model] */
  uint64_t *seeds;                    /* [model] */
  unsigned *order;                    /* [model][example of BACKEND_TRAIN], NULL: as they stand */
  int64_t order_epoch;                /* that `order` holds, -1: none */
  double *pinned_losses;
  network_batch *pinned_batches;
  optimizer_step *pinned_steps;
  cuda_memory memory, kept_memory, order_memory;
} cuda_steps;

/* Steps recorded once and run again and again. */
typedef struct {
  size_t n_steps;
  cudaGraphExec_t exec;
} cuda_graph;

/* Scratch of the dense path; made when first needed. */
typedef struct {
  size_t most_examples;
  float2 *matrices;    /* [layer][column][stride] */
  float2 *y;           /* [example][N] */
  float *h;            /* [example][N] */
  double *losses;      /* [block of examples] */
  unsigned *confusion; /* [class][class] */
  cuda_memory memory;
} cuda_dense;

/* What chips make of phases and readings; in device memory. */
typedef struct {
  bool programs, mixes; /* applied phases are not the programmed ones; nor are their gradients */
  chip_reader *readers; /* [model] */
  phase_errors *errors; /* [model] */
  double2 *added;       /* [model][layer][place] */
  double2 *applied;     /* [model][layer][place] */
  uint32_t steps_done;  /* what tests are counted by, for noise */
  cuda_memory memory;
} cuda_chip;

/* Room for measured gradients: `vectors` are the examples of a batch, or unit vectors. */
typedef struct {
  bool by_matrix;
  size_t n_vectors;
  unsigned n_chunks; /* of the vectors */
  float4 *nodes;     /* [model][layer], nodes with taps */
  float2 *gammas;    /* [model][layer][N] */
  float2 *x, *y;     /* [model][example][stride]; [layer][model][example][stride] */
  float *h, *u;      /* [layer behind the first][model][example][stride]; [model][example][stride] */
  float2 *c;         /* [model][example][stride] */
  float2 *matrices;  /* [model][layer][column][stride] as they are read */
  float2 *columns;   /* the same of what goes back where matrices are measured */
  float2 *factors;   /* of returned fields: as columns, or as c */
  double2 *scales;   /* measure_task */
  float4 *sums;
  float2 *outputs;
  float *d_gamma; /* [model][layer][N] */
  cuda_memory memory;
} cuda_in_situ;

typedef struct {
  backend_problem problem;
  cuda_session *session;
  size_t stride; /* of fields */
  cuda_model *models;
  cuda_meshes meshes; /* [model][layer] */
  cuda_meshes ideal;  /* the same without errors, on which training computes if it knows none; empty if it does not */
  double2 *scratch;   /* [place] host */
  bool changed;       /* a model was set since the coefficients were made */
  cuda_set sets[BACKEND_SPLITS];
  cuda_steps steps;
  cuda_graph graphs[kGraphs]; /* the latest first */
  cuda_dense dense;
  cuda_chip chip;
  cuda_in_situ in_situ; /* empty unless gradients are measured */
  cuda_fields fields;   /* empty before the first call for a single layer */
} cuda_state;

/* state.c */
cuonn_status cuda_create(void **out, const backend_problem *problem);
void cuda_destroy(void *state);
cuonn_status cuda_set_model(void *state, size_t model, const backend_model *from);
cuonn_status cuda_get_model(const backend_model *to, void *state, size_t model);
/* Brings coefficients up to date with the models that were set. */
cuonn_status cuda_prepare(cuda_state *s);

/* chip.c */
/* Takes the chips of all models. */
cuonn_status cuda_chip_set(cuda_state *s);
void cuda_chip_free(cuda_chip *chip);
/* Coefficients of all nodes from programmed phases: launches only. */
cuonn_status cuda_program(const cuda_state *s);
/* The gradient by the programmed phases; from s->steps.derived, of n_models models from `first` on: launches only. */
cuonn_status cuda_pull_back(float2 **gradient, const cuda_state *s, size_t first, size_t n_models);
/* Reads fields of one model in tests, with its noise if it has any. fields: [layer][example][stride], at the first n_read waveguides. */
cuonn_status cuda_read_test(const cuda_state *s, float2 *fields, size_t model, size_t first_layer, size_t n_layers,
                            size_t first_example, size_t n_examples, size_t n_read, size_t stride);

/* in_situ.c */
bool cuda_measures(const backend_problem *problem);
cuonn_status cuda_in_situ_create(cuda_state *s);
void cuda_in_situ_free(cuda_in_situ *in_situ);
/* Gradients of n_models models from `first` on go to s->steps.derived and in_situ.d_gamma, their losses to
 * s->steps.chunk_losses, where the first of them is the first: launches only. */
cuonn_status cuda_in_situ_gradient(const cuda_state *s, backend_split split, const network_batch *batch, size_t first,
                                   size_t n_models);

/* sets.c */
cuonn_status cuda_set_images(void *state, backend_split split, const cuonn_examples *images,
                             const cuonn_features_options *options);
cuonn_status cuda_set_fields(void *state, backend_split split, const cuonn_fields *fields, const uint8_t *labels);
cuonn_status cuda_get_features(double *out, void *state, backend_split split);
/* Between host fields [example][N][2] and device fields [example][stride]. */
cuonn_status cuda_upload(float2 *to, const double *from, size_t n_examples, size_t n_modes, size_t stride,
                         cudaStream_t stream);
cuonn_status cuda_download(double *to, const float2 *from, size_t n_examples, size_t n_modes, size_t stride,
                           cudaStream_t stream);

/* steps.c */
cuonn_status cuda_train_steps(double *losses, void *state, const backend_step *steps, size_t n_steps);
cuonn_status cuda_gradient(double *loss, cuonn_mesh_gradient *gradients, void *state, size_t model, backend_split split,
                           const backend_step *step, cuonn_gradient_method method);
/* Chunks of a batch of so many examples. */
unsigned cuda_chunks(size_t n_examples, mesh_layout layout, size_t n_layers);
void cuda_drop_graphs(cuda_state *s);

/* evaluate.c */
cuonn_status cuda_evaluate(cuonn_evaluation *out, void *state, size_t model, backend_split split);

/* propagate.c */
cuonn_status cuda_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                            const cuonn_buffer *in, bool backward, int threads);
cuonn_status cuda_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                      const cuonn_buffer *input, const cuonn_buffer *cotangent, int threads);

/* measure.c */
cuonn_status cuda_measure_machine(backend_machine *out, int threads);
cuonn_status cuda_time_propagation(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                   const cuonn_fields *in, int threads);

#endif
