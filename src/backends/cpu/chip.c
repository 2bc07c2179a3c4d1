#include "cpu/chip.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Chunks of a set, each summed by one thread: sums over threads would depend on their order. */
enum { kChunks = 64 };

/* Floats that a batch of any size up to `most` fills in tiles; whole vectors. */
static size_t batch_floats(size_t most, size_t n_modes) {
  return most == 0 ? 0 : (most / 16 * 16 + 16 + cpu_tile_lanes(UINT32_MAX, n_modes)) * 2 * n_modes;
}

/* Example j is e_j. */
static void fill_units(float *units, size_t n) {
  const cpu_tiling t = cpu_tiling_of(n, n);
  for (size_t j = 0; j < n; j++) units[j / t.lanes * cpu_tile_size(&t) + j * 2 * t.lanes + j % t.lanes] = 1;
}

cuonn_status cpu_chip_create(cpu_chip *out, const cuonn_network_shape *shape, size_t most, int threads) {
  const size_t n = shape->n_modes, lanes = cpu_tile_lanes(UINT32_MAX, n), batch = batch_floats(most, n);
  const size_t units = batch_floats(n, n), room = (size_t)threads;
  cuonn_status status = CUONN_OK;
  *out = (cpu_chip){.shape = *shape, .most = most};
  CUONN_TRY_DONE(cuonn_allocate(&out->meshes, shape->n_layers, sizeof *out->meshes));
  for (size_t l = 0; l < shape->n_layers; l++) CUONN_TRY_DONE(cpu_tap_mesh_create(out->meshes + l, shape->mesh));
  CUONN_TRY_DONE(cuonn_allocate(&out->index, most, sizeof *out->index));
  CUONN_TRY_DONE(cuonn_allocate(&out->x, shape->n_layers * batch, sizeof *out->x));
  CUONN_TRY_DONE(cuonn_allocate(&out->y, shape->n_layers * batch, sizeof *out->y));
  CUONN_TRY_DONE(cuonn_allocate(&out->g, batch, sizeof *out->g));
  CUONN_TRY_DONE(cuonn_allocate(&out->losses, (most + 15) / 16 + kChunks, sizeof *out->losses));
  CUONN_TRY_DONE(cpu_measure_space_create(&out->measuring, most > n ? most : n, shape->mesh, threads));
  CUONN_TRY_DONE(cuonn_allocate(&out->matrices, (shape->n_layers + 1) * n * n * 2, sizeof *out->matrices));
  CUONN_TRY_DONE(cuonn_allocate(&out->units, units, sizeof *out->units));
  CUONN_TRY_DONE(cuonn_allocate(&out->columns, units, sizeof *out->columns));
  CUONN_TRY_DONE(cuonn_allocate(&out->products, n * n * 2, sizeof *out->products));
  CUONN_TRY_DONE(cuonn_allocate(&out->tiles, room * 2 * n * 2 * lanes, sizeof *out->tiles));
  CUONN_TRY_DONE(cuonn_allocate(&out->powers, room * shape->n_classes * lanes, sizeof *out->powers));
  CUONN_TRY_DONE(cuonn_allocate(&out->ones, n, sizeof *out->ones));
  for (size_t w = 0; w < n; w++) out->ones[w] = 1;
  fill_units(out->units, n);
done:
  if (status != CUONN_OK) cpu_chip_free(out);
  return status;
}

void cpu_chip_free(cpu_chip *chip) {
  for (size_t l = 0; chip->meshes && l < chip->shape.n_layers; l++) cpu_tap_mesh_free(chip->meshes + l);
  free(chip->meshes);
  free(chip->index);
  free(chip->x);
  free(chip->y);
  free(chip->g);
  free(chip->losses);
  cpu_measure_space_free(&chip->measuring);
  free(chip->matrices);
  free(chip->units);
  free(chip->columns);
  free(chip->products);
  free(chip->tiles);
  free(chip->powers);
  free(chip->ones);
  memset(chip, 0, sizeof *chip);
}

static chip_reading reading_of(const cpu_chip_batch *batch, chip_use use, size_t layer) {
  return (chip_reading){batch->options, use, (uint32_t)layer, batch->step};
}

static bool by_matrix(const cpu_chip_batch *batch) { return batch->options->measurement == CUONN_MEASUREMENT_MATRIX; }

static float *matrix_of(const cpu_chip *chip, size_t layer) {
  return chip->matrices + layer * chip->shape.n_modes * chip->shape.n_modes * 2;
}

