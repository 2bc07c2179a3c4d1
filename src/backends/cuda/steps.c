/* Training steps and gradients: one loop for all methods.
 *
 * A step by columns is three kernels: loss and gradient of the batch (network.cu), sums over chunks and the optimizer
 * (optimizer.cu), coefficients of the nodes (coefficients.cu); a dense one has products and steps between them in place
 * of the first. Up to kGraphSteps steps are recorded as one graph, once,
 * and run by one launch; what differs from call to call (which examples, learning rate) lies in arrays on the device
 * that are written before. The host waits once a graph, for its losses. */
#include "cuda/steps.h"

#include <math.h>
#include <nvtx3/nvToolsExt.h>
#include <stdio.h>
#include <string.h>

#include "cuda/chip.h"
#include "cuda/graphs.h"
#include "cuda/methods.h"
#include "cuda/outputs.h"
#include "cuda/prepare.h"
#include "cuda/processes.h"
#include "cuda/products.h"
#include "mesh/node.h"

/* As many chunks as examples give, but where there are more than are worked on at once, whole waves of those: the last
 * wave would else be mostly empty. Only batches of more than kMostChunks passes come to that. */
static unsigned chunks_of(const cuda_state *s, size_t count) {
  const unsigned chunks = cuda_chunks(count, s->meshes.layout, s->problem.shape.n_layers);
  unsigned at_once = 0;
  if (chunks < kMostChunks || network_resident_chunks(&at_once, &s->meshes.view) != cudaSuccess) return chunks;
  return at_once > 0 && at_once < chunks ? chunks / at_once * at_once : chunks;
}

/* The k-th batch and its pieces. */
static void plan_batch(const cuda_state *s, size_t k, const cuonn_step *step) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n_pieces = s->steps.n_pieces, size = products_piece_size(s);
  const double classes = shape->loss_per_class ? (double)shape->n_classes : 1;
  network_batch *const batch = s->steps.pinned_batches + k * (1 + n_pieces);
  *batch = (network_batch){.first = (unsigned)step->first,
                           .count = (unsigned)step->count,
                           .n_chunks = chunks_of(s, step->count),
                           .share = 1 / ((double)step->count * classes),
                           .number = step->number};
  if (n_pieces > 1) batch->n_chunks = (unsigned)(s->steps.most_chunks / n_pieces * n_pieces);
  for (size_t i = 0; i < n_pieces; i++) {
    const size_t left = step->count > i * size ? step->count - i * size : 0;
    batch[1 + i] = *batch;
    batch[1 + i].first += (unsigned)(i * size);
    batch[1 + i].count = (unsigned)(left < size ? left : size);
    batch[1 + i].n_chunks = batch->n_chunks / (unsigned)n_pieces;
  }
}

/* What the method left: sums of parts, or, where processes share the batch, of all its chunks. */
static network_sums sums_of(const cuda_state *s, const cuda_method *method, const cuda_batch *b) {
  const node_arms arms = node_arms_of(s->problem.shape.style);
  network_sums sums = cuda_chunk_sums(s, b);
  sums.common_phi = node_phi_is_common(&arms);
  sums.phases_every = s->outputs.phases_every;
  if (method->sums == CUDA_SUMS_OF_COLUMNS) {
    sums.n_parts = (unsigned)s->steps.n_parts;
  } else if (!cuda_is_alone(&s->processes)) {
    sums.n_parts = 1;
    sums.gradient = (const float2 *)s->processes.shards;
  }
  return sums;
}

/* Whether a gradient by the applied phases is another one by the programmed phases. */
static bool pulls_back(const cuda_state *s, cuonn_gradient_method which) {
  return which != CUONN_GRADIENT_IDEAL && s->chip.mixes;
}

/* Gradients of gamma, [model][layer][N]; NULL: only moduli are read behind layers, and they are exactly 0. */
static const float *d_gamma_of(const cuda_state *s, cuonn_gradient_method which) {
  return cuonn_gradient_is_measured(which) ? s->in_situ.d_gamma : s->outputs.d_gamma;
}

