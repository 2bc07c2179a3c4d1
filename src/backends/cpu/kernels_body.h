/* Body of the files level_*.c, each of which defines CPU_KERNELS_NAME and CPU_KERNELS_LEVEL. */
#include <math.h>
#include <string.h>

#include "cpu/kernels.h"

#if defined(__AVX512F__)
enum { kVector = 16 };
#elif defined(__AVX__)
enum { kVector = 8 };
#else
enum { kVector = 4 };
#endif

/* GCC's vector types: lowered to whatever the level has, and NaN stays NaN. may_alias: tiles are plain floats. */
typedef float vec __attribute__((vector_size(kVector * sizeof(float)), may_alias));
typedef float vec4 __attribute__((vector_size(16)));
typedef float vec2 __attribute__((vector_size(8)));
typedef double pair __attribute__((vector_size(16), may_alias));

/* Lanes i and i + 4, i + 8, ... added. */
static inline vec4 fold(vec v) {
#if defined(__AVX512F__)
  typedef float vec8 __attribute__((vector_size(32)));
  const vec8 half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
#elif defined(__AVX__)
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
  return v;
#endif
}

/* Adds the lanes of two vectors to a node's sums. */
static inline void add_lanes(node_sums *sums, vec through, vec across) {
  const vec4 a = fold(through), b = fold(across);
  const vec4 c = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  const vec2 d = __builtin_shufflevector(c, c, 0, 2) + __builtin_shufflevector(c, c, 1, 3);
  *(pair *)sums += __builtin_convertvector(d, pair);
}

static inline vec at(const float *plane, size_t lane) { return *(const vec *)(plane + lane); }
static inline void put(float *plane, size_t lane, vec v) { *(vec *)(plane + lane) = v; }

/* The number of lanes is a constant where it is a usual one: then the loop is unrolled, and planes lie at constant
 * offsets from four addresses. */
#define FOR_LANES(function, ...)               \
  switch (lanes) {                             \
    case 32: function(__VA_ARGS__, 32); break; \
    case 64: function(__VA_ARGS__, 64); break; \
    default: function(__VA_ARGS__, lanes);     \
  }
#define INLINE static inline __attribute__((always_inline))

INLINE void ideal_forward_lanes(float *x, const ideal_node *nodes, size_t n_nodes, size_t lanes) {
  const size_t step = 2 * lanes;
  for (const ideal_node *n = nodes; n < nodes + n_nodes; n++) {
    float *const a = x + n->a * step, *const b = x + n->b * step;
    const float *const top = a < b ? a : b, *const bottom = a < b ? b : a;
    const float zr = n->zeta[0], zi = n->zeta[1], t = n->t;
    for (size_t i = 0; i < lanes; i += kVector) {
      const vec tr = at(top, i), ti = at(top + lanes, i), br = at(bottom, i), bi = at(bottom + lanes, i);
      const vec r = zr * tr - zi * ti, s = zr * ti + zi * tr;
      put(a, i, r + t * br);
      put(a + lanes, i, s + t * bi);
      put(b, i, t * r - br);
      put(b + lanes, i, t * s - bi);
    }
  }
}

static void ideal_forward(float *x, size_t lanes, const ideal_node *nodes,
                          size_t n_nodes){FOR_LANES(ideal_forward_lanes, x, nodes, n_nodes)}

/* apart: floats between the node's two waveguides. Where it is a constant, as between neighbours, all pointers stay in
 * registers. */
