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
#include "cli/gnuplot.h"
#include "cli/progress.h"
#include "cli/report/sweep.h"
#include "cli/stop.h"

typedef struct {
  const char *config, *data, *output, *resume;
  const char **settings; /* [n_settings] "key=value", room for as many as there are words */
  size_t n_settings;
  cli_options common;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 2); return 0;
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'd': a->data = value; return 0;
    case 'o': a->output = value; return 0;
    case 'r': a->resume = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->config, value);
    case ARGP_KEY_END:
      if (a->resume && (a->output || a->config)) {
        cli_fail(CLI_USAGE, "--resume goes with neither CONFIG nor --output: the sweep goes on as it was started");
        return EINVAL;
      }
      return a->resume ? 0 : cli_require(a->config, "the configuration file (or --resume DIR)");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0,
     "Set a key of the configuration, after the file; KEY=[VALUE, VALUE] gives it a list; may be repeated", 0},
    {"output", 'o', "DIR", 0, "Directory of the sweep, the same as --set output.directory=DIR", 0},
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    {"resume", 'r', "DIR", 0,
     "Go on with the sweep in DIR; only what does not change the computation may be set anew (backend.threads, "
     "data.path, "
     "...)",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CONFIG\n--resume DIR",
    .doc =
        "Trains a network for every combination of the values that a configuration lists.\v"
        "CONFIG is a configuration as for cuonn train, in which keys may have lists (docs/configuration.md says "
        "which); "
        "sweep.repeats trains each point with so many seeds. Runs that do the same steps train side by side.\n\n"
        "Writes a directory, which must not hold a sweep already:\n"
        "  sweep.yaml           the configuration with every key\n"
        "  runs/NUMBER.nc       numbers of each run, as soon as it is finished or has failed\n"
        "  networks/NUMBER.nc   checkpoint of each finished run, for cuonn eval\n"
        "  sweep.nc             all numbers over the grid, for xarray\n"
        "  report.html          grid, results and figures, once all is done; needs gnuplot\n\n"
        "A run whose loss becomes NaN or infinite is recorded with its reason; the others go on, and the exit code is "
        "0. "
        "Ctrl-C finishes the present steps and exits with 130; --resume does what is not finished.\n\n"
        "Example:\n"
        "  cuonn sweep configs/learning-rates.yaml --output runs/rates\n"
        "  cuonn sweep configs/fashion-mnist.yaml --set \"training.seed=[0, 1, 2, 3]\" --output runs/seeds\n"
        "  cuonn sweep --resume runs/rates",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* One call of the command. */
typedef struct {
  arguments args;
  cuonn_grid grid;
  cuonn_context *context;
  cuonn_dataset data;
  char *directory;   /* of a resumed sweep */
  char *data_source; /* the path of its sweep.yaml, unless the user names other data */
  char *identity;    /* of the data */
  cuonn_sweep_files *files;
  size_t points;
  size_t *to_do; /* [n_to_do] points */
  size_t n_to_do;
  cuonn_sweep_model *models; /* [n_to_do] */
  size_t memory_holds;       /* what was told of it */
  struct timespec began;
  cli_bar bar;
} job;

/* ------------------------------------------------------------------------------------------------ what shall be done */

static int apply_settings(cuonn_grid *grid, const arguments *args) {
  int code = CLI_DONE;
  for (size_t i = 0; i < args->n_settings; i++) CLI_TRY_DONE(cuonn_grid_set(grid, args->settings[i]));
  CLI_PASS_DONE(cli_data_move(&grid->base, args->data));
  CLI_PASS_DONE(cli_config_set(&grid->base, "backend.name", args->common.backend));
  CLI_PASS_DONE(cli_config_set(&grid->base, "backend.threads", args->common.threads));
  CLI_PASS_DONE(cli_config_set(&grid->base, "output.directory", args->resume ? args->resume : args->output));
  CLI_TRY_DONE(cuonn_grid_complete(grid));
done:
  return code;
}

/* Whether two grids have the same axes. */
static bool same_axes(const cuonn_grid *a, const cuonn_grid *b) {
  if (a->n_axes != b->n_axes) return false;
  for (size_t i = 0; i < a->n_axes; i++) {
    const size_t count = a->axes[i].count;
    if (a->axes[i].key != b->axes[i].key || count != b->axes[i].count) return false;
    for (size_t k = 0; k < count; k++)
      if (strcmp(a->axes[i].values[k], b->axes[i].values[k]) != 0) return false;
  }
  return true;
}

static int configure_resumed(job *j) {
  int code = CLI_DONE;
  char *path = NULL;
  cuonn_grid started;
  cuonn_grid_init(&started);
  CLI_PASS_DONE(cli_find(&j->directory, j->args.resume, CLI_FIND_DIRECTORY));
  j->args.resume = j->directory;
  if (asprintf(&path, "%s/sweep.yaml", j->args.resume) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
  if (access(path, F_OK) != 0 && cli_find_has(j->args.resume, "last.nc")) {
    code = cli_fail(CLI_USAGE, "%s: is the directory of a run; go on with: cuonn train --resume %s", j->args.resume,
                    j->args.resume);
    goto done;
  }
  CLI_TRY_DONE(cuonn_grid_read(&started, path));
  CLI_TRY_DONE(cuonn_grid_complete(&started));
  CLI_TRY_DONE(cuonn_grid_read(&j->grid, path));
  CLI_PASS_DONE(apply_settings(&j->grid, &j->args));
  const char *key = cuonn_config_difference(&started.base, &j->grid.base);
  if (!key && started.base.training.epochs != j->grid.base.training.epochs) key = "training.epochs";
  if (!key && !same_axes(&started, &j->grid)) key = "the lists of values";
  if (key) code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the sweep was started with", path, key);
  if (strcmp(cli_data_name(&started.base), cli_data_name(&j->grid.base)) == 0) j->data_source = path;
done:
  cuonn_grid_free(&started);
  if (j->data_source != path) free(path);
  return code;
}

static int configure_new(job *j) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_grid_read(&j->grid, j->args.config));
  CLI_PASS_DONE(apply_settings(&j->grid, &j->args));
done:
  return code;
}

