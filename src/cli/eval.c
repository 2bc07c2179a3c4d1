/* cuonn eval: how well a checkpoint does on the test set. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/trained.h"

static error_t parse(int key, char *value, struct argp_state *state) {
  cli_trained_source *a = state->input;
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
  cli_trained_source args = {0};
  cli_trained trained = {0};
  cuonn_evaluation evaluation = {0};
  args.settings = calloc((size_t)argc, sizeof *args.settings);
  if (!args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&args, &argp, argc, argv));
  CLI_PASS_DONE(cli_trained_open(&trained, &args));
  CLI_PASS_DONE(cli_trained_evaluate(&evaluation, &trained));
  const size_t n_classes = trained.network.shape.n_classes;
  if (args.common.json)
    code = print_json(&evaluation, n_classes, &args, cuonn_context_backend(trained.context));
  else
    print_table(&evaluation, n_classes);
done:
  free(evaluation.confusion);
  cli_trained_free(&trained);
  free(args.settings);
  return code;
}

const cli_command cli_eval = {"eval", "loss, accuracy and confusion matrix of a checkpoint", &argp, run};
