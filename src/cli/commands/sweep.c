/* cuonn sweep: every point of a grid, from a configuration with lists, or from a sweep that was stopped.
 * Whatever can be refused is refused before the directory is made or touched. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands/sweep_print.h"
#include "cli/data.h"
#include "cli/find.h"
#include "cli/training.h"

static error_t parse(int key, char *value, struct argp_state *state) {
  const cli_training *const a = state->input;
  if (key == ARGP_KEY_END && a->resume && (a->output || a->config)) {
    cli_fail(CLI_USAGE, "--resume goes with neither CONFIG nor --output: the sweep goes on as it was started");
    return EINVAL;
  }
  return cli_training_parse(key, value, state);
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0,
     "Set a key of the configuration, after the file; KEY=[VALUE, VALUE] gives it a list; may be repeated", 0},
    {"output", 'o', "DIR", 0, "Directory of the sweep, the same as --set output.directory=DIR", 0},
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    {"resume", 'r', "DIR", 0,
     "Go on with the sweep in DIR; only what does not change the computation may be set anew (backend.threads, "
     "data.path, ...)",
     0},
    {0}};

static const struct argp argp = {
    .args_doc = "CONFIG\n--resume DIR",
    .options = options,
    .parser = parse,
    .doc =
        "Trains a network for every combination of the values that a configuration lists.\v"
        "CONFIG is a configuration as for cuonn train, in which keys may have lists (docs/configuration.md says "
        "which); sweep.repeats trains each point with so many seeds, and keys in a group of sweep.zip advance "
        "together. Runs that do the same steps train side by side.\n\n"
        "Writes a directory, which must not hold a sweep already:\n"
        "  sweep.yaml           the configuration with every key\n"
        "  runs/NUMBER.nc       numbers of each run, as soon as it is finished or has failed\n"
        "  networks/NUMBER.nc   checkpoint of each finished run, for cuonn eval\n"
        "  sweep.nc             all numbers over the grid, for xarray\n"
        "  report.html          grid, results and figures, once all is done; needs gnuplot\n\n"
        "A run whose loss becomes NaN or infinite is recorded with its reason; the others go on, and the exit code is "
        "0. Ctrl-C finishes the present steps and exits with 130; --resume does what is not finished.\n\n"
        "Example:\n"
        "  cuonn sweep configs/learning-rates.yaml --output runs/rates\n"
        "  cuonn sweep configs/fashion-mnist.yaml --set \"training.seed=[0, 1, 2, 3]\" --output runs/seeds\n"
        "  cuonn sweep --resume runs/rates",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* One call of the command. */
typedef struct {
  cli_training t;
  cuonn_grid grid;
  cuonn_sweep_files *files;
  size_t points;
  size_t *to_do; /* [n_to_do] points */
  size_t n_to_do;
  cuonn_sweep_model *models; /* [n_to_do] */
  size_t memory_holds;       /* what was told of it */
} job;

/* ---------------------------------------------------------------------------------------------- what shall be done */

static int configure(job *j, const char *path) {
  int code = CLI_DONE;
  const cli_training *const t = &j->t;
  CLI_TRY_DONE(t->resume ? cuonn_grid_read_stored(&j->grid, path) : cuonn_grid_read(&j->grid, path));
  for (size_t i = 0; i < t->n_settings; i++) CLI_TRY_DONE(cuonn_grid_set(&j->grid, t->settings[i]));
  CLI_PASS_DONE(cli_data_configure(&j->grid.base, t->data_folder, &t->common));
  CLI_PASS_DONE(cli_config_set(&j->grid.base, "output.directory", t->resume ? t->resume : t->output));
  CLI_TRY_DONE(cuonn_grid_complete(&j->grid));
  CLI_PASS_DONE(cli_training_shape(&j->t, &j->grid.base));
done:
  return code;
}

/* Whether two grids have the same axes. */
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

static int configure_resumed(job *j) {
  int code = CLI_DONE;
  cuonn_grid started;
  cuonn_grid_init(&started);
  CLI_PASS_DONE(cli_training_find(&j->t, "sweep.yaml"));
  const char *const path = j->t.source, *const directory = j->t.directory;
  if (access(path, F_OK) != 0 && cli_find_has(directory, "last.nc")) {
    code =
        cli_fail(CLI_USAGE, "%s: is the directory of a run; go on with: cuonn train --resume %s", directory, directory);
    goto done;
  }
  CLI_TRY_DONE(cuonn_grid_read_stored(&started, path));
  CLI_TRY_DONE(cuonn_grid_complete(&started));
  CLI_PASS_DONE(configure(j, path));
  const char *key = cuonn_config_difference(&started.base, &j->grid.base);
  if (!key && started.base.training.epochs != j->grid.base.training.epochs) key = "training.epochs";
  if (!key && !same_axes(&started, &j->grid)) key = "the lists of values";
  if (key) code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the sweep was started with", path, key);
  if (strcmp(cli_data_name(&started.base), cli_data_name(&j->grid.base)) == 0) j->t.data_source = path;
done:
  cuonn_grid_free(&started);
  return code;
}

