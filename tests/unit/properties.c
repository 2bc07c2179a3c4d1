/* What must hold for every mesh, whatever its size, style, errors and losses (reference backend). */
#include <complex.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/compute.h"
#include "support/close.h"
#include "support/dense.h"

/* Rounding: some ten operations of 1e-16 a node, at most 33 nodes in a row. */
static const double kRounding = 1e-13;

static const size_t sizes[] = {2, 3, 4, 7, 8, 16, 33};
enum { kSizes = sizeof sizes / sizeof *sizes, kStyles = 4, kExamples = 3 };

static cuonn_context *context;

static int setup(void **unused) {
  (void)unused;
  return cuonn_context_create(&context, "reference", 0);
}

static int teardown(void **unused) {
  (void)unused;
  cuonn_context_free(context);
  return 0;
}

static cuonn_mesh make_mesh(size_t n, int style, double error, double loss_db, chance *c) {
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, n, (cuonn_phase_style)style));
  dense_random(&mesh, c, error, loss_db);
  return mesh;
}

static cuonn_fields make_fields(size_t n, chance *c) {
  cuonn_fields fields;
  OK(cuonn_fields_create(&fields, kExamples, n));
  if (c) chance_normals(fields.values, 2 * kExamples * n, c);
  return fields;
}

static double power(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < 2 * n; i++) sum += values[i] * values[i];
  return sum;
}

/* Runs a property over all sizes and styles. */
static void each_mesh(void (*property)(cuonn_mesh *mesh, chance *c), double error, double loss_db) {
  chance c = {1};
  for (size_t i = 0; i < kSizes; i++) {
    for (int style = 0; style < kStyles; style++) {
      cuonn_mesh mesh = make_mesh(sizes[i], style, error, loss_db, &c);
      property(&mesh, &c);
      cuonn_mesh_free(&mesh);
    }
  }
}

static void keeps_power(cuonn_mesh *mesh, chance *c) {
  const size_t n = mesh->n_modes;
  cuonn_fields in = make_fields(n, c), out = make_fields(n, NULL);
  for (int backward = 0; backward < 2; backward++) {
    OK(cuonn_propagate(&out, NULL, context, mesh, &in, backward));
    for (size_t e = 0; e < kExamples; e++) {
      const double before = power(in.values + 2 * e * n, n), after = power(out.values + 2 * e * n, n);
      CLOSE(&after, &before, 1, .rel = kRounding);
    }
  }
  double *matrix = malloc(2 * n * n * sizeof *matrix);
  assert_non_null(matrix);
  OK(cuonn_matrix(matrix, context, mesh));
  assert_true(cuonn_unitarity_error(matrix, n) < kRounding);
  free(matrix);
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
}

/* Coupler errors change the matrix, but no coupler loses light. */
static void lossless_meshes_keep_power(void **unused) {
  (void)unused;
  each_mesh(keeps_power, 0, 0);
  each_mesh(keeps_power, 0.4, 0);
}

static void backward_is_transpose(cuonn_mesh *mesh, chance *c) {
  const size_t n = mesh->n_modes;
  cuonn_fields x = make_fields(n, c), y = make_fields(n, c), ux = make_fields(n, NULL), uy = make_fields(n, NULL);
  OK(cuonn_propagate(&ux, NULL, context, mesh, &x, false));
  OK(cuonn_propagate(&uy, NULL, context, mesh, &y, true));
  for (size_t e = 0; e < kExamples; e++) {
    const double complex *const a = (double complex *)x.values + e * n, *const b = (double complex *)y.values + e * n;
    const double complex *const ua = (double complex *)ux.values + e * n, *const ub =
                                                                              (double complex *)uy.values + e * n;
    double complex there = 0, back = 0;
    double size = 0;
    for (size_t w = 0; w < n; w++) {
      there += b[w] * ua[w];
      back += ub[w] * a[w];
      size += cabs(a[w]) * cabs(b[w]);
    }
    assert_true(cabs(there - back) <= kRounding * size);
  }
  cuonn_fields_free(&uy);
  cuonn_fields_free(&ux);
  cuonn_fields_free(&y);
  cuonn_fields_free(&x);
}

static void backward_is_the_transpose_of_forward(void **unused) {
  (void)unused;
  each_mesh(backward_is_transpose, 0, 0);
  each_mesh(backward_is_transpose, 0.3, 2);
}

