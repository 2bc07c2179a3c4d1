/* Least value of a smooth function from a start on: L-BFGS. */
#ifndef CUONN_PROGRAMMING_DESCENT_H
#define CUONN_PROGRAMMING_DESCENT_H

#include <stddef.h>

#include "cuonn/status.h"

/* Value, and gradient [n], of the function at x [n]. */
typedef struct {
  cuonn_status (*evaluate)(double *value, double *gradient, const double *x, void *of);
  void *of;
  size_t n;
  double curvature; /* of the order of the second derivatives, for the first step */
  double floor;     /* values up to this are rounding */
} descent_function;

/* Nocedal, Math. Comp. 35, 773 (1980). It ends after `most` steps, at the floor, where a step gains less than 1e-9 of
 * the value, or where rounding leaves none that gains.
 *  x      [n] start, then the least that was found
 *  taken  steps */
cuonn_status programming_descend(double *x, size_t *taken, const descent_function *function, size_t most);

#endif