INLINE void ideal_backward_node(node_sums *sums, float *x, float *g, const ideal_node *n, size_t lanes, size_t apart) {
  const size_t step = 2 * lanes, top = (n->a < n->b ? n->a : n->b) * step;
  float *const xt = x + top, *const gt = g + top, *const xb = xt + apart, *const gb = gt + apart;
  const float *const xa = x + n->a * step, *const ga = g + n->a * step;
  const float *const xc = x + n->b * step, *const gc = g + n->b * step;
  const float zr = n->zeta[0], zi = n->zeta[1], wr = n->undo[0], wi = n->undo[1], t = n->t, norm = n->norm;
  vec through = {0}, across = {0}, across2 = {0};
  for (size_t i = 0; i < lanes; i += kVector) {
    const vec ar = at(xa, i), ai = at(xa + lanes, i), br = at(xc, i), bi = at(xc + lanes, i);
    const vec gar = at(ga, i), gai = at(ga + lanes, i), gbr = at(gc, i), gbi = at(gc + lanes, i);
    across += ar * gbr;
    across2 += ai * gbi;
    across -= br * gar;
    across2 -= bi * gai;
    const vec xr = ar + t * br, xi = ai + t * bi;
    const vec xtr = wr * xr - wi * xi, xti = wr * xi + wi * xr;
    put(xb, i, norm * (t * ar - br));
    put(xb + lanes, i, norm * (t * ai - bi));
    put(xt, i, xtr);
    put(xt + lanes, i, xti);
    const vec gr = gar + t * gbr, gi = gai + t * gbi;
    const vec gtr = zr * gr - zi * gi, gti = zr * gi + zi * gr;
    put(gb, i, t * gar - gbr);
    put(gb + lanes, i, t * gai - gbi);
    put(gt, i, gtr);
    put(gt + lanes, i, gti);
    through += xtr * gti;
    through += xti * gtr;
  }
  add_lanes(sums, through, across - across2);
}

INLINE void ideal_backward_lanes(node_sums *sums, float *x, float *g, const ideal_node *nodes, size_t n_nodes,
                                 size_t lanes) {
  for (size_t k = n_nodes; k-- > 0;) {
    const ideal_node *const n = nodes + k;
    const size_t apart = n->a < n->b ? n->b - n->a : n->a - n->b;
    if (apart == 1) {
      ideal_backward_node(sums + k, x, g, n, lanes, 2 * lanes);
    } else {
      ideal_backward_node(sums + k, x, g, n, lanes, apart * 2 * lanes);
    }
  }
}

static void ideal_backward(node_sums *sums, float *x, float *g, size_t lanes, const ideal_node *nodes, size_t n_nodes) {
  FOR_LANES(ideal_backward_lanes, sums, x, g, nodes, n_nodes)
}

/* One row of a complex 2 x 2 matrix, or with `other` one column. */
typedef struct {
  float r, i;
} complex_float;
static inline complex_float element(const float m[2]) { return (complex_float){m[0], m[1]}; }
static inline vec combine_real(complex_float p, complex_float q, vec tr, vec ti, vec br, vec bi) {
  return p.r * tr - p.i * ti + q.r * br - q.i * bi;
}
static inline vec combine_imaginary(complex_float p, complex_float q, vec tr, vec ti, vec br, vec bi) {
  return p.r * ti + p.i * tr + q.r * bi + q.i * br;
}

static void general_forward(float *x, size_t lanes, const general_node *nodes, size_t n_nodes) {
  const size_t step = 2 * lanes;
  for (const general_node *n = nodes; n < nodes + n_nodes; n++) {
    float *const top = x + n->top * step, *const bottom = x + n->bottom * step;
    const complex_float tt = element(n->m[0][0]), tb = element(n->m[0][1]), bt = element(n->m[1][0]),
                        bb = element(n->m[1][1]);
    for (size_t i = 0; i < lanes; i += kVector) {
      const vec tr = at(top, i), ti = at(top + lanes, i), br = at(bottom, i), bi = at(bottom + lanes, i);
      put(top, i, combine_real(tt, tb, tr, ti, br, bi));
      put(top + lanes, i, combine_imaginary(tt, tb, tr, ti, br, bi));
      put(bottom, i, combine_real(bt, bb, tr, ti, br, bi));
      put(bottom + lanes, i, combine_imaginary(bt, bb, tr, ti, br, bi));
    }
  }
}

