/* cuonn eval: how well a checkpoint does on the test set. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"

typedef struct {
  const char *checkpoint, *config, *data;
  const char **settings; /* [n_settings] "key=value" */
  size_t n_settings;
  cli_options common;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 2); return 0;
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'c': a->config = value; return 0;
    case 'd': a->data = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->checkpoint, value);
    case ARGP_KEY_END: return cli_require(a->checkpoint, "the checkpoint");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "Folder with the IDX files, the same as --set data.path=DIR", 0},
    {"config", 'c', "FILE", 0, "Configuration to read first, for a file that holds none", 0},
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, such as data.radius; may be repeated", 0},
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
        "Example:\n"
        "  cuonn eval runs/study/best.nc\n"
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
  CLI_TRY_DONE(cuonn_evaluate(&evaluation, context, &network, &fields, data.test.labels));
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
