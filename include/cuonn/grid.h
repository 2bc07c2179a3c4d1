/** @file grid.h
 *  A grid of configurations: keys of one file that have lists of values, and every combination of them; keys of a group
 *  of sweep.zip take their first values together, their second ones together, and so on.
 */
#ifndef CUONN_GRID_H
#define CUONN_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/config.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most keys of a grid with lists. */
#define CUONN_GRID_AXES_MAX 12

/** Most values of one key, and most points of a grid. */
#define CUONN_GRID_VALUES_MAX 10000
#define CUONN_GRID_POINTS_MAX 1000000

/** Longest value of a list as text, with its final zero byte. */
#define CUONN_GRID_VALUE 48

/** One key and the values that it takes. */
typedef struct cuonn_grid_axis {
  const char *key;        /**< path, such as "training.optimizer.learning_rate"; constant */
  const char *coordinate; /**< name of its coordinate in a result file; constant */
  const char *label;      /**< what figures call it, UTF-8; constant */
  const char *unit;       /**< "" if it has none; constant */
  const char *sentence;   /**< what the key does; constant */
  bool numeric;           /**< whether the values are numbers; else words */
  bool zipped;  /**< advances together with the axis before it, which has as many values; such axes are one dimension */
  size_t count; /**< at least 1 */
  char (*values)[CUONN_GRID_VALUE]; /**< [count] as a file would say them; owned by the grid */
} cuonn_grid_axis;

/** A key of a group of sweep.zip. */
typedef struct cuonn_grid_zip {
  const char *key; /**< path; constant */
  size_t group;    /**< number of its group */
} cuonn_grid_zip;

/** A grid.  Point p takes the values p mod the last dimension's count, and so on: the last dimension runs fastest. */
typedef struct cuonn_grid {
  cuonn_config base;                         /**< every key; the first value of those with a list */
  cuonn_grid_axis axes[CUONN_GRID_AXES_MAX]; /**< [n_axes] in the order of the table of keys; when the grid is whole,
                                                  those of a group stand behind the first of them */
  size_t n_axes;
  cuonn_grid_zip zip[CUONN_GRID_AXES_MAX]; /**< [n_zip] sweep.zip, group after group */
  size_t n_zip;
} cuonn_grid;

/** Sets every key to its default, none with a list. */
CUONN_API void cuonn_grid_init(cuonn_grid *out);

/** Releases the lists.  NULL is fine. */
CUONN_API void cuonn_grid_free(cuonn_grid *grid);

/** Reads a YAML file over the present values, as cuonn_config_read() does, but that sweepable keys may have lists, such
 *  as `seed: [0, 1, 2]`.  A key that is named anew loses its former list.
 *  Refused beyond what cuonn_config_read() refuses: lists of other keys, empty ones, a key that is twice in sweep.zip.
 *  @return CUONN_OK; CUONN_E_CONFIG; CUONN_E_IO; CUONN_E_MEMORY.  After a failure the grid is good for
 *          cuonn_grid_free(). */
CUONN_API cuonn_status cuonn_grid_read(cuonn_grid *grid, const char *path);

/** Reads the sweep.yaml of a sweep's directory, perhaps of an earlier version, as cuonn_grid_read_text() reads text. */
CUONN_API cuonn_status cuonn_grid_read_stored(cuonn_grid *grid, const char *path);

/** Reads YAML text of a file of results, as cuonn_grid_read() does, but that it may be of an earlier version
 *  (cuonn_config_read_text()); `name` stands for the file in messages. */
CUONN_API cuonn_status cuonn_grid_read_text(cuonn_grid *grid, const char *text, size_t length, const char *name);

/** Applies one "key=value" or "key=[value, value, ...]".  @return as cuonn_grid_read() */
CUONN_API cuonn_status cuonn_grid_set(cuonn_grid *grid, const char *assignment);

/** Makes the grid whole when all is read and set: sweep.repeats of n becomes the list training.seed, +1, ..., +(n - 1),
 *  axes of a group of sweep.zip become one dimension, and every point is checked, as cuonn_config_check() does.
 *  Refused are also keys of sweep.zip without a list, lists of a group that differ in length, and values, or those of a
 *  group together, that come twice.
 *  @return CUONN_OK; CUONN_E_CONFIG, naming the point; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_grid_complete(cuonn_grid *grid);

/** Number of points: the product of the dimensions' counts, 1 without any. */
CUONN_API size_t cuonn_grid_points(const cuonn_grid *grid);

/** The configuration of one point, with no list.  network.start_file is empty at points that start otherwise. */
CUONN_API void cuonn_grid_config(cuonn_config *out, const cuonn_grid *grid, size_t point);

/** Value of an axis at a point.  @return as a file would say it; owned by the grid */
CUONN_API const char *cuonn_grid_value(const cuonn_grid *grid, size_t axis, size_t point);

/** The i-th value of a numeric axis. */
CUONN_API double cuonn_grid_number(const cuonn_grid_axis *axis, size_t i);

/** What decides what points compute, and is not the same in two complete grids.
 *  @return the path of a key, or "the lists of values"; NULL: nothing */
CUONN_API const char *cuonn_grid_difference(const cuonn_grid *a, const cuonn_grid *b);

/** The grid as YAML that cuonn_grid_read_text() reads back to the same.
 *  @return a string to be released with free(); NULL if there is no memory */
CUONN_API char *cuonn_grid_text(const cuonn_grid *grid);

#ifdef __cplusplus
}
#endif
#endif
