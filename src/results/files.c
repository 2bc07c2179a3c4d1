/* The public files but checkpoints and chips: unitaries, meshes, fields, labels, what commands write; networks read. */
#include "cuonn/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"
#include "network/gradient.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/phases.h"
#include "results/variables.h"

enum { kVariablesMax = 16 };

static results_variable unitary_variable(size_t n_layers, size_t n_modes) {
  results_variable v = {
      "unitary", {{"row", n_modes}, {"column", n_modes}, {"complex", 2}}, NULL, .long_name = "out = unitary x in"};
  if (n_layers > 0) {
    memmove(&v.dimensions[1], &v.dimensions[0], 3 * sizeof v.dimensions[0]);
    v.dimensions[0] = (results_dimension){"layer", n_layers};
  }
  return v;
}

static results_variable fields_variable(const char *name, size_t n_examples, size_t n_modes) {
  return (results_variable){name,
                            {{"example", n_examples}, {"waveguide", n_modes}, {"complex", 2}},
                            NULL,
                            .long_name = "complex amplitude; its squared modulus is power"};
}

/* A variable and where its values are; NULL values: left out. */
typedef struct {
  results_variable variable;
  const double *values;
} item;

static cuonn_status write_items(const char *path, const char *title, const item *items, size_t count) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable variables[kVariablesMax];
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    if (items[i].values) variables[n++] = items[i].variable;
  }
  CUONN_TRY_DONE(results_create(&file, path, title));
  CUONN_TRY_DONE(results_define(&file, variables, n));
  for (size_t i = 0; i < count; i++) {
    if (items[i].values) CUONN_TRY_DONE(results_put(&file, &items[i].variable, RESULTS_WHOLE, items[i].values));
  }
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* ---- unitaries ---- */

/* Matrices of a file; n_layers is 0 where there is no such dimension. */
typedef struct {
  double *values;
  size_t n_layers, n_modes;
} unitaries;

static cuonn_status read_unitaries(void *user, const results_file *file) {
  unitaries *const out = user;
  size_t rank, lengths[RESULTS_RANK];
  const results_variable forms[] = {unitary_variable(0, 1), unitary_variable(1, 1)};
  CUONN_TRY(results_shape(&rank, lengths, file, forms, 2));
  const size_t *const last = lengths + rank - 3;
  CUONN_CHECK(last[2] == 2, CUONN_E_DATA,
              "%s: the last dimension of unitary has the length %zu; it must be 2 (real, imaginary)", file->path,
              last[2]);
  CUONN_CHECK(last[0] == last[1], CUONN_E_DATA, "%s: unitary is not square: it has %zu rows and %zu columns",
              file->path, last[0], last[1]);
  CUONN_CHECK(last[0] >= 2 && last[0] <= CUONN_MODES_MAX, CUONN_E_DATA,
              "%s: unitary has %zu rows; a mesh has 2 to %d waveguides", file->path, last[0], CUONN_MODES_MAX);
  out->n_modes = last[0];
  out->n_layers = rank == 4 ? lengths[0] : 0;
  const results_variable v = unitary_variable(out->n_layers, out->n_modes);
  const size_t matrices = out->n_layers ? out->n_layers : 1;
  CUONN_TRY(cuonn_allocate(&out->values, matrices * out->n_modes * out->n_modes, 2 * sizeof(double)));
  return results_get(out->values, file, &v, RESULTS_WHOLE);
}

cuonn_status cuonn_unitary_read(double **matrix, size_t *n_modes, const char *path) {
  cuonn_status status = CUONN_OK;
  unitaries u = {0};
  *matrix = NULL;
  *n_modes = 0;
  const results_variable form = unitary_variable(0, 1);
  CUONN_TRY_DONE(results_read_variables(path, &form, 1, read_unitaries, &u));
  CUONN_CHECK_DONE(u.n_layers <= 1, CUONN_E_DATA,
                   "%s: holds the unitaries of %zu layers; select one, in xarray with .isel(layer=0)", path,
                   u.n_layers);
  *matrix = u.values;
  *n_modes = u.n_modes;
  u.values = NULL;
done:
  free(u.values);
  return status;
}

typedef struct {
  double *values;
  size_t n_rows, n_columns;
} any_matrix;

