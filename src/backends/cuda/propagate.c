/* One mesh, from and to the doubles of a call: fields node by node or stage by stage, and the vector-Jacobian
 * product. */
#include "cuda/propagate.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cuda/methods.h"
#include "cuda/sets.h"
#include "kernels/columns.h"
#include "kernels/network.h"
#include "kernels/optimizer.h"

void cuda_single_close(cuda_single *one) {
  if (one->session) (void)cudaStreamSynchronize(one->session->stream);
  cuda_memory_free(&one->memory);
  cuda_meshes_free(&one->meshes);
  cuda_session_close(one->session);
  memset(one, 0, sizeof *one);
}

cuonn_status cuda_single_open(cuda_single *out, const cuonn_mesh *mesh, bool by_stages) {
  const size_t n = mesh->n_modes;
  cuonn_status status = CUONN_OK;
  double2 *scratch = NULL;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuda_check_shape(&cuda_columns, mesh->shape));
  CUONN_TRY_DONE(cuda_session_open(&out->session));
  cudaStream_t stream = out->session->stream;
  cuda_meshes *const m = &out->meshes;
  CUONN_TRY_DONE(cuda_meshes_create(m, 1, mesh->shape, mesh->style, true, out->session));
  out->stride = (size_t)mesh_stride(m->layout);
  CUONN_TRY_DONE(cuonn_allocate(&scratch, m->places, sizeof *scratch));
  CUONN_TRY_DONE(cuda_meshes_set_pairs(m->phases, m, 0, mesh->theta, mesh->phi, scratch, stream));
  CUONN_CUDA_DONE(cudaMemcpyAsync(m->gamma, mesh->gamma, n * sizeof(double), cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
  if (by_stages) {
    CUONN_TRY_DONE(cuda_allocate(&out->stages, &out->memory, m->places * 3, sizeof(float4), "the coefficients"));
    CUONN_TRY_DONE(cuda_meshes_set_constants(m, &mesh, stream));
    CUONN_CUDA_DONE(
        launch_stage_nodes(out->stages, m->turns, m->phases, m->gamma, m->constants, m->layout, m->arms, stream));
  } else {
    CUONN_TRY_DONE(cuda_meshes_set_errors(m, &mesh, stream));
    CUONN_TRY_DONE(cuda_meshes_fill(m, stream));
  }
done:
  free(scratch);
  if (status != CUONN_OK) cuda_single_close(out);
  return status;
}

/* Examples whose fields, and `more` times as many at taps, take no more than 256 MiB. */
static size_t examples_at_once(size_t n_examples, size_t stride, size_t more) {
  const size_t fit = ((size_t)256 << 20) / (stride * sizeof(float2) * (2 + more));
  return fit < 1 ? 1 : fit < n_examples ? fit : n_examples;
}

/* The five arrays of taps in the order of light. */
static void list_taps(double *list[5], const cuonn_taps *taps) {
  static const cuonn_taps none;
  const cuonn_taps *const t = taps ? taps : &none;
  list[0] = t->before_phi;
  list[1] = t->after_phi;
  list[2] = t->before_theta;
  list[3] = t->after_theta;
  list[4] = t->after_coupler;
}

/* One tap of some examples, from the device's [column][count] to the host's [column][n_examples]. */
static cuonn_status take_tap(double *to, const float2 *from, const cuonn_mesh_shape *shape, const cuda_single *one,
                             size_t first, size_t count, size_t n_examples) {
  const size_t n = shape->n_modes;
  for (size_t c = 0; c < shape->n_columns; c++) {
    CUONN_TRY(cuda_download(to + 2 * (c * n_examples + first) * n,
                            from + (c + one->meshes.first_column) * count * one->stride, count, n, one->stride,
                            one->session->stream));
  }
  return CUONN_OK;
}

cuonn_status cuda_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                            const cuonn_buffer *in, bool backward, int threads) {
  (void)threads;
  const size_t n = mesh->n_modes, n_examples = in->count / n;
  const double *const from = in->data;
  double *const to = out->data;
  cuonn_status status = CUONN_OK;
  cuda_single one = {0};
  double *wanted[5];
  stage_taps device = {{NULL}};
  float2 *x = NULL, *y = NULL;
  size_t n_taps = 0;
  list_taps(wanted, taps);
  for (int t = 0; t < 5; t++) n_taps += wanted[t] != NULL;
  CUONN_TRY_DONE(cuda_single_open(&one, mesh, n_taps > 0));
  CUONN_CHECK_DONE(n_taps == 0 || one.meshes.aligned, CUONN_E_SHAPE,
                   "backend cuda has taps only in meshes whose columns have even and odd top waveguides in turn; use "
                   "backend cpu");
  const size_t n_columns = (size_t)one.meshes.layout.n_columns;
  const size_t at_once = examples_at_once(n_examples, one.stride, n_taps * n_columns);
  cudaStream_t stream = one.session->stream;
  CUONN_TRY_DONE(cuda_allocate(&x, &one.memory, at_once * one.stride, sizeof *x, "the fields"));
  CUONN_TRY_DONE(cuda_allocate(&y, &one.memory, at_once * one.stride, sizeof *y, "the fields"));
  CUONN_CUDA_DONE(cudaMemsetAsync(x, 0, at_once * one.stride * sizeof *x, stream)); /* the waveguide beyond an odd N */
  for (int t = 0; t < 5; t++) {
    if (!wanted[t]) continue;
    CUONN_TRY_DONE(cuda_allocate(&device.at[t], &one.memory, n_columns * at_once * one.stride, sizeof *x,
                                 "the fields at the taps"));
  }

  for (size_t first = 0; first < n_examples; first += at_once) {
    const size_t left = n_examples - first, count = left < at_once ? left : at_once;
    CUONN_TRY_DONE(cuda_upload(x, from + 2 * first * n, count, n, one.stride, stream));
    if (n_taps > 0) {
      CUONN_CUDA_DONE(
          launch_stages(y, device, one.stages, one.meshes.turns, one.meshes.layout, x, (int)count, backward, stream));
    } else {
      CUONN_CUDA_DONE(launch_columns(y, &one.meshes.view, 1, x, (int)count, backward, true, stream));
    }
    CUONN_TRY_DONE(cuda_download(to + 2 * first * n, y, count, n, one.stride, stream));
    for (int t = 0; t < 5; t++) {
      if (wanted[t]) {
        CUONN_TRY_DONE(take_tap(wanted[t], device.at[t], mesh->shape, &one, first, count, n_examples));
      }
    }
  }
done:
  cuda_single_close(&one);
  return status;
}

