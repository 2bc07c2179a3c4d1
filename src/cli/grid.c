#include "cli/grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kNumberText = 64 };

/* Finds the key of the text before '='. */
static int find_key(cli_axis *out, const char *text, const char *section) {
  int code = CLI_DONE;
  cuonn_config_key key;
  cuonn_config scratch;
  const size_t length = strcspn(text, "="), section_length = strlen(section);
  cuonn_config_init(&scratch);
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) {
    if (strlen(key.path) != length || strncmp(key.path, text, length) != 0) continue;
    if (strncmp(text, section, section_length) != 0 || text[section_length] != '.')
      return cli_fail(CLI_USAGE, "--grid: %s is not in the section %s", key.path, section);
    if (strcmp(key.type, "integer") != 0 && strcmp(key.type, "number") != 0)
      return cli_fail(CLI_USAGE, "--grid: %s is no number; set it with --set, once a file", key.path);
    if (text[length] == '=') {
      *out = (cli_axis){.path = key.path, .unit = key.unit, .sentence = key.sentence};
      return CLI_DONE;
    }
  }
  CLI_TRY_DONE(cuonn_config_set(&scratch, text)); /* says what is unknown, or that there is no '=' */
done:
  return code;
}

/* Takes one value, if the key does and it is above the last. */
static int append(cli_axis *axis, size_t *room, const char *text) {
  int code = CLI_DONE;
  cuonn_config scratch;
  cuonn_config_init(&scratch);
  CLI_PASS_DONE(cli_config_set(&scratch, axis->path, text));
  const double value = strtod(text, NULL);
  if (axis->count > 0 && !(value > axis->values[axis->count - 1])) {
    code = cli_fail(CLI_USAGE, "--grid: %s: %s stands behind %g; values must rise", axis->path, text,
                    axis->values[axis->count - 1]);
    goto done;
  }
  if (axis->count == *room) {
    double *const more = realloc(axis->values, 2 * *room * sizeof *more);
    if (!more) return cli_fail(CLI_RESOURCES, "not enough memory for %zu values of %s", 2 * *room, axis->path);
    axis->values = more;
    *room *= 2;
  }
  axis->values[axis->count++] = value;
done:
  return code;
}

static int fail_range(const cli_axis *axis, const char *text) {
  return cli_fail(CLI_USAGE,
                  "--grid: %s: '%s' is no range FROM:TO:STEP with a STEP above 0 and a TO that is not below FROM",
                  axis->path, text);
}

static int append_range(cli_axis *axis, size_t *room, const char *text) {
  int code = CLI_DONE;
  double number[3]; /* from, to, step */
  const char *at = text;
  for (int i = 0; i < 3; i++) {
    char *end;
    number[i] = strtod(at, &end);
    if (end == at || *end != (i < 2 ? ':' : '\0') || !isfinite(number[i])) return fail_range(axis, text);
    at = end + 1;
  }
  if (!(number[2] > 0) || !(number[1] >= number[0])) return fail_range(axis, text);
  const double steps = floor((number[1] - number[0]) / number[2] + 1e-9); /* so that 0:1:0.1 has its 1 */
  if (steps >= CLI_GRID_POINTS)
    return cli_fail(CLI_USAGE, "--grid: %s: '%s' has more than %d points", axis->path, text, CLI_GRID_POINTS);
  for (size_t i = 0; i <= (size_t)steps; i++) {
    char value[kNumberText];
    snprintf(value, sizeof value, "%.12g", number[0] + (double)i * number[2]); /* 0.3, not 0.30000000000000004 */
    CLI_PASS_DONE(append(axis, room, value));
  }
done:
  return code;
}

static int append_list(cli_axis *axis, size_t *room, const char *text) {
  int code = CLI_DONE;
  for (const char *at = text;; at++) {
    const size_t length = strcspn(at, ",");
    char value[kNumberText];
    if (length == 0)
      return cli_fail(CLI_USAGE, "--grid: %s: '%s' has no value %s", axis->path, text,
                      *text ? "between two commas" : "at all");
    snprintf(value, sizeof value, "%.*s", (int)(length < sizeof value ? length : sizeof value - 1), at);
    CLI_PASS_DONE(append(axis, room, value));
    at += length;
    if (!*at) break;
  }
done:
  return code;
}

int cli_axis_parse(cli_axis *out, const char *text, const char *section) {
  int code = CLI_DONE;
  size_t room = 16;
  *out = (cli_axis){0};
  CLI_PASS_DONE(find_key(out, text, section));
  out->values = malloc(room * sizeof *out->values);
  if (!out->values) return cli_fail(CLI_RESOURCES, "not enough memory");
  const char *const values = strchr(text, '=') + 1;
  code = strchr(values, ':') ? append_range(out, &room, values) : append_list(out, &room, values);
done:
  return code;
}

void cli_axis_free(cli_axis *axis) { free(axis->values); }

int cli_axis_set(cuonn_config *config, const cli_axis *axis, size_t i) {
  char value[kNumberText];
  snprintf(value, sizeof value, "%.17g", axis->values[i]);
  return cli_config_set(config, axis->path, value);
}
