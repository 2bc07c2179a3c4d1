/* Fabricated chips on the device. Each chip is there once, however many models are on it: its curves by place, and its
 * crosstalk as two lists by rows, one for phases and the transpose for gradients. The entries of a row stand in the
 * order of the other shifter's number, so that sums have the same order on every device. */
#include "cuda/curves.h"

#include <stdlib.h>

#include "base/memory.h"

/* The chips of all models, each once, and what they have together. */
typedef struct {
  const cuonn_fabricated **chips;
  size_t *of_model; /* number in `chips` of those that have one */
  size_t n_chips, n_entries;
} chip_list;

static cuonn_status list_chips(chip_list *out, const cuda_state *s) {
  const size_t models = s->problem.n_models;
  CUONN_TRY(cuonn_allocate(&out->chips, models, sizeof(cuonn_fabricated *)));
  CUONN_TRY(cuonn_allocate(&out->of_model, models, sizeof *out->of_model));
  for (size_t m = 0; m < models; m++) {
    const cuonn_fabricated *const chip = s->models[m].chip.fabricated;
    size_t *const i = &out->of_model[m];
    while (chip && *i < out->n_chips && out->chips[*i] != chip) ++*i;
    if (!chip || *i < out->n_chips) continue;
    out->chips[out->n_chips++] = chip;
    if (cuda_has_rows(chip)) out->n_entries += chip->crosstalk_first[chip->n_layers];
  }
  return CUONN_OK;
}

static void free_list(chip_list *list) {
  free(list->chips);
  free(list->of_model);
}

/* ---- curves ---- */

/* offset, slope: [chip][layer][place] on the device. */
static cuonn_status put_curves(double2 *offset, double2 *slope, const cuda_state *s, const chip_list *list) {
  const size_t layers = s->problem.shape.n_layers, nodes = s->meshes.n_nodes;
  for (size_t i = 0; i < list->n_chips * layers; i++) {
    const cuonn_fabricated *const chip = list->chips[i / layers];
    if (!cuda_has_curves(chip)) continue;
    const size_t first = i % layers * cuonn_fabricated_shifters(chip);
    const double *const a = chip->drive_offset + first, *const b = chip->drive_slope + first;
    CUONN_TRY(cuda_meshes_set_pairs(offset, &s->meshes, i, a, a + nodes, s->scratch, s->session->stream));
    CUONN_TRY(cuda_meshes_set_pairs(slope, &s->meshes, i, b, b + nodes, s->scratch, s->session->stream));
  }
  return CUONN_OK;
}

/* ---- crosstalk ---- */

/* Rows of all chips on the host: first [chip][layer][shifter] + 1. */
typedef struct {
  size_t *first;
  uint32_t *other;
  double *share;
} host_rows;

/* Number on the device of shifter i of a mesh. */
static size_t shifter_of(const cuda_meshes *m, uint32_t i) {
  return 2 * (size_t)m->place[i % m->n_nodes] + i / m->n_nodes;
}

/* Rows of one layer, behind *n entries; gives: of the transpose. */
static void put_layer(const host_rows *rows, size_t *n, size_t mesh, const cuda_meshes *m, const cuonn_crosstalk *from,
                      size_t count, bool gives) {
  const size_t shifters = 2 * m->places;
  size_t *const first = rows->first + mesh * shifters;
  for (size_t i = 0; i < count; i++) first[shifter_of(m, gives ? from[i].from : from[i].to)]++;
  for (size_t i = 0; i < shifters; i++) { /* from numbers to where each row ends */
    *n += first[i];
    first[i] = *n;
  }
  for (size_t i = count; i-- > 0;) { /* and, as entries are put from the last to the first, to where it begins */
    const size_t at = --first[shifter_of(m, gives ? from[i].from : from[i].to)];
    rows->other[at] = (uint32_t)shifter_of(m, gives ? from[i].to : from[i].from);
    rows->share[at] = from[i].share;
  }
}

static void put_rows(const host_rows *rows, const cuda_state *s, const chip_list *list, bool gives) {
  const size_t layers = s->problem.shape.n_layers;
  size_t n = 0;
  for (size_t i = 0; i < list->n_chips * layers; i++) {
    const cuonn_fabricated *const chip = list->chips[i / layers];
    const size_t *const first = chip->crosstalk_first + i % layers;
    put_layer(rows, &n, i, &s->meshes, chip->crosstalk ? chip->crosstalk + first[0] : NULL,
              chip->crosstalk ? first[1] - first[0] : 0, gives);
  }
  rows->first[list->n_chips * layers * 2 * s->meshes.places] = n;
}