static void general_backward(node_sums *sums, float *x, float *g, size_t lanes, const general_node *nodes,
                             size_t n_nodes) {
  const size_t step = 2 * lanes;
  for (size_t k = n_nodes; k-- > 0;) {
    const general_node *const n = nodes + k;
    float *const top = x + n->top * step, *const bottom = x + n->bottom * step;
    float *const g_top = g + n->top * step, *const g_bottom = g + n->bottom * step;
    const complex_float tt = element(n->m[0][0]), tb = element(n->m[0][1]), bt = element(n->m[1][0]),
                        bb = element(n->m[1][1]);
    const complex_float itt = element(n->inverse[0][0]), itb = element(n->inverse[0][1]),
                        ibt = element(n->inverse[1][0]), ibb = element(n->inverse[1][1]);
    vec through = {0}, across = {0}, across2 = {0};
    for (size_t i = 0; i < lanes; i += kVector) {
      const vec tr = at(top, i), ti = at(top + lanes, i), br = at(bottom, i), bi = at(bottom + lanes, i);
      const vec gtr = at(g_top, i), gti = at(g_top + lanes, i), gbr = at(g_bottom, i), gbi = at(g_bottom + lanes, i);
      across += tr * gbr;
      across2 += ti * gbi;
      across -= br * gtr;
      across2 -= bi * gti;
      const vec xtr = combine_real(itt, itb, tr, ti, br, bi), xti = combine_imaginary(itt, itb, tr, ti, br, bi);
      put(top, i, xtr);
      put(top + lanes, i, xti);
      put(bottom, i, combine_real(ibt, ibb, tr, ti, br, bi));
      put(bottom + lanes, i, combine_imaginary(ibt, ibb, tr, ti, br, bi));
      const vec htr = combine_real(tt, bt, gtr, gti, gbr, gbi), hti = combine_imaginary(tt, bt, gtr, gti, gbr, gbi);
      put(g_top, i, htr);
      put(g_top + lanes, i, hti);
      put(g_bottom, i, combine_real(tb, bb, gtr, gti, gbr, gbi));
      put(g_bottom + lanes, i, combine_imaginary(tb, bb, gtr, gti, gbr, gbi));
      through += xtr * hti;
      through += xti * htr;
    }
    add_lanes(sums + k, through, across - across2);
  }
}

/* In a dark arm both sums of the other form would be small differences: the products in that arm itself are taken. */
static void general_recall(node_sums *sums, float *g, const float *x, size_t lanes, const general_node *nodes,
                           size_t n_nodes) {
  const size_t step = 2 * lanes;
  for (size_t k = n_nodes; k-- > 0;) {
    const general_node *const n = nodes + k;
    const float *const top = x + n->top * step, *const bottom = x + n->bottom * step;
    float *const g_top = g + n->top * step, *const g_bottom = g + n->bottom * step;
    const complex_float tt = element(n->m[0][0]), tb = element(n->m[0][1]), bt = element(n->m[1][0]),
                        bb = element(n->m[1][1]);
    const complex_float xt = element(n->arm.field[0]), xb = element(n->arm.field[1]), gt = element(n->arm.cotangent[0]),
                        gb = element(n->arm.cotangent[1]);
    vec through = {0}, arm = {0};
    for (size_t i = 0; i < lanes; i += kVector) {
      const vec tr = at(top, i), ti = at(top + lanes, i), br = at(bottom, i), bi = at(bottom + lanes, i);
      const vec gtr = at(g_top, i), gti = at(g_top + lanes, i), gbr = at(g_bottom, i), gbi = at(g_bottom + lanes, i);
      arm += combine_real(xt, xb, tr, ti, br, bi) * combine_imaginary(gt, gb, gtr, gti, gbr, gbi);
      arm += combine_imaginary(xt, xb, tr, ti, br, bi) * combine_real(gt, gb, gtr, gti, gbr, gbi);
      const vec htr = combine_real(tt, bt, gtr, gti, gbr, gbi), hti = combine_imaginary(tt, bt, gtr, gti, gbr, gbi);
      put(g_top, i, htr);
      put(g_top + lanes, i, hti);
      const vec hbr = combine_real(tb, bb, gtr, gti, gbr, gbi), hbi = combine_imaginary(tb, bb, gtr, gti, gbr, gbi);
      put(g_bottom, i, hbr);
      put(g_bottom + lanes, i, hbi);
      through += n->weak ? br * hbi : tr * hti;
      through += n->weak ? bi * hbr : ti * htr;
    }
    add_lanes(sums + k, through, arm);
  }
}

static void scale(float *x, const float *factor, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++) {
    for (size_t i = 0; i < 2 * lanes; i++) x[w * 2 * lanes + i] *= factor[w];
  }
}

