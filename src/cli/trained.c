#include "cli/trained.h"

#include <stdlib.h>

#include "cli/chip.h"
#include "cli/context.h"
#include "cli/data.h"

/* Configuration of a checkpoint: its own, or the defaults with the shape that the file has. */
static int read_config(cuonn_config *config, const cuonn_network_shape *shape, const cli_trained_source *source) {
  int code = CLI_DONE;
  cuonn_config_init(config);
  CLI_PASS_DONE(cli_config_of_checkpoint(config, source->checkpoint));
  cli_config_follow(config, shape);

  cuonn_config wanted = *config;
  if (source->config) CLI_TRY_DONE(cuonn_config_read(&wanted, source->config));
  for (size_t i = 0; i < source->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(&wanted, source->settings[i]));
  CLI_PASS_DONE(cli_config_set(&wanted, "chip.file", source->chip));
  CLI_PASS_DONE(cli_data_configure(&wanted, source->data, &source->common));

  config->network = wanted.network;
  wanted.network = *shape;
  config->data = wanted.data;
  config->features = wanted.features; /* now the two differ in the network alone */
  config->training = wanted.training;
  config->start = wanted.start;
  const char *key = cuonn_config_difference(config, &wanted);
  if (key) {
    code = cli_fail(CLI_USAGE, "%s: %s may not differ from what the file holds", source->checkpoint, key);
    goto done;
  }
  *config = wanted;
  const size_t n_features = cuonn_features_modes(&config->features);
  if (config->data.kind == CUONN_DATA_IMAGES && n_features != shape->n_modes)
    code =
        cli_fail(CLI_BAD_FILE,
                 "%s: has %zu waveguides, but the features have N = %zu: set data.features, data.radius or data.side "
                 "to what it was trained on",
                 source->checkpoint, shape->n_modes, n_features);
done:
  return code;
}

int cli_trained_open(cli_trained *out, const cli_trained_source *source) {
  int code = CLI_DONE;
  *out = (cli_trained){0};
  CLI_TRY_DONE(cuonn_network_read(&out->network, source->checkpoint));
  CLI_PASS_DONE(read_config(&out->config, &out->network.shape, source));
  CLI_PASS_DONE(cli_chip_open(&out->chip, &out->config));
  CLI_PASS_DONE(cli_chip_check(&out->config));
  CLI_PASS_DONE(cli_context_open(&out->context, &out->config));
  CLI_TRY_DONE(cli_make_chip(&out->network, &out->config, out->config.training.chip.seed));
  if (source->loaded) {
    out->data = *source->loaded;
    *source->loaded = (cuonn_dataset){0};
  } else {
    CLI_PASS_DONE(cli_data_load(&out->data, &out->config, source->data ? NULL : source->checkpoint, true));
  }
done:
  return code;
}

void cli_trained_free(cli_trained *trained) {
  cuonn_dataset_free(&trained->data);
  cuonn_context_free(trained->context);
  cuonn_network_free(&trained->network);
  cuonn_fabricated_free(&trained->chip);
}

int cli_trained_features(cuonn_fields *out, const cli_trained *trained, const cuonn_examples *examples) {
  const cuonn_status status = cuonn_features(out, trained->context, examples, &trained->config.features);
  return status == CUONN_OK ? CLI_DONE : cli_fail_file(status, cli_data_name(&trained->config));
}

int cli_trained_evaluate(cuonn_evaluation *out, const cli_trained *trained) {
  int code = CLI_DONE;
  cuonn_fields fields = {0};
  const size_t n_classes = trained->network.shape.n_classes;
  out->confusion = calloc(n_classes * n_classes, sizeof *out->confusion);
  if (!out->confusion)
    return cli_fail(CLI_RESOURCES, "not enough memory for a confusion matrix of %zu classes", n_classes);
  CLI_PASS_DONE(cli_trained_features(&fields, trained, &trained->data.test));
  CLI_TRY_DONE(cuonn_evaluate_on_chip(out, trained->context, &trained->network, &trained->config.training.chip, &fields,
                                      trained->data.test.labels));
done:
  cuonn_fields_free(&fields);
  return code;
}
