/* Throughput and scaling: examples a second of each case over whatever was varied most, beside the machine's limit. */
#include "cli/figures/throughput.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/figures/figure.h"

/* Numbers that a row was measured with; one of them is the axis, the others part the curves. */
enum { kModes, kBatch, kLayers, kThreads, kSettings, kCurvesMost = 14, kCasesMost = 16, kLabel = 512 };
static const char *const setting_names[kSettings] = {"modes", "batch", "layers", "threads"};
static const char *const axis_labels[kSettings] = {"modes N", "examples of a batch", "layers", "threads"};

typedef struct {
  const char *what, *backend, *method; /* NULL: the case has one way to compute it */
  json_int_t settings[kSettings];      /* 0: has no meaning for this case */
  double rate, low, high, limit;       /* examples a second: median, 90th and 10th percentile of the time, at most */
  size_t document, panel, curve;
} row;

typedef struct {
  row *rows; /* [n_rows] */
  size_t n_rows;
  size_t n_documents;
  bool methods; /* whether there are rows by dense */
  bool varies[kSettings];
  int axis;
  const char *cases[kCasesMost]; /* [n_cases] a panel each */
  size_t n_cases;
  char labels[kCurvesMost][kLabel]; /* [n_labels] */
  size_t n_labels;
} table;

static int refuse(const char *name) { return cli_fail(CLI_BAD_FILE, "%s: is no result of cuonn bench --json", name); }

static int read_row(row *out, json_t *from, const char *name, size_t document, json_int_t threads) {
  json_int_t modes, batch;
  double median, p10, p90, rate, of_limit;
  json_t *layers;
  *out = (row){.document = document};
  if (json_unpack(from, "{s:s, s:I, s:I, s:o, s:s, s:F, s:F, s:F, s:F, s:F}", "case", &out->what, "modes", &modes,
                  "batch", &batch, "layers", &layers, "backend", &out->backend, "median_s", &median, "p10_s", &p10,
                  "p90_s", &p90, "examples_per_second", &rate, "of_limit", &of_limit) != 0)
    return refuse(name);
  if (!(median > 0 && p10 > 0 && p90 > 0 && rate > 0 && of_limit > 0 && modes > 0 && batch > 0)) return refuse(name);
  out->method = json_string_value(json_object_get(from, "method"));
  out->settings[kModes] = modes;
  out->settings[kBatch] = strcmp(out->what, "evaluate") == 0 ? 0 : batch; /* there, all test images */
  out->settings[kLayers] = json_integer_value(layers);
  out->settings[kThreads] = strcmp(out->backend, "cpu") == 0 ? threads : 0;
  out->rate = rate;
  out->low = rate * median / p90;
  out->high = rate * median / p10;
  out->limit = rate / of_limit;
  return CLI_DONE;
}

/* All rows that were measured. */
static int read_rows(table *t, json_t *const *documents, const char *const *names, size_t count) {
  int code = CLI_DONE;
  size_t most = 0;
  for (size_t d = 0; d < count; d++) most += json_array_size(json_object_get(documents[d], "results"));
  t->rows = calloc(most ? most : 1, sizeof *t->rows);
  if (!t->rows) return cli_fail(CLI_RESOURCES, "not enough memory for %zu measurements", most);
  for (size_t d = 0; d < count; d++) {
    json_t *results, *one;
    json_int_t threads;
    size_t i;
    if (json_unpack(documents[d], "{s:o, s:{s:I}}", "results", &results, "options", "threads", &threads) != 0)
      return refuse(names[d]);
    json_array_foreach(results, i, one) {
      if (json_object_get(one, "skipped")) continue;
      CLI_PASS_DONE(read_row(&t->rows[t->n_rows++], one, names[d], d, threads));
    }
  }
  if (t->n_rows == 0) code = cli_fail(CLI_BAD_FILE, "%s: nothing was measured in it", names[0]);
done:
  return code;
}

/* How many values a setting has, where it has a meaning. */
static size_t count_values(const table *t, int setting) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_rows; i++) {
    const json_int_t value = t->rows[i].settings[setting];
    bool before = value == 0;
    for (size_t k = 0; k < i && !before; k++) before = t->rows[k].settings[setting] == value;
    n += !before;
  }
  return n;
}

static void choose_axis(table *t) {
  size_t best = 0;
  for (int s = 0; s < kSettings; s++) {
    const size_t n = count_values(t, s);
    t->varies[s] = n > 1;
    if (n <= best) continue;
    best = n;
    t->axis = s;
  }
}

/* "cpu, batch 512, NAME": what tells a curve from the others. */
static void name_curve(char label[kLabel], const table *t, const row *r, const char *const *names) {
  int n = snprintf(label, kLabel, "%s", r->backend);
  if (t->methods && r->method) n += snprintf(label + n, (size_t)(kLabel - n), ", %s", r->method);
  for (int s = 0; s < kSettings; s++)
    if (s != t->axis && t->varies[s] && r->settings[s] > 0 && n < kLabel)
      n += snprintf(label + n, (size_t)(kLabel - n), ", %s %" JSON_INTEGER_FORMAT, setting_names[s], r->settings[s]);
  if (t->n_documents > 1 && t->axis != kThreads && n < kLabel)
    snprintf(label + n, (size_t)(kLabel - n), ", %s", cli_figure_name_among(names, t->n_documents, r->document));
}

