#include "cpu/chip.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/nonlinear.h"

/* Chunks of a set that is read, each summed by one thread: sums over threads would depend on their order. */
enum { kChunks = 64, kTiles = 3 };

/* Floats that a batch of any size up to `most` fills in tiles; whole vectors. */
static size_t batch_floats(size_t most, size_t n_modes) {
  return most == 0 ? 0 : (most / 16 * 16 + 16 + cpu_tile_lanes(UINT32_MAX, n_modes)) * 2 * n_modes;
}

/* Broad tiles, because a node's sums cost as much as 16 lanes, but two of 64, to share. */
cpu_tiling cpu_chip_unit_tiling(size_t n_modes) {
  const size_t most = cpu_tile_lanes(UINT32_MAX, n_modes), lanes = n_modes <= 16 || most < 32 ? 16 : 32;
  return (cpu_tiling){n_modes, n_modes, lanes, (n_modes + lanes - 1) / lanes};
}

/* For examples that are sent one by one. */
static cuonn_status create_batch(cpu_chip *out, const cuonn_network_shape *shape, size_t most, size_t threads) {
  const size_t n = shape->n_modes, lanes = cpu_tile_lanes(UINT32_MAX, n), batch = batch_floats(most, n);
  CUONN_TRY(cuonn_allocate(&out->index, most, sizeof *out->index));
  CUONN_TRY(cuonn_allocate(&out->x, shape->n_layers * batch, sizeof *out->x));
  CUONN_TRY(cuonn_allocate(&out->y, shape->n_layers * batch, sizeof *out->y));
  CUONN_TRY(cuonn_allocate(&out->g, batch, sizeof *out->g));
  CUONN_TRY(cuonn_allocate(&out->losses, (most + 15) / 16 + kChunks, sizeof *out->losses));
  if (most > 0) {
    const cpu_tiling t = cpu_tiling_of(most, n);
    CUONN_TRY(cpu_measure_space_create(&out->measuring, 1, &t, shape->mesh, (int)threads));
  }
  CUONN_TRY(cuonn_allocate(&out->tiles, threads * kTiles * n * 2 * lanes, sizeof *out->tiles));
  CUONN_TRY(cuonn_allocate(&out->powers, threads * shape->n_classes * lanes, sizeof *out->powers));
  CUONN_TRY(cuonn_allocate(&out->ones, n, sizeof *out->ones));
  CUONN_TRY(cuonn_allocate(&out->unturned, n, sizeof *out->unturned));
  for (size_t w = 0; w < n; w++) out->ones[w] = out->unturned[w][0] = 1;
  if (shape->layer != CUONN_LAYER_UNITARY) {
    CUONN_TRY(cuonn_allocate(&out->slopes, (most + 15) / 16 * n, sizeof *out->slopes));
    CUONN_TRY(cuonn_allocate(&out->chunk_slopes, kMostChunks * n, sizeof *out->chunk_slopes));
  }
  return CUONN_OK;
}

/* For unit vectors and their cotangents. */
static cuonn_status create_units(cpu_chip *out, const cuonn_network_shape *shape, size_t threads) {
  const size_t n = shape->n_modes;
  const cpu_tiling t = cpu_chip_unit_tiling(n);
  const size_t size = cpu_tile_size(&t);
  CUONN_TRY(cuonn_allocate(&out->units, t.n_tiles * size, sizeof *out->units));
  for (size_t j = 0; j < n; j++) out->units[j / t.lanes * size + j * 2 * t.lanes + j % t.lanes] = 1;
  CUONN_TRY(cuonn_allocate(&out->columns, shape->n_layers * t.n_tiles * size, sizeof *out->columns));
  CUONN_TRY(cuonn_allocate(&out->measurements, shape->n_layers, sizeof *out->measurements));
  return cpu_measure_space_create(&out->measuring, shape->n_layers, &t, shape->mesh, (int)threads);
}