/* Device arrays of one vector-Jacobian product. */
static cuonn_status make_task(vjp_task *task, cuda_single *one, size_t n_examples, bool with_backward) {
  cuda_memory *const memory = &one->memory;
  const mesh_layout layout = one->meshes.layout;
  const size_t fields = n_examples * one->stride, chunks = cuda_chunks(n_examples, layout, 1);
  float2 *input;
  *task = (vjp_task){.n_examples = (int)n_examples, .n_chunks = (int)chunks};
  CUONN_TRY(cuda_allocate(&task->gradient, memory, chunks * one->meshes.places, sizeof(float2), "the gradients"));
  CUONN_TRY(cuda_allocate(&task->d_gamma, memory, chunks * (size_t)layout.n_modes, sizeof(float), "the gradients"));
  CUONN_TRY(cuda_allocate(&input, memory, fields, sizeof(float2), "the fields"));
  CUONN_TRY(cuda_allocate(&task->cotangent, memory, fields, sizeof(float2), "the fields"));
  CUONN_CUDA(cudaMemsetAsync(input, 0, fields * sizeof(float2), one->session->stream));
  CUONN_CUDA(cudaMemsetAsync(task->cotangent, 0, fields * sizeof(float2), one->session->stream));
  if (with_backward) CUONN_TRY(cuda_allocate(&task->backward, memory, fields, sizeof(float2), "the fields"));
  if (one->meshes.starts) {
    const size_t size = network_kept_size(layout, 1, chunks, 1, (size_t)one->meshes.view.n_segments);
    CUONN_TRY(
        cuda_allocate(&task->kept, memory, size, sizeof(float2), "the fields that lossy nodes need on the way back"));
  }
  task->input = input;
  return CUONN_OK;
}

