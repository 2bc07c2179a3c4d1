/* Random numbers for tests: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), nothing of the library. */
#ifndef CUONN_TESTS_CHANCE_H
#define CUONN_TESTS_CHANCE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t state;
} chance;

static inline uint64_t chance_bits(chance *c) {
  uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* Uniform in (low, high). */
static inline double chance_uniform(chance *c, double low, double high) {
  return low + (high - low) * (((double)(chance_bits(c) >> 11) + 0.5) * 0x1p-53);
}

/* One of 0..n-1. */
static inline size_t chance_index(chance *c, size_t n) { return (size_t)(chance_bits(c) % n); }

static inline double chance_normal(chance *c) {
  const double radius = sqrt(-2 * log(chance_uniform(c, 0, 1)));
  return radius * cos(chance_uniform(c, 0, 2 * M_PI));
}

static inline void chance_normals(double *out, size_t n, chance *c) {
  for (size_t i = 0; i < n; i++) out[i] = chance_normal(c);
}

#endif