/* Data against every point. */
static int load_data(job *j) {
  int code = CLI_DONE;
  const cuonn_config *const base = &j->grid.base; /* no list is of the data's or the classes' keys */
  CLI_PASS_DONE(cli_data_load(&j->data, base, j->data_source, true));
  j->identity = cuonn_dataset_identity(&j->data);
  if (!j->identity) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t p = 0; p < j->points; p++) {
    cuonn_config c;
    cuonn_grid_config(&c, &j->grid, p);
    if (cuonn_steps_per_epoch(&c.training, j->data.train.n_examples) == 0)
      return cli_fail(CLI_USAGE,
                      "training.batch_size is %zu, but %s has only %zu training examples: take a smaller one, or "
                      "training.drop_last=false",
                      c.training.batch_size, cli_data_name(&c), j->data.train.n_examples);
  }
done:
  return code;
}

/* Opens the directory, and lists what is not done there. */
static int list_models(job *j) {
  int code = CLI_DONE;
  CLI_TRY_DONE(
      cuonn_sweep_files_open(&j->files, j->grid.base.output_directory, &j->grid, j->identity, j->args.resume != NULL));
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

static double seconds_since(const struct timespec *began) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec);
}

static cuonn_status on_progress(void *user, const cuonn_sweep_progress *p) {
  job *const j = user;
  char text[160], left[32];
  if (p->memory_holds != j->memory_holds) {
    cli_bar_clear(&j->bar);
    fprintf(stderr, "cuonn: memory holds %zu runs side by side; the others come after them\n", p->memory_holds);
    j->memory_holds = p->memory_holds;
  }
  cli_clock_text(left, sizeof left, p->seconds_left);
  snprintf(text, sizeof text, "run %zu/%zu  %zu at a time  %.0f steps/s  %s left", p->models_done, p->n_models,
           p->models_together, p->steps_per_second, left);
  cli_bar_show(&j->bar, (double)p->steps_done / (double)p->steps, text);
  return CUONN_OK;
}

