/* cuonn convert: a mesh as other programs count its phases. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/find.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *phases, *output, *from, *to, *units, *chip;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'f': a->from = value; return 0;
    case 't': a->to = value; return 0;
    case 'u': a->units = value; return 0;
    case 'c': a->chip = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->phases, value);
    case ARGP_KEY_END:
      return CLI_REQUIRE(a->phases, "the file with the phases", a->to, "--to CONVENTION", a->output,
                         "--output MESH.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"from", 'f', "CONVENTION", 0,
     "Convention that the phases are counted by; it may be left out where the file says it", 0},
    {"to", 't', "CONVENTION", 0, "Convention to count them by", 0},
    {"output", 'o', "MESH.nc", 0, "File to write", 0},
    CLI_UNITS_OPTION,
    CLI_VOLTS_CHIP_OPTION,
    {0}};

/* The conventions stand in the help as they do in the table. */
static void write_conventions(FILE *stream) {
  fprintf(stream, "CONVENTION is cuonn (ours, in the phase style of the file; top if it is another program's)");
  for (size_t i = 0; cuonn_convention_at(i); i++)
    fprintf(stream, "%s%s", cuonn_convention_at(i + 1) ? ", " : " or ", cuonn_convention_name(cuonn_convention_at(i)));
  fprintf(stream,
          ". docs/conventions.md has the matrix of each, and how the arrays of that program are put into the order of "
          "our nodes.\n\n");
}

static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  return cli_help_with(key, text, write_conventions);
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "PHASES.nc",
    .doc =
        "Counts the phases of a mesh, a network or a checkpoint by the convention of another program, or by ours.\v"
        "Reads theta, phi, gamma, coupler_error and loss_db of a mesh (node) or a network (layer, node). Writes them "
        "as a network, a mesh being one of one layer, with the attribute convention, or phase_style for ours; all "
        "other commands take ours alone. The matrices stay: prints by how much they changed, the largest modulus of "
        "an element, computed in double. Phases come into [0, 2 pi); theta of a node without coupler errors, where it "
        "is not the same node, into [0, pi]. Coupler errors stay where both conventions have couplers, losses where "
        "the nodes are the same; else they are refused.\n\n"
        "With --units volts, theta, phi and gamma are written in V, as by cuonn wrap, and the matrix error is that of "
        "these voltages; --to is the chip's phase style, or cuonn.\n\n"
        "Example:\n"
        "  cuonn convert clements.nc --from interferometer --to cuonn --output mesh.nc\n"
        "  cuonn convert runs/study/best.nc --to perceval --output phases.nc\n"
        "  cuonn convert clements.nc --from interferometer --to cuonn --chip chip.nc --units volts --output volts.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
    .help_filter = help_filter,
};

/* Conventions of the command line, NULL for "cuonn" or none, into those that they mean; `stated` is what the file says,
 * or NULL. chip: whose voltages are asked for; else zeroed. */
static int choose(const cuonn_convention **from, const cuonn_convention **to, const cuonn_convention *stated,
                  const cuonn_fabricated *chip, const arguments *args) {
  const cuonn_convention *const top = cuonn_convention_of_style(CUONN_STYLE_TOP);
  const bool ours = args->from && !*from;
  if (stated && ((ours && !cuonn_convention_is_style(NULL, stated)) || (*from && *from != stated)))
    return cli_fail(CLI_BAD_FILE,
                    "%s: says that its phases are counted by %s, not by %s; leave --from out, or remove "
                    "the attribute convention or phase_style",
                    args->phases, cuonn_convention_name(stated), args->from);
  if (!*from) *from = stated ? stated : top;
  const cuonn_convention *const of_chip = chip->shape ? cuonn_convention_of_style(chip->style) : NULL;
  if (!*to) *to = of_chip ? of_chip : cuonn_convention_is_style(NULL, *from) ? *from : top;
  if (of_chip && *to != of_chip)
    return cli_fail(CLI_USAGE,
                    "--to %s: the curves of the chip in %s are of phases counted by %s; --to cuonn takes that",
                    args->to, args->chip, cuonn_convention_name(of_chip));
  return CLI_DONE;
}

