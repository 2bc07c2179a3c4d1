/* cuonn plot: a figure from result files, drawn by gnuplot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data.h"
#include "cli/figures/figures.h"
#include "cli/gnuplot.h"
#include "cli/output.h"

typedef struct {
  const char *what, *output, *example, *layer;
  const char **files;    /* [source.n_files] as the user names them, room for as many as there are words */
  const char **settings; /* [source.n_settings], the same */
  char **found;          /* [source.n_files] what these mean */
  bool keep_data;
  cli_figure_source source;
} arguments;

enum { kKeepData = 256 };

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'd': a->source.data = value; return 0;
    case 'C': a->source.chip = value; return 0;
    case 'e': a->example = value; return 0;
    case 'l': a->layer = value; return 0;
    case 's': a->settings[a->source.n_settings++] = value; return 0;
    case kKeepData: a->keep_data = true; return 0;
    case ARGP_KEY_ARG:
      if (a->what)
        a->files[a->source.n_files++] = value;
      else
        a->what = value;
      return 0;
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->what, "WHAT, the name of a figure,", a->files[0], "the file to draw", a->output,
                         "--output FIGURE.svg, .png or .pdf");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "FIGURE", 0, "File to write; its ending, .svg, .png or .pdf, says what it is", 0},
    {"keep-data", kKeepData, NULL, 0, "Also write what is drawn as text, to FIGURE.txt", 0},
    {"data", 'd', "DIR", 0, "Another folder with the files of the data that the checkpoint names", 0},
    {"chip", 'C', "CHIP.nc", 0, "Another chip file than the checkpoint names, or where that is now", 0},
    {"example", 'e', "INDEX", 0, "power: the test image; examples: the first of them; the default is 0", 0},
    {"layer", 'l', "INDEX", 0, "phases: the layer of the network; the default is 0", 0},
    {"set", 's', "KEY=VALUE", 0,
     "tradeoff: set a key of the section energy, over what the sweep's configuration says; may be repeated", 0},
    {0}};

/* The list of figures stands in the help as it does in the table. */
static void write_figures(FILE *stream) {
  fprintf(stream, "WHAT is one of:\n");
  for (const cli_figure *const *f = cli_figures; *f; f++)
    fprintf(stream, "  %-11s%s\n  %-11sfrom %s\n", (*f)->name, (*f)->sentence, "", (*f)->files);
  fprintf(stream, "\n");
}

static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  return cli_help_with(key, text, write_figures);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "WHAT FILE...",
    .doc =
        "Draws a figure with gnuplot.\v"
        "The directory of a run stands for its best.nc or metrics.csv, whichever the figure is made from.\n\n"
        "Each figure has a script, WHAT.gp. To change how it looks, copy the folder of scripts (share/cuonn/plots of "
        "the installation), edit, and let the environment variable CUONN_PLOTS name the copy; or draw the text file of "
        "--keep-data yourself: gnuplot -c WHAT.gp FIGURE.svg.txt svg > FIGURE.svg\n\n"
        "Example:\n"
        "  cuonn plot curves runs/* --output curves.svg\n"
        "  cuonn plot power runs/study/best.nc --example 7 --output power.png",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
    .help_filter = help_filter,
};

/* ---------------------------------------------------------------------------------------------------- what is asked */

/* The figure of that name, or NULL, printed. */
static const cli_figure *find_figure(const char *name) {
  char names[256] = "";
  size_t n = 0;
  for (const cli_figure *const *f = cli_figures; *f && n < sizeof names; f++) {
    if (strcmp((*f)->name, name) == 0) return *f;
    n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", (*f)->name);
  }
  cli_fail(CLI_USAGE, "there is no figure '%s'; there are: %s", name, names);
  return NULL;
}

/* Refuses options that would change nothing. */
static int check_options(const cli_figure *figure, const arguments *a) {
  const struct {
    const char *given, *name;
    bool read;
  } all[] = {{a->example, "example", figure->reads_example},
             {a->layer, "layer", figure->reads_layer},
             {a->source.data, "data", figure->reads_images},
             {a->source.chip, "chip", figure->reads_images},
             {a->source.common.backend, "backend", figure->reads_images},
             {a->source.common.threads, "threads", figure->reads_images},
             {a->source.common.devices, "devices", figure->reads_images},
             {a->settings[0], "set", figure->reads_settings}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i].given && !all[i].read) return cli_fail(CLI_USAGE, "--%s is not for %s", all[i].name, figure->name);
  return CLI_DONE;
}

/* The format that the ending of a name stands for, or NULL, printed. */
static const char *find_format(const char *path) {
  static const char *const formats[] = {"svg", "png", "pdf"};
  const char *const dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++)
    if (strcmp(dot + 1, formats[i]) == 0) return formats[i];
  cli_fail(CLI_USAGE, "--output %s: the ending must be .svg, .png or .pdf", path);
  return NULL;
}