/* --------------------------------------------------------------------------------------------------------- training */

static cuonn_status start(void *user, size_t model, cuonn_network *network) {
  const job *const j = user;
  cuonn_config c;
  cuonn_grid_config(&c, &j->grid, j->to_do[model]);
  const cuonn_status status = c.start == CUONN_START_FILE ? cuonn_network_read_start(network, c.start_file)
                                                          : cuonn_network_initialize(network, c.start, c.training.seed);
  if (status != CUONN_OK) return status;
  if (c.chip_errors_file[0]) return cuonn_network_read_errors(network, c.chip_errors_file);
  return cuonn_chip_draw_errors(network, &c.training.chip);
}

static cuonn_status on_model(void *user, size_t model, const cuonn_sweep_result *result) {
  job *const j = user;
  const cuonn_status status = cuonn_sweep_files_record(j->files, j->to_do[model], result);
  if (status != CUONN_OK) return status;
  if (j->args.common.json) cli_sweep_print_run(&j->grid, j->to_do[model], result);
  return CUONN_OK;
}

/* Writes the report of a sweep that is done. Nothing is lost if it cannot be written, so that is told and no failure. */
static void report(const job *j) {
  char *written;
  const char *const directory = j->grid.base.output_directory;
  if (cli_report_sweep(&written, directory) != CLI_DONE) return;
  if (!written)
    cli_fail(CLI_DONE, "%s, so there is no report; later: cuonn report %s", CLI_GNUPLOT_ADVICE, directory);
  else if (!j->args.common.json)
    printf("report in %s\n", written);
  free(written);
}

static int sweep(job *j) {
  int code = CLI_DONE;
  const cuonn_sweep_callbacks callbacks = {j, start, on_progress, on_model};
  if (!j->args.common.json) cli_sweep_print_start(&j->grid, j->n_to_do, &j->data, cuonn_context_backend(j->context));
  cli_bar_open(&j->bar);
  const cuonn_status status =
      j->n_to_do ? cuonn_sweep(j->context, &j->data, &j->grid.base.features, j->models, j->n_to_do, &callbacks)
                 : CUONN_OK;
  cli_bar_clear(&j->bar);
  if (status != CUONN_OK && status != CUONN_E_INTERRUPTED) return cli_fail_library(status);
  CLI_TRY_DONE(cuonn_sweep_files_merge(j->files));
  CLI_PASS_DONE(cli_sweep_print_end(&j->grid, j->files, status == CUONN_OK ? "done" : "interrupted",
                                    seconds_since(&j->began), j->args.common.json));
  if (status == CUONN_E_INTERRUPTED)
    code = cli_fail(CLI_INTERRUPTED, "interrupted; go on with: cuonn sweep --resume %s", j->grid.base.output_directory);
  else
    report(j);
done:
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {0};
  cuonn_grid_init(&j.grid);
  j.args.settings = calloc((size_t)argc, sizeof *j.args.settings);
  if (!j.args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&j.args, &argp, argc, argv));
  cli_catch_signals();
  clock_gettime(CLOCK_MONOTONIC, &j.began);
  CLI_PASS_DONE(j.args.resume ? configure_resumed(&j) : configure_new(&j));
  j.points = cuonn_grid_points(&j.grid);
  CLI_TRY_DONE(cuonn_context_create(&j.context, j.grid.base.backend, j.grid.base.threads));
  cli_tell_backend(j.context);
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
  free(j.identity);
  free(j.data_source);
  free(j.directory);
  cuonn_dataset_free(&j.data);
  cuonn_context_free(j.context);
  cuonn_grid_free(&j.grid);
  free(j.args.settings);
  return code;
}

const cli_command cli_sweep = {"sweep", "train networks over a grid of settings", &argp, run};
