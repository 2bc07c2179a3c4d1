/* Order of the nodes, segments, and the way through a layer and back.
 *
 * Order: columns are taken in blocks of kBlock, and a block is walked along its diagonal, from the top waveguides to
 * the bottom ones: a node follows as soon as its two inputs are ready. So a waveguide is fetched once a block, and some
 * kBlock + 2 of them are at work at a time, which stay in the first cache even where a whole tile does not.
 *
 * Segments: the way back undoes the nodes, which amplifies rounding as much as the node attenuated. After MESH_SEGMENT_LOSS
 * the fields are kept, and the way back begins anew from them. A column that alone attenuates more is not undone at
 * all. Ideal nodes lose nothing, but their fields grow (nodes.c) and are scaled back after kIdealColumns. */
#include "cpu/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/errors.h"

enum { kBlock = 16 };

void layer_free(cpu_layer *layer) {
  free(layer->order);
  free(layer->top);
  free(layer->place);
  free(layer->recalled);
  free(layer->segments);
  free(layer->ideal_nodes);
  free(layer->general_nodes);
  free(layer->factor);
  free(layer->phase);
  free(layer->constants);
  free(layer->scratch);
  memset(layer, 0, sizeof *layer);
}

/* reach[c]: waveguides 0 .. reach[c] - 1 leave column c towards a wanted output. */
static void find_reach(size_t *reach, size_t n_modes, size_t n_read) {
  size_t end = n_read;
  for (size_t c = n_modes; c-- > 0;) {
    reach[c] = end;
    /* the last node whose top waveguide is wanted brings its bottom one in */
    if (end < n_modes && (end - 1) % 2 == c % 2) end++;
  }
}

/* Appends the nodes of columns first .. end - 1 along the diagonal. */
static void append_block(cpu_layer *layer, const size_t *reach, size_t first, size_t end) {
  const size_t n = layer->n_modes, height = end - first;
  for (size_t front = 0; front < n + height; front++) {
    for (size_t c = first; c < end; c++) {
      if (front < c - first) break;
      const size_t top = front - (c - first);
      if (top % 2 != c % 2 || top + 1 >= n || top >= reach[c]) continue;
      const size_t node = cuonn_mesh_column_start(n, c) + top / 2;
      layer->place[node] = (uint32_t)layer->n_nodes;
      layer->top[layer->n_nodes] = (uint32_t)top;
      layer->order[layer->n_nodes++] = (uint32_t)node;
    }
  }
}

static void append_segment(cpu_layer *layer, const size_t *reach, size_t first, size_t end, bool invertible) {
  const size_t before = layer->n_nodes;
  for (size_t c = first; c < end; c += kBlock) append_block(layer, reach, c, c + kBlock < end ? c + kBlock : end);
  layer->segments[layer->n_segments++] = (layer_segment){before, layer->n_nodes - before, invertible};
  if (invertible) return;
  layer->keeps = true;
  for (size_t i = before; i < layer->n_nodes; i++) layer->recalled[layer->order[i]] = true;
}

static void divide(cpu_layer *layer, const cuonn_mesh *mesh, const size_t *reach) {
  const size_t n = layer->n_modes;
  size_t first = 0;
  double loss = 0;
  for (size_t c = 0; c < n; c++) {
    const double own = layer->ideal ? 0 : mesh_column_loss(mesh, c);
    const bool full = layer->ideal ? c - first == kIdealColumns : loss + own > MESH_SEGMENT_LOSS;
    if (full && c > first) {
      append_segment(layer, reach, first, c, loss <= MESH_SEGMENT_LOSS);
      first = c;
      loss = 0;
    }
    loss += own;
  }
  append_segment(layer, reach, first, n, loss <= MESH_SEGMENT_LOSS);
  if (!layer->ideal && layer->n_segments > 1) layer->keeps = true;
}

static void fill_constants(cpu_layer *layer, const cuonn_mesh *mesh) {
  for (size_t k = 0; k < cuonn_mesh_nodes(mesh->n_modes); k++) {
    double *const constants = layer->constants + k * kNodeConstants;
    constants[kLeftCos] = cos(M_PI / 4 + mesh->coupler_error[2 * k]);
    constants[kLeftSin] = sin(M_PI / 4 + mesh->coupler_error[2 * k]);
    constants[kRightCos] = cos(M_PI / 4 + mesh->coupler_error[2 * k + 1]);
    constants[kRightSin] = sin(M_PI / 4 + mesh->coupler_error[2 * k + 1]);
    constants[kThetaAmplitude] = pow(10, -mesh->loss_db[2 * k] / 20);
    constants[kPhiAmplitude] = pow(10, -mesh->loss_db[2 * k + 1] / 20);
  }
}