/* Where gradients by the programmed phases are left, [model][layer][place]. */
static float2 *gradients_of(const cuda_state *s, cuonn_gradient_method which) {
  return pulls_back(s, which) ? s->steps.pulled : s->steps.derived;
}

/* Losses, and gradients by the programmed phases, from what a method left. at: place of the batch's first model in
 * gradients_of(). */
static cuonn_status launch_finish_gradient(const cuda_state *s, const cuda_method *method, const cuda_batch *b,
                                           size_t at) {
  const size_t first = at * s->problem.shape.n_layers * s->meshes.places;
  cudaStream_t stream = s->session->stream;
  if (method->sums != CUDA_WHOLE) {
    const network_sums sums = sums_of(s, method, b);
    CUONN_CUDA(launch_gradient(s->steps.derived + first, b->losses, &sums, stream));
  }
  if (!pulls_back(s, b->which)) return CUONN_OK;
  const phases_task task = cuda_phases_task(s, b->first, b->n_models);
  CUONN_CUDA(launch_pull_back(s->steps.pulled + first, s->steps.derived + first, &task, stream));
  return CUONN_OK;
}

/* ------------------------------------------------------------------------------------------------------------ steps */

/* The step of all models where gradients by the applied phases stand between the sums and the step. */
static cuonn_status launch_apart(const cuda_state *s, const cuda_method *method, const optimizer_step *step,
                                 const cuda_batch *batch) {
  const optimizer_state phases = cuda_phases_of(s);
  const gamma_state outputs = cuda_gamma_of(s);
  CUONN_TRY(launch_finish_gradient(s, method, batch, 0));
  CUONN_CUDA(launch_step(&phases, &outputs, step, gradients_of(s, batch->which), d_gamma_of(s, batch->which),
                         s->meshes.layout, (int)s->problem.shape.n_layers, (int)batch->n_models, s->session->stream));
  return cuda_outputs_step(s, step);
}

/* The k-th step of all models. Sums over chunks and the optimizer are one kernel where nothing stands between them. */
static cuonn_status launch_one(const cuda_state *s, const cuda_method *method, size_t k) {
  const size_t models = s->problem.n_models;
  const optimizer_step *const step = s->steps.steps + k * models;
  const bool apart = pulls_back(s, s->problem.gradient) || s->outputs.any;
  const cuda_batch batch = {.split = CUONN_SPLIT_TRAIN,
                            .examples = s->steps.batches + k * (1 + s->steps.n_pieces),
                            .n_models = models,
                            .which = s->problem.gradient,
                            .losses = s->steps.losses + k * models,
                            .steps = apart ? NULL : step};
  CUONN_TRY(method->gradient(s, &batch));
  if (apart) return launch_apart(s, method, step, &batch);
  if (method->sums == CUDA_WHOLE) return CUONN_OK; /* which took it */
  const network_sums sums = sums_of(s, method, &batch);
  const optimizer_state phases = cuda_phases_of(s);
  CUONN_CUDA(launch_update(batch.losses, &phases, step, &sums, s->session->stream));
  return CUONN_OK;
}

static cuonn_status launch_steps(const cuda_state *s, const cuda_work *work) {
  for (size_t k = 0; k < work->n_steps; k++) {
    CUONN_TRY(launch_one(s, work->method, k));
    CUONN_TRY(cuda_apply_step(s));
  }
  return CUONN_OK;
}

static void plan(cuda_state *s, const cuonn_step *steps, size_t n_steps) {
  const size_t models = s->problem.n_models;
  for (size_t k = 0; k < n_steps; k++) {
    plan_batch(s, k, steps + k);
    for (size_t m = 0; m < models; m++) {
      const cuonn_optimizer_options *const o = &s->models[m].optimizer;
      const double power = (double)(steps[k].adam_index + 1);
      s->steps.pinned_steps[k * models + m] = (optimizer_step){.rate = o->learning_rate * steps[k].rate_factor,
                                                               .correct1 = 1 / (1 - pow(o->beta1, power)),
                                                               .correct2 = 1 / (1 - pow(o->beta2, power))};
    }
  }
}

