/* cuonn report: configuration, numbers and figures of a run or a sweep in one HTML file, and how to repeat it. */
#include "cli/report/run.h"
#include "cli/report/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/find.h"
#include "cli/gnuplot.h"
#include "cli/report/page.h"

/* Whether a path is taken for a sweep: a directory with sweep.yaml, or a file. */
static int is_sweep(bool *sweep, const char *path) {
  struct stat info;
  char *grid;
  if (stat(path, &info) != 0) return cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
  *sweep = !S_ISDIR(info.st_mode);
  if (*sweep) return CLI_DONE;
  const int code = cli_report_join(&grid, path, "sweep.yaml");
  *sweep = code == CLI_DONE && access(grid, F_OK) == 0;
  free(grid);
  return code;
}

typedef struct {
  cli_options common;
  const char *path, *data, *chip;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'd': a->data = value; return 0;
    case 'C': a->chip = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->path, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->path, "the directory of a run or a sweep");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Of a run: another folder with the files of its data", 0},
    {"chip", 'C', "CHIP.nc", 0, "Of a run: where the chip file is that it was trained on", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN\nSWEEP",
    .doc =
        "Writes the report of a run or a sweep, as cuonn train and cuonn sweep do at their end.\v"
        "RUN is the directory of a run, of which metrics.csv, last.nc, best.nc and the test set are read. SWEEP is "
        "the directory of a sweep, done or not, or its sweep.nc; another file in one of these directories stands for "
        "it. Writes report.html there, one file for any browser, "
        "which needs no network: numbers, figures, configuration, and how to repeat it. gnuplot draws the figures.\n\n"
        "Example:\n"
        "  cuonn report runs/study\n"
        "  cuonn report runs/learning-rates",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* Refuses options that would change nothing. */
static int check_options(const arguments *a) {
  const char *const given = a->data             ? "data"
                            : a->chip           ? "chip"
                            : a->common.backend ? "backend"
                            : a->common.threads ? "threads"
                            : a->common.devices ? "devices"
                                                : NULL;
  return given ? cli_fail(CLI_USAGE, "--%s is not for sweeps", given) : CLI_DONE;
}

static int print_outcome(const arguments *args, const char *page, bool sweep) {
  if (args->common.json)
    return cli_print_json(json_pack("{s:s, s:o}", "of", sweep ? "sweep" : "run", "output", cli_json_text(page)));
  printf("report in %s\n", page);
  return CLI_DONE;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  bool sweep = false;
  char *path = NULL, *page = NULL;
  arguments args = {0};
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(cli_find(&path, args.path, CLI_FIND_RESULTS));
  CLI_PASS_DONE(is_sweep(&sweep, path));
  if (sweep) CLI_PASS_DONE(check_options(&args));
  CLI_PASS_DONE(sweep ? cli_report_sweep(&page, path)
                      : cli_report_run(&page, path, args.data, args.chip, NULL, &args.common));
  code = page ? print_outcome(&args, page, sweep)
              : cli_fail(CLI_RESOURCES, "%s; there is no report without it", CLI_GNUPLOT_ADVICE);
done:
  free(page);
  free(path);
  return code;
}

const cli_command cli_report = {"report", "the report of a run or a sweep, as one HTML file", &argp, run};
