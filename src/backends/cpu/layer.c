/* Order of the nodes, segments, and the way through a layer and back.
 *
 * Order: where nodes couple neighbouring waveguides, columns are taken in blocks of kBlock, and a block is walked along
 * its diagonal, from the top waveguides to the bottom ones: a node follows as soon as its two inputs are ready. So a
 * waveguide is fetched once a block, and some kBlock + 2 of them are at work at a time, which stay in the L1 cache even
 * where a whole tile does not.
 *
 * Segments (src/mesh/segments.h): a column that is a segment by itself is not undone at all. Ideal nodes lose nothing,
 * but their fields grow (nodes.c) and are scaled back after kIdealColumns. */
#include "cpu/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/errors.h"
#include "mesh/segments.h"
#include "mesh/third.h"

enum { kBlock = 16 };

void layer_free(cpu_layer *layer) {
  cuonn_mesh_shape_free(layer->shape);
  free(layer->order);
  free(layer->place);
  free(layer->reach);
  free(layer->recalled);
  free(layer->segments);
  free(layer->ideal_nodes);
  free(layer->general_nodes);
  free(layer->factor);
  free(layer->phase);
  free(layer->output);
  free(layer->fixed);
  free(layer->scratch);
  memset(layer, 0, sizeof *layer);
}

static bool reaches(node_reach r) { return r.from < r.end; }

static node_reach join(node_reach a, node_reach b) {
  if (!reaches(a) || !reaches(b)) return reaches(a) ? a : b;
  return (node_reach){a.from < b.from ? a.from : b.from, a.end > b.end ? a.end : b.end};
}

/* reach: [node] wanted outputs to which light can go from it. from: [n_modes] room. */
static void find_reach(node_reach *reach, node_reach *from, const cuonn_mesh_shape *shape, size_t n_read) {
  for (uint32_t w = 0; w < shape->n_modes; w++) from[w] = (node_reach){w, w < n_read ? w + 1 : w};
  for (size_t k = shape->n_nodes; k-- > 0;) {
    const uint32_t *const pair = shape->pairs[k];
    reach[k] = join(from[pair[0]], from[pair[1]]);
    from[pair[0]] = from[pair[1]] = reach[k];
  }
}

/* Appends the nodes of columns first .. end - 1 along the diagonal. */
static void append_block(cpu_layer *layer, const node_reach *reach, size_t first, size_t end) {
  for (size_t front = 0; front < layer->n_modes + end - first; front++) {
    for (size_t c = first; c < end && c - first <= front; c++) {
      const size_t top = front - (c - first);
      if (top >= layer->n_modes) continue;
      const uint32_t node = shape_node_at(layer->shape, c, top);
      if (node == SHAPE_NO_NODE || !reaches(reach[node])) continue;
      layer->place[node] = (uint32_t)layer->n_nodes;
      layer->reach[layer->n_nodes] = reach[node];
      layer->order[layer->n_nodes++] = node;
    }
  }
}

static void append_segment(cpu_layer *layer, const node_reach *reach, size_t first, size_t end, bool invertible) {
  const size_t before = layer->n_nodes, block = layer->shape->neighbours ? kBlock : 1;
  for (size_t c = first; c < end; c += block) append_block(layer, reach, c, c + block < end ? c + block : end);
  layer->segments[layer->n_segments++] = (layer_segment){before, layer->n_nodes - before, invertible};
  if (invertible) return;
  layer->keeps = true;
  for (size_t i = before; i < layer->n_nodes; i++) layer->recalled[layer->order[i]] = true;
}

/* starts, loss: [column] room. */
static void divide(cpu_layer *layer, const cuonn_mesh *mesh, const node_reach *reach, int *starts, double *loss) {
  const size_t n_columns = layer->shape->n_columns;
  for (size_t c = 0; c < n_columns; c++) {
    loss[c] = mesh_column_loss(mesh, c);
    starts[c] = c % kIdealColumns == 0 ? (int)(c / kIdealColumns) : -1;
  }
  if (!layer->ideal) segments_divide(starts, loss, n_columns);
  for (size_t first = 0, end; first < n_columns; first = end) {
    for (end = first + 1; end < n_columns && starts[end] < 0;) end++;
    append_segment(layer, reach, first, end, end - first > 1 || loss[first] <= SEGMENT_LOSS);
  }
  if (!layer->ideal && layer->n_segments > 1) layer->keeps = true;
}

