#include "cli/commands/sweep_train.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cli/commands/sweep_groups.h"
#include "cli/commands/sweep_print.h"

/* What the devices share. All of it, files, the terminal and MPI are for one thread at a time. */
typedef struct {
  const cli_sweep_work *work;
  cli_sweep_groups groups;
  pthread_mutex_t turn;
  struct device *devices; /* [work->devices->count] */
  size_t runs, runs_done; /* that this process knows to be its own; of groups that have ended */
  uint64_t steps, steps_done;
  cuonn_status status; /* of the first device that failed or was interrupted */
  int code;            /* of what was printed about it */
} training;

/* One device with its thread. */
typedef struct device {
  training *t;
  cuonn_context *context;
  const size_t *group;           /* that it trains now: places in to_do */
  cuonn_sweep_model *models;     /* [n_to_do] room for them */
  cuonn_sweep_progress progress; /* of the group */
  size_t memory_holds;           /* what was told of it */
  pthread_t thread;
} device;

static bool several(const training *t) { return t->work->devices->count > 1; }

static const char *name_device(char name[24], const device *d) {
  snprintf(name, 24, "device %d", cuonn_context_device(d->context));
  return name;
}

/* -------------------------------------------------------------------------------------------------------- reporting */

static void tell_memory(device *d) {
  char name[24];
  if (d->progress.memory_holds == 0 || d->progress.memory_holds == d->memory_holds) return;
  cli_bar_clear(d->t->work->bar);
  fprintf(stderr, "cuonn: %s%smemory holds %zu runs side by side; the others come after them\n",
          several(d->t) ? name_device(name, d) : "", several(d->t) ? ": " : "", d->progress.memory_holds);
  d->memory_holds = d->progress.memory_holds;
}

/* Sums over the devices. */
static void show(const training *t) {
  char text[160], left[32];
  cuonn_sweep_progress sum = {.models_done = t->runs_done, .steps_done = t->steps_done};
  for (size_t i = 0; i < t->work->devices->count; i++) {
    const cuonn_sweep_progress *const p = &t->devices[i].progress;
    sum.models_done += p->models_done;
    sum.models_together += p->models_together;
    sum.steps_done += p->steps_done;
    sum.steps_per_second += p->steps_per_second;
  }
  const double steps_left = (double)(t->steps - sum.steps_done);
  cli_clock_text(left, sizeof left, sum.steps_per_second > 0 ? steps_left / sum.steps_per_second : 0);
  snprintf(text, sizeof text, "run %zu/%zu  %zu at a time  %.0f steps/s  %s left", sum.models_done, t->runs,
           sum.models_together, sum.steps_per_second, left);
  cli_bar_show(t->work->bar, t->steps > 0 ? (double)sum.steps_done / (double)t->steps : 0, text);
}

static cuonn_status on_progress(void *user, const cuonn_sweep_progress *progress) {
  device *const d = user;
  training *const t = d->t;
  pthread_mutex_lock(&t->turn);
  comm_poll(t->work->processes);
  d->progress = *progress;
  tell_memory(d);
  show(t);
  const cuonn_status status = t->status;
  pthread_mutex_unlock(&t->turn);
  return status == CUONN_OK ? CUONN_OK : CUONN_E_INTERRUPTED; /* another device has ended the sweep */
}

/* --------------------------------------------------------------------------------------------------------- training */

static bool reads_files(const cuonn_config *c) { return c->start == CUONN_START_FILE || c->chip_errors_file[0]; }

/* netCDF, which reads starts and errors, is for one thread at a time. */
static cuonn_status start(void *user, size_t model, cuonn_network *network) {
  const device *const d = user;
  training *const t = d->t;
  cuonn_config c;
  cuonn_grid_config(&c, t->work->grid, t->work->to_do[d->group[model]]);
  const bool reads = reads_files(&c);
  if (reads) pthread_mutex_lock(&t->turn);
  const cuonn_status status = cli_start_network(network, &c);
  if (reads) pthread_mutex_unlock(&t->turn);
  return status;
}

static cuonn_status on_model(void *user, size_t model, const cuonn_sweep_result *result) {
  const device *const d = user;
  training *const t = d->t;
  const size_t point = t->work->to_do[d->group[model]];
  pthread_mutex_lock(&t->turn);
  const cuonn_status status = cuonn_sweep_files_record(t->work->files, point, result);
  if (status == CUONN_OK && t->work->json) cli_sweep_print_run(t->work->grid, point, result);
  pthread_mutex_unlock(&t->turn);
  return status;
}

static uint64_t steps_of(const training *t, size_t first, size_t end) {
  uint64_t steps = 0;
  for (size_t i = first; i < end; i++) {
    const cuonn_training_options *const o = &t->work->models[t->groups.order[i]].training;
    steps += (uint64_t)o->epochs * cuonn_steps_per_epoch(o, t->work->data->train.n_examples);
  }
  return steps;
}

/* The next group; false when there is none, or the sweep has ended. A process that is alone knows from the start that
 * all are its own. */
