/* cuonn train: from a configuration, or from a run that was stopped, to a run directory.
 * Whatever can be refused is refused before that directory is made or touched. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/data.h"
#include "cli/find.h"
#include "cli/gnuplot.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report/run.h"
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
      if (a->output && a->resume) {
        cli_fail(CLI_USAGE, "--output does not go with --resume: a resumed run goes on in its own directory");
        return EINVAL;
      }
      return a->resume ? 0 : cli_require(a->config, "the configuration file (or --resume DIR)");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, after the file; may be repeated", 0},
    {"output", 'o', "DIR", 0, "Run directory, the same as --set output.directory=DIR", 0},
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    {"resume", 'r', "DIR", 0,
     "Go on with the run in DIR from its last.nc; the configuration is the one that it was started with, and only what "
     "does not change the computation may be set anew (training.epochs, backend.threads, data.path, ...)",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CONFIG\n--resume DIR",
    .doc =
        "Trains a network on labelled images or fields, with computed gradients or with those that a chip measures on "
        "itself.\v"
        "Reads CONFIG, a YAML file (every key has a default: docs/configuration.md), and the four IDX files, gzipped "
        "or not, in the folder that data.path names; or, with data.kind fields, netCDF files with input(example, "
        "waveguide), real, or input(example, waveguide, complex), and label(example): docs/own-data.md.\n\n"
        "Writes a run directory, which must not hold a run already:\n"
        "  config.yaml   the configuration with every key\n"
        "  metrics.csv   a line an epoch: losses, test accuracy, seconds, examples/s; in situ also gradient errors\n"
        "  last.nc       checkpoint after the last epoch, or where the run was stopped\n"
        "  best.nc       checkpoint of the best test accuracy\n"
        "  report.html   numbers and figures, once training is done; needs gnuplot\n\n"
        "Ctrl-C finishes the present step, writes last.nc and exits with 130; a second one ends the program at once. A "
        "resumed run gives bit for bit the phases of one that was never stopped, on the same build, backend and "
        "processor type.\n\n"
        "Example:\n"
        "  cuonn train configs/fashion-mnist.yaml --output runs/study\n"
        "  cuonn train --resume runs/study --set training.epochs=50",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* One run of the command. */
typedef struct {
  arguments args;
  cuonn_config config;
  cuonn_context *context;
  cuonn_dataset data;
  cuonn_training_state state;
  cuonn_origin started; /* of a resumed run: what its last.nc says */
  size_t epoch;         /* finished ones, the same */
  char *directory;      /* of a resumed run */
  char *data_source;    /* path of its last.nc, unless the user names other data */
  char *identity;       /* of the data */
  cuonn_run *run;
  size_t steps_per_epoch;
  uint64_t saved_step;       /* step that the directory's last.nc holds, UINT64_MAX if there is none */
  cuonn_epoch_record newest; /* epoch 0: none was finished since the command began */
  struct timespec began;
  cli_bar bar;
} job;

/* ------------------------------------------------------------------------------------------------ what shall be done
 */

static int apply_settings(cuonn_config *config, const arguments *args) {
  int code = CLI_DONE;
  for (size_t i = 0; i < args->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(config, args->settings[i]));
  CLI_PASS_DONE(cli_data_move(config, args->data));
  CLI_PASS_DONE(cli_config_set(config, "backend.name", args->common.backend));
  CLI_PASS_DONE(cli_config_set(config, "backend.threads", args->common.threads));
  CLI_PASS_DONE(cli_config_set(config, "output.directory", args->output));
  CLI_TRY_DONE(cuonn_config_check(config));
done:
  return code;
}

static int configure_new(job *j) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_config_read(&j->config, j->args.config));
  CLI_PASS_DONE(apply_settings(&j->config, &j->args));
done:
  return code;
}

static bool same_shape(const cuonn_network_shape *a, const cuonn_network_shape *b) {
  return a->n_modes == b->n_modes && a->n_layers == b->n_layers && a->n_classes == b->n_classes && a->style == b->style;
}

