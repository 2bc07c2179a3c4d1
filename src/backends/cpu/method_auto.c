#include "cpu/method_auto.h"

cuonn_method cpu_auto_method(const cuonn_network_shape *shape, size_t n_examples, bool gradient) {
  (void)gradient;
  const bool pays = shape->n_modes >= 16 && n_examples >= 64 && n_examples >= 2 * shape->n_modes;
  return pays ? CUONN_METHOD_DENSE : CUONN_METHOD_COLUMNS;
}