/* Sums of the chunks' theta and phi on the device, in order. */
static cuonn_status sum_gradient(float2 *host, cuda_single *one, const vjp_task *task) {
  const network_batch batch = {.n_chunks = (unsigned)task->n_chunks};
  const size_t places = one->meshes.places;
  cudaStream_t stream = one->session->stream;
  network_batch *device_batch;
  float2 *sum;
  double *losses; /* of which there are none */
  CUONN_TRY(cuda_allocate(&device_batch, &one->memory, 1, sizeof batch, "the gradients"));
  CUONN_TRY(cuda_allocate(&sum, &one->memory, places, sizeof *sum, "the gradients"));
  CUONN_TRY(cuda_allocate(&losses, &one->memory, (size_t)task->n_chunks + 1, sizeof *losses, "the gradients"));
  CUONN_CUDA(cudaMemsetAsync(losses, 0, ((size_t)task->n_chunks + 1) * sizeof *losses, stream));
  CUONN_CUDA(cudaMemcpyAsync(device_batch, &batch, sizeof batch, cudaMemcpyHostToDevice, stream));
  const network_sums sums = {.layout = one->meshes.layout,
                             .n_layers = 1,
                             .n_models = 1,
                             .most_chunks = (unsigned)task->n_chunks,
                             .batch = device_batch,
                             .gradient = task->gradient,
                             .losses = losses + 1};
  CUONN_CUDA(launch_gradient(sum, losses, &sums, stream));
  CUONN_CUDA(cudaMemcpyAsync(host, sum, places * sizeof *host, cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  return CUONN_OK;
}

cuonn_status cuda_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                      const cuonn_buffer *input, const cuonn_buffer *cotangent, int threads) {
  (void)threads;
  const size_t n = mesh->n_modes, n_examples = input->count / n;
  cuonn_status status = CUONN_OK;
  cuda_single one = {0};
  vjp_task task;
  float2 *sums = NULL;
  float *flows = NULL;
  CUONN_TRY_DONE(cuda_single_open(&one, mesh, false));
  cudaStream_t stream = one.session->stream;
  CUONN_TRY_DONE(make_task(&task, &one, n_examples, backward != NULL));
  CUONN_TRY_DONE(cuonn_allocate(&sums, one.meshes.places, sizeof *sums));
  CUONN_TRY_DONE(cuonn_allocate(&flows, (size_t)task.n_chunks * n, sizeof *flows));
  CUONN_TRY_DONE(cuda_upload((float2 *)task.input, input->data, n_examples, n, one.stride, stream));
  CUONN_TRY_DONE(cuda_upload(task.cotangent, cotangent->data, n_examples, n, one.stride, stream));
  CUONN_CUDA_DONE(launch_vjp(&task, &one.meshes.view, stream));
  CUONN_CUDA_DONE(
      cudaMemcpyAsync(flows, task.d_gamma, (size_t)task.n_chunks * n * sizeof *flows, cudaMemcpyDeviceToHost, stream));
  CUONN_TRY_DONE(sum_gradient(sums, &one, &task));
  if (backward) CUONN_TRY_DONE(cuda_download(backward->data, task.backward, n_examples, n, one.stride, stream));

  for (size_t k = 0; k < one.meshes.n_nodes; k++) {
    gradient->d_theta[k] = (double)sums[one.meshes.place[k]].x;
    gradient->d_phi[k] = (double)sums[one.meshes.place[k]].y;
  }
  memset(gradient->d_gamma, 0, n * sizeof *gradient->d_gamma);
  for (size_t i = 0; i < (size_t)task.n_chunks * n; i++) gradient->d_gamma[i % n] += (double)flows[i];
done:
  free(flows);
  free(sums);
  cuda_single_close(&one);
  return status;
}