/* Of nodes that have two couplers. */
static cuonn_status create_whole(cpu_layer *out, const cuonn_mesh *mesh, size_t n_read) {
  const size_t n = mesh->n_modes, nodes = mesh->n_nodes, n_columns = mesh->shape->n_columns;
  cuonn_status status = CUONN_OK;
  node_reach *reach = NULL; /* [node], and room */
  int *starts = NULL;
  double *loss = NULL;
  memset(out, 0, sizeof *out);
  out->shape = cuonn_mesh_shape_share(mesh->shape);
  out->n_modes = n;
  out->n_read = n_read;
  out->arms = node_arms_of(mesh->style);
  out->ideal = mesh_is_ideal(mesh);
  CUONN_TRY_DONE(cuonn_allocate(&reach, nodes + n, sizeof *reach));
  CUONN_TRY_DONE(cuonn_allocate(&starts, n_columns, sizeof *starts));
  CUONN_TRY_DONE(cuonn_allocate(&loss, n_columns, sizeof *loss));
  CUONN_TRY_DONE(cuonn_allocate(&out->order, nodes, sizeof *out->order));
  CUONN_TRY_DONE(cuonn_allocate(&out->place, nodes, sizeof *out->place));
  CUONN_TRY_DONE(cuonn_allocate(&out->reach, nodes, sizeof *out->reach));
  CUONN_TRY_DONE(cuonn_allocate(&out->recalled, nodes, sizeof *out->recalled));
  CUONN_TRY_DONE(cuonn_allocate(&out->segments, n_columns, sizeof *out->segments));
  memset(out->place, 0xff, nodes * sizeof *out->place);
  find_reach(reach, reach + nodes, mesh->shape, n_read);
  divide(out, mesh, reach, starts, loss);
  if (out->ideal) {
    CUONN_TRY_DONE(cuonn_allocate(&out->ideal_nodes, out->n_nodes, sizeof *out->ideal_nodes));
  } else {
    CUONN_TRY_DONE(cuonn_allocate(&out->general_nodes, out->n_nodes, sizeof *out->general_nodes));
  }
  CUONN_TRY_DONE(cuonn_allocate(&out->factor, out->n_segments * n, sizeof *out->factor));
  CUONN_TRY_DONE(cuonn_allocate(&out->phase, n, sizeof *out->phase));
  CUONN_TRY_DONE(cuonn_allocate(&out->output, n, sizeof *out->output));
  CUONN_TRY_DONE(cuonn_allocate(&out->fixed, nodes, sizeof *out->fixed));
  CUONN_TRY_DONE(cuonn_allocate(&out->scratch, kLayerScratch * nodes + 3 * n, sizeof *out->scratch));
  node_fixed_fill(out->fixed, mesh);
done:
  free(loss);
  free(starts);
  free(reach);
  if (status != CUONN_OK) layer_free(out);
  return status;
}

cuonn_status layer_create(cpu_layer *out, const cuonn_mesh *mesh, size_t n_read) {
  cuonn_mesh split;
  if (mesh->shape->node != CUONN_NODE_MZI3) return create_whole(out, mesh, n_read);
  memset(out, 0, sizeof *out);
  CUONN_TRY(mesh_split_third(&split, mesh));
  const cuonn_status status = create_whole(out, &split, n_read);
  cuonn_mesh_free(&split);
  out->split = status == CUONN_OK;
  return status;
}

void layer_fill_outputs(cpu_layer *layer, const double *gamma) {
  const float *const factor = layer_output_factor(layer);
  for (size_t w = 0; w < layer->n_modes; w++) {
    const double turn = layer->phase[w] + gamma[w];
    layer->output[w][0] = (float)((double)factor[w] * cos(turn));
    layer->output[w][1] = (float)((double)factor[w] * sin(turn));
  }
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

/* lane i of g: 1 at output first + i, times its factor. */
static void set_units(float *g, const cpu_layer *layer, size_t first, size_t lanes) {
  for (size_t o = first; o < first + lanes && o < layer->n_read; o++) {
    g[o * 2 * lanes + o - first] = layer_output_factor(layer)[o];
  }
}

void layer_rows(float *g, const cpu_layer *layer, size_t first, size_t lanes, const cpu_kernels *kernels) {
  const size_t n = layer->n_modes;
  set_units(g, layer, first, lanes);
  for (size_t s = layer->n_segments; s-- > 0;) {
    const size_t from = layer->segments[s].first, count = layer->segments[s].count;
    if (layer->ideal) {
      kernels->ideal_transposed(g, lanes, layer->ideal_nodes + from, layer->reach + from, count, first);
      if (s > 0) kernels->scale(g, layer->factor + (s - 1) * n, n, lanes);
    } else {
      kernels->general_transposed(g, lanes, layer->general_nodes + from, count);
    }
  }
}

void layer_rows_backward(node_sums *sums, float *x, float *g, float *kept, const cpu_layer *layer, size_t first,
                         size_t lanes, const cpu_kernels *kernels) {
  const size_t n = layer->n_modes;
  if (!layer->ideal) {
    layer_forward(x, kept, layer, lanes, kernels);
    memset(g, 0, n * 2 * lanes * sizeof *g);
    set_units(g, layer, first, lanes);
    layer_backward(sums, x, g, kept, layer, lanes, kernels);
    return;
  }
  for (size_t s = 0; s < layer->n_segments; s++) {
    const size_t from = layer->segments[s].first, count = layer->segments[s].count;
    if (s > 0) {
      kernels->scale(x, layer->factor + (s - 1) * n, n, lanes);
      kernels->unscale(g, layer->factor + (s - 1) * n, n, lanes);
    }
    kernels->ideal_together(sums + from, x, g, lanes, layer->ideal_nodes + from, layer->reach + from, count, first);
  }
}
