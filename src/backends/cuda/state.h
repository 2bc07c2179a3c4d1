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
#include "kernels/outputs.h"

enum {
  kGraphSteps = 128, /* steps of one graph */
  kGraphs = 8        /* steps, whole ones and the last of an epoch; gradients, measured and exact; tests of both sets */
};

/* A labelled set on the device. */
typedef struct {
  size_t n_examples;
  float2 *fields;  /* [example][stride] */
  uint8_t *labels; /* [example] */
  cuda_room rooms[2];
} cuda_set;

/* The host's copy of one model: errors, losses and gamma do not change; theta and phi live on the device. */
typedef struct {
  cuonn_network network;
  cuonn_optimizer_options optimizer;
  uint64_t seed;
  cuonn_gradient_method gradient;
  cuonn_chip_options chip;
  bool set; /* once at least */
} cuda_model;

/* What steps need on the device. Pinned: written before the steps, read after them. */
typedef struct {
  size_t most_chunks; /* of a batch */
  size_t n_pieces;    /* of a batch that go through products one after another */
  size_t n_parts;     /* that gradients are the sums of: these chunks, or parts of a matrix's columns */
  size_t most_models; /* whose exact gradients are computed at once: all, or what 1 GiB holds where gradients are
                         measured */
  float2 *gradient, *outputs, *kept;  /* network_task */
  float2 *derived, *pulled;           /* [model][layer][place] gradients by applied and by programmed phases */
  double *chunk_losses, *losses;      /* [model][chunk]; [step][model] */
  network_batch *batches;             /* [step], the batch and then its pieces */
  optimizer_step *steps;              /* [step][model] */
  double2 *first, *second;            /* [model][layer][place] moments */
  double *gamma_first, *gamma_second; /* [model][layer][N]; NULL where gamma's gradients are 0 */
  optimizer_rule *rules;              /* [model] */
  uint64_t *seeds;                    /* [model] */
  unsigned *order;                    /* [model][example of CUONN_SPLIT_TRAIN], NULL: as they stand */
  int64_t order_epoch;                /* that `order` holds, -1: none */
  double *pinned_losses;
  network_batch *pinned_batches;
  optimizer_step *pinned_steps;
  cuda_room pinned_gradients; /* [model][layer][place], and behind it [model][layer][N] of gamma and of amplitudes */
  cuda_memory memory, kept_memory;
  cuda_room order_room;
} cuda_steps;

/* Work of all models that is recorded once and run again and again. */
typedef enum { CUDA_STEPS, CUDA_GRADIENT, CUDA_EVALUATION } cuda_work_kind;
typedef struct {
  cuda_work_kind kind;
  const struct cuda_method *method;
  size_t first, n_models;
  size_t n_steps;              /* of CUDA_STEPS */
  cuonn_split split;           /* of the others */
  cuonn_gradient_method which; /* of CUDA_GRADIENT */
} cuda_work;
typedef struct {
  cuda_work work;
  cudaGraphExec_t exec;
} cuda_graph;

/* What evaluation by matrices needs. */
typedef struct {
  cuda_room matrices;  /* [model][layer][column][stride] */
  cuda_room y, h;      /* [model][example][N], complex and real; both complex where fields keep their phases */
  cuda_room losses;    /* [model][block of the set's examples] */
  cuda_room confusion; /* [model][class][class] */
  cuda_room batch;     /* network_batch, of which noise reads the number */
  cuda_room pinned;    /* losses, confusion and batch here */
} cuda_evaluation;

/* Images on the way to features. */
typedef struct {
  cuda_room frequencies, bytes, values, half;
} cuda_images;

/* What chips make of phases and readings; in device memory. */
typedef struct {
  bool programs, mixes;            /* applied phases are not the programmed ones; nor are their gradients */
  chip_reader *readers;            /* [model] */
  phase_errors *errors;            /* [model] */
  shifter_curves *curves;          /* [model]; of fabricated chips; set if by_curves or by_rows */
  bool by_law, by_curves, by_rows; /* phases_task */
  double2 *added;                  /* [model][layer][place] */
  double2 *set;                    /* [model][layer][place] before they mix; NULL if none do */
  double2 *applied;                /* [model][layer][place] */
  uint32_t steps_done;             /* what tests are counted by, for noise */
  cuda_memory memory;
} cuda_chip;

/* Phases at outputs and amplitudes; empty where only moduli are read and no mesh has amplitudes. */
typedef struct {
  bool any;
  int phases_every, amplitudes_every;  /* output_factors */
  double *amplitudes, *first, *second; /* [model][layer][N], and moments; NULL where there are none */
  float *d_gamma, *d_amplitude;        /* [model][layer][N] */
  cuda_memory memory;
} cuda_outputs;

/* Room for products of a batch with matrices; empty where nothing takes them. */
typedef struct {
  float2 *x, *y; /* [model][example][stride]; [layer][model][example][stride] */
  float *h, *u;  /* [layer behind the first][model][example][stride]; [model][example][stride], as columns; of twice as
                  * many numbers where fields keep their phases */
  float2 *c;     /* [model][example][stride] */
  float2 *matrices; /* [model][layer][column][stride] */
  float2 *whole;    /* the same with the factors of outputs; `matrices` where there are none */
  float2 *columns;  /* [own piece][model][layer][column][stride] derivatives by them, conjugate; NULL where they are not
                     * wanted */
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

/* Those that share batches with this one. */
typedef struct {
  cuonn_processes all;            /* zeroed: this one is alone */
  float *shards;                  /* device: sums of the own shards, then of all; NULL where batches have pieces */
  size_t block;                   /* numbers of each leaf that are sent at once */
  float *in, *out;                /* device: what is sent and got */
  void *pinned_in, *pinned_out;   /* the same here; NULL where devices exchange */
  double *losses;                 /* pinned [model][chunk] */
  double *in_losses, *out_losses; /* [process][model][chunk] */
  size_t *in_sizes, *out_sizes;   /* [process] bytes */
  cuda_memory memory;
} cuda_processes;

typedef struct {
  backend_problem problem;
  cuda_session *session;
  size_t stride; /* of fields */
  cuda_model *models;
  cuda_meshes meshes; /* [model][layer] */
  cuda_meshes ideal;  /* the same without errors, on which training computes if it knows none; empty if it does not */
  double2 *scratch;   /* [place] host */
  size_t n_set;       /* models that were set */
  bool changed;       /* a model was set since the coefficients were made */
  bool stale;         /* phases have moved since those of `meshes` were, because steps go by `ideal` */
  cuda_set sets[CUONN_SPLITS];
  cuda_steps steps;
  cuda_graph graphs[kGraphs]; /* the latest first */
  cuda_evaluation evaluation;
  cuda_images images;
  cuda_chip chip;
  cuda_outputs outputs;
  cuda_products products;
  cuda_measurement in_situ; /* empty unless gradients are measured */
  cuda_fields fields;       /* empty before the first call for a single layer */
  cuda_processes processes;
} cuda_state;

#endif