/* Matrices of all layers, read by unit vectors. */
static void read_matrices(const cpu_chip *chip, const cpu_chip_batch *batch, chip_use use, const cpu_kernels *kernels,
                          cpu_team *team) {
  const size_t n = chip->shape.n_modes;
  const cpu_tiling t = cpu_tiling_of(n, n);
#pragma omp for schedule(static) nowait
  for (size_t job = 0; job < chip->shape.n_layers * t.n_tiles; job++) {
    const size_t l = job / t.n_tiles, tile = job % t.n_tiles, size = cpu_tile_size(&t);
    const chip_reading reading = reading_of(batch, use, l);
    float *const x = chip->tiles + (size_t)omp_get_thread_num() * 2 * size;
    memcpy(x, chip->units + tile * size, size * sizeof *x);
    cpu_tap_read_outputs(x, chip->meshes + l, &t, tile, &reading, kernels);
    for (size_t i = 0; i < t.lanes && tile * t.lanes + i < n; i++) {
      for (size_t row = 0; row < n; row++) {
        float *const to = matrix_of(chip, l) + 2 * (row * n + tile * t.lanes + i);
        to[0] = x[row * 2 * t.lanes + i];
        to[1] = x[row * 2 * t.lanes + t.lanes + i];
      }
    }
  }
  cpu_team_meet(team);
}

/* One tile x through a layer to what is read, y. */
static void layer_tile(float *y, const float *x, const cpu_chip *chip, size_t l, const cpu_chip_batch *batch,
                       chip_use use, const cpu_tiling *t, size_t tile, const cpu_kernels *kernels) {
  const chip_reading reading = reading_of(batch, use, l);
  if (by_matrix(batch)) {
    kernels->multiply(y, matrix_of(chip, l), x, t->n_modes, t->lanes);
  } else {
    memcpy(y, x, cpu_tile_size(t) * sizeof *y);
    cpu_tap_read_outputs(y, chip->meshes + l, t, tile, &reading, kernels);
  }
}

static size_t tile_count(const cpu_tiling *t, size_t tile) {
  const size_t left = t->count - tile * t->lanes;
  return left < t->lanes ? left : t->lanes;
}

static cpu_read_out read_out_of(const cpu_chip *chip, const cpu_chip_batch *batch, float *power, const float *y,
                                const uint32_t *index, size_t count, size_t lanes) {
  return (cpu_read_out){.softmax = power,
                        .y = y,
                        .factor = chip->ones,
                        .labels = batch->set->labels,
                        .index = index,
                        .n_classes = chip->shape.n_classes,
                        .count = count,
                        .lanes = lanes};
}

void cpu_chip_evaluate(double *loss, uint32_t *predictions, const cpu_chip *chip, const cpu_chip_batch *batch,
                       const cpu_kernels *kernels, cpu_team *team) {
  const cuonn_network_shape *const shape = &chip->shape;
  const cpu_tiling t = cpu_tiling_of(batch->count, shape->n_modes);
  const size_t size = cpu_tile_size(&t), n_chunks = t.n_tiles < kChunks ? t.n_tiles : kChunks;
  if (by_matrix(batch)) read_matrices(chip, batch, CHIP_TEST, kernels, team);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t chunk = 0; chunk < n_chunks; chunk++) {
    const size_t thread = (size_t)omp_get_thread_num();
    float *const x = chip->tiles + thread * 2 * size, *const y = x + size;
    float *const power = chip->powers + thread * shape->n_classes * t.lanes;
    chip->losses[chunk] = 0;
    for (size_t tile = chunk * t.n_tiles / n_chunks; tile < (chunk + 1) * t.n_tiles / n_chunks; tile++) {
      uint32_t index[kMostLanes];
      const size_t count = tile_count(&t, tile);
      for (size_t i = 0; i < count; i++) index[i] = (uint32_t)(tile * t.lanes + i);
      cpu_tile_load(x, batch->set, index, count, t.n_modes, t.lanes);
      for (size_t l = 0; l < shape->n_layers; l++) {
        if (l > 0) kernels->modulus(x, y, chip->ones, t.n_modes, t.lanes);
        layer_tile(y, x, chip, l, batch, CHIP_TEST, &t, tile, kernels);
      }
      const cpu_read_out r = read_out_of(chip, batch, power, y, index, count, t.lanes);
      chip->losses[chunk] += cpu_read_out_loss(&r, predictions, kernels);
    }
  }
  cpu_team_meet(team);
#pragma omp master
  {
    *loss = 0;
    for (size_t chunk = 0; chunk < n_chunks; chunk++) *loss += chip->losses[chunk];
    *loss /= (double)batch->count * (shape->loss_per_class ? (double)shape->n_classes : 1);
  }
  cpu_team_meet(team);
}

