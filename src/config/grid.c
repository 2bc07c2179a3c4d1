/* Grids: lists of values, and the configurations of their points. */
#include "config/grid.h"

#include <locale.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/keys.h"
#include "config/value.h"

static const config_key *key_of(const char *path) { return &config_keys[config_key_find(path, strlen(path))]; }

/* ---- lists ---- */

cuonn_grid_axis *config_grid_axis(const cuonn_grid *grid, const config_key *key) {
  for (size_t a = 0; a < grid->n_axes; a++) {
    if (grid->axes[a].key == key->path) return (cuonn_grid_axis *)(uintptr_t)&grid->axes[a];
  }
  return NULL;
}

void config_grid_drop(cuonn_grid *grid, const config_key *key) {
  cuonn_grid_axis *const axis = config_grid_axis(grid, key);
  if (!axis) return;
  free(axis->values);
  const size_t behind = (size_t)(grid->axes + --grid->n_axes - axis);
  memmove(axis, axis + 1, behind * sizeof *axis);
}

/* A new axis without values, between those whose keys come before and behind it in the table. */
static cuonn_status insert_axis(cuonn_grid_axis **out, cuonn_grid *grid, const config_key *key) {
  CUONN_CHECK(grid->n_axes < CUONN_GRID_AXES_MAX, CUONN_E_CONFIG, "is one list too many: at most %d keys have one",
              CUONN_GRID_AXES_MAX);
  /* all at once: texts that are compared stay where they are, and what is not filled costs nothing */
  char(*const values)[CUONN_GRID_VALUE] = malloc(CUONN_GRID_VALUES_MAX * sizeof *values);
  CUONN_CHECK(values, CUONN_E_MEMORY, "not enough memory for the values of %s", key->path);
  size_t at = grid->n_axes++;
  for (; at > 0 && key_of(grid->axes[at - 1].key) > key; at--) grid->axes[at] = grid->axes[at - 1];
  *out = &grid->axes[at];
  **out = (cuonn_grid_axis){.key = key->path,
                            .coordinate = config_key_coordinate(key),
                            .label = key->label ? key->label : config_key_coordinate(key),
                            .unit = key->unit,
                            .sentence = key->sentence,
                            .numeric = key->type == CONFIG_INTEGER || key->type == CONFIG_NUMBER,
                            .values = values};
  return CUONN_OK;
}

static int compare_texts(const void *a, const void *b) { return strcmp(a, b); }

static void keep(void *text) { (void)text; }

void config_seen_free(void *seen) { tdestroy(seen, keep); }

cuonn_status config_grid_append(cuonn_grid *grid, const config_key *key, const cuonn_config *holder, void **seen) {
  char text[CUONN_CONFIG_TEXT];
  cuonn_grid_axis *axis = config_grid_axis(grid, key);
  if (!axis) CUONN_TRY(insert_axis(&axis, grid, key));
  config_value_format(text, holder, key);
  CUONN_CHECK(axis->count < CUONN_GRID_VALUES_MAX, CUONN_E_CONFIG, "the list has more than %d values",
              CUONN_GRID_VALUES_MAX);
  CUONN_CHECK(strlen(text) < CUONN_GRID_VALUE, CUONN_E_INTERNAL, "%s is too long for a list", text);
  char *const value = axis->values[axis->count];
  memcpy(value, text, strlen(text) + 1);
  const void *const *const found = tsearch(value, seen, compare_texts); /* equal values have equal texts */
  CUONN_CHECK(found, CUONN_E_MEMORY, "not enough memory for %zu values of %s", axis->count + 1, key->path);
  CUONN_CHECK(*found == value, CUONN_E_CONFIG, "%s is twice in the list: remove one", text);
  axis->count++;
  return CUONN_OK;
}

void cuonn_grid_init(cuonn_grid *out) {
  memset(out, 0, sizeof *out);
  cuonn_config_init(&out->base);
}

void cuonn_grid_free(cuonn_grid *grid) {
  if (!grid) return;
  for (size_t a = 0; a < grid->n_axes; a++) free(grid->axes[a].values);
  grid->n_axes = 0;
}

