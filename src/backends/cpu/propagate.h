/* One mesh: entries of the table. */
#ifndef CPU_PROPAGATE_H
#define CPU_PROPAGATE_H

#include "backends/backend.h"

cuonn_status cpu_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                           const cuonn_buffer *in, bool backward, backend_place place);
cuonn_status cpu_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                     const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place);

/* Examples first .. first + count - 1 into a tile; the other lanes are zero. */
void cpu_read_tile(float *x, const cuonn_buffer *from, size_t first, size_t count, size_t n_modes, size_t lanes);

#endif
