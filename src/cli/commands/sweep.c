/* cuonn sweep: every point of a grid, from a configuration with lists, or from a sweep that was stopped.
 * Whatever can be refused is refused before the directory is made or touched. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/chip.h"
#include "cli/commands/sweep_part.h"
#include "cli/commands/sweep_print.h"
#include "cli/commands/sweep_train.h"
#include "cli/data.h"
#include "cli/find.h"
#include "cli/share.h"
#include "cli/training.h"

/* One call of the command. */
typedef struct {
  cli_training t;                  /* first: what the shared parser fills */
  const char *part_text, *collect; /* arguments, NULL: not given */
  cli_sweep_part part;
  cli_share share; /* the processes that do this part together */
  cuonn_grid grid;
  cuonn_sweep_files *files;
  size_t points;
  bool *mine; /* [points] of this part */
  size_t n_mine;
  size_t *to_do; /* [n_to_do] points */
  size_t n_to_do;
  cuonn_sweep_model *models; /* [points] */
  cuonn_context **contexts;  /* [t.devices.count], the first is t.context */
} job;

static error_t parse(int key, char *value, struct argp_state *state) {
  job *const j = state->input;
  const cli_training *const a = &j->t;
  switch (key) {
    case 'p': j->part_text = value; return 0;
    case 'c': j->collect = value; return 0;
    case ARGP_KEY_END: break;
    default: return cli_training_parse(key, value, state);
  }
  if (j->collect &&
      (a->output || a->config || a->resume || a->data_folder || a->chip_file || a->n_settings || j->part_text)) {
    cli_fail(CLI_USAGE, "--collect DIR goes with no CONFIG and no setting: it joins the results that are there");
    return EINVAL;
  }
  if (a->resume && (a->output || a->config)) {
    cli_fail(CLI_USAGE, "--resume goes with neither CONFIG nor --output: the sweep goes on as it was started");
    return EINVAL;
  }
  return j->collect ? 0 : cli_training_parse(key, value, state);
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0,
     "Set a key of the configuration, after the file; KEY=[VALUE, VALUE] gives it a list; may be repeated", 0},
    {"output", 'o', "DIR", 0, "Directory of the sweep, the same as --set output.directory=DIR", 0},
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    CLI_CHIP_OPTION('C'),
    {"resume", 'r', "DIR", 0,
     "Go on with the sweep in DIR; only what does not change the computation may be set anew (backend.threads, "
     "data.path, ...)",
     0},
    {"part", 'p', "K/N", 0,
     "Do the K-th of N parts of even cost; other processes, on this machine or others, do the others in the same "
     "directory. In a Slurm array it follows from the task",
     0},
    {"collect", 'c', "DIR", 0, "Join the results of all parts in DIR, as the last part to end does by itself", 0},
    {0}};

static const struct argp argp = {
    .args_doc = "CONFIG\n--resume DIR\n--collect DIR",
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
        "Many processes share a sweep: those that mpirun starts of a build with MPI, or parts: docs/scale.md.\n\n"
        "Example:\n"
        "  cuonn sweep configs/learning-rates.yaml --output runs/rates\n"
        "  cuonn sweep configs/fashion-mnist.yaml --set \"training.seed=[0, 1, 2, 3]\" --output runs/seeds\n"
        "  cuonn sweep --resume runs/rates\n"
        "  seq 4 | xargs -P 4 -I K cuonn sweep configs/tolerance.yaml --output runs/tol --part K/4 --threads 1",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* ---------------------------------------------------------------------------------------------- what shall be done */

static int configure(job *j, const char *path) {
  int code = CLI_DONE;
  const cli_training *const t = &j->t;
  CLI_TRY_DONE(t->resume ? cuonn_grid_read_stored(&j->grid, path) : cuonn_grid_read(&j->grid, path));
  for (size_t i = 0; i < t->n_settings; i++) CLI_TRY_DONE(cuonn_grid_set(&j->grid, t->settings[i]));
  CLI_PASS_DONE(cli_data_configure(&j->grid.base, t->data_folder, &t->common));
  CLI_PASS_DONE(cli_config_set(&j->grid.base, "chip.file", t->chip_file));
  CLI_PASS_DONE(cli_config_set(&j->grid.base, "output.directory", t->resume ? t->resume : t->output));
  CLI_TRY_DONE(cuonn_grid_complete(&j->grid));
  CLI_PASS_DONE(cli_training_shape(&j->t, &j->grid.base));
done:
  return code;
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
  const char *const key = cuonn_grid_difference(&started, &j->grid);
  if (key) code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the sweep was started with", path, key);
  if (strcmp(cli_data_name(&started.base), cli_data_name(&j->grid.base)) == 0) j->t.data_source = path;
done:
  cuonn_grid_free(&started);
  return code;
}

/* Data against every point. */
static int load_data(job *j) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_share_load(&j->t, &j->grid.base, &j->share)); /* no list is of the data's or the classes' keys */
  for (size_t p = 0; p < j->points; p++) {
    cuonn_config c;
    cuonn_grid_config(&c, &j->grid, p);
    CLI_PASS_DONE(cli_training_check(&j->t, &c));
  }
