/* Grids of the energy model: axes as coordinates, and every number of a point over them; read back over modes alone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/variables.h"

_Static_assert(CUONN_ENERGY_AXES_MAX <= RESULTS_RANK, "a variable has room for every axis");

/* A number of a point: where it stands, and how a file names it. */
typedef struct {
  const char *name;
  size_t offset; /* in cuonn_energy_point */
  const char *unit, *long_name;
} number;

#define COST(i, member) \
  (offsetof(cuonn_energy_point, cost) + (i) * sizeof(cuonn_energy_cost) + offsetof(cuonn_energy_cost, member))
#define PEAK(i, member) \
  (offsetof(cuonn_energy_point, peak) + (i) * sizeof(cuonn_energy_peak) + offsetof(cuonn_energy_peak, member))
#define LIGHT(member) offsetof(cuonn_energy_point, light.member)

/* Of each operation; programming is of networks only. */
enum { kOwn = 7, kParts = CUONN_ENERGY_PROGRAMMING, kLight = 4, kName = 48 };
enum { kNumbers = CUONN_ENERGY_OPERATIONS * (kOwn + kParts) + kLight };
enum { kVariables = CUONN_ENERGY_AXES_MAX + kNumbers + 1 };

/* The numbers of a point, with room for the names that are put together. */
static void numbers_of(number out[kNumbers], char names[kNumbers][kName]) {
  size_t n = 0;
  for (size_t i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    const char *const operation = cuonn_energy_operation_name((cuonn_energy_operation)i);
    const number own[kOwn] = {
        {"joules", COST(i, joules), "J", "energy of the batch"},
        {"tops_per_watt", COST(i, tops_per_watt), "TOPS/W", "energy efficiency"},
        {"seconds", COST(i, seconds), "s", "latency of the batch"},
        {"watts", COST(i, watts), "W", "power of a running pass"},
        {"conversion_share", COST(i, conversion_share), "1", "share of conversions and amplification in the energy"},
        {"peak_modes", PEAK(i, modes), "waveguides", "most efficient number of modes; missing if there is none"},
        {"peak_tops_per_watt", PEAK(i, tops_per_watt), "TOPS/W", "energy efficiency there; missing if it has no limit"},
    };
    for (size_t k = 0; k < kOwn; k++, n++) {
      out[n] = own[k];
      snprintf(names[n], kName, "%s_%s", operation, own[k].name);
    }
    for (size_t k = 0; k < kParts; k++, n++) {
      const char *const part = cuonn_energy_part_name((cuonn_energy_part)k);
      out[n] = (number){NULL, COST(i, part) + k * sizeof(double), "J", "part of the energy of the batch"};
      snprintf(names[n], kName, "%s_energy_%s", operation, part);
    }
  }
  const number light[kLight] = {
      {"photons", LIGHT(photons), "1", "photons a mode and symbol at the detector; missing if none are enough"},
      {"total_column_loss", LIGHT(column_loss), "dB", "loss of a column with its taps"},
      {"laser_watts", LIGHT(watts), "W", "electricity of the laser while a pass runs"},
      {"equal_modes", LIGHT(equal_modes), "waveguides", "modes at which the mesh's light costs as much as conversions"},
  };
  for (size_t k = 0; k < kLight; k++, n++) {
    out[n] = light[k];
    snprintf(names[n], kName, "%s", light[k].name);
  }
  for (size_t k = 0; k < kNumbers; k++) out[k].name = names[k];
}

static double number_at(const cuonn_energy_point *point, const number *of) {
  const double value = *(const double *)((const char *)point + of->offset);
  return isfinite(value) ? value : RESULTS_MISSING;
}

