/* cuonn train: from a configuration, or from a run that was stopped, to a run directory.
 * Whatever can be refused is refused before that directory is made or touched. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/chip.h"
#include "cli/data.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/share.h"
#include "cli/training.h"

static error_t parse(int key, char *value, struct argp_state *state) {
  const cli_training *const a = state->input;
  if (key == ARGP_KEY_END && a->output && a->resume) {
    cli_fail(CLI_USAGE, "--output does not go with --resume: a resumed run goes on in its own directory");
    return EINVAL;
  }
  return cli_training_parse(key, value, state);
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, after the file; may be repeated", 0},
    {"output", 'o', "DIR", 0, "Run directory, the same as --set output.directory=DIR", 0},
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    CLI_CHIP_OPTION('C'),
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
        "Processes that mpirun starts of a build with MPI share each batch, and give the same bits: docs/scale.md.\n\n"
        "Example:\n"
        "  cuonn train configs/fashion-mnist.yaml --output runs/study\n"
        "  cuonn train --resume runs/study --set training.epochs=50",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* One run of the command. */
typedef struct {
  cli_training t;
  cli_share share; /* the processes that do it together; rank 0 alone prints and writes */
  cuonn_config config;
  char *text; /* of the configuration */
  cuonn_training_state state;
  cuonn_origin started; /* of a resumed run: what its last.nc says */
  size_t epoch;         /* finished ones, the same */
  cuonn_run *run;
  size_t steps_per_epoch;
  uint64_t saved_step;       /* step that the directory's last.nc holds, UINT64_MAX if there is none */
  cuonn_epoch_record newest; /* epoch 0: none was finished since the command began */
} job;

/* ---------------------------------------------------------------------------------------------- what shall be done */

/* CONFIG, if there is one, over the present values, then what the command line says.
 *  directory  [CUONN_CONFIG_TEXT] in place of CONFIG's; NULL: none */
static int configure(job *j, const char *directory) {
  int code = CLI_DONE;
  const cli_training *const t = &j->t;
  if (t->config) CLI_TRY_DONE(cuonn_config_read(&j->config, t->config));
  if (directory) memcpy(j->config.output_directory, directory, sizeof j->config.output_directory);
  for (size_t i = 0; i < t->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(&j->config, t->settings[i]));
  CLI_PASS_DONE(cli_data_configure(&j->config, t->data_folder, &t->common));
  CLI_PASS_DONE(cli_config_set(&j->config, "chip.file", t->chip_file));
  CLI_PASS_DONE(cli_config_set(&j->config, "output.directory", t->output));
  CLI_TRY_DONE(cuonn_config_check(&j->config));
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
  CLI_PASS_DONE(cli_training_find(&j->t, "last.nc"));
  CLI_PASS_DONE(check_resumed(j->t.directory));
  const char *const path = j->t.source;
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
  CLI_PASS_DONE(configure(j, started.output_directory));
  const char *key = cuonn_config_difference(&started, &j->config);
  if (!key && strcmp(started.output_directory, j->config.output_directory) != 0) key = "output.directory";
  if (key) {
    code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the run was started with", path, key);
    goto done;
  }
  CLI_PASS_DONE(cli_config_set(&j->config, "output.directory", j->t.directory));
  j->config.network.mesh = j->state.network.shape.mesh; /* whatever has become of a file that it was read from */
  if (strcmp(cli_data_name(&started), cli_data_name(&j->config)) == 0) j->t.data_source = path;
done:
  return code;
}

