/* Making and releasing a state; models in and out. */
#include "cuda/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/evaluate.h"
#include "cuda/fields.h"
#include "cuda/graphs.h"
#include "cuda/method_in_situ.h"
#include "cuda/methods.h"
#include "cuda/outputs.h"
#include "cuda/prepare.h"
#include "cuda/processes.h"
#include "cuda/products.h"
#include "cuda/sets.h"
#include "network/layer.h"
#include "network/shape.h"

void cuda_destroy(void *state) {
  cuda_state *const s = state;
  if (!s) return;
  if (s->session) (void)cudaStreamSynchronize(s->session->stream);
  cuda_drop_graphs(s);
  for (size_t m = 0; s->models && m < s->problem.n_models; m++) cuonn_network_free(&s->models[m].network);
  free(s->models);
  free(s->scratch);
  cuda_sets_free(s);
  cuda_evaluation_free(&s->evaluation);
  cuda_memory_free(&s->in_situ.memory);
  cuda_memory_free(&s->products.memory);
  cuda_processes_free(&s->processes);
  cuda_fields_free(&s->fields);
  cuda_memory_free(&s->outputs.memory);
  cuda_memory_free(&s->chip.memory);
  cuda_memory_free(&s->steps.pinned_gradients.memory);
  cuda_memory_free(&s->steps.order_room.memory);
  cuda_memory_free(&s->steps.kept_memory);
  cuda_memory_free(&s->steps.memory);
  cuda_meshes_free(&s->ideal);
  cuda_meshes_free(&s->meshes);
  cuda_session_close(s->session);
  network_shape_disown(&s->problem.shape);
  free(s);
}

/* Pieces whose columns there has to be room for; the sum of all needs it, too. */
static size_t own_columns(const cuda_state *s, bool dense) {
  const cuda_range own = cuda_own_leaves(&s->processes, s->steps.n_pieces);
  if (!dense) return s->problem.measurement == CUONN_MEASUREMENT_MATRIX;
  return own.end > own.first ? own.end - own.first : 1;
}

/* Numbers of the sums that processes exchange. */
static size_t shared_sums(const cuda_state *s, bool dense) {
  const size_t phases = s->problem.n_models * s->problem.shape.n_layers * s->meshes.places;
  return 2 * (dense ? products_columns_size(s) : phases);
}

static cuonn_status create_steps(cuda_state *s) {
  const backend_problem *const p = &s->problem;
  cuda_steps *const steps = &s->steps;
  cuda_memory *const memory = &steps->memory;
  const size_t models = p->n_models, layers = p->shape.n_layers, meshes = models * layers, places = s->meshes.places;
  const char *const of = "the gradients of a batch";
  steps->order_epoch = -1;
  const bool dense = cuda_exact_method(p) == &cuda_dense, measured = cuonn_gradient_is_measured(p->gradient);
  steps->most_chunks = cuda_chunks(p->batch_size, s->meshes.layout, layers);
  steps->n_pieces = dense && !measured ? products_pieces(s) : 1;                  /* a chip measures a whole batch */
  if (steps->most_chunks < steps->n_pieces) steps->most_chunks = steps->n_pieces; /* a loss for each */
  steps->n_parts = dense ? cuda_chunks(p->shape.n_modes, s->meshes.layout, layers) : steps->most_chunks;
  steps->most_models = models;
  if (measured) { /* exact ones are only compared with */
    const size_t fit = ((size_t)1 << 30) / (steps->n_parts * layers * places * sizeof(float2));
    if (fit < models) steps->most_models = fit > 0 ? fit : 1;
  }
  const size_t parts = steps->most_models * steps->n_parts;
  const size_t outputs = network_outputs_size(s->meshes.layout, steps->most_models, steps->most_chunks, layers);
  CUONN_TRY(cuda_allocate(&steps->gradient, memory, parts * layers * places, sizeof(float2), of));
  if (!dense) {
    CUONN_TRY(cuda_allocate(&steps->outputs, memory, outputs, sizeof(float2), "the fields behind layers"));
  }
  if (dense || measured) CUONN_TRY(products_create(s, own_columns(s, dense)));
  CUONN_TRY(cuda_allocate(&steps->chunk_losses, memory, models * steps->most_chunks, sizeof(double), of));
  CUONN_TRY(cuda_processes_create(s, shared_sums(s, dense), !dense));
  CUONN_TRY(cuda_allocate(&steps->derived, memory, meshes * places, sizeof(float2), of));
  CUONN_TRY(cuda_allocate(&steps->pulled, memory, meshes * places, sizeof(float2), of));
  /* places without a node are copied to the host with the others */
  CUONN_CUDA(cudaMemsetAsync(steps->derived, 0, meshes * places * sizeof(float2), s->session->stream));
  CUONN_CUDA(cudaMemsetAsync(steps->pulled, 0, meshes * places * sizeof(float2), s->session->stream));
  CUONN_TRY(cuda_allocate(&steps->losses, memory, kGraphSteps * models, sizeof(double), of));
  const size_t batches = kGraphSteps * (1 + steps->n_pieces);
  CUONN_TRY(cuda_allocate(&steps->batches, memory, batches, sizeof(network_batch), of));
  CUONN_TRY(cuda_allocate(&steps->steps, memory, kGraphSteps * models, sizeof(optimizer_step), of));
  CUONN_TRY(cuda_allocate(&steps->first, memory, meshes * places, sizeof(double2), "the moments"));
  CUONN_TRY(cuda_allocate(&steps->second, memory, meshes * places, sizeof(double2), "the moments"));
  if (measured || s->outputs.phases_every > 0) {
    const size_t outputs_of_all = meshes * p->shape.n_modes;
    CUONN_TRY(cuda_allocate(&steps->gamma_first, memory, outputs_of_all, sizeof(double), "the moments"));
    CUONN_TRY(cuda_allocate(&steps->gamma_second, memory, outputs_of_all, sizeof(double), "the moments"));
  }
  CUONN_TRY(cuda_allocate(&steps->rules, memory, models, sizeof(optimizer_rule), of));
  CUONN_TRY(cuda_allocate(&steps->seeds, memory, models, sizeof(uint64_t), of));
  CUONN_TRY(cuda_allocate_pinned(&steps->pinned_losses, memory, kGraphSteps * models, sizeof(double)));
  CUONN_TRY(cuda_allocate_pinned(&steps->pinned_batches, memory, batches, sizeof(network_batch)));
  return cuda_allocate_pinned(&steps->pinned_steps, memory, kGraphSteps * models, sizeof(optimizer_step));
}

