#include <math.h>

#include "cpu/state.h"

void cpu_optimizer_update(double *phase, double *first, double *second, const double *gradient, size_t n,
                          const cuonn_optimizer_options *options, double rate_factor, uint64_t adam_index,
                          const cpu_kernels *kernels) {
  const double rate = options->learning_rate * rate_factor;
  if (options->kind == CUONN_OPTIMIZER_SGD) {
    for (size_t i = 0; i < n; i++) {
      first[i] = options->momentum * first[i] + gradient[i];
      phase[i] -= rate * first[i];
    }
    return;
  }
  const double i = (double)adam_index + 1, beta[2] = {options->beta1, options->beta2};
  kernels->adam(phase, first, second, gradient, n, beta, options->epsilon, rate, 1 / (1 - pow(beta[0], i)),
                1 / (1 - pow(beta[1], i)));
}
