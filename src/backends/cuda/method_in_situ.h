/* Room for gradients that chips measure on themselves. */
#ifndef CUDA_METHOD_IN_SITU_H
#define CUDA_METHOD_IN_SITU_H

#include "cuda/state.h"

cuonn_status cuda_in_situ_create(cuda_state *s);

#endif