/* The batch to the outputs; leaves x and y of all layers, g at the last, and losses of the tiles. */
static void forward(const cpu_chip *chip, const cpu_chip_batch *batch, const cpu_tiling *t, const cpu_kernels *kernels,
                    cpu_team *team) {
  const cuonn_network_shape *const shape = &chip->shape;
  const size_t size = cpu_tile_size(t), layer = batch_floats(chip->most, t->n_modes), last = shape->n_layers - 1;
  const double share = 1 / ((double)batch->count * (shape->loss_per_class ? (double)shape->n_classes : 1));
  if (by_matrix(batch)) read_matrices(chip, batch, CHIP_TRAINING, kernels, team);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t tile = 0; tile < t->n_tiles; tile++) {
    float *const power = chip->powers + (size_t)omp_get_thread_num() * shape->n_classes * t->lanes;
    const uint32_t *const index = chip->index + tile * t->lanes;
    const size_t count = tile_count(t, tile);
    float *const x = chip->x + tile * size, *const y = chip->y + tile * size;
    cpu_tile_load(x, batch->set, index, count, t->n_modes, t->lanes);
    for (size_t l = 0; l <= last; l++) {
      if (l > 0) kernels->modulus(x + l * layer, y + (l - 1) * layer, chip->ones, t->n_modes, t->lanes);
      layer_tile(y + l * layer, x + l * layer, chip, l, batch, CHIP_TRAINING, t, tile, kernels);
    }
    const cpu_read_out r = read_out_of(chip, batch, power, y + last * layer, index, count, t->lanes);
    chip->losses[tile] = share * cpu_read_out_loss(&r, NULL, kernels);
    memset(chip->g + tile * size, 0, size * sizeof *chip->g);
    cpu_read_out_backward(chip->g + tile * size, &r, share, kernels);
  }
  cpu_team_meet(team);
}

/* Column j of sum g x^T is the cotangent that goes back against e_j. */
static void fill_columns(const cpu_chip *chip, const float *x, const cpu_tiling *t, const cpu_tiling *units,
                         const cpu_kernels *kernels, cpu_team *team) {
  const size_t n = t->n_modes, size = cpu_tile_size(t);
#pragma omp for schedule(static) nowait
  for (size_t j = 0; j < n; j++) {
    double *const sums = chip->products + 2 * j * n;
    memset(sums, 0, 2 * n * sizeof *sums);
    for (size_t tile = 0; tile < t->n_tiles; tile++) {
      kernels->add_products(sums, x + tile * size + j * 2 * t->lanes, chip->g + tile * size, n, t->lanes);
    }
    float *const to = chip->columns + j / units->lanes * cpu_tile_size(units) + j % units->lanes;
    for (size_t k = 0; k < n; k++) {
      to[k * 2 * units->lanes] = (float)sums[2 * k];
      to[k * 2 * units->lanes + units->lanes] = (float)sums[2 * k + 1];
    }
  }
  cpu_team_meet(team);
}

/* g becomes matrix^T g, by the matrix that was read. */
static void return_digitally(const cpu_chip *chip, size_t l, const cpu_tiling *t, const cpu_kernels *kernels,
                             cpu_team *team) {
  const size_t n = t->n_modes, size = cpu_tile_size(t);
  const float *const matrix = matrix_of(chip, l);
  float *const transposed = matrix_of(chip, chip->shape.n_layers);
#pragma omp for schedule(static) nowait
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) memcpy(transposed + 2 * (j * n + i), matrix + 2 * (i * n + j), 2 * sizeof *matrix);
  }
  cpu_team_meet(team);
#pragma omp for schedule(static) nowait
  for (size_t tile = 0; tile < t->n_tiles; tile++) {
    float *const back = chip->tiles + (size_t)omp_get_thread_num() * 2 * size, *const g = chip->g + tile * size;
    kernels->multiply(back, transposed, g, n, t->lanes);
    memcpy(g, back, size * sizeof *g);
  }
  cpu_team_meet(team);
}

void cpu_chip_gradient(double *loss, cuonn_mesh_gradient *gradients, const cpu_chip *chip, const cpu_chip_batch *batch,
                       cuonn_gradient_method method, const cpu_kernels *kernels, cpu_team *team) {
  const size_t n = chip->shape.n_modes, layer = batch_floats(chip->most, n);
  const cpu_tiling t = cpu_tiling_of(batch->count, n), units = cpu_tiling_of(n, n);
  const size_t size = cpu_tile_size(&t);
  forward(chip, batch, &t, kernels, team);
#pragma omp master
  {
    *loss = 0;
    for (size_t tile = 0; tile < t.n_tiles; tile++) *loss += chip->losses[tile];
  }
  for (size_t l = chip->shape.n_layers; l-- > 0;) {
    const chip_reading reading = reading_of(batch, CHIP_MEASUREMENT, l);
    const float *const x = chip->x + l * layer;
    if (by_matrix(batch)) {
      fill_columns(chip, x, &t, &units, kernels, team);
      cpu_measure(gradients + l, chip->columns, chip->units, chip->meshes + l, &units, method, &reading,
                  &chip->measuring, kernels, team);
      if (l > 0) return_digitally(chip, l, &t, kernels, team);
    } else {
      cpu_measure(gradients + l, chip->g, x, chip->meshes + l, &t, method, &reading, &chip->measuring, kernels, team);
    }
    if (l == 0) break;
      /* the layer's input, a modulus, is real: what counts of the returned field is its real part */
#pragma omp for schedule(static) nowait
    for (size_t tile = 0; tile < t.n_tiles; tile++) {
      kernels->modulus_backward(chip->g + tile * size, chip->y + (l - 1) * layer + tile * size, chip->ones, n, t.lanes);
    }
    cpu_team_meet(team);
  }
}
