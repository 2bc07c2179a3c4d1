/* Named shapes: their nodes, what is refused, and what reference and cpu compute of meshes of them, and of random
 * lists, from 2 to 65 waveguides, against a plain product of the nodes' matrices.
 *
 * Tolerances, relative to the largest value, u being the unit of rounding: light meets up to 2 N = 130 nodes, each with
 * some 12 roundings of random sign, 5 sqrt(12 * 130) u / 2 = 100 u; 256 u are allowed, 4 times that of derivatives. */
#include <float.h>
#include <unistd.h>

#include "backends/backend.h"
#include "mesh/shape.h"
#include "support/shapes.h"

enum { kExamples = 3 };

static const size_t sizes[] = {2, 3, 4, 5, 8, 9, 16, 31, 32, 33, 64, 65};
enum { kSizes = sizeof sizes / sizeof *sizes };

static void names_are_read_back(void **unused) {
  (void)unused;
  cuonn_architecture architecture;
  for (int a = 0; a <= CUONN_ARCHITECTURE_CUSTOM; a++) {
    OK(cuonn_architecture_parse(&architecture, cuonn_architecture_name((cuonn_architecture)a)));
    assert_int_equal(architecture, a);
  }
  assert_null(cuonn_architecture_name((cuonn_architecture)5));
  REFUSED(cuonn_architecture_parse(&architecture, "hexagonal"), CUONN_E_ARGUMENT,
          "\"hexagonal\" is unknown; it is one of");
}

static void is_listed(cuonn_architecture architecture, size_t columns, const listed_shape *list) {
  cuonn_mesh_shape *const want = shape_of(list), *got;
  OK(cuonn_mesh_shape_make(&got, architecture, list->n, columns));
  assert_int_equal(cuonn_mesh_shape_architecture(got), architecture);
  assert_true(shape_equal(got, want));
  cuonn_mesh_shape_free(got);
  cuonn_mesh_shape_free(want);
}

static void shapes_are_those_of_the_lists(void **unused) {
  (void)unused;
  static const listed_shape odd_tree = {"tree of 6", 6, 3, {3, 1, 1}, {{0, 1}, {2, 3}, {4, 5}, {0, 2}, {0, 4}}};
  static const listed_shape triangle = {"triangle of 3", 3, 3, {1, 1, 1}, {{0, 1}, {1, 2}, {0, 1}}};
  is_listed(CUONN_ARCHITECTURE_TRIANGULAR, 0, &neighbour_shapes[0]);
  is_listed(CUONN_ARCHITECTURE_TRIANGULAR, 3, &triangle);
  is_listed(CUONN_ARCHITECTURE_RECTANGULAR, 1, &neighbour_shapes[2]);
  is_listed(CUONN_ARCHITECTURE_RECTANGULAR, 2, &neighbour_shapes[3]);
  is_listed(CUONN_ARCHITECTURE_RECTANGULAR, 7, &neighbour_shapes[4]);
  is_listed(CUONN_ARCHITECTURE_BUTTERFLY, 2, &far_shapes[0]);
  is_listed(CUONN_ARCHITECTURE_BUTTERFLY, 0, &far_shapes[1]);
  is_listed(CUONN_ARCHITECTURE_TREE, 0, &far_shapes[2]);
  is_listed(CUONN_ARCHITECTURE_TREE, 0, &odd_tree);
}

static void shapes_have_their_nodes(void **unused) {
  (void)unused;
  for (size_t i = 0; i < kSizes; i++) {
    const size_t n = sizes[i];
    cuonn_mesh_shape *shape;
    for (int a = 0; a < CUONN_ARCHITECTURE_CUSTOM; a++) {
      size_t bits = 0;
      while ((size_t)1 << bits < n) bits++;
      if (a == CUONN_ARCHITECTURE_BUTTERFLY && (size_t)1 << bits != n) continue;
      const size_t nodes[] = {n * (n - 1) / 2, n * (n - 1) / 2, n / 2 * bits, n - 1},
                   columns[] = {n, 2 * n - 3, bits, bits};
      OK(cuonn_mesh_shape_make(&shape, (cuonn_architecture)a, n, 0));
      assert_int_equal(cuonn_mesh_shape_nodes(shape), nodes[a]);
      assert_int_equal(cuonn_mesh_shape_columns(shape), columns[a] + 1);
      assert_int_equal(cuonn_architecture_columns((cuonn_architecture)a, n), columns[a]);
      assert_int_equal(cuonn_mesh_shape_is_universal(shape), a <= CUONN_ARCHITECTURE_TRIANGULAR);
      cuonn_mesh_shape_free(shape);
    }
    OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_RECTANGULAR, n, 2 * n));
    assert_int_equal(cuonn_mesh_shape_nodes(shape), n * (n - 1));
    assert_false(cuonn_mesh_shape_is_universal(shape));
    cuonn_mesh_shape_free(shape);
  }
}

