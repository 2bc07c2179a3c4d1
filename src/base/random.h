/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) through Random123.
 * A number depends on its place alone, so that any order and any number of threads draws the same. */
#ifndef CUONN_BASE_RANDOM_H
#define CUONN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a number is drawn for; two purposes never share numbers. */
typedef enum {
  RANDOM_UNITARY = 1,
  RANDOM_PHASES = 2,
  RANDOM_ORDER = 3,
  RANDOM_COUPLER = 4, /* errors of a chip's couplers, losses of its shifters, errors of its phases */
  RANDOM_LOSS = 5,
  RANDOM_PHASE_ERROR = 6,
  RANDOM_FORWARD = 7, /* fields read at a chip's outputs, in training and in tests, and at its inputs */
  RANDOM_TEST = 8,
  RANDOM_BACKWARD = 9,
  RANDOM_TAP = 10,          /* powers read at its taps */
  RANDOM_PROGRAMMING = 11,  /* powers read while it is programmed */
  RANDOM_PERTURBATION = 12, /* signs of moved phases */
  RANDOM_DRIVE = 13         /* curves of its shifters */
} random_purpose;

/* Where a number stands: seed is Philox's key; the rest and the index its counter. */
typedef struct {
  uint64_t seed;
  random_purpose purpose;
  uint32_t chip; /* layer */
  uint32_t step; /* step or epoch */
} random_place;

/* Uniform in (0, 1), 52 bits. */
double random_uniform(random_place place, uint32_t index);

/* Two independent unit normals (Box and Muller, Ann. Math. Stat. 29, 610 (1958)). */
void random_normals(double out[2], random_place place, uint32_t index);

/* Image of i under a permutation of 0..n-1 that depends on (seed, epoch): a Feistel network of Philox rounds over the
 * next even power of two, walked until it falls below n (Black and Rogaway, CT-RSA 2002, cycle walking). */
uint32_t random_permute(uint32_t i, uint32_t n, uint64_t seed, uint32_t epoch);

#endif
