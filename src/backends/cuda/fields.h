/* Single layers of a state's models, with buffers of the caller's in host or device memory. */
#ifndef CUDA_FIELDS_H
#define CUDA_FIELDS_H

#include "cuda/state.h"

extern const backend_on_device cuda_on_device;
/* Makes a state ready for them: what they keep, phases at the outputs, and coefficients. */
cuonn_status cuda_fields_prepare(cuda_state *s);
void cuda_fields_free(cuda_fields *fields);

#endif