done:
  return code;
}

/* Finds the points of this part, and what all points are. */
static int cut(job *j) {
  int code = CLI_DONE;
  size_t *const part = calloc(j->points, sizeof *part);
  j->models = calloc(j->points, sizeof *j->models);
  j->mine = calloc(j->points, sizeof *j->mine);
  j->to_do = calloc(j->points, sizeof *j->to_do);
  if (!part || !j->models || !j->mine || !j->to_do) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", j->points);
    goto done;
  }
  for (size_t p = 0; p < j->points; p++) {
    cuonn_config c;
    cuonn_grid_config(&c, &j->grid, p);
    j->models[p] = (cuonn_sweep_model){c.network, c.training};
  }
  CLI_TRY_DONE(cuonn_sweep_cut(part, j->models, j->points, j->part.of));
  for (size_t p = 0; p < j->points; p++) j->n_mine += j->mine[p] = part[p] == j->part.number - 1;
done:
  free(part);
  return code;
}

/* Opens the directory, and lists what is not done there. */
static int open_files(job *j) {
  int code = CLI_DONE;
  const char *const directory = j->grid.base.output_directory;
  const bool resume = j->t.resume != NULL;
  if (j->part.of == 1)
    CLI_TRY_DONE(cuonn_sweep_files_open(&j->files, directory, &j->grid, j->t.identity, resume));
  else
    CLI_TRY_DONE(
        cuonn_sweep_files_open_part(&j->files, directory, &j->grid, j->t.identity, resume, j->part.number, j->part.of));
  for (size_t p = 0; p < j->points; p++) {
    if (!j->mine[p]) continue;
    if (j->part.of > 1) CLI_TRY_DONE(cuonn_sweep_files_take(j->files, p));
    if (!cuonn_sweep_files_result(j->files, p)) j->to_do[j->n_to_do++] = p;
  }
done:
  return code;
}

/* What rank 0 has found, for all. */
static int tell_files(job *j) {
  int code = CLI_DONE;
  comm_broadcast(j->share.processes, &j->n_to_do, sizeof j->n_to_do);
  comm_broadcast(j->share.processes, j->to_do, j->n_to_do * sizeof *j->to_do);
  if (j->share.rank > 0)
    CLI_TRY_DONE(cuonn_sweep_files_attach(&j->files, j->grid.base.output_directory, &j->grid, j->t.identity));
done:
  return code;
}

/* --------------------------------------------------------------------------------------------------------- training */

/* A context for each further device that falls to this process. */
static int open_devices(job *j) {
  int code = CLI_DONE;
  const cli_devices *const all = &j->t.devices;
  char first[512], line[512];
  j->contexts = calloc(all->count, sizeof *j->contexts);
  if (!j->contexts) return cli_fail(CLI_RESOURCES, "not enough memory for %zu devices", all->count);
  j->contexts[0] = j->t.context;
  const char *const backend = cuonn_context_backend(j->t.context);
  if (all->count > 1) CLI_TRY_DONE(cuonn_backend_device(first, sizeof first, backend, all->numbers[0]));
  for (size_t d = 1; d < all->count; d++) {
    CLI_PASS_DONE(cli_context_open_on(&j->contexts[d], &j->grid.base, all->numbers[d]));
    CLI_TRY_DONE(cuonn_backend_device(line, sizeof line, backend, all->numbers[d]));
    if (strcmp(line, first) != 0)
      cli_fail(CLI_DONE, "device %d is another GPU than device %d: runs differ by rounding", all->numbers[d],
               all->numbers[0]);
  }
done:
  return code;
}