static bool take_group(training *t, size_t *first, size_t *end) {
  uint64_t g;
  pthread_mutex_lock(&t->turn);
  do {
    g = t->status == CUONN_OK ? comm_next(t->work->processes) : t->groups.n_groups;
    *first = g < t->groups.n_groups ? t->groups.first[g] : 0;
    *end = g < t->groups.n_groups ? t->groups.first[g + 1] : 0;
  } while (g < t->groups.n_groups && *first == *end);
  if (!t->work->alone) {
    t->runs += *end - *first;
    t->steps += steps_of(t, *first, *end);
  }
  pthread_mutex_unlock(&t->turn);
  return g < t->groups.n_groups;
}

/* Counts a group as done, or keeps the first failure and prints it. */
static void end_group(device *d, size_t first, size_t end, cuonn_status status) {
  training *const t = d->t;
  char name[24];
  pthread_mutex_lock(&t->turn);
  t->runs_done += end - first;
  t->steps_done += steps_of(t, first, end);
  d->progress = (cuonn_sweep_progress){0};
  if (t->status == CUONN_OK && status != CUONN_OK) {
    t->status = status;
    cli_bar_clear(t->work->bar);
    if (status != CUONN_E_INTERRUPTED)
      t->code = several(t) ? cli_fail_file(status, name_device(name, d)) : cli_fail_library(status);
  }
  pthread_mutex_unlock(&t->turn);
}

static void *train(void *user) {
  device *const d = user;
  const cli_sweep_work *const w = d->t->work;
  const cuonn_sweep_callbacks callbacks = {d, start, on_progress, on_model};
  size_t first, end;
  while (take_group(d->t, &first, &end)) {
    d->group = d->t->groups.order + first;
    for (size_t i = first; i < end; i++) d->models[i - first] = w->models[d->t->groups.order[i]];
    end_group(d, first, end,
              cuonn_sweep(d->context, w->data, &w->grid->base.features, d->models, end - first, &callbacks));
  }
  return NULL;
}

static uint64_t hash_of_files(const cuonn_config *c) {
  const char *const start = c->start == CUONN_START_FILE ? c->start_file : "", *const errors = c->chip_errors_file;
  return XXH3_64bits_withSeed(errors, strlen(errors), XXH3_64bits(start, strlen(start)));
}

/* Files of other programs are first read by a child process, which has no other threads: so it is done before there are
 * any, once for all runs that have the same files. Devices read them again, without a child, and tell what is wrong
 * with them. */
static int read_before(const training *t) {
  int code = CLI_DONE;
  size_t n_read = 0;
  uint64_t *const read = calloc(t->work->n_to_do + 1, sizeof *read); /* hashes of their names */
  if (!read) return cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", t->work->n_to_do);
  for (size_t i = 0; i < t->work->n_to_do; i++) {
    cuonn_config c;
    cuonn_network network;
    size_t at = 0;
    cuonn_grid_config(&c, t->work->grid, t->work->to_do[i]);
    if (!reads_files(&c)) continue;
    const uint64_t files = hash_of_files(&c);
    while (at < n_read && read[at] != files) at++;
    if (at < n_read) continue;
    read[n_read++] = files;
    CLI_TRY_DONE(cuonn_network_create(&network, &c.network));
    (void)cli_start_network(&network, &c);
    cuonn_network_free(&network);
  }
done:
  free(read);
  return code;
}

/* The first device belongs to the calling thread. */
static int train_on_all(training *t) {
  size_t started = 1;
  for (; started < t->work->devices->count; started++)
    if (pthread_create(&t->devices[started].thread, NULL, train, &t->devices[started]) != 0) break;
  if (started < t->work->devices->count) {
    pthread_mutex_lock(&t->turn);
    t->status = CUONN_E_MEMORY;
    t->code = cli_fail(CLI_RESOURCES, "no thread could be started for device %d",
                       cuonn_context_device(t->devices[started].context));
    pthread_mutex_unlock(&t->turn);
  }
  train(&t->devices[0]);
  while (started > 1) pthread_join(t->devices[--started].thread, NULL);
  return t->code;
}

int cli_sweep_train(const cli_sweep_work *work, bool *done) {
  int code = CLI_DONE;
  training t = {.work = work, .turn = PTHREAD_MUTEX_INITIALIZER};
  const size_t n = work->devices->count;
  t.devices = calloc(n, sizeof *t.devices);
  for (size_t i = 0; t.devices && i < n; i++)
    t.devices[i] =
        (device){.t = &t, .context = work->contexts[i], .models = calloc(work->n_to_do + 1, sizeof(cuonn_sweep_model))};
  for (size_t i = 0; i < n; i++) {
    if (t.devices && t.devices[i].models) continue;
    code = cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", work->n_to_do);
    goto done;
  }
  CLI_PASS_DONE(cli_sweep_groups_make(&t.groups, work->models, work->n_to_do, work->n_workers));
  if (work->alone) {
    t.runs = work->n_to_do;
    t.steps = steps_of(&t, 0, work->n_to_do);
  }
  if (several(&t)) CLI_PASS_DONE(read_before(&t));
  cli_bar_open(work->bar);
  code = train_on_all(&t);
  cli_bar_clear(work->bar);
  *done = t.status == CUONN_OK;
done:
  for (size_t i = 0; t.devices && i < n; i++) free(t.devices[i].models);
  free(t.devices);
  cli_sweep_groups_free(&t.groups);
  return code;
}
