/* cuonn eval: how well a checkpoint does on the test set, on its own chip or on many. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/find.h"
#include "cli/trained.h"

enum { kMostChips = 1000000 };

typedef struct {
  cli_trained_source source;
  size_t n_chips; /* 0: the checkpoint's own */
} arguments;

static error_t parse_chips(size_t *n_chips, const char *value) {
  char *end;
  const unsigned long count = strtoul(value, &end, 10);
  if (value[0] < '1' || value[0] > '9' || *end != 0 || count > kMostChips) {
    cli_fail(CLI_USAGE, "--chips is %s; it must be 1 to %d", value, kMostChips);
    return EINVAL;
  }
  *n_chips = count;
  return 0;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *const all = state->input;
  cli_trained_source *a = &all->source;
  switch (key) {
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'c': a->config = value; return 0;
    case 'd': a->data = value; return 0;
    case 'C': a->chip = value; return 0;
    case 'n': return parse_chips(&all->n_chips, value);
    case ARGP_KEY_ARG: return cli_take_argument(&a->checkpoint, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->checkpoint, "the checkpoint");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Another folder with the files of its data", 0},
    {"config", 'c', "FILE", 0, "Configuration to read first, for a file that holds none", 0},
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, such as data.radius; may be repeated", 0},
    CLI_CHIP_OPTION('C'),
    {"chips", 'n', "COUNT", 0,
     "Evaluate on COUNT chips, made and read with the errors of the section chip, with the seeds chip.seed, chip.seed "
     "+ 1, ...",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CHECKPOINT\nRUN",
    .doc =
        "Evaluates a network on the test set: loss, accuracy, and how often each class was taken for which.\v"
        "Reads CHECKPOINT, a netCDF file that cuonn train wrote, or one made elsewhere with theta(layer, node), "
        "phi(layer, node) and, if wanted, gamma(layer, waveguide), coupler_error(layer, node, side), loss_db(layer, "
        "node, shifter), and the attributes phase_style, classes, loss_per_class, loss and nonlinearity; without the "
        "dimension layer it is "
        "one layer. Data and features are what the checkpoint's own configuration says; a file from elsewhere takes "
        "the defaults, --config and --set.\n\n"
        "Fields are read with the noise of the section chip. Errors of couplers and losses are those of the file, "
        "unless the section chip has any: then they are drawn from chip.seed, as in training. --chips tells how the "
        "accuracy is spread over many such chips: mean, standard deviation, worst, and the accuracies that 5 % and 50 "
        "% of the chips do not exceed.\n\n"
        "RUN is the directory of a run, of which best.nc is taken.\n\n"
        "Example:\n"
        "  cuonn eval runs/study\n"
        "  cuonn eval runs/study/best.nc --chips 100 --set chip.coupler_std=0.02\n"
        "  cuonn eval phases.nc --set data.radius=2 --data /usr/share/datasets/fashion-mnist",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

static int print_json(const cuonn_evaluation *e, size_t n_classes, const cli_trained_source *args,
                      const char *backend) {
  json_t *rows = json_array();
  for (size_t i = 0; i < n_classes; i++) {
    json_t *row = json_array();
    for (size_t j = 0; j < n_classes; j++)
      json_array_append_new(row, json_integer((json_int_t)e->confusion[i * n_classes + j]));
    json_array_append_new(rows, row);
  }
  return cli_print_json(json_pack("{s:o, s:s, s:I, s:I, s:f, s:o, s:o}", "checkpoint", cli_json_text(args->checkpoint),
                                  "backend", backend, "examples", (json_int_t)e->n_examples, "correct",
                                  (json_int_t)e->n_correct, "accuracy", (double)e->n_correct / (double)e->n_examples,
                                  "loss", cli_json_number(e->loss), "confusion", rows));
}

static void print_table(const cuonn_evaluation *e, size_t n_classes, const char *checkpoint) {
  printf("network   %s\nexamples  %zu\nloss      %.6f\naccuracy  %.4f\n\n", checkpoint, e->n_examples, e->loss,
         (double)e->n_correct / (double)e->n_examples);
  const int width = snprintf(NULL, 0, "%zu", e->n_examples) + 2;
  printf("label \\ taken for\n%6s", "");
  for (size_t j = 0; j < n_classes; j++) printf("%*zu", width, j);
  for (size_t i = 0; i < n_classes; i++) {
    printf("\n%6zu", i);
    for (size_t j = 0; j < n_classes; j++) printf("%*" PRIu64, width, e->confusion[i * n_classes + j]);
  }
  printf("\n");
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* accuracy: [n], is put in order. */
static int print_chips(double *accuracy, size_t n, const cli_trained_source *args) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += accuracy[i];
  const double mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += (accuracy[i] - mean) * (accuracy[i] - mean);
  const double std = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
  json_t *const all = json_array(); /* by seed */
  for (size_t i = 0; i < n; i++) json_array_append_new(all, json_real(accuracy[i]));
  qsort(accuracy, n, sizeof *accuracy, ascending);
  const double worst = accuracy[0], low = accuracy[(n + 19) / 20 - 1], median = accuracy[(n + 1) / 2 - 1];
  if (args->common.json)
    return cli_print_json(json_pack("{s:o, s:I, s:f, s:f, s:f, s:f, s:f, s:o}", "checkpoint",
                                    cli_json_text(args->checkpoint), "chips", (json_int_t)n, "mean_accuracy", mean,
                                    "std_accuracy", std, "worst_accuracy", worst, "accuracy_5_percent", low,
                                    "median_accuracy", median, "accuracy", all));
  json_decref(all);
  printf(
      "network   %s\nchips     %zu\naccuracy  %.4f mean, %.4f standard deviation\nworst     %.4f\n5 %%       "
      "%.4f\nmedian    %.4f\n",
      args->checkpoint, n, mean, std, worst, low, median);
  return CLI_DONE;
}

static int evaluate_chips(cli_trained *t, size_t n_chips, const cli_trained_source *args) {
  int code = CLI_DONE;
  cuonn_fields fields = {0};
  double *const accuracy = calloc(n_chips, sizeof *accuracy);
  if (!accuracy) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_trained_features(&fields, t, &t->data.test));
  for (size_t i = 0; i < n_chips; i++) {
    cuonn_chip_options chip = t->config.training.chip;
    cuonn_evaluation e = {0};
    chip.seed += i;
    CLI_TRY_DONE(cli_make_chip(&t->network, &t->config, chip.seed));
    CLI_TRY_DONE(cuonn_evaluate_on_chip(&e, t->context, &t->network, &chip, &fields, t->data.test.labels));
    accuracy[i] = (double)e.n_correct / (double)e.n_examples;
  }
  code = print_chips(accuracy, n_chips, args);
done:
  cuonn_fields_free(&fields);
  free(accuracy);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments all = {0};
  cli_trained_source *const args = &all.source;
  cli_trained trained = {0};
  cuonn_evaluation evaluation = {0};
  char *checkpoint = NULL;
  args->settings = calloc((size_t)argc, sizeof *args->settings);
  if (!args->settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&all, &args->common, &argp, argc, argv));
  CLI_PASS_DONE(cli_find(&checkpoint, args->checkpoint, CLI_FIND_NETWORK));
  args->checkpoint = checkpoint;
  CLI_PASS_DONE(cli_trained_open(&trained, args));
  if (all.n_chips > 0) {
    code = evaluate_chips(&trained, all.n_chips, args);
    goto done;
  }
  CLI_PASS_DONE(cli_trained_evaluate(&evaluation, &trained));
  const size_t n_classes = trained.network.shape.n_classes;
  if (args->common.json)
    code = print_json(&evaluation, n_classes, args, cuonn_context_backend(trained.context));
  else
    print_table(&evaluation, n_classes, args->checkpoint);
done:
  free(evaluation.confusion);
  cli_trained_free(&trained);
  free(checkpoint);
  free(args->settings);
  return code;
}

const cli_command cli_eval = {"eval", "loss, accuracy and confusion matrix of a checkpoint", &argp, run};
