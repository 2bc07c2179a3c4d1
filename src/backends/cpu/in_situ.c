/* Of the powers that the chip reads only sums over the batch are wanted. With x going forward, a the field that is sent
 * in beside it, and |x -+ i a|^2 = |x|^2 + |a|^2 +- 2 Im(conj(x) a), one way through the mesh with both gives them
 * all. */
#include "cpu/in_situ.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/network.h"
#include "cpu/walk.h"
#include "mesh/node.h"

enum {
  kChunks = 16,  /* of a batch; summed in their order, whatever thread had them */
  kTogether = 64 /* taps that are read together */
};

cpu_tiling cpu_tiling_of(size_t count, size_t n_modes) {
  const size_t lanes = cpu_tile_lanes(count, n_modes);
  return (cpu_tiling){count, n_modes, lanes, (count + lanes - 1) / lanes};
}

/* --- The mesh --- */

cuonn_status cpu_tap_mesh_create(cpu_tap_mesh *out, const cuonn_mesh_shape *shape) {
  *out = (cpu_tap_mesh){.n_modes = shape->n_modes, .n_nodes = shape->n_nodes};
  CUONN_TRY(cuonn_allocate(&out->nodes, out->n_nodes, sizeof *out->nodes));
  return cuonn_allocate(&out->gamma, 2 * shape->n_modes, sizeof *out->gamma);
}

void cpu_tap_mesh_free(cpu_tap_mesh *mesh) {
  free(mesh->nodes);
  free(mesh->gamma);
  memset(mesh, 0, sizeof *mesh);
}

void cpu_tap_mesh_set(cpu_tap_mesh *mesh, const cuonn_mesh *from, const node_fixed *fixed) {
  const node_arms arms = node_arms_of(from->style);
  const size_t arm = node_lossy_arm(&arms);
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const walk_node stages = walk_node_of(fixed + k, &arms, from->theta[k], from->phi[k]);
    tap_node *const node = &mesh->nodes[k];
    node->arm = from->shape->pairs[k][arm];
    node->other = from->shape->pairs[k][1 - arm];
    for (size_t i = 0; i < 2; i++) {
      memcpy(node->outer[i], stages.outer[i ^ arm], sizeof node->outer[i]);
      memcpy(node->inner[i], stages.inner[i ^ arm], sizeof node->inner[i]);
    }
    memcpy(node->left, stages.left, sizeof node->left);
    memcpy(node->right, stages.right, sizeof node->right);
  }
  for (size_t w = 0; w < mesh->n_modes; w++) {
    mesh->gamma[2 * w] = (float)cos(from->gamma[w]);
    mesh->gamma[2 * w + 1] = (float)sin(from->gamma[w]);
  }
}

/* --- Reading fields --- */

static void turn_outputs(float *x, const cpu_tap_mesh *mesh, size_t lanes) {
  for (size_t w = 0; w < mesh->n_modes; w++) walk_turn(x + w * 2 * lanes, mesh->gamma + 2 * w, lanes);
}

/* Draws are counted by example and waveguide, as chip_read_factor() does. */
static void read_field(float *x, const cpu_tiling *t, size_t tile, const chip_reading *reading,
                       const cpu_kernels *kernels) {
  const uint32_t n = (uint32_t)t->n_modes, step = chip_noise_has_examples(reading->chip) ? n : 0;
  const uint32_t first = (uint32_t)(tile * t->lanes) * step;
  if (chip_reads_exactly(reading->chip)) return;
  for (uint32_t w = 0; w < n; w++) {
    kernels->read(x + w * 2 * t->lanes, t->lanes, chip_read_place(reading), first + w, step,
                  reading->chip->io_amplitude, reading->chip->io_phase);
  }
}

void cpu_tap_read_outputs(float *x, const cpu_tap_mesh *mesh, const cpu_tiling *t, size_t tile,
                          const chip_reading *reading, const cpu_kernels *kernels) {
  kernels->tap_forward(x, t->lanes, mesh->nodes, mesh->n_nodes);
  turn_outputs(x, mesh, t->lanes);
  read_field(x, t, tile, reading, kernels);
}

/* --- Measuring --- */

