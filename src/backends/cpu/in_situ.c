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

enum { kTogether = 64 }; /* nodes that are set, or taps that are read, together */

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
  const size_t n_chunks = n_tiles < kMostChunks ? n_tiles : kMostChunks;
  memset(out, 0, sizeof *out);
  CUONN_TRY(cuonn_allocate(&out->sums, n * n_chunks * (shape->n_nodes + t->n_modes), sizeof *out->sums));
  for (size_t i = 0; i < 2; i++) CUONN_TRY(cuonn_allocate(&out->powers[i], n * n_chunks * t->n_modes, sizeof(double)));
  return cuonn_allocate(&out->tiles, (size_t)threads * 2 * cpu_tile_size(t), sizeof *out->tiles);
}

void cpu_measure_space_free(cpu_measure_space *space) {
  free(space->sums);
  free(space->powers[0]);
  free(space->powers[1]);
  free(space->tiles);
  memset(space, 0, sizeof *space);
}

/* Of each chunk the power of what limits the scale: of its largest example, or of every waveguide. */
static size_t limit_lines(const cpu_tiling *t, cuonn_measurement_scale scale) {
  return scale == CUONN_SCALE_EXAMPLE ? 1 : t->n_modes;
}

static void add_waveguides(double *powers, const float *fields, const cpu_tiling *t) {
  for (size_t w = 0; w < t->n_modes; w++) {
    const float *const re = fields + w * 2 * t->lanes, *const im = re + t->lanes;
    for (size_t i = 0; i < t->lanes; i++) {
      powers[w] += (double)re[i] * (double)re[i] + (double)im[i] * (double)im[i];
    }
  }
}

static double largest_example(const float *fields, const cpu_tiling *t) {
  double powers[kMostLanes] = {0}, most = 0;
  for (size_t w = 0; w < t->n_modes; w++) {
    const float *const re = fields + w * 2 * t->lanes, *const im = re + t->lanes;
    for (size_t i = 0; i < t->lanes; i++) {
      powers[i] += (double)re[i] * (double)re[i] + (double)im[i] * (double)im[i];
    }
  }
  for (size_t i = 0; i < t->lanes; i++) most = powers[i] > most ? powers[i] : most;
  return most;
}

static void find_powers(double *powers, const float *fields, const cpu_tiling *t, size_t chunk,
                        cuonn_measurement_scale scale) {
  memset(powers, 0, limit_lines(t, scale) * sizeof *powers);
  for (size_t tile = cpu_chunk_tile(t, chunk); tile < cpu_chunk_tile(t, chunk + 1); tile++) {
    const float *const of = fields + tile * cpu_tile_size(t);
    if (scale == CUONN_SCALE_EXAMPLE) {
      const double most = largest_example(of, t);
      *powers = most > *powers ? most : *powers;
    } else {
      add_waveguides(powers, of, t);
    }
  }
}

/* Those of all processes' chunks, of one measurement; returns how many are left. */
static size_t share_powers(double *powers, const cpu_tiling *t, cuonn_measurement_scale scale, cpu_team *team,
                           cpu_processes *processes) {
  const size_t n_chunks = cpu_tile_chunks(t), stride = t->n_modes * sizeof *powers;
  if (cpu_is_alone(processes)) return n_chunks;
  if (scale == CUONN_SCALE_EXAMPLE) {
#pragma omp master
    cpu_processes_fill(processes, powers, n_chunks);
    cpu_team_meet(team);
    return n_chunks;
  }
  const cpu_terms terms = {(char *)powers, stride, t->n_modes, sizeof *powers};
  cpu_processes_add(processes, team, &terms, n_chunks);
  return 1;
}