static results_variable matrix_variable(size_t n_rows, size_t n_columns) {
  return (results_variable){
      "matrix", {{"row", n_rows}, {"column", n_columns}, {"complex", 2}}, NULL, .long_name = "out = matrix x in"};
}

static cuonn_status read_matrix(void *user, const results_file *file) {
  any_matrix *const out = user;
  size_t rank, lengths[RESULTS_RANK];
  const results_variable form = matrix_variable(1, 1);
  CUONN_TRY(results_shape(&rank, lengths, file, &form, 1));
  CUONN_CHECK(lengths[2] == 2, CUONN_E_DATA,
              "%s: the last dimension of matrix has the length %zu; it must be 2 (real, imaginary)", file->path,
              lengths[2]);
  CUONN_CHECK(lengths[0] >= 1 && lengths[1] >= 1 && lengths[0] <= CUONN_MODES_MAX && lengths[1] <= CUONN_MODES_MAX,
              CUONN_E_DATA, "%s: matrix has %zu rows and %zu columns; a mesh has up to %d waveguides", file->path,
              lengths[0], lengths[1], CUONN_MODES_MAX);
  out->n_rows = lengths[0];
  out->n_columns = lengths[1];
  const results_variable v = matrix_variable(out->n_rows, out->n_columns);
  CUONN_TRY(cuonn_allocate(&out->values, out->n_rows * out->n_columns, 2 * sizeof(double)));
  return results_get(out->values, file, &v, RESULTS_WHOLE);
}

/* Either variable. */
static cuonn_status read_any_matrix(void *user, const results_file *file) {
  any_matrix *const out = user;
  unitaries u = {0};
  if (results_has(file, "matrix")) return read_matrix(user, file);
  const cuonn_status status = read_unitaries(&u, file);
  *out = (any_matrix){u.values, u.n_modes, u.n_modes};
  CUONN_CHECK(status != CUONN_OK || u.n_layers <= 1, CUONN_E_DATA,
              "%s: holds the unitaries of %zu layers; select one, in xarray with .isel(layer=0)", file->path,
              u.n_layers);
  return status;
}

cuonn_status cuonn_matrix_read(double **matrix, size_t *n_rows, size_t *n_columns, const char *path) {
  any_matrix read = {0};
  const cuonn_status status = results_read(path, read_any_matrix, &read);
  if (status != CUONN_OK) free(read.values);
  *matrix = status == CUONN_OK ? read.values : NULL;
  *n_rows = read.n_rows;
  *n_columns = read.n_columns;
  return status;
}

cuonn_status cuonn_unitary_write(const char *path, const double *matrix, size_t n_modes) {
  return write_items(path, "Matrix of a mesh", &(item){unitary_variable(0, n_modes), matrix}, 1);
}

/* ---- meshes ---- */

static cuonn_status read_mesh(void *user, const results_file *file) {
  cuonn_mesh *const out = user;
  results_phases phases;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(results_get_phases(&phases, file));
  CUONN_CHECK_DONE(phases.n_layers <= 1, CUONN_E_DATA,
                   "%s: holds a network of %zu layers; a mesh is one of them, in xarray .isel(layer=0)", file->path,
                   phases.n_layers);
  CUONN_TRY_DONE(cuonn_mesh_create_shaped(out, phases.mesh, phases.style));
  CUONN_TRY_DONE(results_get_meshes(out, &phases, file));
done:
  results_phases_free(&phases);
  return status;
}

cuonn_status cuonn_mesh_read(cuonn_mesh *out, const char *path) {
  results_variable forms[RESULTS_MESH_ARRAYS]; /* theta and phi are the first */
  memset(out, 0, sizeof *out);
  results_mesh_variables(forms, 0, NULL, CUONN_STYLE_TOP);
  const cuonn_status status = results_read_variables(path, forms, 2, read_mesh, out);
  if (status != CUONN_OK) cuonn_mesh_free(out);
  return status;
}