cuonn_status cpu_measure_space_create(cpu_measure_space *out, size_t count, const cuonn_mesh_shape *shape,
                                      int threads) {
  const size_t n_modes = shape->n_modes;
  const cpu_tiling t = cpu_tiling_of(count, n_modes), units = cpu_tiling_of(n_modes, n_modes);
  const size_t n_tiles = (count + 15) / 16 + units.n_tiles; /* a smaller batch may have narrower tiles, never more */
  const size_t lanes = t.lanes > units.lanes ? t.lanes : units.lanes;
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->sums, kChunks * (shape->n_nodes + n_modes), sizeof *out->sums));
  for (size_t i = 0; i < 2; i++) {
    CUONN_TRY(cuonn_allocate(&out->powers[i], n_tiles * (n_modes > lanes ? n_modes : lanes), sizeof(double)));
  }
  return cuonn_allocate(&out->tiles, (size_t)threads * 2 * n_modes * 2 * lanes, sizeof *out->tiles);
}

void cpu_measure_space_free(cpu_measure_space *space) {
  free(space->sums);
  free(space->powers[0]);
  free(space->powers[1]);
  free(space->tiles);
  memset(space, 0, sizeof *space);
}

/* What limits the scale: the lanes of every tile, or the waveguides. */
static size_t limit_lines(const cpu_tiling *t, cuonn_measurement_scale scale) {
  return scale == CUONN_SCALE_EXAMPLE ? t->lanes : t->n_modes;
}

static void add_powers(double *powers, const float *fields, const cpu_tiling *t, cuonn_measurement_scale scale) {
  memset(powers, 0, limit_lines(t, scale) * sizeof *powers);
  for (size_t w = 0; w < t->n_modes; w++) {
    const float *const re = fields + w * 2 * t->lanes, *const im = re + t->lanes;
    for (size_t i = 0; i < t->lanes; i++) {
      powers[scale == CUONN_SCALE_EXAMPLE ? i : w] += (double)re[i] * (double)re[i] + (double)im[i] * (double)im[i];
    }
  }
}

/* Largest norm of an example, or of a waveguide over the batch; 1 if all is dark. */
static double input_scale(const double *powers, const cpu_tiling *t, cuonn_measurement_scale scale) {
  const size_t lines = limit_lines(t, scale);
  double most = 0;
  for (size_t line = 0; line < lines; line++) {
    double sum = 0;
    for (size_t tile = 0; tile < t->n_tiles; tile++) {
      const double power = powers[tile * lines + line];
      if (scale == CUONN_SCALE_EXAMPLE) {
        most = fmax(most, power);
      } else {
        sum += power;
      }
    }
    most = fmax(most, sum);
  }
  return most > 0 ? sqrt(most) : 1;
}

/* Powers at the outputs, which are the taps of gamma. */
static void add_outputs(tap_sums *sums, const float *x, const float *a, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, x += 2 * lanes, a += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++) {
      const double xr = (double)x[i], xi = (double)x[lanes + i], ar = (double)a[i], ai = (double)a[lanes + i];
      sums[w].cross[0] += xr * ai - xi * ar;
      sums[w].forward[0] += xr * xr + xi * xi;
      sums[w].sent_back[0] += ar * ar + ai * ai;
    }
  }
}

static void add_inputs(tap_sums *sums, const float *g, size_t n_modes, size_t lanes) {
  for (size_t w = 0; w < n_modes; w++, g += 2 * lanes) {
    for (size_t i = 0; i < 2 * lanes; i++) sums[w].back[0] += (double)g[i] * (double)g[i];
  }
}

/* Signal and light of one tap, theta (0) or phi (1), as reference_measure() sums them. */
static double read_tap(const tap_sums *s, size_t p, cuonn_gradient_method method, double shot, double normal) {
  double signal = 2 * s->cross[p], light = (s->forward[p] + s->sent_back[p]) / 2;
  if (method == CUONN_GRADIENT_DIGITAL) {
    signal += s->sent_back[p] - s->back[p];
    light = 2 * s->forward[p] + s->sent_back[p] + 2 * s->cross[p] + s->back[p];
  }
  return signal + shot * sqrt(fmax(light, 0)) * normal; /* light may be rounded below 0 where it is dark */
}

/* Derivatives of nodes, and of outputs, which are counted on behind them: taps from .. end - 1, at most kTogether. */
static void finish(cuonn_mesh_gradient *gradient, const tap_sums *sums, size_t from, size_t end, double factor,
                   const cpu_tap_mesh *mesh, cuonn_gradient_method method, const chip_reading *reading,
                   const cpu_kernels *kernels) {
  const double shot = reading->chip->tap_shot;
  double normals[2][kTogether] = {{0}};
  if (shot > 0) kernels->normals(normals[0], normals[1], chip_tap_place(reading), (uint32_t)from, 1, kTogether);
  for (size_t k = from; k < end; k++) {
    const double first = factor * read_tap(sums + k, 0, method, shot, normals[0][k - from]);
    if (k >= mesh->n_nodes) {
      gradient->d_gamma[k - mesh->n_nodes] = first;
    } else {
      gradient->d_theta[k] = first;
      gradient->d_phi[k] = factor * read_tap(sums + k, 1, method, shot, normals[1][k - from]);
    }
  }
}