/* Largest norm of an example, or of a waveguide over the batch; 1 if all is dark. */
static double input_scale(const double *powers, const cpu_tiling *t, size_t n_chunks, cuonn_measurement_scale scale) {
  double most = 0;
  for (size_t i = 0; i < (scale == CUONN_SCALE_EXAMPLE ? n_chunks : t->n_modes); i++) {
    const double power = scale == CUONN_SCALE_EXAMPLE ? powers[i] : cpu_tree_total(powers + i, t->n_modes, n_chunks);
    most = power > most ? power : most;
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

/* The numbers of a chunk's sums, of one measurement. */
static cpu_terms terms_of(tap_sums *sums, size_t n_taps) {
  enum { kNumbers = sizeof *sums / sizeof(double) };
  return (cpu_terms){(char *)sums, n_taps * sizeof *sums, n_taps * kNumbers, sizeof(double)};
}

/* Powers of all chunks of n measurements; returns how many chunks are left. */
static size_t find_all_powers(const cpu_measurement *of, size_t n, const cpu_tiling *t, const cpu_measure_space *space,
                              cpu_team *team, cpu_processes *processes) {
  const cuonn_measurement_scale scale = of->reading.chip->scale;
  const size_t n_chunks = cpu_tile_chunks(t), lines = limit_lines(t, scale);
  const cpu_chunks own = cpu_own_chunks(processes, n_chunks);
  const size_t n_own = own.end - own.first;
  size_t n_left = n_chunks;
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < n * n_own; i++) {
    const size_t m = i / n_own, chunk = own.first + i % n_own, at = (m * n_chunks + chunk) * lines;
    find_powers(space->powers[0] + at, of[m].x, t, chunk, scale);
    find_powers(space->powers[1] + at, of[m].g, t, chunk, scale);
  }
  cpu_team_meet(team);
  for (size_t i = 0; i < 2 * n; i++) {
    n_left = share_powers(space->powers[i % 2] + i / 2 * n_chunks * lines, t, scale, team, processes);
  }
  return n_left;
}

/* Scales of the m-th measurement, of x and of g, from the powers of the chunks that are left. */
static void scales_of(double scales[2], const cpu_measure_space *space, size_t m, const cpu_tiling *t, size_t n_left,
                      cuonn_measurement_scale scale) {
  const size_t at = m * cpu_tile_chunks(t) * limit_lines(t, scale);
  for (size_t i = 0; i < 2; i++) scales[i] = input_scale(space->powers[i] + at, t, n_left, scale);
}

void cpu_measure(const cpu_measurement *of, size_t n, const cpu_tiling *t, cuonn_gradient_method method,
                 const cpu_measure_space *space, const cpu_kernels *kernels, cpu_team *team, cpu_processes *processes) {
  const size_t n_taps = of->mesh->n_nodes + of->mesh->n_modes, turns = (n_taps + kTogether - 1) / kTogether;
  const size_t n_chunks = cpu_tile_chunks(t), n_powers = find_all_powers(of, n, t, space, team, processes);
  const cuonn_measurement_scale scale = of->reading.chip->scale;
  const cpu_chunks own = cpu_own_chunks(processes, n_chunks);
  const size_t n_own = own.end - own.first;
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < n * n_own; i++) {
    const size_t m = i / n_own, chunk = own.first + i % n_own;
    tap_sums *const sums = space->sums + (m * n_chunks + chunk) * n_taps;
    float *const room = space->tiles + (size_t)omp_get_thread_num() * 2 * cpu_tile_size(t);
    double scales[2];
    scales_of(scales, space, m, t, n_powers, scale);
    memset(sums, 0, n_taps * sizeof *sums);
    for (size_t tile = cpu_chunk_tile(t, chunk); tile < cpu_chunk_tile(t, chunk + 1); tile++) {
      measure_tile(sums, of + m, scales, room, t, tile, method, kernels);
    }
  }
  cpu_team_meet(team);
  for (size_t m = 0; m < n && !cpu_is_alone(processes); m++) {
    const cpu_terms terms = terms_of(space->sums + m * n_chunks * n_taps, n_taps);
    cpu_processes_add(processes, team, &terms, n_chunks);
  }
  const size_t n_left = cpu_is_alone(processes) ? n_chunks : 1;
  size_t scaled = n; /* which measurement's scales are there */
  double scales[2];
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < n * turns; i++) {
    const size_t m = i / turns, from = i % turns * kTogether,
                 end = from + kTogether < n_taps ? from + kTogether : n_taps;
    const cpu_terms terms = terms_of(space->sums + m * n_chunks * n_taps, n_taps);
    const size_t numbers = terms.count / n_taps;
    if (m != scaled) scales_of(scales, space, m, t, n_powers, scale);
    scaled = m;
    cpu_tree_add(&terms, from * numbers, (end - from) * numbers, n_left, (cpu_chunks){0, n_left});
    finish(of + m, (const tap_sums *)terms.first, from, end, scales[0] * scales[1] / 2, method, kernels);
  }
  cpu_team_meet(team);
}