cuonn_status cuonn_mesh_write(const char *path, const cuonn_mesh *mesh) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable variables[RESULTS_MESH_ARRAYS];
  results_mesh_variables(variables, 0, mesh->shape, mesh->style);
  CUONN_TRY_DONE(results_create(&file, path, "Mesh of Mach-Zehnder interferometers"));
  CUONN_TRY_DONE(results_put_mesh_attributes(&file, mesh->shape, mesh->style));
  CUONN_TRY_DONE(results_define_meshes(&file, variables, RESULTS_MESH_ARRAYS, mesh->shape));
  CUONN_TRY_DONE(results_put_mesh(&file, variables, RESULTS_WHOLE, mesh));
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* ---- fields and labels ---- */

typedef struct {
  cuonn_fields *out;
  const char *variable;
} fields_request;

/* Reads real amplitudes, [example][waveguide], into the first half of the values, and gives them imaginary parts. */
static cuonn_status read_real(cuonn_fields *out, const results_file *file, results_variable *v) {
  const size_t count = out->n_examples * out->n_modes;
  v->dimensions[2] = (results_dimension){0};
  CUONN_TRY(results_get(out->values, file, v, RESULTS_WHOLE));
  for (size_t i = count; i-- > 0;) {
    out->values[2 * i] = out->values[i];
    out->values[2 * i + 1] = 0;
  }
  return CUONN_OK;
}

static cuonn_status read_fields(void *user, const results_file *file) {
  const fields_request *const request = user;
  size_t rank, lengths[RESULTS_RANK];
  results_variable forms[2] = {fields_variable(request->variable, 1, 1), fields_variable(request->variable, 1, 1)};
  forms[1].dimensions[2] = (results_dimension){0}; /* real */
  CUONN_TRY(results_shape(&rank, lengths, file, forms, 2));
  CUONN_CHECK(rank == 2 || lengths[2] == 2, CUONN_E_DATA,
              "%s: %s must be (example, waveguide, complex), complex being real and imaginary part, or real (example, "
              "waveguide); its last dimension has the length %zu",
              file->path, request->variable, lengths[2]);
  results_variable v = fields_variable(request->variable, lengths[0], lengths[1]);
  CUONN_TRY(cuonn_fields_create(request->out, lengths[0], lengths[1]));
  return rank == 2 ? read_real(request->out, file, &v) : results_get(request->out->values, file, &v, RESULTS_WHOLE);
}

cuonn_status cuonn_fields_read(cuonn_fields *out, const char *path, const char *variable) {
  memset(out, 0, sizeof *out);
  fields_request request = {out, variable};
  const results_variable form = fields_variable(variable, 1, 1);
  const cuonn_status status = results_read_variables(path, &form, 1, read_fields, &request);
  if (status != CUONN_OK) cuonn_fields_free(out);
  return status;
}

typedef struct {
  uint8_t *labels;
  size_t n_examples;
} labels_request;

static results_variable label_variable(size_t n_examples) {
  return (results_variable){
      "label", {{"example", n_examples}}, NULL, .long_name = "class of each example", .integers = true};
}

static cuonn_status read_labels(void *user, const results_file *file) {
  cuonn_status status = CUONN_OK;
  labels_request *const out = user;
  double *numbers = NULL;
  size_t rank, lengths[RESULTS_RANK];
  const results_variable form = label_variable(1);
  CUONN_TRY_DONE(results_shape(&rank, lengths, file, &form, 1));
  const results_variable v = label_variable(lengths[0]);
  CUONN_TRY_DONE(cuonn_allocate(&numbers, lengths[0], sizeof *numbers));
  CUONN_TRY_DONE(cuonn_allocate(&out->labels, lengths[0], sizeof *out->labels));
  CUONN_TRY_DONE(results_get(numbers, file, &v, RESULTS_WHOLE));
  out->n_examples = lengths[0];
  for (size_t i = 0; i < out->n_examples; i++) {
    CUONN_CHECK_DONE(numbers[i] >= 0 && numbers[i] <= UINT8_MAX && numbers[i] == floor(numbers[i]), CUONN_E_DATA,
                     "%s: label[%zu] is %g; labels are integers from 0 to 255", file->path, i, numbers[i]);
    out->labels[i] = (uint8_t)numbers[i];
  }
done:
  free(numbers);
  return status;
}

