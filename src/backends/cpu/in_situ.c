/* Of the powers that the chip reads only sums over the batch are wanted. With x going forward, a the field that is sent
 * in beside it, and |x -+ i a|^2 = |x|^2 + |a|^2 +- 2 Im(conj(x) a), one way through the mesh with both gives them
 * all. */
#include "cpu/in_situ.h"

#include <complex.h>
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
  kTogether = 64 /* nodes that are set, or taps that are read, together */
};

cpu_tiling cpu_tiling_of(size_t count, size_t n_modes) {
  const size_t lanes = cpu_tile_lanes(count, n_modes);
  return (cpu_tiling){count, n_modes, lanes, (count + lanes - 1) / lanes};
}

/* --- The mesh --- */

cuonn_status cpu_tap_mesh_create(cpu_tap_mesh *out, const cuonn_mesh_shape *shape) {
  *out = (cpu_tap_mesh){.n_modes = shape->n_modes, .n_nodes = shape->n_nodes};
  CUONN_TRY(cuonn_allocate(&out->whole, out->n_nodes, sizeof *out->whole));
  CUONN_TRY(cuonn_allocate(&out->nodes, out->n_nodes, sizeof *out->nodes));
  return cuonn_allocate(&out->gamma, 2 * shape->n_modes, sizeof *out->gamma);
}

void cpu_tap_mesh_free(cpu_tap_mesh *mesh) {
  free(mesh->whole);
  free(mesh->nodes);
  free(mesh->gamma);
  memset(mesh, 0, sizeof *mesh);
}

static double complex complex_of(double re, double im) { return re + I * im; }

/* The operator * would look out for infinities. */
static double complex turned(double complex a) { return complex_of(-cimag(a), creal(a)); } /* i a */
static double complex product(double complex a, double complex b) {
  return complex_of(creal(a) * creal(b) - cimag(a) * cimag(b), creal(a) * cimag(b) + cimag(a) * creal(b));
}

/* A row of m, behind a coupler. */
static void couple_columns(double complex row[2], const double coupler[2]) {
  const double complex first = row[0], second = row[1];
  row[0] = coupler[0] * first + coupler[1] * turned(second);
  row[1] = coupler[0] * second + coupler[1] * turned(first);
}

/* m = right inner left outer first, a coupler being [[c, i s], [i s, c]], and i times that one with a crossing. */
static void store_whole(general_node *node, const node_stages *s, const node_fixed *fixed) {
  const double cc = fixed->right[0] * fixed->left[0], cs = fixed->right[0] * fixed->left[1];
  const double sc = fixed->right[1] * fixed->left[0], ss = fixed->right[1] * fixed->left[1];
  const double complex *const inner = s->inner;
  const double complex outer[2] = {fixed->crossing ? turned(s->outer[0]) : s->outer[0],
                                   fixed->crossing ? turned(s->outer[1]) : s->outer[1]};
  double complex m[2][2] = {
      {product(outer[0], cc * inner[0] - ss * inner[1]), product(outer[1], turned(cs * inner[0] + sc * inner[1]))},
      {product(outer[0], turned(sc * inner[0] + cs * inner[1])), product(outer[1], cc * inner[1] - ss * inner[0])}};
  for (size_t i = 0; i < 2; i++) {
    if (fixed->first[1] != 0) couple_columns(m[i], fixed->first);
    for (size_t j = 0; j < 2; j++) walk_store(node->m[i][j], m[i][j]);
  }
}

/* Nodes first .. end - 1, at most kTogether. */
static void set_nodes(cpu_tap_mesh *mesh, const cuonn_mesh *from, const cpu_layer *layer, size_t first, size_t end,
                      const cpu_kernels *kernels) {
  const node_arms arms = node_arms_of(from->style);
  const size_t arm = node_lossy_arm(&arms), count = end - first;
  const double by_theta = node_turn_weight(arms.theta), by_phi = node_turn_weight(arms.phi);
  double angle[2 * kTogether], sine[2 * kTogether], cosine[2 * kTogether];
  for (size_t i = 0; i < count; i++) {
    angle[i] = by_theta * from->theta[first + i];
    angle[count + i] = by_phi * from->phi[first + i];
  }
  kernels->sines(sine, cosine, angle, 2 * count);
  for (size_t i = 0; i < count; i++) {
    const size_t k = first + i;
    const node_fixed fixed = layer_node_fixed(layer, from->shape, k);
    const node_stages stages =
        node_stages_from(&fixed, &arms, complex_of(cosine[i], sine[i]), complex_of(cosine[count + i], sine[count + i]));
    const uint32_t *const pair = from->shape->pairs[k];
    tap_node *const node = mesh->nodes + k;
    mesh->whole[k].top = pair[0];
    mesh->whole[k].bottom = pair[1];
    store_whole(mesh->whole + k, &stages, &fixed);
    node->arm = pair[arm];
    node->other = pair[1 - arm];
    walk_store(node->outer, stages.outer[arm]);
    walk_store(node->inner, stages.inner[arm]);
    const double uncrossed[2] = {-fixed.right[1], fixed.right[0]}; /* the coupler of e from that of e - pi/2 */
    for (size_t j = 0; j < 2; j++) {
      node->left[j] = (float)fixed.left[j];
      node->right[j] = (float)(fixed.crossing ? uncrossed[j] : fixed.right[j]);
      node->first[j] = (float)fixed.first[j];
    }
    node->crosses = fixed.crossing;
  }
}

