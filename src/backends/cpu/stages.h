/* The stages of one node in float: a shifter stage is a factor for each arm, a coupler is [[c, i s], [i s, c]]. */
#ifndef CPU_STAGES_H
#define CPU_STAGES_H

#include "cuonn/mesh.h"

typedef struct {
  float outer[2][2], inner[2][2]; /* [top, bottom][real, imaginary] */
  float left[2], right[2];        /* c, s */
} cpu_stages;

cpu_stages cpu_stages_of(const cuonn_mesh *mesh, size_t node);

/* x: one waveguide of a tile, times a complex factor. */
static inline void cpu_turn(float *x, const float factor[2], size_t lanes) {
  for (size_t i = 0; i < lanes; i++) {
    const float re = x[i], im = x[lanes + i];
    x[i] = factor[0] * re - factor[1] * im;
    x[lanes + i] = factor[0] * im + factor[1] * re;
  }
}

#endif
