/* Gradients and losses as the chip measures and reads them, one model after the other.
 *
 * measurement: example sends every example, layer after layer, for a measurement is scaled to the whole batch (chip.c).
 * Several processes send those of their chunks, and agree on each scale.
 * measurement: matrix reads the matrices of all layers by unit vectors and sends the batch through them, and back, by
 * numbers, as the method dense does with matrices that it makes (dense_batch.h). The chip then measures unit vectors
 * against the sums of g x^T over the batch: column j of such a sum is the cotangent that goes back against e_j. Several
 * processes share the batch, and each of them measures all unit vectors. */
#include <omp.h>

#include "cpu/dense_batch.h"
#include "cpu/sums.h"

static bool supports(const cuonn_mesh_shape *shape) {
  (void)shape;
  return true;
}

/* A measurement sees what the chip applies, whichever gradient it is for. */
static void prepare(cpu_model *model, size_t layer, cuonn_gradient_method which, const cpu_kernels *kernels) {
  (void)which;
  cpu_tap_mesh_set(model->chip.meshes + layer, model->applied.layers + layer, model->layers + layer, kernels);
}

static chip_reading reading_of(const cpu_model *model, const cpu_batch *batch, chip_use use, size_t layer) {
  return (chip_reading){&model->options, use, (uint32_t)layer, batch->number, batch->pass};
}

/* Reads the matrices of one model, as far as outputs are read. */
static void read_matrices(const cpu_group *group, const cpu_batch *batch, chip_use use) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  const cuonn_network_shape *const shape = &s->problem.shape;
  const cpu_tiling t = cpu_chip_unit_tiling(shape->n_modes);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < shape->n_layers * t.n_tiles; i++) {
    const size_t l = i / t.n_tiles, first = i % t.n_tiles * t.lanes, n_read = dense_read(shape, l);
    const size_t lanes = n_read <= 16 ? 16 : t.lanes;
    const chip_reading reading = reading_of(model, batch, use, l);
    float *const rows = group->spaces[omp_get_thread_num()].g;
    if (first >= n_read) continue;
    cpu_tap_read_rows(rows, model->chip.meshes + l, n_read, first, lanes, &reading, s->kernels);
    dense_store_rows(&model->dense, shape, l, rows, first, lanes);
  }
  cpu_team_meet(group->team);
}

/* The sums over the batch as cotangents of unit vectors, [layer][tile][output][2][lanes of inputs]. */
static void fill_columns(const cpu_group *group, size_t n_chunks) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  const cuonn_network_shape *const shape = &s->problem.shape;
  const size_t n = shape->n_modes;
  const cpu_tiling t = cpu_chip_unit_tiling(n);
#pragma omp for schedule(dynamic, 1) nowait
  for (size_t i = 0; i < shape->n_layers * t.n_tiles; i++) {
    const size_t l = i / t.n_tiles, first = i % t.n_tiles * t.lanes;
    float *const sums = group->spaces[omp_get_thread_num()].g;
    float *const columns = model->chip.columns + l * t.n_tiles * cpu_tile_size(&t);
    const bool dark = first >= dense_lanes(shape, l);
    if (!dark) dense_load_sums(sums, &model->dense, shape, l, n_chunks, first, t.lanes, s->kernels);
    for (size_t out = first; out < first + t.lanes && out < n; out++) {
      for (size_t plane = 0; plane < 2; plane++) {
        float *const to = columns + (out * 2 + plane) * t.lanes;
        const float *const from = sums + plane * t.lanes + out - first;
        for (size_t in = 0; in < n; in++) {
          to[in / t.lanes * cpu_tile_size(&t) + in % t.lanes] = dark ? 0 : from[in * 2 * t.lanes];
        }
      }
    }
  }
  cpu_team_meet(group->team);
}

static void matrix_gradient(double *loss, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  const size_t layers = s->problem.shape.n_layers;
  const cpu_tiling t = cpu_chip_unit_tiling(s->problem.shape.n_modes);
  const dense_division d = dense_divide(s, batch);
#pragma omp master
  for (size_t l = 0; l < layers; l++) {
    model->chip.measurements[l] =
        (cpu_measurement){model->gradients + l, model->chip.meshes + l, reading_of(model, batch, CHIP_MEASUREMENT, l),
                          model->chip.units, model->chip.columns + l * t.n_tiles * cpu_tile_size(&t)};
  }
  read_matrices(group, batch, CHIP_TRAINING);
  dense_run(group, &d, NULL, true);
  const size_t n_left = dense_share_sums(group, d.n_chunks);
#pragma omp master
  *loss = cpu_total_loss(s, group->first, d.n_chunks, d.share);
  fill_columns(group, n_left);
  cpu_measure(model->chip.measurements, layers, &t, cpu_which(group, group->first), &model->chip.measuring, s->kernels,
              group->team, NULL);
}

/* A batch of training, whose examples are gathered, or a whole set, of which there is no such list. */
static cpu_chip_batch gather(const cpu_group *group, const cpu_batch *batch) {
  const cpu_model *const model = group->state->models + group->first;
  uint32_t *const index = batch->use == CHIP_TEST ? NULL : model->chip.index;
  if (index) {
#pragma omp for schedule(static) nowait
    for (size_t i = 0; i < batch->count; i++) index[i] = cpu_example_at(model, batch, i);
    cpu_team_meet(group->team);
  }
  return (cpu_chip_batch){batch->set, index, batch->count, &model->options, batch->number, batch->pass};
}

static void example_gradient(double *loss, const cpu_group *group, const cpu_batch *batch) {
  const cpu_model *const model = group->state->models + group->first;
  const cpu_chip_batch on_chip = gather(group, batch);
  cpu_chip_gradient(loss, model->gradients, &model->chip, &on_chip, cpu_which(group, group->first),
                    group->state->kernels, group->team);
}

static bool by_matrix(const cpu_group *group) {
  return group->state->models[group->first].options.measurement == CUONN_MEASUREMENT_MATRIX;
}

static void gradient(double *losses, const cpu_group *group, const cpu_batch *batch) {
  for (size_t m = 0; m < group->n_models; m++) {
    const cpu_group one = {group->state, group->first + m, 1, group->which, group->spaces, group->team};
    if (by_matrix(&one)) {
      matrix_gradient(losses + m, &one, batch);
    } else {
      example_gradient(losses + m, &one, batch);
    }
  }
}

static void evaluate(double *loss, uint32_t *predictions, const cpu_group *group, const cpu_batch *batch) {
  const cpu_state *const s = group->state;
  const cpu_model *const model = s->models + group->first;
  if (by_matrix(group)) {
    const dense_division d = dense_divide(s, batch);
    read_matrices(group, batch, batch->use);
    dense_run(group, &d, predictions, false);
    cpu_share_losses(group, d.n_chunks);
#pragma omp master
    *loss = cpu_total_loss(s, group->first, d.n_chunks, d.share);
    return;
  }
  const cpu_chip_batch on_chip = gather(group, batch);
  cpu_chip_evaluate(loss, predictions, &model->chip, &on_chip, batch->use, s->kernels, group->team);
}

const cpu_method cpu_in_situ = {"in situ", supports, prepare, gradient, evaluate};
