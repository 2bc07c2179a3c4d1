/* cuonn gradient: loss of a network on a batch, and its derivative by every phase: computed, or measured on a chip and
 * held against the computed one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/context.h"
#include "cli/data.h"
#include "cli/find.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *checkpoint, *input, *images, *output, *method, *chip;
  const char **settings; /* [n_settings] "key=value" */
  size_t n_settings;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'i': a->input = value; return 0;
    case 'n': a->images = value; return 0;
    case 'o': a->output = value; return 0;
    case 'm': a->method = value; return 0;
    case 'C': a->chip = value; return 0;
    case 's': a->settings[a->n_settings++] = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->checkpoint, value);
    case ARGP_KEY_END:
      if (a->input && a->images) {
        cli_fail(CLI_USAGE, "--images does not go with --input: either is the batch");
        return EINVAL;
      }
      return CLI_REQUIRE(a->checkpoint, "the checkpoint", a->input ? a->input : a->images,
                         "--input BATCH.nc or --images COUNT", a->output, "--output GRAD.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"input", 'i', "BATCH.nc", 0, "File with `input` and `label`", 0},
    {"images", 'n', "COUNT", 0, "In place of it: the first training examples of the checkpoint's data", 0},
    {"output", 'o', "GRAD.nc", 0, "File to write", 0},
    {"method", 'm', "exact|analog|digital|ideal|spsa|finite-difference", 0,
     "Where the gradient comes from: computed (the default), measured on the chip in situ, computed for a chip "
     "without errors, or from losses of moved phases",
     0},
    CLI_CHIP_OPTION('C'),
    {"set", 's', "KEY=VALUE", 0,
     "Set a key of the chip, such as chip.tap_shot, or chip.io_phase, a standard deviation / pi, or backend.method; "
     "may be repeated",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CHECKPOINT.nc\nRUN",
    .doc =
        "Computes the loss of a network on a batch, and its gradient with respect to every phase.\v"
        "Reads a checkpoint, the directory of a run (of which best.nc is taken), or any file with theta(layer, node) "
        "and phi(layer, node) (cuonn eval --help), and from BATCH.nc input(example, waveguide, complex), real and "
        "imaginary part last, or a real input(example, waveguide), and label(example), integers below the number of "
        "classes. The chip is that of the checkpoint's configuration, changed by --set.\n\n"
        "Writes loss (mean over the batch), d_theta(layer, node), d_phi(layer, node), d_gamma(layer, waveguide), per "
        "radian, and with svd or diagonal layers d_amplitude(layer, waveguide). Prints the loss. In a computed "
        "gradient, phases that cannot reach an output that is read have exactly "
        "0, and so has every gamma behind which only moduli are read. The default backend is reference: double "
        "precision.\n\n"
        "A measured or ideal gradient is written with the computed one of the same chip beside it (exact_d_theta, "
        "...), and how far they are apart is printed for theta and phi of each layer and of all together: 1 - cosine "
        "of the angle between them, and the norm of their difference over that of the computed one.\n\n"
        "Example:\n"
        "  cuonn gradient runs/study/best.nc --input batch.nc --output gradient.nc\n"
        "  cuonn gradient best.nc --images 512 -o gradient.nc --method analog --set chip.tap_shot=0.02",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* One run of the command. */
typedef struct {
  arguments args;
  char *checkpoint;    /* what the user's word for it means */
  cuonn_config config; /* its chip and its method */
  cuonn_context *context;
  cuonn_network network;
  cuonn_fabricated chip; /* of the configuration, if it names one */
  cuonn_fields input;
  uint8_t *labels;
  double loss;
  cuonn_mesh_gradient *gradients, *exact; /* [layer]; exact: NULL if these are exact themselves */
} job;

/* Where the batch comes from, for messages. */
static const char *batch_name(const job *j) { return j->args.images ? cli_data_name(&j->config) : j->args.input; }

/* The first training examples of the data that the configuration names, as they enter the chip. */
static int read_images(job *j) {
  int code = CLI_DONE;
  char *end;
  cuonn_dataset data = {0};
  errno = 0;
  const unsigned long long count = strtoull(j->args.images, &end, 10);
  if (*j->args.images < '0' || *j->args.images > '9' || *end || errno != 0 || count == 0)
    return cli_fail(CLI_USAGE, "--images: found \"%s\", which is no whole number from 1 on", j->args.images);
  CLI_PASS_DONE(cli_data_load(&data, &j->config, j->args.checkpoint, false));
  if (count > data.train.n_examples) {
    code = cli_fail(CLI_USAGE, "--images %llu: %s has %zu training %s", count, cli_data_name(&j->config),
                    data.train.n_examples, cli_data_kind(&j->config));
    goto done;
  }
  const cuonn_examples batch = cuonn_examples_view(&data.train, 0, (size_t)count);
  const cuonn_status status = cuonn_features(&j->input, j->context, &batch, &j->config.features);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, cli_data_name(&j->config));
    goto done;
  }
  j->labels = data.train.labels;
  data.train.labels = NULL;
done:
  cuonn_dataset_free(&data);
  return code;
}