/* Whether a directory without last.nc is one of a run that was killed in its first epoch. */
static bool is_beginning(const char *directory) {
  char *path;
  cuonn_epoch_record *records;
  size_t count;
  if (!cli_find_has(directory, "config.yaml") || asprintf(&path, "%s/metrics.csv", directory) < 0) return false;
  const cuonn_status status = cuonn_metrics_read(&records, &count, path);
  if (status == CUONN_OK) free(records);
  free(path);
  return status == CUONN_OK && count <= 1;
}

/* What cannot be resumed, and what to do in its place. */
static int check_resumed(const char *directory) {
  if (cli_find_has(directory, "last.nc")) return CLI_DONE;
  if (cli_find_has(directory, "sweep.yaml"))
    return cli_fail(CLI_USAGE, "%s: is the directory of a sweep; go on with: cuonn sweep --resume %s", directory,
                    directory);
  if (is_beginning(directory))
    return cli_fail(
        CLI_BAD_FILE,
        "%s/last.nc: does not exist: the run ended before its first epoch was finished; start it anew: cuonn train "
        "%s/config.yaml --output %s",
        directory, directory, directory);
  return CLI_DONE;
}

/* State and configuration of a run that was stopped. */
static int configure_resumed(job *j) {
  int code = CLI_DONE;
  char *path = NULL;
  CLI_PASS_DONE(cli_find(&j->directory, j->args.resume, CLI_FIND_DIRECTORY));
  j->args.resume = j->directory;
  CLI_PASS_DONE(check_resumed(j->args.resume));
  if (asprintf(&path, "%s/last.nc", j->args.resume) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_TRY_DONE(cuonn_checkpoint_read(&j->state, &j->epoch, &j->started, path));
  CLI_TRY_DONE(cuonn_config_read_text(&j->config, j->started.config_text, strlen(j->started.config_text), path));
  if (!same_shape(&j->state.network.shape, &j->config.network)) {
    code = cli_fail(
        CLI_BAD_FILE,
        "%s: the phases are for %zu layers of %zu waveguides with %zu classes, the configuration in it for %zu "
        "of %zu with %zu",
        path, j->state.network.shape.n_layers, j->state.network.shape.n_modes, j->state.network.shape.n_classes,
        j->config.network.n_layers, j->config.network.n_modes, j->config.network.n_classes);
    goto done;
  }
  const cuonn_config started = j->config;
  if (j->args.config) CLI_TRY_DONE(cuonn_config_read(&j->config, j->args.config));
  memcpy(j->config.output_directory, started.output_directory, sizeof started.output_directory);
  CLI_PASS_DONE(apply_settings(&j->config, &j->args));
  const char *key = cuonn_config_difference(&started, &j->config);
  if (!key && strcmp(started.output_directory, j->config.output_directory) != 0) key = "output.directory";
  if (key) {
    code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the run was started with", path, key);
    goto done;
  }
  CLI_PASS_DONE(cli_config_set(&j->config, "output.directory", j->args.resume));
  if (strcmp(cli_data_name(&started), cli_data_name(&j->config)) == 0)
    j->data_source = path; /* not the user's own words */
done:
  if (j->data_source != path) free(path);
  return code;
}

/* The data must be those that the run has seen so far: an epoch of others is another epoch. */
static int check_data(const job *j) {
  const char *const directory = j->args.resume;
  if (j->started.data) {
    const cuonn_status same = cuonn_dataset_compare(j->started.data, j->identity);
    if (same != CUONN_OK)
      return cli_fail(CLI_BAD_FILE, "%s: is not what the run in %s was started with: %s", cli_data_name(&j->config),
                      directory, cuonn_last_error());
  } else {
    fprintf(stderr,
            "cuonn: %s/last.nc is of an older version and does not say on what data: they are taken as they are\n",
            directory);
  }
  if (j->state.step / j->steps_per_epoch == j->epoch) return CLI_DONE;
  return cli_fail(CLI_BAD_FILE,
                  "%s: is not what the run in %s was started with: it finished %zu epochs in %" PRIu64
                  " steps, and %zu training examples make an epoch of %zu steps",
                  cli_data_name(&j->config), directory, j->epoch, j->state.step, j->data.train.n_examples,
                  j->steps_per_epoch);
}

static int load_data(job *j) {
  int code = CLI_DONE;
  const cuonn_config *c = &j->config;
  CLI_PASS_DONE(cli_data_load(&j->data, c, j->data_source, true));
  j->steps_per_epoch = cuonn_steps_per_epoch(&c->training, j->data.train.n_examples);
  if (j->steps_per_epoch == 0)
    return cli_fail(CLI_USAGE,
                    "training.batch_size is %zu, but %s has only %zu training examples: take a smaller one, or "
                    "training.drop_last=false",
                    c->training.batch_size, cli_data_name(c), j->data.train.n_examples);
  j->identity = cuonn_dataset_identity(&j->data);
  if (!j->identity) return cli_fail(CLI_RESOURCES, "not enough memory");
  if (j->args.resume) code = check_data(j);
done:
  return code;
}

static int start_state(job *j) {
  int code = CLI_DONE;
  const cuonn_config *c = &j->config;
  CLI_TRY_DONE(cuonn_training_state_create(&j->state, &c->network));
  if (c->start == CUONN_START_FILE)
    CLI_TRY_DONE(cuonn_network_read_start(&j->state.network, c->start_file));
  else
    CLI_TRY_DONE(cuonn_network_initialize(&j->state.network, c->start, c->training.seed));
  CLI_PASS_DONE(cli_make_chip(&j->state.network, c, c->training.chip.seed));
done:
  return code;
}

/* -------------------------------------------------------------------------------------------------------- reporting */

static void print_start(const job *j) {
  const cuonn_network_shape *s = &j->config.network;
  if (j->args.common.json) return;
  printf("training %zu layers of N = %zu for %zu classes on %zu %s (%zu to test) in %s, backend %s\n", s->n_layers,
         s->n_modes, s->n_classes, j->data.train.n_examples, cli_data_kind(&j->config), j->data.test.n_examples,
         cli_data_name(&j->config), cuonn_context_backend(j->context));
  if (j->args.resume)
    printf("going on after step %" PRIu64 " of %zu\n", j->state.step, j->config.training.epochs * j->steps_per_epoch);
  cli_flush();
}

static cuonn_status on_progress(void *user, const cuonn_progress *progress) {
  job *j = user;
  cli_bar_draw(&j->bar, progress);
  return CUONN_OK;
}

static json_t *layer_errors(const double *errors, size_t n_layers) {
  json_t *const array = json_array();
  for (size_t l = 0; l < n_layers; l++) json_array_append_new(array, cli_json_number(errors[l]));
  return array;
}

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *r, const cuonn_training_state *state,
                             bool improved) {
  job *j = user;
  const cuonn_status status = cuonn_run_record(j->run, r, state, improved);
  if (status != CUONN_OK) return status;
  j->saved_step = state->step;
  j->newest = *r;
  j->newest.gradient_errors = NULL; /* they are gone when this returns */
  if (j->args.common.json) {
    json_t *const object = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o}", "epoch", (json_int_t)r->epoch, "train_loss", cli_json_number(r->train_loss),
        "test_loss", cli_json_number(r->test_loss), "test_accuracy", cli_json_number(r->test_accuracy), "seconds",
        cli_json_number(r->seconds), "examples_per_second", cli_json_number(r->examples_per_second));
    if (object && j->config.training.gradient != CUONN_GRADIENT_EXACT) {
      json_object_set_new(object, "gradient_error_small", cli_json_number(r->gradient_error_small));
      json_object_set_new(object, "gradient_error_batch", cli_json_number(r->gradient_error_batch));
      json_object_set_new(object, "gradient_error_small_layer", layer_errors(r->gradient_errors, r->n_layers));
      json_object_set_new(object, "gradient_error_batch_layer",
                          layer_errors(r->gradient_errors + r->n_layers, r->n_layers));
    }
    cli_print_json(object);
    return CUONN_OK;
  }
  cli_bar_clear(&j->bar);
  printf("epoch %zu/%zu  train loss %.5f  test loss %.5f  test accuracy %.4f  %.2f s  %.0f examples/s%s\n", r->epoch,
         j->config.training.epochs, r->train_loss, r->test_loss, r->test_accuracy, r->seconds, r->examples_per_second,
         improved ? "  best" : "");
  cli_flush();
  return CUONN_OK;
}