/* The data must be those that the run has seen so far: an epoch of others is another epoch. */
static int check_data(const job *j) {
  const char *const directory = j->t.resume;
  if (j->started.data) {
    const cuonn_status same = cuonn_dataset_compare(j->started.data, j->t.identity);
    if (same != CUONN_OK)
      return cli_fail(CLI_BAD_FILE, "%s: is not what the run in %s was started with: %s", cli_data_name(&j->config),
                      directory, cuonn_last_error());
  } else if (j->share.rank == 0) {
    fprintf(stderr,
            "cuonn: %s/last.nc is of an older version and does not say on what data: they are taken as they are\n",
            directory);
  }
  if (j->state.step / j->steps_per_epoch == j->epoch) return CLI_DONE;
  return cli_fail(CLI_BAD_FILE,
                  "%s: is not what the run in %s was started with: it finished %zu epochs in %" PRIu64
                  " steps, and %zu training examples make an epoch of %zu steps",
                  cli_data_name(&j->config), directory, j->epoch, j->state.step, j->t.data.train.n_examples,
                  j->steps_per_epoch);
}

static int load_data(job *j) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_share_load(&j->t, &j->config, &j->share));
  CLI_PASS_DONE(cli_context_check_one(&j->t.devices, &j->config));
  CLI_PASS_DONE(cli_share_context(j->t.context, &j->share));
  CLI_PASS_DONE(cli_training_check(&j->t, &j->config));
  j->steps_per_epoch = cuonn_steps_per_epoch(&j->config.training, j->t.data.train.n_examples);
  if (j->t.resume) code = check_data(j);
done:
  return code;
}

static int start_state(job *j) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_training_state_create(&j->state, &j->config.network));
  CLI_TRY_DONE(cli_start_network(&j->state.network, &j->config));
done:
  return code;
}

/* What each process does for itself before any file is touched. */
static int prepare(job *j) {
  int code = CLI_DONE;
  cuonn_config_init(&j->config);
  CLI_PASS_DONE(j->t.resume ? configure_resumed(j) : configure(j, NULL));
  if (!j->t.resume) CLI_PASS_DONE(cli_training_shape(&j->t, &j->config));
  CLI_PASS_DONE(load_data(j));
  if (!j->t.resume) CLI_PASS_DONE(start_state(j));
  j->text = cuonn_config_text(&j->config);
  if (!j->text)
    code = cli_fail(CLI_RESOURCES, "not enough memory");
  else if (cuonn_stop_requested())
    code = cli_fail(CLI_INTERRUPTED, "interrupted before training; nothing was written");
done:
  return code;
}

/* The first process that begins with another state than rank 0. */
static int other_state(job *j) {
  const cuonn_network *const network = &j->state.network;
  const size_t n_layers = network->shape.n_layers, modes = network->shape.n_modes * sizeof(double);
  int other = cli_share_first_other(&j->share, &j->state.step, sizeof j->state.step);
  for (size_t l = 0; l < n_layers && other == 0; l++) {
    const cuonn_mesh *const mesh = &network->layers[l];
    const size_t nodes = mesh->n_nodes * sizeof(double);
    const size_t couplers = cuonn_node_kind_couplers(cuonn_mesh_shape_node(mesh->shape));
    const void *const arrays[] = {mesh->theta, mesh->phi, mesh->coupler_error, mesh->loss_db, mesh->gamma};
    const size_t sizes[] = {nodes, nodes, couplers * nodes, 2 * nodes, modes};
    for (size_t i = 0; i < 5 && other == 0; i++) other = cli_share_first_other(&j->share, arrays[i], sizes[i]);
  }
  if (network->amplitudes && other == 0)
    other = cli_share_first_other(&j->share, network->amplitudes, n_layers * modes);
  if (other == 0)
    other = cli_share_first_other(&j->share, j->state.moments,
                                  cuonn_training_moments_count(&network->shape) * sizeof(double));
  return other;
}

/* Refuses processes that would not do the same as rank 0. */
static int compare(job *j) {
  int code = CLI_DONE, other;
  CLI_PASS_DONE(cli_share_compare(&j->share, j->text, j->t.identity));
  other = cli_share_other_machine(&j->share, j->t.context);
  if (other > 0) {
    code = CLI_USAGE;
    if (j->share.rank == 0)
      cli_fail(code,
               "rank %d computes on another processor, device or backend than rank 0; one training needs one type",
               other);
    goto done;
  }
  other = other_state(j);
  if (other == 0) return CLI_DONE;
  code = CLI_USAGE;
  if (j->share.rank == 0)
    cli_fail(code, "rank %d begins with other phases or another chip than rank 0; give all processes the same files",
             other);
done:
  return code;
}

