/* cuonn decompose: phases of a mesh that has a given matrix. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/chip.h"
#include "cli/layer.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *unitary, *output, *style, *architecture, *node, *units, *chip;
  bool nearest, svd;
} arguments;

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 'p': a->style = value; return 0;
    case 'a': a->architecture = value; return 0;
    case 'k': a->node = value; return 0;
    case 'u': a->units = value; return 0;
    case 'c': a->chip = value; return 0;
    case 'n': a->nearest = true; return 0;
    case 's': a->svd = true; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->unitary, value);
    case ARGP_KEY_END: return CLI_REQUIRE(a->unitary, "the file with the unitary", a->output, "--output MESH.nc");
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "MESH.nc", 0, "File to write", 0},
    {"phase-style", 'p', "top|bottom|differential", 0, "Arms that carry the phase shifters (top)", 0},
    {"architecture", 'a', "rectangular|triangular", 0, "Shape of the mesh (rectangular)", 0},
    {"node", 'k', "mzi|mzi3|mzix", 0, "What a node is made of (mzi)", 0},
    {"nearest", 'n', NULL, 0, "Take the unitary that is nearest to the matrix, and tell how far it was", 0},
    {"svd", 's', NULL, 0, "Take any matrix: two meshes with an attenuator per waveguide between them", 0},
    CLI_UNITS_OPTION,
    CLI_VOLTS_CHIP_OPTION,
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "UNITARY.nc",
    .doc =
        "Finds the phases of a rectangular mesh that has a given matrix (Clements et al., Optica 3, 1460 (2016)), or "
        "of a "
        "triangular one (Reck et al., Phys. Rev. Lett. 73, 58 (1994)).\v"
        "Reads unitary(row, column, complex), N x N, out = unitary x in; the last dimension holds real and imaginary "
        "part. A matrix farther than 1e-6 from unitary is refused, unless --nearest replaces it by its nearest "
        "unitary: such as products in single precision, or what was written with six digits.\n\n"
        "Writes theta(node) from 0 to pi, phi(node) and gamma(waveguide) from 0 to below 2 pi, coupler_error(node, "
        "side), loss_db(node, shifter) and the attributes architecture, phase_style and, unless it is mzi, node. "
        "Prints N, how far the matrix "
        "is from unitary, and how far the mesh's matrix is from the given one: the largest modulus of an element each, "
        "computed in double. With --nearest these are of the nearest unitary, and what lies between it and the given "
        "matrix is printed, too: Frobenius norm and largest modulus of an element.\n\n"
        "With --svd any complex matrix is taken, matrix(row, column, complex) or unitary, square or not, and an svd "
        "layer "
        "written that has it up to a factor: a network of two meshes, theta(layer, node) and so on, with "
        "amplitude(layer, "
        "waveguide) from 0 to 1 behind the first, and the attributes layer and scale: matrix = scale x second mesh x "
        "amplitudes x first mesh. It has as many waveguides as the matrix has rows or columns, whichever is more: "
        "inputs "
        "beyond the columns stay dark, outputs beyond the rows unread. Prints the scale, which is the largest singular "
        "value, and how far the layer's matrix times the scale is from the given one.\n\n"
        "With --units volts, theta, phi and gamma are written in V, as by cuonn wrap; the mesh, or with --svd the two, "
        "are those of the chip, so that --phase-style, --architecture and --node are left out, and the reconstruction "
        "error is that of these voltages. Coupler errors are for cuonn program to correct.\n\n"
        "Example:\n"
        "  cuonn decompose dft.nc --output mesh.nc --phase-style differential\n"
        "  cuonn decompose measured.nc --output mesh.nc --nearest\n"
        "  cuonn decompose dft.nc --output mesh.nc --architecture triangular\n"
        "  cuonn decompose weights.nc --svd --output layer.nc\n"
        "  cuonn decompose dft.nc --chip chip.nc --units volts --output volts.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

typedef struct {
  size_t n_modes;
  double unitarity, reconstruction; /* errors */
  cuonn_nearest nearest;            /* with --nearest */
} outcome;

static int print_outcome(const outcome *o, const arguments *args, cuonn_phase_style style) {
  if (args->common.json) {
    json_t *const object = json_pack("{s:I, s:s, s:f, s:f, s:o}", "modes", (json_int_t)o->n_modes, "phase_style",
                                     cuonn_phase_style_name(style), "unitarity_error", o->unitarity,
                                     "reconstruction_error", o->reconstruction, "output", cli_json_text(args->output));
    if (object && args->nearest) {
      json_object_set_new(object, "distance_frobenius", cli_json_number(o->nearest.frobenius));
      json_object_set_new(object, "distance_largest", cli_json_number(o->nearest.largest));
      json_object_set_new(object, "least_singular_value", cli_json_number(o->nearest.least_singular));
      json_object_set_new(object, "largest_singular_value", cli_json_number(o->nearest.largest_singular));
    }
    return cli_print_json(object);
  }
  printf("modes                 %zu\n", o->n_modes);
  if (args->nearest)
    printf("distance, Frobenius   %.3g\ndistance, largest     %.3g\nsingular values       %.6g to %.6g\n",
           o->nearest.frobenius, o->nearest.largest, o->nearest.least_singular, o->nearest.largest_singular);
  printf("unitarity error       %.3g\nreconstruction error  %.3g\noutput                %s\n", o->unitarity,
         o->reconstruction, args->output);
  return CLI_DONE;
}

