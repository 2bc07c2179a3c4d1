/* Chip files: what was measured or drawn of a fabricated chip, by layer and node. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/attributes.h"
#include "results/drive.h"
#include "results/phases.h"
#include "results/shape.h"

enum { kErrors = 2, kCrosstalk = 4, kMost = kErrors + RESULTS_DRIVE_VARIABLES + kCrosstalk + RESULTS_SHAPE_VARIABLES };

/* coupler_error and loss_db. */
static void error_variables(results_variable out[kErrors], size_t n_layers, const cuonn_mesh_shape *shape) {
  results_variable all[RESULTS_MESH_ARRAYS];
  results_mesh_variables(all, n_layers, shape, CUONN_STYLE_TOP);
  memcpy(out, all + RESULTS_MESH_ARRAYS - kErrors, kErrors * sizeof *out);
}

static void crosstalk_variables(results_variable out[kCrosstalk], size_t count) {
  static const char *const names[kCrosstalk][2] = {
      {"crosstalk", "share of a driven phase that another shifter gets"},
      {"crosstalk_to", "shifter that gets it: theta of node k is k, phi is the number of nodes + k"},
      {"crosstalk_from", "shifter that gives it"},
      {"crosstalk_layer", "mesh of both"}};
  for (size_t i = 0; i < kCrosstalk; i++)
    out[i] = (results_variable){names[i][0], {{"entry", count}}, NULL, .long_name = names[i][1]};
}

/* ---- writing ---- */

static cuonn_status put_crosstalk(const results_file *file, const cuonn_fabricated *chip) {
  cuonn_status status = CUONN_OK;
  results_variable variables[kCrosstalk];
  double *values = NULL; /* [kCrosstalk][entry] */
  const size_t count = chip->crosstalk_first[chip->n_layers];
  if (count == 0) return CUONN_OK;
  crosstalk_variables(variables, count);
  CUONN_TRY_DONE(cuonn_allocate(&values, kCrosstalk * count, sizeof *values));
  for (size_t l = 0; l < chip->n_layers; l++) {
    for (size_t i = chip->crosstalk_first[l]; i < chip->crosstalk_first[l + 1]; i++) {
      values[i] = chip->crosstalk[i].share;
      values[count + i] = chip->crosstalk[i].to;
      values[2 * count + i] = chip->crosstalk[i].from;
      values[3 * count + i] = (double)l;
    }
  }
  for (size_t v = 0; v < kCrosstalk; v++)
    CUONN_TRY_DONE(results_put(file, &variables[v], RESULTS_WHOLE, values + v * count));
done:
  free(values);
  return status;
}

static cuonn_status define(const results_file *file, const cuonn_fabricated *chip) {
  results_variable variables[kMost];
  const size_t entries = chip->crosstalk_first[chip->n_layers];
  size_t count = kErrors;
  error_variables(variables, chip->n_layers, chip->shape);
  count += results_drive_variables(variables + count, chip, chip->n_layers);
  if (entries > 0) {
    crosstalk_variables(variables + count, entries);
    count += kCrosstalk;
  }
  CUONN_TRY(results_put_mesh_attributes(file, chip->shape, chip->style));
  CUONN_TRY(results_put_count(file, "modes", (int)cuonn_mesh_shape_modes(chip->shape)));
  if (chip->wavelength > 0) CUONN_TRY(results_put_number(file, "wavelength_nm", chip->wavelength));
  CUONN_TRY(results_put_driver(file, chip));
  return results_define_meshes(file, variables, count, chip->shape);
}

cuonn_status cuonn_fabricated_write(const char *path, const cuonn_fabricated *chip) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable errors[kErrors];
  error_variables(errors, chip->n_layers, chip->shape);
  CUONN_TRY_DONE(results_create(&file, path, "Chip: errors, losses, drive curves and crosstalk"));
  CUONN_TRY_DONE(define(&file, chip));
  CUONN_TRY_DONE(results_put(&file, &errors[0], RESULTS_WHOLE, chip->coupler_error));
  CUONN_TRY_DONE(results_put(&file, &errors[1], RESULTS_WHOLE, chip->loss_db));
  CUONN_TRY_DONE(results_put_drive(&file, chip));
  CUONN_TRY_DONE(put_crosstalk(&file, chip));
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* ---- reading ---- */

/* Whole numbers below `end`. */
static cuonn_status check_numbers(const double *numbers, size_t count, size_t end, const results_file *file,
                                  const char *name) {
  for (size_t i = 0; i < count; i++)
    CUONN_CHECK(numbers[i] >= 0 && numbers[i] < (double)end && numbers[i] == floor(numbers[i]), CUONN_E_DATA,
                "%s: %s[%zu] is %g; it is a whole number from 0 to %zu", file->path, name, i, numbers[i], end - 1);
  return CUONN_OK;
}

/* values: [kCrosstalk][count]. */
static cuonn_status take_crosstalk(cuonn_fabricated *chip, const results_file *file, const double *values,
                                   size_t count) {
  const double *const layers = values + 3 * count;
  const size_t shifters = 2 * cuonn_mesh_shape_nodes(chip->shape);
  CUONN_TRY(check_numbers(values + count, count, shifters, file, "crosstalk_to"));
  CUONN_TRY(check_numbers(values + 2 * count, count, shifters, file, "crosstalk_from"));
  CUONN_TRY(check_numbers(layers, count, chip->n_layers, file, "crosstalk_layer"));
  CUONN_TRY(cuonn_allocate(&chip->crosstalk, count, sizeof *chip->crosstalk));
  for (size_t i = 0; i < count; i++) {
    CUONN_CHECK(i == 0 || layers[i] >= layers[i - 1], CUONN_E_DATA,
                "%s: crosstalk_layer[%zu] is %g behind %g; entries stand layer by layer", file->path, i, layers[i],
                layers[i - 1]);
    chip->crosstalk[i] = (cuonn_crosstalk){(uint32_t)values[count + i], (uint32_t)values[2 * count + i], values[i]};
    chip->crosstalk_first[(size_t)layers[i] + 1]++;
  }
  for (size_t l = 0; l < chip->n_layers; l++) chip->crosstalk_first[l + 1] += chip->crosstalk_first[l];
  return CUONN_OK;
}

