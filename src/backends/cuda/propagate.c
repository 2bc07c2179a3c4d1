/* One mesh, from and to the doubles of a call: as the one layer of a state (fields.c), or stage by stage where fields
 * are wanted inside. */
#include "cuda/propagate.h"

#include <string.h>

#include "base/buffer.h"
#include "cuda/fields.h"
#include "cuda/models.h"
#include "cuda/sets.h"

void cuda_single_close(cuda_single *one) {
  if (one->state) (void)cudaStreamSynchronize(one->state->session->stream);
  cuda_memory_free(&one->memory);
  cuda_destroy(one->state);
  memset(one, 0, sizeof *one);
}

static cuonn_status make_stages(cuda_single *one, const cuonn_mesh *mesh) {
  cuda_meshes *const m = &one->state->meshes;
  cudaStream_t stream = one->state->session->stream;
  const size_t planes = (size_t)stage_planes_of(m->extras);
  CUONN_TRY(cuda_allocate(&one->stages, &one->memory, m->places * planes, sizeof(float4), "the coefficients"));
  if (!m->constants) CUONN_TRY(cuda_meshes_set_constants(m, &mesh, stream));
  const node_parts parts = cuda_meshes_parts(m);
  CUONN_CUDA(launch_stage_nodes(one->stages, m->turns, m->phases, m->gamma, &parts, m->layout, m->arms, stream));
  return CUONN_OK;
}

cuonn_status cuda_single_open(cuda_single *out, const cuonn_mesh *mesh, bool by_stages) {
  cuonn_mesh layer = *mesh;
  cuonn_network network = {.shape = {.n_modes = mesh->n_modes, .n_layers = 1, .n_classes = 2, .style = mesh->style},
                           .layers = &layer};
  const backend_model model = {.network = &network};
  cuonn_status status = CUONN_OK;
  void *state = NULL;
  network.shape.mesh = mesh->shape;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuda_create(&state, &(backend_problem){.n_models = 1, .shape = network.shape}));
  out->state = state;
  CUONN_TRY_DONE(cuda_set_model(state, 0, &model));
  CUONN_TRY_DONE(cuda_fields_prepare(state));
  if (by_stages) CUONN_TRY_DONE(make_stages(out, mesh));
done:
  if (status != CUONN_OK) cuda_single_close(out);
  return status;
}

/* Examples whose fields, and `more` times as many at taps, take no more than 256 MiB. */
static size_t examples_at_once(size_t n_examples, size_t stride, size_t more) {
  const size_t fit = ((size_t)256 << 20) / (stride * sizeof(float2) * (2 + more));
  return fit < 1 ? 1 : fit < n_examples ? fit : n_examples;
}

/* One tap of some examples, from the device's [column][count] to the host's [column][n_examples]. */
static cuonn_status take_tap(double *to, const float2 *from, const cuda_state *s, size_t first, size_t count,
                             size_t n_examples) {
  const size_t n = s->problem.shape.n_modes;
  for (size_t c = 0; c < s->problem.shape.mesh->n_columns; c++) {
    CUONN_TRY(cuda_download(to + 2 * (c * n_examples + first) * n,
                            from + (c + s->meshes.first_column) * count * s->stride, count, n, s->stride,
                            s->session->stream));
  }
  return CUONN_OK;
}

/* Stage by stage. wanted: five taps, of which NULL are not. */
static cuonn_status propagate_stages(double *to, double *const wanted[5], size_t n_taps, cuda_single *one,
                                     const double *from, size_t n_examples, bool backward) {
  const cuda_state *const s = one->state;
  const size_t n = s->problem.shape.n_modes, n_columns = (size_t)s->meshes.layout.n_columns;
  const size_t at_once = examples_at_once(n_examples, s->stride, n_taps * n_columns), size = at_once * s->stride;
  cudaStream_t stream = s->session->stream;
  stage_taps device = {{NULL}};
  float2 *x, *y;
  CUONN_CHECK(s->meshes.aligned, CUONN_E_SHAPE,
              "backend cuda has taps only in meshes whose columns have even and odd top waveguides in turn; use "
              "backend cpu");
  CUONN_TRY(cuda_allocate(&x, &one->memory, size, sizeof *x, "the fields"));
  CUONN_TRY(cuda_allocate(&y, &one->memory, size, sizeof *y, "the fields"));
  CUONN_CUDA(cudaMemsetAsync(x, 0, size * sizeof *x, stream)); /* the waveguide beyond an odd N */
  for (int t = 0; t < 5; t++) {
    if (!wanted[t]) continue;
    CUONN_TRY(cuda_allocate(&device.at[t], &one->memory, n_columns * size, sizeof *x, "the fields at the taps"));
  }
  for (size_t first = 0; first < n_examples; first += at_once) {
    const size_t left = n_examples - first, count = left < at_once ? left : at_once;
    CUONN_TRY(cuda_upload(x, from + 2 * first * n, count, n, s->stride, stream));
    CUONN_CUDA(launch_stages(y, device, one->stages, s->meshes.turns, s->meshes.layout, s->meshes.extras, x, (int)count,
                             backward, stream));
    CUONN_TRY(cuda_download(to + 2 * first * n, y, count, n, s->stride, stream));
    for (int t = 0; t < 5; t++) {
      if (wanted[t]) CUONN_TRY(take_tap(wanted[t], device.at[t], s, first, count, n_examples));
    }
  }
  return CUONN_OK;
}

cuonn_status cuda_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                            const cuonn_buffer *in, bool backward) {
  const size_t n = mesh->n_modes, n_examples = in->count / n;
  cuonn_status status = CUONN_OK;
  cuda_single one;
  static const cuonn_taps none;
  const cuonn_taps *const at = taps ? taps : &none;
  /* in the order of light */
  double *const wanted[] = {at->before_phi, at->after_phi, at->before_theta, at->after_theta, at->after_coupler};
  size_t n_taps = 0;
  for (int t = 0; t < 5; t++) n_taps += wanted[t] != NULL;
  CUONN_TRY(cuda_single_open(&one, mesh, n_taps > 0));
  if (n_taps > 0) {
    status = propagate_stages(out->data, wanted, n_taps, &one, in->data, n_examples, backward);
  } else {
    const size_t at_once = examples_at_once(n_examples, one.state->stride, 4); /* both are there as doubles, too */
    for (size_t first = 0, count; status == CUONN_OK && first < n_examples; first += count) {
      count = n_examples - first < at_once ? n_examples - first : at_once;
      cuonn_buffer from = buffer_at(in, 2 * first * n), to = buffer_at(out, 2 * first * n);
      from.count = to.count = count * n;
      status = cuda_on_device.propagate(&to, one.state, 0, 0, &from, backward, NULL);
    }
  }
  cuda_single_close(&one);
  return status;
}

cuonn_status cuda_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                      const cuonn_buffer *input, const cuonn_buffer *cotangent) {
  const cuonn_phase_buffers to = {.theta = {gradient->d_theta, CUONN_FLOAT64, CUONN_HOST, mesh->n_nodes},
                                  .phi = {gradient->d_phi, CUONN_FLOAT64, CUONN_HOST, mesh->n_nodes},
                                  .gamma = {gradient->d_gamma, CUONN_FLOAT64, CUONN_HOST, mesh->n_modes}};
  cuda_single one;
  CUONN_TRY(cuda_single_open(&one, mesh, false));
  const cuonn_status status = cuda_on_device.vjp(&to, backward, one.state, 0, 0, input, cotangent, NULL);
  cuda_single_close(&one);
  return status;
}
