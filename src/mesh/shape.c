/* Shapes of meshes. A shape is made whole, then shared and never changed. */
#include "mesh/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static void release(cuonn_mesh_shape *shape) {
  if (!shape) return;
  free(shape->columns);
  free(shape->pairs);
  free(shape->column_of);
  free(shape->node_below);
  free(shape);
}

cuonn_mesh_shape *cuonn_mesh_shape_share(const cuonn_mesh_shape *shape) {
  cuonn_mesh_shape *const own = (cuonn_mesh_shape *)shape; /* the count of owners is not part of the shape */
  if (own) atomic_fetch_add(&own->owners, 1);
  return own;
}

void cuonn_mesh_shape_free(cuonn_mesh_shape *shape) {
  if (shape && atomic_fetch_sub(&shape->owners, 1) == 1) release(shape);
}

static cuonn_status allocate(cuonn_mesh_shape **out, size_t n_modes, size_t n_columns, size_t n_nodes) {
  cuonn_mesh_shape *s = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_CHECK(n_modes >= 2 && n_modes <= CUONN_MODES_MAX, CUONN_E_SHAPE, "a mesh has 2 to %d waveguides, not %zu",
              CUONN_MODES_MAX, n_modes);
  CUONN_TRY_DONE(cuonn_allocate(&s, 1, sizeof *s));
  atomic_init(&s->owners, 1);
  s->n_modes = n_modes;
  s->n_columns = n_columns;
  s->n_nodes = n_nodes;
  s->architecture = CUONN_ARCHITECTURE_CUSTOM;
  CUONN_TRY_DONE(cuonn_allocate(&s->columns, n_columns + 1, sizeof *s->columns));
  CUONN_TRY_DONE(cuonn_allocate(&s->pairs, n_nodes, sizeof *s->pairs));
  CUONN_TRY_DONE(cuonn_allocate(&s->column_of, n_nodes, sizeof *s->column_of));
  CUONN_TRY_DONE(cuonn_allocate(&s->node_below, n_columns * n_modes, sizeof *s->node_below));
  memset(s->node_below, 0xff, n_columns * n_modes * sizeof *s->node_below);
done:
  if (status != CUONN_OK) {
    release(s);
    s = NULL;
  }
  *out = s;
  return status;
}

/* Column c of the pairs that stand from s->pairs[first] on. used: [N] the last column + 1 that a waveguide was in. */
static cuonn_status fill_column(cuonn_mesh_shape *s, size_t c, size_t first, size_t count, size_t *used) {
  const uint32_t(*const pairs)[2] = (const uint32_t(*)[2])s->pairs + first;
  bool contiguous = true;
  for (size_t j = 0; j < count; j++) {
    CUONN_CHECK(pairs[j][0] < pairs[j][1], CUONN_E_SHAPE,
                "node %zu of column %zu is on waveguides %u and %u; the top one comes first", j, c, pairs[j][0],
                pairs[j][1]);
    for (size_t arm = 0; arm < 2; arm++) {
      const size_t w = pairs[j][arm];
      CUONN_CHECK(w < s->n_modes, CUONN_E_SHAPE, "node %zu of column %zu is on waveguide %zu; the mesh has 0 to %zu", j,
                  c, w, s->n_modes - 1);
      CUONN_CHECK(used[w] != c + 1, CUONN_E_SHAPE, "waveguide %zu is in column %zu twice", w, c);
      used[w] = c + 1;
    }
    s->column_of[first + j] = (uint32_t)c;
    s->node_below[c * s->n_modes + pairs[j][0]] = (uint32_t)(first + j);
    s->neighbours = s->neighbours && pairs[j][1] == pairs[j][0] + 1;
    contiguous = contiguous && pairs[j][0] == pairs[0][0] + 2 * j && pairs[j][1] == pairs[j][0] + 1;
  }
  s->columns[c] = (cuonn_mesh_column){CUONN_COLUMN_PAIRS, first, count, pairs, contiguous};
  return CUONN_OK;
}

