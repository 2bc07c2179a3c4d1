/* Fabricated chips of the models of a state on the device: drive curves, and crosstalk shifter by shifter. */
#ifndef CUDA_CURVES_H
#define CUDA_CURVES_H

#include "cuda/state.h"

/* Whether phases that a fabricated chip applies are not those that are programmed, and whether it mixes them. NULL is
 * fine. */
static inline bool cuda_has_curves(const cuonn_fabricated *chip) { return chip && chip->drive_slope; }
static inline bool cuda_has_rows(const cuonn_fabricated *chip) {
  return chip && chip->crosstalk && chip->crosstalk_first[chip->n_layers] > 0;
}

/* Puts s->chip.curves where some model has any, by s->chip.by_curves and by_rows. Models with one chip share its
 * numbers. Waits. */
cuonn_status cuda_curves_set(cuda_state *s);

#endif
