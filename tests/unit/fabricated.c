/* Fabricated chips: files, voltages, what their drivers and crosstalk make of phases, and what is refused; laws are
 * held against slow programs that know nothing of the library's. */
#include <stdlib.h>
#include <string.h>

#include "chip/phases.h"
#include "cuonn/cuonn.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"
#include "support/folder.h"
#include "support/foreign.h"

enum {
  kModes = 5,
  kNodes = 10,
  kLayers = 2,
  kPhases = 2 * kNodes,
  kShifters = kPhases + kModes,
  kCurves = kLayers * kShifters,
  kGradient = kLayers * kPhases,
  kStyles = 4
};
static const double kTurn = 2 * M_PI;

static const cuonn_driver fine = {0.5, 8, 0}, coarse = {0.5, 8, 10};
static const cuonn_drive_law law = {.slope = .3, .slope_std = .1, .offset = .2, .offset_std = .4};

/* Errors and crosstalk to draw. */
static cuonn_chip_options drawing(void) {
  cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
  options.seed = 7;
  options.coupler_std = .05;
  options.loss_mean = .2;
  options.loss_std = .1;
  options.crosstalk = .1;
  return options;
}

/* A chip of rectangular meshes with everything; driver: NULL: without curves. */
static void draw_on(cuonn_fabricated *chip, const cuonn_mesh_shape *shape, cuonn_phase_style style,
                    const cuonn_driver *driver, double crosstalk) {
  cuonn_chip_options options = drawing();
  options.crosstalk = crosstalk;
  OK(cuonn_fabricated_create(chip, shape, style, kLayers));
  chip->wavelength = 1550;
  if (driver) OK(cuonn_fabricated_add_drive(chip, driver));
  OK(cuonn_fabricated_draw(chip, &options, driver ? &law : NULL));
}

static void draw(cuonn_fabricated *chip, cuonn_phase_style style, const cuonn_driver *driver, double crosstalk) {
  cuonn_mesh_shape *shape;
  OK(cuonn_mesh_shape_rectangular(&shape, kModes));
  draw_on(chip, shape, style, driver, crosstalk);
  cuonn_mesh_shape_free(shape);
}

/* ---- files ---- */

static void same_chip(const cuonn_fabricated *a, const cuonn_fabricated *b) {
  const size_t couplers = cuonn_node_kind_couplers(cuonn_mesh_shape_node(a->shape));
  const size_t nodes = kLayers * cuonn_mesh_shape_nodes(a->shape), shifters = kLayers * cuonn_fabricated_shifters(a);
  assert_true(a->n_layers == b->n_layers && a->style == b->style && a->wavelength == b->wavelength);
  assert_true(cuonn_mesh_shape_node(a->shape) == cuonn_mesh_shape_node(b->shape));
  assert_memory_equal(a->coupler_error, b->coupler_error, nodes * couplers * sizeof(double));
  assert_memory_equal(a->loss_db, b->loss_db, nodes * 2 * sizeof(double));
  assert_true(!a->drive_slope == !b->drive_slope && !a->crosstalk == !b->crosstalk);
  assert_memory_equal(a->crosstalk_first, b->crosstalk_first, (kLayers + 1) * sizeof(size_t));
  if (a->crosstalk) {
    assert_true(a->crosstalk_first[kLayers] > 0);
    assert_memory_equal(a->crosstalk, b->crosstalk, a->crosstalk_first[kLayers] * sizeof(cuonn_crosstalk));
  }
  if (!a->drive_slope) return;
  assert_true(a->driver.least == b->driver.least && a->driver.most == b->driver.most &&
              a->driver.bits == b->driver.bits);
  assert_memory_equal(a->drive_offset, b->drive_offset, shifters * sizeof(double));
  assert_memory_equal(a->drive_slope, b->drive_slope, shifters * sizeof(double));
}

static void round_trip(const cuonn_mesh_shape *shape, cuonn_phase_style style, const cuonn_driver *driver,
                       double crosstalk) {
  cuonn_fabricated chip, again;
  draw_on(&chip, shape, style, driver, crosstalk);
  OK(cuonn_fabricated_write("chip.nc", &chip));
  OK(cuonn_fabricated_read(&again, "chip.nc"));
  same_chip(&chip, &again);
  char *const one = cuonn_fabricated_identity(&chip), *const other = cuonn_fabricated_identity(&again);
  assert_string_equal(one, other);
  free(other);
  again.loss_db[3] += 1e-12;
  char *const changed = cuonn_fabricated_identity(&again);
  assert_string_not_equal(one, changed);
  free(changed);
  free(one);
  cuonn_fabricated_free(&again);
  cuonn_fabricated_free(&chip);
}

