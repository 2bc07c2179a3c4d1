/* cuonn eval: how well a checkpoint does on the test set, on its own chip or on many. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"

enum { kMostChips = 1000000 };

typedef struct {
  const char *checkpoint, *config, *data;
  size_t n_chips;        /* 0: the checkpoint's own */
  const char **settings; /* [n_settings] "key=value" */
  size_t n_settings;
  cli_options common;
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
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 2); return 0;
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'c': a->config = value; return 0;
    case 'd': a->data = value; return 0;
    case 'n': return parse_chips(&a->n_chips, value);
    case ARGP_KEY_ARG: return cli_take_argument(&a->checkpoint, value);
    case ARGP_KEY_END: return cli_require(a->checkpoint, "the checkpoint");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    {"config", 'c', "FILE", 0, "Configuration to read first, for a file that holds none", 0},
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, such as data.radius; may be repeated", 0},
    {"chips", 'n', "COUNT", 0,
     "Evaluate on COUNT chips, made and read with the errors of the section chip, with the seeds chip.seed, chip.seed "
     "+ 1, "
     "...",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CHECKPOINT",
    .doc =
        "Evaluates a network on the test images: loss, accuracy, and how often each class was taken for which.\v"
        "Reads CHECKPOINT, a netCDF file that cuonn train wrote, or one made elsewhere with theta(layer, node), "
        "phi(layer, node) and, if wanted, gamma(layer, waveguide), coupler_error(layer, node, side), loss_db(layer, "
        "node, shifter), and the attributes phase_style, classes and loss_per_class; without the dimension layer it is "
        "one layer. Data and features are what the checkpoint's own configuration says; a file from elsewhere takes "
        "the "
        "defaults, --config and --set.\n\n"
        "Fields are read with the noise of the section chip. Errors of couplers and losses are those of the file, "
        "unless "
        "the section chip has any: then they are drawn from chip.seed, as in training. --chips tells how the accuracy "
        "is spread over many such chips: mean, standard deviation, worst, and the accuracies that 5 % and 50 % of the "
        "chips do not exceed.\n\n"
        "Example:\n"
        "  cuonn eval runs/study/best.nc\n"
        "  cuonn eval runs/study/best.nc --chips 100 --set chip.coupler_std=0.02\n"
        "  cuonn eval phases.nc --set data.radius=2 --data /usr/share/datasets/fashion-mnist",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* Configuration of a checkpoint: its own, or the defaults with the shape that the file has. */
static int read_config(cuonn_config *config, const cuonn_network_shape *shape, const arguments *args) {
  int code = CLI_DONE;
  cuonn_config_init(config);
  CLI_PASS_DONE(cli_config_of_checkpoint(config, args->checkpoint));
  config->network = *shape;

  cuonn_config wanted = *config;
  if (args->config) CLI_TRY_DONE(cuonn_config_read(&wanted, args->config));
  for (size_t i = 0; i < args->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(&wanted, args->settings[i]));
  CLI_PASS_DONE(cli_config_set(&wanted, "data.path", args->data));
  CLI_PASS_DONE(cli_config_set(&wanted, "backend.name", args->common.backend));
  CLI_PASS_DONE(cli_config_set(&wanted, "backend.threads", args->common.threads));

  config->network = wanted.network;
  wanted.network = *shape;
  config->features = wanted.features; /* now the two differ in the network alone */
  config->training = wanted.training;
  config->start = wanted.start;
  const char *key = cuonn_config_difference(config, &wanted);
  if (key) {
    code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the file holds", args->checkpoint, key);
    goto done;
  }
  *config = wanted;
  const size_t n_features = cuonn_features_modes(&config->features);
  if (n_features != shape->n_modes)
    code =
        cli_fail(CLI_BAD_FILE,
                 "%s: has %zu waveguides, but the features have N = %zu: set data.features, data.radius or data.side "
                 "to what it was trained on",
                 args->checkpoint, shape->n_modes, n_features);
done:
  return code;
}

static int print_json(const cuonn_evaluation *e, size_t n_classes, const arguments *args, const char *backend) {
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

static void print_table(const cuonn_evaluation *e, size_t n_classes) {
  printf("examples  %zu\nloss      %.6f\naccuracy  %.4f\n\n", e->n_examples, e->loss,
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

/* The checkpoint's network on the i-th chip. */
static int evaluate_chip(cuonn_evaluation *out, cuonn_network *network, cuonn_context *context,
                         const cuonn_config *config, size_t i, const cuonn_fields *fields, const uint8_t *labels) {
  int code = CLI_DONE;
  cuonn_chip_options chip = config->training.chip;
  chip.seed += i;
  CLI_PASS_DONE(cli_make_chip(network, config, chip.seed));
  CLI_TRY_DONE(cuonn_evaluate_on_chip(out, context, network, &chip, fields, labels));
done:
  return code;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* accuracy: [n], is put in order. */
static int print_chips(double *accuracy, size_t n, const arguments *args) {
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
      "chips     %zu\naccuracy  %.4f mean, %.4f standard deviation\nworst     %.4f\n5 %%       %.4f\nmedian    %.4f\n",
      n, mean, std, worst, low, median);
  return CLI_DONE;
}

static int evaluate_chips(cuonn_network *network, cuonn_context *context, const cuonn_config *config,
                          const cuonn_fields *fields, const uint8_t *labels, const arguments *args) {
  int code = CLI_DONE;
  double *const accuracy = calloc(args->n_chips, sizeof *accuracy);
  if (!accuracy) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t i = 0; i < args->n_chips; i++) {
    cuonn_evaluation e = {0};
    CLI_PASS_DONE(evaluate_chip(&e, network, context, config, i, fields, labels));
    accuracy[i] = (double)e.n_correct / (double)e.n_examples;
  }
  code = print_chips(accuracy, args->n_chips, args);
done:
  free(accuracy);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_config config;
  cuonn_network network = {0};
  cuonn_context *context = NULL;
  cuonn_dataset data = {0};
  cuonn_fields fields = {0};
  cuonn_evaluation evaluation = {0};
  args.settings = calloc((size_t)argc, sizeof *args.settings);
  if (!args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&args, &argp, argc, argv));
  CLI_TRY_DONE(cuonn_network_read(&network, args.checkpoint));
  const size_t n_classes = network.shape.n_classes;
  CLI_PASS_DONE(read_config(&config, &network.shape, &args));
  CLI_TRY_DONE(cuonn_context_create(&context, config.backend, config.threads));
  CLI_TRY_DONE(cuonn_context_take_chip(context, &config.training.chip, CUONN_GRADIENT_EXACT));
  cli_tell_backend(context);
  CLI_TRY_DONE(cuonn_dataset_load(&data, config.data_path));
  CLI_TRY_DONE(cuonn_images_check_labels(&data.test, n_classes));
  evaluation.confusion = calloc(n_classes * n_classes, sizeof *evaluation.confusion);
  if (!evaluation.confusion) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for a confusion matrix of %zu classes", n_classes);
    goto done;
  }
  const cuonn_status status = cuonn_features(&fields, context, &data.test, &config.features);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, config.data_path);
    goto done;
  }
  if (args.n_chips > 0) {
    code = evaluate_chips(&network, context, &config, &fields, data.test.labels, &args);
    goto done;
  }
  CLI_PASS_DONE(evaluate_chip(&evaluation, &network, context, &config, 0, &fields, data.test.labels));
  if (args.common.json)
    code = print_json(&evaluation, n_classes, &args, cuonn_context_backend(context));
  else
    print_table(&evaluation, n_classes);
done:
  free(evaluation.confusion);
  cuonn_fields_free(&fields);
  cuonn_dataset_free(&data);
  cuonn_context_free(context);
  cuonn_network_free(&network);
  free(args.settings);
  return code;
}

const cli_command cli_eval = {"eval", "loss, accuracy and confusion matrix of a checkpoint", &argp, run};
