/* The hot loops of every instruction level that this processor has against those of the plainest, its sines against
 * those of the C library, and its draws against those of base/random.h. Levels differ by the order of sums and by
 * multiply-add: some roundings a node. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef CUONN_LIBXSMM
#include <libxsmm.h>
#endif

#include "base/memory.h"
#include "chip/noise.h"
#include "cpu/layer.h"
#include "cpu/level.h"
#include "cpu/nodes.h"
#include "cpu/product.h"
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

/* Fields and sums of taps behind a mesh with shifters in one arm: digital, where the powers are kept apart, or not. */
typedef struct {
  double x[kSize], a[kSize], sums[(kNodes + kModes) * 8];
} tapped;

static void tap(tapped *r, const tap_node *nodes, const float *input, const float *cotangent, size_t lanes, bool apart,
                const cpu_kernels *kernels) {
  static _Alignas(64) float x[kSize], a[kSize];
  static _Alignas(64) tap_sums sums[kNodes + kModes];
  memcpy(x, input, kModes * 2 * lanes * sizeof *x);
  memcpy(a, cotangent, kModes * 2 * lanes * sizeof *a);
  memset(sums, 0, sizeof sums);
  kernels->tap_backward(sums, a, lanes, nodes, kNodes, kModes);
  kernels->tap_measure(sums, x, a, lanes, nodes, kNodes, kModes, apart);
  widen(r->x, x, kModes * 2 * lanes);
  widen(r->a, a, kModes * 2 * lanes);
  memcpy(r->sums, sums, sizeof r->sums);
}

static void test_taps(void **state) {
  (void)state;
  static tapped plain, other;
  static _Alignas(64) float input[kSize], cotangent[kSize];
  static tap_node nodes[kNodes];
  const double rel = 5 * FLT_EPSILON / 2 * sqrt(3 * 10.0 * kModes); /* three ways of the kind that compare() has */
  chance c = {6};
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_TOP));
  for (size_t k = 0; k < kNodes; k++) {
    nodes[k] = (tap_node){.arm = mesh.shape->pairs[k][k % 2], .other = mesh.shape->pairs[k][1 - k % 2]};
    const double theta = chance_uniform(&c, 0, 6), phi = chance_uniform(&c, 0, 6), coupler = chance_uniform(&c, .6, .9);
    const double angles[] = {phi, theta, coupler, M_PI / 2 - coupler, k % 3 ? 0 : coupler};
    float *const to[] = {nodes[k].outer, nodes[k].inner, nodes[k].left, nodes[k].right, nodes[k].first};
    nodes[k].crosses = k % 3 == 1;
    for (size_t i = 0; i < 5; i++) to[i][0] = (float)cos(angles[i]), to[i][1] = (float)sin(angles[i]);
  }
  for (size_t i = 0; i < kSize; i++) {
    input[i] = (float)chance_normal(&c);
    cotangent[i] = (float)chance_normal(&c);
  }
  for (size_t i = 0; i < 4 * 2; i++) {
    const size_t lanes = 16 * (i / 2 + 1);
    tap(&plain, nodes, input, cotangent, lanes, i % 2, cpu_kernels_level(0));
    for (size_t level = 1; cpu_kernels_level(level); level++) {
      tap(&other, nodes, input, cotangent, lanes, i % 2, cpu_kernels_level(level));
      CLOSE(other.x, plain.x, kModes * 2 * lanes, .rel = rel);
      CLOSE(other.a, plain.a, kModes * 2 * lanes, .rel = rel);
      CLOSE(other.sums, plain.sums, (kNodes + kModes) * 8, .rel = 2 * rel);
    }
  }
  cuonn_mesh_free(&mesh);
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

/* 3.5e-15 of the radius: kernels_noise.h says why. */
static void check_normals(random_place place, uint32_t first, uint32_t step, size_t n) {
  double want[2][64], got[2][64];
  for (size_t i = 0; i < n; i++) {
    double normals[2];
    random_normals(normals, place, first + (uint32_t)i * step);
    want[0][i] = normals[0];
    want[1][i] = normals[1];
  }
  for (size_t level = 0; cpu_kernels_level(level); level++) {
    cpu_kernels_level(level)->normals(got[0], got[1], place, first, step, n);
    for (size_t i = 0; i < n; i++) {
      const double radius = hypot(want[0][i], want[1][i]);
      const double off = fmax(fabs(got[0][i] - want[0][i]), fabs(got[1][i] - want[1][i]));
      if (!(off <= 3.5e-15 * radius)) {
        fail_msg("level %zu, draw %zu from %u by %u: %.17g and %.17g, not %.17g and %.17g", level, i, first, step,
                 got[0][i], got[1][i], want[0][i], want[1][i]);
      }
    }
  }
}

