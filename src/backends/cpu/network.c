#include "cpu/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/nonlinear.h"
#include "network/layer.h"

/* Broad tiles spend less on coefficients, narrow ones leave more to share: the broadest tile is taken from eight of
 * them on. Fields and cotangents of one fit a second cache of 256 KiB. */
size_t cpu_tile_lanes(size_t n_examples, size_t n_modes) {
  const size_t most = n_modes <= 160 ? 64 : n_modes <= 512 ? 32 : 16;
  const size_t share = (n_examples + 7) / 8, lanes = (share + 15) / 16 * 16;
  return lanes < most ? lanes : most;
}

/* For amplitudes. */
static cuonn_status create_room(cpu_space *out, size_t n_modes, size_t size) {
  CUONN_TRY(cuonn_allocate(&out->out, size, sizeof *out->out));
  CUONN_TRY(cuonn_allocate(&out->room, size, sizeof *out->room));
  CUONN_TRY(cuonn_allocate(&out->ones, n_modes, sizeof *out->ones));
  CUONN_TRY(cuonn_allocate(&out->unturned, n_modes, sizeof *out->unturned));
  for (size_t w = 0; w < n_modes; w++) out->ones[w] = out->unturned[w][0] = 1;
  return CUONN_OK;
}

cuonn_status cpu_space_create(cpu_space *out, const cuonn_network_shape *shape, size_t kept_size, bool dense) {
  const size_t lanes = cpu_tile_lanes(UINT32_MAX, shape->n_modes), size = shape->n_modes * 2 * lanes;
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  out->kept_stride = kept_size;
  CUONN_TRY_DONE(cuonn_allocate(&out->fields, shape->n_layers * size, sizeof *out->fields));
  CUONN_TRY_DONE(cuonn_allocate(&out->g, size, sizeof *out->g));
  CUONN_TRY_DONE(cuonn_allocate(&out->kept, shape->n_layers * kept_size, sizeof *out->kept));
  CUONN_TRY_DONE(cuonn_allocate(&out->power, shape->n_classes * lanes, sizeof *out->power));
  CUONN_TRY_DONE(cuonn_allocate(&out->index, lanes, sizeof *out->index));
  if (dense) CUONN_TRY_DONE(dense_space_create(&out->dense, shape));
  if (shape->layer != CUONN_LAYER_UNITARY) CUONN_TRY_DONE(create_room(out, shape->n_modes, size));
done:
  if (status != CUONN_OK) cpu_space_free(out);
  return status;
}

void cpu_space_free(cpu_space *space) {
  free(space->fields);
  free(space->g);
  free(space->kept);
  free(space->power);
  free(space->out);
  free(space->room);
  free(space->ones);
  free(space->unturned);
  free(space->index);
  dense_space_free(&space->dense);
  memset(space, 0, sizeof *space);
}

void cpu_tile_load(float *x, const cpu_set *set, const uint32_t *index, size_t count, size_t n_modes, size_t lanes) {
  enum { kTogether = 8 }; /* rows read side by side, which stay in cache while they are transposed */
  if (count < lanes) memset(x, 0, n_modes * 2 * lanes * sizeof *x);
  for (size_t from = 0; from < count; from += kTogether) {
    const size_t end = from + kTogether < count ? from + kTogether : count;
    for (size_t w = 0; w < n_modes; w++) {
      for (size_t i = from; i < end; i++) {
        const float *const example = set->values + (size_t)index[i] * 2 * n_modes;
        x[w * 2 * lanes + i] = example[w];
        x[w * 2 * lanes + lanes + i] = example[n_modes + w];
      }
    }
  }
}

static cpu_behind behind(const cpu_space *space, const cpu_layer *layers, const cuonn_network_shape *shape, size_t l) {
  const bool nonlinear = cuonn_network_has_nonlinearity(shape, l);
  return (cpu_behind){.of = {layer_output_factor(layers + l), (const float(*)[2])layers[l].output},
                      .amplitudes = layers[l].amplitudes,
                      .law = nonlinear ? &shape->nonlinearity : NULL,
                      .ones = {space->ones, (const float(*)[2])space->unturned}};
}

void cpu_network_forward(cpu_space *space, const cpu_layer *layers, const cuonn_network_shape *shape, size_t lanes,
                         const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, size = n * 2 * lanes;
  for (size_t l = 0; l < shape->n_layers; l++) {
    float *const x = space->fields + l * size;
    layer_forward(x, space->kept + l * space->kept_stride, layers + l, lanes, kernels);
    const cpu_behind b = behind(space, layers, shape, l);
    float *const next = l + 1 < shape->n_layers ? x + size : space->out;
    if (cpu_is_behind(&b)) cpu_pass(next, space->room, x, &b, n, lanes, kernels);
  }
}

/* What is read: the last layer's outputs, or what amplitudes behind them left. */
static cpu_read_out read_out_of(const cpu_space *space, const cpu_layer *layers, const cuonn_network_shape *shape,
                                const cpu_set *set, size_t count, size_t lanes) {
  const size_t last = shape->n_layers - 1;
  const bool weakened = layers[last].amplitudes != NULL;
  return (cpu_read_out){.loss = shape->loss,
                        .power = space->power,
                        .y = weakened ? space->out : space->fields + last * shape->n_modes * 2 * lanes,
                        .factor = weakened ? space->ones : layer_output_factor(layers + last),
                        .labels = set->labels,
                        .index = space->index,
                        .n_classes = shape->n_classes,
                        .count = count,
                        .lanes = lanes};
}

double cpu_network_loss(uint32_t *predictions, cpu_space *space, const cpu_layer *layers,
                        const cuonn_network_shape *shape, const cpu_set *set, size_t count, size_t lanes,
                        const cpu_kernels *kernels) {
  const cpu_read_out r = read_out_of(space, layers, shape, set, count, lanes);
  return cpu_read_out_loss(&r, predictions, kernels);
}

void cpu_add_flow(double *flow, const float *x, const float *g, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, x += 2 * lanes, g += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++)
      flow[w] += (double)x[i] * (double)g[lanes + i] + (double)x[lanes + i] * (double)g[i];
  }
}

void cpu_network_backward(node_sums *sums, double *flows, cpu_space *space, const cpu_layer *layers,
                          const cuonn_network_shape *shape, const cpu_set *set, double share, size_t count,
                          size_t lanes, const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, size = n * 2 * lanes, nodes = layer_walked_nodes(shape->mesh);
  const cpu_read_out r = read_out_of(space, layers, shape, set, count, lanes);
  memset(space->g, 0, size * sizeof *space->g);
  cpu_read_out_backward(space->g, &r, share, kernels);
  for (size_t l = shape->n_layers; l-- > 0;) {
    float *const x = space->fields + l * size;
    const cpu_behind b = behind(space, layers, shape, l);
    double *const slope = flows ? flows + (shape->n_layers + l) * n : NULL;
    if (cpu_is_behind(&b)) cpu_pass_back(slope, space->g, space->room, x, &b, n, lanes, kernels);
    if (flows && network_keeps_phase(shape, l)) cpu_add_flow(flows + l * n, x, space->g, n, lanes);
    layer_backward(sums + l * nodes, x, space->g, space->kept + l * space->kept_stride, layers + l, lanes, kernels);
  }
}
