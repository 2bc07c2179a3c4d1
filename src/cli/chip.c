#include "cli/chip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_chip_open(cuonn_fabricated *out, cuonn_config *config) {
  int code = CLI_DONE;
  *out = (cuonn_fabricated){0};
  config->training.chip.fabricated = NULL;
  if (!config->chip_file[0]) return CLI_DONE;
  CLI_TRY_DONE(cuonn_fabricated_read(out, config->chip_file));
  config->training.chip.fabricated = out;
done:
  return code;
}

int cli_chip_check(const cuonn_config *config) {
  const cuonn_chip_options *const chip = &config->training.chip;
  if (!chip->fabricated) return CLI_DONE;
  const cuonn_status fits = cuonn_fabricated_fits(chip->fabricated, &config->network);
  if (fits != CUONN_OK) return cli_fail_file(fits, config->chip_file);
  const cuonn_status status = cuonn_chip_check(chip, config->training.gradient, config->network.style);
  return status == CUONN_OK ? CLI_DONE : cli_fail_file(status, config->chip_file);
}

int cli_chip_identify(char **identity, const cuonn_config *config) {
  char *own, *both;
  if (!config->training.chip.fabricated) return CLI_DONE;
  own = cuonn_fabricated_identity(config->training.chip.fabricated);
  const bool made = own && asprintf(&both, "%s%s", *identity, own) >= 0;
  free(own);
  if (!made) return cli_fail(CLI_RESOURCES, "not enough memory");
  free(*identity);
  *identity = both;
  return CLI_DONE;
}

int cli_units_volts(bool *volts, const char *units) {
  *volts = units && strcmp(units, "volts") == 0;
  if (!units || *volts || strcmp(units, "radians") == 0) return CLI_DONE;
  return cli_fail(CLI_USAGE, "--units: found \"%s\"; it is one of radians, volts", units);
}

int cli_chip_check_curves(const cuonn_fabricated *chip, const char *path) {
  if (chip->drive_slope) return CLI_DONE;
  return cli_fail(CLI_BAD_FILE, "%s: has no drive curves (theta_offset, theta_slope, ...), by which phases are volts",
                  path);
}

int cli_volts_open(cuonn_fabricated *out, const char *units, const char *path) {
  int code = CLI_DONE;
  bool volts;
  *out = (cuonn_fabricated){0};
  CLI_PASS_DONE(cli_units_volts(&volts, units));
  if (volts && !path) return cli_fail(CLI_USAGE, "--units volts needs --chip CHIP.nc, a chip file with drive curves");
  if (!volts && path)
    return cli_fail(CLI_USAGE, "--chip goes with --units volts: its drive curves make voltages of phases");
  if (!volts) return CLI_DONE;
  CLI_TRY_DONE(cuonn_fabricated_read(out, path));
  code = cli_chip_check_curves(out, path);
done:
  return code;
}

int cli_volts_check(const cuonn_fabricated *chip, const cuonn_network_shape *network, const char *path) {
  const cuonn_status status = chip->shape ? cuonn_fabricated_fits(chip, network) : CUONN_OK;
  return status == CUONN_OK ? CLI_DONE : cli_fail_file(status, path);
}

cuonn_network cli_network_of(const cuonn_mesh *mesh) {
  cuonn_network alone = {.shape = CUONN_NETWORK_SHAPE_INIT, .layers = (cuonn_mesh *)mesh};
  alone.shape.n_modes = mesh->n_modes;
  alone.shape.n_layers = 1;
  if (mesh->n_modes < alone.shape.n_classes) alone.shape.n_classes = mesh->n_modes;
  alone.shape.style = mesh->style;
  alone.shape.mesh = mesh->shape;
  return alone;
}

int cli_chip_drive(cuonn_mesh *out, const cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer,
                   const char *path) {
  int code = CLI_DONE;
  double *volts = NULL;
  *out = (cuonn_mesh){0};
  CLI_TRY_DONE(cuonn_mesh_create_shaped(out, mesh->shape, mesh->style));
  CLI_TRY_DONE(cuonn_mesh_copy(out, mesh));
  if (!chip->drive_slope) return CLI_DONE;
  volts = calloc(cuonn_fabricated_shifters(chip), sizeof *volts);
  if (!volts) return cli_fail(CLI_RESOURCES, "not enough memory");
  cuonn_status status = cuonn_fabricated_volts(volts, chip, layer, mesh);
  if (status == CUONN_OK) status = cuonn_fabricated_phases(out, chip, layer, volts);
  if (status != CUONN_OK) code = cli_fail_file(status, path);
done:
  free(volts);
  return code;
}

int cli_chip_apply(cuonn_network *network, const char *path) {
  int code = CLI_DONE;
  cuonn_fabricated chip = {0};
  if (!path) return CLI_DONE;
  CLI_TRY_DONE(cuonn_fabricated_read(&chip, path));
  cuonn_status status = cuonn_fabricated_fits(&chip, &network->shape);
  for (size_t l = 0; status == CUONN_OK && l < chip.n_layers; l++)
    status = cuonn_fabricated_apply(&network->layers[l], &chip, l);
  if (status != CUONN_OK) code = cli_fail_file(status, path);
done:
  cuonn_fabricated_free(&chip);
  return code;
}
