/* Single layers of models in a state: phases that come in, and meshes for single propagations. */
#ifndef CPU_LAYERS_H
#define CPU_LAYERS_H

#include "backends/backend.h"

cuonn_status cpu_set_phases(void *state, size_t model, size_t layer, const double *theta, const double *phi,
                            const double *gamma);
backend_layer cpu_layer_of(void *state, size_t model, size_t layer);

#endif