static void test_normals__are_the_draws_of_random(void **state) {
  (void)state;
  const random_place places[] = {{1, RANDOM_FORWARD, 0, 0}, {UINT64_MAX - 2, RANDOM_TAP, 2, 123456}};
  const uint32_t steps[] = {1, 64};
  for (size_t i = 0; i < 4; i++) {
    for (uint32_t k = 0; k < 1 << 14; k++) check_normals(places[i / 2], 64 * k, steps[i % 2], 64);
  }
  check_normals(places[0], UINT32_MAX - 20, 1, 64); /* around the end of the indices */
  check_normals(places[0], 5, 0, 16);
}

/* The counter of a block under key 0: every round of Philox4x32-10 can be undone, because its factors are odd. */
static void counter_of_block(uint32_t c[4]) {
  const uint32_t factors[] = {0xd2511f53, 0xcd9e8d57}, weyl[] = {0x9e3779b9, 0xbb67ae85};
  uint32_t inverse[2];
  for (size_t i = 0; i < 2; i++) {
    inverse[i] = 1;
    for (int k = 0; k < 5; k++) inverse[i] *= 2 - factors[i] * inverse[i]; /* Newton: 1, 2, 4 ... bits are right */
  }
  for (uint32_t round = 10; round-- > 0;) {
    const uint32_t a = c[3] * inverse[0], b = c[1] * inverse[1];
    const uint32_t high[] = {(uint32_t)((uint64_t)a * factors[0] >> 32), (uint32_t)((uint64_t)b * factors[1] >> 32)};
    const uint32_t before[] = {a, c[0] ^ high[1] ^ round * weyl[0], b, c[2] ^ high[0] ^ round * weyl[1]};
    memcpy(c, before, sizeof before);
  }
}

/* Uniform numbers at the ends of their range, where the exponent changes, around sqrt(1/2), where the logarithm is put
 * together in another way, and at the quarters and eighths of a turn. */
static void test_normals__at_extreme_draws(void **state) {
  (void)state;
  const uint64_t quarter = UINT64_C(1) << 50, root = UINT64_C(0xb504f333f9de6) /* of 1/2, in 52 bits */;
  const uint64_t words[] = {0,
                            1,
                            2,
                            3,
                            quarter / 2 - 1,
                            quarter / 2,
                            quarter - 1,
                            quarter,
                            root - 2,
                            root - 1,
                            root,
                            root + 1,
                            2 * quarter - 1,
                            2 * quarter,
                            3 * quarter - 1,
                            3 * quarter,
                            7 * quarter / 2,
                            4 * quarter - 2,
                            4 * quarter - 1};
  const size_t n = sizeof words / sizeof *words;
  for (size_t i = 0; i < n * n; i++) {
    const uint64_t u = words[i / n] << 12, v = words[i % n] << 12;
    uint32_t c[4] = {(uint32_t)(u >> 32), (uint32_t)u, (uint32_t)(v >> 32), (uint32_t)v};
    counter_of_block(c);
    const random_place place = {0, (random_purpose)c[3], c[2], c[1]};
    const double uniform = random_uniform(place, c[0]);
    assert_true(uniform == ((double)words[i / n] + .5) * 0x1p-52);
    for (uint32_t lane = 0; lane < 16; lane += 5) check_normals(place, c[0] - 3 * lane, 3, 16);
  }
}

/* Fields of float, times factors in double: two roundings, and one for what is left of draws and series. */
static void test_read__multiplies_by_read_factors(void **state) {
  (void)state;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.measurement = CUONN_MEASUREMENT_MATRIX;
  chance random = {5};
  for (size_t i = 0; i < 4 * 4; i++) {
    const size_t lanes = 16 * (i % 4 + 1);
    const chip_reading reading = {&chip, CHIP_TRAINING, 3, 11, 0};
    chip.io_amplitude = i / 4 % 2 ? .5 : 0;
    chip.io_phase = i / 8 ? 2 : 0;
    float input[2 * kLanes], x[2 * kLanes];
    double want[2 * kLanes], got[2 * kLanes];
    for (size_t k = 0; k < 2 * lanes; k++) input[k] = (float)chance_normal(&random);
    for (size_t e = 0; e < lanes; e++) {
      double f[2];
      chip_read_factor(f, &reading, 7 + e, 4, kModes);
      want[e] = f[0] * (double)input[e] - f[1] * (double)input[lanes + e];
      want[lanes + e] = f[0] * (double)input[lanes + e] + f[1] * (double)input[e];
    }
    for (size_t level = 0; cpu_kernels_level(level); level++) {
      memcpy(x, input, sizeof x);
      cpu_kernels_level(level)->read(x, lanes, chip_read_place(&reading), 7 * kModes + 4, kModes, chip.io_amplitude,
                                     chip.io_phase);
      widen(got, x, 2 * lanes);
      CLOSE(got, want, 2 * lanes, .rel = 1.5 * FLT_EPSILON);
    }
  }
}

