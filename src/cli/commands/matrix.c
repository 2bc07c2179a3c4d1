/* cuonn matrix: what a mesh, or a layer of a network, does to light, as a matrix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/context.h"
#include "cli/find.h"
#include "cli/layer.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *mesh, *output, *chip, *layer;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'c': a->chip = value; return 0;
    case 'l': a->layer = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->mesh, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->mesh, "the file with the mesh", a->output, "--output U.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "U.nc", 0, "File to write", 0},
    {"layer", 'l', "INDEX", 0, "Layer of a network, from 0; it may be left out where there is one", 0},
    {"chip", 'c', "CHIP.nc", 0, "Chip file that the phases are programmed into: its errors, drivers and crosstalk", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MESH.nc",
    .doc =
        "Computes the matrix of a mesh, or of a layer of a network.\v"
        "Reads theta(node), phi(node), radians, and, if the file has them, gamma(waveguide), coupler_error(node, "
        "side), "
        "loss_db(node, shifter) and the attributes architecture and phase_style; nodes column by column, N(N-1)/2 of a "
        "rectangular mesh of N columns.\n\n"
        "Writes unitary(row, column, complex), out = unitary x in, real and imaginary part last. With coupler errors "
        "it is still unitary, with losses it is not; how far from it is printed, the largest modulus of an element of "
        "U^H U - 1. The default backend is reference: double precision.\n\n"
        "Of a network or a checkpoint (theta(layer, node), ...) the matrix is that of a layer, without its "
        "nonlinearity: of a diagonal one with the amplitudes behind the mesh, of an svd one second mesh x amplitudes x "
        "first mesh; the attribute scale is no part of it. Two meshes of the dimension layer are then one layer.\n\n"
        "With --chip, the matrix is that of the chip when it is programmed to the phases of the file.\n\n"
        "Example:\n"
        "  cuonn matrix mesh.nc --output u.nc\n"
        "  cuonn matrix phases.nc --chip chip.nc --output u.nc\n"
        "  cuonn matrix runs/study --layer 2 --output u.nc",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

static int print_outcome(const arguments *args, const double *matrix, size_t n_modes) {
  const double error = cuonn_unitarity_error(matrix, n_modes);
  if (args->common.json)
    return cli_print_json(json_pack("{s:I, s:o, s:o}", "modes", (json_int_t)n_modes, "unitarity_error",
                                    cli_json_number(error), "output", cli_json_text(args->output)));
  printf("modes            %zu\nunitarity error  %.3g\noutput           %s\n", n_modes, error, args->output);
  return CLI_DONE;
}

static int choose_layer(size_t *out, const cuonn_network_shape *shape, const arguments *args) {
  const size_t layers = cli_layers(shape);
  uint64_t index = 0;
  if (!args->layer && layers > 1)
    return cli_fail(CLI_USAGE, "%s: holds a network of %zu layers; --layer takes one of them, 0 to %zu", args->mesh,
                    layers, layers - 1);
  const int code = cli_parse_count(&index, "--layer", args->layer, 0, layers - 1);
  *out = (size_t)index;
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  size_t layer = 0;
  double *matrix = NULL;
  char *path = NULL;
  cuonn_context *context = NULL;
  cuonn_network network = {0};
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(cli_find(&path, args.mesh, CLI_FIND_NETWORK));
  args.mesh = path;
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.mesh, args.chip));
  CLI_TRY_DONE(cuonn_network_read(&network, args.mesh));
  const size_t n = network.shape.n_modes;
  CLI_PASS_DONE(choose_layer(&layer, &network.shape, &args));
  CLI_PASS_DONE(cli_chip_apply(&network, args.chip));
  CLI_PASS_DONE(cli_context_create(&context, &args.common, n, network.shape.mesh));
  CLI_PASS_DONE(cli_layer_matrix(&matrix, context, &network, layer, args.mesh));
  CLI_TRY_DONE(cuonn_unitary_write(args.output, matrix, n));
  code = print_outcome(&args, matrix, n);
done:
  free(path);
  free(matrix);
  cuonn_network_free(&network);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_matrix = {"matrix", "matrix of a mesh, or of a layer of a network", &argp, run};