static void unscale(float *x, const float *factor, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++) {
    for (size_t i = 0; i < 2 * lanes; i++) x[w * 2 * lanes + i] /= factor[w];
  }
}

static void modulus(float *restrict h, const float *restrict y, const float *factor, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, h += 2 * lanes, y += 2 * lanes) {
    const float f = fabsf(factor[w]);
    for (size_t i = 0; i < lanes; i++) h[i] = f * sqrtf(y[i] * y[i] + y[lanes + i] * y[lanes + i]);
    memset(h + lanes, 0, lanes * sizeof *h);
  }
}

static void modulus_backward(float *restrict g, const float *restrict y, const float *factor, size_t n_modes,
                             size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, g += 2 * lanes, y += 2 * lanes) {
    const float f = fabsf(factor[w]);
    for (size_t i = 0; i < lanes; i++) {
      const float power = y[i] * y[i] + y[lanes + i] * y[lanes + i];
      const float u = power == 0 ? 0 : f * g[i] / sqrtf(power); /* == so that NaN stays NaN */
      g[i] = u * y[i];
      g[lanes + i] = -u * y[lanes + i];
    }
  }
}

static void square(float *restrict h, const float *restrict y, const float *factor, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, h += 2 * lanes, y += 2 * lanes) {
    const float f = factor[w] * factor[w];
    for (size_t i = 0; i < lanes; i++) h[i] = f * (y[i] * y[i] + y[lanes + i] * y[lanes + i]);
    memset(h + lanes, 0, lanes * sizeof *h);
  }
}

static void square_backward(float *restrict g, const float *restrict y, const float *factor, size_t n_modes,
                            size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, g += 2 * lanes, y += 2 * lanes) {
    const float f = 2 * factor[w] * factor[w];
    for (size_t i = 0; i < lanes; i++) {
      const float u = f * g[i];
      g[i] = u * y[i];
      g[lanes + i] = -u * y[lanes + i];
    }
  }
}

/* Sine and cosine by Taylor series on [-pi/4, pi/4], where their first left-out terms are 5e-17 and 1e-15 or less. */
INLINE double sine_series(double r) {
  const double z = r * r;
  return r + r * z *
                 (-1. / 6 +
                  z * (1. / 120 +
                       z * (-1. / 5040 + z * (1. / 362880 + z * (-1. / 39916800 + z * (1. / 6227020800. +
                                                                                       z * (-1. / 1307674368000.)))))));
}

INLINE double cosine_series(double r) {
  const double z = r * r;
  return 1 + z * (-1. / 2 +
                  z * (1. / 24 +
                       z * (-1. / 720 + z * (1. / 40320 +
                                             z * (-1. / 3628800 + z * (1. / 479001600. + z * (-1. / 87178291200.)))))));
}

/* Adding and taking away this rounds to a whole number. */
static const double kShift = 0x1.8p52;

/* Sine and cosine of q pi/2 + r, q whole, |r| <= pi/4. */
INLINE void sine_and_cosine(double *sine, double *cosine, double q, double r) {
  const double s = sine_series(r), c = cosine_series(r);
  /* q mod 4 is 0, 1, 2, 3: (s, c), (c, -s), (-s, -c), (-c, s) */
  const double half = q * 0.5, odd = half - ((half + kShift) - kShift); /* 0 or +-1/2 */
  const double quarter = (q - (odd != 0)) * 0.25;
  const double sign = quarter - ((quarter + kShift) - kShift) != 0 ? -1 : 1; /* - if q - (q mod 2) is 2 mod 4 */
  *sine = sign * (odd != 0 ? c : s);
  *cosine = sign * (odd != 0 ? -s : c);
}

/* pi/2 in three parts of 33 bits (Cody and Waite): exact products up to |q| = 2^20; farther out, and for NaN, libm's.
 */
static void sines(double *restrict sine, double *restrict cosine, const double *restrict angle, size_t n) {
  const double half_pi_1 = 0x1.921fb544p+0, half_pi_2 = 0x1.0b4611a6p-34, half_pi_3 = 0x1.3198a2e037073p-69;
  const double largest = 1e5;
  for (size_t i = 0; i < n; i++) {
    const double q = (angle[i] * (2 / M_PI) + kShift) - kShift;
    sine_and_cosine(sine + i, cosine + i, q, ((angle[i] - q * half_pi_1) - q * half_pi_2) - q * half_pi_3);
  }
  for (size_t i = 0; i < n; i++) {
    if (!(fabs(angle[i]) <= largest)) {
      sine[i] = sin(angle[i]);
      cosine[i] = cos(angle[i]);
    }
  }
}

