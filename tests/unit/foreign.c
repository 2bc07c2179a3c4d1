/* What names of dimensions, and attributes, say about the numbers of a file that another program wrote. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "cuonn/files.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/foreign.h"

enum { kModes = 3, kNodes = 3, kLayers = 3, kExamples = 3 }; /* as many of each: no length tells them apart */

static const int kFormats[] = {0, NC_CDF5, NC_NETCDF4};
enum { kFormatCount = sizeof kFormats / sizeof *kFormats };

static void scatter(double *out, size_t n, uint32_t stream) {
  const random_place place = {11, RANDOM_PHASES, stream, 0};
  for (size_t i = 0; i < n; i++) out[i] = random_uniform(place, (uint32_t)i) - 0.5;
}

/* The next order of 0 ... n-1, in the order of a dictionary; false behind the last. */
static bool next_order(int *order, int n) {
  int i = n - 2, j = n - 1;
  while (i >= 0 && order[i] > order[i + 1]) i--;
  if (i < 0) return false;
  while (order[j] < order[i]) j--;
  const int held = order[i];
  order[i] = order[j];
  order[j] = held;
  for (int a = i + 1, b = n - 1; a < b; a++, b--) {
    const int swap = order[a];
    order[a] = order[b];
    order[b] = swap;
  }
  return true;
}

static void fill_network(cuonn_network *network) {
  for (uint32_t l = 0; l < network->shape.n_layers; l++) {
    cuonn_mesh *const mesh = &network->layers[l];
    scatter(mesh->theta, kNodes, 10 * l);
    scatter(mesh->phi, kNodes, 10 * l + 1);
    scatter(mesh->gamma, kModes, 10 * l + 2);
    scatter(mesh->coupler_error, 2 * kNodes, 10 * l + 3);
    scatter(mesh->loss_db, 2 * kNodes, 10 * l + 4);
  }
}

static bool same_network(const cuonn_network *a, const cuonn_network *b) {
  bool same = a->shape.n_layers == b->shape.n_layers && a->shape.n_modes == b->shape.n_modes;
  for (size_t l = 0; same && l < a->shape.n_layers; l++) {
    const cuonn_mesh *const x = &a->layers[l], *const y = &b->layers[l];
    same = memcmp(x->theta, y->theta, kNodes * sizeof(double)) == 0 &&
           memcmp(x->phi, y->phi, kNodes * sizeof(double)) == 0 &&
           memcmp(x->gamma, y->gamma, kModes * sizeof(double)) == 0 &&
           memcmp(x->coupler_error, y->coupler_error, 2 * kNodes * sizeof(double)) == 0 &&
           memcmp(x->loss_db, y->loss_db, 2 * kNodes * sizeof(double)) == 0;
  }
  return same;
}

/* ---- names in another order ---- */

static void test_names__unitary_in_every_order(void **s) {
  (void)s;
  static const char *const names[] = {"layer", "row", "column", "complex"};
  static const size_t lengths[] = {1, kModes, kModes, 2};
  double matrix[2 * kModes * kModes], turned[2 * kModes * kModes];
  scatter(matrix, 2 * kModes * kModes, 1);
  for (int without = 0; without < 2; without++) { /* without layer, the second time */
    int order[4] = {0, 1, 2, 3}, rank = 4 - without, tried = 0;
    do {
      foreign_array a[2] = {{.name = "unitary", .values = turned}};
      for (int d = 0; d < rank; d++) {
        a->dimensions[d] = names[without + order[d]];
        a->lengths[d] = lengths[without + order[d]];
      }
      foreign_transpose((char *)turned, (char *)matrix, sizeof *matrix, rank, lengths + without, order);
      double *back;
      size_t n;
      foreign_write("unitary.nc", kFormats[tried % kFormatCount], a);
      OK(cuonn_unitary_read(&back, &n, "unitary.nc"));
      assert_int_equal(n, kModes);
      assert_memory_equal(back, matrix, sizeof matrix);
      free(back);
      tried++;
    } while (next_order(order, rank));
    assert_int_equal(tried, without ? 6 : 24);
  }
}