/* Data against every point. */
static int load_data(job *j) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_training_load(&j->t, &j->grid.base)); /* no list is of the data's or the classes' keys */
  for (size_t p = 0; p < j->points; p++) {
    cuonn_config c;
    cuonn_grid_config(&c, &j->grid, p);
    CLI_PASS_DONE(cli_training_check(&j->t, &c));
  }
done:
  return code;
}

/* Opens the directory, and lists what is not done there. */
static int list_models(job *j) {
  int code = CLI_DONE;
  CLI_TRY_DONE(
      cuonn_sweep_files_open(&j->files, j->grid.base.output_directory, &j->grid, j->t.identity, j->t.resume != NULL));
  j->to_do = calloc(j->points, sizeof *j->to_do);
  j->models = calloc(j->points, sizeof *j->models);
  if (!j->to_do || !j->models) return cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", j->points);
  for (size_t p = 0; p < j->points; p++) {
    cuonn_config c;
    if (cuonn_sweep_files_result(j->files, p)) continue;
    cuonn_grid_config(&c, &j->grid, p);
    j->models[j->n_to_do] = (cuonn_sweep_model){c.network, c.training};
    j->to_do[j->n_to_do++] = p;
  }
done:
  return code;
}

/* -------------------------------------------------------------------------------------------------------- reporting */

static cuonn_status on_progress(void *user, const cuonn_sweep_progress *p) {
  job *const j = user;
  char text[160], left[32];
  if (p->memory_holds != j->memory_holds) {
    cli_bar_clear(&j->t.bar);
    fprintf(stderr, "cuonn: memory holds %zu runs side by side; the others come after them\n", p->memory_holds);
    j->memory_holds = p->memory_holds;
  }
  cli_clock_text(left, sizeof left, p->seconds_left);
  snprintf(text, sizeof text, "run %zu/%zu  %zu at a time  %.0f steps/s  %s left", p->models_done, p->n_models,
           p->models_together, p->steps_per_second, left);
  cli_bar_show(&j->t.bar, (double)p->steps_done / (double)p->steps, text);
  return CUONN_OK;
}

/* --------------------------------------------------------------------------------------------------------- training */

static cuonn_status start(void *user, size_t model, cuonn_network *network) {
  const job *const j = user;
  cuonn_config c;
  cuonn_grid_config(&c, &j->grid, j->to_do[model]);
  return cli_start_network(network, &c);
}

static cuonn_status on_model(void *user, size_t model, const cuonn_sweep_result *result) {
  job *const j = user;
  const cuonn_status status = cuonn_sweep_files_record(j->files, j->to_do[model], result);
  if (status != CUONN_OK) return status;
  if (j->t.common.json) cli_sweep_print_run(&j->grid, j->to_do[model], result);
  return CUONN_OK;
}

static int sweep(job *j) {
  int code = CLI_DONE;
  const cuonn_sweep_callbacks callbacks = {j, start, on_progress, on_model};
  if (!j->t.common.json) cli_sweep_print_start(&j->grid, j->n_to_do, &j->t.data, cuonn_context_backend(j->t.context));
  cli_bar_open(&j->t.bar);
  const cuonn_status status =
      j->n_to_do ? cuonn_sweep(j->t.context, &j->t.data, &j->grid.base.features, j->models, j->n_to_do, &callbacks)
                 : CUONN_OK;
  cli_bar_clear(&j->t.bar);
  if (status != CUONN_OK && status != CUONN_E_INTERRUPTED) return cli_fail_library(status);
  CLI_TRY_DONE(cuonn_sweep_files_merge(j->files));
  CLI_PASS_DONE(cli_sweep_print_end(&j->grid, j->files, status == CUONN_OK ? "done" : "interrupted",
                                    cli_seconds_since(&j->t.began), j->t.common.json));
  if (status == CUONN_E_INTERRUPTED)
    code = cli_fail(CLI_INTERRUPTED, "interrupted; go on with: cuonn sweep --resume %s", j->grid.base.output_directory);
  else
    cli_training_report(&j->t, j->grid.base.output_directory, true);
done:
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {0};
  cuonn_grid_init(&j.grid);
  CLI_PASS_DONE(cli_training_begin(&j.t, &argp, argc, argv));
  clock_gettime(CLOCK_MONOTONIC, &j.t.began);
  CLI_PASS_DONE(j.t.resume ? configure_resumed(&j) : configure(&j, j.t.config));
  j.points = cuonn_grid_points(&j.grid);
  CLI_PASS_DONE(load_data(&j));
  if (cuonn_stop_requested()) {
    code = cli_fail(CLI_INTERRUPTED, "interrupted before training; nothing was written");
    goto done;
  }
  CLI_PASS_DONE(list_models(&j));
  code = sweep(&j);
done:
  free(j.models);
  free(j.to_do);
  cuonn_sweep_files_close(j.files);
  cuonn_grid_free(&j.grid);
  cli_training_free(&j.t);
  return code;
}

const cli_command cli_sweep = {"sweep", "train networks over a grid of settings", &argp, run};
