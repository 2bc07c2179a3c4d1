/* cuonn chip: a chip file drawn at random, or told in numbers. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *what, *file, *output;
  const char *slope, *slope_std, *offset, *offset_std, *least, *most, *bits, *wavelength;
  const char **settings; /* [n_settings] "key=value" */
  size_t n_settings;
} arguments;

enum { kSlopeStd = 256, kOffset, kOffsetStd, kLeast, kMost, kBits, kWavelength };

static error_t take_word(arguments *a, const char *value) {
  return cli_take_argument(a->what ? &a->file : &a->what, value);
}

static error_t finish(const arguments *a) {
  const bool is_new = a->what && strcmp(a->what, "new") == 0;
  if (!a->what || (!is_new && strcmp(a->what, "show") != 0)) {
    cli_fail(CLI_USAGE, "%s%s%s; it is one of new, show", a->what ? "'" : "WHAT", a->what ? a->what : "",
             a->what ? "' is unknown" : " is missing");
    return EINVAL;
  }
  if (is_new) return CLI_REQUIRE(a->output, "--output CHIP.nc");
  const char *const others[] = {a->output, a->slope, a->slope_std, a->offset,     a->offset_std,
                                a->least,  a->most,  a->bits,      a->wavelength, a->settings[0]};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (!others[i]) continue;
    cli_fail(CLI_USAGE, "show takes a chip file and --json, and nothing else");
    return EINVAL;
  }
  return CLI_REQUIRE(a->file, "the chip file");
}

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 'o': a->output = value; return 0;
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'd': a->slope = value; return 0;
    case kSlopeStd: a->slope_std = value; return 0;
    case kOffset: a->offset = value; return 0;
    case kOffsetStd: a->offset_std = value; return 0;
    case kLeast: a->least = value; return 0;
    case kMost: a->most = value; return 0;
    case kBits: a->bits = value; return 0;
    case kWavelength: a->wavelength = value; return 0;
    case ARGP_KEY_ARG: return take_word(a, value);
    case ARGP_KEY_END: return finish(a);
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"output", 'o', "CHIP.nc", 0, "new: file to write", 0},
    {"set", 's', "KEY=VALUE", 0, "new: set a key of the sections network and chip; may be repeated", 0},
    {"drive-slope", 'd', "B", 0,
     "new: mean slope of the curves phase = a + b V^2, radian/V^2; without it there are none", 0},
    {"drive-slope-std", kSlopeStd, "SIGMA", 0, "new: relative standard deviation of the slopes, 0 to 0.5 (0)", 0},
    {"drive-offset", kOffset, "A", 0, "new: mean phase without voltage, radian (0)", 0},
    {"drive-offset-std", kOffsetStd, "SIGMA", 0, "new: its standard deviation, radian (0)", 0},
    {"least-volts", kLeast, "V", 0, "new: least voltage of the driver (0)", 0},
    {"most-volts", kMost, "V", 0, "new: most voltage of the driver; needed with --drive-slope", 0},
    {"driver-bits", kBits, "BITS", 0, "new: it has 2^BITS voltages, from the least to the most; 0: any (0)", 0},
    {"wavelength", kWavelength, "NM", 0, "new: wavelength in vacuum, nm (1550)", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "new [CONFIG]\nshow CHIP.nc",
    .doc =
        "Draws a chip file at random, or tells what is in one.\v"
        "A chip file says what a fabricated chip is made of, for each layer and node: coupler_error, radians, loss_db, "
        "and, if they are known, the drive curve of each shifter, phase = offset + slope V^2, the range of the driver, "
        "and crosstalk, which shifter gets which share of which other's driven phase. Commands that take keys of the "
        "section chip take it by --chip (docs/chip.md; from measurements it is made by a few lines of Python "
        "there).\n\n"
        "new: the meshes are those of the section network of CONFIG and --set (64 waveguides, 3 layers, top, where "
        "nothing is said), the errors are drawn from chip.seed, coupler_*, loss_*, and crosstalk follows from "
        "chip.crosstalk and crosstalk_decay. Other keys of the section chip, such as noise of readings, are no part of "
        "the file.\n\n"
        "show: prints means and deviations, and how far the driver reaches.\n\n"
        "Example:\n"
        "  cuonn chip new --set network.modes=8 --set network.layers=1 --set chip.coupler_std=0.02 --drive-slope 0.3 "
        "--most-volts 6 --output chip.nc\n"
        "  cuonn chip show chip.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

/* ------------------------------------------------------------------------------------------------------------- new */

static int take_number(double *out, const char *option, const char *text) {
  char *end;
  if (!text) return CLI_DONE;
  *out = strtod(text, &end);
  if (end == text || *end || !isfinite(*out))
    return cli_fail(CLI_USAGE, "%s: found \"%s\", which is no number", option, text);
  return CLI_DONE;
}

/* The driver and the law of its curves. *drawn: whether there are any. */
static int take_drive(cuonn_driver *driver, cuonn_drive_law *law, bool *drawn, const arguments *a) {
  int code = CLI_DONE;
  double bits = 0;
  const char *const others[] = {a->slope_std, a->offset, a->offset_std, a->least, a->most, a->bits};
  *drawn = a->slope != NULL;
  for (size_t i = 0; !*drawn && i < sizeof others / sizeof *others; i++)
    if (others[i]) return cli_fail(CLI_USAGE, "curves and drivers need --drive-slope, the slope of the curves");
  if (!*drawn) return CLI_DONE;
  if (!a->most) return cli_fail(CLI_USAGE, "--most-volts is missing: how far the driver goes");
  CLI_PASS_DONE(take_number(&law->slope, "--drive-slope", a->slope));
  CLI_PASS_DONE(take_number(&law->slope_std, "--drive-slope-std", a->slope_std));
  CLI_PASS_DONE(take_number(&law->offset, "--drive-offset", a->offset));
  CLI_PASS_DONE(take_number(&law->offset_std, "--drive-offset-std", a->offset_std));
  CLI_PASS_DONE(take_number(&driver->least, "--least-volts", a->least));
  CLI_PASS_DONE(take_number(&driver->most, "--most-volts", a->most));
  CLI_PASS_DONE(take_number(&bits, "--driver-bits", a->bits));
  if (!(bits >= 0 && bits <= CUONN_PHASE_BITS_MAX && bits == floor(bits)))
    return cli_fail(CLI_USAGE, "--driver-bits: found \"%s\"; it must be 0 to %d", a->bits, CUONN_PHASE_BITS_MAX);
  driver->bits = (size_t)bits;
done:
  return code;
}

static int configure(cuonn_config *config, const arguments *a) {
  int code = CLI_DONE;
  cuonn_config_init(config);
  if (a->file) CLI_TRY_DONE(cuonn_config_read(config, a->file));
  for (size_t i = 0; i < a->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(config, a->settings[i]));
  if (config->chip_file[0] || config->chip_errors_file[0])
    code = cli_fail(CLI_USAGE, "chip.%s names a chip that there is already; new draws one",
                    config->chip_file[0] ? "file" : "errors_file");
done:
  return code;
}

static int draw(cuonn_fabricated *chip, const arguments *a) {
  int code = CLI_DONE;
  bool drawn;
  cuonn_config config;
  cuonn_driver driver = {0};
  cuonn_drive_law law = {0};
  cuonn_mesh_shape *shape = NULL;
  double wavelength = 1550;
  CLI_PASS_DONE(configure(&config, a));
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(a->output, a->file, config.shape_file));
  CLI_PASS_DONE(take_drive(&driver, &law, &drawn, a));
  CLI_PASS_DONE(take_number(&wavelength, "--wavelength", a->wavelength));
  CLI_TRY_DONE(cuonn_config_mesh_shape(&shape, &config));
  CLI_TRY_DONE(cuonn_fabricated_create(chip, shape, config.network.style, config.network.n_layers));
  chip->wavelength = wavelength;
  if (drawn) CLI_TRY_DONE(cuonn_fabricated_add_drive(chip, &driver));
  CLI_TRY_DONE(cuonn_fabricated_draw(chip, &config.training.chip, drawn ? &law : NULL));
  CLI_TRY_DONE(cuonn_fabricated_write(a->output, chip));
done:
  cuonn_mesh_shape_free(shape);
  return code;
}