/* To the device; out: of the first chip. */
static cuonn_status make_rows(crosstalk_rows *out, cuda_state *s, const chip_list *list, bool gives) {
  const size_t n_first = list->n_chips * s->problem.shape.n_layers * 2 * s->meshes.places + 1, n = list->n_entries;
  cudaStream_t stream = s->session->stream;
  cuda_memory *const memory = &s->chip.memory;
  const char *const of = "the crosstalk of chips";
  cuonn_status status = CUONN_OK;
  host_rows rows = {NULL, NULL, NULL};
  void *first, *other, *share;
  CUONN_TRY_DONE(cuonn_allocate(&rows.first, n_first, sizeof *rows.first));
  CUONN_TRY_DONE(cuonn_allocate(&rows.other, n, sizeof *rows.other));
  CUONN_TRY_DONE(cuonn_allocate(&rows.share, n, sizeof *rows.share));
  CUONN_TRY_DONE(cuda_allocate(&first, memory, n_first, sizeof *rows.first, of));
  CUONN_TRY_DONE(cuda_allocate(&other, memory, n, sizeof *rows.other, of));
  CUONN_TRY_DONE(cuda_allocate(&share, memory, n, sizeof *rows.share, of));
  put_rows(&rows, s, list, gives);
  CUONN_CUDA_DONE(cudaMemcpyAsync(first, rows.first, n_first * sizeof *rows.first, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaMemcpyAsync(other, rows.other, n * sizeof *rows.other, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaMemcpyAsync(share, rows.share, n * sizeof *rows.share, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
  *out = (crosstalk_rows){first, other, share};
done:
  free(rows.share);
  free(rows.other);
  free(rows.first);
  return status;
}

/* ---- models ---- */

/* Of a model's chip; all: of the first one. */
static shifter_curves curves_of(const shifter_curves *all, const cuda_state *s, const chip_list *list, size_t model) {
  const size_t places = s->problem.shape.n_layers * s->meshes.places, i = list->of_model[model];
  const cuonn_fabricated *const chip = s->models[model].chip.fabricated;
  shifter_curves out = {0};
  if (cuda_has_curves(chip)) {
    out.least = chip->driver.least;
    out.most = chip->driver.most;
    out.bits = (unsigned)chip->driver.bits;
    out.offset = all->offset + i * places;
    out.slope = all->slope + i * places;
  }
  if (cuda_has_rows(chip)) {
    out.gets = all->gets;
    out.gives = all->gives;
    out.gets.first += i * 2 * places;
    out.gives.first += i * 2 * places;
  }
  return out;
}

cuonn_status cuda_curves_set(cuda_state *s) {
  const size_t models = s->problem.n_models, meshes = s->problem.shape.n_layers;
  cuda_memory *const memory = &s->chip.memory;
  cuonn_status status = CUONN_OK;
  shifter_curves all = {0}, *curves = NULL;
  chip_list list = {0};
  double2 *offset = NULL, *slope = NULL;
  CUONN_TRY_DONE(list_chips(&list, s));
  const size_t places = list.n_chips * meshes * s->meshes.places;
  if (s->chip.by_curves) {
    CUONN_TRY_DONE(cuda_allocate(&offset, memory, places, sizeof *offset, "the drive curves of chips"));
    CUONN_TRY_DONE(cuda_allocate(&slope, memory, places, sizeof *slope, "the drive curves of chips"));
    CUONN_TRY_DONE(put_curves(offset, slope, s, &list));
    all.offset = offset;
    all.slope = slope;
  }
  if (s->chip.by_rows) {
    CUONN_TRY_DONE(make_rows(&all.gets, s, &list, false));
    CUONN_TRY_DONE(make_rows(&all.gives, s, &list, true));
  }
  CUONN_TRY_DONE(cuonn_allocate(&curves, models, sizeof *curves));
  CUONN_TRY_DONE(cuda_allocate(&s->chip.curves, memory, models, sizeof *curves, "the chips"));
  for (size_t m = 0; m < models; m++) curves[m] = curves_of(&all, s, &list, m);
  CUONN_CUDA_DONE(
      cudaMemcpyAsync(s->chip.curves, curves, models * sizeof *curves, cudaMemcpyHostToDevice, s->session->stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(s->session->stream));
done:
  free(curves);
  free_list(&list);
  return status;
}