/* An svd layer, and what it is made of. */
typedef struct {
  size_t n_rows, n_columns;
  double scale, error;
  double *matrix; /* the given one */
  cuonn_network layer;
} svd_layer;

/* Largest modulus of an element of scale x layer - matrix; layer: [N][N][2]. */
static double svd_error(const svd_layer *s, const double *layer) {
  const size_t n = s->layer.shape.n_modes;
  double largest = 0;
  for (size_t i = 0; i < s->n_rows; i++) {
    for (size_t j = 0; j < s->n_columns; j++) {
      const double *const got = layer + 2 * (i * n + j), *const want = s->matrix + 2 * (i * s->n_columns + j);
      largest = fmax(largest, hypot(s->scale * got[0] - want[0], s->scale * got[1] - want[1]));
    }
  }
  return largest;
}

static int print_svd(const svd_layer *s, const arguments *args) {
  const size_t n = s->layer.shape.n_modes, least = (s->n_rows < s->n_columns ? s->n_rows : s->n_columns) - 1;
  if (args->common.json)
    return cli_print_json(json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "rows", (json_int_t)s->n_rows, "columns",
                                    (json_int_t)s->n_columns, "modes", (json_int_t)n, "scale",
                                    cli_json_number(s->scale), "least_amplitude",
                                    cli_json_number(s->layer.amplitudes[least]), "reconstruction_error",
                                    cli_json_number(s->error), "output", cli_json_text(args->output)));
  printf("rows                  %zu\ncolumns               %zu\nmodes                 %zu\n", s->n_rows, s->n_columns,
         n);
  printf("scale                 %.10g\namplitudes            %.3g to %.3g\n", s->scale, s->layer.amplitudes[least],
         s->layer.amplitudes[0]);
  printf("reconstruction error  %.3g\noutput                %s\n", s->error, args->output);
  return CLI_DONE;
}

/* Of which meshes phases are found. */
typedef struct {
  cuonn_phase_style style;
  cuonn_architecture architecture;
  cuonn_node_kind node;
  cuonn_fabricated chip; /* with --units volts, which then says all of it; else zeroed */
} meshes;

/* What options say, or the chip, whose meshes do not follow them. */
static int choose_meshes(meshes *out, const arguments *args) {
  int code = CLI_DONE;
  *out = (meshes){0};
  if (args->style) CLI_TRY_DONE(cuonn_phase_style_parse(&out->style, args->style));
  if (args->architecture) CLI_TRY_DONE(cuonn_architecture_parse(&out->architecture, args->architecture));
  if (args->node) CLI_TRY_DONE(cuonn_node_kind_parse(&out->node, args->node));
  if (out->architecture > CUONN_ARCHITECTURE_TRIANGULAR)
    return cli_fail(CLI_USAGE,
                    "--architecture %s: such a mesh cannot have every unitary; rectangular and triangular ones can",
                    args->architecture);
  CLI_PASS_DONE(cli_volts_open(&out->chip, args->units, args->chip));
  if (!out->chip.shape) return CLI_DONE;
  if (args->style || args->architecture || args->node)
    return cli_fail(CLI_USAGE, "%s: the meshes are those of the chip in %s; leave it out",
                    args->style          ? "--phase-style"
                    : args->architecture ? "--architecture"
                                         : "--node",
                    args->chip);
  out->style = out->chip.style;
done:
  return code;
}

static cuonn_status make_shape(cuonn_mesh_shape **out, const meshes *of, size_t n_modes) {
  cuonn_mesh_shape *columns = NULL;
  if (of->chip.shape) {
    *out = cuonn_mesh_shape_share(of->chip.shape);
    return CUONN_OK;
  }
  cuonn_status status = cuonn_mesh_shape_make(&columns, of->architecture, n_modes, 0);
  if (status == CUONN_OK) status = cuonn_mesh_shape_with_node(out, columns, of->node);
  cuonn_mesh_shape_free(columns);
  return status;
}

/* What a mesh is refused for is the chip's fault, if there is one; the rest is the matrix's. */
static int fail_decomposed(cuonn_status status, const arguments *args) {
  return cli_fail_file(status, args->chip && status == CUONN_E_ARGUMENT ? args->chip : args->unitary);
}

