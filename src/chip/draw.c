/* A fabricated chip drawn at random. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "chip/phases.h"
#include "cuonn/fabricated.h"
#include "mesh/shape.h"

static cuonn_status check_law(const cuonn_drive_law *law) {
  CUONN_CHECK(isfinite(law->slope) && law->slope != 0, CUONN_E_ARGUMENT,
              "the drive slope is %g radian/V^2; it must be a number other than 0", law->slope);
  CUONN_CHECK(law->slope_std >= 0 && law->slope_std <= 0.5, CUONN_E_ARGUMENT,
              "the relative deviation of drive slopes is %g; it must be 0 to 0.5", law->slope_std);
  CUONN_CHECK(fabs(law->offset) <= 1e3 && law->offset_std >= 0 && law->offset_std <= 1e3, CUONN_E_ARGUMENT,
              "drive offsets have the mean %g and the deviation %g radian; they must be -1000 to 1000 and 0 to 1000",
              law->offset, law->offset_std);
  return CUONN_OK;
}

static void draw_curve(double *offset, double *slope, const cuonn_drive_law *law, uint64_t seed, uint32_t layer,
                       uint32_t shifter) {
  double normal[2], factor;
  for (uint32_t attempt = 0;; attempt++) {
    random_normals(normal, (random_place){seed, RANDOM_DRIVE, layer, attempt}, shifter);
    if (attempt == 0) *offset = law->offset + law->offset_std * normal[0];
    factor = 1 + law->slope_std * normal[1];
    if (factor > 0) break;
  }
  *slope = law->slope * factor;
}

static cuonn_status draw_errors(cuonn_fabricated *chip, const cuonn_chip_options *options) {
  cuonn_status status = CUONN_OK;
  cuonn_network network = {0};
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  const size_t nodes = chip->shape->n_nodes, couplers = shape_couplers(chip->shape);
  shape.n_modes = chip->shape->n_modes;
  shape.n_layers = chip->n_layers;
  shape.n_classes = 2;
  shape.style = chip->style;
  shape.mesh = chip->shape;
  CUONN_TRY_DONE(cuonn_network_create(&network, &shape));
  CUONN_TRY_DONE(cuonn_chip_draw_errors(&network, options));
  for (size_t l = 0; l < chip->n_layers; l++) {
    memcpy(chip->coupler_error + l * nodes * couplers, network.layers[l].coupler_error,
           nodes * couplers * sizeof(double));
    memcpy(chip->loss_db + l * nodes * 2, network.layers[l].loss_db, nodes * 2 * sizeof(double));
  }
done:
  cuonn_network_free(&network);
  return status;
}

/* The same law in every layer. */
static cuonn_status draw_crosstalk(cuonn_fabricated *chip, const cuonn_chip_options *options) {
  cuonn_status status = CUONN_OK;
  chip_phases phases = {0};
  cuonn_crosstalk *one = NULL, *all = NULL;
  size_t count;
  CUONN_TRY_DONE(chip_phases_create(&phases, options, 0, chip->shape, chip->style));
  CUONN_TRY_DONE(chip_phases_shares(&one, &count, &phases));
  CUONN_TRY_DONE(cuonn_allocate(&all, count * chip->n_layers, sizeof *all));
  for (size_t l = 0; l < chip->n_layers; l++) {
    memcpy(all + l * count, one, count * sizeof *all);
    chip->crosstalk_first[l + 1] = (l + 1) * count;
  }
  free(chip->crosstalk);
  chip->crosstalk = all;
done:
  free(one);
  chip_phases_free(&phases);
  return status;
}

cuonn_status cuonn_fabricated_draw(cuonn_fabricated *chip, const cuonn_chip_options *options,
                                   const cuonn_drive_law *law) {
  const size_t shifters = cuonn_fabricated_shifters(chip);
  const char *const key = options->phase_bits > 0 ? "phase_bits" : options->phase_error > 0 ? "phase_error" : NULL;
  CUONN_TRY(cuonn_chip_check(options, CUONN_GRADIENT_EXACT, chip->style));
  CUONN_TRY(cuonn_chip_check_shape(options, chip->shape));
  CUONN_CHECK(!key, CUONN_E_ARGUMENT, "chip.%s is no number of a chip file; set it where the chip is used", key);
  if (law) CUONN_TRY(check_law(law));
  CUONN_TRY(draw_errors(chip, options));
  if (options->crosstalk > 0) CUONN_TRY(draw_crosstalk(chip, options));
  for (size_t i = 0; law && chip->drive_slope && i < chip->n_layers * shifters; i++)
    draw_curve(&chip->drive_offset[i], &chip->drive_slope[i], law, options->seed, (uint32_t)(i / shifters),
               (uint32_t)(i % shifters));
  return cuonn_fabricated_check(chip);
}
