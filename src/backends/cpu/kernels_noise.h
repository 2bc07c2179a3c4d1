/* Unit normals, many at once; part of kernels_body.h. The same draws as base/random.c, Philox4x32-10 by Box and Muller,
 * in loops that the compiler turns into vectors.
 *
 * Draws agree to 3.5e-15 r, where r is the radius, at most sqrt(106 log 2) = 8.6. With u = 2^-53: the uniform numbers
 * have the same bits. The logarithm is off by 8 u of itself at most, so r by 5 u, and with the C library's 2 u. The
 * angle is off by 2 u, because v is reduced exactly, and in base/random.c by 9 u, its product being one of 2 pi; the
 * series of sine and cosine leave out 1e-15, and are rounded by some 3 u. All roundings are 1.1e-16 x 21 = 2.4e-15. */
#include <Random123/philox.h>

INLINE double as_double(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

INLINE uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* As uniform() in base/random.c: 52 bits of two words and half a step. All of it is exact. */
INLINE double uniform(uint32_t high, uint32_t low) {
  const uint64_t word = ((uint64_t)high << 32 | low) >> 12;
  return (as_double(word | UINT64_C(0x3ff) << 52) - 1) + 0x1p-53;
}

/* Of 2^-53 <= u < 1. u = 2^e m with m from sqrt(1/2) to sqrt(2), and log m = 2 artanh s, s = (m - 1) / (m + 1), |s| <
 * .172, where the terms left out are below 2.4e-17 of the first. m - 1 is exact, so that next to 1, where e = 0, the
 * error is 5 roundings of the logarithm itself. Elsewhere e log 2 and log m partly cancel: their sum is at least half
 * of the larger, and their roundings count twice. */
INLINE double logarithm(double u) {
  const uint64_t root = UINT64_C(0x3fe6a09e667f3bcd), one = UINT64_C(0x3ff) << 52; /* sqrt(1/2), 1 */
  const uint64_t moved = bits_of(u) + (one - root), fraction = (UINT64_C(1) << 52) - 1;
  const double e = as_double(moved >> 52 | UINT64_C(0x433) << 52) - (0x1p52 + 1023);
  const double m = as_double((moved & fraction) + root), s = (m - 1) / (m + 1), z = s * s;
  const double tail =
      z * (1. / 3 +
           z * (1. / 5 +
                z * (1. / 7 +
                     z * (1. / 9 + z * (1. / 11 + z * (1. / 13 + z * (1. / 15 + z * (1. / 17 + z * (1. / 19)))))))));
  return e * M_LN2 + (2 * s + 2 * s * tail);
}

static void normals(double *restrict normals, double *restrict others, random_place place, uint32_t first,
                    uint32_t step, size_t n) {
  enum { kTogether = 16 };
  const philox4x32_key_t key = {{(uint32_t)place.seed, (uint32_t)(place.seed >> 32)}};
  for (size_t from = 0; from < n; from += kTogether) {
    uint32_t words[4][kTogether];
    for (size_t i = 0; i < kTogether; i++) {
      const uint32_t index = first + (uint32_t)(from + i) * step;
      const philox4x32_ctr_t counter = {{index, place.step, place.chip, (uint32_t)place.purpose}};
      const philox4x32_ctr_t r = philox4x32(counter, key);
      for (size_t k = 0; k < 4; k++) words[k][i] = r.v[k];
    }
    for (size_t i = 0; i < kTogether; i++) {
      const double radius = sqrt(-2 * logarithm(uniform(words[0][i], words[1][i])));
      const double turns = 4 * uniform(words[2][i], words[3][i]), q = (turns + kShift) - kShift;
      double sine, cosine;
      sine_and_cosine(&sine, &cosine, q, (turns - q) * (M_PI / 2));
      normals[from + i] = radius * cosine;
      others[from + i] = radius * sine;
    }
  }
}

/* amplitude, phase: io_amplitude and io_phase of the chip. Where all lanes have the same draw (step 0), it is drawn for
 * one vector of them. */
static void read_waveguide(float *restrict x, size_t lanes, random_place place, uint32_t first, uint32_t step,
                           double amplitude, double phase) {
  const size_t drawn = step == 0 ? 16 : lanes;
  double size[kMostLanes], angle[kMostLanes], sine[kMostLanes], cosine[kMostLanes];
  normals(size, angle, place, first, step, drawn);
  for (size_t i = 0; i < drawn; i++) {
    size[i] = fabs(1 + amplitude * size[i]);
    angle[i] = M_PI * phase * angle[i];
  }
  sines(sine, cosine, angle, drawn);
  for (size_t i = drawn; i < lanes; i++) {
    size[i] = size[0];
    sine[i] = sine[0];
    cosine[i] = cosine[0];
  }
  for (size_t i = 0; i < lanes; i++) {
    const double r = (double)x[i], s = (double)x[lanes + i];
    x[i] = (float)(size[i] * (cosine[i] * r - sine[i] * s));
    x[lanes + i] = (float)(size[i] * (cosine[i] * s + sine[i] * r));
  }
}
