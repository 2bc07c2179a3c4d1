/* The hot loops of every instruction level that this processor has against those of the plainest, and its sines against
 * those of the C library. Levels differ by the order of sums and by multiply-add: some roundings a node. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cpu/layer.h"
#include "cpu/level.h"
#include "cpu/nodes.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kModes = 66, kLanes = 64, kNodes = 66 * 65 / 2, kSize = kModes * 2 * kLanes };

/* What a way through a layer and back gives, as doubles. */
typedef struct {
  double out[kSize], cotangent[kSize], through[kNodes], across[kNodes];
} results;

static void widen(double *to, const float *from, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] = (double)from[i];
}

static void run(results *r, const cuonn_mesh *mesh, const float *input, const float *cotangent, size_t lanes,
                const cpu_kernels *kernels) {
  const size_t size = kModes * 2 * lanes;
  cpu_layer layer;
  float *x, *g, *kept;
  node_sums *sums;
  OK(layer_create(&layer, mesh, kModes));
  OK(cuonn_allocate(&x, size, sizeof *x));
  OK(cuonn_allocate(&g, size, sizeof *g));
  OK(cuonn_allocate(&kept, layer_kept_size(&layer, lanes), sizeof *kept));
  OK(cuonn_allocate(&sums, kNodes, sizeof *sums));
  layer_fill(&layer, mesh->theta, mesh->phi, kernels);
  memcpy(x, input, size * sizeof *x);
  layer_forward(x, kept, &layer, lanes, kernels);
  kernels->modulus(g, x, layer_output_factor(&layer), kModes, lanes);
  widen(r->out, g, size);
  memcpy(g, cotangent, size * sizeof *g);
  kernels->modulus_backward(g, x, layer_output_factor(&layer), kModes, lanes);
  layer_backward(sums, x, g, kept, &layer, lanes, kernels);
  widen(r->cotangent, g, size);
  for (size_t i = 0; i < layer.n_nodes; i++) r->through[i] = sums[i].through, r->across[i] = sums[i].across;
  free(sums);
  free(kept);
  free(g);
  free(x);
  layer_free(&layer);
}

/* 66 columns of some 8 roundings each, independent of each other: u sqrt(8 x 66), and five times that for the
 * largest. */
static void compare(double error, double loss, size_t lanes) {
  const double rel = 5 * FLT_EPSILON / 2 * sqrt(8.0 * kModes);
  static results plain, other;
  static _Alignas(64) float input[kSize], cotangent[kSize];
  chance c = {lanes};
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_TOP));
  dense_random(&mesh, &c, error, loss);
  for (size_t i = 0; i < kModes * 2 * lanes; i++) {
    input[i] = (float)chance_normal(&c);
    cotangent[i] = (float)chance_normal(&c);
  }
  run(&plain, &mesh, input, cotangent, lanes, cpu_kernels_level(0));
  for (size_t level = 1; cpu_kernels_level(level); level++) {
    run(&other, &mesh, input, cotangent, lanes, cpu_kernels_level(level));
    CLOSE(other.out, plain.out, kModes * 2 * lanes, .rel = rel);
    CLOSE(other.cotangent, plain.cotangent, kModes * 2 * lanes, .rel = 2 * rel);
    CLOSE(other.through, plain.through, kNodes, .rel = 2 * rel);
    CLOSE(other.across, plain.across, kNodes, .rel = 2 * rel);
  }
  cuonn_mesh_free(&mesh);
}

static void test_layers(void **state) {
  (void)state;
  for (size_t lanes = 16; lanes <= kLanes; lanes += 16) {
    compare(0, 0, lanes);
    compare(0.05, 0, lanes);
    compare(0.05, 0.5, lanes);
    compare(0, 8, lanes);
  }
}

/* The series leave out less than 1e-15; far angles go to the C library; what is not finite has no sine. */
static void test_sines(void **state) {
  (void)state;
  enum { kAngles = 4000 };
  double angle[kAngles], sine[kAngles], cosine[kAngles], want_sine[kAngles], want_cosine[kAngles];
  chance c = {2};
  for (size_t i = 0; i < kAngles; i++) {
    angle[i] = chance_uniform(&c, -1, 1) * pow(10, (double)(i % 10) - 3);
    if (i % 10 == 9) angle[i] = M_PI / 4 * (double)chance_index(&c, 1000);
    want_sine[i] = sin(angle[i]);
    want_cosine[i] = cos(angle[i]);
  }
  for (size_t level = 0; cpu_kernels_level(level); level++) {
    cpu_kernels_level(level)->sines(sine, cosine, angle, kAngles);
    CLOSE(sine, want_sine, kAngles, .abs = 2e-15);
    CLOSE(cosine, want_cosine, kAngles, .abs = 2e-15);
    const double strange[3] = {NAN, INFINITY, -INFINITY};
    cpu_kernels_level(level)->sines(sine, cosine, strange, 3);
    for (size_t i = 0; i < 3; i++) assert_true(isnan(sine[i]) && isnan(cosine[i]));
  }
}

/* Products of all sizes of tiles against sums in double: k roundings of numbers of about 1, and five times their
 * root. */
static void test_products(void **state) {
  (void)state;
  enum { kM = 48, kMost = 23, kK = 37, kStep = 64 };
  static _Alignas(64) float a[kK * kStep], b[kK * kMost], c[kMost * kStep];
  static double got[kMost * kM], want[kMost * kM];
  chance random = {3};
  for (size_t i = 0; i < kK * kStep; i++) a[i] = (float)chance_uniform(&random, -1, 1);
  for (size_t i = 0; i < kK * kMost; i++) b[i] = (float)chance_uniform(&random, -1, 1);
  for (size_t n = 1; n <= kMost; n++) {
    for (size_t level = 0; cpu_kernels_level(level); level++) {
      for (int turned = 0; turned < 2; turned++) {
        const cpu_product p = {.m = kM,
                               .n = n,
                               .k = kK,
                               .a_step = kStep,
                               .c_step = kStep,
                               .b_outer = turned ? 1 : kK,
                               .b_inner = turned ? kMost : 1,
                               .add = turned == 1};
        for (size_t i = 0; i < kMost * kStep; i++) c[i] = 0.5f;
        cpu_kernels_level(level)->product(c, a, b, &p);
        for (size_t j = 0; j < n; j++) {
          for (size_t i = 0; i < kM; i++) {
            double sum = turned ? 0.5 : 0;
            for (size_t k = 0; k < kK; k++)
              sum += (double)a[k * kStep + i] * (double)b[turned ? k * kMost + j : j * kK + k];
            want[j * kM + i] = sum;
            got[j * kM + i] = (double)c[j * kStep + i];
          }
          for (size_t i = kM; i < kStep; i++) assert_true(c[j * kStep + i] == 0.5f);
        }
        CLOSE(got, want, n * kM, .abs = 5 * FLT_EPSILON / 2 * sqrt((double)kK) * 4);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers), cmocka_unit_test(test_sines),
                                     cmocka_unit_test(test_products)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
