/* cuonn program: phases with which a real chip comes near to a wanted matrix. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/context.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *target, *chip, *output, *units, *method, *tap_shot, *seed, *iterations;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'c': a->chip = value; return 0;
    case 'm': a->method = value; return 0;
    case 'u': a->units = value; return 0;
    case 'o': a->output = value; return 0;
    case 'n': a->tap_shot = value; return 0;
    case 's': a->seed = value; return 0;
    case 'i': a->iterations = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->target, value);
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->target, "the file with the target", a->chip, "--chip CHIP.nc", a->output,
                         "--output PHASES.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"chip", 'c', "CHIP.nc", 0,
     "File with the chip: a chip file, or a mesh, whose coupler errors and losses are the chip's", 0},
    {"method", 'm', "decompose|local|nulling|gradient", 0, "How its phases are found (local)", 0},
    {"output", 'o', "PHASES.nc", 0, "File to write: the chip with these phases", 0},
    CLI_UNITS_OPTION,
    {"tap-shot", 'n', "SIGMA", 0, "nulling: shot noise of a power that is read, over the amplitude there (0)", 0},
    {"seed", 's', "SEED", 0, "nulling: seed of that noise (0)", 0},
    {"iterations", 'i', "COUNT", 0, "gradient: most steps (1000)", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "TARGET.nc",
    .doc =
        "Finds phases with which a real chip comes near to a unitary matrix.\v"
        "Reads unitary(row, column, complex), N x N, out = unitary x in, and of the chip coupler_error(node, side), "
        "radians, loss_db(node, shifter), and the attributes architecture, node and phase_style, of a file of cuonn "
        "chip "
        "or of a mesh, whose theta and phi stand for nothing.\n\n"
        "  decompose  phases of a chip without errors\n"
        "  local      errors are known, and corrected node by node (Bandyopadhyay et al., Optica 8, 1247 (2021))\n"
        "  nulling    errors are unknown; powers behind each node are read and made 0 (Miller, Opt. Express 25, 29233 "
        "(2017))\n"
        "  gradient   errors are known: from local down the gradient of the matrix error, by L-BFGS\n\n"
        "Writes the chip with phases from 0 to below 2 pi; with --units volts, with the voltages of its driver for "
        "them "
        "(cuonn wrap --help). Prints the matrix error ||U' - U||_F / sqrt(N) of the "
        "phases of decompose (before) and of those found (after), phases of the outputs and attenuation included, and "
        "the same of U' scaled to the norm of a unitary, which leaves out what all elements lose alike; nodes whose "
        "couplers do not allow their splitting; powers read; steps. --backend computes matrices and gradients; the "
        "default is reference: double precision.\n\n"
        "Example:\n"
        "  cuonn program dft.nc --chip chip.nc --method local --output phases.nc\n"
        "  cuonn program dft.nc --chip chip.nc --method nulling --tap-shot 0.001 --output phases.nc",
    .children = (const struct argp_child[]){{&cli_backend_argp, 0, NULL, 0}, {&cli_json_argp, 0, NULL, 0}, {0}},
};

static int parse_options(cuonn_programming_options *out, const arguments *args) {
  int code = CLI_DONE;
  uint64_t iterations;
  cuonn_programming_options_init(out);
  iterations = out->iterations;
  if (args->method) CLI_TRY_DONE(cuonn_programming_method_parse(&out->method, args->method));
  const bool nulling = out->method == CUONN_PROGRAMMING_NULLING;
  if (!nulling && (args->tap_shot || args->seed))
    return cli_fail(CLI_USAGE, "%s goes with --method nulling alone", args->tap_shot ? "--tap-shot" : "--seed");
  if (out->method != CUONN_PROGRAMMING_GRADIENT && args->iterations)
    return cli_fail(CLI_USAGE, "--iterations goes with --method gradient alone");
  CLI_PASS_DONE(cli_parse_shot(&out->tap_shot, "--tap-shot", args->tap_shot));
  CLI_PASS_DONE(cli_parse_count(&out->seed, "--seed", args->seed, 0, UINT64_MAX));
  CLI_PASS_DONE(cli_parse_count(&iterations, "--iterations", args->iterations, 1, UINT64_MAX));
  out->iterations = (size_t)iterations;
done:
  return code;
}

static int print_json(const arguments *args, const cuonn_mesh *chip, const cuonn_programming_result *r,
                      cuonn_programming_method method) {
  json_t *const object =
      json_pack("{s:I, s:s, s:o, s:o, s:o, s:o}", "modes", (json_int_t)chip->n_modes, "method",
                cuonn_programming_method_name(method), "error_before", cli_json_number(r->before.error), "error_after",
                cli_json_number(r->after.error), "normalised_error_before", cli_json_number(r->before.normalised),
                "normalised_error_after", cli_json_number(r->after.normalised));
  if (!object) return cli_print_json(NULL);
  const bool known = method == CUONN_PROGRAMMING_LOCAL || method == CUONN_PROGRAMMING_GRADIENT;
  if (known) json_object_set_new(object, "out_of_reach", json_integer((json_int_t)r->out_of_reach));
  if (method == CUONN_PROGRAMMING_NULLING)
    json_object_set_new(object, "readings", json_integer((json_int_t)r->readings));
  if (method == CUONN_PROGRAMMING_GRADIENT)
    json_object_set_new(object, "iterations", json_integer((json_int_t)r->iterations));
  json_object_set_new(object, "output", cli_json_text(args->output));
  return cli_print_json(object);
}

static void print_table(const arguments *args, const cuonn_mesh *chip, const cuonn_programming_result *r,
                        cuonn_programming_method method) {
  printf("modes             %zu\nmethod            %s\n", chip->n_modes, cuonn_programming_method_name(method));
  printf("matrix error      %.4g before, %.4g after\n", r->before.error, r->after.error);
  printf("normalised error  %.4g before, %.4g after\n", r->before.normalised, r->after.normalised);
  if (method == CUONN_PROGRAMMING_LOCAL || method == CUONN_PROGRAMMING_GRADIENT)
    printf("out of reach      %zu of %zu nodes\n", r->out_of_reach, chip->n_nodes);
  if (method == CUONN_PROGRAMMING_NULLING) printf("readings          %zu\n", r->readings);
  if (method == CUONN_PROGRAMMING_GRADIENT) printf("steps             %zu\n", r->iterations);
  printf("output            %s\n", args->output);
}

/* The mesh of a chip, with its errors and losses. */
static int read_chip(cuonn_mesh *out, cuonn_fabricated *chip, const char *path) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_fabricated_read(chip, path));
  if (chip->n_layers > 1)
    return cli_fail(CLI_BAD_FILE, "%s: holds a network of %zu layers; a mesh is one of them, in xarray .isel(layer=0)",
                    path, chip->n_layers);
  CLI_TRY_DONE(cuonn_mesh_create_shaped(out, chip->shape, chip->style));
  CLI_TRY_DONE(cuonn_fabricated_put_errors(out, chip, 0));
