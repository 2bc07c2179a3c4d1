#include "cuda/outputs.h"

#include "network/layer.h"

cuonn_status cuda_outputs_create(cuda_state *s) {
  const backend_problem *const p = &s->problem;
  cuda_outputs *const to = &s->outputs;
  cuda_memory *const memory = &to->memory;
  const size_t count = p->n_models * p->shape.n_layers * p->shape.n_modes;
  const bool amplitudes = p->shape.layer != CUONN_LAYER_UNITARY, phases = network_keeps_phases(&p->shape);
  to->amplitudes_every = !amplitudes ? 0 : p->shape.layer == CUONN_LAYER_SVD ? 2 : 1;
  to->phases_every = !phases ? 0 : cuonn_nonlinearity_keeps_phase(p->shape.nonlinearity.kind) ? 1 : 2;
  to->any = amplitudes || phases;
  if (amplitudes) CUONN_TRY(cuda_allocate(&to->amplitudes, memory, count, sizeof(double), "the amplitudes"));
  if (!to->any || p->batch_size == 0) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&to->d_gamma, memory, count, sizeof(float), "the gradients of a batch"));
  CUONN_TRY(cuda_allocate(&to->d_amplitude, memory, count, sizeof(float), "the gradients of a batch"));
  if (!amplitudes) return CUONN_OK;
  CUONN_TRY(cuda_allocate(&to->first, memory, count, sizeof(double), "the moments"));
  return cuda_allocate(&to->second, memory, count, sizeof(double), "the moments");
}

/* Numbers of one model, [layer][N], and of one of its layers. */
static size_t count_of(const cuda_state *s) { return s->problem.shape.n_layers * s->problem.shape.n_modes; }

/* Where amplitudes stand in a half of the moments of a layer. */
static size_t moments_at(const cuda_state *s, size_t half, size_t layer) {
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t parameters = cuonn_network_parameters(shape);
  return (half * shape->n_layers + layer) * parameters + parameters - shape->n_modes;
}

cuonn_status cuda_outputs_set(const cuda_state *s, size_t model, const cuonn_network *network, const double *moments) {
  const size_t n = s->problem.shape.n_modes, first = model * count_of(s), bytes = count_of(s) * sizeof(double);
  double *const device[2] = {s->outputs.first, s->outputs.second};
  cudaStream_t stream = s->session->stream;
  if (!s->outputs.amplitudes) return CUONN_OK;
  CUONN_CUDA(
      cudaMemcpyAsync(s->outputs.amplitudes + first, network->amplitudes, bytes, cudaMemcpyHostToDevice, stream));
  for (size_t half = 0; half < 2 && device[half]; half++) {
    if (!moments) CUONN_CUDA(cudaMemsetAsync(device[half] + first, 0, bytes, stream));
    for (size_t l = 0; moments && l < s->problem.shape.n_layers; l++) {
      CUONN_CUDA(cudaMemcpyAsync(device[half] + first + l * n, moments + moments_at(s, half, l), n * sizeof(double),
                                 cudaMemcpyHostToDevice, stream));
    }
  }
  return CUONN_OK;
}

cuonn_status cuda_outputs_get(cuonn_network *network, double *moments, const cuda_state *s, size_t model) {
  const size_t n = s->problem.shape.n_modes, first = model * count_of(s);
  const double *const device[2] = {s->outputs.first, s->outputs.second};
  cudaStream_t stream = s->session->stream;
  if (!s->outputs.amplitudes) return CUONN_OK;
  CUONN_CUDA(cudaMemcpyAsync(network->amplitudes, s->outputs.amplitudes + first, count_of(s) * sizeof(double),
                             cudaMemcpyDeviceToHost, stream));
  for (size_t i = 0; moments && i < 2 * s->problem.shape.n_layers; i++) {
    const size_t half = i / s->problem.shape.n_layers, l = i % s->problem.shape.n_layers;
    CUONN_CUDA(cudaMemcpyAsync(moments + moments_at(s, half, l), device[half] + first + l * n, n * sizeof(double),
                               cudaMemcpyDeviceToHost, stream));
  }
  CUONN_CUDA(cudaStreamSynchronize(stream));
  return CUONN_OK;
}

output_factors cuda_outputs_factors(const cuda_state *s, const cuda_meshes *meshes, size_t first, size_t n_models) {
  const cuda_outputs *const o = &s->outputs;
  const size_t at = first * count_of(s);
  return (output_factors){.n_modes = (int)s->problem.shape.n_modes,
                          .stride = (int)s->stride,
                          .n_layers = (int)s->problem.shape.n_layers,
                          .n_models = (int)n_models,
                          .turns = o->phases_every > 0 ? meshes->turns + at : NULL,
                          .amplitudes = o->amplitudes ? o->amplitudes + at : NULL,
                          .phases_every = o->phases_every,
                          .amplitudes_every = o->amplitudes_every};
}

cuonn_status cuda_outputs_step(const cuda_state *s, const optimizer_step *steps) {
  const cuda_outputs *const o = &s->outputs;
  const output_factors factors = cuda_outputs_factors(s, &s->meshes, 0, s->problem.n_models);
  const amplitude_state state = {o->amplitudes, o->first, o->second, s->steps.rules, s->problem.shape.amplitude_limit};
  if (!o->amplitudes) return CUONN_OK;
  CUONN_CUDA(launch_amplitudes(&state, steps, o->d_amplitude, &factors, s->session->stream));
  return CUONN_OK;
}