/* nodes.c has the formulas. */
static void pass_column(double *restrict m, double *restrict p, double *restrict t, double *restrict size,
                        double *restrict angle, const double *restrict s, const double *restrict c,
                        const double *restrict theta, const double *restrict phi, size_t n_nodes, const node_arms *w) {
  const double common = (w->theta[0] + w->theta[1]) / 2, difference = w->phi[0] - w->phi[1];
  for (size_t j = 0; j < n_nodes; j++) {
    const double mt = m[2 * j], mb = m[2 * j + 1], pt = p[2 * j], pb = p[2 * j + 1];
    const double large = fabs(c[j]) > fabs(s[j]) ? c[j] : s[j], small = fabs(c[j]) > fabs(s[j]) ? -s[j] : c[j];
    const double rounded = (double)(float)(small / large);
    const double f = (large < 0 ? -mb : mb) / sqrt(1 + rounded * rounded);
    size[j] = mt / mb;
    angle[j] = difference * phi[j] + pt - pb;
    t[j] = rounded;
    m[2 * j] = fabs(c[j]) > fabs(s[j]) ? -f : f;
    m[2 * j + 1] = f;
    p[2 * j] = p[2 * j + 1] = pb + w->phi[1] * phi[j] + common * theta[j] + M_PI / 2;
  }
}

static void adam(double *restrict phase, double *restrict first, double *restrict second,
                 const double *restrict gradient, size_t n, const double beta[2], double epsilon, double rate,
                 double c1, double c2) {
  const double b1 = beta[0], b2 = beta[1];
  for (size_t i = 0; i < n; i++) {
    const double g = gradient[i], m = (1 - b1) * g + b1 * first[i], v = (1 - b2) * g * g + b2 * second[i];
    first[i] = m;
    second[i] = v;
    phase[i] -= rate * (c1 * m) / (sqrt(c2 * v) + epsilon);
  }
}

/* Twelve chains side by side hide the latency of a multiply-add, and fit the registers of every level. */
static size_t multiply_adds(float *v, size_t rounds) {
  enum { kChains = 12 };
  vec chains[kChains];
  for (size_t c = 0; c < kChains; c++) chains[c] = at(v, c * kVector);
  for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (size_t c = 0; c < kChains; c++) chains[c] = chains[c] * 0.5f + 0.5f;
  }
  for (size_t c = 0; c < kChains; c++) put(v, c * kVector, chains[c]);
  return rounds * kChains * kVector;
}

#include "cpu/kernels_noise.h"

#include "cpu/kernels_taps.h"

#include "cpu/kernels_dense.h"

#include "cpu/kernels_softmax.h"

#include "cpu/kernels_pass.h" /* whose exponential() it takes */

extern const cpu_kernels CPU_KERNELS_NAME;
const cpu_kernels CPU_KERNELS_NAME = {
    .level = CPU_KERNELS_LEVEL,
    .ideal_forward = ideal_forward,
    .general_forward = general_forward,
    .ideal_backward = ideal_backward,
    .general_backward = general_backward,
    .general_recall = general_recall,
    .ideal_transposed = ideal_transposed,
    .general_transposed = general_transposed,
    .ideal_together = ideal_together,
    .scale = scale,
    .unscale = unscale,
    .modulus = modulus,
    .modulus_backward = modulus_backward,
    .square = square,
    .square_backward = square_backward,
    .pass = pass,
    .pass_backward = pass_backward,
    .softmax = softmax,
    .squared_error = squared_error,
    .softmax_backward = softmax_backward,
    .pass_column = pass_column,
    .sines = sines,
    .normals = normals,
    .read = read_waveguide,
    .adam = adam,
    .tap_backward = tap_backward,
    .tap_measure = tap_measure,
    .sum_parts = sum_parts,
    .split_complex = split_complex,
    .join_complex = join_complex,
    .multiply_adds = multiply_adds,
};
