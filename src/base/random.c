#include "base/random.h"

#include <math.h>

#include <Random123/philox.h>

enum { kFeistelRounds = 8 };

static philox4x32_ctr_t bits(random_place place, uint32_t index) {
  const philox4x32_ctr_t counter = {{index, place.step, place.chip, (uint32_t)place.purpose}};
  const philox4x32_key_t key = {{(uint32_t)place.seed, (uint32_t)(place.seed >> 32)}};
  return philox4x32(counter, key);
}

/* 52 bits of two words, moved off zero by half a step, which a double still holds next to 1. */
static double uniform(uint32_t high, uint32_t low) {
  const uint64_t word = ((uint64_t)high << 32 | low) >> 12;
  return ((double)word + 0.5) * 0x1p-52;
}

double random_uniform(random_place place, uint32_t index) {
  const philox4x32_ctr_t r = bits(place, index);
  return uniform(r.v[0], r.v[1]);
}

void random_normals(double out[2], random_place place, uint32_t index) {
  const philox4x32_ctr_t r = bits(place, index);
  const double radius = sqrt(-2 * log(uniform(r.v[0], r.v[1])));
  const double angle = 6.283185307179586 * uniform(r.v[2], r.v[3]);
  out[0] = radius * cos(angle);
  out[1] = radius * sin(angle);
}

uint32_t random_permute(uint32_t i, uint32_t n, uint64_t seed, uint32_t epoch) {
  unsigned half_bits = 1;
  while (half_bits < 16 && (UINT64_C(1) << 2 * half_bits) < n) half_bits++;
  const uint32_t mask = (UINT32_C(1) << half_bits) - 1;
  do {
    uint32_t left = i >> half_bits, right = i & mask;
    for (unsigned round = 0; round < kFeistelRounds; round++) {
      const random_place place = {seed, RANDOM_ORDER, round, epoch};
      const uint32_t next = left ^ (bits(place, right).v[0] & mask);
      left = right;
      right = next;
    }
    i = left << half_bits | right;
  } while (i >= n);
  return i;
}