static cuonn_status make_layer(svd_layer *s, const meshes *of) {
  cuonn_status status = CUONN_OK;
  cuonn_mesh_shape *mesh = NULL;
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  const size_t most = s->n_rows > s->n_columns ? s->n_rows : s->n_columns;
  shape.n_modes = of->chip.shape ? cuonn_mesh_shape_modes(of->chip.shape) : most < 2 ? 2 : most;
  shape.n_layers = 2;
  shape.n_classes = s->n_rows < 2 ? 2 : s->n_rows > 256 ? 256 : s->n_rows;
  shape.style = of->style;
  shape.layer = CUONN_LAYER_SVD;
  status = make_shape(&mesh, of, shape.n_modes);
  shape.mesh = mesh;
  if (status == CUONN_OK) status = cuonn_network_create(&s->layer, &shape);
  if (status == CUONN_OK) status = cuonn_network_decompose(&s->layer, &s->scale, s->matrix, s->n_rows, s->n_columns);
  cuonn_mesh_shape_free(mesh);
  return status;
}

static int run_svd(const arguments *args, const meshes *of) {
  int code = CLI_DONE;
  svd_layer s = {0};
  cuonn_mesh driven[2] = {0};
  double *matrix = NULL;
  cuonn_context *context = NULL;
  CLI_TRY_DONE(cuonn_matrix_read(&s.matrix, &s.n_rows, &s.n_columns, args->unitary));
  const cuonn_status status = make_layer(&s, of);
  if (status != CUONN_OK) {
    code = fail_decomposed(status, args);
    goto done;
  }
  CLI_PASS_DONE(cli_volts_check(&of->chip, &s.layer.shape, args->chip));
  for (size_t l = 0; l < 2; l++)
    CLI_PASS_DONE(cli_chip_drive(&driven[l], &s.layer.layers[l], &of->chip, l, args->chip));
  const cuonn_network layer = {.shape = s.layer.shape, .layers = driven, .amplitudes = s.layer.amplitudes};
  CLI_TRY_DONE(cuonn_context_create(&context, "reference", 1));
  CLI_PASS_DONE(cli_layer_matrix(&matrix, context, &layer, 0, args->unitary));
  s.error = svd_error(&s, matrix);
  CLI_TRY_DONE(cuonn_network_write_scaled(args->output, &s.layer, s.scale, of->chip.shape ? &of->chip : NULL));
  code = print_svd(&s, args);
done:
  cuonn_context_free(context);
  for (size_t l = 0; l < 2; l++) cuonn_mesh_free(&driven[l]);
  free(matrix);
  cuonn_network_free(&s.layer);
  free(s.matrix);
  return code;
}

static int run_unitary(const arguments *args, const meshes *of) {
  int code = CLI_DONE;
  cuonn_mesh_shape *shape = NULL;
  double *unitary = NULL;
  outcome o = {0};
  cuonn_mesh mesh = {0}, driven = {0};
  cuonn_context *context = NULL;
  CLI_TRY_DONE(cuonn_unitary_read(&unitary, &o.n_modes, args->unitary));
  cuonn_status status = make_shape(&shape, of, o.n_modes);
  if (status == CUONN_OK) status = cuonn_mesh_create_shaped(&mesh, shape, of->style);
  if (status == CUONN_OK && mesh.n_modes != o.n_modes) {
    code = cli_fail(CLI_BAD_FILE, "%s: the matrix has %zu rows, but the chip in %s has %zu waveguides", args->unitary,
                    o.n_modes, args->chip, mesh.n_modes);
    goto done;
  }
  if (status == CUONN_OK && args->nearest) status = cuonn_nearest_unitary(unitary, &o.nearest, unitary, o.n_modes);
  if (status == CUONN_OK) status = cuonn_mesh_decompose(&mesh, unitary);
  if (status != CUONN_OK) {
    code = fail_decomposed(status, args);
    goto done;
  }
  const cuonn_network alone = cli_network_of(&mesh);
  CLI_PASS_DONE(cli_volts_check(&of->chip, &alone.shape, args->chip));
  CLI_PASS_DONE(cli_chip_drive(&driven, &mesh, &of->chip, 0, args->chip));
  CLI_TRY_DONE(cuonn_context_create(&context, "reference", 1));
  CLI_PASS_DONE(cli_matrix_error(&o.reconstruction, context, &driven, unitary, args->unitary));
  CLI_TRY_DONE(of->chip.shape ? cuonn_network_write_volts(args->output, &alone, &of->chip)
                              : cuonn_mesh_write(args->output, &mesh));
  o.unitarity = cuonn_unitarity_error(unitary, o.n_modes);
  code = print_outcome(&o, args, of->style);
done:
  cuonn_context_free(context);
  cuonn_mesh_free(&driven);
  cuonn_mesh_free(&mesh);
  cuonn_mesh_shape_free(shape);
  free(unitary);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  meshes of = {0};
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.unitary, args.chip));
  CLI_PASS_DONE(choose_meshes(&of, &args));
  if (args.svd && args.nearest)
    code = cli_fail(CLI_USAGE, "--svd has the matrix itself, --nearest another: give one of them");
  else
    code = args.svd ? run_svd(&args, &of) : run_unitary(&args, &of);
done:
  cuonn_fabricated_free(&of.chip);
  return code;
}

const cli_command cli_decompose = {
    "decompose", "phases of a mesh that has a given unitary matrix, or of two that have any", &argp, run};
