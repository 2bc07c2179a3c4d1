/* Meshes as other programs count their phases, against those programs' own matrices (make_conventions.py): what a
 * convention says of a node, and what a conversion leaves.
 *
 * Tolerances: light meets at most N = 8 nodes in a row, each of some ten roundings of 1.1e-16 of its phases and
 * products, and phases of up to 9 radians are off by 9e-16: 1e-13 in all; Strawberry Fields rounds its nodes to 14
 * digits, 5e-15 each. 1e-12 is allowed. A phase that comes back has met some ten additions of numbers up to 20, and
 * theta of a decomposed matrix may be near 0 or a half turn, where nothing is lost in linear arithmetic: 1e-12. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/convention.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/golden.h"

static const char file[] = "conventions.nc";
static const size_t sizes[] = {2, 3, 4, 5, 8};
enum { kSizes = sizeof sizes / sizeof *sizes, kModesMax = 8 };

/* What the file holds of each convention. */
static const struct {
  const char *name, *sets[5];
} programs[] = {
    {"interferometer", {"random", "haar", "identity", "reversal"}},
    {"strawberryfields", {"random", "haar", "identity", "reversal"}},
    {"strawberryfields-symmetric", {"random", "haar", "identity", "reversal"}},
    {"perceval", {"random", "errors"}},
    {"perceval-last", {"random", "errors"}},
    {"simphox", {"random", "errors"}},
    {"simphox-bottom", {"random", "errors"}},
    {"simphox-symmetric", {"random", "errors"}},
    {"simphox-differential", {"random", "errors"}},
    {"neurophox", {"random"}},
    {"neurophox-sm", {"random"}},
    {"neurophox-hadamard", {"random"}},
    {"neurophox-sm-hadamard", {"random"}},
    {"torchonn", {"random", "haar"}},
    {"meshes", {"random", "errors", "haar", "identity", "reversal"}},
    {"meshes-out", {"random", "errors"}},
};
enum { kPrograms = sizeof programs / sizeof *programs };

typedef struct {
  const cuonn_convention *convention;
  const char *set;
  size_t n;
  cuonn_mesh mesh;
  double *unitary; /* of the program */
} stored;

static void read_into(double *to, const char *prefix, const char *variable, size_t n) {
  char name[128];
  snprintf(name, sizeof name, "%s_%s", prefix, variable);
  double *values = golden_read_n(file, "", name, n);
  memcpy(to, values, n * sizeof *to);
  free(values);
}

static stored read_stored(size_t program, size_t set, size_t n) {
  stored s = {.set = programs[program].sets[set], .n = n, .unitary = malloc(2 * n * n * sizeof(double))};
  char prefix[96];
  assert_non_null(s.unitary);
  OK(cuonn_convention_parse(&s.convention, programs[program].name));
  OK(cuonn_mesh_create(&s.mesh, n, CUONN_STYLE_TOP));
  snprintf(prefix, sizeof prefix, "%s_%s_%zu", programs[program].name, s.set, n);
  for (char *c = prefix; *c; c++)
    if (*c == '-') *c = '_';
  read_into(s.mesh.theta, prefix, "theta", s.mesh.n_nodes);
  read_into(s.mesh.phi, prefix, "phi", s.mesh.n_nodes);
  read_into(s.mesh.gamma, prefix, "gamma", n);
  read_into(s.unitary, prefix, "unitary", 2 * n * n);
  if (strcmp(s.set, "errors") == 0) read_into(s.mesh.coupler_error, prefix, "coupler_error", 2 * s.mesh.n_nodes);
  return s;
}

static void release(stored *s) {
  cuonn_mesh_free(&s->mesh);
  free(s->unitary);
}

static void each_stored(void (*check)(stored *)) {
  for (size_t p = 0; p < kPrograms; p++) {
    for (size_t set = 0; set < 5 && programs[p].sets[set]; set++) {
      for (size_t i = 0; i < kSizes; i++) {
        stored s = read_stored(p, set, sizes[i]);
        check(&s);
        release(&s);
      }
    }
  }
}