/* One tile: g backward, read where the scheme reads it; then x and conj(a) forward. */
static void measure_tile(tap_sums *sums, float *g, const float *x, const double scales[2], float *space,
                         const cpu_tap_mesh *mesh, const cpu_tiling *t, size_t tile, cuonn_gradient_method method,
                         const chip_reading *reading, const cpu_kernels *kernels) {
  const size_t size = cpu_tile_size(t), lanes = t->lanes;
  float *const forward = space, *const a = space + size;
  for (size_t i = 0; i < size; i++) {
    forward[i] = (float)((double)x[i] / scales[0]);
    g[i] = (float)((double)g[i] / scales[1]);
  }
  add_inputs(sums + mesh->n_nodes, g, t->n_modes, lanes);
  turn_outputs(g, mesh, lanes);
  kernels->tap_backward(sums, g, lanes, mesh->nodes, mesh->n_nodes);
  if (method == CUONN_GRADIENT_ANALOG) read_field(g, t, tile, reading, kernels);
  for (size_t w = 0; w < t->n_modes; w++) {
    for (size_t i = w * 2 * lanes; i < w * 2 * lanes + lanes; i++) {
      a[i] = g[i];
      a[lanes + i] = -g[lanes + i];
    }
  }
  kernels->tap_measure(sums, forward, a, lanes, mesh->nodes, mesh->n_nodes);
  add_outputs(sums + mesh->n_nodes, forward, a, t->n_modes, lanes);
  for (size_t i = 0; i < size; i++) g[i] = (float)((double)g[i] * scales[1]);
}

static void add_sums(tap_sums *to, const tap_sums *from) {
  for (size_t p = 0; p < 2; p++) {
    to->cross[p] += from->cross[p];
    to->forward[p] += from->forward[p];
    to->sent_back[p] += from->sent_back[p];
    to->back[p] += from->back[p];
  }
}

void cpu_measure(cuonn_mesh_gradient *gradient, float *g, const float *x, const cpu_tap_mesh *mesh, const cpu_tiling *t,
                 cuonn_gradient_method method, const chip_reading *reading, const cpu_measure_space *space,
                 const cpu_kernels *kernels, cpu_team *team) {
  const size_t size = cpu_tile_size(t), n_taps = mesh->n_nodes + mesh->n_modes;
  const size_t n_chunks = t->n_tiles < kChunks ? t->n_tiles : kChunks;
  const cuonn_measurement_scale scale = reading->chip->scale;
#pragma omp for schedule(static) nowait
  for (size_t tile = 0; tile < t->n_tiles; tile++) {
    const size_t at = tile * limit_lines(t, scale);
    add_powers(space->powers[0] + at, x + tile * size, t, scale);
    add_powers(space->powers[1] + at, g + tile * size, t, scale);
  }
  cpu_team_meet(team);
  const double scales[2] = {input_scale(space->powers[0], t, scale), input_scale(space->powers[1], t, scale)};
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t chunk = 0; chunk < n_chunks; chunk++) {
    tap_sums *const sums = space->sums + chunk * n_taps;
    float *const own = space->tiles + (size_t)omp_get_thread_num() * 2 * size;
    memset(sums, 0, n_taps * sizeof *sums);
    for (size_t tile = chunk * t->n_tiles / n_chunks; tile < (chunk + 1) * t->n_tiles / n_chunks; tile++) {
      measure_tile(sums, g + tile * size, x + tile * size, scales, own, mesh, t, tile, method, reading, kernels);
    }
  }
  cpu_team_meet(team);
#pragma omp for schedule(static) nowait
  for (size_t from = 0; from < n_taps; from += kTogether) {
    const size_t end = from + kTogether < n_taps ? from + kTogether : n_taps;
    for (size_t chunk = 1; chunk < n_chunks; chunk++) {
      for (size_t k = from; k < end; k++) add_sums(space->sums + k, space->sums + chunk * n_taps + k);
    }
    finish(gradient, space->sums, from, end, scales[0] * scales[1] / 2, mesh, method, reading, kernels);
  }
  cpu_team_meet(team);
}