static int parse_name(const cuonn_convention **out, const char *name) {
  *out = NULL;
  if (!name || strcmp(name, "cuonn") == 0) return CLI_DONE;
  const cuonn_status status = cuonn_convention_parse(out, name);
  return status == CUONN_OK ? CLI_DONE : cli_fail_library(status);
}

/* Converts a mesh; raises *error to the distance of the matrices, as the voltages of a chip give it if that has curves.
 */
static int convert_mesh(double *error, cuonn_mesh *mesh, const cuonn_convention *from, const cuonn_convention *to,
                        const cuonn_fabricated *chip, size_t layer, const char *path) {
  int code = CLI_DONE;
  cuonn_mesh driven = {0};
  const size_t size = 2 * mesh->n_modes * mesh->n_modes;
  double *const before = malloc(size * sizeof *before), *const after = malloc(size * sizeof *after);
  if (!before || !after) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for a matrix of %zu x %zu", mesh->n_modes, mesh->n_modes);
    goto done;
  }
  cuonn_convention_matrix(before, mesh, from);
  const cuonn_status status = cuonn_mesh_convert(mesh, from, to);
  if (status != CUONN_OK) {
    code = cli_fail_file(status, path);
    goto done;
  }
  CLI_PASS_DONE(cli_chip_drive(&driven, mesh, chip, layer, path));
  cuonn_convention_matrix(after, &driven, to);
  *error = fmax(*error, cli_largest_difference(after, before, mesh->n_modes));
done:
  cuonn_mesh_free(&driven);
  free(after);
  free(before);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  const cuonn_convention *from, *to, *stated;
  cuonn_network network = {0};
  cuonn_fabricated chip = {0};
  char *phases_path = NULL;
  double error = 0;
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(parse_name(&from, args.from));
  CLI_PASS_DONE(parse_name(&to, args.to));
  CLI_PASS_DONE(cli_find(&phases_path, args.phases, CLI_FIND_NETWORK));
  args.phases = phases_path;
  CLI_PASS_DONE(cli_volts_open(&chip, args.units, args.chip));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.phases, args.chip));
  CLI_TRY_DONE(cuonn_network_read_any(&network, &stated, args.phases));
  CLI_PASS_DONE(choose(&from, &to, stated, &chip, &args));
  cuonn_convention_is_style(&network.shape.style, to);
  CLI_PASS_DONE(cli_volts_check(&chip, &network.shape, args.chip));
  for (size_t l = 0; l < network.shape.n_layers; l++)
    CLI_PASS_DONE(convert_mesh(&error, &network.layers[l], from, to, &chip, l, args.phases));
  CLI_TRY_DONE(chip.shape ? cuonn_network_write_volts(args.output, &network, &chip)
                          : cuonn_network_write_as(args.output, &network, to));
  const char *const names[] = {cuonn_convention_name(from), cuonn_convention_name(to)};
  if (args.common.json)
    code = cli_print_json(json_pack("{s:I, s:I, s:s, s:s, s:o, s:o}", "modes", (json_int_t)network.shape.n_modes,
                                    "layers", (json_int_t)network.shape.n_layers, "from", names[0], "to", names[1],
                                    "matrix_error", cli_json_number(error), "output", cli_json_text(args.output)));
  else
    printf(
        "modes         %zu\nlayers        %zu\nfrom          %s\nto            %s\nmatrix error  %.3g\noutput        "
        "%s\n",
        network.shape.n_modes, network.shape.n_layers, names[0], names[1], error, args.output);
done:
  free(phases_path);
  cuonn_fabricated_free(&chip);
  cuonn_network_free(&network);
  return code;
}

const cli_command cli_convert = {"convert", "a mesh as other programs count its phases", &argp, run};
