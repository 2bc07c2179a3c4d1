/* Sizes that follow from the number of modes of a case. */
#ifndef CUONN_BENCHMARK_WORK_H
#define CUONN_BENCHMARK_WORK_H

#include "cuonn/benchmark.h"

size_t benchmark_radius(size_t n_modes);  /* of the Fourier features nearest to n_modes */
size_t benchmark_side(size_t n_modes);    /* pixels a side of the images */
size_t benchmark_classes(size_t n_modes); /* outputs that are read */

#endif
