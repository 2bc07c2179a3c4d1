/* The directory of a sweep: the numbers of each run in a small file as soon as there are any, and all in one at the
 * end. A run's own file is written last: where it is, the run is done. */
#include "results/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/directory.h"
#include "results/store.h"
#include "results/sweep_parts.h"
#include "results/sweep_run.h"

static cuonn_status point_path(char **out, const char *directory, size_t point) {
  char name[24];
  snprintf(name, sizeof name, "%06zu.nc", point);
  return results_join(out, directory, name);
}

cuonn_status sweep_take_run(cuonn_sweep_files *files, size_t point) {
  char *path = NULL, *text = NULL, *data = NULL;
  cuonn_config config, found;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(point_path(&path, files->runs, point));
  if (access(path, F_OK) != 0 && errno == ENOENT) goto done;
  CUONN_TRY_DONE(sweep_run_read(&files->results[point], &text, &data, path, files->grid->base.training.epochs,
                                files->grid->base.network.n_layers));
  files->done[point] = true;
  cuonn_grid_config(&config, files->grid, point);
  cuonn_config_init(&found);
  CUONN_TRY_DONE(cuonn_config_read_text(&found, text, strlen(text), path));
  const char *key = cuonn_config_difference(&config, &found);
  if (!key && config.training.epochs != found.training.epochs) key = "training.epochs";
  CUONN_CHECK_DONE(!key, CUONN_E_DATA, "%s: was trained with another %s than its point of the grid has", path, key);
  if (data && files->data) {
    const cuonn_status same = cuonn_dataset_compare(data, files->data);
    if (same != CUONN_OK) status = cuonn_fail_within(same, "%s: was trained on other data", path);
  }
done:
  free(data);
  free(text);
  free(path);
  return status;
}

/* Keeps a copy of a result. */
static cuonn_status keep(cuonn_sweep_files *files, size_t point, const cuonn_sweep_result *result) {
  cuonn_sweep_epoch *epochs = NULL;
  double *errors = NULL;
  cuonn_status status = CUONN_OK;
  const size_t n_errors = result->gradient_errors ? 2 * result->n_epochs * result->n_layers : 0;
  char *const reason = strdup(result->reason);
  CUONN_CHECK_DONE(reason, CUONN_E_MEMORY, "not enough memory for the result of run %zu", point);
  CUONN_TRY_DONE(cuonn_allocate(&epochs, result->n_epochs, sizeof *epochs));
  if (result->gradient_errors) CUONN_TRY_DONE(cuonn_allocate(&errors, n_errors, sizeof *errors));
  memcpy(epochs, result->epochs, result->n_epochs * sizeof *epochs);
  if (errors) memcpy(errors, result->gradient_errors, n_errors * sizeof *errors);
  files->results[point] =
      (cuonn_sweep_result){result->status, reason, result->n_epochs, epochs, result->n_layers, errors, NULL};
  files->done[point] = true;
  return CUONN_OK;
done:
  free(epochs);
  free(reason);
  return status;
}

cuonn_status cuonn_sweep_files_record(cuonn_sweep_files *files, size_t point, const cuonn_sweep_result *result) {
  cuonn_status status = CUONN_OK;
  char *run = NULL, *network = NULL, *text = NULL;
  cuonn_config config;
  bool first = true;
  cuonn_grid_config(&config, files->grid, point);
  CUONN_TRY_DONE(point_path(&run, files->runs, point));
  CUONN_TRY_DONE(point_path(&network, files->networks, point));
  if (files->shared) CUONN_TRY_DONE(sweep_take_run(files, point));
  if (files->done[point]) goto done; /* by another process, where locks do not reach */
  text = cuonn_config_text(&config);
  CUONN_CHECK_DONE(text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", run);
  const cuonn_origin origin = {text, config.training.seed, files->data};
  if (result->state) CUONN_TRY_DONE(cuonn_checkpoint_write(network, result->state, result->n_epochs, &origin));
  CUONN_TRY_DONE(sweep_run_write(run, result, text, files->data, files->shared ? &first : NULL));
  CUONN_TRY_DONE(first ? keep(files, point, result) : sweep_take_run(files, point));
done:
  free(text);
  free(network);
  free(run);
  return status;
}

const cuonn_sweep_result *cuonn_sweep_files_result(const cuonn_sweep_files *files, size_t point) {
  return files->done[point] ? &files->results[point] : NULL;
}

/* ---- the directory ---- */

/* A line of what networks are trained from, as cuonn_dataset_identity() has them. */
static void describe_file(FILE *out, const char *name, const char *path) {
  unsigned char *bytes;
  size_t size;
  if (!path[0]) return;
  if (results_read_bytes(&bytes, &size, path) != CUONN_OK) { /* its networks cannot start, which is their result */
    fprintf(out, "%s: no file, 0\n", name);
    return;
  }
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, size));
  free(bytes);
  fprintf(out, "%s: %zu bytes, ", name, size);
  for (size_t i = 0; i < sizeof hash.digest; i++) fprintf(out, "%02x", hash.digest[i]);
  fputc('\n', out);
}

