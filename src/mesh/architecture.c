/* Shapes that have a name: the rule of each gives the nodes of its columns, and all are made of them alike. */
#include "mesh/architecture.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/name.h"
#include "mesh/shape.h"

static const char *const names[] = {"rectangular", "triangular", "butterfly", "tree", "custom"};
enum { kArchitectures = sizeof names / sizeof *names };

const char *cuonn_architecture_name(cuonn_architecture architecture) {
  return (unsigned)architecture < kArchitectures ? names[architecture] : NULL;
}

cuonn_status cuonn_architecture_parse(cuonn_architecture *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "architecture", names, kArchitectures, name));
  *out = (cuonn_architecture)at;
  return CUONN_OK;
}

/* The least m with 2^m >= n. */
static size_t bits_of(size_t n) {
  size_t m = 0;
  while ((size_t)1 << m < n) m++;
  return m;
}

size_t cuonn_architecture_columns(cuonn_architecture architecture, size_t n_modes) {
  switch (architecture) { /* no default: the compiler warns of a missing architecture */
    case CUONN_ARCHITECTURE_RECTANGULAR: return n_modes;
    case CUONN_ARCHITECTURE_TRIANGULAR: return 2 * n_modes - 3;
    case CUONN_ARCHITECTURE_BUTTERFLY:
    case CUONN_ARCHITECTURE_TREE: return bits_of(n_modes);
    case CUONN_ARCHITECTURE_CUSTOM: break;
  }
  return 0;
}

/* A column: top waveguides first, first + 1, ..., of which `run` stand together, then the next `step` further on; the
 * bottom ones are `apart` from them. */
typedef struct {
  size_t count, first, run, step, apart;
} rule;

static rule rule_of(cuonn_architecture architecture, size_t n, size_t c) {
  const size_t odd = c % 2;
  if (architecture == CUONN_ARCHITECTURE_BUTTERFLY) {
    const size_t apart = n >> (c + 1);
    return (rule){n / 2, 0, apart, 2 * apart, apart};
  }
  if (architecture == CUONN_ARCHITECTURE_TREE) {
    const size_t apart = (size_t)1 << c;
    return (rule){(n - apart - 1) / (2 * apart) + 1, 0, 1, 2 * apart, apart};
  }
  if (architecture == CUONN_ARCHITECTURE_TRIANGULAR) {
    const size_t behind = 2 * n - 4 - c, last = c < behind ? c : behind;
    return (rule){(last - odd) / 2 + 1, odd, 1, 2, 1};
  }
  return (rule){(n - odd) / 2, odd, 1, 2, 1};
}

static cuonn_status check(cuonn_architecture architecture, size_t n_modes, size_t n_columns) {
  const char *const name = cuonn_architecture_name(architecture);
  CUONN_CHECK(name && architecture != CUONN_ARCHITECTURE_CUSTOM, CUONN_E_ARGUMENT,
              "a custom shape is made of a list of its columns");
  CUONN_CHECK(n_modes >= 2 && n_modes <= CUONN_MODES_MAX, CUONN_E_SHAPE, "a mesh has 2 to %d waveguides, not %zu",
              CUONN_MODES_MAX, n_modes);
  CUONN_CHECK(architecture != CUONN_ARCHITECTURE_BUTTERFLY || (n_modes & (n_modes - 1)) == 0, CUONN_E_SHAPE,
              "a butterfly has 2, 4, 8, 16, ... waveguides, not %zu", n_modes);
  const size_t own = cuonn_architecture_columns(architecture, n_modes);
  CUONN_CHECK(n_columns == 0 || n_columns == own || architecture == CUONN_ARCHITECTURE_RECTANGULAR, CUONN_E_SHAPE,
              "a %s mesh of %zu waveguides has %zu columns, not %zu", name, n_modes, own, n_columns);
  CUONN_CHECK(own <= CUONN_COLUMNS_MAX && n_columns <= CUONN_COLUMNS_MAX, CUONN_E_SHAPE,
              "a mesh has at most %d columns of nodes, not %zu", CUONN_COLUMNS_MAX, n_columns ? n_columns : own);
  return CUONN_OK;
}

cuonn_status architecture_nodes(size_t *out, cuonn_architecture architecture, size_t n_modes, size_t n_columns) {
  *out = 0;
  CUONN_TRY(check(architecture, n_modes, n_columns));
  if (n_columns == 0) n_columns = cuonn_architecture_columns(architecture, n_modes);
  for (size_t c = 0; c < n_columns; c++) *out += rule_of(architecture, n_modes, c).count;
  return CUONN_OK;
}

cuonn_status cuonn_mesh_shape_make(cuonn_mesh_shape **out, cuonn_architecture architecture, size_t n_modes,
                                   size_t n_columns) {
  uint32_t(*pairs)[2] = NULL;
  size_t *counts = NULL, n_nodes, k = 0;
  cuonn_status status = CUONN_OK;
  *out = NULL;
  CUONN_TRY(architecture_nodes(&n_nodes, architecture, n_modes, n_columns));
  if (n_columns == 0) n_columns = cuonn_architecture_columns(architecture, n_modes);
  CUONN_TRY_DONE(cuonn_allocate(&counts, n_columns, sizeof *counts));
  CUONN_TRY_DONE(cuonn_allocate(&pairs, n_nodes, sizeof *pairs));
  for (size_t c = 0; c < n_columns; c++) {
    const rule r = rule_of(architecture, n_modes, c);
    counts[c] = r.count;
    for (size_t j = 0; j < r.count; j++, k++) {
      pairs[k][0] = (uint32_t)(r.first + j / r.run * r.step + j % r.run);
      pairs[k][1] = pairs[k][0] + (uint32_t)r.apart;
    }
  }
  CUONN_TRY_DONE(cuonn_mesh_shape_create(out, n_modes, n_columns, counts, (const uint32_t(*)[2])pairs));
  (*out)->architecture = architecture;
done:
  free(pairs);
  free(counts);
  return status;
}

cuonn_status cuonn_mesh_shape_rectangular(cuonn_mesh_shape **out, size_t n_modes) {
  return cuonn_mesh_shape_make(out, CUONN_ARCHITECTURE_RECTANGULAR, n_modes, 0);
}