static int print_summary(const job *j, const char *result) {
  const char *directory = j->config.output_directory;
  const double best = j->state.best_accuracy;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const double seconds = (double)(now.tv_sec - j->began.tv_sec) + 1e-9 * (double)(now.tv_nsec - j->began.tv_nsec);
  const size_t finished = (size_t)(j->state.step / j->steps_per_epoch);
  if (j->args.common.json)
    return cli_print_json(json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "result", result, "epochs",
                                    (json_int_t)finished, "step", (json_int_t)j->state.step, "test_accuracy",
                                    j->newest.epoch ? cli_json_number(j->newest.test_accuracy) : json_null(),
                                    "best_test_accuracy", best < 0 ? json_null() : cli_json_number(best), "seconds",
                                    cli_json_number(seconds), "directory", cli_json_text(directory)));
  if (strcmp(result, "done") == 0)
    printf("done: %zu epochs in %.1f s, best test accuracy %.4f; phases in %s/last.nc and %s/best.nc\n", finished,
           seconds, best, directory, directory);
  return CLI_DONE;
}

/* --------------------------------------------------------------------------------------------------------- training */

/* Keeps a run that was interrupted, and says how to go on. */
static int stop_run(job *j) {
  int code = CLI_DONE;
  const size_t finished = (size_t)(j->state.step / j->steps_per_epoch);
  CLI_TRY_DONE(cuonn_run_save(j->run, &j->state, finished));
  CLI_PASS_DONE(print_summary(j, "interrupted"));
  code = cli_fail(CLI_INTERRUPTED, "interrupted after step %" PRIu64 "; go on with: cuonn train --resume %s",
                  j->state.step, j->config.output_directory);
done:
  return code;
}

