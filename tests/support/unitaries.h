/* Unitaries to decompose and to program: of no structure, and all those whose zeros, signs and equal moduli make a
 * program stumble. Up to 65 waveguides. */
#ifndef CUONN_TESTS_UNITARIES_H
#define CUONN_TESTS_UNITARIES_H

#include <complex.h>
#include <math.h>
#include <string.h>

#include "cuonn/mesh.h"
#include "support/chance.h"
#include "support/close.h"

static inline void unitary_permutation(double complex *u, size_t n, const size_t *of) {
  memset(u, 0, n * n * sizeof *u);
  for (size_t i = 0; i < n; i++) u[i * n + of[i]] = 1;
}

static inline void unitary_identity(double complex *u, size_t n, chance *c) {
  (void)c;
  for (size_t i = 0; i < n * n; i++) u[i] = i % (n + 1) == 0;
}

static inline void unitary_reversal(double complex *u, size_t n, chance *c) {
  (void)c;
  size_t of[65];
  for (size_t i = 0; i < n; i++) of[i] = n - 1 - i;
  unitary_permutation(u, n, of);
}

static inline void unitary_random_permutation(double complex *u, size_t n, chance *c) {
  size_t of[65];
  for (size_t i = 0; i < n; i++) {
    const size_t j = chance_index(c, i + 1);
    of[i] = of[j];
    of[j] = i;
  }
  unitary_permutation(u, n, of);
}

static inline void unitary_diagonal(double complex *u, size_t n, chance *c) {
  unitary_identity(u, n, c);
  for (size_t i = 0; i < n; i++) u[i * n + i] = cexp(I * chance_uniform(c, -4, 4));
}

/* Rows that are orthonormal to rounding: Gram and Schmidt, twice. */
static inline void unitary_gram_schmidt(double complex *u, size_t n) {
  for (size_t i = 0; i < n; i++) {
    for (int again = 0; again < 2; again++) {
      for (size_t j = 0; j <= i; j++) {
        double complex along = 0;
        for (size_t k = 0; k < n; k++) along += conj(u[j * n + k]) * u[i * n + k];
        for (size_t k = 0; k < n; k++)
          u[i * n + k] = j < i ? u[i * n + k] - along * u[j * n + k] : u[i * n + k] / csqrt(along);
      }
    }
  }
}

static inline void unitary_random(double complex *u, size_t n, chance *c) {
  for (size_t i = 0; i < n * n; i++) u[i] = chance_normal(c) + I * chance_normal(c);
  unitary_gram_schmidt(u, n);
}

/* Random blocks of one to four waveguides. */
static inline void unitary_block_diagonal(double complex *u, size_t n, chance *c) {
  double complex block[16];
  memset(u, 0, n * n * sizeof *u);
  for (size_t at = 0, size; at < n; at += size) {
    size = 1 + chance_index(c, 4);
    if (size > n - at) size = n - at;
    unitary_random(block, size, c);
    for (size_t i = 0; i < size; i++) memcpy(u + (at + i) * n + at, block + i * size, size * sizeof *u);
  }
}

static inline void unitary_fourier(double complex *u, size_t n, chance *c) {
  (void)c;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++)
      u[i * n + j] = cexp(2 * M_PI * I * (double)(i * j % n) / (double)n) / sqrt((double)n);
  }
}

/* Signs alone, (-1)^(common bits of i and j), for the largest power of two that fits; the rest passes straight.
 * unitary_hadamard(4)/2 is the case that came out with phases of exactly 2 pi. */
static inline void unitary_hadamard(double complex *u, size_t n, chance *c) {
  size_t size = 1;
  while (2 * size <= n) size *= 2;
  unitary_identity(u, n, c);
  for (size_t i = 0; i < size; i++) {
    for (size_t j = 0; j < size; j++) {
      u[i * n + j] = (__builtin_popcountll(i & j) % 2 ? -1 : 1) / sqrt((double)size);
    }
  }
}

/* A unitary whose phases are whole multiples of a quarter turn, so that angles cancel to nearly nothing. */
static inline void unitary_quarter_turns(double complex *u, size_t n, chance *c) {
  const double complex units[] = {1, I, -1, -I};
  unitary_hadamard(u, n, c);
  for (size_t i = 0; i < n; i++) {
    const double complex row = units[chance_index(c, 4)], column = units[chance_index(c, 4)];
    for (size_t k = 0; k < n; k++) u[i * n + k] *= row;
    for (size_t k = 0; k < n; k++) u[k * n + i] *= column;
  }
}

static inline void unitary_haar(double complex *u, size_t n, chance *c) {
  OK(cuonn_haar_unitary((double *)u, n, chance_bits(c), 0));
}

/* A permutation whose zeros are not quite zero: 1e-300, the smallest normal and the smallest denormal number. */
static inline void unitary_almost_zeros(double complex *u, size_t n, chance *c) {
  const double tiny[] = {0, 1e-300, -2.2250738585072014e-308, 4.9406564584124654e-324};
  unitary_random_permutation(u, n, c);
  for (size_t i = 0; i < n * n; i++) u[i] += tiny[chance_index(c, 4)] + I * tiny[chance_index(c, 4)];
}

/* Zeros beside numbers so small that their squares vanish. */
static inline void unitary_almost_diagonal(double complex *u, size_t n, chance *c) {
  unitary_diagonal(u, n, c);
  for (size_t i = 0; i < n * n; i++) {
    if (i % (n + 1) && chance_index(c, 2)) u[i] = 1e-170 * (chance_normal(c) + I * chance_normal(c));
  }
}

static const struct {
  const char *name;
  void (*make)(double complex *u, size_t n, chance *c);
} unitary_kinds[] = {{"identity", unitary_identity},
                     {"reversal", unitary_reversal},
                     {"permutation", unitary_random_permutation},
                     {"permutation", unitary_random_permutation},
                     {"diagonal", unitary_diagonal},
                     {"block diagonal", unitary_block_diagonal},
                     {"block diagonal", unitary_block_diagonal},
                     {"Fourier", unitary_fourier},
                     {"Hadamard", unitary_hadamard},
                     {"quarter turns", unitary_quarter_turns},
                     {"Haar", unitary_haar},
                     {"random", unitary_random},
                     {"almost zeros", unitary_almost_zeros},
                     {"almost diagonal", unitary_almost_diagonal}};
enum { kUnitaryKinds = sizeof unitary_kinds / sizeof *unitary_kinds };

#endif