static void test_names__every_variable_turned_about(void **s) {
  (void)s;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 2, CUONN_STYLE_BOTTOM, true, NULL);
  cuonn_training_state state, back;
  char config[] = "training:\n  epochs: 5\n";
  size_t epoch;
  cuonn_origin origin;
  OK(cuonn_training_state_create(&state, &shape));
  fill_network(&state.network);
  const size_t n_moments = cuonn_training_moments_count(&shape);
  scatter(state.moments, n_moments, 90);
  OK(cuonn_checkpoint_write("last.nc", &state, 1, &(cuonn_origin){.config_text = config, .seed = 1}));
  for (size_t f = 0; f < kFormatCount; f++) {
    foreign_turn("turned.nc", "last.nc", kFormats[f]);
    OK(cuonn_checkpoint_read(&back, &epoch, &origin, "turned.nc"));
    assert_true(same_network(&state.network, &back.network));
    assert_memory_equal(state.moments, back.moments, n_moments * sizeof(double));
    cuonn_origin_free(&origin);
    cuonn_training_state_free(&back);

    cuonn_network errors;
    OK(cuonn_network_create(&errors, &shape));
    OK(cuonn_network_read_errors(&errors, "turned.nc"));
    for (size_t l = 0; l < kLayers; l++) {
      assert_memory_equal(errors.layers[l].coupler_error, state.network.layers[l].coupler_error,
                          2 * kNodes * sizeof(double));
      assert_memory_equal(errors.layers[l].loss_db, state.network.layers[l].loss_db, 2 * kNodes * sizeof(double));
    }
    OK(cuonn_network_read_start(&errors, "turned.nc"));
    assert_true(same_network(&state.network, &errors));
    cuonn_network_free(&errors);
  }
  cuonn_training_state_free(&state);
}

static void test_names__fields_and_gradients_turned_about(void **s) {
  (void)s;
  cuonn_fields input, back;
  OK(cuonn_fields_create(&input, kExamples, kModes));
  scatter(input.values, 2 * kExamples * kModes, 3);
  OK(cuonn_fields_write("input.nc", (const cuonn_fields *const[]){&input}, (const char *const[]){"input"}, 1, NULL));

  double values[kLayers][3][kNodes];
  cuonn_mesh_gradient gradients[kLayers], *read, *exact;
  for (uint32_t l = 0; l < kLayers; l++) {
    for (uint32_t k = 0; k < 3; k++) scatter(values[l][k], kNodes, 20 + 3 * l + k);
    gradients[l] = (cuonn_mesh_gradient){values[l][0], values[l][1], values[l][2], NULL};
  }
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 2, CUONN_STYLE_TOP, true, NULL);
  OK(cuonn_gradient_write("gradient.nc", &shape, 1, gradients, gradients));

  for (size_t f = 0; f < kFormatCount; f++) {
    size_t n_layers, n_nodes, n_modes;
    foreign_turn("turned.nc", "input.nc", kFormats[f]);
    OK(cuonn_fields_read(&back, "turned.nc", "input"));
    assert_memory_equal(back.values, input.values, 2 * kExamples * kModes * sizeof(double));
    cuonn_fields_free(&back);
    foreign_turn("turned.nc", "gradient.nc", kFormats[f]);
    OK(cuonn_gradient_read(&read, &exact, &n_layers, &n_nodes, &n_modes, "turned.nc"));
    for (size_t l = 0; l < kLayers; l++) {
      assert_memory_equal(read[l].d_theta, values[l][0], sizeof values[l][0]);
      assert_memory_equal(read[l].d_gamma, values[l][2], sizeof values[l][2]);
      assert_memory_equal(exact[l].d_phi, values[l][1], sizeof values[l][1]);
    }
    free(exact);
    free(read);
  }
  cuonn_fields_free(&input);
}

/* ---- names that are not ours, or that contradict ---- */