done:
  return code;
}

/* Writes the chip with voltages, and measures again how far the matrix is that they give. */
static int write_volts(cuonn_programming_result *result, const cuonn_mesh *mesh, const cuonn_fabricated *chip,
                       cuonn_context *context, const double *target, const arguments *args) {
  int code = CLI_DONE;
  double *matrix = NULL;
  cuonn_mesh driven = {0};
  const cuonn_network alone = cli_network_of(mesh);
  CLI_PASS_DONE(cli_chip_drive(&driven, mesh, chip, 0, args->chip));
  CLI_PASS_DONE(cli_matrix_of(&matrix, context, &driven, args->chip));
  result->after = cuonn_matrix_distance_of(matrix, target, mesh->n_modes);
  CLI_TRY_DONE(cuonn_network_write_volts(args->output, &alone, chip));
done:
  cuonn_mesh_free(&driven);
  free(matrix);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_programming_options how;
  cuonn_programming_result result;
  size_t n_modes;
  bool volts;
  double *target = NULL;
  cuonn_fabricated fabricated = {0};
  cuonn_mesh chip = {0};
  cuonn_context *context = NULL;
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(parse_options(&how, &args));
  CLI_PASS_DONE(cli_units_volts(&volts, args.units));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.target, args.chip));
  CLI_TRY_DONE(cuonn_unitary_read(&target, &n_modes, args.target));
  CLI_PASS_DONE(read_chip(&chip, &fabricated, args.chip));
  if (volts) CLI_PASS_DONE(cli_chip_check_curves(&fabricated, args.chip));
  CLI_PASS_DONE(cli_context_create(&context, &args.common, chip.n_modes, chip.shape));
  if (n_modes != chip.n_modes) {
    code = cli_fail(CLI_BAD_FILE, "%s: the matrix has %zu rows, but the chip in %s has %zu waveguides", args.target,
                    n_modes, args.chip, chip.n_modes);
    goto done;
  }
  const cuonn_status status = cuonn_chip_program(&chip, &result, context, target, &how);
  if (status != CUONN_OK) { /* what the mesh is refused for is an argument's fault, the rest is the matrix's */
    code = cli_fail_file(status, status == CUONN_E_ARGUMENT ? args.chip : args.target);
    goto done;
  }
  if (volts)
    CLI_PASS_DONE(write_volts(&result, &chip, &fabricated, context, target, &args));
  else
    CLI_TRY_DONE(cuonn_mesh_write(args.output, &chip));
  if (args.common.json)
    code = print_json(&args, &chip, &result, how.method);
  else
    print_table(&args, &chip, &result, how.method);
done:
  cuonn_context_free(context);
  cuonn_mesh_free(&chip);
  cuonn_fabricated_free(&fabricated);
  free(target);
  return code;
}

const cli_command cli_program = {"program", "phases with which a real chip comes near to a matrix", &argp, run};