/* Trains what falls to this process. */
static int train(job *j, bool *done) {
  for (size_t i = 0; i < j->n_to_do; i++) j->models[i] = j->models[j->to_do[i]]; /* points rise: to_do[i] >= i */
  const cli_sweep_work work = {.grid = &j->grid,
                               .files = j->files,
                               .data = &j->t.data,
                               .to_do = j->to_do,
                               .models = j->models,
                               .n_to_do = j->n_to_do,
                               .processes = j->share.processes,
                               .alone = j->share.size == 1,
                               .n_workers = cli_share_sum(&j->share, j->t.devices.count),
                               .devices = &j->t.devices,
                               .contexts = j->contexts,
                               .bar = &j->t.bar,
                               .json = j->t.common.json};
  return cli_sweep_train(&work, done);
}

/* Joins what is there, and says how the sweep ended. */
static int join(job *j, bool done) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_sweep_files_merge(j->files));
  CLI_PASS_DONE(cli_sweep_print_end(&j->grid, j->files, done ? "done" : "interrupted", cli_seconds_since(&j->t.began),
                                    j->t.common.json));
  if (done) cli_training_report(&j->t, j->grid.base.output_directory, true);
done:
  return code;
}

static int take_all(job *j) {
  int code = CLI_DONE;
  for (size_t p = 0; p < j->points; p++) CLI_TRY_DONE(cuonn_sweep_files_take(j->files, p));
done:
  return code;
}

/* A part that finds the runs of all parts there is the last, and joins them; two at once make the same file. */
static int end_part(job *j, bool done) {
  int code = CLI_DONE;
  size_t missing;
  CLI_TRY_DONE(cuonn_sweep_files_missing(&missing, j->files));
  CLI_PASS_DONE(cli_sweep_print_part_end(&j->grid, j->files, &j->part, j->mine, missing, done,
                                         cli_seconds_since(&j->t.began), j->t.common.json));
  if (!done || missing > 0) return CLI_DONE;
  CLI_PASS_DONE(take_all(j));
  code = join(j, true);
done:
  return code;
}

/* Results that other processes recorded. A file system may show them late, which parts find out, too. */
static int take_others(job *j, bool done) {
  int code = CLI_DONE;
  size_t missing = 0;
  for (size_t i = 0; i < j->n_to_do; i++) {
    CLI_TRY_DONE(cuonn_sweep_files_take(j->files, j->to_do[i]));
    missing += !cuonn_sweep_files_result(j->files, j->to_do[i]);
  }
  if (done && missing > 0)
    code =
        cli_fail(CLI_BAD_FILE,
                 "%zu runs that other processes have finished are not to be seen here yet; join them with: cuonn sweep "
                 "--collect %s",
                 missing, j->grid.base.output_directory);
done:
  return code;
}

/* What rank 0 does when all processes have ended. */
static int end(job *j, bool done) {
  int code = CLI_DONE;
  const bool parts = j->part.of > 1;
  char part[48] = "";
  if (parts && !j->part.slurm) snprintf(part, sizeof part, " --part %zu/%zu", j->part.number, j->part.of);
  if (j->share.size > 1) CLI_PASS_DONE(take_others(j, done));
  CLI_PASS_DONE(parts ? end_part(j, done) : join(j, done));
  if (!done)
    code = cli_fail(CLI_INTERRUPTED, "interrupted; go on with: cuonn sweep --resume %s%s",
                    j->grid.base.output_directory, part);
done:
  return code;
}

static int sweep(job *j) {
  int code = CLI_DONE;
  bool done;
  if (!j->t.common.json && j->share.rank == 0)
    cli_sweep_print_start(&j->grid, &j->part, j->share.size, j->n_mine, j->n_to_do, &j->t.data,
                          cuonn_context_backend(j->t.context), &j->t.devices);
  code = train(j, &done);
  if (code != CLI_DONE) return cli_share_give_up(&j->share, code);
  done = cli_share_agree(&j->share, done ? CLI_DONE : CLI_INTERRUPTED) == CLI_DONE;
  if (j->share.rank == 0) return end(j, done);
  return done ? CLI_DONE : CLI_INTERRUPTED;
}

