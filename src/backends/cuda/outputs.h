/* Phases at the outputs of meshes where they are seen, and amplitudes: what networks have whose fields are not only
 * read as moduli. */
#ifndef CUDA_OUTPUTS_H
#define CUDA_OUTPUTS_H

#include "cuda/state.h"

/* Room for them, where a network has any. */
cuonn_status cuda_outputs_create(cuda_state *s);

/* Amplitudes of a model and their moments; NULL, they are 0. */
cuonn_status cuda_outputs_set(const cuda_state *s, size_t model, const cuonn_network *network, const double *moments);
/* The same to the host. Waits for it. */
cuonn_status cuda_outputs_get(cuonn_network *network, double *moments, const cuda_state *s, size_t model);

/* Factors of models from `first` on; of s->meshes or s->ideal. */
output_factors cuda_outputs_factors(const cuda_state *s, const cuda_meshes *meshes, size_t first, size_t n_models);

/* One step of the amplitudes of all models along what a gradient left. */
cuonn_status cuda_outputs_step(const cuda_state *s, const optimizer_step *steps);

#endif
