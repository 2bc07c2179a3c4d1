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

/* The option --chip of commands that need a chip for --units volts alone. */
#define CLI_VOLTS_CHIP_OPTION                                                                                  \
  {                                                                                                            \
    "chip", 'c', "CHIP.nc", 0,                                                                                 \
        "With --units volts: chip file with the drive curves of the shifters and the range of their driver", 0 \
  }

/* Whether --units says volts, which a chip with drive curves alone has; NULL: not given. */
int cli_units_volts(bool *volts, const char *units);
int cli_chip_check_curves(const cuonn_fabricated *chip, const char *path);

/* Reads the chip file that --units volts needs, and nothing else does; zeroed without. Release with
 * cuonn_fabricated_free(), also on failure. path: NULL: not given. */
int cli_volts_open(cuonn_fabricated *out, const char *units, const char *path);

/* Refuses a chip of other meshes than the network's; chip: as cli_volts_open() left it. */
int cli_volts_check(const cuonn_fabricated *chip, const cuonn_network_shape *network, const char *path);

/* A network of one mesh that is not its own. */
cuonn_network cli_network_of(const cuonn_mesh *mesh);

/* A mesh with the phases that the voltages of a chip give, those of the nearest levels of its driver; without curves,
 * as it is. Release *out with cuonn_mesh_free(), also on failure. path: of the phases, for messages. */
int cli_chip_drive(cuonn_mesh *out, const cuonn_mesh *mesh, const cuonn_fabricated *chip, size_t layer,
                   const char *path);

/* Makes of the meshes of a network what the chip of a file is with their phases; path: NULL: none. */
int cli_chip_apply(cuonn_network *network, const char *path);

/* Reads the chip, if there is one, and gives it to the configuration, which it outlives. Release with
 * cuonn_fabricated_free(), also on failure. */
int cli_chip_open(cuonn_fabricated *out, cuonn_config *config);

/* Refuses a chip of other meshes than the configuration's network has, whose shape is known, and keys that contradict
 * it. */
int cli_chip_check(const cuonn_config *config);

/* Puts what identifies the chip behind what identifies the data. */
int cli_chip_identify(char **identity, const cuonn_config *config);

#endif