cuonn_status cuda_create(void **out, const backend_problem *problem) {
  cuonn_status status = CUONN_OK;
  cuda_state *s = NULL;
  *out = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&s, 1, sizeof *s));
  s->problem = *problem;
  CUONN_TRY_DONE(network_shape_own(&s->problem.shape));
  const cuonn_network_shape *const shape = &s->problem.shape;
  CUONN_CHECK_DONE(problem->n_models <= CUONN_GRID_ROWS_MAX, CUONN_E_ARGUMENT,
                   "backend cuda computes up to %d models in one handle, these are %zu; divide them among several",
                   CUONN_GRID_ROWS_MAX, problem->n_models);
  CUONN_TRY_DONE(cuda_session_open(&s->session));
  const bool phases = network_keeps_phases(shape);
  CUONN_TRY_DONE(cuda_meshes_create(&s->meshes, problem->n_models * shape->n_layers, shape->mesh, shape->style,
                                    phases || cuonn_gradient_is_measured(problem->gradient), s->session));
  if (problem->gradient == CUONN_GRADIENT_IDEAL && problem->batch_size > 0) {
    CUONN_TRY_DONE(cuda_meshes_create(&s->ideal, problem->n_models * shape->n_layers, shape->mesh, shape->style, phases,
                                      s->session));
    /* the models' phases, as they are programmed, and their gamma lie with `meshes` */
    s->ideal.applied = s->meshes.phases;
    s->ideal.gamma = s->meshes.gamma;
  }
  s->stride = (size_t)mesh_stride(s->meshes.layout);
  CUONN_TRY_DONE(cuonn_allocate(&s->models, problem->n_models, sizeof *s->models));
  CUONN_TRY_DONE(cuonn_allocate(&s->scratch, s->meshes.places, sizeof *s->scratch));
  for (size_t m = 0; m < problem->n_models; m++) CUONN_TRY_DONE(cuonn_network_create(&s->models[m].network, shape));
  CUONN_TRY_DONE(cuda_outputs_create(s));
  if (problem->batch_size > 0) CUONN_TRY_DONE(create_steps(s));
  if (problem->batch_size > 0 && cuonn_gradient_is_measured(problem->gradient)) CUONN_TRY_DONE(cuda_in_situ_create(s));
done:
  if (status != CUONN_OK) {
    cuda_destroy(s);
    s = NULL;
  }
  *out = s;
  return status;
}

/* The two halves of a model's moments: first and second; on the host each [layer][parameter], theta, phi, gamma and
 * amplitudes, which are outputs.c's. */
static cuonn_status set_moments(cuda_state *s, size_t model, const double *moments) {
  const size_t layers = s->problem.shape.n_layers, nodes = s->meshes.n_nodes, places = s->meshes.places;
  const size_t n = s->problem.shape.n_modes, parameters = cuonn_network_parameters(&s->problem.shape);
  double2 *const device[2] = {s->steps.first, s->steps.second};
  double *const of_gamma[2] = {s->steps.gamma_first, s->steps.gamma_second};
  cudaStream_t stream = s->session->stream;
  for (size_t half = 0; half < 2; half++) {
    if (!moments) {
      CUONN_CUDA(cudaMemsetAsync(device[half] + model * layers * places, 0, layers * places * sizeof(double2), stream));
      if (of_gamma[half])
        CUONN_CUDA(cudaMemsetAsync(of_gamma[half] + model * layers * n, 0, layers * n * sizeof(double), stream));
      continue;
    }
    for (size_t l = 0; l < layers; l++) {
      const double *const theta = moments + (half * layers + l) * parameters;
      CUONN_TRY(cuda_meshes_set_pairs(device[half], &s->meshes, model * layers + l, theta, theta + nodes, s->scratch,
                                      stream));
      if (!of_gamma[half]) continue;
      CUONN_CUDA(cudaMemcpyAsync(of_gamma[half] + (model * layers + l) * n, theta + 2 * nodes, n * sizeof(double),
                                 cudaMemcpyHostToDevice, stream));
    }
  }
  return CUONN_OK;
}

