/* cuonn self-configure: a layer of nodes brings given light to one output by itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *mesh, *chip, *light, *output, *units, *turns, *tap_shot, *seed;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'l': a->light = value; return 0;
    case 'c': a->chip = value; return 0;
    case 'u': a->units = value; return 0;
    case 'o': a->output = value; return 0;
    case 't': a->turns = value; return 0;
    case 'n': a->tap_shot = value; return 0;
    case 's': a->seed = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->mesh, value);
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->mesh ? a->mesh : a->chip, "the file with the mesh, or --chip CHIP.nc,", a->light,
                         "--light FIELDS.nc", a->output, "--output PHASES.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"light", 'l', "FIELDS.nc", 0, "File with the light that enters, one example", 0},
    {"output", 'o', "PHASES.nc", 0, "File to write: the chip with these phases", 0},
    {"chip", 'c', "CHIP.nc", 0,
     "Chip file of this mesh: its errors, losses, drivers and crosstalk, in place of the mesh's errors and losses", 0},
    CLI_UNITS_OPTION,
    {"turns", 't', "COUNT", 0, "How often each node moves phi and then theta (3)", 0},
    {"tap-shot", 'n', "SIGMA", 0,
     "Shot noise of a power that is read, over the amplitude there, of light of power 1 (0)", 0},
    {"seed", 's', "SEED", 0, "Seed of that noise (0)", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[MESH.nc]",
    .doc =
        "Lets the nodes of a chip configure themselves to light, until it leaves by one output.\v"
        "Reads a mesh (theta(node), phi(node), ...: cuonn matrix --help), whose coupler errors and losses are the "
        "chip's and unknown to it, and input(1, waveguide, complex), amplitudes, of which only the ratios count. Nodes "
        "take part that are a tree from all inputs to one output: all of `tree`, one line of `triangular`, those of "
        "`butterfly` that lead to output 0. One after the other reads the power that it drops, and moves phi and then "
        "theta to make it least (Miller, Photonics Research 1, 1 (2013)).\n\n"
        "With --chip MESH.nc may be left out, all phases then being 0 at first; the errors and losses are those of a "
        "file of cuonn chip, and each phase that a node sets is what "
        "the "
        "driver and the heat of the other shifters make of it: the nearest of its levels, or the nearer end of its "
        "range. "
        "Nodes that move later may then undo a little of what those before them have found.\n\n"
        "Writes the chip with the phases of these nodes from 0 to below 2 pi; phases of others stay; with --units "
        "volts, "
        "with the voltages of its driver for them (cuonn wrap --help). Prints the "
        "output, "
        "the share of the light there and at the drop detectors, and how many powers were read; with --json also the "
        "power at the output before the first turn and after each, of six readings.\n\n"
        "Example:\n"
        "  cuonn self-configure tree.nc --light beam.nc --output phases.nc\n"
        "  cuonn self-configure --chip chip.nc --light beam.nc --units volts --output volts.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

static int parse_options(cuonn_self_configuration_options *out, const arguments *args) {
  int code = CLI_DONE;
  cuonn_self_configuration_options_init(out);
  uint64_t turns = out->turns;
  CLI_PASS_DONE(cli_parse_count(&turns, "--turns", args->turns, 1, 1000));
  CLI_PASS_DONE(cli_parse_shot(&out->tap_shot, "--tap-shot", args->tap_shot));
  CLI_PASS_DONE(cli_parse_count(&out->seed, "--seed", args->seed, 0, UINT64_MAX));
  out->turns = (size_t)turns;
done:
  return code;
}

static int print_json(const arguments *args, const cuonn_mesh *chip, const cuonn_self_configuration *r,
                      const double *powers, size_t turns) {
  json_t *const list = json_array();
  for (size_t i = 0; list && i <= turns * r->n_nodes; i++) json_array_append_new(list, cli_json_number(powers[i]));
  return cli_print_json(json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "modes", (json_int_t)chip->n_modes,
                                  "waveguide", (json_int_t)r->output, "nodes", (json_int_t)r->n_nodes, "readings",
                                  (json_int_t)r->readings, "power", cli_json_number(r->power), "dropped",
                                  cli_json_number(r->dropped), "powers", list, "output", cli_json_text(args->output)));
}

/* The mesh, the light, and the chip, if there is one. */
typedef struct {
  cuonn_mesh mesh;
  cuonn_fabricated chip;
  cuonn_fields light;
  bool volts;
} given;

/* The file that the mesh is of, for messages. */
static const char *mesh_file(const arguments *args) { return args->mesh ? args->mesh : args->chip; }

static int read_given(given *out, const arguments *args) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_units_volts(&out->volts, args->units));
  if (out->volts && !args->chip)
    return cli_fail(CLI_USAGE, "--units volts needs --chip CHIP.nc, a chip file with drive curves");
  if (args->chip) CLI_TRY_DONE(cuonn_fabricated_read(&out->chip, args->chip));
  CLI_TRY_DONE(args->mesh ? cuonn_mesh_read(&out->mesh, args->mesh)
                          : cuonn_mesh_create_shaped(&out->mesh, out->chip.shape, out->chip.style));
  if (out->volts) CLI_PASS_DONE(cli_chip_check_curves(&out->chip, args->chip));
  const cuonn_network alone = cli_network_of(&out->mesh);
  CLI_PASS_DONE(cli_volts_check(&out->chip, &alone.shape, args->chip));
  CLI_TRY_DONE(cuonn_fields_read(&out->light, args->light, "input"));
  if (out->light.n_modes != out->mesh.n_modes || out->light.n_examples != 1)
    code =
        cli_fail(CLI_BAD_FILE, "%s: input has %zu examples of %zu waveguides; it must be 1 of %zu, as the chip in %s",
                 args->light, out->light.n_examples, out->light.n_modes, out->mesh.n_modes, mesh_file(args));
done:
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_self_configuration_options how;
  cuonn_self_configuration result;
  given in = {0};
  double *powers = NULL;
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(parse_options(&how, &args));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.mesh, args.light, args.chip));
  CLI_PASS_DONE(read_given(&in, &args));
  if (args.chip) how.fabricated = &in.chip;
  powers = calloc(how.turns * in.mesh.n_modes + 1, sizeof *powers);
  if (!powers) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for the powers of %zu turns", how.turns);
    goto done;
  }
  const cuonn_status status = cuonn_chip_self_configure(&in.mesh, &result, powers, in.light.values, &how);
  if (status != CUONN_OK) { /* what the mesh is refused for, or light without power */
    code = cli_fail_file(status, status == CUONN_E_DATA ? args.light : mesh_file(&args));
    goto done;
  }
  const cuonn_network alone = cli_network_of(&in.mesh);
  CLI_TRY_DONE(in.volts ? cuonn_network_write_volts(args.output, &alone, &in.chip)
                        : cuonn_mesh_write(args.output, &in.mesh));
  if (args.common.json) {
    code = print_json(&args, &in.mesh, &result, powers, how.turns);
    goto done;
  }
  printf(
      "modes      %zu\nwaveguide  %zu\nnodes      %zu\nreadings   %zu\npower      %.6g\ndropped    %.4g\noutput     "
      "%s\n",
      in.mesh.n_modes, result.output, result.n_nodes, result.readings, result.power, result.dropped, args.output);
done:
  free(powers);
  cuonn_fields_free(&in.light);
  cuonn_fabricated_free(&in.chip);
  cuonn_mesh_free(&in.mesh);
  return code;
}

const cli_command cli_self_configure = {"self-configure", "nodes that bring given light to one output by themselves",
                                        &argp, run};