static cuonn_status get_crosstalk(cuonn_fabricated *chip, const results_file *file) {
  cuonn_status status = CUONN_OK;
  results_variable variables[kCrosstalk];
  double *values = NULL;
  size_t rank, lengths[RESULTS_RANK];
  crosstalk_variables(variables, 1);
  CUONN_TRY_DONE(results_shape(&rank, lengths, file, variables, 1));
  const size_t count = lengths[0];
  crosstalk_variables(variables, count);
  CUONN_TRY_DONE(cuonn_allocate(&values, kCrosstalk * count, sizeof *values));
  for (size_t v = 0; v < kCrosstalk; v++) {
    if (v == 3 && chip->n_layers == 1 && !results_has(file, variables[v].name)) continue;
    CUONN_TRY_DONE(results_get(values + v * count, file, &variables[v], RESULTS_WHOLE));
  }
  CUONN_TRY_DONE(take_crosstalk(chip, file, values, count));
done:
  free(values);
  return status;
}

static cuonn_status read_chip(void *user, const results_file *file) {
  cuonn_fabricated *const out = user;
  results_phases meshes = {0};
  results_variable errors[kErrors];
  bool found;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(results_get_chip_meshes(&meshes, file));
  CUONN_TRY_DONE(cuonn_fabricated_create(out, meshes.mesh, meshes.style, meshes.n_layers ? meshes.n_layers : 1));
  CUONN_TRY_DONE(results_get_number(&out->wavelength, &found, file, "wavelength_nm"));
  error_variables(errors, meshes.n_layers, meshes.mesh);
  double *const arrays[kErrors] = {out->coupler_error, out->loss_db};
  for (size_t i = 0; i < kErrors; i++)
    if (results_has(file, errors[i].name)) CUONN_TRY_DONE(results_get(arrays[i], file, &errors[i], RESULTS_WHOLE));
  if (results_has_drive(file)) CUONN_TRY_DONE(results_get_drive(out, file, meshes.n_layers));
  if (results_has(file, "crosstalk")) CUONN_TRY_DONE(get_crosstalk(out, file));
  status = cuonn_fabricated_check(out);
  if (status != CUONN_OK) cuonn_fail_within(status, "%s", file->path);
done:
  results_phases_free(&meshes);
  return status;
}

cuonn_status cuonn_fabricated_read(cuonn_fabricated *out, const char *path) {
  results_variable forms[kErrors];
  *out = (cuonn_fabricated){0};
  error_variables(forms, 1, NULL);
  const cuonn_status status = results_read_variables(path, forms, kErrors, read_chip, out);
  if (status != CUONN_OK) cuonn_fabricated_free(out);
  return status;
}

/* ---- what identifies a chip ---- */

/* Of all numbers, one after the other. */
static XXH128_hash_t hash_of(XXH3_state_t *state, const cuonn_fabricated *chip) {
  const size_t nodes = chip->n_layers * cuonn_mesh_shape_nodes(chip->shape),
               shifters = chip->n_layers * cuonn_fabricated_shifters(chip),
               entries = chip->crosstalk_first[chip->n_layers];
  const size_t couplers = cuonn_node_kind_couplers(cuonn_mesh_shape_node(chip->shape));
  const double driver[] = {chip->wavelength, chip->driver.least, chip->driver.most, (double)chip->driver.bits};
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, driver, sizeof driver);
  XXH3_128bits_update(state, chip->coupler_error, nodes * couplers * sizeof(double));
  XXH3_128bits_update(state, chip->loss_db, nodes * 2 * sizeof(double));
  if (chip->drive_slope) {
    XXH3_128bits_update(state, chip->drive_offset, shifters * sizeof(double));
    XXH3_128bits_update(state, chip->drive_slope, shifters * sizeof(double));
  }
  XXH3_128bits_update(state, chip->crosstalk_first, (chip->n_layers + 1) * sizeof *chip->crosstalk_first);
  XXH3_128bits_update(state, chip->crosstalk, entries * sizeof *chip->crosstalk);
  return XXH3_128bits_digest(state);
}

char *cuonn_fabricated_identity(const cuonn_fabricated *chip) {
  char *text = NULL, digits[2 * sizeof(XXH128_canonical_t) + 1];
  XXH128_canonical_t hash;
  XXH3_state_t *const state = XXH3_createState();
  if (!state) return NULL;
  XXH128_canonicalFromHash(&hash, hash_of(state, chip));
  XXH3_freeState(state);
  for (size_t i = 0; i < sizeof hash.digest; i++) snprintf(digits + 2 * i, 3, "%02x", hash.digest[i]);
  const int length = asprintf(&text, "meshes of the chip: %zu of %zu nodes, %s\n", chip->n_layers,
                              cuonn_mesh_shape_nodes(chip->shape), digits);
  return length < 0 ? NULL : text;
}
