/* The fabricated chip that a configuration names, chip.file. */
#ifndef CUONN_CLI_CHIP_H
#define CUONN_CLI_CHIP_H

#include "cli/common.h"

/* The option --chip, the same as --set chip.file=CHIP.nc; its key is that of a command's parser. */
#define CLI_CHIP_OPTION(key) \
  { "chip", key, "CHIP.nc", 0, "Chip file, the same as --set chip.file=CHIP.nc (cuonn chip --help)", 0 }

/* The option --units, for what phases are written as. */
#define CLI_UNITS_OPTION                                                                               \
  {                                                                                                    \
    "units", 'u', "radians|volts", 0,                                                                  \
        "What phases are written as: radians (the default), or voltages by the chip's drive curves", 0 \
  }

/* Whether --units says volts; NULL: not given. */
int cli_units_volts(bool *volts, const char *units);

/* Reads the chip file that --units volts needs, for meshes like the network's. Release with cuonn_fabricated_free(),
 * also on failure. path: NULL: not given. */
int cli_chip_open_for_volts(cuonn_fabricated *out, const char *path, const cuonn_network_shape *network);

/* Puts the phases that the voltages of a chip give in place of a mesh's: those of the nearest level of its driver.
 * path: of the phases, for messages. */
int cli_chip_drive(cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer, const char *path);

/* Makes of a mesh what the chip of a file of one mesh is with its phases; path: NULL: none. */
int cli_chip_apply(cuonn_mesh *mesh, const char *path);

/* Reads the chip, if there is one, and gives it to the configuration, which it outlives. Release with
 * cuonn_fabricated_free(), also on failure. */
int cli_chip_open(cuonn_fabricated *out, cuonn_config *config);

/* Refuses a chip of other meshes than the configuration's network has, whose shape is known, and keys that contradict
 * it. */
int cli_chip_check(const cuonn_config *config);

/* Puts what identifies the chip behind what identifies the data. */
int cli_chip_identify(char **identity, const cuonn_config *config);

#endif
