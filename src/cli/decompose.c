/* cuonn decompose: phases of a mesh that has a given matrix. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/common.h"
#include "cli/output.h"

typedef struct {
  const char *unitary, *output, *style;
  cli_options common;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, &a->common, 1); return 0;
    case 'o': a->output = value; return 0;
    case 'p': a->style = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->unitary, value);
    case ARGP_KEY_END: {
      const error_t missing = cli_require(a->unitary, "the file with the unitary");
      return missing ? missing : cli_require(a->output, "--output MESH.nc");
    }
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "MESH.nc", 0, "File to write", 0},
    {"phase-style", 'p', "top|bottom|differential", 0, "Arms that carry the phase shifters (top)", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "UNITARY.nc",
    .doc =
        "Finds the phases of a rectangular mesh that has a given matrix (Clements et al., Optica 3, 1460 (2016)).\v"
        "Reads unitary(row, column, complex), N x N, out = unitary x in; the last dimension holds real and imaginary "
        "part. A matrix farther than 1e-6 from unitary is refused.\n\n"
        "Writes theta(node) from 0 to pi, phi(node) and gamma(waveguide) from 0 to below 2 pi, coupler_error(node, "
        "side), loss_db(node, shifter) and the "
        "attributes architecture and phase_style. Prints N, how far the matrix is from unitary, and how far the mesh's "
        "matrix is from the given one: the largest modulus of an element each, computed in double.\n\n"
        "Example:\n"
        "  cuonn decompose dft.nc --output mesh.nc --phase-style differential",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_phase_style style = CUONN_STYLE_TOP;
  double *unitary = NULL;
  size_t n = 0;
  cuonn_mesh mesh = {0};
  cuonn_context *context = NULL;
  double error = 0;
  CLI_PASS_DONE(cli_parse(&args, &argp, argc, argv));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.unitary));
  if (args.style) CLI_TRY_DONE(cuonn_phase_style_parse(&style, args.style));
  CLI_TRY_DONE(cuonn_unitary_read(&unitary, &n, args.unitary));
  cuonn_status status = cuonn_mesh_create(&mesh, n, style);
  if (status == CUONN_OK) status = cuonn_mesh_decompose(&mesh, unitary);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, args.unitary);
    goto done;
  }
  CLI_TRY_DONE(cuonn_context_create(&context, "reference", 1));
  CLI_PASS_DONE(cli_matrix_error(&error, context, &mesh, unitary, args.unitary));
  CLI_TRY_DONE(cuonn_mesh_write(args.output, &mesh));
  const double unitarity = cuonn_unitarity_error(unitary, n);
  if (args.common.json)
    code = cli_print_json(json_pack("{s:I, s:s, s:f, s:f, s:o}", "modes", (json_int_t)n, "phase_style",
                                    cuonn_phase_style_name(style), "unitarity_error", unitarity, "reconstruction_error",
                                    error, "output", cli_json_text(args.output)));
  else
    printf("modes                 %zu\nunitarity error       %.3g\nreconstruction error  %.3g\n", n, unitarity, error);
done:
  cuonn_context_free(context);
  cuonn_mesh_free(&mesh);
  free(unitary);
  return code;
}

const cli_command cli_decompose = {"decompose", "phases of a mesh that has a given unitary matrix", &argp, run};