/* ------------------------------------------------------------------------------------------------------------ show */

typedef struct {
  double mean, std, least, most;
} spread;

static spread spread_of(const double *values, size_t n) {
  spread s = {0, 0, values[0], values[0]};
  double squares = 0;
  for (size_t i = 0; i < n; i++) {
    s.mean += values[i] / (double)n;
    s.least = fmin(s.least, values[i]);
    s.most = fmax(s.most, values[i]);
  }
  for (size_t i = 0; i < n; i++) squares += (values[i] - s.mean) * (values[i] - s.mean);
  s.std = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
  return s;
}

/* What is told of a chip. */
typedef struct {
  size_t nodes, shifters, short_of; /* of a mesh; of all; of these, those that do not reach a whole period */
  spread coupler, loss, slope, offset;
  size_t shares;
  double largest_share;
} summary;

/* Shifters whose phases do not go around within the range of the driver. */
static size_t count_short(const cuonn_fabricated *chip) {
  const size_t each = cuonn_fabricated_shifters(chip), nodes = cuonn_mesh_shape_nodes(chip->shape);
  const double squares = chip->driver.most * chip->driver.most - chip->driver.least * chip->driver.least;
  const cuonn_phase_periods period = cuonn_phase_style_periods(chip->style);
  size_t count = 0;
  for (size_t i = 0; i < chip->n_layers * each; i++) {
    const size_t at = i % each;
    const double turn = at < nodes ? period.theta : at < 2 * nodes ? period.phi : period.gamma;
    count += fabs(chip->drive_slope[i]) * squares < turn * (1 - 1e-12);
  }
  return count;
}

