/* cuonn vjp: the vector-Jacobian product of a mesh, for any loss of its outputs. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "cli/context.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *mesh, *input, *output;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'i': a->input = value; return 0;
    case 'o': a->output = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->mesh, value);
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->mesh, "the file with the mesh", a->input, "--input FIELDS.nc", a->output,
                         "--output OUT.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"input", 'i', "FIELDS.nc", 0, "File with the fields `input` and `cotangent`", 0},
    {"output", 'o', "OUT.nc", 0, "File to write", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MESH.nc",
    .doc =
        "Computes the derivatives of a loss L with respect to the phases of a mesh, y = U x.\v"
        "Reads a mesh (theta(node), phi(node), ...: cuonn matrix --help), and from FIELDS.nc input(example, waveguide, "
        "complex), x, and cotangent(example, waveguide, complex), g_k = dL/dRe(y_k) - i dL/dIm(y_k); real and "
        "imaginary part last.\n\n"
        "Writes d_theta(node), d_phi(node), d_gamma(waveguide), dL per radian, summed over the examples, and "
        "backward(example, waveguide, complex), U^T g, the cotangent of x. Prints the norm of the gradient. The "
        "default backend is reference: double precision.\n\n"
        "Example, for L = |U_00|^2: input = (1, 0, ...), cotangent = (2 conj(y_0), 0, ...)\n"
        "  cuonn vjp mesh.nc --input fields.nc --output gradient.nc",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* Fields of the mesh's waveguides, as many of the one as of the other. */
static int check_fields(const arguments *args, const cuonn_mesh *mesh, const cuonn_fields *input,
                        const cuonn_fields *cotangent) {
  const bool input_fits = input->n_modes == mesh->n_modes;
  if (!input_fits || cotangent->n_modes != mesh->n_modes)
    return cli_fail(CLI_BAD_FILE, "%s: %s has %zu waveguides, but the mesh in %s has %zu", args->input,
                    input_fits ? "cotangent" : "input", (input_fits ? cotangent : input)->n_modes, args->mesh,
                    mesh->n_modes);
  if (cotangent->n_examples != input->n_examples)
    return cli_fail(CLI_BAD_FILE, "%s: input has %zu examples, but cotangent %zu; each example needs one of both",
                    args->input, input->n_examples, cotangent->n_examples);
  return CLI_DONE;
}

/* Root of the sum of the squares of all derivatives. */
static double norm(const cuonn_mesh_gradient *gradient, const cuonn_mesh *mesh) {
  double sum = 0;
  for (size_t k = 0; k < mesh->n_nodes; k++)
    sum += gradient->d_theta[k] * gradient->d_theta[k] + gradient->d_phi[k] * gradient->d_phi[k];
  for (size_t k = 0; k < mesh->n_modes; k++) sum += gradient->d_gamma[k] * gradient->d_gamma[k];
  return sqrt(sum);
}

static int print_outcome(const arguments *args, const cuonn_fields *input, double length) {
  if (args->common.json)
    return cli_print_json(json_pack("{s:I, s:I, s:o, s:o}", "modes", (json_int_t)input->n_modes, "examples",
                                    (json_int_t)input->n_examples, "gradient_norm", cli_json_number(length), "output",
                                    cli_json_text(args->output)));
  printf("modes          %zu\nexamples       %zu\ngradient norm  %.6g\noutput         %s\n", input->n_modes,
         input->n_examples, length, args->output);
  return CLI_DONE;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_fields input = {0}, cotangent = {0}, backward = {0};
  cuonn_context *context = NULL;
  cuonn_mesh mesh = {0};
  cuonn_mesh_gradient *gradient = NULL;
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.mesh, args.input));
  CLI_TRY_DONE(cuonn_mesh_read(&mesh, args.mesh));
  CLI_PASS_DONE(cli_context_create(&context, &args.common, mesh.n_modes, mesh.shape));
  CLI_TRY_DONE(cuonn_fields_read(&input, args.input, "input"));
  CLI_TRY_DONE(cuonn_fields_read(&cotangent, args.input, "cotangent"));
  CLI_PASS_DONE(check_fields(&args, &mesh, &input, &cotangent));
  CLI_TRY_DONE(cuonn_fields_create(&backward, input.n_examples, input.n_modes));
  CLI_TRY_DONE(cuonn_gradients_create(
      &gradient, &(cuonn_network_shape){.n_modes = mesh.n_modes, .n_layers = 1, .mesh = mesh.shape}));
  const cuonn_status status = cuonn_vjp(gradient, &backward, context, &mesh, &input, &cotangent);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, args.input);
    goto done;
  }
  CLI_TRY_DONE(cuonn_vjp_write(args.output, gradient, mesh.n_nodes, &backward));
  code = print_outcome(&args, &input, norm(gradient, &mesh));
done:
  cuonn_gradients_free(gradient);
  cuonn_fields_free(&backward);
  cuonn_fields_free(&cotangent);
  cuonn_fields_free(&input);
  cuonn_mesh_free(&mesh);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_vjp = {"vjp", "vector-Jacobian product of a mesh", &argp, run};
