/* Random numbers: Philox's published values, places that share nothing, distributions, permutations.
 * All draws are fixed by their seeds. Statistical bounds are five standard deviations of the statistic. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/close.h"

enum { kDraws = 100000 };

static random_place at(uint64_t seed, random_purpose purpose, uint32_t chip, uint32_t step) {
  return (random_place){.seed = seed, .purpose = purpose, .chip = chip, .step = step};
}

/* Known answers of Philox4x32-10: Random123 1.14, tests/kat_vectors. */
static const struct {
  uint32_t counter[4], key[2], block[4];
} kKnown[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

/* The first 53 bits of two words as a fraction. */
static double fraction(uint32_t high, uint32_t low) { return high * 0x1p-32 + (low >> 11) * 0x1p-53; }

/* A uniform number lies within its step of 2^-53: 2^-52 leaves room for its place in the step and one rounding. A
 * normal's radius grows by at most that over u. */
static void test_blocks__are_those_of_philox4x32_10(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof kKnown / sizeof *kKnown; i++) {
    const uint32_t *const c = kKnown[i].counter, *const b = kKnown[i].block;
    const random_place place =
        at((uint64_t)kKnown[i].key[1] << 32 | kKnown[i].key[0], (random_purpose)c[3], c[2], c[1]);
    const double u = fraction(b[0], b[1]), v = fraction(b[2], b[3]);
    const double uniform = random_uniform(place, c[0]);
    CLOSE(&uniform, &u, 1, .abs = 0x1p-52);

    double normals[2];
    random_normals(normals, place, c[0]);
    const double radius = sqrt(-2 * log(u)), angle = 2 * 3.141592653589793 * v;
    CLOSE(normals, ((double[]){radius * cos(angle), radius * sin(angle)}), 2, .rel = 1e-14);
  }
}

/* Philox is a bijection of counters: with seed 0 this one gives a block of zeros, the smallest uniform number and the
 * largest normal there are. */
static void test_uniform__is_above_zero_at_the_lowest_block(void **state) {
  (void)state;
  const random_place lowest = at(0, (random_purpose)0xd9f19ce4, 0xd942a9da, 0x58dd724a);
  const double uniform = random_uniform(lowest, 0x86d9ccce);
  assert_true(uniform > 0 && uniform < 0x1p-50);
  double normals[2];
  random_normals(normals, lowest, 0x86d9ccce);
  assert_true(isfinite(normals[0]) && isfinite(normals[1]) && normals[0] > 8);
}

/* The block of ones, the largest uniform number there is. */
static void test_uniform__is_below_one_at_the_highest_block(void **state) {
  (void)state;
  const random_place highest = at(0, (random_purpose)0x97e2d350, 0xba2ca899, 0x4f07c005);
  const double uniform = random_uniform(highest, 0x2c4aee5d);
  assert_true(uniform < 1 && uniform > 1 - 0x1p-50);
}

/* The mean of n independent x[i] against their expectation and variance. */
static void check_mean(const char *what, const double *x, size_t n, double expectation, double variance) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  const double bound = 5 * sqrt(variance / (double)n), error = sum / (double)n - expectation;
  if (!(fabs(error) <= bound)) fail_msg("%s: mean is off by %g, allowed are %g", what, error, bound);
}

static double draws[kDraws], others[kDraws], statistic[kDraws];

static void test_uniform__is_uniform(void **state) {
  (void)state;
  enum { kBins = 64 };
  double chi2 = 0, bins[kBins] = {0};
  for (uint32_t i = 0; i < kDraws; i++) {
    draws[i] = random_uniform(at(11, RANDOM_PHASES, 2, 3), i);
    assert_true(draws[i] > 0 && draws[i] < 1);
    statistic[i] = (draws[i] - 0.5) * (draws[i] - 0.5);
    bins[(size_t)(draws[i] * kBins)]++;
  }
  check_mean("uniform", draws, kDraws, 0.5, 1. / 12);
  check_mean("variance of uniform", statistic, kDraws, 1. / 12, 1. / 80 - 1. / 144);
  for (size_t b = 0; b < kBins; b++) chi2 += pow(bins[b] - (double)kDraws / kBins, 2) / ((double)kDraws / kBins);
  assert_true(chi2 < (kBins - 1) + 5 * sqrt(2. * (kBins - 1)));
}

/* Each part of a place alone must change the whole sequence: no equal numbers, no correlation. */
static void test_uniform__places_share_nothing(void **state) {
  (void)state;
  const random_place here = at(5, RANDOM_UNITARY, 0, 0);
  const random_place elsewhere[] = {
      at(6, RANDOM_UNITARY, 0, 0), at(5 + (UINT64_C(1) << 32), RANDOM_UNITARY, 0, 0),
      at(5, RANDOM_PHASES, 0, 0),  at(5, RANDOM_UNITARY, 1, 0),
      at(5, RANDOM_UNITARY, 0, 1),
  };
  for (uint32_t i = 0; i < kDraws; i++) draws[i] = random_uniform(here, i);
  for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++) {
    for (uint32_t i = 0; i < kDraws; i++) {
      const double other = random_uniform(elsewhere[k], i);
      assert_true(other != draws[i]);
      statistic[i] = (draws[i] - 0.5) * (other - 0.5);
    }
    check_mean("product of two places", statistic, kDraws, 0, 1. / 144);
  }
  for (uint32_t i = 0; i + 1 < kDraws; i++) statistic[i] = (draws[i] - 0.5) * (draws[i + 1] - 0.5);
  check_mean("product of neighbours", statistic, kDraws - 1, 0, 1. / 144);
}