cuonn_status cpu_chip_create(cpu_chip *out, const cuonn_network_shape *shape, cuonn_measurement measurement,
                             size_t most, int threads) {
  cuonn_status status = CUONN_OK;
  *out = (cpu_chip){.shape = *shape, .most = most};
  CUONN_TRY_DONE(cuonn_allocate(&out->meshes, shape->n_layers, sizeof *out->meshes));
  for (size_t l = 0; l < shape->n_layers; l++) CUONN_TRY_DONE(cpu_tap_mesh_create(out->meshes + l, shape->mesh));
  if (measurement == CUONN_MEASUREMENT_EXAMPLE) {
    CUONN_TRY_DONE(create_batch(out, shape, most, (size_t)threads));
  } else if (most > 0) {
    CUONN_TRY_DONE(create_units(out, shape, (size_t)threads));
  }
done:
  if (status != CUONN_OK) cpu_chip_free(out);
  return status;
}

void cpu_chip_free(cpu_chip *chip) {
  for (size_t l = 0; chip->meshes && l < chip->shape.n_layers; l++) cpu_tap_mesh_free(chip->meshes + l);
  free(chip->meshes);
  cpu_measure_space_free(&chip->measuring);
  free(chip->index);
  free(chip->x);
  free(chip->y);
  free(chip->g);
  free(chip->losses);
  free(chip->tiles);
  free(chip->powers);
  free(chip->ones);
  free(chip->unturned);
  free(chip->slopes);
  free(chip->chunk_slopes);
  free(chip->units);
  free(chip->columns);
  free(chip->measurements);
  memset(chip, 0, sizeof *chip);
}

/* Fields are read as they are. */
static cpu_behind behind(const cpu_chip *chip, size_t l) {
  const cpu_outputs ones = {chip->ones, (const float(*)[2])chip->unturned};
  const bool amplitudes = cuonn_network_has_amplitudes(&chip->shape, l);
  return (cpu_behind){.of = ones,
                      .amplitudes = amplitudes ? chip->amplitudes + l * chip->shape.n_modes : NULL,
                      .law = cuonn_network_has_nonlinearity(&chip->shape, l) ? &chip->shape.nonlinearity : NULL,
                      .ones = ones};
}

static chip_reading reading_of(const cpu_chip_batch *batch, chip_use use, size_t layer) {
  return (chip_reading){batch->options, use, (uint32_t)layer, batch->step, batch->pass};
}

/* One tile x through a layer to what is read, y. */
static void layer_tile(float *y, const float *x, const cpu_chip *chip, size_t l, const cpu_chip_batch *batch,
                       chip_use use, const cpu_tiling *t, size_t tile, const cpu_kernels *kernels) {
  const chip_reading reading = reading_of(batch, use, l);
  memcpy(y, x, cpu_tile_size(t) * sizeof *y);
  cpu_tap_read_outputs(y, chip->meshes + l, t, tile, &reading, kernels);
}

static size_t tile_count(const cpu_tiling *t, size_t tile) {
  const size_t left = t->count - tile * t->lanes;
  return left < t->lanes ? left : t->lanes;
}

static cpu_read_out read_out_of(const cpu_chip *chip, const cpu_chip_batch *batch, float *power, const float *y,
                                const uint32_t *index, size_t count, size_t lanes) {
  return (cpu_read_out){.loss = chip->shape.loss,
                        .power = power,
                        .y = y,
                        .factor = chip->ones,
                        .labels = batch->set->labels,
                        .index = index,
                        .n_classes = chip->shape.n_classes,
                        .count = count,
                        .lanes = lanes};
}

