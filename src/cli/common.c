#include "cli/common.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *command_name;
static bool keeps;
static char kept[4200]; /* a line that is not printed yet */

void cli_begin(const char *command) { command_name = command; }

int cli_fail(int code, const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?'; /* a file name may hold a line break */
  char line[sizeof kept];
  snprintf(line, sizeof line, "cuonn%s%s: %s\n", command_name ? " " : "", command_name ? command_name : "", text);
  if (keeps)
    memcpy(kept, line, sizeof kept);
  else
    fputs(line, stderr);
  return code;
}

void cli_keep(void) { keeps = true; }

void cli_keep_no_longer(bool print) {
  if (print) fputs(kept, stderr);
  keeps = false;
  kept[0] = 0;
}

static int exit_code(cuonn_status status) {
  switch (status) {
    case CUONN_OK: return CLI_DONE;
    case CUONN_E_ARGUMENT:
    case CUONN_E_CONFIG: return CLI_USAGE;
    case CUONN_E_DATA:
    case CUONN_E_SHAPE:
    case CUONN_E_NONFINITE:
    case CUONN_E_IO: return CLI_BAD_FILE;
    case CUONN_E_MEMORY:
    case CUONN_E_DEVICE:
    case CUONN_E_PROCESSES: return CLI_RESOURCES;
    case CUONN_E_INTERRUPTED: return CLI_INTERRUPTED;
    case CUONN_E_INTERNAL:
    case CUONN_E_DIVERGED: return CLI_OTHER;
  }
  return CLI_OTHER;
}

int cli_fail_library(cuonn_status status) { return cli_fail(exit_code(status), "%s", cuonn_last_error()); }

int cli_fail_file(cuonn_status status, const char *path) {
  return cli_fail(exit_code(status), "%s: %s", path, cuonn_last_error());
}

/* -------------------------------------------------------------------------------------------------------- options */

static cli_options *shared; /* of the command that is being parsed */