/* Losses of the shifters only take power away. */
static void only_attenuates(cuonn_mesh *mesh, chance *c) {
  const size_t n = mesh->n_modes;
  cuonn_fields in = make_fields(n, c), out = make_fields(n, NULL);
  OK(cuonn_propagate(&out, NULL, context, mesh, &in, false));
  for (size_t e = 0; e < kExamples; e++) {
    assert_true(power(out.values + 2 * e * n, n) < power(in.values + 2 * e * n, n));
  }
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
}

static void positive_decibels_attenuate(void **unused) {
  (void)unused;
  each_mesh(only_attenuates, 0.2, 1);

  /* One node of style top, light in its top arm, the phi shifter losing 10 dB: a tenth of the power is left. */
  chance c = {2};
  cuonn_mesh mesh = make_mesh(2, CUONN_STYLE_TOP, 0.2, 0, &c);
  cuonn_fields in = make_fields(2, NULL), out = make_fields(2, NULL);
  in.values[0] = in.values[4] = in.values[8] = 1;
  mesh.loss_db[1] = 10;
  OK(cuonn_propagate(&out, NULL, context, &mesh, &in, false));
  assert_true(fabs(power(out.values, 2) - 0.1) < 1e-15);
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  cuonn_mesh_free(&mesh);
}

static void matrix_is_right(cuonn_mesh *mesh, chance *c) {
  const size_t n = mesh->n_modes;
  double complex *matrix = malloc(n * n * sizeof *matrix), *want = malloc(n * n * sizeof *want);
  assert_true(matrix && want);
  OK(cuonn_matrix((double *)matrix, context, mesh));
  dense_matrix(want, mesh);
  CLOSE((double *)matrix, (double *)want, 2 * n * n, .abs = kRounding);

  /* its columns are what unit vectors become, and any field is a sum of them */
  cuonn_fields in = make_fields(n, NULL), out = make_fields(n, NULL);
  const size_t column = chance_index(c, n);
  in.values[2 * column] = 1;
  chance_normals(in.values + 2 * n, 2 * n, c);
  OK(cuonn_propagate(&out, NULL, context, mesh, &in, false));
  for (size_t row = 0; row < n; row++) {
    assert_true(((double complex *)out.values)[row] == matrix[row * n + column]);
    double complex sum = 0;
    for (size_t k = 0; k < n; k++) sum += matrix[row * n + k] * ((double complex *)in.values)[n + k];
    assert_true(cabs(((double complex *)out.values)[n + row] - sum) <= kRounding * (double)n);
  }
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  free(want);
  free(matrix);
}

static void matrix_holds_what_unit_vectors_become(void **unused) {
  (void)unused;
  each_mesh(matrix_is_right, 0.3, 2);
}

/* More than 256 columns, which the matrix is not made in at once. */
static void large_matrix_is_whole(void **unused) {
  (void)unused;
  enum { kN = 259 };
  chance c = {3};
  cuonn_mesh mesh = make_mesh(kN, CUONN_STYLE_TOP, 0, 0, &c);
  double *matrix = malloc((size_t)2 * kN * kN * sizeof *matrix);
  assert_non_null(matrix);
  OK(cuonn_matrix(matrix, context, &mesh));
  assert_true(cuonn_unitarity_error(matrix, kN) < 1e-12);
  cuonn_fields in = make_fields(kN, NULL), out = make_fields(kN, NULL);
  in.values[2 * 258] = in.values[2 * (kN + 256)] = in.values[2 * (2 * kN + 255)] = 1;
  OK(cuonn_propagate(&out, NULL, context, &mesh, &in, false));
  const size_t columns[kExamples] = {258, 256, 255};
  for (size_t e = 0; e < kExamples; e++) {
    for (size_t row = 0; row < kN; row++) {
      assert_memory_equal(out.values + 2 * (e * kN + row), matrix + 2 * (row * kN + columns[e]), 2 * sizeof(double));
    }
  }
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  free(matrix);
  cuonn_mesh_free(&mesh);
}

/* --- taps -----------------------------------------------------------------------------------------------------------
 */

enum { kStages = 5 };

typedef struct {
  double complex *stage[kStages]; /* before_phi, after_phi, before_theta, after_theta, after_coupler */
} stages;

static stages all_taps(cuonn_fields *out, const cuonn_mesh *mesh, const cuonn_fields *in, bool backward) {
  stages s;
  for (size_t i = 0; i < kStages; i++) {
    s.stage[i] = calloc(mesh->n_modes * kExamples * mesh->n_modes, sizeof(double complex));
    assert_non_null(s.stage[i]);
  }
  const cuonn_taps taps = {(double *)s.stage[0], (double *)s.stage[1], (double *)s.stage[2], (double *)s.stage[3],
                           (double *)s.stage[4]};
  OK(cuonn_propagate(out, &taps, context, mesh, in, backward));
  return s;
}