cuonn_status cuonn_mesh_shape_create(cuonn_mesh_shape **out, size_t n_modes, size_t n_columns, const size_t *counts,
                                     const uint32_t (*pairs)[2]) {
  cuonn_status status = CUONN_OK;
  cuonn_mesh_shape *s = NULL;
  size_t *used = NULL, n_nodes = 0, first = 0;
  *out = NULL;
  CUONN_CHECK(n_columns > 0, CUONN_E_SHAPE, "a mesh has at least one column of nodes");
  CUONN_CHECK(n_columns <= CUONN_COLUMNS_MAX, CUONN_E_SHAPE, "a mesh has at most %d columns of nodes, not %zu",
              CUONN_COLUMNS_MAX, n_columns);
  for (size_t c = 0; c < n_columns; c++) n_nodes += counts[c];
  CUONN_TRY_DONE(allocate(&s, n_modes, n_columns, n_nodes));
  CUONN_TRY_DONE(cuonn_allocate(&used, n_modes, sizeof *used));
  memcpy(s->pairs, pairs, n_nodes * sizeof *pairs);
  s->neighbours = true;
  for (size_t c = 0; c < n_columns; first += counts[c++]) CUONN_TRY_DONE(fill_column(s, c, first, counts[c], used));
  s->columns[n_columns] = (cuonn_mesh_column){CUONN_COLUMN_SINGLES, 0, n_modes, NULL, false};
done:
  free(used);
  if (status != CUONN_OK) {
    release(s);
    s = NULL;
  }
  *out = s;
  return status;
}

cuonn_status cuonn_mesh_shape_with_node(cuonn_mesh_shape **out, const cuonn_mesh_shape *shape, cuonn_node_kind node) {
  size_t *counts;
  *out = NULL;
  CUONN_CHECK(cuonn_node_kind_name(node), CUONN_E_ARGUMENT, "node kind %d is not one of the three", (int)node);
  CUONN_TRY(cuonn_allocate(&counts, shape->n_columns, sizeof *counts));
  for (size_t c = 0; c < shape->n_columns; c++) counts[c] = shape->columns[c].count;
  const cuonn_status status =
      cuonn_mesh_shape_create(out, shape->n_modes, shape->n_columns, counts, (const uint32_t(*)[2])shape->pairs);
  free(counts);
  if (status != CUONN_OK) return status;
  (*out)->architecture = shape->architecture;
  (*out)->node = node;
  return CUONN_OK;
}

size_t cuonn_mesh_shape_modes(const cuonn_mesh_shape *shape) { return shape->n_modes; }

size_t cuonn_mesh_shape_nodes(const cuonn_mesh_shape *shape) { return shape->n_nodes; }

size_t cuonn_mesh_shape_columns(const cuonn_mesh_shape *shape) { return shape->n_columns + 1; }

cuonn_mesh_column cuonn_mesh_shape_column(const cuonn_mesh_shape *shape, size_t c) { return shape->columns[c]; }

cuonn_architecture cuonn_mesh_shape_architecture(const cuonn_mesh_shape *shape) { return shape->architecture; }

cuonn_node_kind cuonn_mesh_shape_node(const cuonn_mesh_shape *shape) { return shape->node; }

bool cuonn_mesh_shape_is_universal(const cuonn_mesh_shape *shape) {
  return shape_is_complete(shape) || shape->architecture == CUONN_ARCHITECTURE_TRIANGULAR;
}

bool shape_equal(const cuonn_mesh_shape *a, const cuonn_mesh_shape *b) {
  if (a == b) return true;
  return a->n_modes == b->n_modes && a->n_columns == b->n_columns && a->n_nodes == b->n_nodes && a->node == b->node &&
         memcmp(a->column_of, b->column_of, a->n_nodes * sizeof *a->column_of) == 0 &&
         memcmp(a->pairs, b->pairs, a->n_nodes * sizeof *a->pairs) == 0;
}