/* Writes the report of a run that is done. Nothing is lost if it cannot be written, so that is told and no failure. */
static void report(const job *j) {
  char *written;
  const char *const directory = j->config.output_directory;
  if (cli_report_run(&written, directory, NULL, &j->args.common) != CLI_DONE) return;
  if (!written)
    cli_fail(CLI_DONE, "%s, so there is no report; later: cuonn report %s", CLI_GNUPLOT_ADVICE, directory);
  else if (!j->args.common.json)
    printf("report in %s\n", written);
  free(written);
}

/* Nothing is left to train. A run that was killed between its last epoch and its report gets the report. */
static int nothing_to_do(const job *j) {
  int code = CLI_DONE;
  char *path;
  if (asprintf(&path, "%s/report.html", j->config.output_directory) < 0)
    return cli_fail(CLI_RESOURCES, "not enough memory");
  if (j->args.common.json)
    code = print_summary(j, "nothing to do");
  else
    printf("nothing to do: %s already has %zu epochs; more with --set training.epochs=COUNT\n", j->args.resume,
           (size_t)(j->state.step / j->steps_per_epoch));
  cli_flush();
  if (access(path, F_OK) != 0 && errno == ENOENT) report(j);
  free(path);
  return code;
}

static int diverged(const job *j) {
  if (j->saved_step == UINT64_MAX)
    return cli_fail(CLI_OTHER, "%s; no epoch was finished, so there is no checkpoint", cuonn_last_error());
  return cli_fail(CLI_OTHER, "%s; %s/last.nc keeps the phases after step %" PRIu64, cuonn_last_error(),
                  j->config.output_directory, j->saved_step);
}