static void test_file__round_trip(void **unused) {
  (void)unused;
  const uint32_t pairs[][2] = {{0, 3}, {1, 2}, {0, 4}};
  const size_t counts[] = {2, 1, 0};
  cuonn_mesh_shape *rectangular, *custom, *third;
  OK(cuonn_mesh_shape_rectangular(&rectangular, kModes));
  OK(cuonn_mesh_shape_create(&custom, kModes, 3, counts, pairs));
  OK(cuonn_mesh_shape_with_node(&third, rectangular, CUONN_NODE_MZI3));
  for (int style = 0; style < kStyles; style++) {
    round_trip(rectangular, (cuonn_phase_style)style, &coarse, .1);
    round_trip(rectangular, (cuonn_phase_style)style, NULL, .1);
    round_trip(third, (cuonn_phase_style)style, &fine, 0);
    round_trip(custom, (cuonn_phase_style)style, &coarse, 0);
  }
  cuonn_mesh_shape_free(third);
  cuonn_mesh_shape_free(custom);
  cuonn_mesh_shape_free(rectangular);
}

/* A mesh or a network is a chip, too: of its errors; and so is a file of errors alone. */
static void test_file__of_a_mesh_is_one(void **unused) {
  (void)unused;
  chance c = {3};
  cuonn_mesh mesh;
  cuonn_fabricated chip;
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_BOTTOM));
  dense_random(&mesh, &c, .1, .3);
  OK(cuonn_mesh_write("mesh.nc", &mesh));
  OK(cuonn_fabricated_read(&chip, "mesh.nc"));
  assert_true(chip.n_layers == 1 && chip.style == CUONN_STYLE_BOTTOM && !chip.drive_slope && !chip.crosstalk);
  assert_memory_equal(chip.coupler_error, mesh.coupler_error, kPhases * sizeof(double));
  assert_memory_equal(chip.loss_db, mesh.loss_db, kPhases * sizeof(double));
  cuonn_fabricated_free(&chip);
  const foreign_array alone[] = {{"loss_db", {"node", "shifter"}, {kNodes, 2}, mesh.loss_db, NULL, NULL}, {0}};
  foreign_write("alone.nc", NC_NETCDF4, alone);
  OK(cuonn_fabricated_read(&chip, "alone.nc"));
  assert_true(cuonn_mesh_shape_modes(chip.shape) == kModes && chip.coupler_error[0] == 0);
  assert_memory_equal(chip.loss_db, mesh.loss_db, kPhases * sizeof(double));
  cuonn_fabricated_free(&chip);
  cuonn_mesh_free(&mesh);
}

static void test_file__what_is_wrong_is_refused(void **unused) {
  (void)unused;
  cuonn_fabricated chip;
  double errors[kPhases] = {0}, phases[kNodes] = {0}, share[] = {.1, .1}, to[] = {3, 2}, from[] = {1, 1};
  const foreign_array coupler = {"coupler_error", {"node", "side"}, {kNodes, 2}, errors, NULL, NULL};
#define BAD(status, text, ...)                                     \
  do {                                                             \
    const foreign_array arrays[] = {__VA_ARGS__, {0}};             \
    foreign_write("bad.nc", 0, arrays);                            \
    REFUSED(cuonn_fabricated_read(&chip, "bad.nc"), status, text); \
    assert_null(chip.shape);                                       \
  } while (0)
#define SHARES                                                                                        \
  {"crosstalk", {"entry"}, {2}, share, NULL, NULL}, {"crosstalk_to", {"entry"}, {2}, to, NULL, NULL}, \
      {"crosstalk_from", {"entry"}, {2}, from, NULL, NULL}
  BAD(CUONN_E_DATA, "has neither coupler_error nor loss_db", {"other", {"node"}, {kNodes}, phases, NULL, NULL});
  BAD(CUONN_E_DATA, "has 9 nodes, which no rectangular mesh has",
      {"coupler_error", {"node", "side"}, {9, 2}, errors, NULL, NULL});
  BAD(CUONN_E_DATA, "coupler_error has the shape (10, 1), it must be (node 10, side 2)",
      {"coupler_error", {"node", "side"}, {kNodes, 1}, errors, NULL, NULL});
  BAD(CUONN_E_DATA, "no attribute driver_most_volts", coupler, {"theta_slope", {"node"}, {kNodes}, phases, NULL, NULL});
  BAD(CUONN_E_DATA, "crosstalk 1, from shifter 1 to 2, stands behind that from 1 to 3", coupler, SHARES);
  to[1] = 3;
  BAD(CUONN_E_DATA, "each once", coupler, SHARES);
  to[1] = kPhases;
  BAD(CUONN_E_DATA, "crosstalk_to[1] is 20; it is a whole number from 0 to 19", coupler, SHARES);
  to[1] = 3.5;
  BAD(CUONN_E_DATA, "crosstalk_to[1] is 3.5", coupler, SHARES);
  to[1] = 4;
  share[1] = NAN;
  BAD(CUONN_E_NONFINITE, "crosstalk[1] is nan", coupler, SHARES);
  errors[7] = NAN;
  BAD(CUONN_E_NONFINITE, "coupler_error[3, 1] is nan", coupler);

  draw(&chip, CUONN_STYLE_TOP, &coarse, .1);
  OK(cuonn_fabricated_write("whole.nc", &chip));
  chip.drive_slope[4] = 0;
  REFUSED(cuonn_fabricated_check(&chip), CUONN_E_DATA, "shifter 4 of layer 0 is 0");
  chip.drive_slope[4] = 1;
  chip.driver.most = chip.driver.least;
  REFUSED(cuonn_fabricated_check(&chip), CUONN_E_DATA, "the driver's range is 0.5 to 0.5 V");
  cuonn_fabricated_free(&chip);
  size_t size = 0;
  unsigned char *const bytes = file_bytes(&size, "whole.nc");
  assert_non_null(bytes);
  for (size_t part = 1; part < 40; part++) {
    file_put("cut.nc", bytes, size * part / 40);
    assert_true(cuonn_fabricated_read(&chip, "cut.nc") == CUONN_E_DATA);
  }
  free(bytes);
}

