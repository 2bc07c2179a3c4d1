/* A mesh on a chip in float: reading fields, and gradients that the chip measures on itself. */
#ifndef CPU_IN_SITU_H
#define CPU_IN_SITU_H

#include "chip/noise.h"
#include "cpu/layer.h"
#include "cpu/processes.h"
#include "cuonn/compute.h"

/* A batch in tiles, [tile][n_modes][2][lanes]; lanes behind the last example are zero. */
typedef struct {
  size_t count, n_modes, lanes, n_tiles;
} cpu_tiling;

cpu_tiling cpu_tiling_of(size_t count, size_t n_modes);
/* Into how many chunks they are summed, and the tiles of one. */
static inline size_t cpu_tile_chunks(const cpu_tiling *t) {
  return t->n_tiles < kMostChunks ? t->n_tiles : kMostChunks;
}
static inline size_t cpu_chunk_tile(const cpu_tiling *t, size_t chunk) {
  return chunk * t->n_tiles / cpu_tile_chunks(t);
}
static inline size_t cpu_tile_size(const cpu_tiling *t) { return t->n_modes * 2 * t->lanes; }

/* A mesh node by node, and stage by stage for cpu_measure(), which is for the styles top and bottom. */
typedef struct {
  size_t n_modes, n_nodes;
  general_node *whole; /* [node] of which only m is there */
  tap_node *nodes;     /* [node] */
  float *gamma;        /* [n_modes][2] exp(i gamma) */
} cpu_tap_mesh;

cuonn_status cpu_tap_mesh_create(cpu_tap_mesh *out, const cuonn_mesh_shape *shape);
/* Phases and style of `from`; layer: of a mesh with its shape and errors. */
void cpu_tap_mesh_set(cpu_tap_mesh *mesh, const cuonn_mesh *from, const cpu_layer *layer, const cpu_kernels *kernels);
void cpu_tap_mesh_free(cpu_tap_mesh *mesh);

/* One tile to the outputs, in place, as it is read there. examples: first .. of the batch. */
void cpu_tap_read_outputs(float *x, const cpu_tap_mesh *mesh, const cpu_tiling *t, size_t tile,
                          const chip_reading *reading, const cpu_kernels *kernels);

/* Rows 0 .. n_rows - 1 of the mesh's matrix as it is read by unit vectors, [n_modes inputs][2][lanes]: lane i is row
 * first + i, zero where there is none. */
void cpu_tap_read_rows(float *rows, const cpu_tap_mesh *mesh, size_t n_rows, size_t first, size_t lanes,
                       const chip_reading *reading, const cpu_kernels *kernels);

/* What is measured of one mesh: the gradient of a batch in tiles. */
typedef struct {
  cuonn_mesh_gradient *gradient;
  const cpu_tap_mesh *mesh;
  chip_reading reading;
  const float *x;
  float *g; /* ends as the returned field, in its units */
} cpu_measurement;

/* Room for measurements. */
typedef struct {
  tap_sums *sums;    /* [measurement][chunk][node, output] */
  double *powers[2]; /* [measurement][chunk][what limits the scale], of x and of g */
  float *tiles;      /* [thread][2] */
} cpu_measure_space;

/* For up to n meshes at a time, with tiles like t's or of fewer examples. */
cuonn_status cpu_measure_space_create(cpu_measure_space *out, size_t n, const cpu_tiling *t,
                                      const cuonn_mesh_shape *shape, int threads);
void cpu_measure_space_free(cpu_measure_space *space);

/* As reference_measure(), of n meshes. Each process has x and g of the tiles of its chunks, and gets the gradient of
 * the whole batch. To be called by all threads of a parallel region, which meet in it and at its end. */
void cpu_measure(const cpu_measurement *of, size_t n, const cpu_tiling *t, cuonn_gradient_method method,
                 const cpu_measure_space *space, const cpu_kernels *kernels, cpu_team *team, cpu_processes *processes);

#endif