/* The data, and the files that every network of the sweep is begun with: those still to be trained read them again. */
static cuonn_status describe_data(char **out, const char *data, const cuonn_config *config) {
  size_t length;
  *out = NULL;
  if (!data) return CUONN_OK;
  FILE *const text = open_memstream(out, &length);
  CUONN_CHECK(text, CUONN_E_MEMORY, "not enough memory to describe the data");
  fputs(data, text);
  describe_file(text, "shape of the meshes", config->shape_file);
  describe_file(text, "starting phases", config->start_file);
  describe_file(text, "errors of the chip", config->chip_errors_file);
  const bool whole = !ferror(text);
  CUONN_CHECK(fclose(text) == 0 && whole, CUONN_E_MEMORY, "not enough memory to describe the data");
  return CUONN_OK;
}

/* A new sweep begins where nothing is that it would replace. */
static cuonn_status check_free(const cuonn_sweep_files *files) {
  for (size_t i = 0; results_sweep_names[i]; i++) {
    bool has;
    CUONN_TRY(results_directory_has(&has, files->directory, results_sweep_names[i]));
    CUONN_CHECK(!has, CUONN_E_ARGUMENT,
                "%s: already holds %s of another sweep; resume that sweep, or choose another directory",
                files->directory, results_sweep_names[i]);
  }
  return CUONN_OK;
}

/* Writes sweep.yaml. first: NULL; or where to say whether no other process was faster, whose file stays. */
static cuonn_status write_grid(const cuonn_sweep_files *files, bool *first) {
  char *const text = cuonn_grid_text(files->grid);
  CUONN_CHECK(text, CUONN_E_MEMORY, "%s: not enough memory for its configuration", files->directory);
  const struct iovec whole = {text, strlen(text)};
  const cuonn_status status = first ? results_publish_bytes(first, files->grid_path, &whole, 1)
                                    : results_write_bytes(files->grid_path, &whole, 1);
  free(text);
  return status;
}

/* A part of a sweep begins it, or finds it begun by another part. */
static cuonn_status begin_part(const cuonn_sweep_files *files) {
  cuonn_status status = CUONN_OK;
  cuonn_grid begun;
  bool has, first;
  CUONN_TRY(results_directory_has(&has, files->directory, "sweep.yaml"));
  if (!has) {
    status = check_free(files);
    CUONN_TRY(results_directory_has(&has, files->directory, "sweep.yaml")); /* which is the first that a part makes */
    if (!has && status != CUONN_OK) return status;
  }
  CUONN_TRY(write_grid(files, &first));
  if (first) return CUONN_OK;
  cuonn_grid_init(&begun);
  CUONN_TRY_DONE(cuonn_grid_read_stored(&begun, files->grid_path));
  CUONN_TRY_DONE(cuonn_grid_complete(&begun));
  const char *const key = cuonn_grid_difference(&begun, files->grid);
  CUONN_CHECK_DONE(!key, CUONN_E_ARGUMENT,
                   "%s: is of another sweep, in which %s differs; choose another directory, or resume that sweep",
                   files->grid_path, key);
done:
  cuonn_grid_free(&begun);
  return status;
}

cuonn_status cuonn_sweep_files_take(cuonn_sweep_files *files, size_t point) {
  char name[24];
  if (files->done[point]) return CUONN_OK;
  CUONN_TRY(sweep_take_run(files, point));
  if (files->done[point]) return CUONN_OK;
  snprintf(name, sizeof name, "%06zu.nc", point);
  CUONN_TRY(cuonn_directory_check(files->runs, name)); /* still to be written: no link to elsewhere */
  return cuonn_directory_check(files->networks, name);
}

static cuonn_status name_files(cuonn_sweep_files *files, const char *directory) {
  files->directory = strdup(directory);
  CUONN_CHECK(files->directory, CUONN_E_MEMORY, "%s: not enough memory for its name", directory);
  CUONN_TRY(results_join(&files->grid_path, directory, "sweep.yaml"));
  CUONN_TRY(results_join(&files->runs, directory, "runs"));
  CUONN_TRY(results_join(&files->networks, directory, "networks"));
  CUONN_TRY(results_join(&files->parts, directory, "parts"));
  return results_join(&files->merged, directory, "sweep.nc");
}

/* Makes *out with no lock and no result; good for cuonn_sweep_files_close() also on failure. */
static cuonn_status make(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid, const char *data) {
  cuonn_sweep_files *files;
  CUONN_TRY(cuonn_allocate(out, 1, sizeof **out));
  files = *out;
  files->lock = files->part_lock = -1;
  files->grid = grid;
  files->points = cuonn_grid_points(grid);
  CUONN_TRY(describe_data(&files->data, data, &grid->base));
  CUONN_TRY(cuonn_allocate(&files->results, files->points, sizeof *files->results));
  CUONN_TRY(cuonn_allocate(&files->done, files->points, sizeof *files->done));
  return name_files(files, directory);
}

