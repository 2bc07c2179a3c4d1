/* A chip's options, which of them are refused, and the errors that it was made with. */
#include <math.h>

#include "base/error.h"
#include "base/random.h"
#include "cuonn/chip.h"
#include "cuonn/fabricated.h"
#include "mesh/shape.h"

/* Range of a number; errors beyond it are no chip. */
typedef struct {
  const char *key; /* in the section chip */
  double value, low, high;
  const char *unit;
} number_range;

static cuonn_status check_numbers(const cuonn_chip_options *c) {
  const number_range ranges[] = {
      {"tap_shot", c->tap_shot, 0, 100, ""},
      {"io_amplitude", c->io_amplitude, 0, 100, ""},
      {"io_phase", c->io_phase, 0, 100, " pi"},
      {"coupler_mean", c->coupler_mean, -1, 1, " radians"},
      {"coupler_std", c->coupler_std, 0, 1, " radians"},
      {"loss_mean", c->loss_mean, 0, 100, " dB"},
      {"loss_std", c->loss_std, 0, 100, " dB"},
      {"crosstalk", c->crosstalk, 0, 1, ""},
      {"crosstalk_decay", c->crosstalk_decay, 1e-3, 1e3, " pitches"},
      {"phase_error", c->phase_error, 0, 10, " radians"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    const number_range *r = &ranges[i]; /* false for NaN, too */
    CUONN_CHECK(r->value >= r->low && r->value <= r->high, CUONN_E_ARGUMENT, "chip.%s is %g%s; it must be %g to %g%s",
                r->key, r->value, r->unit, r->low, r->high, r->unit);
  }
  CUONN_CHECK(c->phase_bits <= CUONN_PHASE_BITS_MAX, CUONN_E_ARGUMENT, "chip.phase_bits is %zu; it must be 0 to %d",
              c->phase_bits, CUONN_PHASE_BITS_MAX);
  return CUONN_OK;
}

/* What a fabricated chip has, and its options would draw or set once more. */
static cuonn_status check_fabricated(const cuonn_chip_options *c) {
  const cuonn_fabricated *const made = c->fabricated;
  const struct {
    const char *key;
    double value;
    bool there;
    const char *what;
  } twice[] = {
      {"coupler_mean", c->coupler_mean, true, "errors of couplers"},
      {"coupler_std", c->coupler_std, true, "errors of couplers"},
      {"loss_mean", c->loss_mean, true, "losses"},
      {"loss_std", c->loss_std, true, "losses"},
      {"phase_bits", (double)c->phase_bits, made->drive_slope != NULL, "drive curves, of which levels are voltages"},
      {"crosstalk", c->crosstalk, made->crosstalk != NULL, "crosstalk"},
  };
  for (size_t i = 0; i < sizeof twice / sizeof *twice; i++)
    CUONN_CHECK(!twice[i].there || twice[i].value == 0, CUONN_E_ARGUMENT,
                "chip.%s is %g, but the chip file has %s: set chip.%s to 0, or remove chip.file", twice[i].key,
                twice[i].value, twice[i].what, twice[i].key);
  return CUONN_OK;
}

const char *cuonn_gradient_name(cuonn_gradient_method method) {
  static const char *const names[] = {"exact", "analog", "digital", "ideal", "spsa", "finite-difference"};
  return (unsigned)method < sizeof names / sizeof *names ? names[method] : NULL;
}

bool cuonn_gradient_is_measured(cuonn_gradient_method method) {
  return method == CUONN_GRADIENT_ANALOG || method == CUONN_GRADIENT_DIGITAL;
}

bool cuonn_gradient_is_perturbed(cuonn_gradient_method method) {
  return method == CUONN_GRADIENT_SPSA || method == CUONN_GRADIENT_FINITE_DIFFERENCE;
}

void cuonn_chip_options_init(cuonn_chip_options *out) { *out = (cuonn_chip_options)CUONN_CHIP_OPTIONS_INIT; }

cuonn_status cuonn_chip_check(const cuonn_chip_options *chip, cuonn_gradient_method method, cuonn_phase_style style) {
  CUONN_TRY(check_numbers(chip));
  if (chip->fabricated) CUONN_TRY(check_fabricated(chip));
  const bool one_arm = style == CUONN_STYLE_TOP || style == CUONN_STYLE_BOTTOM;
  CUONN_CHECK(
      !cuonn_gradient_is_measured(method) || one_arm, CUONN_E_ARGUMENT,
      "a gradient cannot be measured in situ on nodes of style %s, whose phases move both arms; use the style top "
      "or bottom, or the exact gradient",
      cuonn_phase_style_name(style));
  if (!cuonn_gradient_is_perturbed(method)) return CUONN_OK;
  CUONN_CHECK(chip->perturbation > 0 && chip->perturbation <= 10, CUONN_E_ARGUMENT,
              "chip.perturbation is %g radians; it must be above 0 to 10 radians", chip->perturbation);
  CUONN_CHECK(chip->estimates >= 1 && chip->estimates <= CUONN_ESTIMATES_MAX, CUONN_E_ARGUMENT,
              "chip.estimates is %zu; it must be 1 to %d", chip->estimates, CUONN_ESTIMATES_MAX);
  return CUONN_OK;
}

cuonn_status cuonn_chip_check_shape(const cuonn_chip_options *chip, const cuonn_mesh_shape *shape) {
  CUONN_CHECK(!shape || shape->neighbours || chip->crosstalk == 0, CUONN_E_ARGUMENT,
              "crosstalk is known only for meshes whose nodes couple neighbouring waveguides; take chip.crosstalk 0");
  return CUONN_OK;
}

/* error: [couplers]; the third has a draw of its own. */
static void draw_couplers(double *error, size_t couplers, const cuonn_chip_options *chip, uint32_t layer,
                          uint32_t node) {
  double normals[4];
  random_normals(normals, (random_place){chip->seed, RANDOM_COUPLER, layer, 0}, node);
  if (couplers > 2) random_normals(normals + 2, (random_place){chip->seed, RANDOM_COUPLER, layer, 1}, node);
  for (size_t i = 0; i < couplers; i++) {
    error[i] = chip->coupler_mean + chip->coupler_std * normals[chip->coupler_equal ? 0 : i];
  }
}

/* A draw below 0 is refused, and the next one taken: at least half are above the mean, which is not negative. */
static void draw_losses(double loss[2], const cuonn_chip_options *chip, uint32_t layer, uint32_t node) {
  bool done[2] = {false, false};
  for (uint32_t attempt = 0; !(done[0] && done[1]); attempt++) {
    double normal[2];
    random_normals(normal, (random_place){chip->seed, RANDOM_LOSS, layer, attempt}, node);
    for (size_t i = 0; i < 2; i++) {
      if (done[i]) continue;
      loss[i] = chip->loss_mean + chip->loss_std * normal[i];
      done[i] = loss[i] >= 0 || chip->loss_law == CUONN_LOSS_STUDY;
    }
  }
}

cuonn_status cuonn_chip_draw_errors(cuonn_network *network, const cuonn_chip_options *chip) {
  CUONN_TRY(cuonn_chip_check(chip, CUONN_GRADIENT_EXACT, network->shape.style));
  const size_t nodes = cuonn_network_nodes(&network->shape), couplers = shape_couplers(network->shape.mesh);
  for (size_t l = 0; chip->fabricated && l < network->shape.n_layers; l++) {
    if (l == 0) CUONN_TRY(cuonn_fabricated_fits(chip->fabricated, &network->shape));
    CUONN_TRY(cuonn_fabricated_put_errors(&network->layers[l], chip->fabricated, l));
  }
  if (chip->coupler_mean == 0 && chip->coupler_std == 0 && chip->loss_mean == 0 && chip->loss_std == 0) return CUONN_OK;
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    for (size_t k = 0; k < nodes; k++) {
      draw_couplers(network->layers[l].coupler_error + couplers * k, couplers, chip, (uint32_t)l, (uint32_t)k);
      draw_losses(network->layers[l].loss_db + 2 * k, chip, (uint32_t)l, (uint32_t)k);
    }
  }
  return CUONN_OK;
}
