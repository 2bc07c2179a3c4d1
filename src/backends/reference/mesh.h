/* One mesh, one example at a time, in double: the formulas of docs/physics.md in their order. */
#ifndef CUONN_REFERENCE_MESH_H
#define CUONN_REFERENCE_MESH_H

#include <complex.h>

#include "backends/backend.h"
#include "cuonn/buffer.h"
#include "mesh/shape.h"

typedef double complex complex_t;

/* A node as factors: fields go through the third coupler, outer (phi stage), left coupler, inner (theta stage), right
 * coupler and the crossing behind it. */
typedef struct {
  complex_t outer[2], inner[2]; /* of the top and the bottom arm */
  complex_t left[2], right[2];  /* a coupler is [[a, b], [b, a]]; the right one with its crossing is so, too */
  complex_t third[2];
} reference_node;

typedef struct {
  const cuonn_mesh_shape *shape; /* not owned */
  cuonn_phase_style style;
  reference_node *nodes; /* [node] */
  complex_t *singles;    /* [waveguide] exp(i gamma), of the last column */
} reference_mesh;

cuonn_status reference_mesh_create(reference_mesh *out, const cuonn_mesh_shape *shape);
void reference_mesh_set(reference_mesh *mesh, const cuonn_mesh *from);
void reference_mesh_free(reference_mesh *mesh);

/* v [N]: out = U v, in place. taps: NULL, or arrays for n_examples examples, of which `example` is written. */
void reference_forward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                       size_t n_examples);
/* v [N]: out = U^T v, in place; taps at the same places as going forward. */
void reference_backward(complex_t *v, const reference_mesh *mesh, const cuonn_taps *taps, size_t example,
                        size_t n_examples);

/* Adds d loss / d(theta, phi) of one example, from the fields (x) and backward fields (g) of before_phi,
 * before_theta. */
void reference_add_gradient(cuonn_mesh_gradient *gradient, const reference_mesh *mesh, const cuonn_taps *x,
                            const cuonn_taps *g);

/* Taps of one example with the two stages that a gradient needs. Release with reference_taps_free(). */
cuonn_status reference_taps_create(cuonn_taps *out, const cuonn_mesh_shape *shape);
void reference_taps_free(cuonn_taps *taps);

cuonn_status reference_propagate(const cuonn_buffer *out, const cuonn_taps *taps, const cuonn_mesh *mesh,
                                 const cuonn_buffer *in, bool backward, backend_place place);
cuonn_status reference_vjp(cuonn_mesh_gradient *gradient, const cuonn_buffer *backward, const cuonn_mesh *mesh,
                           const cuonn_buffer *input, const cuonn_buffer *cotangent, backend_place place);

#endif