/* The fields of the file. Those of a network that was trained on fields get its reference and its dark waveguides,
 * unless they have all waveguides already. */
static int read_input(job *j) {
  int code = CLI_DONE;
  cuonn_examples batch = {0};
  const size_t n_modes = j->network.shape.n_modes;
  CLI_TRY_DONE(cuonn_examples_read(&batch, j->args.input));
  if (j->config.data.kind == CUONN_DATA_FIELDS && batch.fields.n_modes != n_modes)
    CLI_TRY_DONE(cuonn_examples_fit(&batch, n_modes, j->config.features.reference, j->config.data.pad));
  if (batch.fields.n_modes != n_modes) {
    code = cli_fail(CLI_BAD_FILE, "%s: input has %zu waveguides, but the network in %s has %zu", j->args.input,
                    batch.fields.n_modes, j->args.checkpoint, n_modes);
    goto done;
  }
  j->input = batch.fields;
  j->labels = batch.labels;
  batch.fields = (cuonn_fields){0};
  batch.labels = NULL;
done:
  cuonn_examples_free(&batch);
  return code;
}

static int read_all(job *j) {
  int code = CLI_DONE;
  cuonn_config_init(&j->config);
  CLI_TRY_DONE(cuonn_network_read(&j->network, j->args.checkpoint));
  const cuonn_network_shape *const shape = &j->network.shape;
  CLI_PASS_DONE(cli_context_create(&j->context, &j->args.common, shape->n_modes, shape->mesh));
  cuonn_context_fit(j->context, shape);
  CLI_PASS_DONE(cli_config_of_checkpoint(&j->config, j->args.checkpoint));
  cli_config_follow(&j->config, &j->network.shape);
  for (size_t i = 0; i < j->args.n_settings; i++) CLI_TRY_DONE(cuonn_config_set(&j->config, j->args.settings[i]));
  CLI_PASS_DONE(cli_config_set(&j->config, "chip.file", j->args.chip));
  CLI_PASS_DONE(cli_chip_open(&j->chip, &j->config));
  cli_tell_backend(j->context);
  CLI_TRY_DONE(cuonn_context_set_method(j->context, j->config.method));
  CLI_PASS_DONE(cli_config_set(&j->config, "training.gradient", j->args.method ? j->args.method : "exact"));
  cuonn_context_fit_gradient(j->context, j->config.training.gradient);
  const char *const errors = j->config.chip_errors_file[0] ? j->config.chip_errors_file : NULL;
  const char *const chip = j->chip.shape ? j->config.chip_file : NULL;
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(j->args.output, errors, chip));
  CLI_PASS_DONE(cli_chip_check(&j->config));
  if (j->args.images) CLI_PASS_DONE(cli_data_check_output(j->args.output, &j->config));
  CLI_TRY_DONE(cli_make_chip(&j->network, &j->config, j->config.training.chip.seed));
  code = j->args.images ? read_images(j) : read_input(j);
done:
  return code;
}