/* Joins the results of parts that have ended. */
static int collect(job *j) {
  int code = CLI_DONE;
  size_t missing;
  j->t.resume = j->collect;
  CLI_PASS_DONE(cli_training_find(&j->t, "sweep.yaml"));
  CLI_TRY_DONE(cuonn_grid_read_stored(&j->grid, j->t.source));
  CLI_PASS_DONE(cli_config_set(&j->grid.base, "output.directory", j->t.directory));
  CLI_TRY_DONE(cuonn_grid_complete(&j->grid));
  j->points = cuonn_grid_points(&j->grid);
  CLI_TRY_DONE(cuonn_sweep_files_attach(&j->files, j->t.directory, &j->grid, NULL));
  CLI_TRY_DONE(cuonn_sweep_files_missing(&missing, j->files));
  if (missing > 0) {
    code = cli_fail(
        CLI_BAD_FILE,
        "%s: %zu of %zu runs are missing; start the parts that have not ended again, cuonn report %s shows what "
        "is there",
        j->t.directory, missing, j->points, j->t.directory);
    goto done;
  }
  CLI_PASS_DONE(take_all(j));
  cuonn_sweep_files_tidy(j->files);
  code = join(j, true);
done:
  return code;
}

/* What each process does for itself before any file is touched. */
static int prepare(job *j) {
  int code = CLI_DONE;
  CLI_PASS_DONE(j->t.resume ? configure_resumed(j) : configure(j, j->t.config));
  j->points = cuonn_grid_points(&j->grid);
  CLI_PASS_DONE(load_data(j));
  CLI_PASS_DONE(cut(j));
  CLI_PASS_DONE(open_devices(j));
  if (cuonn_stop_requested()) code = cli_fail(CLI_INTERRUPTED, "interrupted before training; nothing was written");
done:
  return code;
}

/* Processes that read another grid or other data than rank 0 are refused; where they compute on other processors or
 * backends, rank 0 says so. */
static int compare(job *j) {
  int code = CLI_DONE;
  char *const text = cuonn_grid_text(&j->grid);
  if (!text) return cli_share_give_up(&j->share, cli_fail(CLI_RESOURCES, "not enough memory for the configuration"));
  CLI_PASS_DONE(cli_share_compare(&j->share, text, j->t.identity));
  const int other = cli_share_other_machine(&j->share, j->t.context);
  if (other > 0 && j->share.rank == 0)
    cli_fail(CLI_DONE, "rank %d computes on another processor, device or backend than rank 0: runs differ by rounding",
             other);
done:
  free(text);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {0};
  cuonn_grid_init(&j.grid);
  CLI_PASS_DONE(cli_training_begin(&j.t, &argp, argc, argv));
  clock_gettime(CLOCK_MONOTONIC, &j.t.began);
  if (j.collect) {
    code = collect(&j);
    goto done;
  }
  CLI_PASS_DONE(cli_sweep_part_find(&j.part, j.part_text));
  CLI_PASS_DONE(cli_share_open(&j.share, "sweep", j.part_text != NULL));
  CLI_PASS_DONE(cli_share_agree(&j.share, prepare(&j)));
  CLI_PASS_DONE(compare(&j));
  CLI_PASS_DONE(cli_share_agree(&j.share, j.share.rank == 0 ? open_files(&j) : CLI_DONE));
  CLI_PASS_DONE(cli_share_agree(&j.share, tell_files(&j)));
  code = sweep(&j);
done:
  for (size_t d = 1; j.contexts && d < j.t.devices.count; d++) cuonn_context_free(j.contexts[d]);
  free(j.contexts);
  free(j.models);
  free(j.to_do);
  free(j.mine);
  cuonn_sweep_files_close(j.files);
  cuonn_grid_free(&j.grid);
  cli_training_free(&j.t);
  cli_share_close(&j.share);
  return code;
}

const cli_command cli_sweep = {"sweep", "train networks over a grid of settings", &argp, run};