/* ---- voltages ---- */

/* Period of shifter i: theta, phi, gamma. */
static double period_of(cuonn_phase_style style, size_t i) {
  const bool half = i < kNodes ? style >= CUONN_STYLE_SYMMETRIC : i < kPhases && style == CUONN_STYLE_DIFFERENTIAL;
  return half ? 2 * kTurn : kTurn;
}

static double *phase_of(cuonn_mesh *mesh, size_t i) {
  return i < kNodes ? mesh->theta + i : i < kPhases ? mesh->phi + i - kNodes : mesh->gamma + i - kPhases;
}

/* The least voltage that sets a phase to the allowance, by trying all periods; NAN if none does. */
static double slow_voltage(const cuonn_fabricated *chip, size_t at, double phase, double period) {
  double least = NAN;
  for (int k = -20; k <= 20; k++) {
    const double square = (phase + k * period - chip->drive_offset[at]) / chip->drive_slope[at];
    const double volts = sqrt(square);
    if (square >= 0 && volts >= chip->driver.least && volts <= chip->driver.most && !(volts >= least)) least = volts;
  }
  return least;
}

/* Voltages are the least that set a phase, of either sign of slope, and give it back. 1e-12: 20 periods of rounding. */
static void test_volts__are_the_least_and_give_the_phases_back(void **unused) {
  (void)unused;
  chance c = {5};
  for (int style = 0; style < kStyles; style++) {
    cuonn_fabricated chip;
    cuonn_mesh mesh, back;
    double volts[kShifters];
    draw(&chip, (cuonn_phase_style)style, &fine, 0);
    for (size_t i = 0; i < kCurves; i += 3) chip.drive_slope[i] *= -1;
    OK(cuonn_mesh_create_shaped(&mesh, chip.shape, chip.style));
    OK(cuonn_mesh_create_shaped(&back, chip.shape, chip.style));
    for (size_t i = 0; i < kShifters; i++) *phase_of(&mesh, i) = chance_uniform(&c, -20, 20);
    OK(cuonn_fabricated_volts(volts, &chip, 1, &mesh));
    OK(cuonn_fabricated_phases(&back, &chip, 1, volts));
    for (size_t i = 0; i < kShifters; i++) {
      const double period = period_of(chip.style, i), phase = *phase_of(&mesh, i);
      const double want = slow_voltage(&chip, kShifters + i, phase, period);
      CLOSE(&volts[i], &want, 1, .rel = 1e-12);
      assert_true(fabs(remainder(*phase_of(&back, i) - phase, period)) < 1e-12);
    }
    cuonn_mesh_free(&back);
    cuonn_mesh_free(&mesh);
    cuonn_fabricated_free(&chip);
  }
}

/* The nearest of 2^bits voltages, both ends of the range among them. */
static void test_volts__of_a_driver_with_bits_are_its_levels(void **unused) {
  (void)unused;
  chance c = {6};
  cuonn_fabricated chip;
  cuonn_mesh mesh;
  double volts[kShifters], exact[kShifters];
  draw(&chip, CUONN_STYLE_TOP, &coarse, 0);
  OK(cuonn_mesh_create_shaped(&mesh, chip.shape, chip.style));
  for (size_t i = 0; i < kShifters; i++) *phase_of(&mesh, i) = chance_uniform(&c, 0, kTurn);
  OK(cuonn_fabricated_volts(volts, &chip, 0, &mesh));
  chip.driver.bits = 0;
  OK(cuonn_fabricated_volts(exact, &chip, 0, &mesh));
  const double step = (coarse.most - coarse.least) / 1023;
  for (size_t i = 0; i < kShifters; i++) {
    const double level = (volts[i] - coarse.least) / step;
    assert_true(fabs(level - rint(level)) < 1e-9 && level > -1e-9 && level < 1023 + 1e-9);
    assert_true(fabs(volts[i] - exact[i]) <= step / 2 + 1e-12);
  }
  chip.driver.bits = 1;
  OK(cuonn_fabricated_volts(volts, &chip, 0, &mesh));
  for (size_t i = 0; i < kShifters; i++) assert_true(volts[i] == coarse.least || volts[i] == coarse.most);
  cuonn_mesh_free(&mesh);
  cuonn_fabricated_free(&chip);
}