static void test_random__depends_on_the_place_alone(void **state) {
  (void)state;
  const random_place place = at(77, RANDOM_PHASES, 1, 9);
  for (uint32_t i = 0; i < 100; i++) draws[i] = random_uniform(place, i);
  for (uint32_t i = 100; i-- > 0;) assert_true(random_uniform(place, i) == draws[i]);
}

/* Moments 1 to 4 of a unit normal are 0, 1, 0, 3; x^k has the variance 1, 2, 15, 96. */
static void test_normals__have_the_moments_of_normals(void **state) {
  (void)state;
  static const double moments[] = {0, 1, 0, 3}, variances[] = {1, 2, 15, 96};
  for (uint32_t i = 0; i < kDraws; i++) {
    double pair[2];
    random_normals(pair, at(3, RANDOM_UNITARY, 1, 0), i);
    draws[i] = pair[0];
    others[i] = pair[1];
    statistic[i] = pair[0] * pair[1];
  }
  check_mean("product of a pair", statistic, kDraws, 0, 1);
  for (int k = 0; k < 4; k++) {
    for (uint32_t i = 0; i < kDraws; i++) statistic[i] = pow(draws[i], k + 1);
    check_mean("moment of the first", statistic, kDraws, moments[k], variances[k]);
    for (uint32_t i = 0; i < kDraws; i++) statistic[i] = pow(others[i], k + 1);
    check_mean("moment of the second", statistic, kDraws, moments[k], variances[k]);
  }
}

/* Every number below n once. */
static void check_permutation(uint32_t n, uint64_t seed, uint32_t epoch) {
  bool *const seen = calloc(n, sizeof *seen);
  assert_non_null(seen);
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t image = random_permute(i, n, seed, epoch);
    if (image >= n || seen[image]) fail_msg("n %u: %u goes to %u, out of range or taken", n, i, image);
    seen[image] = true;
  }
  free(seen);
}

static void test_permute__is_a_permutation(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 64, 65, 1000, 60000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    check_permutation(sizes[k], 0, 0);
    check_permutation(sizes[k], UINT64_MAX, 1);
    check_permutation(sizes[k], 12345, UINT32_MAX);
  }
}

/* Numbers on which two permutations agree: one on average, Poisson distributed; more than 12 has the probability 1e-10.
 */
static unsigned agreements(uint32_t n, uint64_t seed, uint32_t epoch, uint64_t other_seed, uint32_t other_epoch) {
  unsigned count = 0;
  for (uint32_t i = 0; i < n; i++) {
    count += random_permute(i, n, seed, epoch) == random_permute(i, n, other_seed, other_epoch);
  }
  return count;
}

static void test_permute__differs_between_epochs_and_seeds(void **state) {
  (void)state;
  static const uint32_t sizes[] = {64, 1000, 60000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    assert_int_equal(agreements(sizes[k], 1, 0, 1, 0), sizes[k]);
    assert_true(agreements(sizes[k], 1, 0, 1, 1) <= 12);
    assert_true(agreements(sizes[k], 1, 0, 2, 0) <= 12);
    assert_true(agreements(sizes[k], 1, 0, 1 + (UINT64_C(1) << 32), 0) <= 12);
    unsigned fixed = 0;
    for (uint32_t i = 0; i < sizes[k]; i++) fixed += random_permute(i, sizes[k], 1, 0) == i;
    assert_true(fixed <= 12);
  }
}

/* Over the epochs each of the six orders of three turns up equally often: chi squared with 5 degrees of freedom exceeds
 * 35 with the probability 1e-6. */
static void test_permute__gives_every_order_of_three(void **state) {
  (void)state;
  enum { kEpochs = 6000 };
  double counts[9] = {0}, chi2 = 0;
  for (uint32_t epoch = 0; epoch < kEpochs; epoch++) {
    counts[3 * random_permute(0, 3, 42, epoch) + random_permute(1, 3, 42, epoch)]++;
  }
  for (size_t k = 0; k < 9; k++) {
    if (k % 4 == 0) {
      assert_true(counts[k] == 0); /* both on one place */
    } else {
      chi2 += pow(counts[k] - kEpochs / 6., 2) / (kEpochs / 6.);
    }
  }
  assert_true(chi2 < 35);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks__are_those_of_philox4x32_10),
      cmocka_unit_test(test_uniform__is_above_zero_at_the_lowest_block),
      cmocka_unit_test(test_uniform__is_below_one_at_the_highest_block),
      cmocka_unit_test(test_uniform__is_uniform),
      cmocka_unit_test(test_uniform__places_share_nothing),
      cmocka_unit_test(test_random__depends_on_the_place_alone),
      cmocka_unit_test(test_normals__have_the_moments_of_normals),
      cmocka_unit_test(test_permute__is_a_permutation),
      cmocka_unit_test(test_permute__differs_between_epochs_and_seeds),
      cmocka_unit_test(test_permute__gives_every_order_of_three),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
