/* Training steps, gradients and evaluation: one loop for all methods.
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

#include "chip/noise.h"
#include "cuda/methods.h"
#include "cuda/prepare.h"
#include "mesh/node.h"

/* As many chunks as examples give, but where there are more than are worked on at once, whole waves of those: the last
 * wave would else be mostly empty. Only batches of more than kMostChunks passes come to that. */
static unsigned chunks_of(const cuda_state *s, size_t count) {
  const unsigned chunks = cuda_chunks(count, s->meshes.layout, s->problem.shape.n_layers);
  unsigned at_once = 0;
  if (chunks < kMostChunks || network_resident_chunks(&at_once, &s->meshes.view) != cudaSuccess) return chunks;
  return at_once > 0 && at_once < chunks ? chunks / at_once * at_once : chunks;
}

static network_batch plan_batch(const cuda_state *s, size_t first, size_t count, uint32_t number) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const double classes = shape->loss_per_class ? (double)shape->n_classes : 1;
  return (network_batch){.first = (unsigned)first,
                         .count = (unsigned)count,
                         .n_chunks = chunks_of(s, count),
                         .share = 1 / ((double)count * classes),
                         .number = number};
}

static network_sums sums_of(const cuda_state *s, const cuda_method *method, const cuda_batch *b) {
  const node_arms arms = node_arms_of(s->problem.shape.style);
  return (network_sums){.layout = s->meshes.layout,
                        .n_layers = (int)s->problem.shape.n_layers,
                        .n_models = (int)b->n_models,
                        .n_parts = method->sums == CUDA_SUMS_OF_COLUMNS ? (unsigned)s->steps.n_parts : 0,
                        .common_phi = node_phi_is_common(&arms),
                        .gradient = s->steps.gradient,
                        .losses = cuda_losses_of(s, b)};
}

/* Whether a gradient by the applied phases is another one by the programmed phases. */
static bool pulls_back(const cuda_state *s, cuonn_gradient_method which) {
  return which != CUONN_GRADIENT_IDEAL && s->chip.mixes;
}

/* Losses, and gradients by the programmed phases, from what a method left. */
static cuonn_status launch_finish_gradient(const float2 **gradient, const cuda_state *s, const cuda_method *method,
                                           const cuda_batch *b) {
  cudaStream_t stream = s->session->stream;
  *gradient = s->steps.derived;
  if (method->sums != CUDA_WHOLE) {
    const network_sums sums = sums_of(s, method, b);
    CUONN_CUDA(launch_gradient(s->steps.derived, b->losses, &sums, stream));
  }
  if (!pulls_back(s, b->which)) return CUONN_OK;
  CUONN_CUDA(launch_pull_back(s->steps.pulled, s->steps.derived, s->chip.errors + b->first, s->meshes.layout,
                              (int)s->problem.shape.n_layers, (int)b->n_models, stream));
  *gradient = s->steps.pulled;
  return CUONN_OK;
}

/* ----------------------------------------------------------------------------------------------------------- graphs */

/* The step of all models where gradients by the applied phases stand between the sums and the step. */
static cuonn_status launch_apart(const cuda_state *s, const cuda_method *method, const optimizer_step *step,
                                 const cuda_batch *batch) {
  const optimizer_state phases = cuda_phases_of(s);
  const gamma_state outputs = cuda_gamma_of(s);
  const float2 *gradient;
  CUONN_TRY(launch_finish_gradient(&gradient, s, method, batch));
  CUONN_CUDA(launch_step(&phases, &outputs, step, gradient, s->in_situ.d_gamma, s->meshes.layout,
                         (int)s->problem.shape.n_layers, (int)batch->n_models, s->session->stream));
  return CUONN_OK;
}