/* -------------------------------------------------------------------------------------------------------- reporting */

static void print_start(const job *j) {
  const cuonn_network_shape *s = &j->config.network;
  if (j->t.common.json) return;
  printf("training %zu layers of N = %zu for %zu classes on %zu %s (%zu to test) in %s, backend %s", s->n_layers,
         s->n_modes, s->n_classes, j->t.data.train.n_examples, cli_data_kind(&j->config), j->t.data.test.n_examples,
         cli_data_name(&j->config), cuonn_context_backend(j->t.context));
  if (j->share.size > 1) printf(", %d processes of MPI", j->share.size);
  printf("\n");
  if (j->t.resume)
    printf("going on after step %" PRIu64 " of %zu\n", j->state.step, j->config.training.epochs * j->steps_per_epoch);
  cli_flush();
}

static cuonn_status on_progress(void *user, const cuonn_progress *progress) {
  job *j = user;
  cli_bar_draw(&j->t.bar, progress);
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
  if (j->t.common.json) {
    json_t *const object =
        json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "epoch", (json_int_t)r->epoch, "of",
                  (json_int_t)j->config.training.epochs, "train_loss", cli_json_number(r->train_loss), "test_loss",
                  cli_json_number(r->test_loss), "test_accuracy", cli_json_number(r->test_accuracy), "seconds",
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
  cli_bar_clear(&j->t.bar);
  printf("epoch %zu/%zu  train loss %.5f  test loss %.5f  test accuracy %.4f  %.2f s  %.0f examples/s%s\n", r->epoch,
         j->config.training.epochs, r->train_loss, r->test_loss, r->test_accuracy, r->seconds, r->examples_per_second,
         improved ? "  best" : "");
  cli_flush();
  return CUONN_OK;
}

static int print_summary(const job *j, const char *result) {
  const char *directory = j->config.output_directory;
  const double best = j->state.best_accuracy;
  const double seconds = cli_seconds_since(&j->t.began);
  const size_t finished = (size_t)(j->state.step / j->steps_per_epoch);
  if (j->t.common.json)
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

/* Nothing is left to train. A run that was killed between its last epoch and its report gets the report. */
static int nothing_to_do(job *j) {
  int code = CLI_DONE;
  char *path;
  if (asprintf(&path, "%s/report.html", j->config.output_directory) < 0)
    return cli_fail(CLI_RESOURCES, "not enough memory");
  if (j->t.common.json)
    code = print_summary(j, "nothing to do");
  else
    printf("nothing to do: %s already has %zu epochs; more with --set training.epochs=COUNT\n", j->t.resume,
           (size_t)(j->state.step / j->steps_per_epoch));
  cli_flush();
  if (access(path, F_OK) != 0 && errno == ENOENT) cli_training_report(&j->t, j->config.output_directory, false);
  free(path);
  return code;
}

static int diverged(const job *j) {
  if (j->saved_step == UINT64_MAX)
    return cli_fail(CLI_OTHER, "%s; no epoch was finished, so there is no checkpoint", cuonn_last_error());
  char *const reason = strdup(cuonn_last_error());
  const cuonn_status kept = cuonn_run_flush(j->run);
  const int code = kept != CUONN_OK
                       ? cli_fail_library(kept)
                       : cli_fail(CLI_OTHER, "%s; %s/last.nc keeps the phases after step %" PRIu64,
                                  reason ? reason : "training diverged", j->config.output_directory, j->saved_step);
  free(reason);
  return code;
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

/* A resumed run writes over its files: none may be CONFIG, but config.yaml where it stays as it is. A new one replaces
 * none. */
static int check_outputs(const job *j, const char *text) {
  static const char *const names[] = {"config.yaml", "metrics.csv", "last.nc", "best.nc", "report.html"};
  if (!j->t.resume || !j->t.config || holds(j->t.config, text)) return CLI_DONE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path;
    if (asprintf(&path, "%s/%s", j->t.resume, names[i]) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
    const int code = CLI_CHECK_OUTPUT(path, j->t.config);
    free(path);
    if (code != CLI_DONE) return code;
  }
  return CLI_DONE;
}

static int open_run(job *j) {
  int code = CLI_DONE;
  const size_t finished = (size_t)(j->state.step / j->steps_per_epoch);
  CLI_PASS_DONE(check_outputs(j, j->text));
  const cuonn_origin origin = {j->text, j->config.training.seed, j->t.identity};
  CLI_TRY_DONE(cuonn_run_open(&j->run, j->config.output_directory, &origin,
                              j->config.training.gradient == CUONN_GRADIENT_EXACT ? 0 : j->config.network.n_layers,
                              !j->t.resume ? 0 : (finished ? finished : SIZE_MAX), j->config.checkpoint_interval));
done:
  return code;
}

/* What rank 0 does when training has ended, however. */
static int end(job *j, cuonn_status status) {
  int code = CLI_DONE;
  switch (status) {
    case CUONN_OK:
      CLI_TRY_DONE(cuonn_run_flush(j->run));
      code = print_summary(j, "done");
      cli_flush();
      cli_training_report(&j->t, j->config.output_directory, false);
      break;
    case CUONN_E_INTERRUPTED: code = stop_run(j); break;
    case CUONN_E_DIVERGED: code = diverged(j); break;
    default:
      code = cli_fail_library(status);
      cuonn_run_flush(j->run); /* what can still be kept */
      break;
  }
done:
  return code;
}

/* Whether training ended so for all processes, because they found the same; else this one has failed by itself. */
static bool is_common(cuonn_status status) {
  return status == CUONN_OK || status == CUONN_E_INTERRUPTED || status == CUONN_E_DIVERGED ||
         status == CUONN_E_PROCESSES;
}

/* Those that rank 0 speaks for end with its code. */
static int train(job *j) {
  const bool speaks = j->share.rank == 0;
  const cuonn_training_callbacks callbacks = {
      .user = j, .on_progress = speaks ? on_progress : NULL, .on_epoch = speaks ? on_epoch : NULL};
  if (speaks) print_start(j);
  j->share.tells = speaks && !j->t.common.json;
  clock_gettime(CLOCK_MONOTONIC, &j->t.began);
  cli_bar_open(&j->t.bar);
  const cuonn_status status =
      cuonn_train(&j->state, j->t.context, &j->t.data, &j->config.features, &j->config.training, &callbacks);
  cli_bar_clear(&j->t.bar);
  if (!is_common(status)) return cli_share_give_up(&j->share, speaks ? end(j, status) : cli_fail_library(status));
  int code = speaks ? end(j, status) : CLI_DONE;
  comm_broadcast(j->share.processes, &code, sizeof code);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {.saved_step = UINT64_MAX};
  CLI_PASS_DONE(cli_training_begin(&j.t, &argp, argc, argv));
  CLI_PASS_DONE(cli_share_open(&j.share, "train", false));
  CLI_PASS_DONE(cli_share_agree(&j.share, prepare(&j)));
  CLI_PASS_DONE(compare(&j));
  if (j.t.resume) j.saved_step = j.state.step;
  if (j.state.step >= j.config.training.epochs * j.steps_per_epoch) {
    if (j.share.rank == 0) code = nothing_to_do(&j);
    goto done;
  }
  CLI_PASS_DONE(cli_share_agree(&j.share, j.share.rank == 0 ? open_run(&j) : CLI_DONE));
  code = train(&j);
done:
  cuonn_run_close(j.run);
  free(j.text);
  cuonn_origin_free(&j.started);
  cuonn_training_state_free(&j.state);
  cli_training_free(&j.t);
  cli_share_close(&j.share);
  return code;
}

const cli_command cli_train = {"train", "train a network on labelled images or fields", &argp, run};