/* The ends of the range belong to it, rounding or not; what lies beyond is refused, with its place. */
static void test_volts__beyond_the_driver_are_refused(void **unused) {
  (void)unused;
  cuonn_fabricated chip;
  cuonn_mesh mesh;
  double volts[kShifters];
  const cuonn_driver half = {0, 3, 0}; /* .3 x 9 = 2.7 radian */
  draw(&chip, CUONN_STYLE_TOP, &half, 0);
  OK(cuonn_mesh_create_shaped(&mesh, chip.shape, chip.style));
  for (size_t end = 0; end < 2; end++) {
    for (size_t i = 0; i < kShifters; i++) {
      const size_t at = kShifters + i;
      *phase_of(&mesh, i) = chip.drive_offset[at] + (end ? 9 * chip.drive_slope[at] : 0) + 5 * kTurn;
    }
    OK(cuonn_fabricated_volts(volts, &chip, 1, &mesh));
    for (size_t i = 0; i < kShifters; i++) {
      assert_true(volts[i] >= half.least && volts[i] <= half.most);
      assert_true(fabs(volts[i] * volts[i] - (end ? 9 : 0)) < 1e-12); /* some roundings of 5 periods over the slope */
    }
  }
  mesh.phi[7] += .1;
  REFUSED(cuonn_fabricated_volts(volts, &chip, 1, &mesh), CUONN_E_DATA, "phi of node 7 in column 3 of layer 1 is");
  mesh.phi[7] -= .1;
  mesh.gamma[2] += .1;
  REFUSED(cuonn_fabricated_volts(volts, &chip, 1, &mesh), CUONN_E_DATA, "gamma of waveguide 2 of layer 1 is");
  REFUSED(cuonn_fabricated_volts(volts, &chip, 2, &mesh), CUONN_E_SHAPE, "layer 2 of a chip of 2");
  mesh.style = CUONN_STYLE_BOTTOM;
  REFUSED(cuonn_fabricated_volts(volts, &chip, 0, &mesh), CUONN_E_SHAPE, "style top, the network");
  cuonn_fabricated_free(&chip);
  draw(&chip, CUONN_STYLE_BOTTOM, NULL, 0);
  REFUSED(cuonn_fabricated_volts(volts, &chip, 0, &mesh), CUONN_E_ARGUMENT, "the chip has no drive curves");
  cuonn_mesh_free(&mesh);
  cuonn_fabricated_free(&chip);
}

/* A network that is written in volts is read with the phases that they give. */
static void test_volts__of_a_file_are_phases_again(void **unused) {
  (void)unused;
  chance c = {13};
  for (int style = 0; style < kStyles; style++) {
    cuonn_fabricated chip, again;
    cuonn_network network, back;
    double volts[kShifters];
    cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
    draw(&chip, (cuonn_phase_style)style, &coarse, .1);
    shape.n_modes = kModes;
    shape.n_layers = kLayers;
    shape.n_classes = 3;
    shape.style = chip.style;
    OK(cuonn_network_create(&network, &shape));
    for (size_t l = 0; l < kLayers; l++) dense_random(&network.layers[l], &c, .1, .2);
    OK(cuonn_network_write_volts("volts.nc", &network, &chip));
    OK(cuonn_network_read(&back, "volts.nc"));
    for (size_t l = 0; l < kLayers; l++) {
      OK(cuonn_fabricated_volts(volts, &chip, l, &network.layers[l]));
      OK(cuonn_fabricated_phases(&network.layers[l], &chip, l, volts));
      assert_memory_equal(back.layers[l].theta, network.layers[l].theta, kNodes * sizeof(double));
      assert_memory_equal(back.layers[l].phi, network.layers[l].phi, kNodes * sizeof(double));
      assert_memory_equal(back.layers[l].gamma, network.layers[l].gamma, kModes * sizeof(double));
      assert_memory_equal(back.layers[l].coupler_error, network.layers[l].coupler_error, kPhases * sizeof(double));
    }
    OK(cuonn_fabricated_read(&again, "volts.nc")); /* it has the curves, too */
    assert_memory_equal(again.drive_slope, chip.drive_slope, kCurves * sizeof(double));
    cuonn_fabricated_free(&again);
    network.layers[1].theta[3] = 1;
    chip.drive_slope[kShifters + 3] = 1e-3; /* .06 radian in the whole range */
    REFUSED(cuonn_network_write_volts("refused.nc", &network, &chip), CUONN_E_DATA,
            "theta of node 3 in column 1 of layer 1");
    assert_true(access("refused.nc", F_OK) != 0);
    cuonn_network_free(&back);
    cuonn_network_free(&network);
    cuonn_fabricated_free(&chip);
  }
}

