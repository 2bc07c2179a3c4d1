/* The fabricated chip that a configuration names, chip.file. */
#ifndef CUONN_CLI_CHIP_H
#define CUONN_CLI_CHIP_H

#include "cli/common.h"

/* The option --chip, the same as --set chip.file=CHIP.nc; its key is that of a command's parser. */
#define CLI_CHIP_OPTION(key) \
  { "chip", key, "CHIP.nc", 0, "Chip file, the same as --set chip.file=CHIP.nc (cuonn chip --help)", 0 }

/* Reads the chip, if there is one, and gives it to the configuration, which it outlives. Release with
 * cuonn_fabricated_free(), also on failure. */
int cli_chip_open(cuonn_fabricated *out, cuonn_config *config);

/* Refuses a chip of other meshes than the configuration's network has, whose shape is known, and keys that contradict
 * it. */
int cli_chip_check(const cuonn_config *config);

/* Puts what identifies the chip behind what identifies the data. */
int cli_chip_identify(char **identity, const cuonn_config *config);

#endif
