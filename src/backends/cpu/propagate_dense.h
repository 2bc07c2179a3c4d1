/* Many fields through one mesh: by its matrix. */
#ifndef CPU_PROPAGATE_DENSE_H
#define CPU_PROPAGATE_DENSE_H

#include "cpu/walk.h"
#include "cuonn/buffer.h"

/* Whether the matrix is worth its making: as many walks through the mesh as it has waveguides. */
static inline bool cpu_propagate_dense_pays(size_t n_modes, size_t n_examples) {
  return n_examples >= 64 && n_examples >= 2 * n_modes;
}

/* Fields [example][n] of `in` to `out`, as walk_through() would send each. */
cuonn_status cpu_propagate_dense(const cuonn_buffer *out, const walk_mesh *mesh, const cuonn_buffer *in, bool backward,
                                 int threads);

#endif