/* Voltages of another program, in mV, with one curve for all; and what is not understood. */
static void test_volts__of_another_program_are_read(void **unused) {
  (void)unused;
  double millivolts[kNodes], none[kNodes] = {0}, ones[kNodes], gamma[kModes] = {0};
  cuonn_mesh mesh;
  for (size_t k = 0; k < kNodes; k++) {
    millivolts[k] = 100. * (double)k;
    ones[k] = 1;
  }
#define ALL(units_of_phi)                                                                                             \
  {                                                                                                                   \
    {"theta", {"node"}, {kNodes}, millivolts, "units", "mV"},                                                         \
        {"phi", {"node"}, {kNodes}, millivolts, "units", units_of_phi},                                               \
        {"theta_offset", {"node"}, {kNodes}, none, NULL, NULL}, {"phi_offset", {"node"}, {kNodes}, none, NULL, NULL}, \
        {"gamma_offset", {"waveguide"}, {kModes}, gamma, NULL, NULL},                                                 \
        {"theta_slope", {"node"}, {kNodes}, ones, NULL, NULL}, {"phi_slope", {"node"}, {kNodes}, ones, NULL, NULL},   \
        {"gamma_slope", {"waveguide"}, {kModes}, ones, NULL, NULL}, {                                                 \
      0                                                                                                               \
    }                                                                                                                 \
  }
  const foreign_array good[] = ALL("mV"), mixed[] = ALL("radian");
  foreign_write("mv.nc", 0, good);
  REFUSED(cuonn_mesh_read(&mesh, "mv.nc"), CUONN_E_DATA, "no attribute driver_most_volts");
  int file;
  const double most = 2;
  NC(nc_open("mv.nc", NC_WRITE, &file));
  NC(nc_redef(file));
  NC(nc_put_att_double(file, NC_GLOBAL, "driver_most_volts", NC_DOUBLE, 1, &most));
  NC(nc_close(file));
  OK(cuonn_mesh_read(&mesh, "mv.nc"));
  for (size_t k = 0; k < kNodes; k++) assert_true(fabs(mesh.phi[k] - .01 * (double)(k * k)) < 1e-15);
  cuonn_mesh_free(&mesh);
  foreign_write("mixed.nc", 0, mixed);
  REFUSED(cuonn_mesh_read(&mesh, "mixed.nc"), CUONN_E_DATA, "phi has the units \"radian\"; known are V");
  const foreign_array bare[] = {{"theta", {"node"}, {kNodes}, millivolts, "units", "V"},
                                {"phi", {"node"}, {kNodes}, millivolts, "units", "V"},
                                {0}};
  foreign_write("bare.nc", 0, bare);
  REFUSED(cuonn_mesh_read(&mesh, "bare.nc"), CUONN_E_DATA, "theta is in volts, but the file has no theta_offset");
}

/* ---- applied phases ---- */

static void phases_on(chip_phases *out, const cuonn_fabricated *chip, uint32_t layer) {
  cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
  options.fabricated = chip;
  OK(chip_phases_create(out, &options, layer, chip->shape, chip->style));
}

/* Without bits and crosstalk, what a driver reaches is applied as it is, bit for bit; what it does not reach becomes
 * the nearer end of its range. */
static void test_applied__is_what_the_driver_reaches(void **unused) {
  (void)unused;
  chance c = {8};
  const cuonn_driver half = {1, 3, 0};
  cuonn_fabricated chip;
  chip_phases phases;
  double in[kPhases], out[kPhases];
  size_t beyond = 0;
  draw(&chip, CUONN_STYLE_TOP, &half, 0);
  phases_on(&phases, &chip, 1);
  for (size_t i = 0; i < kPhases; i++) in[i] = chance_uniform(&c, -10, 10);
  chip_phases_apply(out, out + kNodes, &phases, in, in + kNodes);
  for (size_t i = 0; i < kPhases; i++) {
    const size_t at = kShifters + i;
    const double low = chip.drive_offset[at] + chip.drive_slope[at], high = low + 8 * chip.drive_slope[at];
    if (!isnan(slow_voltage(&chip, at, in[i], kTurn))) {
      assert_true(out[i] == in[i]);
      continue;
    }
    beyond++;
    const bool to_low = fabs(remainder(in[i] - low, kTurn)) < fabs(remainder(in[i] - high, kTurn));
    assert_true(fabs(out[i] - (to_low ? low : high)) < 1e-12);
  }
  assert_true(beyond > 2 && beyond < kPhases);
  chip_phases_free(&phases);
  cuonn_fabricated_free(&chip);
}

/* What training applies with a driver of some bits is what its voltages give. */
static void test_applied__are_the_phases_of_the_voltages(void **unused) {
  (void)unused;
  chance c = {9};
  for (int style = 0; style < kStyles; style++) {
    cuonn_fabricated chip;
    chip_phases phases;
    cuonn_mesh mesh, applied;
    double volts[kShifters];
    draw(&chip, (cuonn_phase_style)style, &coarse, 0);
    OK(cuonn_mesh_create_shaped(&mesh, chip.shape, chip.style));
    OK(cuonn_mesh_create_shaped(&applied, chip.shape, chip.style));
    for (size_t i = 0; i < kShifters; i++) *phase_of(&mesh, i) = chance_uniform(&c, -9, 9);
    phases_on(&phases, &chip, 1);
    chip_phases_apply(applied.theta, applied.phi, &phases, mesh.theta, mesh.phi);
    OK(cuonn_fabricated_volts(volts, &chip, 1, &mesh));
    OK(cuonn_fabricated_phases(&mesh, &chip, 1, volts));
    CLOSE(applied.theta, mesh.theta, kNodes, .rel = 1e-14);
    CLOSE(applied.phi, mesh.phi, kNodes, .rel = 1e-14);
    chip_phases_free(&phases);
    cuonn_mesh_free(&applied);
    cuonn_mesh_free(&mesh);
    cuonn_fabricated_free(&chip);
  }
}