static void test_names__foreign_ones_count_by_place(void **s) {
  (void)s;
  static const char *const names[][3] = {
      {"a", "b", "c"},      {"n", "n", "complex"},          {"x", "column", "complex"}, {"row", "y", "z"},
      {"to", "from", "ri"}, {"Rows", "COLUMNS", "Complex"}, {"mode", "mode2", "2"},     {"dim_0", "dim_1", "dim_2"}};
  double matrix[2 * kModes * kModes], *back;
  size_t n;
  scatter(matrix, 2 * kModes * kModes, 1);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    foreign_array a[2] = {{.name = "unitary", .lengths = {kModes, kModes, 2}, .values = matrix}};
    memcpy(a->dimensions, names[i], sizeof names[i]);
    foreign_write("unitary.nc", 0, a);
    OK(cuonn_unitary_read(&back, &n, "unitary.nc"));
    assert_memory_equal(back, matrix, sizeof matrix);
    free(back);
  }
  /* in another order without regard to case and plural */
  double turned[2 * kModes * kModes];
  foreign_transpose((char *)turned, (char *)matrix, sizeof *matrix, 3, (const size_t[]){kModes, kModes, 2},
                    (const int[]){1, 0, 2});
  foreign_write(
      "unitary.nc", 0,
      (foreign_array[]){{"unitary", {"Columns", "rows", "ri"}, {kModes, kModes, 2}, turned, NULL, NULL}, {0}});
  REFUSED(cuonn_unitary_read(&back, &n, "unitary.nc"), CUONN_E_DATA, "(Columns, rows, ri)");
  foreign_write(
      "unitary.nc", 0,
      (foreign_array[]){{"unitary", {"Columns", "rows", "complex"}, {kModes, kModes, 2}, turned, NULL, NULL}, {0}});
  OK(cuonn_unitary_read(&back, &n, "unitary.nc"));
  assert_memory_equal(back, matrix, sizeof matrix);
  free(back);
}

static void refuse_names(const char *variable, const char *const *names, const size_t *lengths, const char *text) {
  static const double zeros[64];
  foreign_array a[4] = {{.name = variable, .values = zeros}};
  cuonn_network network;
  cuonn_fields fields;
  double *matrix;
  uint8_t *labels;
  size_t n;
  for (int d = 0; names[d]; d++) {
    a->dimensions[d] = names[d];
    a->lengths[d] = lengths[d];
  }
  if (strcmp(variable, "theta") != 0 && strcmp(variable, "unitary") != 0)
    a[1] = (foreign_array){"theta", {"layer", "node"}, {kLayers, kNodes}, zeros, NULL, NULL};
  if (a[1].name) a[2] = (foreign_array){"phi", {"layer", "node"}, {kLayers, kNodes}, zeros, NULL, NULL};
  if (strcmp(variable, "phi") == 0) a[2] = (foreign_array){0};
  for (size_t f = 0; f < kFormatCount; f++) {
    foreign_write("bad.nc", kFormats[f], a);
    if (strcmp(variable, "unitary") == 0) {
      REFUSED(cuonn_unitary_read(&matrix, &n, "bad.nc"), CUONN_E_DATA, text);
    } else if (strcmp(variable, "input") == 0) {
      REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_DATA, text);
    } else if (strcmp(variable, "label") == 0) {
      REFUSED(cuonn_labels_read(&labels, &n, "bad.nc"), CUONN_E_DATA, text);
    } else {
      REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, text);
    }
  }
}