cuonn_status cuonn_labels_read(uint8_t **labels, size_t *n_examples, const char *path) {
  labels_request request = {0};
  *labels = NULL;
  *n_examples = 0;
  const results_variable form = label_variable(1);
  const cuonn_status status = results_read_variables(path, &form, 1, read_labels, &request);
  if (status != CUONN_OK) {
    free(request.labels);
    return status;
  }
  *labels = request.labels;
  *n_examples = request.n_examples;
  return CUONN_OK;
}

cuonn_status cuonn_examples_read(cuonn_examples *out, const char *path) {
  cuonn_status status = CUONN_OK;
  size_t n_labels = 0;
  *out = (cuonn_examples){0};
  CUONN_TRY_DONE(cuonn_fields_read(&out->fields, path, "input"));
  CUONN_TRY_DONE(cuonn_labels_read(&out->labels, &n_labels, path));
  out->n_examples = out->fields.n_examples;
  CUONN_CHECK_DONE(n_labels == out->n_examples, CUONN_E_DATA, "%s: input has %zu examples, but label has %zu", path,
                   out->n_examples, n_labels);
  out->source = strdup(path);
  CUONN_CHECK_DONE(out->source, CUONN_E_MEMORY, "%s: not enough memory to keep its name", path);
done:
  if (status != CUONN_OK) cuonn_examples_free(out);
  return status;
}

cuonn_status cuonn_fields_write(const char *path, const cuonn_fields *const *fields, const char *const *names,
                                size_t count, const uint8_t *labels) {
  cuonn_status status = CUONN_OK;
  item items[kVariablesMax];
  double *numbers = NULL;
  CUONN_CHECK_DONE(count >= 1 && count < kVariablesMax, CUONN_E_ARGUMENT, "%s: 1 to %d fields can be written, not %zu",
                   path, kVariablesMax - 1, count);
  for (size_t i = 0; i < count; i++)
    items[i] = (item){fields_variable(names[i], fields[i]->n_examples, fields[i]->n_modes), fields[i]->values};
  const size_t n_labels = labels ? fields[0]->n_examples : 0;
  if (labels) CUONN_TRY_DONE(cuonn_allocate(&numbers, n_labels, sizeof *numbers));
  for (size_t i = 0; i < n_labels; i++) numbers[i] = labels[i];
  items[count] = (item){label_variable(n_labels), numbers};
  CUONN_TRY_DONE(write_items(path, "Batch of fields", items, count + 1));
done:
  free(numbers);
  return status;
}

/* ---- what propagate, vjp and gradient give ---- */

static results_variable tap_variable(const char *name, size_t n_columns, const cuonn_fields *fields,
                                     const char *long_name) {
  return (results_variable){
      name,
      {{"column", n_columns}, {"example", fields->n_examples}, {"waveguide", fields->n_modes}, {"complex", 2}},
      NULL,
      .long_name = long_name};
}

cuonn_status cuonn_propagation_write(const char *path, const cuonn_fields *output, const cuonn_taps *taps,
                                     size_t n_columns) {
  static const cuonn_taps none = {0};
  const cuonn_taps *const t = taps ? taps : &none;
  const item items[] = {
      {fields_variable("output", output->n_examples, output->n_modes), output->values},
      {tap_variable("before_phi", n_columns, output, "field before the phi stage"), t->before_phi},
      {tap_variable("after_phi", n_columns, output, "field after the phi stage"), t->after_phi},
      {tap_variable("before_theta", n_columns, output, "field before the theta stage"), t->before_theta},
      {tap_variable("after_theta", n_columns, output, "field after the theta stage"), t->after_theta},
      {tap_variable("after_coupler", n_columns, output, "field after the right coupler"), t->after_coupler},
  };
  return write_items(path, "Fields sent through a mesh", items, sizeof items / sizeof *items);
}

static const char kPerRadian[] = "radian-1";

cuonn_status cuonn_vjp_write(const char *path, const cuonn_mesh_gradient *gradient, size_t n_nodes,
                             const cuonn_fields *backward) {
  const item items[] = {
      {{"d_theta", {{"node", n_nodes}}, kPerRadian, .long_name = "derivative of the loss with respect to theta"},
       gradient->d_theta},
      {{"d_phi", {{"node", n_nodes}}, kPerRadian, .long_name = "derivative of the loss with respect to phi"},
       gradient->d_phi},
      {{"d_gamma",
        {{"waveguide", backward->n_modes}},
        kPerRadian,
        .long_name = "derivative of the loss with respect to gamma"},
       gradient->d_gamma},
      {fields_variable("backward", backward->n_examples, backward->n_modes), backward->values},
  };
  return write_items(path, "Vector-Jacobian product of a mesh", items, sizeof items / sizeof *items);
}