/* Crosstalk of any shifter on any other, against the product with a dense matrix, and its transpose for gradients. With
 * curves, what is driven is shared: phases without the offsets. */
static void check_shares(const cuonn_driver *driver) {
  chance c = {10};
  cuonn_fabricated chip;
  chip_phases phases;
  double in[kPhases], out[kPhases], want[kPhases], shares[kPhases][kPhases] = {{0}};
  draw(&chip, CUONN_STYLE_DIFFERENTIAL, driver, .1);
  const size_t first = chip.crosstalk_first[1], count = chip.crosstalk_first[2] - first;
  for (size_t i = first; i < first + count; i++) {
    chip.crosstalk[i].share = chance_uniform(&c, -.2, .2);
    shares[chip.crosstalk[i].to][chip.crosstalk[i].from] = chip.crosstalk[i].share;
  }
  phases_on(&phases, &chip, 1);
  for (size_t i = 0; i < kPhases; i++) in[i] = chance_uniform(&c, -20, 20);
  chip_phases_apply(out, out + kNodes, &phases, in, in + kNodes);
  for (size_t to = 0; to < kPhases; to++) {
    want[to] = 0;
    for (size_t from = 0; from < kPhases; from++) {
      const size_t at = kShifters + from;
      const double volts = driver ? slow_voltage(&chip, at, in[from], 2 * kTurn) : 0;
      const double driven =
          driver ? chip.drive_slope[at] * volts * volts : in[from] - 2 * kTurn * floor(in[from] / (2 * kTurn));
      want[to] += ((from == to) + shares[to][from]) * driven + (driver && from == to ? chip.drive_offset[at] : 0);
    }
  }
  CLOSE(out, want, kPhases, .rel = 1e-13); /* sums of 20 */
  chip_phases_pull_back(in, in + kNodes, &phases);
  chance again = {10};
  for (size_t i = 0; i < count; i++) chance_uniform(&again, 0, 1);
  for (size_t from = 0; from < kPhases; from++) want[from] = chance_uniform(&again, -20, 20);
  memcpy(out, want, sizeof out);
  for (size_t from = 0; from < kPhases; from++)
    for (size_t to = 0; to < kPhases; to++) want[from] += shares[to][from] * out[to];
  CLOSE(in, want, kPhases, .rel = 1e-13);
  chip_phases_free(&phases);
  cuonn_fabricated_free(&chip);
}

static void test_applied__crosstalk_is_a_matrix(void **unused) {
  (void)unused;
  const cuonn_driver wide = {0, 10, 0};
  check_shares(NULL);
  check_shares(&wide);
}

/* Drawn crosstalk is what the same options make of phases without a file, to the order of sums of some 50; and so it is
 * where a file has curves alone, which go up to the same period without an offset, and the key gives the law. */
static void test_applied__drawn_crosstalk_is_the_law(void **unused) {
  (void)unused;
  chance c = {11};
  for (int style = 0; style < kStyles; style++) {
    cuonn_fabricated chip, curves;
    chip_phases with, without, mixed;
    double in[kPhases], got[kPhases], want[kPhases];
    const cuonn_driver wide = {0, 7.2, 0}; /* more than 4 pi at slopes around .3 */
    cuonn_chip_options options = drawing();
    draw(&chip, (cuonn_phase_style)style, NULL, .1);
    phases_on(&with, &chip, 1);
    OK(chip_phases_create(&without, &options, 1, chip.shape, chip.style));
    for (size_t i = 0; i < kPhases; i++) in[i] = chance_uniform(&c, -20, 20);
    chip_phases_apply(got, got + kNodes, &with, in, in + kNodes);
    chip_phases_apply(want, want + kNodes, &without, in, in + kNodes);
    CLOSE(got, want, kPhases, .rel = 1e-13);

    draw(&curves, (cuonn_phase_style)style, &wide, 0);
    for (size_t i = 0; i < kCurves; i++) {
      curves.drive_offset[i] = .125;
      curves.drive_slope[i] = .3;
    }
    options.coupler_std = options.loss_mean = options.loss_std = 0;
    options.fabricated = &curves;
    OK(chip_phases_create(&mixed, &options, 1, chip.shape, chip.style));
    chip_phases_apply(want, want + kNodes, &without, in, in + kNodes);
    for (size_t i = 0; i < kPhases; i++) in[i] += .125;
    chip_phases_apply(got, got + kNodes, &mixed, in, in + kNodes);
    for (size_t i = 0; i < kPhases; i++) got[i] -= .125;
    CLOSE(got, want, kPhases, .rel = 1e-13);
    chip_phases_free(&mixed);
    chip_phases_free(&without);
    chip_phases_free(&with);
    cuonn_fabricated_free(&curves);
    cuonn_fabricated_free(&chip);
  }
}

