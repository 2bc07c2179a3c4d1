/* The one table of functions between host logic and computing.
 *
 * A backend computes two kinds of things: single calls on one mesh (propagate, vjp), and what a handle asks
 * (cuonn/model.h), for which it keeps a state: one or more models of one shape, each with its own phases, errors and
 * seed, over one data set whose features it makes and keeps itself. One call does many steps, so that whole epochs can
 * stay on a device. Arguments have been validated by the caller (the room model). Host arrays are the caller's. */
#ifndef CUONN_BACKENDS_BACKEND_H
#define CUONN_BACKENDS_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/chip.h"
#include "cuonn/compute.h"
#include "cuonn/fabricated.h"
#include "cuonn/model.h"
#include "cuonn/processes.h"
#include "cuonn/training.h"
#include "mesh/shape.h"

/* Where a backend computes. */
typedef struct {
  int threads; /* 0 = as many as there are processors */
  int device;  /* number, of backends with several */
} backend_place;

/* What a state is made for; all models share it. */
typedef struct {
  size_t n_models;
  cuonn_network_shape shape;
  size_t batch_size; /* largest batch that train_steps and gradient will see; 0 if neither will be called */
  cuonn_order order;
  backend_place place;
  cuonn_method method; /* of exact gradients and losses; reference computes by columns */
  /* How all models get their gradients, because a device does the same for all; those that are measured may differ in
   * the scheme. `cpu` and `reference` take any side by side. */
  cuonn_gradient_method gradient;
  cuonn_measurement measurement;
  const cuonn_processes *processes; /* of which this is one; NULL: it is alone */
} backend_problem;

/* One model as host arrays. */
typedef struct {
  cuonn_network *network; /* shape as the problem's; set reads it, get writes theta, phi, and gamma if it is trained */
  double *moments;        /* as in cuonn_training_state; NULL: zero (set), not wanted (get) */
  const cuonn_optimizer_options *optimizer; /* read by set; NULL if the state is not for training; not used by get */
  uint64_t seed;                            /* of the order of examples; set */
  cuonn_gradient_method gradient;           /* that train_steps follows; set */
  bool train_gamma;                         /* by its gradient, too; set */
  const cuonn_chip_options *chip;           /* noise, and what its phases become; NULL: none; set */
} backend_model;

/* What a machine can do, measured with the backend's own arithmetic: the two limits that times are held against. */
typedef struct {
  char name[256];          /* of the processor or device */
  double clock_hz;         /* seen while measuring; 0 if unknown */
  double bytes_per_second; /* read and written, by a copy larger than any cache */
  double flops_per_second; /* multiply-adds, each counted as 2 */
} backend_machine;

/* What time_propagation() measures. */
typedef enum { BACKEND_NODE_FORM, BACKEND_ALL_STAGES } backend_propagation;

/* A layer of a model where it lies in host memory. */
typedef struct {
  const cuonn_mesh *applied;
  const struct chip_phases *phases; /* by which gradients become those by the programmed phases */
} backend_layer;

/* What a handle asks of one layer of a model on a device, with buffers in host or device memory, all of one kind in a
 * call (cuonn/model.h). Work with device memory is queued on the caller's stream. */
typedef struct {
  cuonn_status (*set_phases)(void *state, size_t model, size_t layer, const cuonn_phase_buffers *phases, void *stream);
  cuonn_status (*propagate)(const cuonn_buffer *out, void *state, size_t model, size_t layer, const cuonn_buffer *in,
                            bool backward, void *stream);
  cuonn_status (*vjp)(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward, void *state, size_t model,
                      size_t layer, const cuonn_buffer *input, const cuonn_buffer *cotangent, void *stream);
} backend_on_device;