static int assign(table *t, const char *const *names) {
  size_t kept = 0;
  for (size_t i = 0; i < t->n_rows; i++) t->methods |= t->rows[i].method && strcmp(t->rows[i].method, "dense") == 0;
  for (size_t i = 0; i < t->n_rows; i++) {
    row r = t->rows[i];
    char label[kLabel];
    if (r.settings[t->axis] == 0) continue; /* the axis has no meaning for this one */
    for (r.panel = 0; r.panel < t->n_cases && strcmp(t->cases[r.panel], r.what) != 0;) r.panel++;
    if (r.panel == kCasesMost) return cli_fail(CLI_BAD_FILE, "%s: more than %d cases", names[r.document], kCasesMost);
    if (r.panel == t->n_cases) t->cases[t->n_cases++] = r.what;
    name_curve(label, t, &r, names);
    for (r.curve = 0; r.curve < t->n_labels && strcmp(t->labels[r.curve], label) != 0;) r.curve++;
    if (r.curve == kCurvesMost)
      return cli_fail(CLI_BAD_FILE, "%s: more than %d curves; measure fewer settings at a time", names[r.document],
                      kCurvesMost);
    if (r.curve == t->n_labels) memcpy(t->labels[t->n_labels++], label, kLabel);
    t->rows[kept++] = r;
  }
  t->n_rows = kept;
  return CLI_DONE;
}

/* The next larger value of the axis among some rows; 0 after the largest. Everything: panel and curve SIZE_MAX. */
static json_int_t next_value(const table *t, size_t panel, size_t curve, json_int_t after) {
  json_int_t next = 0;
  for (size_t i = 0; i < t->n_rows; i++) {
    const row *const r = &t->rows[i];
    const json_int_t x = r->settings[t->axis];
    if (panel != SIZE_MAX && (r->panel != panel || r->curve != curve)) continue;
    if (x > after && (next == 0 || x < next)) next = x;
  }
  return next;
}

static void write_curve(FILE *out, const table *t, size_t panel, size_t curve) {
  json_int_t x = next_value(t, panel, curve, 0);
  cli_figure_next_block(out);
  if (x == 0) fputs("NaN NaN NaN NaN NaN\n", out);
  for (; x > 0; x = next_value(t, panel, curve, x))
    for (size_t i = 0; i < t->n_rows; i++) { /* what was measured twice has two rows */
      const row *const r = &t->rows[i];
      if (r->panel == panel && r->curve == curve && r->settings[t->axis] == x)
        fprintf(out, "%" JSON_INTEGER_FORMAT " %.6g %.6g %.6g %.6g\n", x, r->rate, r->low, r->high, r->limit);
    }
}

static void write_numbered(FILE *out, size_t number, const char *text) {
  fprintf(out, "%zu ", number);
  cli_figure_write_text(out, text);
  fputc('\n', out);
}

int cli_throughput_write(FILE *out, json_t *const *documents, const char *const *names, size_t count) {
  int code = CLI_DONE;
  table t = {.n_documents = count};
  CLI_PASS_DONE(read_rows(&t, documents, names, count));
  choose_axis(&t);
  CLI_PASS_DONE(assign(&t, names));
  fputs(
      "# axis, cases, curves; then names of the cases; then names of the curves; then values on the axis; then a block "
      "for each case and curve, case by case: value, examples a second by the median time, by the 90th and the 10th "
      "percentile, by the machine's limit\n",
      out);
  fprintf(out, "\"%s\" %zu %zu\n", axis_labels[t.axis], t.n_cases, t.n_labels);
  cli_figure_next_block(out);
  for (size_t c = 0; c < t.n_cases; c++) write_numbered(out, c, t.cases[c]);
  cli_figure_next_block(out);
  for (size_t k = 0; k < t.n_labels; k++) write_numbered(out, k, t.labels[k]);
  cli_figure_next_block(out);
  for (json_int_t x = next_value(&t, SIZE_MAX, 0, 0); x > 0; x = next_value(&t, SIZE_MAX, 0, x))
    fprintf(out, "%" JSON_INTEGER_FORMAT "\n", x);
  for (size_t c = 0; c < t.n_cases; c++)
    for (size_t k = 0; k < t.n_labels; k++) write_curve(out, &t, c, k);
done:
  free(t.rows);
  return code;
}

static int write_throughput(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  json_t **const documents = calloc(source->n_files, sizeof *documents);
  if (!documents) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t i = 0; i < source->n_files; i++) {
    json_error_t error;
    documents[i] = json_load_file(source->files[i], 0, &error);
    if (!documents[i]) {
      code = cli_fail(CLI_BAD_FILE, "%s: line %d: %s", source->files[i], error.line, error.text);
      goto done;
    }
  }
  code = cli_throughput_write(out, documents, source->files, source->n_files);
done:
  for (size_t i = 0; i < source->n_files; i++) json_decref(documents[i]);
  free(documents);
  return code;
}

const cli_figure cli_figure_throughput = {
    .name = "throughput",
    .files = "one or many files of cuonn bench --json",
    .many = true,
    .sentence = "examples a second of every case and backend, beside the machine's limit",
    .write = write_throughput,
};
