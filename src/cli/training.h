/* What `cuonn train` and `cuonn sweep` share: arguments, what is resumed, data, and the report at the end. */
#ifndef CUONN_CLI_TRAINING_H
#define CUONN_CLI_TRAINING_H

#include "cli/context.h"
#include "cli/progress.h"

/* One call of such a command, zero at first; released with cli_training_free(). */
typedef struct {
  const char *config, *data_folder, *output, *resume, *chip_file; /* arguments, NULL: not given */
  const char **settings; /* [n_settings] "key=value", room for as many as there are words */
  size_t n_settings;
  cli_options common;
  char *directory;         /* that is resumed; then `resume` is the same */
  char *source;            /* the file in it that says what was started */
  const char *data_source; /* the same, unless the user names other data */
  cuonn_context *context;  /* on the first of these */
  cli_devices devices;
  cuonn_dataset data;
  cuonn_mesh_shape *mesh;
  cuonn_fabricated chip; /* of the configuration, if it names one */
  char *identity;        /* of the data */
  struct timespec began;
  cli_bar bar;
} cli_training;

/* A parser for argp, whose input is a cli_training. Which arguments go together, the command says. */
error_t cli_training_parse(int key, char *value, struct argp_state *state);

/* Parses the command line, and begins to listen to signals. */
int cli_training_begin(cli_training *out, const struct argp *argp, int argc, char **argv);

/* Finds the directory that --resume means, and what the file NAME in it is called. */
int cli_training_find(cli_training *training, const char *name);

/* Makes the shape of the meshes, for as long as the call lasts, and gives it to the configuration. */
int cli_training_shape(cli_training *training, cuonn_config *config);

/* Reads the chip and the data that a configuration names, and opens its context. */
int cli_training_load(cli_training *training, cuonn_config *config, cli_place place);

/* Refuses what training and sweeps refuse of a configuration, and data that make no batch. */
int cli_training_check(const cli_training *training, const cuonn_config *config);

/* Writes the report of a run or a sweep that is done, the last that is made of the data. Nothing is lost if it cannot
 * be written, so that is told and no failure. */
void cli_training_report(cli_training *training, const char *directory, bool sweep);

void cli_training_free(cli_training *training);

#endif
