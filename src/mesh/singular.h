/* Singular values of a matrix. */
#ifndef CUONN_MESH_SINGULAR_H
#define CUONN_MESH_SINGULAR_H

#include <complex.h>
#include <stddef.h>

#include "cuonn/status.h"

/* A = W S V^H, rows behind one another. */
typedef struct {
  double complex *left, *right; /* [n][n] W and V^H */
  double *values;               /* [n] falling */
} mesh_singular;

/* matrix: [n][n] of finite numbers, used up. Release with mesh_singular_free(), also on failure. */
cuonn_status mesh_singular_values(mesh_singular *out, double complex *matrix, size_t n);
void mesh_singular_free(mesh_singular *singular);

#endif