static summary summary_of(const cuonn_fabricated *chip) {
  const size_t couplers = cuonn_node_kind_couplers(cuonn_mesh_shape_node(chip->shape));
  summary s = {.nodes = cuonn_mesh_shape_nodes(chip->shape),
               .shifters = chip->n_layers * cuonn_fabricated_shifters(chip),
               .shares = chip->crosstalk_first[chip->n_layers]};
  s.coupler = spread_of(chip->coupler_error, chip->n_layers * s.nodes * couplers);
  s.loss = spread_of(chip->loss_db, chip->n_layers * s.nodes * 2);
  for (size_t i = 0; i < s.shares; i++) s.largest_share = fmax(s.largest_share, fabs(chip->crosstalk[i].share));
  if (!chip->drive_slope) return s;
  s.slope = spread_of(chip->drive_slope, s.shifters);
  s.offset = spread_of(chip->drive_offset, s.shifters);
  s.short_of = count_short(chip);
  return s;
}

static json_t *json_spread(const spread *s) {
  return json_pack("{s:f, s:f, s:f, s:f}", "mean", s->mean, "std", s->std, "least", s->least, "most", s->most);
}

static int print_json(const cuonn_fabricated *chip, const char *path) {
  const summary s = summary_of(chip);
  json_t *const object = json_pack(
      "{s:o, s:I, s:I, s:s, s:I, s:I, s:s, s:s, s:f, s:o, s:o, s:I, s:f}", "chip", cli_json_text(path), "layers",
      (json_int_t)chip->n_layers, "modes", (json_int_t)cuonn_mesh_shape_modes(chip->shape), "architecture",
      cuonn_architecture_name(cuonn_mesh_shape_architecture(chip->shape)), "columns",
      (json_int_t)cuonn_mesh_shape_columns(chip->shape) - 1, "nodes", (json_int_t)s.nodes, "node",
      cuonn_node_kind_name(cuonn_mesh_shape_node(chip->shape)), "phase_style", cuonn_phase_style_name(chip->style),
      "wavelength_nm", chip->wavelength, "coupler_error", json_spread(&s.coupler), "loss_db", json_spread(&s.loss),
      "crosstalk", (json_int_t)s.shares, "largest_crosstalk", s.largest_share);
  if (object && chip->drive_slope) {
    json_object_set_new(object, "drive_slope", json_spread(&s.slope));
    json_object_set_new(object, "drive_offset", json_spread(&s.offset));
    json_object_set_new(object, "driver_least_volts", json_real(chip->driver.least));
    json_object_set_new(object, "driver_most_volts", json_real(chip->driver.most));
    json_object_set_new(object, "driver_bits", json_integer((json_int_t)chip->driver.bits));
    json_object_set_new(object, "shifters", json_integer((json_int_t)s.shifters));
    json_object_set_new(object, "shifters_short_of_a_period", json_integer((json_int_t)s.short_of));
  }
  return cli_print_json(object);
}

static void print_spread(const char *name, const spread *s, const char *unit) {
  printf("%s%.4g mean, %.4g standard deviation, %.4g to %.4g%s\n", name, s->mean, s->std, s->least, s->most, unit);
}

static void print_table(const cuonn_fabricated *chip, const char *path) {
  const summary s = summary_of(chip);
  printf("chip           %s\nmeshes         %zu, %s, %zu waveguides, %zu columns, %zu nodes %s\nphase style    %s\n",
         path, chip->n_layers, cuonn_architecture_name(cuonn_mesh_shape_architecture(chip->shape)),
         cuonn_mesh_shape_modes(chip->shape), cuonn_mesh_shape_columns(chip->shape) - 1, s.nodes,
         cuonn_node_kind_name(cuonn_mesh_shape_node(chip->shape)), cuonn_phase_style_name(chip->style));
  if (chip->wavelength > 0) printf("wavelength     %g nm\n", chip->wavelength);
  print_spread("coupler error  ", &s.coupler, " radian");
  print_spread("shifter loss   ", &s.loss, " dB");
  if (chip->drive_slope) {
    print_spread("drive slope    ", &s.slope, " radian/V^2");
    print_spread("drive offset   ", &s.offset, " radian");
    printf("driver         %g to %g V", chip->driver.least, chip->driver.most);
    if (chip->driver.bits) printf(", %zu bits", chip->driver.bits);
    printf("; %zu of %zu shifters do not reach a whole period\n", s.short_of, s.shifters);
  } else {
    printf("drive curves   none\n");
  }
  if (s.shares > 0)
    printf("crosstalk      %zu shares, the largest %.4g\n", s.shares, s.largest_share);
  else
    printf("crosstalk      none\n");
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_fabricated chip = {0};
  args.settings = calloc((size_t)argc + 1, sizeof *args.settings);
  if (!args.settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  const bool is_new = strcmp(args.what, "new") == 0;
  if (is_new)
    CLI_PASS_DONE(draw(&chip, &args));
  else
    CLI_TRY_DONE(cuonn_fabricated_read(&chip, args.file));
  const char *const path = is_new ? args.output : args.file;
  if (args.common.json)
    code = print_json(&chip, path);
  else
    print_table(&chip, path);
done:
  cuonn_fabricated_free(&chip);
  free(args.settings);
  return code;
}

const cli_command cli_chip = {"chip", "a chip file: drawn at random, or told in numbers", &argp, run};
