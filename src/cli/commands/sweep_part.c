#include "cli/commands/sweep_part.h"

#include <stdlib.h>
#include <string.h>

/* A whole number without a sign, up to `end`. */
static bool read_number(size_t *out, const char *text, size_t length) {
  if (length < 1 || length > 9 || strspn(text, "0123456789") < length) return false;
  *out = strtoul(text, NULL, 10);
  return true;
}

static int read_part(cli_sweep_part *out, const char *text) {
  const size_t length = strcspn(text, "/");
  const bool whole = text[length] == '/' && read_number(&out->number, text, length) &&
                     read_number(&out->of, text + length + 1, strlen(text + length + 1));
  if (whole && out->number >= 1 && out->number <= out->of && out->of <= CUONN_SWEEP_PARTS_MAX) return CLI_DONE;
  return cli_fail(CLI_USAGE, "--part %s: is not K/N with K from 1 to N and N up to %d, such as 3/8", text,
                  CUONN_SWEEP_PARTS_MAX);
}

/* The tasks of a Slurm array. */
typedef struct {
  size_t id, least, most, count;
} array;

static int read_array(array *out, bool *there) {
  static const char *const names[] = {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
                                      "SLURM_ARRAY_TASK_COUNT"};
  size_t *const to[] = {&out->id, &out->least, &out->most, &out->count};
  *there = getenv(names[0]) != NULL;
  for (size_t i = 0; *there && i < 4; i++) {
    const char *const text = getenv(names[i]);
    if (!text)
      return cli_fail(CLI_USAGE, "%s is set, but %s is not; give --part K/N, or unset the first", names[0], names[i]);
    if (!read_number(to[i], text, strlen(text)))
      return cli_fail(CLI_USAGE, "%s is '%s', which is no number; give --part K/N, or unset it", names[i], text);
  }
  return CLI_DONE;
}

/* The how manieth task of an array this is: first, first + step, ..., last. */
static int place_in(cli_sweep_part *out, const array *a) {
  const size_t steps = a->count > 1 ? a->count - 1 : 1;
  const size_t step = a->most > a->least ? (a->most - a->least) / steps : 1;
  const bool even = a->count >= 1 && a->most >= a->least && a->least + step * (a->count - 1) == a->most;
  if (!even || a->id < a->least || a->id > a->most || (a->id - a->least) % step != 0)
    return cli_fail(
        CLI_USAGE,
        "task %zu of a Slurm array of %zu tasks from %zu to %zu has no place that can be told; give --part K/N, "
        "or unset SLURM_ARRAY_TASK_ID",
        a->id, a->count, a->least, a->most);
  *out = (cli_sweep_part){(a->id - a->least) / step + 1, a->count, true};
  return CLI_DONE;
}

int cli_sweep_part_find(cli_sweep_part *out, const char *text) {
  int code = CLI_DONE;
  cli_sweep_part of_array = {1, 1, false};
  array a = {0};
  bool there;
  *out = (cli_sweep_part){1, 1, false};
  if (text) CLI_PASS_DONE(read_part(out, text));
  CLI_PASS_DONE(read_array(&a, &there));
  if (!there || a.count == 1) return CLI_DONE; /* an array of one task says nothing of parts */
  CLI_PASS_DONE(place_in(&of_array, &a));
  if (text && (out->number != of_array.number || out->of != of_array.of))
    return cli_fail(
        CLI_USAGE,
        "--part %s contradicts the Slurm array, in which this is task %zu of %zu; leave --part away, or unset "
        "SLURM_ARRAY_TASK_ID",
        text, of_array.number, of_array.of);
  if (!text) *out = of_array;
done:
  return code;
}
