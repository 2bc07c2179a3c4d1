/* What the backend keeps between calls. */
#ifndef CUDA_STATE_H
#define CUDA_STATE_H

#include "backends/backend.h"
#include "cuda/meshes.h"
#include "kernels/chip.h"
#include "kernels/dense.h"
#include "kernels/in_situ.h"
#include "kernels/network.h"
#include "kernels/optimizer.h"

enum {
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
  size_t most_chunks; /* of a batch */
  size_t n_parts;     /* that gradients are the sums of: these chunks, or parts of a matrix's columns */
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
  unsigned *order;                    /* [model][example of CUONN_SPLIT_TRAIN], NULL: as they stand */
  int64_t order_epoch;                /* that `order` holds, -1: none */
  double *pinned_losses;
  network_batch *pinned_batches;
  optimizer_step *pinned_steps;
  cuda_memory memory, kept_memory, order_memory;
} cuda_steps;

/* Steps recorded once and run again and again. */
typedef struct {
  const struct cuda_method *method;
  size_t n_steps;
  cudaGraphExec_t exec;
} cuda_graph;

/* What evaluation by matrices needs; made when first needed. */
typedef struct {
  size_t most_examples;
  float2 *matrices;    /* [layer][column][stride] */
  float2 *y;           /* [example][N] */
  float *h;            /* [example][N] */
  double *losses;      /* [block of examples] */
  unsigned *confusion; /* [class][class] */
  cuda_memory memory;
} cuda_evaluation;

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

/* Room for products of a batch with matrices; empty where nothing takes them. */
typedef struct {
  float2 *x, *y;    /* [model][example][stride]; [layer][model][example][stride] */
  float *h, *u;     /* [layer behind the first][model][example][stride]; [model][example][stride], as columns */
  float2 *c;        /* [model][example][stride] */
  float2 *matrices; /* [model][layer][column][stride] */
  float2 *columns;  /* the same of their derivatives, conjugate; NULL where they are not wanted */
  cuda_memory memory;
} cuda_products;

/* Room for measured gradients: `vectors` are the examples of a batch, or unit vectors. */
typedef struct {
  bool by_matrix;
  size_t n_vectors;
  unsigned n_chunks; /* of the vectors */
  float4 *nodes;     /* [model][layer], nodes with taps */
  float2 *gammas;    /* [model][layer][N] */
  float2 *factors;   /* of returned fields: as the columns of products, or as their c */
  float2 *c;         /* as that of products, with which it takes turns from layer to layer; NULL by matrix */
  double2 *scales;   /* measure_task */
  float4 *sums;
  float2 *outputs;
  float *d_gamma; /* [model][layer][N] */
  cuda_memory memory;
} cuda_measurement;

/* Device memory that grows with the largest call. */
typedef struct {
  void *data;
  size_t bytes;
  cuda_memory memory;
} cuda_room;

/* Of calls for single layers; zeroed before the first. */
typedef struct {
  cuda_room x, g, y;                 /* [example][stride] fields that do not lie as kernels want them */
  cuda_room gradient, d_gamma, kept; /* vjp_task */
  float2 *sum, *pulled;              /* [place] gradient over the chunks, and by the programmed phases */
  double *losses;                    /* of which a mesh has none: zeros */
  network_batch *batches;            /* [chunks - 1], so that none has to come from the host */
  uint32_t *place;                   /* [node] */
  cudaEvent_t event;                 /* between the caller's stream and the state's */
  cuda_memory lasting;
} cuda_fields;

typedef struct {
  backend_problem problem;
  cuda_session *session;
  size_t stride; /* of fields */
  cuda_model *models;
  cuda_meshes meshes; /* [model][layer] */
  cuda_meshes ideal;  /* the same without errors, on which training computes if it knows none; empty if it does not */
  double2 *scratch;   /* [place] host */
  bool changed;       /* a model was set since the coefficients were made */
  cuda_set sets[CUONN_SPLITS];
  cuda_steps steps;
  cuda_graph graphs[kGraphs]; /* the latest first */
  cuda_evaluation evaluation;
  cuda_chip chip;
  cuda_products products;
  cuda_measurement in_situ; /* empty unless gradients are measured */
  cuda_fields fields;       /* empty before the first call for a single layer */
} cuda_state;

#endif