static error_t parse_backend(int key, char *value, struct argp_state *state) {
  (void)state;
  switch (key) {
    case 'b': shared->backend = value; return 0;
    case 't': shared->threads = value; return 0;
    case 'D': shared->devices = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_json(int key, char *value, struct argp_state *state) {
  (void)value;
  (void)state;
  if (key != 'j') return ARGP_ERR_UNKNOWN;
  shared->json = true;
  return 0;
}

/* Above the command's own parser: keeps argp from printing more than the error itself. */
static error_t parse_quietly(int key, char *value, struct argp_state *state) {
  (void)value;
  if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
  state->child_inputs[0] = state->input;
  state->err_stream = NULL; /* argp's second line ("Try ...") goes here; getopt's own line still goes to stderr */
  return 0;
}

static const struct argp_option backend_options[] = {
    {"backend", 'b', "auto|reference|cpu|cuda", 0,
     "What computes: reference (double, one thread), cpu (float, all cores), cuda (float, an NVIDIA GPU), auto (the "
     "fastest that is there)",
     0},
    {"threads", 't', "COUNT", 0, "Threads of the cpu backend, 0 = one a processor; no result depends on it", 0},
    {"devices", 'D', "all|NUMBERS", 0,
     "GPUs of the cuda backend, such as 1, or for cuonn sweep 0,1; cuonn info lists them", 0},
    {0}};
static const struct argp_option json_options[] = {{"json", 'j', NULL, 0, "Print JSON, one object a line", 0}, {0}};

const struct argp cli_backend_argp = {.options = backend_options, .parser = parse_backend};
const struct argp cli_json_argp = {.options = json_options, .parser = parse_json};

int cli_parse(void *arguments, cli_options *options, const struct argp *argp, int argc, char **argv) {
  const struct argp_child own[] = {{argp, 0, NULL, 0}, {0}};
  const struct argp whole = {.parser = parse_quietly, .children = own};
  shared = options;
  const error_t error = argp_parse(&whole, argc, argv, 0, NULL, arguments);
  if (error == ENOMEM) return cli_fail(CLI_RESOURCES, "not enough memory for the arguments"); /* argp says nothing */
  return error == 0 ? CLI_DONE : CLI_USAGE;
}

char *cli_help_with(int key, const char *text, void (*write)(FILE *stream)) {
  if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
  char *list = NULL;
  size_t size;
  FILE *stream = open_memstream(&list, &size);
  if (!stream) return (char *)text;
  write(stream);
  fprintf(stream, "%s", text);
  return fclose(stream) == 0 && list ? list : (char *)text;
}

error_t cli_take_argument(const char **to, const char *argument) {
  if (*to) {
    cli_fail(CLI_USAGE, "one argument is too many: '%s'", argument);
    return EINVAL;
  }
  *to = argument;
  return 0;
}

error_t cli_require(const char *const *words, size_t n_words) {
  for (size_t i = 0; i < n_words; i += 2) {
    if (words[i]) continue;
    cli_fail(CLI_USAGE, "%s is missing; see --help", words[i + 1]);
    return EINVAL;
  }
  return 0;
}

int cli_parse_count(uint64_t *out, const char *option, const char *text, uint64_t least, uint64_t most) {
  char *end;
  if (!text) return CLI_DONE;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno != 0 || value < least)
    return cli_fail(CLI_USAGE, "%s: found \"%s\", which is no whole number from %llu on", option, text,
                    (unsigned long long)least);
  if (value > most)
    return cli_fail(CLI_USAGE, "%s: found \"%s\"; it may be up to %llu", option, text, (unsigned long long)most);
  *out = value;
  return CLI_DONE;
}

int cli_parse_shot(double *out, const char *option, const char *text) {
  char *end;
  if (!text) return CLI_DONE;
  *out = strtod(text, &end);
  if (end == text || *end || !(*out >= 0 && *out <= 100))
    return cli_fail(CLI_USAGE, "%s: found \"%s\"; it must be a number from 0 to 100", option, text);
  return CLI_DONE;
}

int cli_config_set(cuonn_config *config, const char *key, const char *value) {
  int code = CLI_DONE;
  char *assignment = NULL;
  if (!value) return CLI_DONE;
  if (asprintf(&assignment, "%s=%s", key, value) < 0) return cli_fail(CLI_RESOURCES, "not enough memory");
  CLI_TRY_DONE(cuonn_config_set(config, assignment));
done:
  free(assignment);
  return code;
}

void cli_config_follow(cuonn_config *config, const cuonn_network_shape *shape) {
  const size_t columns = cuonn_mesh_shape_columns(shape->mesh) - 1; /* without that of gamma */
  config->network = *shape;
  config->architecture = cuonn_mesh_shape_architecture(shape->mesh);
  config->node = cuonn_mesh_shape_node(shape->mesh);
  const size_t own = cuonn_architecture_columns(config->architecture, shape->n_modes);
  if (config->architecture != CUONN_ARCHITECTURE_RECTANGULAR)
    config->columns = 0;
  else if (columns != (config->columns ? config->columns : own))
    config->columns = columns;
}

cuonn_status cli_make_chip(cuonn_network *network, const cuonn_config *config, uint64_t seed) {
  cuonn_chip_options chip = config->training.chip;
  chip.seed = seed;
  const cuonn_status status = cuonn_chip_draw_errors(network, &chip);
  if (status != CUONN_OK || !config->chip_errors_file[0]) return status;
  return cuonn_network_read_errors(network, config->chip_errors_file);
}

cuonn_status cli_start_network(cuonn_network *network, const cuonn_config *config) {
  const cuonn_status status = config->start == CUONN_START_FILE
                                  ? cuonn_network_read_start(network, config->start_file)
                                  : cuonn_network_initialize(network, config->start, config->training.seed);
  return status == CUONN_OK ? cli_make_chip(network, config, config->training.chip.seed) : status;
}

int cli_config_of_checkpoint(cuonn_config *config, const char *path) {
  int code = CLI_DONE;
  cuonn_training_state state = {0};
  cuonn_origin origin = {0};
  size_t epoch;
  const cuonn_status own = cuonn_checkpoint_read(&state, &epoch, &origin, path);
  if (own == CUONN_OK)
    CLI_TRY_DONE(cuonn_config_read_text(config, origin.config_text, strlen(origin.config_text), path));
  else if (own != CUONN_E_DATA) /* the caller has read the network in it: what it lacks is a checkpoint's other half */
    CLI_TRY_DONE(own);
  /* How a network was trained is no matter of what computes with it, on another backend perhaps. */
  CLI_PASS_DONE(cli_config_set(config, "backend.method", "auto"));
  CLI_PASS_DONE(cli_config_set(config, "backend.devices", ""));
  config->chip_errors_file[0] = 0; /* these errors are in the checkpoint, and the file may be gone */
done:
  cuonn_origin_free(&origin);
  cuonn_training_state_free(&state);
  return code;
}

void cli_tell_backend(const cuonn_context *context) {
  static bool told;
  const char *const note = cuonn_context_note(context);
  if (!*note || told || keeps) return;
  fprintf(stderr, "cuonn: %s; computing with backend %s\n", note, cuonn_context_backend(context));
  told = true;
}

/* ---------------------------------------------------------------------------------------------------------- output */

static int output_lost; /* errno of the first failure */

int cli_matrix_of(double **out, cuonn_context *context, const cuonn_mesh *mesh, const char *path) {
  const size_t n = mesh->n_modes;
  *out = calloc(2 * n * n, sizeof **out);
  if (!*out) return cli_fail(CLI_RESOURCES, "not enough memory for a matrix of %zu x %zu", n, n);
  const cuonn_status status = cuonn_matrix(*out, context, mesh);
  return status == CUONN_OK ? CLI_DONE : cli_fail_file(status, path);
}

double cli_largest_difference(const double *a, const double *b, size_t n_modes) {
  double largest = 0;
  for (size_t i = 0; i < 2 * n_modes * n_modes; i += 2)
    largest = fmax(largest, hypot(a[i] - b[i], a[i + 1] - b[i + 1]));
  return largest;
}

int cli_matrix_error(double *error, cuonn_context *context, const cuonn_mesh *mesh, const double *matrix,
                     const char *path) {
  double *own = NULL;
  const int code = cli_matrix_of(&own, context, mesh, path);
  *error = code == CLI_DONE ? cli_largest_difference(own, matrix, mesh->n_modes) : 0;
  free(own);
  return code;
}

void cli_flush(void) {
  if (fflush(stdout) != 0 && output_lost == 0) output_lost = errno;
}

bool cli_output_whole(int *reason) {
  cli_flush();
  if (ferror(stdout) && output_lost == 0) { /* it was lost within a print: another byte is lost for the same reason */
    putchar('\n');
    cli_flush();
  }
  *reason = output_lost;
  return output_lost == 0 && !ferror(stdout);
}

int cli_print_json(json_t *value) {
  if (!value) return cli_fail(CLI_RESOURCES, "not enough memory for the JSON output");
  json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
  putchar('\n');
  cli_flush();
  json_decref(value);
  return CLI_DONE;
}

json_t *cli_json_text(const char *text) {
  if (!text) return json_null();
  json_t *value = json_string(text);
  if (value) return value;
  char *plain = strdup(text);
  for (char *c = plain; c && *c; c++)
    if ((unsigned char)*c >= 0x80) *c = '?';
  value = plain ? json_string(plain) : NULL;
  free(plain);
  return value;
}

json_t *cli_json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }
