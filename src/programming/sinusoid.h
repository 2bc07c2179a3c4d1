/* Powers are sinusoids of every phase, with any errors and losses: readings at thirds of a turn are all of one. */
#ifndef CUONN_PROGRAMMING_SINUSOID_H
#define CUONN_PROGRAMMING_SINUSOID_H

#include <math.h>
#include <stddef.h>

enum { kSettings = 3 }; /* of a phase, a third of a turn apart */

static inline double setting(size_t i) { return 2 * M_PI * (double)i / kSettings; }

/* The sinusoid c[0] + c[1] cos p + c[2] sin p through its values at the settings. */
static inline void sinusoid(double c[3], const double values[kSettings]) {
  c[0] = c[1] = c[2] = 0;
  for (size_t i = 0; i < kSettings; i++) {
    c[0] += values[i] / kSettings;
    c[1] += values[i] * cos(setting(i)) * 2 / kSettings;
    c[2] += values[i] * sin(setting(i)) * 2 / kSettings;
  }
}

/* Where it is least; `otherwise` if it is the same everywhere, to rounding of powers up to 1. */
static inline double sinusoid_least(const double c[3], double otherwise) {
  return hypot(c[1], c[2]) < 1e-15 ? otherwise : atan2(-c[2], -c[1]);
}

static inline double sinusoid_at(const double c[3], double phase) {
  return c[0] + c[1] * cos(phase) + c[2] * sin(phase);
}

#endif