static int compute(cuonn_mesh_gradient **out, job *j, cuonn_gradient_method method) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_gradients_create(out, &j->network.shape));
  const cuonn_status status = cuonn_gradient_on_chip(&j->loss, *out, j->context, &j->network, &j->config.training.chip,
                                                     method, &j->input, j->labels);
  if (status == CUONN_E_ARGUMENT) return cli_fail_library(status);
  if (status != CUONN_OK) code = cli_fail_file(status, batch_name(j));
done:
  return code;
}

static int print_json(const job *j) {
  const size_t n_layers = j->network.shape.n_layers, n = j->network.layers->n_nodes;
  json_t *const object = json_pack("{s:I, s:o, s:o}", "examples", (json_int_t)j->input.n_examples, "loss",
                                   cli_json_number(j->loss), "output", cli_json_text(j->args.output));
  if (!object || !j->exact) return cli_print_json(object);
  json_t *const angles = json_array(), *const errors = json_array();
  for (size_t l = 0; l < n_layers; l++) {
    json_array_append_new(angles, cli_json_number(cuonn_gradient_error(j->gradients + l, j->exact + l, 1, n)));
    json_array_append_new(errors, cli_json_number(cuonn_gradient_relative_error(j->gradients + l, j->exact + l, 1, n)));
  }
  json_object_set_new(object, "gradient_error",
                      cli_json_number(cuonn_gradient_error(j->gradients, j->exact, n_layers, n)));
  json_object_set_new(object, "relative_error",
                      cli_json_number(cuonn_gradient_relative_error(j->gradients, j->exact, n_layers, n)));
  json_object_set_new(object, "gradient_error_of_layer", angles);
  json_object_set_new(object, "relative_error_of_layer", errors);
  return cli_print_json(object);
}

static void print_table(const job *j) {
  const size_t n_layers = j->network.shape.n_layers, n = j->network.layers->n_nodes;
  printf("examples  %zu\nloss      %.10g\noutput    %s\n", j->input.n_examples, j->loss, j->args.output);
  if (!j->exact) return;
  printf("\nlayer  1 - cosine  relative error\n");
  for (size_t l = 0; l < n_layers; l++)
    printf("%5zu  %10.4g  %14.4g\n", l, cuonn_gradient_error(j->gradients + l, j->exact + l, 1, n),
           cuonn_gradient_relative_error(j->gradients + l, j->exact + l, 1, n));
  printf("  all  %10.4g  %14.4g\n", cuonn_gradient_error(j->gradients, j->exact, n_layers, n),
         cuonn_gradient_relative_error(j->gradients, j->exact, n_layers, n));
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  job j = {0};
  j.args.settings = calloc((size_t)argc, sizeof *j.args.settings);
  if (!j.args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&j.args, &j.args.common, &argp, argc, argv));
  CLI_PASS_DONE(cli_find(&j.checkpoint, j.args.checkpoint, CLI_FIND_NETWORK));
  j.args.checkpoint = j.checkpoint;
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(j.args.output, j.args.checkpoint, j.args.input));
  CLI_PASS_DONE(read_all(&j));
  const cuonn_gradient_method method = j.config.training.gradient;
  if (method != CUONN_GRADIENT_EXACT) CLI_PASS_DONE(compute(&j.exact, &j, CUONN_GRADIENT_EXACT));
  CLI_PASS_DONE(compute(&j.gradients, &j, method));
  CLI_TRY_DONE(cuonn_gradient_write(j.args.output, &j.network.shape, j.loss, j.gradients, j.exact));
  if (j.args.common.json)
    code = print_json(&j);
  else
    print_table(&j);
done:
  cuonn_gradients_free(j.gradients);
  cuonn_gradients_free(j.exact);
  free(j.labels);
  free(j.checkpoint);
  cuonn_fields_free(&j.input);
  cuonn_network_free(&j.network);
  cuonn_fabricated_free(&j.chip);
  cuonn_context_free(j.context);
  free(j.args.settings);
  return code;
}

const cli_command cli_gradient = {"gradient", "loss and gradient of a network on a batch", &argp, run};
