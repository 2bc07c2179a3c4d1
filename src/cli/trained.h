/* A trained network with the configuration, examples and backend that go with it. */
#ifndef CUONN_CLI_TRAINED_H
#define CUONN_CLI_TRAINED_H

#include "cli/common.h"

/* Where it comes from; what is NULL or 0 is not given. */
typedef struct {
  const char *checkpoint, *config, *data, *chip;
  const char **settings; /* [n_settings] "key=value" */
  size_t n_settings;
  cuonn_dataset *loaded; /* its examples, if the caller has them already: they are taken over */
  cli_options common;
} cli_trained_source;

typedef struct {
  cuonn_config config;
  cuonn_network network;
  cuonn_context *context;
  cuonn_dataset data;
  cuonn_fabricated chip; /* of the configuration, if it names one */
} cli_trained;

/* Reads the network, then its own configuration, the file `config` and the settings, which may not contradict it, and
 * the examples. Release with cli_trained_free(), also on failure. */
int cli_trained_open(cli_trained *out, const cli_trained_source *source);
void cli_trained_free(cli_trained *trained);

/* What enters the chip of examples of its data. Release with cuonn_fields_free(). */
int cli_trained_features(cuonn_fields *out, const cli_trained *trained, const cuonn_examples *examples);

/* Evaluates it on the test set, on the chip of its configuration. Release the confusion matrix, [label][prediction],
 * with free(). */
int cli_trained_evaluate(cuonn_evaluation *out, const cli_trained *trained);

#endif
