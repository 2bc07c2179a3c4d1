/* cuonn wrap: phases that a driver can set, in place of any others. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/find.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *phases, *output, *chip, *units;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'c': a->chip = value; return 0;
    case 'u': a->units = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->phases, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->phases, "the file with the phases", a->output, "--output WRAPPED.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "WRAPPED.nc", 0, "File to write", 0}, CLI_UNITS_OPTION, CLI_VOLTS_CHIP_OPTION, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "PHASES.nc",
    .doc =
        "Brings every phase of a mesh, a network or a checkpoint into [0, 2 pi), and leaves what it does to light as "
        "it was.\v"
        "Phases modulo 2 pi are the same chip only where they enter as they are (styles top and bottom). In the styles "
        "symmetric and differential, where theta/2 stands in an arm, a node's sign would change; here it moves on to "
        "other phases of the node, to later nodes and to gamma.\n\n"
        "Reads theta, phi, gamma, coupler_error and loss_db of a mesh (node) or a network (layer, node). Writes them "
        "as a network, a mesh being one of one layer; training can start from it (network.start: file), but not go on. "
        "Prints how many phases were changed, and by how much the matrices were: the largest modulus of an element, "
        "computed in double.\n\n"
        "With --units volts, theta, phi and gamma are written in V, with the drive curves of the chip, by which every "
        "command reads them as phases again: the least voltage in the range of the driver that sets the phase, give or "
        "take its period, and the nearest that a driver with bits has, which is part of the matrix error. A phase that "
        "no "
        "voltage sets is refused.\n\n"
        "Example:\n"
        "  cuonn wrap runs/study/best.nc --output settings.nc\n"
        "  cuonn wrap runs/chip/best.nc --chip chip.nc --units volts --output volts.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

static size_t count_changed(const double *before, const double *after, size_t n) {
  size_t changed = 0;
  for (size_t i = 0; i < n; i++) changed += before[i] != after[i];
  return changed;
}

/* Wraps a layer; adds the phases that changed, and raises *error to the distance of the matrices, before and after: as
 * the voltages of a chip give it, if that has curves. */
static int wrap_mesh(size_t *changed, double *error, cuonn_context *context, cuonn_mesh *mesh,
                     const cuonn_fabricated *chip, size_t layer, const char *path) {
  int code = CLI_DONE;
  const size_t nodes = mesh->n_nodes;
  cuonn_mesh before = {0}, after = {0};
  double *matrix = NULL, off = 0;
  CLI_TRY_DONE(cuonn_mesh_create_shaped(&before, mesh->shape, mesh->style));
  CLI_TRY_DONE(cuonn_mesh_copy(&before, mesh));
  CLI_TRY_DONE(cuonn_mesh_wrap(mesh));
  CLI_PASS_DONE(cli_matrix_of(&matrix, context, &before, path));
  CLI_PASS_DONE(cli_chip_drive(&after, mesh, chip, layer, path));
  CLI_PASS_DONE(cli_matrix_error(&off, context, &after, matrix, path));
  *error = fmax(*error, off);
  *changed += count_changed(before.theta, mesh->theta, nodes) + count_changed(before.phi, mesh->phi, nodes) +
              count_changed(before.gamma, mesh->gamma, mesh->n_modes);
done:
  free(matrix);
  cuonn_mesh_free(&after);
  cuonn_mesh_free(&before);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_context *context = NULL;
  cuonn_network network = {0};
  cuonn_fabricated chip = {0};
  char *phases_path = NULL;
  size_t changed = 0;
  double error = 0;
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(cli_find(&phases_path, args.phases, CLI_FIND_NETWORK));
  args.phases = phases_path;
  CLI_PASS_DONE(cli_volts_open(&chip, args.units, args.chip));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.phases, args.chip));
  CLI_TRY_DONE(cuonn_context_create(&context, "reference", 1));
  CLI_TRY_DONE(cuonn_network_read(&network, args.phases));
  const cuonn_network_shape *const shape = &network.shape;
  CLI_PASS_DONE(cli_volts_check(&chip, shape, args.chip));
  for (size_t l = 0; l < shape->n_layers; l++)
    CLI_PASS_DONE(wrap_mesh(&changed, &error, context, &network.layers[l], &chip, l, args.phases));
  CLI_TRY_DONE(chip.shape ? cuonn_network_write_volts(args.output, &network, &chip)
                          : cuonn_network_write(args.output, &network));
  const size_t phases = shape->n_layers * (2 * cuonn_network_nodes(shape) + shape->n_modes);
  if (args.common.json)
    code = cli_print_json(json_pack("{s:I, s:I, s:s, s:I, s:I, s:f, s:o}", "modes", (json_int_t)shape->n_modes,
                                    "layers", (json_int_t)shape->n_layers, "phase_style",
                                    cuonn_phase_style_name(shape->style), "phases", (json_int_t)phases, "changed",
                                    (json_int_t)changed, "matrix_error", error, "output", cli_json_text(args.output)));
  else
    printf(
        "modes         %zu\nlayers        %zu\nphases        %zu, %zu of them changed\nmatrix error  %.3g\noutput      "
        "  %s\n",
        shape->n_modes, shape->n_layers, phases, changed, error, args.output);
done:
  free(phases_path);
  cuonn_network_free(&network);
  cuonn_fabricated_free(&chip);
  cuonn_context_free(context);
  return code;
}

const cli_command cli_wrap = {"wrap", "phases within [0, 2 pi) that do the same to light", &argp, run};