/* The k-th step of all models. Sums over chunks and the optimizer are one kernel where nothing stands between them. */
static cuonn_status launch_one(const cuda_state *s, const cuda_method *method, size_t k) {
  const size_t models = s->problem.n_models;
  const optimizer_step *const step = s->steps.steps + k * models;
  const bool apart = pulls_back(s, s->problem.gradient);
  const cuda_batch batch = {.split = CUONN_SPLIT_TRAIN,
                            .examples = s->steps.batches + k,
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

static cuonn_status launch_steps(const cuda_state *s, const cuda_method *method, size_t n_steps) {
  for (size_t k = 0; k < n_steps; k++) {
    CUONN_TRY(launch_one(s, method, k));
    CUONN_TRY(cuda_apply(s));
  }
  return CUONN_OK;
}

/* Records n_steps steps in place of the older graph. */
static cuonn_status record(cuda_state *s, const cuda_method *method, size_t n_steps) {
  cuonn_status status = CUONN_OK;
  cudaGraph_t graph = NULL;
  cuda_graph made = {.method = method, .n_steps = n_steps};
  CUONN_CUDA(cudaStreamBeginCapture(s->session->stream, cudaStreamCaptureModeThreadLocal));
  const cuonn_status launched = launch_steps(s, method, n_steps);
  const cudaError_t ended = cudaStreamEndCapture(s->session->stream, &graph);
  CUONN_TRY_DONE(launched);
  CUONN_CUDA_DONE(ended);
  CUONN_CUDA_DONE(cudaGraphInstantiate(&made.exec, graph, 0));
  if (s->graphs[kGraphs - 1].exec) (void)cudaGraphExecDestroy(s->graphs[kGraphs - 1].exec);
  memmove(s->graphs + 1, s->graphs, (kGraphs - 1) * sizeof *s->graphs);
  s->graphs[0] = made;
done:
  if (graph) (void)cudaGraphDestroy(graph);
  return status;
}

static cuonn_status find_graph(cudaGraphExec_t *out, cuda_state *s, const cuda_method *method, size_t n_steps) {
  for (int i = 0; i < kGraphs; i++) {
    const cuda_graph *const graph = s->graphs + i;
    *out = graph->exec;
    if (graph->exec && graph->method == method && graph->n_steps == n_steps) return CUONN_OK;
  }
  CUONN_TRY(record(s, method, n_steps));
  *out = s->graphs[0].exec;
  return CUONN_OK;
}

/* ------------------------------------------------------------------------------------------------------------ steps */

static void plan(cuda_state *s, const cuonn_step *steps, size_t n_steps) {
  const size_t models = s->problem.n_models;
  for (size_t k = 0; k < n_steps; k++) {
    s->steps.pinned_batches[k] = plan_batch(s, steps[k].first, steps[k].count, steps[k].number);
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
  cudaGraphExec_t graph;
  CUONN_TRY(find_graph(&graph, s, cuda_method_of(&s->problem, s->problem.gradient), n_steps));
  plan(s, steps, n_steps);
  CUONN_TRY(make_order(s, steps[0].epoch));
  CUONN_CUDA(
      cudaMemcpyAsync(on->batches, on->pinned_batches, n_steps * sizeof *on->batches, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemcpyAsync(on->steps, on->pinned_steps, updates * sizeof *on->steps, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaGraphLaunch(graph, stream));
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

/* Theta and phi of one layer, from the device's [place]. */
static void take_gradient(cuonn_mesh_gradient *to, const float2 *from, const cuda_meshes *meshes) {
  for (size_t k = 0; k < meshes->n_nodes; k++) {
    to->d_theta[k] = (double)from[meshes->place[k]].x;
    to->d_phi[k] = (double)from[meshes->place[k]].y;
  }
}

/* Gamma of one layer; NULL: only moduli are read behind it, and its gradient is exactly 0. */
static cuonn_status take_gamma(cuonn_mesh_gradient *to, const float *from, const cuda_state *s) {
  const size_t n = s->problem.shape.n_modes;
  float *const host = (float *)s->scratch;
  memset(to->d_gamma, 0, n * sizeof *to->d_gamma);
  if (!from) return CUONN_OK;
  CUONN_CUDA(cudaMemcpyAsync(host, from, n * sizeof *host, cudaMemcpyDeviceToHost, s->session->stream));
  CUONN_CUDA(cudaStreamSynchronize(s->session->stream));
  for (size_t w = 0; w < n; w++) to->d_gamma[w] = (double)host[w];
  return CUONN_OK;
}

cuonn_status cuda_gradient(double *loss, cuonn_mesh_gradient *gradients, void *state, size_t model, cuonn_split split,
                           const cuonn_step *step, cuonn_gradient_method which) {
  cuda_state *const s = state;
  const size_t layers = s->problem.shape.n_layers, places = s->meshes.places, n = s->problem.shape.n_modes;
  const network_batch examples = plan_batch(s, step->first, step->count, step->number);
  const cuda_batch batch = {.split = split,
                            .examples = s->steps.batches,
                            .first = model,
                            .n_models = 1,
                            .which = which,
                            .losses = s->steps.losses};
  const cuda_method *const method = cuda_method_of(&s->problem, which);
  const float *const d_gamma = cuonn_gradient_is_measured(which) ? s->in_situ.d_gamma : NULL;
  float2 *const host = (float2 *)s->scratch; /* twice as large as needed */
  const float2 *device;
  cudaStream_t stream = s->session->stream;
  CUONN_TRY(cuda_prepare(s));
  if (split == CUONN_SPLIT_TRAIN) CUONN_TRY(make_order(s, step->epoch));
  CUONN_CUDA(cudaMemcpyAsync(s->steps.batches, &examples, sizeof examples, cudaMemcpyHostToDevice, stream));
  CUONN_TRY(method->gradient(s, &batch));
  CUONN_TRY(launch_finish_gradient(&device, s, method, &batch));
  CUONN_CUDA(cudaMemcpyAsync(loss, s->steps.losses, sizeof *loss, cudaMemcpyDeviceToHost, stream));
  for (size_t l = 0; l < layers; l++) {
    CUONN_CUDA(cudaMemcpyAsync(host, device + l * places, places * sizeof *host, cudaMemcpyDeviceToHost, stream));
    CUONN_CUDA(cudaStreamSynchronize(stream));
    take_gradient(gradients + l, host, &s->meshes);
    CUONN_TRY(take_gamma(gradients + l, d_gamma ? d_gamma + l * n : NULL, s));
  }
  return CUONN_OK;
}

cuonn_status cuda_evaluate(cuonn_evaluation *out, void *state, size_t model, cuonn_split split) {
  cuda_state *const s = state;
  const cuda_method *const method =
      chip_reads_exactly(&s->models[model].chip) ? cuda_exact_method(&s->problem) : &cuda_in_situ;
  nvtxRangePushA("evaluate");
  cuonn_status status = cuda_prepare(s);
  if (status == CUONN_OK) status = method->evaluate(out, s, model, s->sets + split);
  nvtxRangePop();
  return status;
}