typedef struct cuonn_backend {
  const char *name;
  size_t steps_per_call;   /* steps after which training wants to look up: progress, stop */
  size_t models_per_state; /* most models of a sweep in one state: more would gain nothing, and be finished later */
  size_t modes_max;        /* most waveguides of a mesh, beyond which it refuses them; 0: CUONN_MODES_MAX */
  size_t other_modes_max;  /* most of one whose nodes are of another kind than mzi, which then have to join neighbours;
                              0: as for mzi */
  bool measures_moduli;    /* it refuses measured gradients of networks with amplitudes, or of another nonlinearity than
                              the modulus */
  bool real_products; /* by matrices, made (method dense) or read, it computes no nonlinearity that keeps the phase, and
                         no amplitudes */
  bool moves_no_phases; /* it refuses gradients from the losses of moved phases */
  bool shares;          /* it does its part of batches and sets that several processes share, */
  bool shares_chips;    /* also where a chip measures gradients, moves phases, or reads fields with noise */

  /* Devices that there are, by which calls name them: 0, 1, ...; NULL: one. */
  int (*n_devices)(void);
  /* Whether it can compute on one; CUONN_E_DEVICE and the reason if not. line: unless NULL, one line on that device, ""
   * if it is the processor. */
  cuonn_status (*probe)(char *line, size_t size, int device);

  /* Backends that have the method dense: the faster one for so many examples, their gradients or their losses alone;
   * NULL: columns is all. It does not ask for threads, on which no bit of a result may depend. */
  cuonn_method (*auto_method)(const cuonn_network_shape *shape, size_t n_examples, bool gradient);
  bool losses_by_method; /* losses alone follow the method, too; false: there is one way to them */

  /* Threads that it would take where 0 are asked for, at most CUONN_THREADS_MAX of which it takes; NULL: always one. */
  int (*own_threads)(void);

  cuonn_status (*create)(void **state, const backend_problem *problem);
  void (*destroy)(void *state); /* NULL is fine */
  cuonn_status (*set_model)(void *state, size_t model, const backend_model *from);
  cuonn_status (*get_model)(const backend_model *to, void *state, size_t model);

  /* A labelled set: from images, whose features are made here, or from fields. Replaces an earlier one. */
  cuonn_status (*set_images)(void *state, cuonn_split split, const cuonn_examples *images,
                             const cuonn_features_options *options);
  cuonn_status (*set_fields)(void *state, cuonn_split split, const cuonn_fields *fields, const uint8_t *labels);
  cuonn_status (*get_features)(double *out, void *state, cuonn_split split); /* [example][N][2] */

  /* losses: [step][model], each taken before its update. A loss that is not finite does not stop the call. */
  cuonn_status (*train_steps)(double *losses, void *state, const cuonn_step *steps, size_t n_steps);
  /* Of models first .. first + n_models - 1: out [n_models]. A loss that is not finite does not fail the call. */
  cuonn_status (*evaluate)(cuonn_evaluation *out, void *state, size_t first, size_t n_models, cuonn_split split);
  /* Losses [n_models] and gradients [n_models][layer] of the same over the examples of a step, as each model's chip
   * gives them at that step; every gradient of phases is one by the programmed phases. method: exact, or
   * another, which stands for each model's own. Only examples of CUONN_SPLIT_TRAIN have an order; count is not larger
   * than batch_size. */
  cuonn_status (*gradient)(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                           cuonn_split split, const cuonn_step *step, cuonn_gradient_method method);

  /* Fields [example][N] of one mesh, as complex numbers in host memory, of either type where there is no on_device,
   * else of doubles; taps and backward may be NULL. */
  cuonn_status (*propagate)(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                            const cuonn_buffer *in, bool backward, backend_place place);
  cuonn_status (*vjp)(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                      const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place);

  /* Backends whose meshes lie in host memory: new phases of one layer, of which NULL stay; and the layer as its chip
   * applies it, for those two functions. */
  cuonn_status (*set_phases)(void *state, size_t model, size_t layer, const double *theta, const double *phi,
                             const double *gamma);
  backend_layer (*layer)(void *state, size_t model, size_t layer);
  /* Backends whose meshes lie in a device's memory, in place of those two; NULL: others. */
  const backend_on_device *on_device;

  /* For benchmarks. time_propagation: seconds [n_samples] of one forward propagation each, where fields and results
   * stay where the backend computes, in its own precision: whole nodes, or the fields at all five stages of every
   * column. */
  cuonn_status (*measure_machine)(backend_machine *out, backend_place place);
  cuonn_status (*time_propagation)(double *seconds, size_t n_samples, backend_propagation what, const cuonn_mesh *mesh,
                                   const cuonn_fields *in, backend_place place);
} cuonn_backend;

extern const cuonn_backend cuonn_backend_reference;
extern const cuonn_backend cuonn_backend_cpu;
extern const cuonn_backend cuonn_backend_cuda; /* in builds with CUDA */

/* Whether a backend computes meshes of so many waveguides, and of a shape, NULL is rectangular; and what networks make
 * of them. */
static inline bool backend_takes_modes(const cuonn_backend *backend, size_t n_modes) {
  return backend->modes_max == 0 || n_modes <= backend->modes_max;
}
static inline bool backend_takes_shape(const cuonn_backend *backend, const cuonn_mesh_shape *shape) {
  return !shape || backend->other_modes_max == 0 || shape->node == CUONN_NODE_MZI ||
         (shape->neighbours && shape->n_modes <= backend->other_modes_max);
}

/* Whether what is behind the meshes of a network is moduli alone, and whether a backend measures gradients of it. */
static inline bool backend_is_of_moduli(const cuonn_network_shape *shape) {
  return shape->layer == CUONN_LAYER_UNITARY && shape->nonlinearity.kind == CUONN_NONLINEARITY_MODULUS;
}
static inline bool backend_measures(const cuonn_backend *backend, bool of_moduli, cuonn_gradient_method method) {
  return !backend->measures_moduli || of_moduli || !cuonn_gradient_is_measured(method);
}

/* Whether it computes a network by matrices, where it does so for others. */
static inline bool backend_multiplies(const cuonn_backend *backend, const cuonn_network_shape *shape) {
  const bool real = shape->layer == CUONN_LAYER_UNITARY && !cuonn_nonlinearity_keeps_phase(shape->nonlinearity.kind);
  return !backend->real_products || real;
}

static inline bool backend_takes_gradient(const cuonn_backend *backend, cuonn_gradient_method method) {
  return !backend->moves_no_phases || !cuonn_gradient_is_perturbed(method);
}

/* A context: which backend, and where it computes. */
struct cuonn_context {
  const cuonn_backend *backend;
  bool automatic; /* chosen by "auto" */
  backend_place place;
  cuonn_method method;
  bool not_of_moduli;        /* it was fitted to networks that have more than moduli behind their meshes */
  cuonn_processes processes; /* size 0: it is alone */
  char note[512]; /* why "auto" did not take a faster backend; that fewer threads are taken than OpenMP would */
};

#endif
