/* Models of a state in and out, whole or layer by layer: entries of the table. */
#ifndef CPU_MODELS_H
#define CPU_MODELS_H

#include "backends/backend.h"

cuonn_status cpu_set_model(void *state, size_t model, const backend_model *from);
cuonn_status cpu_get_model(const backend_model *to, void *state, size_t model);
cuonn_status cpu_set_phases(void *state, size_t model, size_t layer, const double *theta, const double *phi,
                            const double *gamma);
backend_layer cpu_layer_of(void *state, size_t model, size_t layer);

#endif