static void test_names__contradictions_are_refused(void **s) {
  (void)s;
  static const struct {
    const char *variable, *names[5];
    size_t lengths[4];
    const char *text;
  } cases[] = {
      {"unitary",
       {"row", "row", "complex"},
       {3, 3, 2},
       "bad.nc: unitary has the dimensions (row, row, complex), it must have (row, column, complex)"},
      {"unitary", {"column", "y", "complex"}, {3, 3, 2}, "(column, y, complex), it must have (row, column, complex)"},
      {"unitary", {"waveguide", "column", "complex"}, {3, 3, 2}, "(waveguide, column, complex)"},
      {"unitary", {"layer", "row", "column"}, {2, 2, 2}, "(layer, row, column), it must have (row, column, complex)"},
      {"unitary", {"complex", "x", "y"}, {2, 2, 2}, "(complex, x, y)"},
      {"unitary", {"row", "layer", "x", "complex"}, {1, 1, 2, 2}, "it must have (layer, row, column, complex)"},
      {"theta", {"waveguide"}, {3}, "theta has the dimensions (waveguide), it must have (node)"},
      {"theta", {"layer"}, {3}, "theta has the dimensions (layer), it must have (node)"},
      {"theta", {"node", "x"}, {3, 3}, "theta has the dimensions (node, x), it must have (layer, node)"},
      {"theta", {"layer", "waveguides"}, {3, 3}, "(layer, waveguides), it must have (layer, node)"},
      {"phi", {"layer", "example"}, {3, 3}, "phi has the dimensions (layer, example), it must have (layer, node)"},
      {"gamma", {"layer", "node"}, {3, 3}, "gamma has the dimensions (layer, node), it must have (layer, waveguide)"},
      {"coupler_error", {"layer", "node", "shifter"}, {3, 3, 2}, "it must have (layer, node, side)"},
      {"loss_db", {"layer", "node", "side"}, {3, 3, 2}, "it must have (layer, node, shifter)"},
      {"input", {"waveguide", "x", "complex"}, {3, 3, 2}, "it must have (example, waveguide, complex)"},
      {"input", {"example", "node", "complex"}, {3, 3, 2}, "(example, node, complex)"},
      {"label", {"waveguide"}, {3}, "label has the dimensions (waveguide), it must have (example)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refuse_names(cases[i].variable, cases[i].names, cases[i].lengths, cases[i].text);
}

/* The place of a value that is refused is said as it stands in the file. */
static void test_names__messages_say_the_place_in_the_file(void **s) {
  (void)s;
  double values[kModes * kLayers] = {0};
  cuonn_network network;
  values[1 * kLayers + 2] = NAN;
  foreign_write("bad.nc", 0,
                (foreign_array[]){{"theta", {"node", "layer"}, {kNodes, kLayers}, values, NULL, NULL},
                                  {"phi", {"node", "layer"}, {kNodes, kLayers}, values, NULL, NULL},
                                  {0}});
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "bad.nc: theta[1, 2] is nan");
}

/* ---- units ---- */

/* Reads a mesh whose variable has the attribute; the value of its last element. */
static cuonn_status read_with(double *out, int format, const char *variable, const char *attribute, const char *text) {
  static const double values[2 * kNodes] = {0.5, 1, 2, 4, 8, 90};
  cuonn_mesh mesh;
  foreign_array a[] = {{"theta", {"node"}, {kNodes}, values + kNodes, NULL, NULL},
                       {"phi", {"node"}, {kNodes}, values + kNodes, NULL, NULL},
                       {"gamma", {"waveguide"}, {kModes}, values + kNodes, NULL, NULL},
                       {"coupler_error", {"node", "side"}, {kNodes, 2}, values, NULL, NULL},
                       {"loss_db", {"node", "shifter"}, {kNodes, 2}, values, NULL, NULL},
                       {0}};
  for (size_t i = 0; a[i].name; i++) {
    if (strcmp(a[i].name, variable) != 0) continue;
    a[i].attribute = attribute;
    a[i].text = text;
  }
  foreign_write("units.nc", format, a);
  const cuonn_status status = cuonn_mesh_read(&mesh, "units.nc");
  if (status != CUONN_OK) return status;
  const double last[] = {mesh.theta[kNodes - 1], mesh.phi[kNodes - 1], mesh.gamma[kModes - 1],
                         mesh.coupler_error[2 * kNodes - 1], mesh.loss_db[2 * kNodes - 1]};
  for (size_t i = 0; a[i].name; i++) {
    if (strcmp(a[i].name, variable) == 0) *out = last[i];
  }
  cuonn_mesh_free(&mesh);
  return CUONN_OK;
}

static void test_units__known_ones_are_converted(void **s) {
  (void)s;
  static const struct {
    const char *text;
    double factor;
  } angles[] = {{"radian", 1},
                {"rad", 1},
                {"Radians", 1},
                {"", 1},
                {"1", 1},
                {" rad ", 1},
                {"degree", M_PI / 180},
                {"degrees", M_PI / 180},
                {"deg", M_PI / 180},
                {"DEG", M_PI / 180},
                {"turn", 2 * M_PI},
                {"turns", 2 * M_PI},
                {"cycles", 2 * M_PI},
                {"pi", M_PI},
                {"mrad", 1e-3},
                {"gon", M_PI / 200},
                {"\xC2\xB0", M_PI / 180}},
    levels[] = {{"dB", 1}, {"decibel", 1}, {"db", 1}, {"", 1}, {"Np", 20 / M_LN10}, {"bel", 10}};
  static const char *const of_angles[] = {"theta", "phi", "gamma", "coupler_error"};
  double value;
  for (size_t i = 0; i < sizeof angles / sizeof *angles; i++) {
    for (size_t v = 0; v < 4; v++) {
      OK(read_with(&value, kFormats[i % kFormatCount], of_angles[v], "units", angles[i].text));
      CLOSE(&value, &(double){90 * angles[i].factor}, 1, .rel = 1e-15); /* one rounding of a product */
    }
  }
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    OK(read_with(&value, kFormats[i % kFormatCount], "loss_db", "units", levels[i].text));
    CLOSE(&value, &(double){90 * levels[i].factor}, 1, .rel = 1e-15);
  }
  OK(read_with(&value, 0, "theta", "unit", "degree")); /* other spellings of the attribute */
  CLOSE(&value, &(double){M_PI / 2}, 1, .rel = 1e-15);
  OK(read_with(&value, 0, "theta", "Units", "degree"));
  CLOSE(&value, &(double){M_PI / 2}, 1, .rel = 1e-15);
}