static cuonn_status take_model(cuda_state *s, size_t model, const backend_model *from) {
  cuda_model *const to = s->models + model;
  cudaStream_t stream = s->session->stream;
  static const cuonn_chip_options ideal = CUONN_CHIP_OPTIONS_INIT;
  const size_t layers = s->problem.shape.n_layers, n = s->problem.shape.n_modes;
  to->gradient = from->gradient;
  to->chip = from->chip ? *from->chip : ideal;
  for (size_t l = 0; l < layers; l++) {
    const cuonn_mesh *const mesh = from->network->layers + l;
    CUONN_TRY(cuonn_mesh_copy(to->network.layers + l, mesh));
    if (s->meshes.gamma) {
      CUONN_CUDA(cudaMemcpyAsync(s->meshes.gamma + (model * layers + l) * n, mesh->gamma, n * sizeof(double),
                                 cudaMemcpyHostToDevice, stream));
    }
    CUONN_TRY(cuda_meshes_set_pairs(s->meshes.phases, &s->meshes, model * layers + l, mesh->theta, mesh->phi,
                                    s->scratch, stream));
  }
  CUONN_TRY(cuda_outputs_set(s, model, from->network, from->moments));
  if (from->optimizer) to->optimizer = *from->optimizer;
  to->seed = from->seed;
  s->changed = true;
  if (s->problem.batch_size == 0) return CUONN_OK;

  CUONN_TRY(set_moments(s, model, from->moments));
  const optimizer_rule rule = {.sgd = to->optimizer.kind == CUONN_OPTIMIZER_SGD,
                               .gamma = from->train_gamma,
                               .momentum = to->optimizer.momentum,
                               .beta1 = to->optimizer.beta1,
                               .beta2 = to->optimizer.beta2,
                               .epsilon = to->optimizer.epsilon};
  CUONN_CUDA(cudaMemcpyAsync(s->steps.rules + model, &rule, sizeof rule, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemcpyAsync(s->steps.seeds + model, &to->seed, sizeof to->seed, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  s->steps.order_epoch = -1;
  return CUONN_OK;
}

cuonn_status cuda_set_model(void *state, size_t model, const backend_model *from) {
  cuda_state *const s = state;
  bool *const set = &s->models[model].set;
  CUONN_TRY(take_model(s, model, from));
  if (*set) return CUONN_OK;
  *set = true;
  /* once all are there: here, where too little memory for their chips costs no epoch */
  return ++s->n_set == s->problem.n_models && s->problem.batch_size > 0 ? cuda_prepare(s) : CUONN_OK;
}

/* n numbers of one mesh from the device; NULL there: they are 0. */
static cuonn_status get_outputs(double *to, const double *device, const cuda_state *s, size_t mesh) {
  const size_t n = s->problem.shape.n_modes;
  memset(to, 0, n * sizeof *to);
  if (!device) return CUONN_OK;
  CUONN_CUDA(cudaMemcpyAsync(to, device + mesh * n, n * sizeof *to, cudaMemcpyDeviceToHost, s->session->stream));
  CUONN_CUDA(cudaStreamSynchronize(s->session->stream));
  return CUONN_OK;
}

cuonn_status cuda_get_model(const backend_model *to, void *state, size_t model) {
  cuda_state *const s = state;
  const size_t layers = s->problem.shape.n_layers, nodes = s->meshes.n_nodes, n = s->problem.shape.n_modes;
  const size_t parameters = cuonn_network_parameters(&s->problem.shape);
  const double2 *const device[2] = {s->steps.first, s->steps.second};
  const double *const of_gamma[2] = {s->steps.gamma_first, s->steps.gamma_second};
  for (size_t l = 0; l < layers; l++) {
    cuonn_mesh *const mesh = to->network->layers + l;
    CUONN_TRY(cuda_meshes_get_pairs(mesh->theta, mesh->phi, &s->meshes, model * layers + l, s->meshes.phases,
                                    s->scratch, s->session->stream));
    memcpy(mesh->gamma, s->models[model].network.layers[l].gamma, n * sizeof *mesh->gamma);
    if (s->meshes.gamma) CUONN_TRY(get_outputs(mesh->gamma, s->meshes.gamma, s, model * layers + l));
    for (size_t half = 0; to->moments && half < 2; half++) {
      double *const theta = to->moments + (half * layers + l) * parameters;
      CUONN_TRY(cuda_meshes_get_pairs(theta, theta + nodes, &s->meshes, model * layers + l, device[half], s->scratch,
                                      s->session->stream));
      CUONN_TRY(get_outputs(theta + 2 * nodes, of_gamma[half], s, model * layers + l));
    }
  }
  return cuda_outputs_get(to->network, to->moments, s, model);
}