/* Arrays of a gradient, computed ones in the second half. */
enum { kTheta, kPhi, kGamma, kAmplitude, kArrays };

static const struct {
  const char *name, *long_name;
} of_gradient[2 * kArrays] = {
    {"d_theta", "derivative of the loss with respect to theta"},
    {"d_phi", "derivative of the loss with respect to phi"},
    {"d_gamma", "derivative of the loss with respect to gamma"},
    {"d_amplitude", "derivative of the loss with respect to amplitude"},
    {"exact_d_theta", "computed derivative of the loss with respect to theta"},
    {"exact_d_phi", "computed derivative of the loss with respect to phi"},
    {"exact_d_gamma", "computed derivative of the loss with respect to gamma"},
    {"exact_d_amplitude", "computed derivative of the loss with respect to amplitude"},
};

static results_variable gradient_variable(size_t i, size_t n_layers, size_t n_nodes, size_t n_modes) {
  const results_dimension of_nodes = {"node", n_nodes}, of_waveguides = {"waveguide", n_modes};
  return (results_variable){of_gradient[i].name,
                            {{"layer", n_layers}, i % kArrays < kGamma ? of_nodes : of_waveguides},
                            i % kArrays == kAmplitude ? NULL : kPerRadian,
                            .long_name = of_gradient[i].long_name};
}

static double *gradient_array(const cuonn_mesh_gradient *gradient, size_t i) {
  double *const arrays[kArrays] = {gradient->d_theta, gradient->d_phi, gradient->d_gamma, gradient->d_amplitude};
  return arrays[i % kArrays];
}

cuonn_status cuonn_gradient_write(const char *path, const cuonn_network_shape *shape, double loss,
                                  const cuonn_mesh_gradient *gradients, const cuonn_mesh_gradient *exact) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable variables[1 + 2 * kArrays] = {
      {"loss", {{NULL, 0}}, NULL, .long_name = "mean loss of the batch"},
  };
  size_t which[1 + 2 * kArrays], count = 1; /* array of a variable */
  for (size_t i = 0; i < (exact ? 2 * kArrays : kArrays); i++) {
    if (i % kArrays == kAmplitude && shape->layer == CUONN_LAYER_UNITARY) continue;
    which[count] = i;
    variables[count++] = gradient_variable(i, shape->n_layers, cuonn_network_nodes(shape), shape->n_modes);
  }
  CUONN_TRY_DONE(results_create(&file, path, "Gradient of a network's loss"));
  CUONN_TRY_DONE(results_define(&file, variables, count));
  CUONN_TRY_DONE(results_put(&file, &variables[0], RESULTS_WHOLE, &loss));
  for (size_t l = 0; l < shape->n_layers; l++) {
    for (size_t v = 1; v < count; v++) {
      const cuonn_mesh_gradient *const of = which[v] < kArrays ? gradients : exact;
      CUONN_TRY_DONE(results_put(&file, &variables[v], l, gradient_array(of + l, which[v])));
    }
  }
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* What a gradient's file is read into. */
typedef struct {
  cuonn_mesh_gradient *gradients, *exact;
  size_t n_layers, n_nodes, n_modes;
} gradient_request;

/* first: of its arrays, 0 or kArrays. */
static cuonn_status get_gradients(cuonn_mesh_gradient **out, const gradient_request *r, const results_file *file,
                                  size_t first) {
  const bool amplitudes = results_has(file, of_gradient[first + kAmplitude].name);
  CUONN_TRY(gradients_create(out, r->n_layers, r->n_nodes, r->n_modes, amplitudes));
  for (size_t l = 0; l < r->n_layers; l++) {
    for (size_t i = first; i < first + (amplitudes ? kArrays : kAmplitude); i++) {
      const results_variable v = gradient_variable(i, r->n_layers, r->n_nodes, r->n_modes);
      CUONN_TRY(results_get(gradient_array(*out + l, i), file, &v, l));
    }
  }
  return CUONN_OK;
}