/* ---- networks on a chip ---- */

/* Loss and gradients on a chip; [layer][theta, phi]. */
static double measure(double *gradients, const char *backend, const cuonn_network *network,
                      const cuonn_chip_options *chip, const cuonn_fields *input, const uint8_t *labels) {
  cuonn_context *context;
  cuonn_mesh_gradient *of;
  double loss;
  OK(cuonn_context_create(&context, backend, 1));
  OK(cuonn_gradients_create(&of, &network->shape));
  OK(cuonn_gradient_on_chip(&loss, of, context, network, chip, CUONN_GRADIENT_EXACT, input, labels));
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(gradients + l * kPhases, of[l].d_theta, kNodes * sizeof(double));
    memcpy(gradients + (2 * l + 1) * kNodes, of[l].d_phi, kNodes * sizeof(double));
  }
  cuonn_gradients_free(of);
  cuonn_context_free(context);
  return loss;
}

/* A network takes errors and losses from its chip, both backends compute the same on it, and the gradient is that of
 * finite differences: with crosstalk and without levels, phases within one period. */
static void test_network__computes_on_a_chip(void **unused) {
  (void)unused;
  chance c = {12};
  cuonn_fabricated chip;
  cuonn_network network;
  cuonn_fields input;
  cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
  const uint8_t labels[] = {0, 1, 2, 1, 0, 2};
  double exact[kGradient], other[kGradient], ahead[kGradient];
  const cuonn_driver wide = {0, 9, 0};
  draw(&chip, CUONN_STYLE_TOP, &wide, .1);
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  shape.n_modes = kModes;
  shape.n_layers = kLayers;
  shape.n_classes = 3;
  OK(cuonn_network_create(&network, &shape));
  options.fabricated = &chip;
  OK(cuonn_chip_draw_errors(&network, &options));
  for (size_t l = 0; l < kLayers; l++) {
    assert_memory_equal(network.layers[l].coupler_error, chip.coupler_error + l * kPhases, kPhases * sizeof(double));
    assert_memory_equal(network.layers[l].loss_db, chip.loss_db + l * kPhases, kPhases * sizeof(double));
    for (size_t k = 0; k < kNodes; k++) { /* away from the ends of a period, which begins at the offset */
      network.layers[l].theta[k] = chip.drive_offset[l * kShifters + k] + chance_uniform(&c, 1, 5);
      network.layers[l].phi[k] = chip.drive_offset[l * kShifters + kNodes + k] + chance_uniform(&c, 1, 5);
    }
  }
  OK(cuonn_fields_create(&input, 6, kModes));
  chance_normals(input.values, (size_t)12 * kModes, &c);
  measure(exact, "reference", &network, &options, &input, labels);
  measure(other, "cpu", &network, &options, &input, labels);
  CLOSE(other, exact, kGradient, .rel = 1e-4); /* float: as parity's gradients */
  for (size_t k = 0; k < kNodes; k++) {
    const double h = 1e-5; /* error h^2 of a derivative of some units */
    network.layers[0].theta[k] += h;
    const double more = measure(ahead, "reference", &network, &options, &input, labels);
    network.layers[0].theta[k] -= 2 * h;
    const double less = measure(ahead, "reference", &network, &options, &input, labels);
    network.layers[0].theta[k] += h;
    const double slope = (more - less) / (2 * h);
    CLOSE(&exact[k], &slope, 1, .abs = 1e-8);
  }
  cuonn_fields_free(&input);
  cuonn_network_free(&network);
  cuonn_fabricated_free(&chip);
}

static void test_network__of_other_meshes_is_refused(void **unused) {
  (void)unused;
  cuonn_fabricated chip;
  draw(&chip, CUONN_STYLE_TOP, NULL, 0);
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  shape.n_modes = kModes;
  shape.n_layers = kLayers;
  OK(cuonn_fabricated_fits(&chip, &shape));
  shape.n_layers = 3;
  REFUSED(cuonn_fabricated_fits(&chip, &shape), CUONN_E_SHAPE,
          "the chip has 2 rectangular meshes of 5 waveguides with 10 nodes in 5 columns, node mzi, style top, the "
          "network 3 rectangular meshes of 5 waveguides with 10 nodes in 5 columns, node mzi, style top");
  shape.n_layers = kLayers;
  shape.style = CUONN_STYLE_SYMMETRIC;
  REFUSED(cuonn_fabricated_fits(&chip, &shape), CUONN_E_SHAPE, "style symmetric");
  shape.style = CUONN_STYLE_TOP;
  cuonn_mesh_shape *triangular, *crossing;
  OK(cuonn_mesh_shape_make(&triangular, CUONN_ARCHITECTURE_TRIANGULAR, kModes, 0));
  shape.mesh = triangular;
  REFUSED(cuonn_fabricated_fits(&chip, &shape), CUONN_E_SHAPE, "the network 2 triangular meshes");
  OK(cuonn_mesh_shape_with_node(&crossing, chip.shape, CUONN_NODE_MZIX));
  shape.mesh = crossing;
  REFUSED(cuonn_fabricated_fits(&chip, &shape), CUONN_E_SHAPE, "node mzix");
  cuonn_mesh_shape_free(crossing);
  cuonn_mesh_shape_free(triangular);
  cuonn_fabricated_free(&chip);
}