/* ---- points ---- */

size_t cuonn_grid_points(const cuonn_grid *grid) {
  size_t points = 1;
  for (size_t a = 0; a < grid->n_axes; a++) points *= grid->axes[a].count;
  return points;
}

const char *cuonn_grid_value(const cuonn_grid *grid, size_t axis, size_t point) {
  for (size_t a = grid->n_axes; a-- > axis + 1;) point /= grid->axes[a].count;
  return grid->axes[axis].values[point % grid->axes[axis].count];
}

double cuonn_grid_number(const cuonn_grid_axis *axis, size_t i) {
  return strtod_l(axis->values[i], NULL,
                  newlocale(LC_ALL_MASK, "C", (locale_t)0)); /* glibc's one copy: nothing to free */
}

void cuonn_grid_config(cuonn_config *out, const cuonn_grid *grid, size_t point) {
  *out = grid->base;
  for (size_t a = 0; a < grid->n_axes; a++) {
    const char *const text = cuonn_grid_value(grid, a, point);
    (void)config_value_parse(out, key_of(grid->axes[a].key), text, strlen(text)); /* was read and written before */
  }
  /* a list of starts may name a file: it belongs to the points that read it */
  if (config_grid_axis(grid, key_of("network.start")) && out->start != CUONN_START_FILE) out->start_file[0] = '\0';
}

/* ---- the whole ---- */

/* Lists the seeds that sweep.repeats asks for. */
static cuonn_status list_seeds(cuonn_grid *grid) {
  static const char seed[] = "training.seed";
  const config_key *const key = key_of(seed);
  const size_t repeats = grid->base.repeats;
  const uint64_t first = grid->base.training.seed;
  if (repeats == 1) return CUONN_OK;
  CUONN_CHECK(!config_grid_axis(grid, key), CUONN_E_CONFIG,
              "sweep.repeats is %zu, but %s has a list: either says how many seeds there are; remove one", repeats,
              seed);
  CUONN_CHECK(first <= UINT64_MAX - (repeats - 1), CUONN_E_CONFIG,
              "%s is %llu, which leaves no %zu seeds from there on", seed, (unsigned long long)first, repeats);
  cuonn_status status = CUONN_OK;
  cuonn_config holder = grid->base;
  void *seen = NULL;
  for (size_t i = 0; i < repeats; i++, holder.training.seed++)
    CUONN_TRY_DONE(config_grid_append(grid, key, &holder, &seen));
  grid->base.repeats = 1;
done:
  config_seen_free(seen);
  return status;
}

/* "learning_rate 0.01, seed 3": what is particular to a point. */
static void describe(char *out, size_t size, const cuonn_grid *grid, size_t point) {
  size_t n = 0;
  out[0] = 0;
  for (size_t a = 0; a < grid->n_axes && n < size; a++) {
    n += (size_t)snprintf(out + n, size - n, "%s%s %s", a ? ", " : "", grid->axes[a].coordinate,
                          cuonn_grid_value(grid, a, point));
  }
}

cuonn_status cuonn_grid_complete(cuonn_grid *grid) {
  char at[512];
  size_t points = 1;
  CUONN_TRY(list_seeds(grid));
  for (size_t a = 0; a < grid->n_axes; a++) {
    CUONN_CHECK(grid->axes[a].count <= CUONN_GRID_POINTS_MAX / points, CUONN_E_CONFIG,
                "the lists make more than %d combinations; shorten one", CUONN_GRID_POINTS_MAX);
    points *= grid->axes[a].count;
  }
  for (size_t p = 0; p < points; p++) {
    cuonn_config config;
    cuonn_grid_config(&config, grid, p);
    const cuonn_status status = cuonn_config_check(&config);
    if (status == CUONN_OK) continue;
    describe(at, sizeof at, grid, p);
    return cuonn_fail_within(status, "%s", at[0] ? at : "the configuration");
  }
  return CUONN_OK;
}