static void check_matrix(const stored *s, const cuonn_convention *convention) {
  double got[2 * kModesMax * kModesMax];
  cuonn_convention_matrix(got, &s->mesh, convention);
  const double *const unitary = s->unitary;
  CLOSE(got, unitary, 2 * s->n * s->n, .abs = 1e-12);
}

static void has_the_matrix(stored *s) { check_matrix(s, s->convention); }

static void every_convention_is_here(void **unused) {
  (void)unused;
  for (size_t i = 4; cuonn_convention_at(i); i++) { /* our styles are the first four */
    assert_true(i - 4 < kPrograms);
    assert_string_equal(cuonn_convention_name(cuonn_convention_at(i)), programs[i - 4].name);
  }
}

static void conventions_have_the_programs_matrices(void **unused) {
  (void)unused;
  each_stored(has_the_matrix);
}

/* Into each of our styles, whose matrix a plain product of stages gives; what cannot be said in one is refused. */
static void converts_to_ours(stored *s) {
  for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++) {
    cuonn_mesh before = s->mesh;
    double complex got[kModesMax * kModesMax];
    const double *const unitary = s->unitary;
    const cuonn_convention *const ours = cuonn_convention_of_style(style);
    const bool from_symmetric = strcmp(cuonn_convention_name(s->convention), "simphox-symmetric") == 0;
    if (style == CUONN_STYLE_SYMMETRIC && !from_symmetric) continue;
    OK(cuonn_mesh_create(&s->mesh, s->n, CUONN_STYLE_TOP));
    OK(cuonn_mesh_copy(&s->mesh, &before));
    OK(cuonn_mesh_convert(&s->mesh, s->convention, ours));
    assert_int_equal(s->mesh.style, style);
    dense_matrix(got, &s->mesh);
    CLOSE((const double *)got, unitary, 2 * s->n * s->n, .abs = 1e-12);
    cuonn_mesh_free(&s->mesh);
    s->mesh = before;
  }
}

static void converted_meshes_have_the_programs_matrices(void **unused) {
  (void)unused;
  each_stored(converts_to_ours);
}

/* Differences of phases, modulo 2 pi. */
static void check_phases(const double *got, const double *want, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const double difference = remainder(got[i] - want[i], 2 * M_PI);
    if (!(fabs(difference) <= 1e-12)) fail_msg("[%zu] is %.17g, should be %.17g", i, got[i], want[i]);
  }
}

/* There and back: the same matrix; and the same phases, where the program made them itself in its own range. */
static void comes_back(stored *s) {
  cuonn_mesh original = s->mesh;
  const cuonn_convention *const symmetric = cuonn_convention_of_style(CUONN_STYLE_SYMMETRIC);
  const cuonn_convention *ours = cuonn_convention_of_style(CUONN_STYLE_DIFFERENTIAL);
  if (strcmp(cuonn_convention_name(s->convention), "simphox-symmetric") == 0) ours = symmetric;
  OK(cuonn_mesh_create(&s->mesh, s->n, CUONN_STYLE_TOP));
  OK(cuonn_mesh_copy(&s->mesh, &original));
  OK(cuonn_mesh_convert(&s->mesh, s->convention, ours));
  OK(cuonn_mesh_convert(&s->mesh, ours, s->convention));
  check_matrix(s, s->convention);
  const char *const name = cuonn_convention_name(s->convention);
  if (strcmp(s->set, "haar") == 0 && strcmp(name, "torchonn") != 0 && strcmp(name, "meshes") != 0) {
    check_phases(s->mesh.theta, original.theta, s->mesh.n_nodes);
    check_phases(s->mesh.phi, original.phi, s->mesh.n_nodes);
    check_phases(s->mesh.gamma, original.gamma, s->n);
  }
  cuonn_mesh_free(&s->mesh);
  s->mesh = original;
}

static void meshes_come_back(void **unused) {
  (void)unused;
  each_stored(comes_back);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_convention_is_here), cmocka_unit_test(conventions_have_the_programs_matrices),
      cmocka_unit_test(converted_meshes_have_the_programs_matrices), cmocka_unit_test(meshes_come_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
