/* One tile of examples through a network and back. */
#ifndef CPU_NETWORK_H
#define CPU_NETWORK_H

#include "cpu/dense.h"
#include "cpu/layer.h"
#include "cpu/read_out.h"
#include "cuonn/network.h"

/* A labelled set in float. */
typedef struct {
  size_t n_examples;
  float *values;   /* [example][2][n_modes] */
  uint8_t *labels; /* [example] */
} cpu_set;

/* What one thread works with. */
typedef struct {
  float *fields;     /* [layer][n_modes][2][lanes] of every layer, in place: its input, its output, and back */
  float *g;          /* [n_modes][2][lanes] cotangents */
  float *kept;       /* [layer][kept_stride] fields at segments */
  float *power;      /* [class][lanes] as a read-out has it */
  float *out, *room; /* [n_modes][2][lanes] each: what is read, where amplitudes are behind the last mesh; NULL unless
                        there are amplitudes */
  float *ones;       /* [n_modes]; the same */
  float (*unturned)[2]; /* [n_modes] 1 + 0 i; the same */
  uint32_t *index;      /* [lanes] examples of the tile */
  size_t kept_stride;
  dense_space dense; /* zeroed unless some model has matrices */
} cpu_space;

/* Examples of a tile: a multiple of 16; a function of the number of examples and N alone, largest for UINT32_MAX
 * examples. */
size_t cpu_tile_lanes(size_t n_examples, size_t n_modes);

/* kept_size: floats of the layer that keeps most; dense: for matrices, too. Release with cpu_space_free(); zeroed on
 * failure. */
cuonn_status cpu_space_create(cpu_space *out, const cuonn_network_shape *shape, size_t kept_size, bool dense);
void cpu_space_free(cpu_space *space);

/* x: [n_modes][2][lanes]; examples index[0 .. count - 1], the other lanes are zero. */
void cpu_tile_load(float *x, const cpu_set *set, const uint32_t *index, size_t count, size_t n_modes, size_t lanes);

/* Im(x g) of every waveguide of a tile, added to flow[n_modes]. */
void cpu_add_flow(double *flow, const float *x, const float *g, size_t n_modes, size_t lanes);

/* Sends the tile in fields[layer 0] through. layers: [n_layers]. */
void cpu_network_forward(cpu_space *space, const cpu_layer *layers, const cuonn_network_shape *shape, size_t lanes,
                         const cpu_kernels *kernels);
/* After it: sum of the losses of the tile's `count` examples, whose labels are set->labels[index]; predictions[index]
 * is written unless NULL. */
double cpu_network_loss(uint32_t *predictions, cpu_space *space, const cpu_layer *layers,
                        const cuonn_network_shape *shape, const cpu_set *set, size_t count, size_t lanes,
                        const cpu_kernels *kernels);
/* After that: adds the gradients' sums, [layer][layer_walked_nodes()], flows at the outputs and, behind those of all
 * layers, derivatives by amplitudes, [layer][n_modes] each, of share x that loss. flows: NULL if all of these are 0. */
void cpu_network_backward(node_sums *sums, double *flows, cpu_space *space, const cpu_layer *layers,
                          const cuonn_network_shape *shape, const cpu_set *set, double share, size_t count,
                          size_t lanes, const cpu_kernels *kernels);

#endif
