/* Grids: lists of values, and the configurations of their points. */
#include "config/grid.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/keys.h"
#include "config/value.h"

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
  for (; at > 0 && config_key_of(grid->axes[at - 1].key) > key; at--) grid->axes[at] = grid->axes[at - 1];
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

cuonn_status config_grid_append(cuonn_grid *grid, const config_key *key, const cuonn_config *holder) {
  char text[CUONN_CONFIG_TEXT];
  cuonn_grid_axis *axis = config_grid_axis(grid, key);
  if (!axis) CUONN_TRY(insert_axis(&axis, grid, key));
  config_value_format(text, holder, key);
  CUONN_CHECK(axis->count < CUONN_GRID_VALUES_MAX, CUONN_E_CONFIG, "the list has more than %d values",
              CUONN_GRID_VALUES_MAX);
  CUONN_CHECK(strlen(text) < CUONN_GRID_VALUE, CUONN_E_INTERNAL, "%s is too long for a list", text);
  memcpy(axis->values[axis->count++], text, strlen(text) + 1);
  return CUONN_OK;
}

cuonn_status config_grid_zip(cuonn_grid *grid, const char *path, size_t length, size_t group) {
  const size_t i = config_key_find(path, length);
  if (!config_key_is(i, length)) return config_key_unknown(path, length);
  const char *const key = config_keys[i].path;
  CUONN_CHECK(config_keys[i].sweepable, CUONN_E_CONFIG, "%s is no key that a sweep can vary", key);
  for (size_t z = 0; z < grid->n_zip; z++)
    CUONN_CHECK(grid->zip[z].key != key, CUONN_E_CONFIG, "%s is twice in the groups: remove one", key);
  CUONN_CHECK(grid->n_zip < CUONN_GRID_AXES_MAX, CUONN_E_CONFIG, "%s is one key too many: at most %d keys have a list",
              key, CUONN_GRID_AXES_MAX);
  grid->zip[grid->n_zip++] = (cuonn_grid_zip){key, group};
  return CUONN_OK;
}

void cuonn_grid_init(cuonn_grid *out) {
  memset(out, 0, sizeof *out);
  cuonn_config_init(&out->base);
}

void cuonn_grid_free(cuonn_grid *grid) {
  if (!grid) return;
  for (size_t a = 0; a < grid->n_axes; a++) free(grid->axes[a].values);
  grid->n_axes = grid->n_zip = 0;
}

/* ---- points ---- */

size_t cuonn_grid_points(const cuonn_grid *grid) {
  size_t points = 1;
  for (size_t a = 0; a < grid->n_axes; a++) points *= grid->axes[a].zipped ? 1 : grid->axes[a].count;
  return points;
}

const char *cuonn_grid_value(const cuonn_grid *grid, size_t axis, size_t point) {
  for (size_t a = grid->n_axes; a-- > axis + 1;) point /= grid->axes[a].zipped ? 1 : grid->axes[a].count;
  return grid->axes[axis].values[point % grid->axes[axis].count];
}

double cuonn_grid_number(const cuonn_grid_axis *axis, size_t i) {
  return strtod_l(axis->values[i], NULL,
                  newlocale(LC_ALL_MASK, "C", (locale_t)0)); /* glibc's one copy: nothing to free */
}

static bool same_axes(const cuonn_grid *a, const cuonn_grid *b) {
  if (a->n_axes != b->n_axes) return false;
  for (size_t i = 0; i < a->n_axes; i++) {
    const size_t count = a->axes[i].count;
    if (a->axes[i].key != b->axes[i].key || count != b->axes[i].count || a->axes[i].zipped != b->axes[i].zipped)
      return false;
    for (size_t k = 0; k < count; k++)
      if (strcmp(a->axes[i].values[k], b->axes[i].values[k]) != 0) return false;
  }
  return true;
}

const char *cuonn_grid_difference(const cuonn_grid *a, const cuonn_grid *b) {
  const char *const key = cuonn_config_difference(&a->base, &b->base);
  if (key) return key;
  if (a->base.training.epochs != b->base.training.epochs) return "training.epochs";
  return same_axes(a, b) ? NULL : "the lists of values";
}

void cuonn_grid_config(cuonn_config *out, const cuonn_grid *grid, size_t point) {
  *out = grid->base;
  for (size_t a = 0; a < grid->n_axes; a++) {
    const char *const text = cuonn_grid_value(grid, a, point);
    (void)config_value_parse(out, config_key_of(grid->axes[a].key), text,
                             strlen(text)); /* was read and written before */
  }
  /* a list of starts may name a file: it belongs to the points that read it */
  if (config_grid_axis(grid, config_key_of("network.start")) && out->start != CUONN_START_FILE)
    out->start_file[0] = '\0';
}

