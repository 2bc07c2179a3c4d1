/* cuonn propagate: light through a mesh, and what it is on the way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/context.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *mesh, *input, *output, *chip;
  bool backward, taps, all_taps;
} arguments;

static error_t take_taps(arguments *a, const char *value, struct argp_state *state) {
  /* An optional value is only joined to its option by '='; here the next word may be it, too. */
  if (!value && state->next < state->argc && strcmp(state->argv[state->next], "all") == 0)
    value = state->argv[state->next++];
  if (value && strcmp(value, "all") != 0) {
    cli_fail(CLI_USAGE, "--taps takes 'all' or nothing, not '%s'", value);
    return EINVAL;
  }
  a->taps = true;
  a->all_taps = value != NULL;
  return 0;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'i': a->input = value; return 0;
    case 'o': a->output = value; return 0;
    case 'c': a->chip = value; return 0;
    case 'B': a->backward = true; return 0;
    case 'T': return take_taps(a, value, state);
    case ARGP_KEY_ARG: return cli_take_argument(&a->mesh, value);
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->mesh, "the file with the mesh", a->input, "--input FIELDS.nc", a->output,
                         "--output OUT.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"input", 'i', "FIELDS.nc", 0, "File with the fields that enter", 0},
    {"output", 'o', "OUT.nc", 0, "File to write", 0},
    {"chip", 'c', "CHIP.nc", 0, "Chip file that the phases are programmed into: its errors, drivers and crosstalk", 0},
    {"backward", 'B', NULL, 0, "Let the light enter at the outputs: output = U^T input", 0},
    {"taps", 'T', "all", OPTION_ARG_OPTIONAL,
     "Also write the fields before every phi and theta shifter; 'all': at every stage of every column", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "MESH.nc",
    .doc =
        "Sends fields through a mesh.\v"
        "Reads a mesh (theta(node), phi(node), ...: cuonn matrix --help) and input(example, waveguide, complex), "
        "amplitudes whose squared modulus is optical power; real and imaginary part last.\n\n"
        "Writes output(example, waveguide, complex). With --taps also before_phi and before_theta(column, example, "
        "waveguide, complex), the columns of the mesh, and with --taps all after_phi, after_theta and after_coupler; "
        "going backward "
        "they are taken at the same places. Prints the power of all examples that enters and leaves. The default "
        "backend is reference: double precision.\n\n"
        "Example:\n"
        "  cuonn propagate mesh.nc --input fields.nc --output out.nc --taps",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

/* Memory for one stage, [column][example][N][2]. */
static int make_stage(double **stage, const cuonn_fields *fields, size_t n_columns) {
  size_t count;
  const bool fits = !__builtin_mul_overflow(2 * n_columns * fields->n_modes, fields->n_examples, &count);
  *stage = fits ? calloc(count, sizeof **stage) : NULL;
  if (*stage) return CLI_DONE;
  return cli_fail(CLI_RESOURCES, "not enough memory for the fields of %zu examples in %zu columns of %zu waveguides",
                  fields->n_examples, n_columns, fields->n_modes);
}

/* Of all examples. */
static double power_of(const cuonn_fields *fields) {
  double power = 0;
  for (size_t i = 0; i < 2 * fields->n_examples * fields->n_modes; i++) power += fields->values[i] * fields->values[i];
  return power;
}

static int print_outcome(const arguments *args, const cuonn_fields *input, const cuonn_fields *output) {
  const double in = power_of(input), out = power_of(output);
  if (args->common.json)
    return cli_print_json(json_pack("{s:I, s:I, s:b, s:o, s:o, s:o}", "modes", (json_int_t)input->n_modes, "examples",
                                    (json_int_t)input->n_examples, "backward", args->backward, "power_in",
                                    cli_json_number(in), "power_out", cli_json_number(out), "output",
                                    cli_json_text(args->output)));
  printf("modes      %zu\nexamples   %zu\npower in   %.6g\npower out  %.6g\noutput     %s\n", input->n_modes,
         input->n_examples, in, out, args->output);
  return CLI_DONE;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_context *context = NULL;
  cuonn_mesh mesh = {0};
  cuonn_fields input = {0}, output = {0};
  cuonn_taps taps = {0};
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.mesh, args.input, args.chip));
  CLI_TRY_DONE(cuonn_mesh_read(&mesh, args.mesh));
  cuonn_network alone = cli_network_of(&mesh);
  CLI_PASS_DONE(cli_chip_apply(&alone, args.chip));
  CLI_PASS_DONE(cli_context_create(&context, &args.common, mesh.n_modes, mesh.shape));
  CLI_TRY_DONE(cuonn_fields_read(&input, args.input, "input"));
  if (input.n_modes != mesh.n_modes) {
    code = cli_fail(CLI_BAD_FILE, "%s: input has %zu waveguides, but the mesh in %s has %zu", args.input, input.n_modes,
                    args.mesh, mesh.n_modes);
    goto done;
  }
  CLI_TRY_DONE(cuonn_fields_create(&output, input.n_examples, input.n_modes));
  double **const stages[] = {&taps.before_phi, &taps.before_theta, &taps.after_phi, &taps.after_theta,
                             &taps.after_coupler};
  const size_t n_columns = cuonn_mesh_shape_columns(mesh.shape) - 1; /* without that of gamma */
  const size_t n_stages = args.all_taps ? 5 : (args.taps ? 2 : 0);
  for (size_t i = 0; i < n_stages; i++) CLI_PASS_DONE(make_stage(stages[i], &input, n_columns));
  const cuonn_status status = cuonn_propagate(&output, &taps, context, &mesh, &input, args.backward);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, args.input);
    goto done;
  }
  CLI_TRY_DONE(cuonn_propagation_write(args.output, &output, &taps, n_columns));
  code = print_outcome(&args, &input, &output);
done:
  free(taps.after_coupler);
  free(taps.after_theta);
  free(taps.after_phi);
  free(taps.before_theta);
  free(taps.before_phi);
  cuonn_fields_free(&output);
  cuonn_fields_free(&input);
  cuonn_mesh_free(&mesh);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_propagate = {"propagate", "fields through a mesh, forward or backward", &argp, run};
