#include "cli/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- devices */

static bool names(const cli_devices *devices, int number) {
  for (size_t i = 0; i < devices->count; i++)
    if (devices->numbers[i] == number) return true;
  return false;
}

/* "0,1": numbers of devices that are there. */
static int read_numbers(cli_devices *out, const char *text, int n_there) {
  for (const char *at = text; at;) {
    const size_t length = strcspn(at, ",");
    if (length < 1 || length > 6 || strspn(at, "0123456789") < length)
      return cli_fail(CLI_USAGE, "backend.devices is '%s', which is neither all nor numbers such as 0,1", text);
    const int number = (int)strtol(at, NULL, 10);
    if (names(out, number)) return cli_fail(CLI_USAGE, "backend.devices names device %d twice", number);
    if (number >= n_there)
      return cli_fail(CLI_RESOURCES, "backend.devices names device %d, but %d can be seen, numbered from 0", number,
                      n_there);
    if (out->count == CLI_DEVICES_MAX)
      return cli_fail(CLI_USAGE, "backend.devices names more than %d devices", CLI_DEVICES_MAX);
    out->numbers[out->count++] = number;
    at = at[length] == ',' ? at + length + 1 : NULL;
  }
  return CLI_DONE;
}

/* Of all devices those of one process: every so-manieth, or one that it shares where they are fewer. */
static void take_own(cli_devices *out, const cli_devices *all, cli_place place) {
  *out = (cli_devices){0};
  for (size_t i = place.number % all->count; i < all->count; i += place.of)
    out->numbers[out->count++] = all->numbers[i];
}

/* Before any device is used: those of cuda, where it may compute. Whether there is one that can, its context tells. */
static int find_devices(cli_devices *out, const cuonn_config *config, cli_place place) {
  const bool may_have = strcmp(config->backend, "cuda") == 0 || strcmp(config->backend, "auto") == 0;
  const int n_seen = may_have ? cuonn_backend_devices("cuda") : 0;
  const size_t n_there = n_seen < CLI_DEVICES_MAX ? (size_t)n_seen : CLI_DEVICES_MAX;
  cli_devices all = {0};
  *out = (cli_devices){.count = 1};
  if (n_there < 1) return CLI_DONE;
  if (!*config->devices) {
    out->numbers[0] = (int)(place.number % n_there);
    return CLI_DONE;
  }
  if (strcmp(config->devices, "all") != 0) {
    const int code = read_numbers(&all, config->devices, n_seen);
    if (code != CLI_DONE) return code;
  } else {
    while (all.count < n_there) all.numbers[all.count] = (int)all.count, all.count++;
  }
  if (all.count > 0) take_own(out, &all, place); /* a text names one at least */
  return CLI_DONE;
}

int cli_context_check_one(const cli_devices *devices, const cuonn_config *config) {
  if (devices->count == 1) return CLI_DONE;
  return cli_fail(CLI_USAGE,
                  "backend.devices is '%s', which gives this process %zu devices, and only cuonn sweep computes on "
                  "several; name one, or for one training one for each process of mpirun",
                  config->devices, devices->count);
}

/* --------------------------------------------------------------------------------------------------------- contexts */

/* Where there are devices, those that are named are of cuda: auto would pass over one that cannot be used. */
static const char *backend_of(const cuonn_config *config) {
  const bool are_named = *config->devices && cuonn_backend_devices("cuda") > 0;
  return are_named && strcmp(config->backend, "auto") == 0 ? "cuda" : config->backend;
}

static int check_backend(const cuonn_config *config, const cuonn_context *context) {
  const char *const backend = cuonn_context_backend(context);
  if (!*config->devices || strcmp(backend, "cuda") == 0) return CLI_DONE;
  return cli_fail(CLI_USAGE,
                  "backend.devices is '%s', but backend %s computes, which has no devices to choose; leave it out, or "
                  "set backend.name to cuda",
                  config->devices, backend);
}

int cli_context_open_on(cuonn_context **out, const cuonn_config *config, int device) {
  int code = CLI_DONE;
  char name[64];
  snprintf(name, sizeof name, "%s:%d", backend_of(config), device);
  CLI_TRY_DONE(cuonn_context_create(out, name, config->threads));
  cuonn_context_fit(*out, &config->network);
  cuonn_context_fit_gradient(*out, config->training.gradient);
  CLI_PASS_DONE(check_backend(config, *out));
  CLI_TRY_DONE(cuonn_context_set_method(*out, config->method));
done:
  return code;
}

int cli_context_open_first(cuonn_context **out, cli_devices *devices, const cuonn_config *config, cli_place place) {
  int code = CLI_DONE;
  CLI_PASS_DONE(find_devices(devices, config, place));
  CLI_PASS_DONE(cli_context_open_on(out, config, devices->numbers[0]));
  cli_tell_backend(*out);
done:
  return code;
}

int cli_context_open(cuonn_context **out, const cuonn_config *config) {
  int code = CLI_DONE;
  cli_devices devices;
  CLI_PASS_DONE(cli_context_open_first(out, &devices, config, (cli_place){0, 1}));
  code = cli_context_check_one(&devices, config);
done:
  return code;
}

int cli_context_create(cuonn_context **out, const cli_options *options, size_t n_modes, const cuonn_mesh_shape *shape) {
  int code = CLI_DONE;
  cuonn_config config;
  cuonn_config_init(&config);
  CLI_PASS_DONE(cli_config_set(&config, "backend.name", options->backend ? options->backend : "reference"));
  CLI_PASS_DONE(cli_config_set(&config, "backend.threads", options->threads));
  CLI_PASS_DONE(cli_config_set(&config, "backend.devices", options->devices));
  config.network.n_modes = n_modes;
  config.network.mesh = shape;
  code = cli_context_open(out, &config);
done:
  return code;
}