void cpu_tap_mesh_set(cpu_tap_mesh *mesh, const cuonn_mesh *from, const cpu_layer *layer, const cpu_kernels *kernels) {
  for (size_t k = 0; k < mesh->n_nodes; k += kTogether) {
    set_nodes(mesh, from, layer, k, k + kTogether < mesh->n_nodes ? k + kTogether : mesh->n_nodes, kernels);
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
    kernels->read(x + (size_t)w * 2 * t->lanes, t->lanes, chip_read_place(reading), first + w, step,
                  reading->chip->io_amplitude, reading->chip->io_phase);
  }
}

void cpu_tap_read_outputs(float *x, const cpu_tap_mesh *mesh, const cpu_tiling *t, size_t tile,
                          const chip_reading *reading, const cpu_kernels *kernels) {
  kernels->general_forward(x, t->lanes, mesh->whole, mesh->n_nodes);
  turn_outputs(x, mesh, t->lanes);
  read_field(x, t, tile, reading, kernels);
}

void cpu_tap_read_rows(float *rows, const cpu_tap_mesh *mesh, size_t n_rows, size_t first, size_t lanes,
                       const chip_reading *reading, const cpu_kernels *kernels) {
  const size_t n = mesh->n_modes;
  memset(rows, 0, n * 2 * lanes * sizeof *rows);
  for (size_t i = 0; i < lanes && first + i < n_rows; i++) {
    float *const at = rows + (first + i) * 2 * lanes + i;
    at[0] = mesh->gamma[2 * (first + i)];
    at[lanes] = mesh->gamma[2 * (first + i) + 1];
  }
  kernels->general_transposed(rows, lanes, mesh->whole, mesh->n_nodes);
  if (chip_reads_exactly(reading->chip)) return;
  for (size_t in = 0; in < n; in++) {
    kernels->read(rows + in * 2 * lanes, lanes, chip_read_place(reading), (uint32_t)(in * n + first), 1,
                  reading->chip->io_amplitude, reading->chip->io_phase);
  }
}

/* --- Measuring --- */

cuonn_status cpu_measure_space_create(cpu_measure_space *out, size_t n, const cpu_tiling *t,
                                      const cuonn_mesh_shape *shape, int threads) {
  const size_t n_tiles = (t->count + 15) / 16; /* a smaller batch may have narrower tiles, never more */
  const size_t n_chunks = n_tiles < kChunks ? n_tiles : kChunks, lines = t->n_modes > t->lanes ? t->n_modes : t->lanes;
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->sums, n * n_chunks * (shape->n_nodes + t->n_modes), sizeof *out->sums));
  for (size_t i = 0; i < 2; i++) CUONN_TRY(cuonn_allocate(&out->powers[i], n * n_tiles * lines, sizeof(double)));
  return cuonn_allocate(&out->tiles, (size_t)threads * 2 * cpu_tile_size(t), sizeof *out->tiles);
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
        most = power > most ? power : most;
      } else {
        sum += power;
      }
    }
    most = sum > most ? sum : most;
  }
  return most > 0 ? sqrt(most) : 1;
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
static void finish(const cpu_measurement *of, const tap_sums *sums, size_t from, size_t end, double factor,
                   cuonn_gradient_method method, const cpu_kernels *kernels) {
  const double shot = of->reading.chip->tap_shot;
  const size_t nodes = of->mesh->n_nodes;
  double normals[2][kTogether] = {{0}};
  if (shot > 0) kernels->normals(normals[0], normals[1], chip_tap_place(&of->reading), (uint32_t)from, 1, kTogether);
  for (size_t k = from; k < end; k++) {
    const double first = factor * read_tap(sums + k, 0, method, shot, normals[0][k - from]);
    if (k >= nodes) {
      of->gradient->d_gamma[k - nodes] = first;
    } else {
      of->gradient->d_theta[k] = first;
      of->gradient->d_phi[k] = factor * read_tap(sums + k, 1, method, shot, normals[1][k - from]);
    }
  }
}