static void test_units__others_are_refused(void **s) {
  (void)s;
  double value;
  REFUSED(read_with(&value, 0, "theta", "units", "metre"), CUONN_E_DATA,
          "units.nc: theta has the units \"metre\"; known are radian, mrad, degree, gon, turn, pi");
  REFUSED(read_with(&value, NC_NETCDF4, "phi", "units", "dB"), CUONN_E_DATA, "phi has the units \"dB\"");
  REFUSED(read_with(&value, 0, "gamma", "units", "degree_C"), CUONN_E_DATA, "gamma has the units \"degree_C\"");
  REFUSED(read_with(&value, 0, "coupler_error", "units", "percent"), CUONN_E_DATA, "known are radian");
  REFUSED(read_with(&value, 0, "loss_db", "units", "dB/cm"), CUONN_E_DATA,
          "loss_db has the units \"dB/cm\"; known are dB, bel, neper");
  REFUSED(read_with(&value, 0, "loss_db", "units", "1"), CUONN_E_DATA, "loss_db has the units \"1\"");
  REFUSED(read_with(&value, 0, "theta", "_Unsigned", "true"), CUONN_E_DATA, "theta is packed");
  OK(read_with(&value, 0, "theta", "_Unsigned", "false"));
}

static void test_units__of_fields_labels_and_gradients(void **s) {
  (void)s;
  static const double ones[2 * kModes * kModes] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  cuonn_fields fields;
  cuonn_mesh_gradient *read, *exact;
  uint8_t *labels;
  size_t n, n_nodes, n_modes;
  foreign_array input[] = {
      {"input", {"example", "waveguide", "complex"}, {kExamples, kModes, 2}, ones, "units", "percent"},
      {"label", {"example"}, {kExamples}, ones, "units", "1"},
      {0}};
  foreign_write("fields.nc", 0, input);
  OK(cuonn_fields_read(&fields, "fields.nc", "input"));
  assert_true(fields.values[3] == 0.01);
  cuonn_fields_free(&fields);
  OK(cuonn_labels_read(&labels, &n, "fields.nc"));
  free(labels);
  input[0].text = "mW"; /* a power, where an amplitude must stand */
  input[1].text = "degree";
  foreign_write("fields.nc", 0, input);
  REFUSED(cuonn_fields_read(&fields, "fields.nc", "input"), CUONN_E_DATA, "input has the units \"mW\"; known are 1");
  REFUSED(cuonn_labels_read(&labels, &n, "fields.nc"), CUONN_E_DATA, "label has the units \"degree\"");

  static const char *const inverse[] = {"degree-1", "1/degree", "1 / deg", "degree^-1"};
  for (size_t i = 0; i < sizeof inverse / sizeof *inverse; i++) {
    foreign_array gradient[] = {{"d_theta", {"layer", "node"}, {kLayers, kNodes}, ones, "units", inverse[i]},
                                {"d_phi", {"layer", "node"}, {kLayers, kNodes}, ones, "units", "radian-1"},
                                {"d_gamma", {"layer", "waveguide"}, {kLayers, kModes}, ones, NULL, NULL},
                                {0}};
    foreign_write("gradient.nc", 0, gradient);
    OK(cuonn_gradient_read(&read, &exact, &n, &n_nodes, &n_modes, "gradient.nc"));
    CLOSE(&read[2].d_theta[1], &(double){180 / M_PI}, 1, .rel = 1e-15);
    assert_true(read[2].d_phi[1] == 1 && read[2].d_gamma[1] == 1);
    free(read);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names__unitary_in_every_order),
      cmocka_unit_test(test_names__every_variable_turned_about),
      cmocka_unit_test(test_names__fields_and_gradients_turned_about),
      cmocka_unit_test(test_names__foreign_ones_count_by_place),
      cmocka_unit_test(test_names__contradictions_are_refused),
      cmocka_unit_test(test_names__messages_say_the_place_in_the_file),
      cmocka_unit_test(test_units__known_ones_are_converted),
      cmocka_unit_test(test_units__others_are_refused),
      cmocka_unit_test(test_units__of_fields_labels_and_gradients),
  };
  return cmocka_run_group_tests_name("foreign", tests, folder_enter, folder_leave);
}
