/* cuonn gradient: loss of a network on a batch, and its derivative by every phase. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/common.h"

typedef struct {
  const char *checkpoint, *input, *output;
  cli_options common;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 2); return 0;
    case 'i': a->input = value; return 0;
    case 'o': a->output = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->checkpoint, value);
    case ARGP_KEY_END: {
      error_t missing = cli_require(a->checkpoint, "the checkpoint");
      if (!missing) missing = cli_require(a->input, "--input BATCH.nc");
      return missing ? missing : cli_require(a->output, "--output GRAD.nc");
    }
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {{"input", 'i', "BATCH.nc", 0, "File with `input` and `label`", 0},
                                             {"output", 'o', "GRAD.nc", 0, "File to write", 0},
                                             {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "CHECKPOINT.nc",
    .doc =
        "Computes the loss of a network on a batch, and its gradient with respect to every phase.\v"
        "Reads a checkpoint, or any file with theta(layer, node) and phi(layer, node) (cuonn eval --help), and from "
        "BATCH.nc input(example, waveguide, complex), real and imaginary part last, and label(example), integers below "
        "the number of classes.\n\n"
        "Writes loss (mean over the batch), d_theta(layer, node), d_phi(layer, node), d_gamma(layer, waveguide), per "
        "radian. Prints the loss. Phases that cannot reach an output that is read have gradient exactly 0, and so has "
        "every gamma. The default backend is reference: double precision.\n\n"
        "Example:\n"
        "  cuonn gradient runs/study/best.nc --input batch.nc --output gradient.nc",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_context *context = NULL;
  cuonn_network network = {0};
  cuonn_fields input = {0};
  uint8_t *labels = NULL;
  size_t n_labels = 0, n_layers = 0;
  cuonn_mesh_gradient *gradients = NULL;
  double loss = 0;
  CLI_PASS_DONE(cli_parse(&args, &argp, argc, argv));
  CLI_PASS_DONE(cli_context_create(&context, &args.common));
  CLI_TRY_DONE(cuonn_network_read(&network, args.checkpoint));
  CLI_TRY_DONE(cuonn_fields_read(&input, args.input, "input"));
  CLI_TRY_DONE(cuonn_labels_read(&labels, &n_labels, args.input));
  if (input.n_modes != network.shape.n_modes || input.n_examples != n_labels) {
    code =
        cli_fail(CLI_BAD_FILE,
                 "%s: input has %zu examples of %zu waveguides and there are %zu labels, but the network in %s has %zu "
                 "waveguides",
                 args.input, input.n_examples, input.n_modes, n_labels, args.checkpoint, network.shape.n_modes);
    goto done;
  }
  gradients = calloc(network.shape.n_layers, sizeof *gradients);
  if (!gradients) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  n_layers = network.shape.n_layers;
  for (size_t i = 0; i < n_layers; i++) CLI_PASS_DONE(cli_gradient_create(&gradients[i], network.shape.n_modes));
  const cuonn_status status = cuonn_gradient(&loss, gradients, context, &network, &input, labels);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, args.input);
    goto done;
  }
  CLI_TRY_DONE(cuonn_gradient_write(args.output, &network.shape, loss, gradients));
  if (args.common.json)
    code = cli_print_json(json_pack("{s:I, s:o, s:o}", "examples", (json_int_t)n_labels, "loss", cli_json_number(loss),
                                    "output", cli_json_text(args.output)));
  else
    printf("examples  %zu\nloss      %.10g\n", n_labels, loss);
done:
  for (size_t i = 0; i < n_layers; i++) cli_gradient_free(&gradients[i]);
  free(gradients);
  free(labels);
  cuonn_fields_free(&input);
  cuonn_network_free(&network);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_gradient = {"gradient", "loss and gradient of a network on a batch", &argp, run};