static cuonn_status make_folders(const cuonn_sweep_files *files) {
  CUONN_TRY(results_directory_make(files->runs));
  return results_directory_make(files->networks);
}

/* What a killed program left half-written. */
static void remove_temporaries(const cuonn_sweep_files *files) {
  const char *const folders[] = {files->directory, files->runs, files->networks};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) results_remove_temporaries(folders[i]);
}

cuonn_status cuonn_sweep_files_open(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid,
                                    const char *data, bool resume) {
  cuonn_status status = CUONN_OK;
  cuonn_sweep_files *files = NULL;
  bool held;
  *out = NULL;
  CUONN_TRY_DONE(make(&files, directory, grid, data));
  CUONN_TRY_DONE(results_directory_make(directory));
  CUONN_TRY_DONE(results_directory_lock(&files->lock, &held, directory, false));
  CUONN_TRY_DONE(results_directory_check(directory, results_sweep_names, results_run_names));
  if (resume) CUONN_TRY_DONE(sweep_parts_check(directory, files->parts, 1));
  if (!resume) {
    CUONN_TRY_DONE(check_free(files));
    CUONN_TRY_DONE(write_grid(files, NULL));
  }
  CUONN_TRY_DONE(make_folders(files));
  for (size_t p = 0; resume && p < files->points; p++) CUONN_TRY_DONE(cuonn_sweep_files_take(files, p));
  if (held) remove_temporaries(files);
  *out = files;
  files = NULL;
done:
  cuonn_sweep_files_close(files);
  return status;
}

cuonn_status cuonn_sweep_files_open_part(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid,
                                         const char *data, bool resume, size_t part, size_t n_parts) {
  cuonn_status status = CUONN_OK;
  cuonn_sweep_files *files = NULL;
  bool held;
  *out = NULL;
  CUONN_TRY_DONE(make(&files, directory, grid, data));
  files->shared = true;
  CUONN_TRY_DONE(results_directory_make(directory));
  CUONN_TRY_DONE(results_directory_lock(&files->lock, &held, directory, true));
  CUONN_TRY_DONE(results_directory_check(directory, results_sweep_names, results_run_names));
  if (!resume) CUONN_TRY_DONE(begin_part(files));
  CUONN_TRY_DONE(sweep_parts_cut(directory, files->parts, n_parts));
  CUONN_TRY_DONE(sweep_parts_lock(&files->part_lock, directory, files->parts, part, n_parts));
  CUONN_TRY_DONE(make_folders(files));
  *out = files;
  files = NULL;
done:
  cuonn_sweep_files_close(files);
  return status;
}

cuonn_status cuonn_sweep_files_attach(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid,
                                      const char *data) {
  cuonn_status status = CUONN_OK;
  cuonn_sweep_files *files = NULL;
  *out = NULL;
  CUONN_TRY_DONE(make(&files, directory, grid, data));
  CUONN_TRY_DONE(results_directory_has(&files->shared, directory, "parts"));
  *out = files;
  files = NULL;
done:
  cuonn_sweep_files_close(files);
  return status;
}

cuonn_status cuonn_sweep_files_missing(size_t *n, const cuonn_sweep_files *files) {
  DIR *const names = opendir(files->runs);
  CUONN_CHECK(names, CUONN_E_IO, "%s: cannot be looked through: %s", files->runs, strerror(errno));
  *n = files->points;
  for (const struct dirent *entry; (entry = readdir(names));) {
    const bool digits = strspn(entry->d_name, "0123456789") == 6 && strcmp(entry->d_name + 6, ".nc") == 0;
    if (digits && strtoul(entry->d_name, NULL, 10) < files->points) --*n;
  }
  closedir(names);
  return CUONN_OK;
}

void cuonn_sweep_files_tidy(cuonn_sweep_files *files) {
  bool held = false;
  if (files->lock >= 0) return;
  if (results_directory_lock(&files->lock, &held, files->directory, false) == CUONN_OK && held)
    remove_temporaries(files);
}

void cuonn_sweep_files_close(cuonn_sweep_files *files) {
  if (!files) return;
  for (size_t p = 0; files->done && p < files->points; p++) {
    if (!files->done[p]) continue;
    free((void *)(uintptr_t)files->results[p].reason);
    free((void *)(uintptr_t)files->results[p].epochs);
    free((void *)(uintptr_t)files->results[p].gradient_errors);
  }
  free(files->done);
  free(files->results);
  free(files->parts);
  free(files->merged);
  free(files->networks);
  free(files->runs);
  free(files->grid_path);
  free(files->directory);
  free(files->data);
  if (files->part_lock >= 0) close(files->part_lock);
  if (files->lock >= 0) close(files->lock);
  free(files);
}
