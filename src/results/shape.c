#include "results/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "mesh/architecture.h"
#include "mesh/shape.h"
#include "results/attributes.h"

static results_variable pair_variable(size_t n_nodes) {
  return (results_variable){"pair",
                            {{"node", n_nodes}, {"arm", 2}},
                            NULL,
                            .long_name = "top and bottom waveguide of each node",
                            .integers = true};
}

static results_variable column_variable(size_t n_nodes) {
  return (results_variable){"column", {{"node", n_nodes}}, NULL, .long_name = "column of each node", .integers = true};
}

/* ---- writing ---- */

cuonn_status results_put_shape_attributes(const results_file *file, const cuonn_mesh_shape *shape) {
  CUONN_TRY(results_put_text(file, "architecture", cuonn_architecture_name(shape->architecture)));
  if (shape->node != CUONN_NODE_MZI) CUONN_TRY(results_put_text(file, "node", cuonn_node_kind_name(shape->node)));
  if (shape->n_columns == cuonn_architecture_columns(shape->architecture, shape->n_modes)) return CUONN_OK;
  return results_put_count(file, "columns", (int)shape->n_columns);
}

size_t results_shape_variables(results_variable out[RESULTS_SHAPE_VARIABLES], const cuonn_mesh_shape *shape) {
  if (shape->architecture != CUONN_ARCHITECTURE_CUSTOM) return 0;
  out[0] = pair_variable(shape->n_nodes);
  out[1] = column_variable(shape->n_nodes);
  return RESULTS_SHAPE_VARIABLES;
}

cuonn_status results_put_shape(const results_file *file, const cuonn_mesh_shape *shape) {
  results_variable variables[RESULTS_SHAPE_VARIABLES];
  double *numbers = NULL;
  cuonn_status status = CUONN_OK;
  if (results_shape_variables(variables, shape) == 0) return CUONN_OK;
  CUONN_TRY(cuonn_allocate(&numbers, 2 * shape->n_nodes, sizeof *numbers));
  for (size_t k = 0; k < shape->n_nodes; k++) {
    for (size_t arm = 0; arm < 2; arm++) numbers[2 * k + arm] = shape->pairs[k][arm];
  }
  CUONN_TRY_DONE(results_put(file, &variables[0], RESULTS_WHOLE, numbers));
  for (size_t k = 0; k < shape->n_nodes; k++) numbers[k] = shape->column_of[k];
  CUONN_TRY_DONE(results_put(file, &variables[1], RESULTS_WHOLE, numbers));
done:
  free(numbers);
  return status;
}

/* ---- reading ---- */

/* An attribute that names the architecture, if there is one. */
static cuonn_status get_name(cuonn_architecture *out, const results_file *file, const char *attribute) {
  char *name = NULL;
  CUONN_TRY(results_get_text(&name, file, attribute));
  const cuonn_status status = !name || cuonn_architecture_parse(out, name) == CUONN_OK
                                  ? CUONN_OK
                                  : cuonn_fail(CUONN_E_DATA,
                                               "%s: %s is \"%.64s\"; it is one of rectangular, triangular, butterfly, "
                                               "tree, custom",
                                               file->path, attribute, name);
  free(name);
  return status;
}

cuonn_status results_get_architecture(cuonn_architecture *out, const results_file *file) {
  *out = CUONN_ARCHITECTURE_RECTANGULAR;
  CUONN_TRY(get_name(out, file, "mesh_shape"));
  return get_name(out, file, "architecture");
}

/* The attribute columns, 0 where there is none. */
static cuonn_status get_columns(size_t *out, const results_file *file) {
  double columns = 0;
  bool found;
  CUONN_TRY(results_get_number(&columns, &found, file, "columns"));
  CUONN_CHECK(!found || (columns >= 1 && columns <= CUONN_COLUMNS_MAX && columns == floor(columns)), CUONN_E_DATA,
              "%s: attribute columns is %g; it is a whole number from 1 to %d", file->path, columns, CUONN_COLUMNS_MAX);
  *out = (size_t)columns;
  return CUONN_OK;
}

/* Reads whole numbers from 0 to `most`. */
static cuonn_status get_integers(double *numbers, const results_file *file, const results_variable *variable,
                                 size_t count, size_t most) {
  CUONN_TRY(results_get(numbers, file, variable, RESULTS_WHOLE));
  for (size_t i = 0; i < count; i++)
    CUONN_CHECK(numbers[i] >= 0 && numbers[i] <= (double)most && numbers[i] == floor(numbers[i]), CUONN_E_DATA,
                "%s: %s of node %zu is %g; it is a whole number from 0 to %zu", file->path, variable->name,
                i * variable->dimensions[0].length / count, numbers[i], most);
  return CUONN_OK;
}

/* Counts the nodes of each column, [CUONN_COLUMNS_MAX]; columns: [node]. Raises *n_columns to the last one. */
static cuonn_status count_nodes(size_t *counts, size_t *n_columns, const results_file *file, const double *columns,
                                size_t n_nodes) {
  const size_t told = *n_columns;
  for (size_t k = 0; k < n_nodes; k++) {
    const size_t column = (size_t)columns[k];
    CUONN_CHECK(k == 0 || columns[k] >= columns[k - 1], CUONN_E_DATA,
                "%s: node %zu is in column %zu, but the one before it in column %g; nodes stand column by column",
                file->path, k, column, columns[k - 1]);
    CUONN_CHECK(told == 0 || column < told, CUONN_E_DATA,
                "%s: node %zu is in column %zu, but attribute columns is %zu, which counts from 0 to %zu", file->path,
                k, column, told, told - 1);
    counts[column]++;
    if (column >= *n_columns) *n_columns = column + 1;
  }
  return CUONN_OK;
}