/* The order of an epoch, where it is shuffled. */
static cuonn_status make_order(cuda_state *s, uint32_t epoch) {
  cuda_steps *const steps = &s->steps;
  if (!steps->order || steps->order_epoch == epoch) return CUONN_OK;
  CUONN_CUDA(launch_order(steps->order, steps->seeds, (unsigned)s->sets[CUONN_SPLIT_TRAIN].n_examples, epoch,
                          (int)s->problem.n_models, s->session->stream));
  steps->order_epoch = epoch;
  return CUONN_OK;
}

/* Steps of one epoch, at most kGraphSteps. losses: [step][model]. */
static cuonn_status run_steps(double *losses, cuda_state *s, const cuonn_step *steps, size_t n_steps) {
  const cuda_steps *const on = &s->steps;
  const size_t updates = n_steps * s->problem.n_models;
  cudaStream_t stream = s->session->stream;
  const cuda_work work = {.kind = CUDA_STEPS,
                          .method = cuda_method_of(&s->problem, s->problem.gradient),
                          .n_models = s->problem.n_models,
                          .n_steps = n_steps};
  plan(s, steps, n_steps);
  CUONN_TRY(make_order(s, steps[0].epoch));
  CUONN_CUDA(cudaMemcpyAsync(on->batches, on->pinned_batches, n_steps * (1 + on->n_pieces) * sizeof *on->batches,
                             cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemcpyAsync(on->steps, on->pinned_steps, updates * sizeof *on->steps, cudaMemcpyHostToDevice, stream));
  CUONN_TRY(cuda_run(s, &work, launch_steps));
  s->stale = s->ideal.phases != NULL;
  CUONN_CUDA(cudaMemcpyAsync(on->pinned_losses, on->losses, updates * sizeof *losses, cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  memcpy(losses, on->pinned_losses, updates * sizeof *losses);
  return CUONN_OK;
}

/* Steps from `first` on that go into one graph. */
static size_t together(const cuonn_step *steps, size_t first, size_t n_steps) {
  size_t count = 1;
  while (first + count < n_steps && count < kGraphSteps && steps[first + count].epoch == steps[first].epoch) count++;
  return count;
}

cuonn_status cuda_train_steps(double *losses, void *state, const cuonn_step *steps, size_t n_steps) {
  cuda_state *const s = state;
  char name[32];
  cuonn_status status = cuda_prepare(s);
  if (n_steps > 0) s->chip.steps_done = steps[n_steps - 1].number + 1;
  for (size_t first = 0, count; status == CUONN_OK && first < n_steps; first += count) {
    count = together(steps, first, n_steps);
    snprintf(name, sizeof name, "epoch %u", (unsigned)steps[first].epoch + 1);
    nvtxRangePushA(name);
    status = run_steps(losses + first * s->problem.n_models, s, steps + first, count);
    nvtxRangePop();
  }
  return status;
}

/* --------------------------------------------------------------------------------------------------------- gradient */

/* Gradients of models, or of as many at a time as there is room for. */
static cuonn_status launch_gradients(const cuda_state *s, const cuda_work *work) {
  const size_t at_once = cuonn_gradient_is_measured(work->which) ? work->n_models : s->steps.most_models;
  for (size_t at = 0, count; at < work->n_models; at += count) {
    const size_t left = work->n_models - at;
    count = left < at_once ? left : at_once;
    const cuda_batch batch = {.split = work->split,
                              .examples = s->steps.batches,
                              .first = work->first + at,
                              .n_models = count,
                              .which = work->which,
                              .losses = s->steps.losses + at};
    CUONN_TRY(work->method->gradient(s, &batch));
    CUONN_TRY(launch_finish_gradient(s, work->method, &batch, at));
  }
  return CUONN_OK;
}

/* One layer. gamma, amplitude: [N]; NULL: their gradients are exactly 0. */
static void take_gradient(cuonn_mesh_gradient *to, const float2 *from, const float *gamma, const float *amplitude,
                          const cuda_state *s) {
  const cuda_meshes *const meshes = &s->meshes;
  for (size_t k = 0; k < meshes->n_nodes; k++) {
    to->d_theta[k] = (double)from[meshes->place[k]].x;
    to->d_phi[k] = (double)from[meshes->place[k]].y;
  }
  for (size_t w = 0; w < s->problem.shape.n_modes; w++) {
    to->d_gamma[w] = gamma ? (double)gamma[w] : 0;
    if (to->d_amplitude) to->d_amplitude[w] = amplitude ? (double)amplitude[w] : 0;
  }
}

/* Losses and gradients of a work, which are waited for. */
static cuonn_status take_gradients(double *losses, cuonn_mesh_gradient *gradients, cuda_state *s,
                                   const cuda_work *work) {
  const size_t places = s->meshes.places, n = s->problem.shape.n_modes;
  const size_t meshes = work->n_models * s->problem.shape.n_layers;
  const float *const d_gamma = d_gamma_of(s, work->which), *const d_amplitude = s->outputs.d_amplitude;
  float2 *const host = s->steps.pinned_gradients.data;
  float *const gamma = d_gamma ? (float *)(host + meshes * places) : NULL;
  float *const amplitude = d_amplitude ? gamma + meshes * n : NULL;
  cudaStream_t stream = s->session->stream;
  CUONN_CUDA(cudaMemcpyAsync(s->steps.pinned_losses, s->steps.losses, work->n_models * sizeof *losses,
                             cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaMemcpyAsync(host, gradients_of(s, work->which), meshes * places * sizeof *host, cudaMemcpyDeviceToHost,
                             stream));
  if (gamma) CUONN_CUDA(cudaMemcpyAsync(gamma, d_gamma, meshes * n * sizeof *gamma, cudaMemcpyDeviceToHost, stream));
  if (amplitude) {
    CUONN_CUDA(cudaMemcpyAsync(amplitude, d_amplitude, meshes * n * sizeof *gamma, cudaMemcpyDeviceToHost, stream));
  }
  CUONN_CUDA(cudaStreamSynchronize(stream));
  memcpy(losses, s->steps.pinned_losses, work->n_models * sizeof *losses);
  for (size_t i = 0; i < meshes; i++) {
    take_gradient(gradients + i, host + i * places, gamma ? gamma + i * n : NULL, amplitude ? amplitude + i * n : NULL,
                  s);
  }
  return CUONN_OK;
}

cuonn_status cuda_gradient(double *losses, cuonn_mesh_gradient *gradients, void *state, size_t first, size_t n_models,
                           cuonn_split split, const cuonn_step *step, cuonn_gradient_method which) {
  cuda_state *const s = state;
  const cuonn_gradient_method asked = which == CUONN_GRADIENT_EXACT ? which : s->problem.gradient;
  const cuda_work work = {.kind = CUDA_GRADIENT,
                          .method = cuda_method_of(&s->problem, asked),
                          .first = first,
                          .n_models = n_models,
                          .split = split,
                          .which = asked};
  const size_t each = s->meshes.places * sizeof(float2) + 2 * s->problem.shape.n_modes * sizeof(float);
  cudaStream_t stream = s->session->stream;
  CUONN_TRY(asked == CUONN_GRADIENT_IDEAL ? cuda_prepare(s) : cuda_prepare_chip(s));
  CUONN_TRY(cuda_widen_pinned(&s->steps.pinned_gradients, n_models * s->problem.shape.n_layers, each, stream));
  if (split == CUONN_SPLIT_TRAIN) CUONN_TRY(make_order(s, step->epoch));
  plan_batch(s, 0, step);
  CUONN_CUDA(cudaMemcpyAsync(s->steps.batches, s->steps.pinned_batches, (1 + s->steps.n_pieces) * sizeof(network_batch),
                             cudaMemcpyHostToDevice, stream));
  CUONN_TRY(cuda_run(s, &work, launch_gradients));
  return take_gradients(losses, gradients, s, &work);
}