/* Powers that are exact in float, so that only e^x, the sum of ten of them and the quotient round: some ten
 * roundings. What is below e^-87 may be 0. */
static void check_softmax(const cpu_kernels *kernels, chance *random, double largest) {
  enum { kClasses = 10, kWide = 32 };
  static _Alignas(64) float y[kClasses * 2 * kWide], p[kClasses * kWide], g[kClasses * 2 * kWide], sum[kWide],
      less[kWide];
  static _Alignas(64) uint32_t best[kWide], label[kWide];
  static double got[kClasses * kWide], want[kClasses * kWide], got_g[kClasses * 2 * kWide],
      want_g[kClasses * 2 * kWide];
  const float factor[kClasses] = {1, 1, 1, 1, 1, 1, 1, 1, 1, -1}, share = 0.5f;
  for (size_t i = 0; i < kClasses * 2 * kWide; i++)
    y[i] = roundf((float)chance_uniform(random, -largest, largest) * 64) / 64;
  for (size_t i = 0; i < kWide; i++) label[i] = i == 5 ? UINT32_MAX : (uint32_t)chance_index(random, kClasses);
  for (size_t c = 0; c < kClasses; c++) y[c * 2 * kWide + 3] = y[(c * 2 + 1) * kWide + 3] = 1; /* all equal */
  kernels->softmax(p, sum, less, best, y, factor, label, kClasses, kWide);
  kernels->softmax_backward(g, p, y, factor, label, 2 * share, kClasses, kWide);
  for (size_t i = 0; i < kWide; i++) {
    double power[kClasses], total = 0;
    size_t most = 0;
    for (size_t c = 0; c < kClasses; c++) {
      const double re = (double)y[c * 2 * kWide + i], im = (double)y[(c * 2 + 1) * kWide + i];
      power[c] = re * re + im * im;
      if (power[c] > power[most]) most = c;
    }
    for (size_t c = 0; c < kClasses; c++) total += exp(power[c] - power[most]);
    assert_int_equal(best[i], most);
    if (i != 5) assert_true((double)less[i] == power[most] - power[label[i]]);
    assert_true(fabs((double)sum[i] - total) <= 10 * FLT_EPSILON * total);
    for (size_t c = 0; c < kClasses; c++) {
      want[c * kWide + i] = exp(power[c] - power[most]) / total;
      got[c * kWide + i] = (double)p[c * kWide + i];
      const double u = i == 5 ? 0 : 2 * (double)share * (got[c * kWide + i] - (c == label[i] ? 1 : 0));
      for (size_t plane = 0; plane < 2; plane++) {
        const size_t at = (c * 2 + plane) * kWide + i;
        want_g[at] = (plane ? -u : u) * (double)y[at];
        got_g[at] = (double)g[at];
      }
      assert_true(fabs(got[c * kWide + i] - want[c * kWide + i]) <= 10 * FLT_EPSILON * want[c * kWide + i] + 2e-38);
    }
  }
  CLOSE(got, want, kClasses * kWide, .abs = 10 * FLT_EPSILON);
  CLOSE(got_g, want_g, kClasses * 2 * kWide, .rel = 4 * FLT_EPSILON);
  y[2 * kWide + 7] = NAN;
  kernels->softmax(p, sum, less, best, y, factor, label, kClasses, kWide);
  assert_true(isnan(sum[7]) && !isnan(sum[8]));
}

static void test_softmax(void **state) {
  (void)state;
  chance random = {6};
  for (size_t level = 0; cpu_kernels_level(level); level++) {
    check_softmax(cpu_kernels_level(level), &random, 1);
    check_softmax(cpu_kernels_level(level), &random, 4);
    check_softmax(cpu_kernels_level(level), &random, 16);
  }
}

/* Sums of k products of numbers up to 1, of which 1 is already there or not: k roundings, and five times their
 * root. */