/* ---- the whole ---- */

/* Lists the seeds that sweep.repeats asks for. */
static cuonn_status list_seeds(cuonn_grid *grid) {
  static const char seed[] = "training.seed";
  const config_key *const key = config_key_of(seed);
  const size_t repeats = grid->base.repeats;
  const uint64_t first = grid->base.training.seed;
  if (repeats == 1) return CUONN_OK;
  CUONN_CHECK(!config_grid_axis(grid, key), CUONN_E_CONFIG,
              "sweep.repeats is %zu, but %s has a list: either says how many seeds there are; remove one", repeats,
              seed);
  CUONN_CHECK(first <= UINT64_MAX - (repeats - 1), CUONN_E_CONFIG,
              "%s is %llu, which leaves no %zu seeds from there on", seed, (unsigned long long)first, repeats);
  cuonn_config holder = grid->base;
  for (size_t i = 0; i < repeats; i++, holder.training.seed++) CUONN_TRY(config_grid_append(grid, key, &holder));
  grid->base.repeats = 1;
  return CUONN_OK;
}

/* Number of the key's group, SIZE_MAX if it is in none. */
static size_t group_of(const cuonn_grid *grid, const char *key) {
  for (size_t z = 0; z < grid->n_zip; z++)
    if (grid->zip[z].key == key) return grid->zip[z].group;
  return SIZE_MAX;
}

/* Puts the axes of each group of sweep.zip behind the first of them, as one dimension. */
static cuonn_status zip_axes(cuonn_grid *grid) {
  cuonn_grid_axis sorted[CUONN_GRID_AXES_MAX];
  bool placed[CUONN_GRID_AXES_MAX] = {false};
  size_t n = 0;
  for (size_t z = 0; z < grid->n_zip; z++)
    CUONN_CHECK(config_grid_axis(grid, config_key_of(grid->zip[z].key)), CUONN_E_CONFIG,
                "sweep.zip names %s, which has no list: give it one, or take it out of its group", grid->zip[z].key);
  for (size_t a = 0; a < grid->n_axes; a++) {
    const cuonn_grid_axis *const first = &grid->axes[a];
    const size_t group = group_of(grid, first->key);
    for (size_t b = a; b < grid->n_axes; b++) {
      const cuonn_grid_axis *const axis = &grid->axes[b];
      if (placed[b] || (b > a && (group == SIZE_MAX || group_of(grid, axis->key) != group))) continue;
      CUONN_CHECK(axis->count == first->count, CUONN_E_CONFIG,
                  "sweep.zip: %s has %zu values, but %s has %zu, and keys of a group have as many as each other",
                  first->key, first->count, axis->key, axis->count);
      sorted[n] = *axis;
      sorted[n++].zipped = b > a;
      placed[b] = true;
    }
  }
  memcpy(grid->axes, sorted, n * sizeof *sorted);
  return CUONN_OK;
}

/* The axes of one dimension, [n]. */
typedef struct {
  const cuonn_grid_axis *axes;
  size_t n;
} dimension;

static int compare_values(const void *a, const void *b, void *of) {
  const dimension *const d = of;
  int order = 0;
  for (size_t i = 0; order == 0 && i < d->n; i++)
    order = strcmp(d->axes[i].values[*(const size_t *)a], d->axes[i].values[*(const size_t *)b]);
  return order;
}

/* No point comes twice; equal values have equal texts. */
static cuonn_status check_values(const cuonn_grid *grid, size_t first) {
  dimension d = {&grid->axes[first], 1};
  cuonn_status status = CUONN_OK;
  size_t *order;
  CUONN_TRY(cuonn_allocate(&order, d.axes->count, sizeof *order));
  while (first + d.n < grid->n_axes && d.axes[d.n].zipped) d.n++;
  for (size_t i = 0; i < d.axes->count; i++) order[i] = i;
  qsort_r(order, d.axes->count, sizeof *order, compare_values, &d);
  for (size_t i = 1; i < d.axes->count; i++)
    CUONN_CHECK_DONE(compare_values(&order[i - 1], &order[i], &d) != 0, CUONN_E_CONFIG,
                     "%s: %s is twice in the list%s: remove one", d.axes->key, d.axes->values[order[i]],
                     d.n > 1 ? ", with the same values of its group" : "");
done:
  free(order);
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
  CUONN_TRY(zip_axes(grid));
  for (size_t a = 0; a < grid->n_axes; a++) {
    if (grid->axes[a].zipped) continue;
    CUONN_TRY(check_values(grid, a));
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