void cpu_chip_evaluate(double *loss, uint32_t *predictions, const cpu_chip *chip, const cpu_chip_batch *batch,
                       chip_use use, const cpu_kernels *kernels, cpu_team *team) {
  const cuonn_network_shape *const shape = &chip->shape;
  const cpu_tiling t = cpu_tiling_of(batch->count, shape->n_modes);
  const size_t size = cpu_tile_size(&t), n_chunks = t.n_tiles < kChunks ? t.n_tiles : kChunks;
  const cpu_chunks own = cpu_own_chunks(chip->processes, n_chunks);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t chunk = own.first; chunk < own.end; chunk++) {
    const size_t thread = (size_t)omp_get_thread_num();
    float *const x = chip->tiles + thread * kTiles * size, *const y = x + size, *const room = y + size;
    float *const power = chip->powers + thread * shape->n_classes * t.lanes;
    chip->losses[chunk] = 0;
    for (size_t tile = chunk * t.n_tiles / n_chunks; tile < (chunk + 1) * t.n_tiles / n_chunks; tile++) {
      uint32_t index[kMostLanes];
      const size_t count = tile_count(&t, tile), first = tile * t.lanes;
      for (size_t i = 0; i < count; i++) index[i] = batch->index ? batch->index[first + i] : (uint32_t)(first + i);
      cpu_tile_load(x, batch->set, index, count, t.n_modes, t.lanes);
      const float *out = y;
      for (size_t l = 0; l < shape->n_layers; l++) {
        const cpu_behind b = behind(chip, l);
        layer_tile(y, x, chip, l, batch, use, &t, tile, kernels);
        if (cpu_is_behind(&b)) cpu_pass(x, room, y, &b, t.n_modes, t.lanes, kernels);
        out = cpu_is_behind(&b) ? x : y;
      }
      const cpu_read_out r = read_out_of(chip, batch, power, out, index, count, t.lanes);
      chip->losses[chunk] += cpu_read_out_loss(&r, predictions, kernels);
    }
  }
  cpu_team_meet(team);
#pragma omp master
  {
    *loss = 0;
    cpu_processes_fill(chip->processes, chip->losses, n_chunks);
    for (size_t chunk = 0; chunk < n_chunks; chunk++) *loss += chip->losses[chunk];
    *loss /= (double)batch->count * (shape->loss_per_class ? (double)shape->n_classes : 1);
  }
  cpu_team_meet(team);
}

/* Tiles of a batch that this process sends. */
static cpu_chunks own_tiles(const cpu_chip *chip, const cpu_tiling *t) {
  const cpu_chunks own = cpu_own_chunks(chip->processes, cpu_tile_chunks(t));
  return (cpu_chunks){cpu_chunk_tile(t, own.first), cpu_chunk_tile(t, own.end)};
}

/* The batch to the outputs; leaves x and y of all layers, g at the last, and losses of the tiles. */
static void forward(const cpu_chip *chip, const cpu_chip_batch *batch, const cpu_tiling *t, const cpu_kernels *kernels,
                    cpu_team *team) {
  const cuonn_network_shape *const shape = &chip->shape;
  const size_t size = cpu_tile_size(t), layer = batch_floats(chip->most, t->n_modes), last = shape->n_layers - 1;
  const double share = 1 / ((double)batch->count * (shape->loss_per_class ? (double)shape->n_classes : 1));
  const cpu_chunks own = own_tiles(chip, t);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t tile = own.first; tile < own.end; tile++) {
    float *const power = chip->powers + (size_t)omp_get_thread_num() * shape->n_classes * t->lanes;
    const uint32_t *const index = batch->index + tile * t->lanes;
    const size_t count = tile_count(t, tile);
    float *const x = chip->x + tile * size, *const y = chip->y + tile * size;
    cpu_tile_load(x, batch->set, index, count, t->n_modes, t->lanes);
    float *const weakened = chip->tiles + (size_t)omp_get_thread_num() * kTiles * size, *const room = weakened + size;
    const float *out = y + last * layer;
    for (size_t l = 0; l <= last; l++) {
      const cpu_behind b = behind(chip, l);
      layer_tile(y + l * layer, x + l * layer, chip, l, batch, CHIP_TRAINING, t, tile, kernels);
      if (!cpu_is_behind(&b)) continue;
      cpu_pass(l < last ? x + (l + 1) * layer : weakened, room, y + l * layer, &b, t->n_modes, t->lanes, kernels);
      if (l == last) out = weakened;
    }
    const cpu_read_out r = read_out_of(chip, batch, power, out, index, count, t->lanes);
    chip->losses[tile] = share * cpu_read_out_loss(&r, NULL, kernels);
    memset(chip->g + tile * size, 0, size * sizeof *chip->g);
    cpu_read_out_backward(chip->g + tile * size, &r, share, kernels);
  }
  cpu_team_meet(team);
}

