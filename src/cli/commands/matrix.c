/* cuonn matrix: what a mesh does to light, as a matrix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *mesh, *output, *chip;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'c': a->chip = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->mesh, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->mesh, "the file with the mesh", a->output, "--output U.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "U.nc", 0, "File to write", 0},
    {"chip", 'c', "CHIP.nc", 0, "Chip file that the phases are programmed into: its errors, drivers and crosstalk", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MESH.nc",
    .doc =
        "Computes the matrix of a mesh.\v"
        "Reads theta(node), phi(node), radians, and, if the file has them, gamma(waveguide), coupler_error(node, "
        "side), "
        "loss_db(node, shifter) and the attributes architecture and phase_style; nodes column by column, N(N-1)/2 of a "
        "rectangular mesh of N columns.\n\n"
        "Writes unitary(row, column, complex), out = unitary x in, real and imaginary part last. With coupler errors "
        "it is still unitary, with losses it is not; how far from it is printed, the largest modulus of an element of "
        "U^H U - 1. The default backend is reference: double precision.\n\n"
        "With --chip, the matrix is that of the chip when it is programmed to the phases of the mesh.\n\n"
        "Example:\n"
        "  cuonn matrix mesh.nc --output u.nc\n"
        "  cuonn matrix phases.nc --chip chip.nc --output u.nc",
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

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  double *matrix = NULL;
  cuonn_context *context = NULL;
  cuonn_mesh mesh = {0};
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.mesh, args.chip));
  CLI_TRY_DONE(cuonn_mesh_read(&mesh, args.mesh));
  CLI_PASS_DONE(cli_chip_apply(&mesh, args.chip));
  CLI_PASS_DONE(cli_context_create(&context, &args.common, mesh.n_modes, mesh.shape));
  CLI_PASS_DONE(cli_matrix_of(&matrix, context, &mesh, args.mesh));
  CLI_TRY_DONE(cuonn_unitary_write(args.output, matrix, mesh.n_modes));
  code = print_outcome(&args, matrix, mesh.n_modes);
done:
  free(matrix);
  cuonn_mesh_free(&mesh);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_matrix = {"matrix", "matrix of a mesh", &argp, run};
