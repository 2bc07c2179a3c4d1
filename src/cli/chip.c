#include "cli/chip.h"

#include <stdio.h>
#include <stdlib.h>

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
