/* Fabricated chips for tests: curves of shifters that all differ, and crosstalk between any shifters of a mesh. */
#ifndef CUONN_TESTS_FAR_CHIP_H
#define CUONN_TESTS_FAR_CHIP_H

#include "cuonn/fabricated.h"
#include "support/chance.h"
#include "support/close.h"

/* Shares of one layer behind *n others: one shifter gets of all, another gives to all, some get nothing, and the rest
 * of every fourth. */
static void far_shares(cuonn_fabricated *chip, size_t *n, size_t layer, chance *c) {
  const size_t shifters = cuonn_fabricated_shifters(chip) - cuonn_mesh_shape_modes(chip->shape);
  chip->crosstalk_first[layer] = *n;
  for (uint32_t to = 0; to < shifters; to++) {
    for (uint32_t from = 0; from < shifters; from++) {
      const bool every = to == shifters / 2 || from == shifters / 3, some = to % 5 && chance_index(c, 4) == 0;
      if (every || some) chip->crosstalk[(*n)++] = (cuonn_crosstalk){to, from, .02 * chance_normal(c)};
    }
  }
  chip->crosstalk_first[layer + 1] = *n;
}

/* driver: NULL: no curves. far: with crosstalk, in all layers or in all but the last, where there are several. */
static void far_chip(cuonn_fabricated *chip, const cuonn_mesh_shape *shape, cuonn_phase_style style, size_t n_layers,
                     const cuonn_driver *driver, bool far, uint64_t seed) {
  chance c = {seed};
  size_t n = 0;
  OK(cuonn_fabricated_create(chip, shape, style, n_layers));
  const size_t shifters = cuonn_fabricated_shifters(chip);
  if (driver) OK(cuonn_fabricated_add_drive(chip, driver));
  for (size_t i = 0; driver && i < n_layers * shifters; i++) {
    chip->drive_offset[i] = chance_normal(&c);
    chip->drive_slope[i] = (i % 7 ? .3 : -.3) * chance_uniform(&c, .8, 1.2);
  }
  if (!far) return;
  chip->crosstalk = calloc(n_layers * shifters * shifters, sizeof *chip->crosstalk);
  assert_non_null(chip->crosstalk);
  for (size_t l = 0; l < n_layers; l++) {
    if (l + 1 < n_layers || seed % 2) far_shares(chip, &n, l, &c);
    chip->crosstalk_first[l + 1] = n;
  }
  OK(cuonn_fabricated_check(chip));
}

#endif