static void what_cannot_be_is_refused(void **unused) {
  (void)unused;
  const struct {
    cuonn_architecture architecture;
    size_t n, columns;
    cuonn_status status;
    const char *text;
  } wrong[] = {
      {CUONN_ARCHITECTURE_TREE, 1, 0, CUONN_E_SHAPE, "2 to 16384 waveguides, not 1"},
      {CUONN_ARCHITECTURE_RECTANGULAR, 16385, 0, CUONN_E_SHAPE, "not 16385"},
      {CUONN_ARCHITECTURE_RECTANGULAR, 4, 16385, CUONN_E_SHAPE, "at most 16384 columns of nodes, not 16385"},
      {CUONN_ARCHITECTURE_TRIANGULAR, 16384, 0, CUONN_E_SHAPE, "at most 16384 columns of nodes, not 32765"},
      {CUONN_ARCHITECTURE_TRIANGULAR, 4, 6, CUONN_E_SHAPE, "a triangular mesh of 4 waveguides has 5 columns, not 6"},
      {CUONN_ARCHITECTURE_BUTTERFLY, 6, 0, CUONN_E_SHAPE, "a butterfly has 2, 4, 8, 16, ... waveguides, not 6"},
      {CUONN_ARCHITECTURE_BUTTERFLY, 8, 4, CUONN_E_SHAPE, "a butterfly mesh of 8 waveguides has 3 columns, not 4"},
      {CUONN_ARCHITECTURE_CUSTOM, 4, 2, CUONN_E_ARGUMENT, "made of a list"},
      {(cuonn_architecture)7, 4, 2, CUONN_E_ARGUMENT, "made of a list"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    cuonn_mesh_shape *shape = (cuonn_mesh_shape *)&shape;
    REFUSED(cuonn_mesh_shape_make(&shape, wrong[i].architecture, wrong[i].n, wrong[i].columns), wrong[i].status,
            wrong[i].text);
    assert_null(shape);
  }
}

/* Columns of random pairs, some waveguides left out. */
static cuonn_mesh_shape *random_shape(size_t n, chance *c) {
  enum { kMost = 9 };
  size_t counts[kMost], nodes = 0, order[65];
  uint32_t pairs[kMost * 32][2];
  const size_t columns = 1 + chance_index(c, kMost);
  cuonn_mesh_shape *shape;
  for (size_t column = 0; column < columns; column++) {
    for (size_t i = 0; i < n; i++) {
      const size_t at = chance_index(c, i + 1);
      order[i] = order[at];
      order[at] = i;
    }
    counts[column] = chance_index(c, n / 2 + 1);
    for (size_t j = 0; j < counts[column]; j++, nodes++) {
      const size_t a = order[2 * j], b = order[2 * j + 1];
      pairs[nodes][0] = (uint32_t)(a < b ? a : b);
      pairs[nodes][1] = (uint32_t)(a < b ? b : a);
    }
  }
  OK(cuonn_mesh_shape_create(&shape, n, columns, counts, (const uint32_t(*)[2])pairs));
  return shape;
}

/* Derivatives of Re sum(g y) by each phase: by the matrix at phases half a step to both sides. */
static double difference(cuonn_mesh *mesh, double *phase, const double complex *x, const double complex *g) {
  const double step = 1e-4, before = *phase;
  const size_t n = mesh->n_modes;
  double complex *const u = malloc(n * n * sizeof *u);
  double at[2];
  assert_non_null(u);
  for (int side = 0; side < 2; side++) {
    *phase = before + (side - .5) * step;
    dense_matrix(u, mesh);
    at[side] = 0;
    for (size_t e = 0; e < kExamples; e++) {
      for (size_t i = 0; i < n * n; i++) at[side] += creal(g[e * n + i / n] * u[i] * x[e * n + i % n]);
    }
  }
  *phase = before;
  free(u);
  return (at[1] - at[0]) / step;
}

/* Fields both ways against the matrix; derivatives against differences of it, of a few phases. */
static void computes(const cuonn_mesh_shape *shape, const char *backend, cuonn_phase_style style, double u) {
  const size_t n = cuonn_mesh_shape_modes(shape), nodes = cuonn_mesh_shape_nodes(shape);
  chance c = {n + 100 * nodes};
  cuonn_context *context;
  cuonn_mesh mesh;
  cuonn_fields x, g, y, back, want[2];
  cuonn_fields *const all[] = {&x, &g, &y, &back, &want[0], &want[1]};
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_mesh_create_shaped(&mesh, shape, style));
  dense_random(&mesh, &c, .1, 1);
  for (size_t i = 0; i < 6; i++) OK(cuonn_fields_create(all[i], kExamples, n));
  chance_normals(x.values, 2 * kExamples * n, &c);
  chance_normals(g.values, 2 * kExamples * n, &c);
  double complex *const matrix = malloc(n * n * sizeof *matrix);
  double *const d = calloc(2 * nodes + n, sizeof *d);
  assert_true(matrix && d);
  dense_matrix(matrix, &mesh);
  const double complex *const in = (const double complex *)x.values, *const cotangent =
                                                                         (const double complex *)g.values;
  double complex *const out = (double complex *)want[0].values, *const pulled = (double complex *)want[1].values;
  for (size_t i = 0; i < kExamples * n * n; i++) {
    const size_t e = i / (n * n), row = i / n % n, column = i % n;
    out[e * n + row] += matrix[row * n + column] * in[e * n + column];
    pulled[e * n + column] += matrix[row * n + column] * cotangent[e * n + row];
  }
  cuonn_mesh_gradient gradient = {d, d + nodes, d + 2 * nodes, NULL};
  OK(cuonn_propagate(&y, NULL, context, &mesh, &x, false));
  OK(cuonn_vjp(&gradient, &back, context, &mesh, &x, &g));
  CLOSE(y.values, want[0].values, 2 * kExamples * n, .rel = 256 * u);
  CLOSE(back.values, want[1].values, 2 * kExamples * n, .rel = 256 * u);
  for (size_t i = 0; nodes > 0 && i < 6; i++) { /* differences: step^2 / 24 of the third derivative, some 10 */
    const size_t k = chance_index(&c, nodes);
    double *const phases[] = {mesh.theta + k, mesh.phi + k, mesh.gamma + k % n};
    const double got[] = {d[k], d[nodes + k], d[2 * nodes + k % n]};
    const double expected = difference(&mesh, phases[i % 3], in, cotangent);
    assert_true(fabs(got[i % 3] - expected) <= 1e-7 + 1024 * u * 10);
  }
  free(d);
  free(matrix);
  for (size_t i = 0; i < 6; i++) cuonn_fields_free(all[i]);
  cuonn_mesh_free(&mesh);
  cuonn_context_free(context);
}

