#include "cpu/read_out.h"

#include <math.h>

/* Lanes without an example have a label that is no class. */
static void find_labels(uint32_t *label, const cpu_read_out *r) {
  for (size_t i = 0; i < r->count; i++) label[i] = r->labels[r->index[i]];
  for (size_t i = r->count; i < r->lanes; i++) label[i] = UINT32_MAX;
}

double cpu_read_out_loss(const cpu_read_out *r, uint32_t *predictions, const cpu_kernels *kernels) {
  _Alignas(64) uint32_t label[kMostLanes], best[kMostLanes];
  _Alignas(64) float sum[kMostLanes], less[kMostLanes];
  double loss = 0;
  find_labels(label, r);
  const bool squared = r->loss == CUONN_LOSS_SQUARED_ERROR;
  if (squared) {
    kernels->squared_error(r->power, sum, best, r->y, r->factor, label, r->n_classes, r->lanes);
  } else {
    kernels->softmax(r->power, sum, less, best, r->y, r->factor, label, r->n_classes, r->lanes);
  }
  for (size_t i = 0; i < r->count; i++) {
    loss += squared ? (double)sum[i] : log((double)sum[i]) + (double)less[i];
    if (predictions) predictions[r->index[i]] = best[i];
  }
  return loss;
}

/* d loss/d|y|^2 = share (p - onehot), or of squared errors twice that of the powers; d|y|^2 = 2 Re(conj(y) dy). */
void cpu_read_out_backward(float *g, const cpu_read_out *r, double share, const cpu_kernels *kernels) {
  _Alignas(64) uint32_t label[kMostLanes];
  find_labels(label, r);
  const double twice = r->loss == CUONN_LOSS_SQUARED_ERROR ? 4 * share : 2 * share;
  kernels->softmax_backward(g, r->power, r->y, r->factor, label, (float)twice, r->n_classes, r->lanes);
}