cuonn_status cuonn_energy_write(const char *path, const cuonn_energy_axis *axes, size_t n_axes,
                                const cuonn_energy_point *points, const char *config_text) {
  cuonn_status status = CUONN_OK;
  results_file file = {.path = path, .id = -1};
  results_variable variables[kVariables] = {{0}};
  number numbers[kNumbers];
  char names[kNumbers][kName];
  double *column = NULL;
  size_t count = 1;
  CUONN_CHECK_DONE(n_axes >= 1 && n_axes <= CUONN_ENERGY_AXES_MAX, CUONN_E_ARGUMENT,
                   "%s: a grid has 1 to %d axes, not %zu", path, CUONN_ENERGY_AXES_MAX, n_axes);
  numbers_of(numbers, names);

  results_variable over = {.gaps = true}; /* a number over the whole grid */
  for (size_t a = 0; a < n_axes; a++) {
    over.dimensions[a] = (results_dimension){axes[a].name, axes[a].count};
    variables[a] = (results_variable){.name = axes[a].name,
                                      .dimensions = {over.dimensions[a]},
                                      .unit = axes[a].unit[0] ? axes[a].unit : "1",
                                      .long_name = axes[a].long_name};
    count *= axes[a].count;
  }
  results_variable *const of_numbers = variables + n_axes, *const detectable = of_numbers + kNumbers;
  for (size_t k = 0; k < kNumbers; k++) {
    of_numbers[k] = over;
    of_numbers[k].name = numbers[k].name;
    of_numbers[k].unit = numbers[k].unit;
    of_numbers[k].long_name = numbers[k].long_name;
  }
  *detectable = over;
  detectable->name = "detectable";
  detectable->long_name = "1: light can carry the precision; 0: no light is enough";
  detectable->integers = true;
  detectable->gaps = false;

  CUONN_TRY_DONE(results_create(&file, path, "Energy and latency of a photonic chip"));
  CUONN_TRY_DONE(results_put_text(&file, "config", config_text));
  CUONN_TRY_DONE(results_define(&file, variables, n_axes + kNumbers + 1));
  for (size_t a = 0; a < n_axes; a++) CUONN_TRY_DONE(results_put(&file, &variables[a], RESULTS_WHOLE, axes[a].values));
  CUONN_TRY_DONE(cuonn_allocate(&column, count, sizeof *column));
  for (size_t k = 0; k < kNumbers; k++) {
    for (size_t p = 0; p < count; p++) column[p] = number_at(&points[p], &numbers[k]);
    CUONN_TRY_DONE(results_put(&file, &of_numbers[k], RESULTS_WHOLE, column));
  }
  for (size_t p = 0; p < count; p++) column[p] = points[p].light.detectable;
  CUONN_TRY_DONE(results_put(&file, detectable, RESULTS_WHOLE, column));
  CUONN_TRY_DONE(results_commit(&file));
done:
  free(column);
  results_abandon(&file);
  return status;
}

/* ---- reading ---- */

typedef struct {
  double *modes;              /* [count] */
  cuonn_energy_point *points; /* [count] */
  double *column;             /* [count] */
  size_t count;
} grid;

static cuonn_status read_grid(void *user, const results_file *file) {
  grid *const out = user;
  number numbers[kNumbers];
  char names[kNumbers][kName];
  size_t rank, lengths[RESULTS_RANK];
  CUONN_CHECK(results_has(file, "modes") && results_has(file, "mvm_joules"), CUONN_E_DATA,
              "%s: is no grid over energy.modes; make one with cuonn energy --grid energy.modes=FROM:TO:STEP",
              file->path);
  results_variable v = {.name = "mvm_joules", .dimensions = {{"modes", 1}}};
  if (results_shape(&rank, lengths, file, &v, 1) != CUONN_OK)
    return cuonn_fail_within(CUONN_E_DATA, "only a grid over energy.modes alone can be read");
  out->count = lengths[0];
  v = (results_variable){.name = "modes", .dimensions = {{"modes", out->count}}, .unit = "waveguides"};
  CUONN_TRY(cuonn_allocate(&out->modes, out->count, sizeof *out->modes));
  CUONN_TRY(cuonn_allocate(&out->column, out->count, sizeof *out->column));
  CUONN_TRY(cuonn_allocate(&out->points, out->count, sizeof *out->points));
  CUONN_TRY(results_get(out->modes, file, &v, RESULTS_WHOLE));
  v.gaps = true;
  numbers_of(numbers, names);
  for (size_t k = 0; k < kNumbers - kLight; k++) {
    v.name = names[k];
    v.unit = numbers[k].unit;
    const bool digital = strstr(names[k], "_energy_digital") != NULL;
    if (digital && !results_has(file, names[k])) continue; /* in files of earlier versions, which had none */
    CUONN_TRY(results_get(out->column, file, &v, RESULTS_WHOLE));
    for (size_t p = 0; p < out->count; p++) *(double *)((char *)&out->points[p] + numbers[k].offset) = out->column[p];
  }
  return CUONN_OK;
}

cuonn_status cuonn_energy_read(double **modes, cuonn_energy_point **points, size_t *count, const char *path) {
  grid g = {0};
  const cuonn_status status = results_read(path, read_grid, &g);
  free(g.column);
  if (status != CUONN_OK) {
    free(g.modes);
    free(g.points);
    g = (grid){0};
  }
  *modes = g.modes;
  *points = g.points;
  *count = g.count;
  return status;
}