/* Derivatives by the amplitudes of a layer, from those of its tiles. */
static void add_slopes(double *d_amplitude, const cpu_chip *chip, const cpu_tiling *t, cpu_team *team) {
  const size_t n = t->n_modes, n_chunks = cpu_tile_chunks(t);
  const cpu_chunks own = cpu_own_chunks(chip->processes, n_chunks);
  const cpu_terms terms = {(char *)chip->chunk_slopes, n * sizeof(double), n, sizeof(double)};
#pragma omp for schedule(static) nowait
  for (size_t w = 0; w < n; w++) {
    for (size_t chunk = own.first; chunk < own.end; chunk++) {
      double sum = 0;
      for (size_t tile = cpu_chunk_tile(t, chunk); tile < cpu_chunk_tile(t, chunk + 1); tile++)
        sum += chip->slopes[tile * n + w];
      chip->chunk_slopes[chunk * n + w] = sum;
    }
  }
  cpu_team_meet(team);
  cpu_processes_add(chip->processes, team, &terms, n_chunks);
#pragma omp master
  memcpy(d_amplitude, chip->chunk_slopes, n * sizeof *d_amplitude);
}

/* Cotangents of what follows layer l become those of its outputs; derivatives by its amplitudes. */
static void back_to_outputs(cuonn_mesh_gradient *gradient, const cpu_chip *chip, size_t l, const cpu_tiling *t,
                            const cpu_kernels *kernels, cpu_team *team) {
  const cpu_behind b = behind(chip, l);
  const size_t n = t->n_modes, size = cpu_tile_size(t), layer = batch_floats(chip->most, n);
  if (gradient->d_amplitude && !b.amplitudes) {
#pragma omp master
    memset(gradient->d_amplitude, 0, n * sizeof *gradient->d_amplitude);
  }
  if (!cpu_is_behind(&b)) return;
  const cpu_chunks own = own_tiles(chip, t);
#pragma omp for schedule(static) nowait
  for (size_t tile = own.first; tile < own.end; tile++) {
    float *const room = chip->tiles + (size_t)omp_get_thread_num() * kTiles * size;
    double *const slope = chip->slopes ? chip->slopes + tile * n : NULL;
    if (slope) memset(slope, 0, n * sizeof *slope);
    cpu_pass_back(slope, chip->g + tile * size, room, chip->y + l * layer + tile * size, &b, n, t->lanes, kernels);
  }
  cpu_team_meet(team);
  if (b.amplitudes) add_slopes(gradient->d_amplitude, chip, t, team);
}

/* From the losses of tiles. */
static double total_loss(const cpu_chip *chip, const cpu_tiling *t) {
  const size_t n_chunks = cpu_tile_chunks(t);
  const cpu_chunks own = cpu_own_chunks(chip->processes, n_chunks);
  double losses[kMostChunks] = {0};
  for (size_t chunk = own.first; chunk < own.end; chunk++) {
    for (size_t tile = cpu_chunk_tile(t, chunk); tile < cpu_chunk_tile(t, chunk + 1); tile++)
      losses[chunk] += chip->losses[tile];
  }
  cpu_processes_fill(chip->processes, losses, n_chunks);
  return cpu_tree_total(losses, 1, n_chunks);
}

void cpu_chip_gradient(double *loss, cuonn_mesh_gradient *gradients, const cpu_chip *chip, const cpu_chip_batch *batch,
                       cuonn_gradient_method method, const cpu_kernels *kernels, cpu_team *team) {
  const size_t n = chip->shape.n_modes, layer = batch_floats(chip->most, n);
  const cpu_tiling t = cpu_tiling_of(batch->count, n);
  forward(chip, batch, &t, kernels, team);
#pragma omp master
  *loss = total_loss(chip, &t);
  for (size_t l = chip->shape.n_layers; l-- > 0;) {
    const cpu_measurement of = {gradients + l, chip->meshes + l, reading_of(batch, CHIP_MEASUREMENT, l),
                                chip->x + l * layer, chip->g};
    back_to_outputs(gradients + l, chip, l, &t, kernels, team);
    cpu_measure(&of, 1, &t, method, &chip->measuring, kernels, team, chip->processes);
  }
}
