#include "programming/descent.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { kPairs = 10, kTrials = 30 };

/* Where the descent is, and the last steps with the changes of the gradient that they made, in a ring. */
typedef struct {
  size_t n, kept, newest;
  double curvature, value;
  double *gradient, *direction, *tried, *tried_gradient; /* [n] */
  double *steps, *changes;                               /* [kPairs][n] */
} descent;

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void add(double *to, double factor, const double *of, size_t n) {
  for (size_t i = 0; i < n; i++) to[i] += factor * of[i];
}

/* direction = -H gradient, by two loops over the kept pairs. */
static void aim(descent *d) {
  double share[kPairs];
  for (size_t i = 0; i < d->n; i++) d->direction[i] = -d->gradient[i];
  for (size_t i = 0; i < d->kept; i++) {
    const size_t at = (d->newest + kPairs - i) % kPairs;
    const double *const s = d->steps + at * d->n, *const y = d->changes + at * d->n;
    share[at] = dot(s, d->direction, d->n) / dot(s, y, d->n);
    add(d->direction, -share[at], y, d->n);
  }
  double scale = 1 / d->curvature;
  if (d->kept > 0) {
    const double *const s = d->steps + d->newest * d->n, *const y = d->changes + d->newest * d->n;
    scale = dot(s, y, d->n) / dot(y, y, d->n);
  }
  for (size_t i = 0; i < d->n; i++) d->direction[i] *= scale;
  for (size_t i = d->kept; i-- > 0;) {
    const size_t at = (d->newest + kPairs - i) % kPairs;
    const double *const s = d->steps + at * d->n, *const y = d->changes + at * d->n;
    add(d->direction, share[at] - dot(y, d->direction, d->n) / dot(s, y, d->n), s, d->n);
  }
}

/* Keeps the step from x and its change of the gradient, in place of the oldest, if they leave H positive. */
static void keep(descent *d, const double *x) {
  const size_t next = (d->newest + 1) % kPairs;
  double *const s = d->steps + next * d->n, *const y = d->changes + next * d->n;
  for (size_t i = 0; i < d->n; i++) {
    s[i] = d->tried[i] - x[i];
    y[i] = d->tried_gradient[i] - d->gradient[i];
  }
  if (dot(s, y, d->n) > 1e-10 * sqrt(dot(s, s, d->n) * dot(y, y, d->n))) {
    d->newest = next;
    if (d->kept < kPairs) d->kept++;
  } else if (d->kept == kPairs) {
    d->kept--; /* the oldest was there */
  }
}

/* A step along the direction by which the value falls by 1e-4 of what the slope promises, and after which the slope is
 * less than 0.9 of what it was: by bisection (Burke, Lewis, Overton, SIAM J. Optim. 15, 751 (2005), section 4). */
static cuonn_status step(descent *d, double *x, bool *moved, const descent_function *function) {
  const double slope = dot(d->gradient, d->direction, d->n);
  double length = 1, low = 0, high = INFINITY, value = INFINITY;
  *moved = false;
  if (!(slope < 0)) return CUONN_OK;
  for (size_t trial = 0; trial < kTrials; trial++) {
    memcpy(d->tried, x, d->n * sizeof *x);
    add(d->tried, length, d->direction, d->n);
    CUONN_TRY(function->evaluate(&value, d->tried_gradient, d->tried, function->of));
    *moved = value <= d->value + 1e-4 * length * slope;
    if (*moved && dot(d->tried_gradient, d->direction, d->n) >= 0.9 * slope) break;
    if (*moved)
      low = length;
    else
      high = length;
    length = isinf(high) ? 2 * low : (low + high) / 2;
  }
  if (!*moved) return CUONN_OK;
  keep(d, x);
  memcpy(x, d->tried, d->n * sizeof *x);
  memcpy(d->gradient, d->tried_gradient, d->n * sizeof *x);
  d->value = value;
  return CUONN_OK;
}

cuonn_status programming_descend(double *x, size_t *taken, const descent_function *function, size_t most) {
  descent d = {.n = function->n, .curvature = function->curvature, .newest = kPairs - 1};
  double *memory = NULL;
  cuonn_status status = CUONN_OK;
  *taken = 0;
  CUONN_TRY_DONE(cuonn_allocate(&memory, (4 + 2 * kPairs) * d.n, sizeof *memory));
  d.gradient = memory;
  d.direction = memory + d.n;
  d.tried = memory + 2 * d.n;
  d.tried_gradient = memory + 3 * d.n;
  d.steps = memory + 4 * d.n;
  d.changes = d.steps + kPairs * d.n;
  CUONN_TRY_DONE(function->evaluate(&d.value, d.gradient, x, function->of));
  while (*taken < most && d.value > function->floor) {
    const double before = d.value;
    bool moved;
    aim(&d);
    CUONN_TRY_DONE(step(&d, x, &moved, function));
    if (!moved) break;
    (*taken)++;
    if (before - d.value <= 1e-9 * before) break;
  }
done:
  free(memory);
  return status;
}