static void times(float *to, const float *from, double factor, size_t size) {
  const float f = (float)factor;
  for (size_t i = 0; i < size; i++) to[i] = f * from[i];
}

/* One tile: g backward, read where the scheme reads it; then x and conj(a) forward. */
static void measure_tile(tap_sums *sums, const cpu_measurement *of, const double scales[2], float *space,
                         const cpu_tiling *t, size_t tile, cuonn_gradient_method method, const cpu_kernels *kernels) {
  const size_t size = cpu_tile_size(t), lanes = t->lanes;
  const cpu_tap_mesh *const mesh = of->mesh;
  const bool digital = method == CUONN_GRADIENT_DIGITAL;
  float *const forward = space, *const a = space + size, *const g = of->g + tile * size;
  times(forward, of->x + tile * size, 1 / scales[0], size);
  times(g, g, 1 / scales[1], size);
  turn_outputs(g, mesh, lanes);
  if (digital) {
    kernels->tap_backward(sums, g, lanes, mesh->nodes, mesh->n_nodes, mesh->n_modes);
  } else {
    kernels->general_transposed(g, lanes, mesh->whole, mesh->n_nodes);
    read_field(g, t, tile, &of->reading, kernels);
  }
  for (size_t w = 0; w < t->n_modes; w++) {
    for (size_t i = w * 2 * lanes; i < w * 2 * lanes + lanes; i++) {
      a[i] = g[i];
      a[lanes + i] = -g[lanes + i];
    }
  }
  kernels->tap_measure(sums, forward, a, lanes, mesh->nodes, mesh->n_nodes, mesh->n_modes, digital);
  times(g, g, scales[1], size);
}

static void add_sums(tap_sums *to, const tap_sums *from) {
  for (size_t p = 0; p < 2; p++) {
    to->cross[p] += from->cross[p];
    to->forward[p] += from->forward[p];
    to->sent_back[p] += from->sent_back[p];
    to->back[p] += from->back[p];
  }
}

/* Scales of the m-th measurement, of x and of g. */
static void scales_of(double scales[2], const cpu_measure_space *space, size_t m, const cpu_tiling *t,
                      cuonn_measurement_scale scale) {
  for (size_t i = 0; i < 2; i++) {
    scales[i] = input_scale(space->powers[i] + m * t->n_tiles * limit_lines(t, scale), t, scale);
  }
}

void cpu_measure(const cpu_measurement *of, size_t n, const cpu_tiling *t, cuonn_gradient_method method,
                 const cpu_measure_space *space, const cpu_kernels *kernels, cpu_team *team) {
  const size_t size = cpu_tile_size(t), n_taps = of->mesh->n_nodes + of->mesh->n_modes;
  const size_t n_chunks = t->n_tiles < kChunks ? t->n_tiles : kChunks, turns = (n_taps + kTogether - 1) / kTogether;
  const cuonn_measurement_scale scale = of->reading.chip->scale;
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < n * t->n_tiles; i++) {
    const cpu_measurement *const m = of + i / t->n_tiles;
    add_powers(space->powers[0] + i * limit_lines(t, scale), m->x + i % t->n_tiles * size, t, scale);
    add_powers(space->powers[1] + i * limit_lines(t, scale), m->g + i % t->n_tiles * size, t, scale);
  }
  cpu_team_meet(team);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < n * n_chunks; i++) {
    const size_t m = i / n_chunks, chunk = i % n_chunks;
    tap_sums *const sums = space->sums + i * n_taps;
    float *const own = space->tiles + (size_t)omp_get_thread_num() * 2 * size;
    double scales[2];
    scales_of(scales, space, m, t, scale);
    memset(sums, 0, n_taps * sizeof *sums);
    for (size_t tile = chunk * t->n_tiles / n_chunks; tile < (chunk + 1) * t->n_tiles / n_chunks; tile++) {
      measure_tile(sums, of + m, scales, own, t, tile, method, kernels);
    }
  }
  cpu_team_meet(team);
  size_t scaled = n; /* which measurement's scales are there */
  double scales[2];
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < n * turns; i++) {
    const size_t m = i / turns, from = i % turns * kTogether,
                 end = from + kTogether < n_taps ? from + kTogether : n_taps;
    tap_sums *const sums = space->sums + m * n_chunks * n_taps;
    if (m != scaled) scales_of(scales, space, m, t, scale);
    scaled = m;
    for (size_t chunk = 1; chunk < n_chunks; chunk++) {
      for (size_t k = from; k < end; k++) add_sums(sums + k, sums + chunk * n_taps + k);
    }
    finish(of + m, sums, from, end, scales[0] * scales[1] / 2, method, kernels);
  }
  cpu_team_meet(team);
}
