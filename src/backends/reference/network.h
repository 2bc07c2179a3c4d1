/* A network, one example at a time, in double: loss, prediction and gradient. */
#ifndef CUONN_REFERENCE_NETWORK_H
#define CUONN_REFERENCE_NETWORK_H

#include "cuonn/network.h"
#include "reference/mesh.h"

typedef struct {
  cuonn_network_shape shape;
  reference_mesh *layers;   /* [layer] */
  const double *amplitudes; /* [layer][N]; not owned; NULL with unitary layers */

  /* Of the present example. */
  cuonn_taps *x_taps; /* [layer] forward fields */
  cuonn_taps g_taps;  /* backward fields of one layer */
  complex_t *y;       /* [layer][N] fields behind each mesh, before amplitudes and nonlinearity */
  complex_t *out;     /* [N] what is read at the end */
  complex_t *field;   /* [N] */
  double *d_modulus;  /* [N] d loss / d|y| */
  double *outputs;    /* [class] log-softmax of the powers, or with squared error the powers */
} reference_network;

cuonn_status reference_network_create(reference_network *out, const cuonn_network_shape *shape);
/* amplitudes: [layer][N], which stay the caller's. */
void reference_network_set(reference_network *network, const cuonn_network *from, const double *amplitudes);
void reference_network_free(reference_network *network);

/* Sends one example x [N] through the network. Returns its loss, divided by the class count if the network says so;
 * *prediction: the largest output, the lower index if two are equal. */
double reference_network_forward(size_t *prediction, reference_network *network, const double *x, uint8_t label);

/* After reference_network_forward(): adds share x the gradient of the example's loss. */
void reference_network_backward(cuonn_mesh_gradient *gradients, reference_network *network, uint8_t label,
                                double share);

/* The two ends of the above, for one example. outputs [class] of the fields y [N] behind the last mesh; the loss is
 * returned. d_modulus [N]: share x d loss / d|y|. */
double reference_read_out(size_t *prediction, double *outputs, const complex_t *y, const cuonn_network_shape *shape,
                          uint8_t label);
void reference_read_out_backward(double *d_modulus, const double *outputs, const complex_t *y,
                                 const cuonn_network_shape *shape, uint8_t label, double share);
/* Cotangent g [n] of fields y from the derivatives by their moduli. */
void reference_modulus_backward(complex_t *g, const double *d_modulus, const complex_t *y, size_t n);

/* Fields y [N] behind mesh l to those in front of the next or of the detectors, which may be y. */
void reference_pass(complex_t *h, const complex_t *y, const reference_network *network, size_t l);
/* Cotangents g [N] of those become those of y; adds to the mesh's d_amplitude, where it has one. */
void reference_pass_back(cuonn_mesh_gradient *gradient, complex_t *g, const complex_t *y,
                         const reference_network *network, size_t l);

#endif