static void check_product(const cpu_product *p, chance *random) {
  const product_size size = p->size;
  const size_t a_size = size.k * size.lda, b_size = (size.turned ? size.k : size.n) * size.ldb,
               c_size = size.n * size.ldc;
  float *a, *b, *c;
  double *got, *want;
  OK(cuonn_allocate(&a, a_size, sizeof *a));
  OK(cuonn_allocate(&b, b_size, sizeof *b));
  OK(cuonn_allocate(&c, c_size, sizeof *c));
  OK(cuonn_allocate(&got, c_size, sizeof *got));
  OK(cuonn_allocate(&want, c_size, sizeof *want));
  for (size_t i = 0; i < a_size; i++) a[i] = (float)chance_uniform(random, -1, 1);
  for (size_t i = 0; i < b_size; i++) b[i] = (float)chance_uniform(random, -1, 1);
  for (size_t i = 0; i < c_size; i++) c[i] = 1;
  cpu_product_run(p, c, a, b);
  for (size_t j = 0; j < size.n; j++) {
    for (size_t i = 0; i < size.ldc; i++) {
      double sum = size.add || i >= size.m ? 1 : 0; /* between columns nothing is written */
      for (size_t k = 0; i < size.m && k < size.k; k++) {
        sum += (double)a[k * size.lda + i] * (double)b[size.turned ? k * size.ldb + j : j * size.ldb + k];
      }
      want[j * size.ldc + i] = sum;
    }
  }
  widen(got, c, c_size);
  CLOSE(got, want, c_size, .abs = 5 * FLT_EPSILON / 2 * sqrt((double)size.k) * sqrt((double)size.k / 9 + 1));
  free(want);
  free(got);
  free(c);
  free(b);
  free(a);
}

static void check_products(void) {
  const size_t m[] = {16, 48, 64, 80, 192}, n[] = {1, 16, 23, 64}, k[] = {1, 37, 64, 256, 300, 600};
  chance random = {3};
  for (size_t i = 0; i < 5 * 4 * 6 * 4; i++) {
    const size_t size_m = m[i % 5], size_n = n[i / 5 % 4], size_k = k[i / 20 % 6];
    const bool turned = i / 120 % 2, add = i / 240 % 2;
    const cpu_product p = cpu_product_of((product_size){.m = size_m,
                                                        .n = size_n,
                                                        .k = size_k,
                                                        .lda = size_m + 16,
                                                        .ldb = (turned ? size_n : size_k) + 5,
                                                        .ldc = size_m + 3,
                                                        .turned = turned,
                                                        .add = add});
    check_product(&p, &random);
  }
}

/* Where no memory may be executed, here because there is no more memory, CBLAS computes. In a process of its own,
 * which asks for the first time. */
static void test_no_executable_memory(void **state) {
  (void)state;
  const pid_t child = fork();
  if (child == 0) {
    struct rlimit limit;
    chance random = {4};
    getrlimit(RLIMIT_AS, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_AS, &limit);
    const cpu_product p = cpu_product_of((product_size){80, 9, 70, 80, 70, 80, false, false});
    limit.rlim_cur = before;
    setrlimit(RLIMIT_AS, &limit);
    assert_null(p.code[1][1][0]);
    check_product(&p, &random);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

/* By libxsmm's code for each level that this processor has, and by CBLAS, which is what a processor gets for which
 * libxsmm makes none. */
static void test_products(void **state) {
  (void)state;
#ifdef CUONN_LIBXSMM
  const int levels[] = {LIBXSMM_TARGET_ARCH_GENERIC, LIBXSMM_X86_SSE3, LIBXSMM_X86_AVX2, LIBXSMM_X86_AVX512_CORE};
  libxsmm_init();
  const int own = libxsmm_get_target_archid();
  for (size_t level = 0; cpu_kernels_level(level); level++) {
    libxsmm_set_target_archid(levels[level + 1]);
    check_products();
  }
  libxsmm_set_target_archid(levels[0]);
  assert_null(cpu_product_of((product_size){16, 16, 16, 16, 16, 16, false, false}).code[1][1][0]);
  check_products();
  libxsmm_set_target_archid(own);
#else
  check_products();
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_executable_memory),
                                     cmocka_unit_test(test_layers),
                                     cmocka_unit_test(test_taps),
                                     cmocka_unit_test(test_sines),
                                     cmocka_unit_test(test_normals__are_the_draws_of_random),
                                     cmocka_unit_test(test_normals__at_extreme_draws),
                                     cmocka_unit_test(test_read__multiplies_by_read_factors),
                                     cmocka_unit_test(test_softmax),
                                     cmocka_unit_test(test_products)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