static void gradients_agree(const cuonn_mesh_shape *shape, bool errors) {
  shape_network_agrees(shape, "cpu", "columns", errors, false, FLT_EPSILON / 2);
  shape_network_agrees(shape, "cpu", "dense", errors, false, FLT_EPSILON / 2);
  shape_network_agrees(shape, "cpu", NULL, errors, true, FLT_EPSILON / 2);
}

static void each_shape(const char *backend, double u) {
  chance c = {5};
  for (size_t i = 0; i < kSizes; i++) {
    const size_t n = sizes[i], columns[] = {n / 2 + 1, 2 * n + 1};
    cuonn_mesh_shape *shapes[8];
    size_t count = 0;
    for (int a = CUONN_ARCHITECTURE_TRIANGULAR; a < CUONN_ARCHITECTURE_CUSTOM; a++) {
      if (a == CUONN_ARCHITECTURE_BUTTERFLY && (n & (n - 1)) != 0) continue;
      OK(cuonn_mesh_shape_make(&shapes[count++], (cuonn_architecture)a, n, 0));
    }
    for (size_t k = 0; k < 2; k++)
      OK(cuonn_mesh_shape_make(&shapes[count++], CUONN_ARCHITECTURE_RECTANGULAR, n, columns[k]));
    for (size_t k = 0; k < 3; k++) shapes[count++] = random_shape(n, &c);
    for (size_t k = 0; k < count; k++) {
      computes(shapes[k], backend, (cuonn_phase_style)((i + k) % 4), u);
      if (strcmp(backend, "cpu") == 0 && cuonn_mesh_shape_nodes(shapes[k]) > 0) gradients_agree(shapes[k], (i + k) % 2);
      cuonn_mesh_shape_free(shapes[k]);
    }
  }
}

static void reference_computes_each(void **unused) {
  (void)unused;
  each_shape("reference", DBL_EPSILON / 2);
}

static void cpu_computes_each(void **unused) {
  (void)unused;
  each_shape("cpu", FLT_EPSILON / 2);
}

/* Nodes of meshes that cannot have every unitary: cos^2(theta/2) is uniform. 20000 draws: mean 1/2 +- 5 sqrt(1/12 / n),
 * mean of squares 1/3 +- 5 sqrt(4/45 / n). */
