#include "cli/commands/sweep_print.h"

#include <stdio.h>
#include <string.h>

#include "cli/data.h"

/* "io_phase_error_std / pi": the coordinate of an axis over its unit. */
static void print_head(const cuonn_grid_axis *axis) {
  printf("  %s%s%s", axis->coordinate, *axis->unit ? " / " : "", axis->unit);
}

static int head_width(const cuonn_grid_axis *axis) {
  return (int)(strlen(axis->coordinate) + (*axis->unit ? strlen(" / ") + strlen(axis->unit) : 0));
}

void cli_sweep_print_start(const cuonn_grid *grid, const cli_sweep_part *part, int n_processes, size_t n_runs,
                           size_t n_to_do, const cuonn_dataset *data, const char *backend, const cli_devices *devices) {
  const cuonn_network_shape *const s = &grid->base.network;
  printf(
      "sweep of %zu runs, %zu to do, %zu epochs each: %zu layers of N = %zu on %zu %s (%zu to test) in %s, backend "
      "%s\n",
      cuonn_grid_points(grid), n_to_do, grid->base.training.epochs, s->n_layers, s->n_modes, data->train.n_examples,
      cli_data_kind(&grid->base), data->test.n_examples, cli_data_name(&grid->base), backend);
  if (n_processes > 1) printf("%d processes of MPI\n", n_processes);
  for (size_t i = 0; devices->count > 1 && i < devices->count; i++)
    printf("%s%d%s", i == 0 ? "devices " : ", ", devices->numbers[i], i + 1 == devices->count ? "\n" : "");
  if (part->of > 1)
    printf("part %zu/%zu%s: %zu of the runs\n", part->number, part->of, part->slurm ? ", as the Slurm array says" : "",
           n_runs);
  for (size_t a = 0; a < grid->n_axes; a++) {
    print_head(&grid->axes[a]);
    printf(grid->axes[a].zipped ? ", together with that:" : ":");
    for (size_t i = 0; i < grid->axes[a].count; i++) printf(" %s", grid->axes[a].values[i]);
    printf("\n");
  }
  cli_flush();
}

/* {"optimizer": "adam", "seed": 1, ...} */
static json_t *json_of_point(const cuonn_grid *grid, size_t point) {
  json_t *const out = json_object();
  for (size_t a = 0; out && a < grid->n_axes; a++) {
    const char *const value = cuonn_grid_value(grid, a, point);
    json_object_set_new(out, grid->axes[a].coordinate,
                        grid->axes[a].numeric ? json_loads(value, JSON_DECODE_ANY, NULL) : json_string(value));
  }
  return out;
}

static const cuonn_sweep_epoch *last_epoch(const cuonn_sweep_result *result) {
  return result->n_epochs ? &result->epochs[result->n_epochs - 1] : NULL;
}

int cli_sweep_print_run(const cuonn_grid *grid, size_t point, const cuonn_sweep_result *result) {
  const cuonn_sweep_epoch *const last = last_epoch(result);
  return cli_print_json(json_pack("{s:I, s:I, s:o, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "run", (json_int_t)point, "of",
                                  (json_int_t)cuonn_grid_points(grid), "point", json_of_point(grid, point), "status",
                                  cuonn_status_name(result->status), "reason", cli_json_text(result->reason), "epochs",
                                  (json_int_t)result->n_epochs, "train_error",
                                  last ? cli_json_number(last->train_error) : json_null(), "test_error",
                                  last ? cli_json_number(last->test_error) : json_null(), "train_loss",
                                  last ? cli_json_number(last->train_loss) : json_null(), "test_loss",
                                  last ? cli_json_number(last->test_loss) : json_null()));
}

/* The finished runs with the least and the largest error of the last epoch's test; points if there is none. */
typedef struct {
  size_t best, worst, finished, failed;
} summary;

static double final_error(const cuonn_sweep_files *files, size_t point) {
  return last_epoch(cuonn_sweep_files_result(files, point))->test_error;
}

static summary summarize(const cuonn_sweep_files *files, size_t points) {
  summary s = {points, points, 0, 0};
  for (size_t p = 0; p < points; p++) {
    const cuonn_sweep_result *const result = cuonn_sweep_files_result(files, p);
    if (!result) continue;
    if (result->status != CUONN_OK) {
      s.failed++;
      continue;
    }
    s.finished++;
    if (s.best == points || final_error(files, p) < final_error(files, s.best)) s.best = p;
    if (s.worst == points || final_error(files, p) > final_error(files, s.worst)) s.worst = p;
  }
  return s;
}