static cuonn_status get_list(cuonn_mesh_shape **out, const results_file *file, size_t n_modes, size_t n_nodes) {
  const results_variable pair = pair_variable(n_nodes), column = column_variable(n_nodes);
  double *numbers = NULL;
  uint32_t(*pairs)[2] = NULL;
  size_t *counts = NULL, n_columns = 0;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&numbers, 2 * n_nodes, sizeof *numbers));
  CUONN_TRY_DONE(cuonn_allocate(&pairs, n_nodes, sizeof *pairs));
  CUONN_TRY_DONE(cuonn_allocate(&counts, CUONN_COLUMNS_MAX, sizeof *counts));
  CUONN_TRY_DONE(get_columns(&n_columns, file));
  CUONN_TRY_DONE(get_integers(numbers, file, &pair, 2 * n_nodes, n_modes - 1));
  for (size_t i = 0; i < 2 * n_nodes; i++) pairs[i / 2][i % 2] = (uint32_t)numbers[i];
  CUONN_TRY_DONE(get_integers(numbers, file, &column, n_nodes, CUONN_COLUMNS_MAX - 1));
  CUONN_TRY_DONE(count_nodes(counts, &n_columns, file, numbers, n_nodes));
  status = cuonn_mesh_shape_create(out, n_modes, n_columns, counts, (const uint32_t(*)[2])pairs);
  if (status == CUONN_E_SHAPE) cuonn_fail_within(status, "%s", file->path);
done:
  free(counts);
  free(pairs);
  free(numbers);
  return status;
}

/* The columns of a file's meshes, whatever their nodes are. */
static cuonn_status get_architecture_or_list(cuonn_mesh_shape **out, const results_file *file, size_t n_modes,
                                             size_t n_nodes) {
  cuonn_architecture architecture;
  size_t n_columns, nodes = 0;
  CUONN_TRY(results_get_architecture(&architecture, file));
  if (architecture == CUONN_ARCHITECTURE_CUSTOM) return get_list(out, file, n_modes, n_nodes);
  CUONN_TRY(get_columns(&n_columns, file));
  const char *const name = cuonn_architecture_name(architecture);
  cuonn_status status = architecture_nodes(&nodes, architecture, n_modes, n_columns);
  const bool phases = results_has(file, "theta");
  CUONN_CHECK(status != CUONN_OK || nodes == n_nodes, CUONN_E_DATA,
              "%s: %s has %zu nodes; a %s mesh of the %zu waveguides of %s has %zu", file->path,
              phases ? "theta" : "the chip", n_nodes, name, n_modes, phases ? "gamma" : "attribute modes", nodes);
  if (status == CUONN_OK) status = cuonn_mesh_shape_make(out, architecture, n_modes, n_columns);
  return status == CUONN_E_SHAPE ? cuonn_fail_within(status, "%s", file->path) : status;
}

/* The attribute node; mzi where there is none. */
static cuonn_status get_node(cuonn_node_kind *out, const results_file *file) {
  char *name = NULL;
  *out = CUONN_NODE_MZI;
  CUONN_TRY(results_get_text(&name, file, "node"));
  const bool known = !name || cuonn_node_kind_parse(out, name) == CUONN_OK;
  free(name);
  return known ? CUONN_OK : cuonn_fail_within(CUONN_E_DATA, "%s", file->path);
}

cuonn_status results_get_shape(cuonn_mesh_shape **out, const results_file *file, size_t n_modes, size_t n_nodes) {
  cuonn_node_kind node;
  cuonn_mesh_shape *columns = NULL;
  *out = NULL;
  CUONN_TRY(get_node(&node, file));
  CUONN_TRY(get_architecture_or_list(&columns, file, n_modes, n_nodes));
  if (node == CUONN_NODE_MZI) {
    *out = columns;
    return CUONN_OK;
  }
  const cuonn_status status = cuonn_mesh_shape_with_node(out, columns, node);
  cuonn_mesh_shape_free(columns);
  return status;
}

typedef struct {
  cuonn_mesh_shape **out;
  size_t n_modes;
} shape_request;

static cuonn_status read_list(void *user, const results_file *file) {
  const shape_request *const request = user;
  const results_variable form = pair_variable(1);
  size_t rank, lengths[RESULTS_RANK];
  CUONN_TRY(results_shape(&rank, lengths, file, &form, 1));
  return get_list(request->out, file, request->n_modes, lengths[0]);
}

cuonn_status cuonn_mesh_shape_read(cuonn_mesh_shape **out, size_t n_modes, const char *path) {
  shape_request request = {out, n_modes};
  *out = NULL;
  CUONN_CHECK(n_modes >= 2 && n_modes <= CUONN_MODES_MAX, CUONN_E_SHAPE, "a mesh has 2 to %d waveguides, not %zu",
              CUONN_MODES_MAX, n_modes);
  return results_read(path, read_list, &request);
}