static void nodes_of_others_are_haar_random(void **unused) {
  (void)unused;
  cuonn_mesh_shape *shape;
  cuonn_mesh mesh;
  double sum = 0, squares = 0;
  OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_RECTANGULAR, 64, 635));
  OK(cuonn_mesh_create_shaped(&mesh, shape, CUONN_STYLE_TOP));
  OK(cuonn_mesh_randomize(&mesh, 3, 0));
  const double count = (double)mesh.n_nodes;
  assert_true(count >= 20000);
  for (size_t k = 0; k < mesh.n_nodes; k++) {
    const double x = (1 + cos(mesh.theta[k])) / 2;
    sum += x;
    squares += x * x;
  }
  assert_true(fabs(sum / count - .5) < 5 * sqrt(1. / 12 / count));
  assert_true(fabs(squares / count - 1. / 3) < 5 * sqrt(4. / 45 / count));
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
}

/* The study's batch is dense in a rectangle of 2016 nodes, and goes through 192 of a butterfly by columns. */
static void auto_counts_the_nodes_that_there_are(void **unused) {
  (void)unused;
  cuonn_mesh_shape *shape;
  OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_BUTTERFLY, 64, 0));
  const cuonn_network_shape rectangle = CUONN_NETWORK_SHAPE_INIT,
                            butterfly = CUONN_NETWORK_SHAPE_OF(64, 3, 10, CUONN_STYLE_TOP, true, shape);
  assert_int_equal(cuonn_backend_cpu.auto_method(&rectangle, 512, true), CUONN_METHOD_DENSE);
  assert_int_equal(cuonn_backend_cpu.auto_method(&butterfly, 512, true), CUONN_METHOD_COLUMNS);
  cuonn_mesh_shape_free(shape);
}

/* A mesh, a network and a checkpoint of a shape, written and read again. */
static void files_keep(const cuonn_mesh_shape *shape) {
  const cuonn_network_shape of =
      CUONN_NETWORK_SHAPE_OF(cuonn_mesh_shape_modes(shape), 2, 2, CUONN_STYLE_BOTTOM, false, shape);
  const cuonn_origin origin = {"text", 3, NULL};
  chance c = {7};
  cuonn_training_state state, read;
  cuonn_mesh mesh;
  cuonn_origin from;
  size_t epoch;
  OK(cuonn_training_state_create(&state, &of));
  for (size_t l = 0; l < 2; l++) dense_random(&state.network.layers[l], &c, .1, 1);
  const size_t count = cuonn_training_moments_count(&of), nodes = cuonn_mesh_shape_nodes(shape);
  chance_normals(state.moments, count, &c);
  OK(cuonn_mesh_write("mesh.nc", &state.network.layers[1]));
  OK(cuonn_mesh_read(&mesh, "mesh.nc"));
  assert_true(shape_equal(mesh.shape, shape));
  assert_int_equal(cuonn_mesh_shape_architecture(mesh.shape), cuonn_mesh_shape_architecture(shape));
  assert_memory_equal(mesh.loss_db, state.network.layers[1].loss_db, 2 * nodes * sizeof(double));
  OK(cuonn_checkpoint_write("last.nc", &state, 1, &origin));
  OK(cuonn_checkpoint_read(&read, &epoch, &from, "last.nc"));
  assert_true(shape_equal(read.network.shape.mesh, shape));
  assert_memory_equal(read.moments, state.moments, count * sizeof(double));
  assert_memory_equal(read.network.layers[1].phi, state.network.layers[1].phi, nodes * sizeof(double));
  cuonn_origin_free(&from);
  cuonn_training_state_free(&read);
  cuonn_training_state_free(&state);
  cuonn_mesh_free(&mesh);
}

static void files_keep_each_shape(void **unused) {
  (void)unused;
  char folder[] = "/tmp/cuonn-shapes-XXXXXX";
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chdir(folder), 0);
  for (int a = 0; a < CUONN_ARCHITECTURE_CUSTOM; a++) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, (cuonn_architecture)a, 8, 0));
    files_keep(shape);
    cuonn_mesh_shape_free(shape);
  }
  for (size_t columns = 1; columns < 20; columns += 6) {
    cuonn_mesh_shape *shape;
    OK(cuonn_mesh_shape_make(&shape, CUONN_ARCHITECTURE_RECTANGULAR, 7, columns));
    files_keep(shape);
    cuonn_mesh_shape_free(shape);
  }
  static const listed_shape behind = {"empty columns", 5, 5, {0, 1, 0, 2, 0}, {{0, 4}, {1, 3}, {2, 4}}};
  cuonn_mesh_shape *const empty = shape_of(&behind);
  files_keep(empty);
  cuonn_mesh_shape_free(empty);
  unlink("mesh.nc");
  unlink("last.nc");
  assert_int_equal(rmdir(folder), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_read_back),
      cmocka_unit_test(shapes_are_those_of_the_lists),
      cmocka_unit_test(shapes_have_their_nodes),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(reference_computes_each),
      cmocka_unit_test(cpu_computes_each),
      cmocka_unit_test(auto_counts_the_nodes_that_there_are),
      cmocka_unit_test(files_keep_each_shape),
      cmocka_unit_test(nodes_of_others_are_haar_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
