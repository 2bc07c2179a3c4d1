#include "cli/training.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chip.h"
#include "cli/data.h"
#include "cli/find.h"
#include "cli/gnuplot.h"
#include "cli/report/run.h"
#include "cli/report/sweep.h"

static void on_signal(int number) {
  (void)number;
  cuonn_request_stop();
}

/* Ctrl-C, SIGTERM, and a terminal that goes away (SIGHUP): the first asks for an end; the second finds the default
 * action, which is death. Ignored signals stay ignored: a shell script's background jobs live through the script's
 * Ctrl-C, and what nohup starts through the end of its terminal. */
static void catch_signals(void) {
  const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    /* no SA_RESTART: a call that waits for another program returns, and the request is seen */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;
    sigaction(numbers[i], NULL, &old);
    if (old.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
  }
}

error_t cli_training_parse(int key, char *value, struct argp_state *state) {
  cli_training *const a = state->input;
  switch (key) {
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'd': a->data_folder = value; return 0;
    case 'o': a->output = value; return 0;
    case 'r': a->resume = value; return 0;
    case 'C': a->chip_file = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->config, value);
    case ARGP_KEY_END: return a->resume ? 0 : CLI_REQUIRE(a->config, "the configuration file (or --resume DIR)");
    default: return ARGP_ERR_UNKNOWN;
  }
}

int cli_training_begin(cli_training *out, const struct argp *argp, int argc, char **argv) {
  int code = CLI_DONE;
  out->settings = calloc((size_t)argc, sizeof *out->settings);
  if (!out->settings) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_PASS_DONE(cli_parse(out, &out->common, argp, argc, argv));
  catch_signals();
done:
  return code;
}

int cli_training_find(cli_training *training, const char *name) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_find(&training->directory, training->resume, CLI_FIND_DIRECTORY));
  training->resume = training->directory;
  if (asprintf(&training->source, "%s/%s", training->directory, name) < 0) {
    training->source = NULL;
    code = cli_fail(CLI_RESOURCES, "not enough memory");
  }
done:
  return code;
}

int cli_training_shape(cli_training *training, cuonn_config *config) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_config_mesh_shape(&training->mesh, config));
  config->network.mesh = training->mesh;
done:
  return code;
}

int cli_training_load(cli_training *training, cuonn_config *config, cli_place place) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_chip_open(&training->chip, config));
  CLI_PASS_DONE(cli_context_open_first(&training->context, &training->devices, config, place));
  CLI_PASS_DONE(cli_data_load(&training->data, config, training->data_source, true));
  training->identity = cuonn_dataset_identity(&training->data);
  code = training->identity ? cli_chip_identify(&training->identity, config)
                            : cli_fail(CLI_RESOURCES, "not enough memory");
done:
  return code;
}

int cli_training_check(const cli_training *training, const cuonn_config *config) {
  int code = CLI_DONE;
  const size_t n_examples = training->data.train.n_examples;
  CLI_PASS_DONE(cli_chip_check(config));
  CLI_TRY_DONE(cuonn_training_check(training->context, &config->network, &config->training));
  if (cuonn_steps_per_epoch(&config->training, n_examples) > 0) return CLI_DONE;
  code = cli_fail(CLI_USAGE,
                  "training.batch_size is %zu, but %s has only %zu training examples: take a smaller one, or "
                  "training.drop_last=false",
                  config->training.batch_size, cli_data_name(config), n_examples);
done:
  return code;
}

/* With the device that this process has of all that its configuration names. */
static int report_run(char **written, cli_training *training, const char *directory) {
  cli_options common = training->common;
  char device[16] = "";
  if (strcmp(cuonn_context_backend(training->context), "cuda") == 0)
    snprintf(device, sizeof device, "%d", cuonn_context_device(training->context));
  common.devices = device;
  return cli_report_run(written, directory, NULL, training->chip_file, &training->data, &common);
}

void cli_training_report(cli_training *training, const char *directory, bool sweep) {
  char *written;
  const int code = sweep ? cli_report_sweep(&written, directory) : report_run(&written, training, directory);
  if (code != CLI_DONE) return;
  if (!written)
    cli_fail(CLI_DONE, "%s, so there is no report; later: cuonn report %s", CLI_GNUPLOT_ADVICE, directory);
  else if (!training->common.json)
    printf("report in %s\n", written);
  free(written);
}

void cli_training_free(cli_training *training) {
  free(training->identity);
  free(training->source);
  free(training->directory);
  cuonn_mesh_shape_free(training->mesh);
  cuonn_dataset_free(&training->data);
  cuonn_context_free(training->context);
  cuonn_fabricated_free(&training->chip);
  free(training->settings);
}
