/* Through a mesh stage by stage, as taps want it: every stage of a column for a whole tile, then the next stage. */
#ifndef CPU_WALK_H
#define CPU_WALK_H

#include <complex.h>
#include <stdbool.h>

#include "cuonn/mesh.h"
#include "cuonn/status.h"
#include "mesh/node.h"
#include "mesh/shape.h"

/* Stages of one node in float: a shifter stage is a factor for each arm, a coupler is [[c, i s], [i s, c]]. A crossing
 * stands behind the right coupler. */
typedef struct {
  float outer[2][2], inner[2][2]; /* [top, bottom][real, imaginary] */
  float left[2], right[2];        /* c, s */
  float first[2];                 /* of nodes that have one */
} walk_node;

typedef struct {
  const cuonn_mesh_shape *shape; /* not owned */
  size_t n_modes;
  walk_node *nodes;    /* [node] */
  float (*singles)[2]; /* [n_modes] exp(i gamma), of the last column */
} walk_mesh;

/* Release with walk_mesh_free(). */
cuonn_status walk_mesh_create(walk_mesh *out, const cuonn_mesh *mesh);
void walk_mesh_free(walk_mesh *mesh);

/* Where fields can be looked at, in the order in which light going forward passes. */
typedef enum {
  WALK_BEFORE_PHI,
  WALK_AFTER_PHI,
  WALK_BEFORE_THETA,
  WALK_AFTER_THETA,
  WALK_AFTER_COUPLER,
  WALK_STAGES
} walk_stage;

/* A tile on its way. */
typedef struct walk {
  const walk_mesh *mesh;
  float *x; /* [n_modes][2][lanes], in place */
  size_t lanes;
  void (*tap)(const struct walk *w, walk_stage stage, size_t column); /* looks at x at every stage; NULL: nobody does */
  void *user;                                                         /* tap's */
} walk;

/* backward: from the outputs to the inputs, through the transposed stages. */
void walk_through(const walk *w, bool backward);

/* x: one waveguide of a tile, times factor[real, imaginary]. */
void walk_turn(float *x, const float factor[2], size_t lanes);

static inline void walk_store(float to[2], double complex z) {
  to[0] = (float)creal(z);
  to[1] = (float)cimag(z);
}

#endif