cuonn_status layer_create(cpu_layer *out, const cuonn_mesh *mesh, size_t n_read) {
  const size_t n = mesh->n_modes, nodes = cuonn_mesh_nodes(n);
  cuonn_status status = CUONN_OK;
  size_t *reach = NULL;
  memset(out, 0, sizeof *out);
  out->n_modes = n;
  out->n_read = n_read;
  out->style = mesh->style;
  out->ideal = mesh_is_ideal(mesh);
  CUONN_TRY_DONE(cuonn_allocate(&reach, n, sizeof *reach));
  CUONN_TRY_DONE(cuonn_allocate(&out->order, nodes, sizeof *out->order));
  CUONN_TRY_DONE(cuonn_allocate(&out->top, nodes, sizeof *out->top));
  CUONN_TRY_DONE(cuonn_allocate(&out->place, nodes, sizeof *out->place));
  CUONN_TRY_DONE(cuonn_allocate(&out->recalled, nodes, sizeof *out->recalled));
  CUONN_TRY_DONE(cuonn_allocate(&out->segments, n, sizeof *out->segments));
  memset(out->place, 0xff, nodes * sizeof *out->place);
  find_reach(reach, n, n_read);
  divide(out, mesh, reach);
  if (out->ideal) {
    CUONN_TRY_DONE(cuonn_allocate(&out->ideal_nodes, out->n_nodes, sizeof *out->ideal_nodes));
  } else {
    CUONN_TRY_DONE(cuonn_allocate(&out->general_nodes, out->n_nodes, sizeof *out->general_nodes));
  }
  CUONN_TRY_DONE(cuonn_allocate(&out->factor, out->n_segments * n, sizeof *out->factor));
  CUONN_TRY_DONE(cuonn_allocate(&out->phase, n, sizeof *out->phase));
  CUONN_TRY_DONE(cuonn_allocate(&out->constants, nodes * kNodeConstants, sizeof *out->constants));
  CUONN_TRY_DONE(cuonn_allocate(&out->scratch, kLayerScratch * nodes + n, sizeof *out->scratch));
  fill_constants(out, mesh);
done:
  free(reach);
  if (status != CUONN_OK) layer_free(out);
  return status;
}

size_t layer_kept_size(const cpu_layer *layer, size_t lanes) {
  return layer->keeps ? layer->n_segments * layer->n_modes * 2 * lanes : 0;
}

void layer_forward(float *x, float *kept, const cpu_layer *layer, size_t lanes, const cpu_kernels *kernels) {
  const size_t n = layer->n_modes, size = n * 2 * lanes;
  for (size_t s = 0; s < layer->n_segments; s++) {
    const layer_segment *const segment = layer->segments + s;
    if (layer->ideal) {
      if (s > 0) kernels->scale(x, layer->factor + (s - 1) * n, n, lanes);
      kernels->ideal_forward(x, lanes, layer->ideal_nodes + segment->first, segment->count);
    } else {
      if (layer->keeps) memcpy(kept + s * size, x, size * sizeof *x);
      kernels->general_forward(x, lanes, layer->general_nodes + segment->first, segment->count);
    }
  }
}

static void ideal_layer_backward(node_sums *sums, float *x, float *g, const cpu_layer *layer, size_t lanes,
                                 const cpu_kernels *kernels) {
  const size_t n = layer->n_modes;
  for (size_t s = layer->n_segments; s-- > 0;) {
    const layer_segment *const segment = layer->segments + s;
    kernels->ideal_backward(sums + segment->first, x, g, lanes, layer->ideal_nodes + segment->first, segment->count);
    if (s > 0) {
      kernels->unscale(x, layer->factor + (s - 1) * n, n, lanes);
      kernels->scale(g, layer->factor + (s - 1) * n, n, lanes);
    }
  }
}

void layer_backward(node_sums *sums, float *x, float *g, const float *kept, const cpu_layer *layer, size_t lanes,
                    const cpu_kernels *kernels) {
  const size_t size = layer->n_modes * 2 * lanes;
  if (layer->ideal) {
    ideal_layer_backward(sums, x, g, layer, lanes, kernels);
    return;
  }
  for (size_t s = layer->n_segments; s-- > 0;) {
    const layer_segment *const segment = layer->segments + s;
    if (segment->invertible) {
      if (s + 1 < layer->n_segments) memcpy(x, kept + (s + 1) * size, size * sizeof *x);
      kernels->general_backward(sums + segment->first, x, g, lanes, layer->general_nodes + segment->first,
                                segment->count);
    } else {
      kernels->general_recall(sums + segment->first, g, kept + s * size, lanes, layer->general_nodes + segment->first,
                              segment->count);
    }
  }
}
