/* Which networks of a sweep can train side by side. */
#ifndef CUONN_TRAINING_PARTS_H
#define CUONN_TRAINING_PARTS_H

#include <stdbool.h>

#include "cuonn/sweep.h"

/* Whether two models can be steps of one call: all that a state and a step have in common. */
bool sweep_compatible(const cuonn_sweep_model *a, const cuonn_sweep_model *b);

#endif
