#include "cli/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"

const char *cli_data_kind(const cuonn_config *config) {
  return config->data.kind == CUONN_DATA_FIELDS ? "fields" : "images";
}

const char *cli_data_name(const cuonn_config *config) {
  if (config->data.kind == CUONN_DATA_IMAGES) return config->data.path;
  return config->data.train[0] ? config->data.train : config->data.test;
}

/* folder/name in place of path. */
static int move(char path[CUONN_CONFIG_TEXT], const char *folder) {
  char moved[CUONN_CONFIG_TEXT];
  if (!path[0]) return CLI_DONE;
  const char *const slash = strrchr(path, '/'), *const name = slash ? slash + 1 : path;
  if (snprintf(moved, sizeof moved, "%s/%s", folder, name) >= CUONN_CONFIG_TEXT)
    return cli_fail(CLI_USAGE, "--data: %s/%s is a name of more than %d bytes", folder, name, CUONN_CONFIG_TEXT - 1);
  memcpy(path, moved, sizeof moved);
  return CLI_DONE;
}

static int move_data(cuonn_config *config, const char *folder) {
  int code = CLI_DONE;
  if (!folder) return CLI_DONE;
  if (config->data.kind == CUONN_DATA_IMAGES) return cli_config_set(config, "data.path", folder);
  CLI_PASS_DONE(move(config->data.train, folder));
  CLI_PASS_DONE(move(config->data.test, folder));
done:
  return code;
}

int cli_data_configure(cuonn_config *config, const char *folder, const cli_options *options) {
  int code = CLI_DONE;
  CLI_PASS_DONE(move_data(config, folder));
  CLI_PASS_DONE(cli_config_set(config, "backend.name", options->backend));
  CLI_PASS_DONE(cli_config_set(config, "backend.threads", options->threads));
  CLI_PASS_DONE(cli_config_set(config, "backend.devices", options->devices));
done:
  return code;
}

static int load_images(cuonn_dataset *out, const cuonn_config *config) {
  int code = CLI_DONE;
  const char *names[CUONN_DATASET_FILES];
  for (size_t i = 0; i < CUONN_DATASET_FILES; i++) names[i] = config->data.names[i];
  CLI_TRY_DONE(cuonn_dataset_load(out, config->data.path, names));
done:
  return code;
}

/* Fields of one file, with the waveguides of the network. */
static int read_fields(cuonn_examples *out, const char *path, const cuonn_config *config) {
  int code = CLI_DONE;
  CLI_TRY_DONE(cuonn_examples_read(out, path));
  CLI_TRY_DONE(cuonn_examples_fit(out, config->network.n_modes, config->features.reference, config->data.pad));
done:
  return code;
}

static int load_fields(cuonn_dataset *out, const cuonn_config *config) {
  int code = CLI_DONE;
  const cuonn_data_options *const data = &config->data;
  cuonn_examples all = {0};
  if (!data->test[0] && (!data->train[0] || data->test_share == 0))
    return cli_fail(CLI_USAGE,
                    "data.kind is fields, but nothing says what to test with: name a file in data.test, or one in "
                    "data.train and a share of it in data.test_share");
  if (!data->test[0]) {
    CLI_PASS_DONE(read_fields(&all, data->train, config));
    CLI_TRY_DONE(cuonn_dataset_split(out, &all, data->test_share, data->seed));
  } else {
    if (data->train[0]) CLI_PASS_DONE(read_fields(&out->train, data->train, config));
    CLI_PASS_DONE(read_fields(&out->test, data->test, config));
  }
done:
  cuonn_examples_free(&all);
  return code;
}

/* Data that a file's configuration names and that are not there: they may be where the run was started. */
static int check_there(const char *key, const char *path, const char *source, bool option) {
  if (!path[0] || access(path, F_OK) == 0) return CLI_DONE;
  const bool folder = strcmp(key, "data.path") == 0;
  const char *const kind = folder ? "folder" : "file";
  char advice[64] = "--data DIR";
  if (!option) snprintf(advice, sizeof advice, "--set %s=%s", key, folder ? "DIR" : "FILE");
  if (path[0] == '/')
    return cli_fail(CLI_BAD_FILE, "%s: there is no such %s, which %s in %s names; give it with %s", path, kind, key,
                    source, advice);
  return cli_fail(CLI_BAD_FILE,
                  "%s: there is no such %s here; %s in %s is relative to where the run was started: give the %s with "
                  "%s",
                  path, kind, key, source, option ? "folder" : kind, advice);
}

static int check_all_there(const cuonn_config *config, const char *source, bool option) {
  int code = CLI_DONE;
  const cuonn_data_options *const data = &config->data;
  if (data->kind == CUONN_DATA_IMAGES) return check_there("data.path", data->path, source, option);
  CLI_PASS_DONE(check_there("data.train", data->train, source, option));
  CLI_PASS_DONE(check_there("data.test", data->test, source, option));
done:
  return code;
}

int cli_data_read(cuonn_dataset *out, const cuonn_config *config, const char *source, bool option) {
  int code = CLI_DONE;
  *out = (cuonn_dataset){0};
  if (source) CLI_PASS_DONE(check_all_there(config, source, option));
  code = config->data.kind == CUONN_DATA_FIELDS ? load_fields(out, config) : load_images(out, config);
done:
  return code;
}

int cli_data_load(cuonn_dataset *out, const cuonn_config *config, const char *source, bool option) {
  int code = CLI_DONE;
  CLI_PASS_DONE(cli_data_read(out, config, source, option));
  if (config->data.kind == CUONN_DATA_IMAGES) {
    const cuonn_status fits = cuonn_features_check(&config->features, out->train.height, out->train.width);
    if (fits != CUONN_OK) return cli_fail_file(fits, config->data.path);
  }
  CLI_TRY_DONE(cuonn_examples_check_labels(&out->train, config->network.n_classes));
  CLI_TRY_DONE(cuonn_examples_check_labels(&out->test, config->network.n_classes));
done:
  return code;
}

int cli_data_check_output(const char *output, const cuonn_config *config) {
  int code = CLI_DONE;
  char *path = NULL, *packed = NULL;
  if (config->data.kind == CUONN_DATA_FIELDS) return CLI_CHECK_OUTPUT(output, config->data.train, config->data.test);
  for (size_t i = 0; i < CUONN_DATASET_FILES; i++) {
    const char *const name = config->data.names[i], *const folder = name[0] == '/' ? "" : config->data.path;
    if (asprintf(&path, "%s/%s", folder, name) < 0 || asprintf(&packed, "%s.gz", path) < 0)
      return cli_fail(CLI_RESOURCES, "not enough memory");
    CLI_PASS_DONE(CLI_CHECK_OUTPUT(output, path, packed));
    free(packed);
    free(path);
    path = packed = NULL;
  }
done:
  free(packed);
  free(path);
  return code;
}