static cuonn_status read_gradients(void *user, const results_file *file) {
  gradient_request *const r = user;
  size_t rank, lengths[RESULTS_RANK];
  const results_variable form = {"d_gamma", {{"layer", 1}, {"waveguide", 1}}, kPerRadian, .long_name = NULL};
  const results_variable of_nodes = {"d_theta", {{"layer", 1}, {"node", 1}}, kPerRadian, .long_name = NULL};
  CUONN_TRY(results_shape(&rank, lengths, file, &form, 1));
  CUONN_CHECK(lengths[1] >= 2, CUONN_E_DATA, "%s: d_gamma has %zu waveguides; a mesh has at least 2", file->path,
              lengths[1]);
  r->n_layers = lengths[0];
  r->n_modes = lengths[1];
  CUONN_TRY(results_shape(&rank, lengths, file, &of_nodes, 1));
  r->n_nodes = lengths[1];
  CUONN_TRY(get_gradients(&r->gradients, r, file, 0));
  return results_has(file, of_gradient[kArrays].name) ? get_gradients(&r->exact, r, file, kArrays) : CUONN_OK;
}

cuonn_status cuonn_gradient_read(cuonn_mesh_gradient **gradients, cuonn_mesh_gradient **exact, size_t *n_layers,
                                 size_t *n_nodes, size_t *n_modes, const char *path) {
  gradient_request r = {0};
  const cuonn_status status = results_read(path, read_gradients, &r);
  if (status != CUONN_OK) {
    cuonn_gradients_free(r.gradients);
    cuonn_gradients_free(r.exact);
    r = (gradient_request){0};
  }
  *gradients = r.gradients;
  *exact = r.exact;
  *n_layers = r.n_layers;
  *n_nodes = r.n_nodes;
  *n_modes = r.n_modes;
  return status;
}

/* ---- networks ---- */

typedef struct {
  cuonn_network *network;
  bool any; /* whether the phases may be counted by another program's convention */
  const cuonn_convention *convention;
} network_request;

static cuonn_status read_network(void *user, const results_file *file) {
  network_request *const request = user;
  results_phases phases;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE((request->any ? results_get_phases_of_any : results_get_phases)(&phases, file));
  request->convention = phases.convention  ? phases.convention
                        : phases.has_style ? cuonn_convention_of_style(phases.style)
                                           : NULL;
  CUONN_TRY_DONE(results_get_network(request->network, &phases, file));
done:
  results_phases_free(&phases);
  return status;
}

static cuonn_status read_network_file(network_request *request, const char *path) {
  results_variable forms[RESULTS_MESH_ARRAYS];
  memset(request->network, 0, sizeof *request->network);
  results_mesh_variables(forms, 0, NULL, CUONN_STYLE_TOP); /* arrays of other formats are those of one mesh */
  const cuonn_status status = results_read_variables(path, forms, 2, read_network, request);
  if (status != CUONN_OK) cuonn_network_free(request->network);
  return status;
}

cuonn_status cuonn_network_read(cuonn_network *out, const char *path) {
  return read_network_file(&(network_request){.network = out}, path);
}

cuonn_status cuonn_network_read_any(cuonn_network *out, const cuonn_convention **convention, const char *path) {
  network_request request = {.network = out, .any = true};
  const cuonn_status status = read_network_file(&request, path);
  *convention = status == CUONN_OK ? request.convention : NULL;
  return status;
}

static cuonn_status read_errors(void *user, const results_file *file) {
  const cuonn_network *const network = user;
  return results_get_errors(network->layers, network->shape.n_layers, file);
}

cuonn_status cuonn_network_read_errors(cuonn_network *network, const char *path) {
  cuonn_status status = CUONN_OK;
  cuonn_network apart = {0}; /* so that a refused file leaves the network as it was */
  CUONN_TRY_DONE(cuonn_network_create(&apart, &network->shape));
  CUONN_TRY_DONE(cuonn_network_copy(&apart, network));
  results_variable forms[RESULTS_MESH_ARRAYS]; /* coupler_error and loss_db are the last */
  results_mesh_variables(forms, 1, NULL, CUONN_STYLE_TOP);
  CUONN_TRY_DONE(results_read_variables(path, &forms[RESULTS_MESH_ARRAYS - 2], 2, read_errors, &apart));
  CUONN_TRY_DONE(cuonn_network_copy(network, &apart));
done:
  cuonn_network_free(&apart);
  return status;
}

