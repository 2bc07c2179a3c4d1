/* Complex numbers of CUDA's libraries. */
#ifndef SIMT_CUCOMPLEX_H
#define SIMT_CUCOMPLEX_H
#include <cuda_runtime.h>
typedef float2 cuFloatComplex;
typedef cuFloatComplex cuComplex;
static inline cuComplex make_cuComplex(float re, float im) {
  const cuComplex z = {re, im};
  return z;
}
#endif