/* Whether a file holds this text and nothing else. */
static bool holds(const char *path, const char *text) {
  FILE *const file = fopen(path, "re");
  if (!file) return false;
  bool same = true;
  for (const char *c = text; *c && same; c++) same = getc(file) == (unsigned char)*c;
  same = same && getc(file) == EOF;
  fclose(file);
  return same;
}

/* A resumed run writes over its files: none may be CONFIG, but config.yaml where it stays as it is. A new one replaces none. */
static int check_outputs(const job *j, const char *text) {
  static const char *const names[] = {"config.yaml", "metrics.csv", "last.nc", "best.nc", "report.html"};
  if (!j->args.resume || !j->args.config || holds(j->args.config, text)) return CLI_DONE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path;
    if (asprintf(&path, "%s/%s", j->args.resume, names[i]) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
    const int code = CLI_CHECK_OUTPUT(path, j->args.config);
    free(path);
    if (code != CLI_DONE) return code;
  }
  return CLI_DONE;
}

static int train(job *j) {
  int code = CLI_DONE;
  char *text = NULL;
  const size_t finished = (size_t)(j->state.step / j->steps_per_epoch);
  if (cuonn_stop_requested()) return cli_fail(CLI_INTERRUPTED, "interrupted before training; nothing was written");
  text = cuonn_config_text(&j->config);
  if (!text) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(check_outputs(j, text));
  const cuonn_origin origin = {text, j->config.training.seed, j->identity};
  CLI_TRY_DONE(cuonn_run_open(&j->run, j->config.output_directory, &origin,
                              j->config.training.gradient == CUONN_GRADIENT_EXACT ? 0 : j->config.network.n_layers,
                              !j->args.resume ? 0 : (finished ? finished : SIZE_MAX)));
  print_start(j);
  clock_gettime(CLOCK_MONOTONIC, &j->began);
  cli_bar_open(&j->bar);
  const cuonn_training_callbacks callbacks = {.user = j, .on_progress = on_progress, .on_epoch = on_epoch};
  const cuonn_status status =
      cuonn_train(&j->state, j->context, &j->data, &j->config.features, &j->config.training, &callbacks);
  cli_bar_clear(&j->bar);
  switch (status) {
    case CUONN_OK:
      code = print_summary(j, "done");
      cli_flush();
      report(j);
      break;
    case CUONN_E_INTERRUPTED: code = stop_run(j); break;
    case CUONN_E_DIVERGED: code = diverged(j); break;
    default: code = cli_fail_library(status); break;
  }
done:
  free(text);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {.saved_step = UINT64_MAX};
  j.args.settings = calloc((size_t)argc, sizeof *j.args.settings);
  if (!j.args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&j.args, &argp, argc, argv));
  cli_catch_signals();
  cuonn_config_init(&j.config);
  CLI_PASS_DONE(j.args.resume ? configure_resumed(&j) : configure_new(&j));
  CLI_TRY_DONE(cuonn_context_create(&j.context, j.config.backend, j.config.threads));
  cli_tell_backend(j.context);
  CLI_PASS_DONE(load_data(&j));
  if (!j.args.resume) CLI_PASS_DONE(start_state(&j));
  if (j.args.resume) j.saved_step = j.state.step;
  if (j.state.step >= j.config.training.epochs * j.steps_per_epoch) {
    code = nothing_to_do(&j);
    goto done;
  }
  code = train(&j);
done:
  cuonn_run_close(j.run);
  free(j.identity);
  free(j.data_source);
  free(j.directory);
  cuonn_origin_free(&j.started);
  cuonn_training_state_free(&j.state);
  cuonn_dataset_free(&j.data);
  cuonn_context_free(j.context);
  free(j.args.settings);
  return code;
}

const cli_command cli_train = {"train", "train a network on labelled images or fields", &argp, run};