static void free_stages(stages *s) {
  for (size_t i = 0; i < kStages; i++) free(s->stage[i]);
}

static void same(const double complex *got, const double complex *want, size_t n) {
  CLOSE((const double *)got, (const double *)want, 2 * n, .abs = kRounding * 10);
}

/* Stage by stage, each field follows from the one before by the 2 x 2 matrices of its node; waveguides without a node
 * stay. Going backward the same places are met in the other order, and the matrices are the transposed ones: the same.
 */
static void taps_follow_each_other(cuonn_mesh *mesh, chance *c) {
  const size_t n = mesh->n_modes, block = kExamples * n;
  cuonn_fields in = make_fields(n, c), out = make_fields(n, NULL), without = make_fields(n, NULL);
  double complex *v = malloc(block * sizeof *v);
  assert_non_null(v);
  for (int backward = 0; backward < 2; backward++) {
    stages s = all_taps(&out, mesh, &in, backward);
    OK(cuonn_propagate(&without, NULL, context, mesh, &in, backward));
    assert_memory_equal(out.values, without.values, 2 * block * sizeof(double));
    memcpy(v, in.values, block * sizeof *v);
    for (size_t i = 0; backward && i < block; i++) v[i] *= cexp(I * mesh->gamma[i % n]);
    for (size_t step = 0; step < n; step++) {
      const size_t column = backward ? n - 1 - step : step, first = cuonn_mesh_shape_column(mesh->shape, column).first;
      for (size_t i = 0; i < kStages; i++) {
        const size_t stage = backward ? kStages - 1 - i : i;
        same(s.stage[stage] + column * block, v, block);
        if (i == kStages - 1) break;
        /* the stage that lies between tap and next tap: phi, left coupler, theta, right coupler */
        const size_t between = backward ? stage - 1 : stage;
        for (size_t e = 0; e < kExamples; e++) {
          for (size_t k = first, top = column % 2; top + 1 < n; k++, top += 2) {
            const dense_node d = dense_node_of(mesh, k);
            double complex *const a = v + e * n + top, *const b = a + 1, x = *a, y = *b;
            if (between % 2 == 0) {
              const double complex *const shifter = between == 0 ? d.phi : d.theta;
              *a = shifter[0] * x;
              *b = shifter[1] * y;
            } else {
              const double complex(*const coupler)[2] = between == 1 ? d.left : d.right;
              *a = coupler[0][0] * x + coupler[0][1] * y;
              *b = coupler[1][0] * x + coupler[1][1] * y;
            }
          }
        }
      }
    }
    for (size_t i = 0; !backward && i < block; i++) v[i] *= cexp(I * mesh->gamma[i % n]);
    same((double complex *)out.values, v, block);
    free_stages(&s);
  }
  free(v);
  cuonn_fields_free(&without);
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
}

static void every_tap_follows_from_the_one_before(void **unused) {
  (void)unused;
  each_mesh(taps_follow_each_other, 0.3, 1);
}

static void one_tap_may_be_asked_alone(void **unused) {
  (void)unused;
  chance c = {4};
  enum { kN = 5 };
  cuonn_mesh mesh = make_mesh(kN, CUONN_STYLE_TOP, 0.1, 1, &c);
  cuonn_fields in = make_fields(kN, &c), out = make_fields(kN, NULL);
  stages all = all_taps(&out, &mesh, &in, false);
  double alone[kN * kExamples * kN * 2];
  const cuonn_taps each[kStages] = {{.before_phi = alone},
                                    {.after_phi = alone},
                                    {.before_theta = alone},
                                    {.after_theta = alone},
                                    {.after_coupler = alone}};
  for (size_t i = 0; i < kStages; i++) {
    memset(alone, 0, sizeof alone);
    OK(cuonn_propagate(&out, &each[i], context, &mesh, &in, false));
    assert_memory_equal(alone, all.stage[i], sizeof alone);
  }
  free_stages(&all);
  cuonn_fields_free(&out);
  cuonn_fields_free(&in);
  cuonn_mesh_free(&mesh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lossless_meshes_keep_power),  cmocka_unit_test(backward_is_the_transpose_of_forward),
      cmocka_unit_test(positive_decibels_attenuate), cmocka_unit_test(matrix_holds_what_unit_vectors_become),
      cmocka_unit_test(large_matrix_is_whole),       cmocka_unit_test(every_tap_follows_from_the_one_before),
      cmocka_unit_test(one_tap_may_be_asked_alone),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