static void print_row(const cuonn_grid *grid, const cuonn_sweep_files *files, const char *title, size_t point) {
  const cuonn_sweep_result *const result = cuonn_sweep_files_result(files, point);
  const cuonn_sweep_epoch *const last = last_epoch(result);
  if (result->status == CUONN_OK && last)
    printf("%-6s  %06zu  %10.4f  %11.4f", title, point, last->test_error, last->train_error);
  else
    printf("%-6s  %06zu  %10s  %11s", title, point, "-", "-");
  for (size_t a = 0; a < grid->n_axes; a++)
    printf("  %*s", head_width(&grid->axes[a]), cuonn_grid_value(grid, a, point));
  printf("%s%s\n", result->reason[0] ? "  " : "", result->reason);
}

static void print_table(const cuonn_grid *grid, const cuonn_sweep_files *files, const summary *s) {
  const size_t points = cuonn_grid_points(grid);
  enum { kMostFailed = 10 };
  size_t told = 0;
  printf("%-6s  %6s  %10s  %11s", "", "run", "test error", "train error");
  for (size_t a = 0; a < grid->n_axes; a++) print_head(&grid->axes[a]);
  printf("\n");
  if (s->best < points) print_row(grid, files, "best", s->best);
  if (s->worst < points) print_row(grid, files, "worst", s->worst);
  for (size_t p = 0; p < points && told < kMostFailed; p++) {
    const cuonn_sweep_result *const result = cuonn_sweep_files_result(files, p);
    if (!result || result->status == CUONN_OK) continue;
    print_row(grid, files, "failed", p);
    told++;
  }
  if (s->failed > told) printf("and %zu more that failed\n", s->failed - told);
}

int cli_sweep_print_end(const cuonn_grid *grid, const cuonn_sweep_files *files, const char *outcome, double seconds,
                        bool json) {
  const size_t points = cuonn_grid_points(grid);
  const summary s = summarize(files, points);
  const char *const directory = grid->base.output_directory;
  if (json)
    return cli_print_json(json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "result", outcome, "runs",
                                    (json_int_t)points, "finished", (json_int_t)s.finished, "failed",
                                    (json_int_t)s.failed, "best",
                                    s.best < points ? json_integer((json_int_t)s.best) : json_null(), "worst",
                                    s.worst < points ? json_integer((json_int_t)s.worst) : json_null(), "seconds",
                                    cli_json_number(seconds), "directory", cli_json_text(directory)));
  print_table(grid, files, &s);
  printf("%s: %zu of %zu runs finished, %zu failed, in %.1f s; results in %s/sweep.nc\n", outcome, s.finished, points,
         s.failed, seconds, directory);
  return CLI_DONE;
}

int cli_sweep_print_part_end(const cuonn_grid *grid, const cuonn_sweep_files *files, const cli_sweep_part *part,
                             const bool *mine, size_t missing, bool done, double seconds, bool json) {
  const char *const outcome = done ? "done" : "interrupted";
  size_t runs = 0, finished = 0, failed = 0;
  for (size_t p = 0; p < cuonn_grid_points(grid); p++) {
    const cuonn_sweep_result *const result = mine[p] ? cuonn_sweep_files_result(files, p) : NULL;
    runs += mine[p];
    if (result) *(result->status == CUONN_OK ? &finished : &failed) += 1;
  }
  if (json)
    return cli_print_json(json_pack("{s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "result", outcome, "part",
                                    (json_int_t)part->number, "parts", (json_int_t)part->of, "slurm", part->slurm,
                                    "runs", (json_int_t)runs, "finished", (json_int_t)finished, "failed",
                                    (json_int_t)failed, "missing", (json_int_t)missing, "seconds",
                                    cli_json_number(seconds), "directory", cli_json_text(grid->base.output_directory)));
  printf("%s: part %zu/%zu, %zu of its %zu runs finished, %zu failed, in %.1f s; ", outcome, part->number, part->of,
         finished, runs, failed, seconds);
  if (missing > 0)
    printf("%zu of all %zu runs are missing\n", missing, cuonn_grid_points(grid));
  else
    printf("the runs of all parts are there\n");
  cli_flush();
  return CLI_DONE;
}