static int read_index(size_t *out, const char *text, const char *option) {
  char *end;
  if (!text) return CLI_DONE;
  errno = 0;
  const unsigned long long index = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno != 0)
    return cli_fail(CLI_USAGE, "%s: found \"%s\", which is no whole number from 0 on", option, text);
  *out = (size_t)index;
  return CLI_DONE;
}

/* --------------------------------------------------------------------------------------------------------- drawing */

/* Neither the figure nor its data may replace what it is made from. */
static int check_outputs(const arguments *args, const char *data_path) {
  int code = CLI_DONE;
  const cli_figure_source *const s = &args->source;
  const char *const outputs[] = {args->output, data_path};
  for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
    CLI_PASS_DONE(cli_check_output(outputs[i], s->files, s->n_files));
    CLI_PASS_DONE(CLI_CHECK_OUTPUT(outputs[i], s->data, s->chip));
    if (s->opened) CLI_PASS_DONE(cli_data_check_output(outputs[i], &s->trained.config));
  }
done:
  return code;
}

static int find_files(const cli_figure *figure, arguments *args) {
  int code = CLI_DONE;
  args->found = calloc(args->source.n_files, sizeof *args->found);
  if (!args->found) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t f = 0; f < args->source.n_files; f++)
    CLI_PASS_DONE(cli_find(&args->found[f], args->files[f], figure->reads));
  args->source.files = (const char *const *)args->found;
done:
  return code;
}

/* data_path: NULL if the data are not kept. */
static int print_outcome(const cli_figure *figure, const arguments *args, const char *data_path) {
  const cli_figure_source *const s = &args->source;
  if (s->common.json) {
    json_t *const files = json_array();
    for (size_t f = 0; f < s->n_files; f++) json_array_append_new(files, cli_json_text(s->files[f]));
    return cli_print_json(json_pack("{s:s, s:o, s:o, s:o}", "figure", figure->name, "files", files, "output",
                                    cli_json_text(args->output), "data", cli_json_text(data_path)));
  }
  printf("%s of %s", figure->name, s->files[0]);
  if (s->n_files > 1) printf(" and %zu more", s->n_files - 1);
  printf(" in %s%s%s\n", args->output, data_path ? ", its data in " : "", data_path ? data_path : "");
  return CLI_DONE;
}

static int draw(const cli_figure *figure, const char *format, arguments *args) {
  int code = CLI_DONE;
  char *data = NULL, *data_path = NULL;
  size_t size = 0;
  cli_drawing drawing = {0};
  if (asprintf(&data_path, "%s.txt", args->output) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(check_outputs(args, data_path));
  CLI_PASS_DONE(cli_figure_data(&data, &size, figure, &args->source));
  CLI_PASS_DONE(check_outputs(args, data_path)); /* now it is known where the images came from */
  CLI_PASS_DONE(cli_gnuplot_draw(&drawing, figure->name, format, data, size));
  if (drawing.missing) {
    CLI_TRY_DONE(cuonn_bytes_write(data_path, data, size));
    code = cli_fail(CLI_RESOURCES, "%s; what it would draw is in %s", CLI_GNUPLOT_ADVICE, data_path);
    goto done;
  }
  CLI_TRY_DONE(cuonn_bytes_write(args->output, drawing.bytes, drawing.size));
  if (args->keep_data) CLI_TRY_DONE(cuonn_bytes_write(data_path, data, size));
  code = print_outcome(figure, args, args->keep_data ? data_path : NULL);
done:
  cli_drawing_free(&drawing);
  free(data);
  free(data_path);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  args.files = calloc((size_t)argc, sizeof *args.files);
  args.settings = calloc((size_t)argc, sizeof *args.settings);
  if (!args.files || !args.settings) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  CLI_PASS_DONE(cli_parse(&args, &args.source.common, &argp, argc, argv));
  args.source.settings = args.settings;
  const cli_figure *const figure = find_figure(args.what);
  CLI_PASS_DONE(figure ? CLI_DONE : CLI_USAGE);
  if (args.source.n_files > 1 && !figure->many) {
    code = cli_fail(CLI_USAGE, "one argument is too many: '%s'; %s is made from %s", args.files[1], figure->name,
                    figure->files);
    goto done;
  }
  CLI_PASS_DONE(check_options(figure, &args));
  const char *const format = find_format(args.output);
  CLI_PASS_DONE(format ? CLI_DONE : CLI_USAGE);
  CLI_PASS_DONE(read_index(&args.source.example, args.example, "--example"));
  CLI_PASS_DONE(read_index(&args.source.layer, args.layer, "--layer"));
  CLI_PASS_DONE(find_files(figure, &args));
  code = draw(figure, format, &args);
done:
  for (size_t f = 0; args.found && f < args.source.n_files; f++) free(args.found[f]);
  free(args.found);
  cli_figure_source_free(&args.source);
  free(args.settings);
  free(args.files);
  return code;
}

const cli_command cli_plot = {"plot", "figures of runs, sweeps, networks, gradients and benchmarks, drawn by gnuplot",
                              &argp, run};