/* What a file of starting phases holds: meshes, or unitaries to decompose. */
typedef struct {
  cuonn_network *network; /* of the wanted shape */
  unitaries unitaries;
} start_request;

static cuonn_status check_start(const results_file *file, const cuonn_network_shape *shape, size_t n_layers,
                                size_t n_modes) {
  const size_t layers = n_layers ? n_layers : 1;
  CUONN_CHECK(n_modes == shape->n_modes, CUONN_E_SHAPE, "%s: is for %zu waveguides, the network has %zu", file->path,
              n_modes, shape->n_modes);
  CUONN_CHECK(layers == shape->n_layers, CUONN_E_SHAPE, "%s: holds %zu layers, the network has %zu", file->path, layers,
              shape->n_layers);
  return CUONN_OK;
}

static cuonn_status read_start(void *user, const results_file *file) {
  start_request *const request = user;
  const cuonn_network_shape *const shape = &request->network->shape;
  results_phases phases = {0};
  cuonn_status status = CUONN_OK;
  if (!results_has(file, "theta")) {
    CUONN_CHECK(results_has(file, "unitary"), CUONN_E_DATA, "%s: has neither theta nor unitary to start from",
                file->path);
    CUONN_TRY(read_unitaries(&request->unitaries, file));
    return check_start(file, shape, request->unitaries.n_layers, request->unitaries.n_modes);
  }
  CUONN_TRY_DONE(results_get_phases(&phases, file));
  CUONN_TRY_DONE(check_start(file, shape, phases.n_layers, phases.mesh->n_modes));
  CUONN_CHECK_DONE(phases.mesh->node == shape->mesh->node, CUONN_E_SHAPE,
                   "%s: its nodes are of the kind %s, the network's are %s", file->path,
                   cuonn_node_kind_name(phases.mesh->node), cuonn_node_kind_name(shape->mesh->node));
  CUONN_CHECK_DONE(
      shape_equal(phases.mesh, shape->mesh), CUONN_E_SHAPE,
      "%s: its meshes are %s with %zu nodes in %zu columns, the network's are %s with %zu in %zu: they are not "
      "of the same shape",
      file->path, cuonn_architecture_name(phases.mesh->architecture), phases.mesh->n_nodes, phases.mesh->n_columns,
      cuonn_architecture_name(shape->mesh->architecture), shape->mesh->n_nodes, shape->mesh->n_columns);
  CUONN_CHECK_DONE(!phases.has_style || phases.style == shape->style, CUONN_E_DATA,
                   "%s: its phases are of the style %s, the network's are %s", file->path,
                   cuonn_phase_style_name(phases.style), cuonn_phase_style_name(shape->style));
  CUONN_TRY_DONE(results_get_meshes(request->network->layers, &phases, file));
  CUONN_TRY_DONE(results_get_amplitudes(request->network, file));
done:
  results_phases_free(&phases);
  return status;
}

cuonn_status cuonn_network_read_start(cuonn_network *network, const char *path) {
  cuonn_status status = CUONN_OK;
  cuonn_network start = {0}; /* apart, so that a refused file leaves the network as it was */
  start_request request = {&start, {0}};
  CUONN_TRY_DONE(cuonn_network_create(&start, &network->shape));
  results_variable forms[RESULTS_MESH_ARRAYS];
  results_mesh_variables(forms, 1, NULL, CUONN_STYLE_TOP);
  CUONN_TRY_DONE(results_read_variables(path, forms, 2, read_start, &request));
  const size_t n = network->shape.n_modes;
  for (size_t l = 0; request.unitaries.values && l < network->shape.n_layers; l++) {
    status = cuonn_mesh_decompose(&start.layers[l], request.unitaries.values + 2 * n * n * l);
    if (status != CUONN_OK) {
      cuonn_fail_within(status, "%s: layer %zu", path, l);
      goto done;
    }
  }
  CUONN_TRY_DONE(cuonn_network_copy(network, &start));
done:
  free(request.unitaries.values);
  cuonn_network_free(&start);
  return status;
}
