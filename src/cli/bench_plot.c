/* Scaling curves: a gnuplot script that holds the data, and gnuplot to draw it. One panel a case, one curve a backend and
 * size, the limit dashed. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench.h"

/* What the curves run over: the longest list. */
typedef enum { OVER_MODES, OVER_BATCH, OVER_LAYERS } axis;

static axis choose_axis(const bench_settings *s) {
  if (s->batches.count > s->modes.count && s->batches.count >= s->layers.count) return OVER_BATCH;
  return s->layers.count > s->modes.count ? OVER_LAYERS : OVER_MODES;
}

static bool has_axis(const bench_row *row, axis over) {
  if (*row->skipped) return false;
  if (over == OVER_BATCH) return bench_uses_batch(row->options.what);
  return over == OVER_MODES || bench_uses_layers(row->options.what);
}

static size_t place(const bench_row *row, axis over) {
  const cuonn_benchmark_options *const o = &row->options;
  return over == OVER_MODES ? o->n_modes : over == OVER_BATCH ? o->batch_size : o->n_layers;
}

/* Rows of one curve differ by their place on the axis alone. */
static bool same_curve(const bench_row *a, const bench_row *b, axis over) {
  const cuonn_benchmark_options *const x = &a->options, *const y = &b->options;
  return x->what == y->what && strcmp(a->backend, b->backend) == 0 &&
         (over == OVER_MODES || x->n_modes == y->n_modes) && (over == OVER_BATCH || x->batch_size == y->batch_size) &&
         (over == OVER_LAYERS || x->n_layers == y->n_layers);
}

static bool begins_curve(const bench_run *run, size_t i, axis over) {
  for (size_t k = 0; k < i; k++) {
    if (has_axis(&run->rows[k], over) && same_curve(&run->rows[k], &run->rows[i], over)) return false;
  }
  return has_axis(&run->rows[i], over);
}

static void write_curve(FILE *file, const bench_run *run, size_t first, axis over) {
  fprintf(file, "$curve%zu << END\n", first);
  for (size_t k = first; k < run->n_rows; k++) {
    const bench_row *const row = &run->rows[k];
    if (!has_axis(row, over) || !same_curve(&run->rows[first], row, over)) continue;
    fprintf(file, "%zu %.6g %.6g %.6g %.6g\n", place(row, over), 1e6 * row->median, 1e6 * row->p10, 1e6 * row->p90,
            1e6 * row->median * bench_of_limit(row));
  }
  fprintf(file, "END\n");
}

/* The curve's name: its backend and the numbers that are not on the axis. */
static void write_title(FILE *file, const bench_row *row, axis over) {
  const cuonn_benchmark_options *const o = &row->options;
  fprintf(file, "%s", row->backend);
  if (over != OVER_MODES) fprintf(file, ", N %zu", o->n_modes);
  if (over != OVER_BATCH && bench_uses_batch(o->what)) fprintf(file, ", batch %zu", o->batch_size);
  if (over != OVER_LAYERS && bench_uses_layers(o->what)) fprintf(file, ", %zu layers", o->n_layers);
}

static void write_panel(FILE *file, const bench_run *run, cuonn_benchmark_case what, axis over) {
  int color = 0;
  for (size_t i = 0; i < run->n_rows; i++) {
    if (run->rows[i].options.what != what || !begins_curve(run, i, over)) continue;
    if (color++ == 0) fprintf(file, "set title '%s' noenhanced\nplot", cuonn_benchmark_case_name(what));
    fprintf(file, "%s $curve%zu using 1:2:3:4 with yerrorlines linetype %d title '", color > 1 ? "," : "", i, color);
    write_title(file, &run->rows[i], over);
    fprintf(file, "', $curve%zu using 1:5 with lines linetype %d dashtype 2 notitle", i, color);
  }
  if (color > 0) fprintf(file, "\n");
}

static int write_script(const char *path, const bench_run *run) {
  static const char *const labels[] = {"modes N", "batch", "layers"};
  const axis over = choose_axis(&run->settings);
  bool drawn[CUONN_BENCHMARK_CASES] = {0};
  int panels = 0;
  FILE *const file = fopen(path, "we");
  if (!file) return cli_fail(CLI_BAD_FILE, "%s cannot be written: %s", path, strerror(errno));
  fprintf(file, "# Written by cuonn bench. gnuplot THIS > FILE.svg. Columns: %s, median, p10, p90, limit in us.\n",
          labels[over]);
  for (size_t i = 0; i < run->n_rows; i++) {
    if (begins_curve(run, i, over)) write_curve(file, run, i, over);
    if (has_axis(&run->rows[i], over) && !drawn[run->rows[i].options.what]) panels++;
    if (has_axis(&run->rows[i], over)) drawn[run->rows[i].options.what] = true;
  }
  const int columns = panels > 1 ? 2 : 1, lines = (panels + columns - 1) / columns;
  fprintf(file,
          "set terminal svg size %d,%d background 'white'\nset logscale xy\nset grid\nset key below\n"
          "set xlabel '%s'\nset ylabel 'us an operation; dashed: limit'\nset multiplot layout %d,%d\n",
          560 * columns, 400 * (lines > 0 ? lines : 1), labels[over], lines > 0 ? lines : 1, columns);
  for (size_t i = 0; i < CUONN_BENCHMARK_CASES; i++) {
    if (drawn[i]) write_panel(file, run, (cuonn_benchmark_case)i, over);
  }
  fprintf(file, "unset multiplot\n");
  const bool lost = ferror(file);
  if (fclose(file) != 0 || lost) return cli_fail(CLI_BAD_FILE, "%s cannot be written: %s", path, strerror(errno));
  return CLI_DONE;
}

/* Runs gnuplot on a script. Returns 0, or what went wrong as errno; EIO if gnuplot itself failed. */
static int run_gnuplot(const char *script, const char *drawing) {
  char *const argv[] = {(char[]){"gnuplot"}, (char *)script, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  int wait_status = 0;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, drawing, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const int reason = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (reason != 0) return reason;
  while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 ? 0 : EIO;
}

int bench_draw(const bench_run *run) {
  int code = CLI_DONE;
  const char *const plot = run->settings.plot;
  char *script = NULL, *drawing = NULL;
  if (asprintf(&script, "%s.gp", plot) < 0 || asprintf(&drawing, "%s.tmp", plot) < 0) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  CLI_PASS_DONE(write_script(script, run));
  const int reason = run_gnuplot(script, drawing);
  if (reason == ENOENT) {
    code = cli_fail(CLI_RESOURCES, "gnuplot is missing (Debian package gnuplot-nox); with it: gnuplot %s > %s", script,
                    plot);
  } else if (reason != 0 || rename(drawing, plot) != 0) {
    code = cli_fail(CLI_OTHER, "%s could not be drawn from %s: %s", plot, script,
                    reason == EIO ? "gnuplot failed" : strerror(reason ? reason : errno));
  }
  if (code != CLI_DONE) unlink(drawing);
done:
  free(drawing);
  free(script);
  return code;
}
