/* What an optimizer's step moves and by which rule, the losses of a batch, and both as the kernels at the end of a step
 * compute them. */
#ifndef CUONN_KERNELS_UPDATE_H
#define CUONN_KERNELS_UPDATE_H

#include <cuda_runtime.h>

#include "network.h"

/* Rule of one model: sgd with momentum, or Adam (docs/physics.md, eq. 19, 20). */
typedef struct {
  bool sgd;
  bool gamma; /* the phases at the outputs are trained too */
  double momentum, beta1, beta2, epsilon;
} optimizer_rule;

/* Of one step and model: the learning rate, and Adam's 1 / (1 - beta^(j + 1)). */
typedef struct {
  double rate, correct1, correct2;
} optimizer_step;

/* Phases and moments, [model][layer][place] theta, phi in double, as checkpoints hold them. */
typedef struct {
  double2 *phases, *first, *second;
  const optimizer_rule *rules; /* [model] */
} optimizer_state;

/* The same of gamma, [model][layer][N], for the models that train it. */
typedef struct {
  double *gamma, *first, *second; /* NULL: no model has any */
  const optimizer_rule *rules;    /* [model] */
} gamma_state;

/* Losses of the chunks of a batch. Arrays are on the device. */
typedef struct {
  const double *chunks; /* [model][chunk] */
  unsigned most_chunks;
  const network_batch *batch;
} loss_sums;

#ifdef __cplusplus
#include "device.h"

DEVICE void update(double &phase, double &first, double &second, double g, const optimizer_rule &rule,
                   const optimizer_step &step) {
  if (rule.sgd) {
    first = rule.momentum * first + g;
    phase -= step.rate * first;
  } else {
    first = rule.beta1 * first + (1 - rule.beta1) * g;
    second = rule.beta2 * second + (1 - rule.beta2) * g * g;
    phase -= step.rate * (first * step.correct1) / (sqrt(second * step.correct2) + rule.epsilon);
  }
}

/* Theta and phi of a node of this model with what moves them: may be read before the gradient is there. at:
 * [model][layer][place]. */
struct node_state {
  optimizer_rule rule;
  optimizer_step step;
  double2 phase, first, second;

  DEVICE void read(const optimizer_state &state, const optimizer_step *steps, unsigned model, size_t at) {
    rule = state.rules[model];
    step = steps[model];
    phase = state.phases[at];
    first = state.first[at];
    second = state.second[at];
  }
  DEVICE void move(const optimizer_state &state, size_t at, float2 g) {
    update(phase.x, first.x, second.x, g.x, rule, step);
    update(phase.y, first.y, second.y, g.y, rule, step);
    state.phases[at] = phase;
    state.first[at] = first;
    state.second[at] = second;
  }
};

DEVICE void update_node(const optimizer_state &state, const optimizer_step *steps, unsigned model, size_t at,
                        float2 g) {
  node_state node;
  node.read(state, steps, model, at);
  node.move(state, at, g);
}

/* Gamma of an output, if this model trains it; at: [model][layer][N]. */
DEVICE void update_output(const gamma_state &state, const optimizer_step *steps, unsigned model, size_t at, float g) {
  const optimizer_rule rule = state.rules[model];
  if (rule.gamma) update(state.gamma[at], state.first[at], state.second[at], g, rule, steps[model]);
}

/* Mean loss of a model, by one warp. */
DEVICE void sum_losses(double *loss, const loss_sums &sums, unsigned model) {
  constexpr unsigned reads = 4; /* under way at once */
  const double *const from = sums.chunks + static_cast<size_t>(model) * sums.most_chunks;
  const unsigned lane = threadIdx.x % CUONN_WARP, n_chunks = sums.batch->n_chunks;
  const double share = sums.batch->share;
  double sum = 0;
  for (unsigned first = lane; first < n_chunks; first += reads * CUONN_WARP) {
    double values[reads];
#pragma unroll
    for (unsigned i = 0; i < reads; i++)
      values[i] = first + i * CUONN_WARP < n_chunks ? from[first + i * CUONN_WARP] : 0;
#pragma unroll
    for (unsigned i = 0; i < reads; i++) sum += values[i];
  }
  sum = warp_sum(sum);
  if (lane == 0) loss[model] = sum * share;
}
#endif
#endif