/* What a chip file has is not drawn or set once more. */
static void test_options__that_contradict_are_refused(void **unused) {
  (void)unused;
  cuonn_fabricated chip, bare;
  draw(&chip, CUONN_STYLE_TOP, &coarse, .1);
  draw(&bare, CUONN_STYLE_TOP, NULL, 0);
  for (size_t i = 0; i < 6; i++) {
    cuonn_chip_options options = CUONN_CHIP_OPTIONS_INIT;
    double *const numbers[] = {&options.coupler_mean, &options.coupler_std, &options.loss_mean, &options.loss_std,
                               &options.crosstalk};
    if (i < 5) *numbers[i] = .1;
    if (i == 5) options.phase_bits = 4;
    options.fabricated = &chip;
    REFUSED(cuonn_chip_check(&options, CUONN_GRADIENT_EXACT, CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "the chip file has");
    options.fabricated = &bare;
    if (i < 4)
      REFUSED(cuonn_chip_check(&options, CUONN_GRADIENT_EXACT, CUONN_STYLE_TOP), CUONN_E_ARGUMENT, "remove chip.file");
    else
      OK(cuonn_chip_check(&options, CUONN_GRADIENT_EXACT, CUONN_STYLE_TOP));
  }
  cuonn_chip_options options = drawing();
  options.phase_bits = 4;
  REFUSED(cuonn_fabricated_draw(&bare, &options, NULL), CUONN_E_ARGUMENT,
          "chip.phase_bits is no number of a chip file");
  options.phase_bits = 0;
  REFUSED(cuonn_fabricated_draw(&bare, &options, &(cuonn_drive_law){.slope = 0}), CUONN_E_ARGUMENT,
          "the drive slope is 0");
  REFUSED(cuonn_fabricated_draw(&bare, &options, &(cuonn_drive_law){.slope = 1, .slope_std = .6}), CUONN_E_ARGUMENT,
          "it must be 0 to 0.5");
  cuonn_fabricated_free(&bare);
  cuonn_fabricated_free(&chip);
}

/* Drawn numbers have the means and deviations asked for: of 2 x 2016 x 2 couplers and 2 x 4096 curves, to 5 standard
 * errors, sigma / sqrt(n) of a mean, sigma / sqrt(2 n) of a deviation. */
static void spread_is(const double *values, size_t n, double mean, double std) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  for (size_t i = 0; i < n; i++) squares += (values[i] - sum / (double)n) * (values[i] - sum / (double)n);
  assert_true(fabs(sum / (double)n - mean) < 5 * std / sqrt((double)n));
  assert_true(fabs(sqrt(squares / (double)n) - std) < 5 * std / sqrt(2 * (double)n));
}

static void test_draw__has_the_means_and_deviations(void **unused) {
  (void)unused;
  cuonn_mesh_shape *shape;
  cuonn_fabricated chip;
  OK(cuonn_mesh_shape_rectangular(&shape, 64));
  draw_on(&chip, shape, CUONN_STYLE_TOP, &fine, 0);
  spread_is(chip.coupler_error, (size_t)kLayers * 2016 * 2, 0, .05);
  spread_is(chip.drive_slope, (size_t)kLayers * 4096, .3, .03);
  spread_is(chip.drive_offset, (size_t)kLayers * 4096, .2, .4);
  double together = 0; /* the two of a shifter are independent: a mean of products of unit normals */
  for (size_t i = 0; i < (size_t)kLayers * 4096; i++)
    together += (chip.drive_offset[i] - .2) / .4 * (chip.drive_slope[i] - .3) / .03;
  assert_true(fabs(together) < 5 * sqrt(kLayers * 4096.));
  cuonn_fabricated_free(&chip);
  cuonn_mesh_shape_free(shape);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file__round_trip),
      cmocka_unit_test(test_file__of_a_mesh_is_one),
      cmocka_unit_test(test_file__what_is_wrong_is_refused),
      cmocka_unit_test(test_volts__are_the_least_and_give_the_phases_back),
      cmocka_unit_test(test_volts__of_a_driver_with_bits_are_its_levels),
      cmocka_unit_test(test_volts__beyond_the_driver_are_refused),
      cmocka_unit_test(test_volts__of_a_file_are_phases_again),
      cmocka_unit_test(test_volts__of_another_program_are_read),
      cmocka_unit_test(test_applied__is_what_the_driver_reaches),
      cmocka_unit_test(test_applied__are_the_phases_of_the_voltages),
      cmocka_unit_test(test_applied__crosstalk_is_a_matrix),
      cmocka_unit_test(test_applied__drawn_crosstalk_is_the_law),
      cmocka_unit_test(test_network__computes_on_a_chip),
      cmocka_unit_test(test_network__of_other_meshes_is_refused),
      cmocka_unit_test(test_options__that_contradict_are_refused),
      cmocka_unit_test(test_draw__has_the_means_and_deviations),
  };
  return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
