#include "results/metrics.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/store.h"

/* Behind the epoch, a run with exact gradients has the first kNumbers numbers, one with others kErrors more, and those
 * of each layer: small of all layers, then batch of all layers. Older runs lack the latter. Errors are empty where they
 * were not measured. */
static const char kHeader[] = "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second";
static const char kErrorsHeader[] = ",gradient_error_small,gradient_error_batch";
static const char *const kLayerNames[] = {"gradient_error_small_layer", "gradient_error_batch_layer"};
enum { kNumbers = 5, kErrors = 2, kNumberText = 32 };

static size_t numbers_of(bool in_situ, size_t n_layers) { return kNumbers + (in_situ ? kErrors + 2 * n_layers : 0); }

/* The first line, with its end; release with free(). */
static cuonn_status make_header(char **out, bool in_situ, size_t n_layers) {
  size_t length;
  FILE *const line = open_memstream(out, &length);
  CUONN_CHECK(line, CUONN_E_MEMORY, "not enough memory for the names of metrics");
  fprintf(line, "%s%s", kHeader, in_situ ? kErrorsHeader : "");
  for (size_t i = 0; in_situ && i < 2 * n_layers; i++) {
    fprintf(line, ",%s_%zu", kLayerNames[i / n_layers], i % n_layers);
  }
  fputc('\n', line);
  CUONN_CHECK(fclose(line) == 0 && *out, CUONN_E_MEMORY, "not enough memory for the names of metrics");
  return CUONN_OK;
}

/* Numbers in files have a decimal point, whatever the user's language. *users is to be put back. */
static locale_t plain_numbers(locale_t *users) {
  const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  *users = plain ? uselocale(plain) : (locale_t)0;
  return plain;
}

static void users_numbers(locale_t plain, locale_t users) {
  if (!plain) return;
  uselocale(users);
  freelocale(plain);
}

/* ---- reading ---- */

/* Goes over the rows of a file's bytes. */
typedef struct {
  const char *path, *advice; /* advice: what to do about a bad line, "" for nothing */
  bool in_situ;
  size_t n_layers;
  char *next;                /* line to be read */
  char *row;                 /* the newest, without its end */
  size_t number;             /* of the line, from 1 */
  cuonn_epoch_record record; /* of the newest row */
  double *values;            /* [numbers_of()] of the newest row; release with free() */
} reader;

static bool row_parse(reader *r) {
  const size_t n_numbers = numbers_of(r->in_situ, r->n_layers);
  cuonn_epoch_record *const out = &r->record;
  double *const first[kNumbers + kErrors] = {&out->train_loss,          &out->test_loss,
                                             &out->test_accuracy,       &out->seconds,
                                             &out->examples_per_second, &out->gradient_error_small,
                                             &out->gradient_error_batch};
  char *end;
  if (r->row[0] < '1' || r->row[0] > '9') return false;
  errno = 0;
  out->epoch = strtoull(r->row, &end, 10);
  if (errno != 0) return false;
  for (size_t i = 0; i < n_numbers; i++) {
    if (*end != ',') return false;
    const char *const number = end + 1;
    const bool may_lack = i >= kNumbers, lacks = may_lack && (*number == ',' || *number == 0);
    r->values[i] = lacks ? NAN : strtod(number, &end);
    if (lacks) end = (char *)number;
    if (end == number && !lacks) return false;
    if (i < kNumbers + kErrors) *first[i] = r->values[i];
  }
  return *end == 0;
}

/* Errors of each layer in the newest row, [2][n_layers]. */
static const double *layers_of(const reader *r) { return r->values + kNumbers + kErrors; }

/* What a first line says; what it is not, read_header() finds. */
static void look_at_header(reader *r, const char *text) {
  const size_t plain = strlen(kHeader), errors = strlen(kErrorsHeader);
  size_t columns = 0;
  r->in_situ = strncmp(text, kHeader, plain) == 0 && strncmp(text + plain, kErrorsHeader, errors) == 0;
  if (!r->in_situ) return;
  for (const char *c = text + plain + errors; *c && *c != '\n'; c++) columns += *c == ',';
  r->n_layers = columns / 2;
}

/* The first line must be that of the reader's in_situ and n_layers. */
static cuonn_status read_header(reader *r, char *text, size_t size) {
  char *names;
  CUONN_TRY(make_header(&names, r->in_situ, r->n_layers));
  const size_t header = strlen(names);
  const bool good = strlen(text) == size && strncmp(text, names, header) == 0;
  const cuonn_status status =
      good ? CUONN_OK
           : cuonn_fail(CUONN_E_DATA, "%s: line 1 must be \"%.*s\"%s", r->path, (int)header - 1, names, r->advice);
  free(names);
  CUONN_TRY(status);
  r->next = text + header;
  r->number = 1;
  return cuonn_allocate(&r->values, numbers_of(r->in_situ, r->n_layers), sizeof *r->values);
}

static cuonn_status read_row(reader *r) {
  const size_t last = r->record.epoch;
  char *const end = strchr(r->next, '\n');
  const size_t length = end ? (size_t)(end - r->next) : strlen(r->next);
  r->row = r->next;
  r->next += length + (end != NULL);
  r->number++;
  r->row[length] = 0;
  CUONN_CHECK(row_parse(r) && r->record.epoch > last, CUONN_E_DATA,
              "%s: line %zu, \"%.64s\", is not a row: a later epoch than the one before and %zu numbers, separated "
              "by commas%s",
              r->path, r->number, r->row, numbers_of(r->in_situ, r->n_layers), r->advice);
  return CUONN_OK;
}

cuonn_status cuonn_metrics_read(cuonn_epoch_record **records, size_t *count, const char *path) {
  cuonn_status status = CUONN_OK;
  unsigned char *bytes = NULL;
  reader r = {.path = path, .advice = ""};
  size_t size, rows = 1; /* the last may lack its end */
  *records = NULL;
  *count = 0;
  CUONN_TRY(results_read_bytes(&bytes, &size, path));
  locale_t users;
  const locale_t plain = plain_numbers(&users);
  look_at_header(&r, (char *)bytes);
  CUONN_TRY_DONE(read_header(&r, (char *)bytes, size));
  for (const char *c = r.next; *c; c++) rows += *c == '\n';
  const size_t errors = 2 * r.n_layers * sizeof(double); /* of a row; they stand behind all records */
  CUONN_TRY_DONE(cuonn_allocate(records, rows, sizeof **records + errors));
  double *layers = (double *)(*records + rows);
  while (*r.next) {
    CUONN_TRY_DONE(read_row(&r));
    if (r.n_layers > 0) {
      memcpy(layers, layers_of(&r), errors);
      r.record.n_layers = r.n_layers;
      r.record.gradient_errors = layers;
      layers += 2 * r.n_layers;
    }
    (*records)[(*count)++] = r.record;
  }
done:
  users_numbers(plain, users);
  if (status != CUONN_OK) {
    free(*records);
    *records = NULL;
    *count = 0;
  }
  free(r.values);
  free(bytes);
  return status;
}

/* ---- writing ---- */

static cuonn_status append(results_metrics *table, const char *row, size_t length) {
  char *const text = realloc(table->text, table->length + length + 1);
  CUONN_CHECK(text, CUONN_E_MEMORY, "%s: not enough memory for its rows", table->path);
  memcpy(text + table->length, row, length);
  table->text = text;
  table->length += length;
  text[table->length] = 0;
  return CUONN_OK;
}

static cuonn_status append_header(results_metrics *table) {
  char *names;
  CUONN_TRY(make_header(&names, table->in_situ, table->n_layers));
  const cuonn_status status = append(table, names, strlen(names));
  free(names);
  return status;
}

/* Takes over the header and rows of an earlier file. A file that is not there has none. */
static cuonn_status resume(results_metrics *table, size_t epochs) {
  cuonn_status status = CUONN_OK;
  unsigned char *bytes = NULL;
  reader r = {.path = table->path, .advice = "; move the file away to resume without it"};
  size_t size;
  if (access(table->path, F_OK) != 0 && errno == ENOENT) return append_header(table);
  CUONN_TRY(results_read_bytes(&bytes, &size, table->path));
  look_at_header(&r, (char *)bytes);
  if (r.in_situ != table->in_situ || r.n_layers > 0) { /* the file of an older version goes on as it is */
    r.in_situ = table->in_situ;
    r.n_layers = table->n_layers;
  }
  CUONN_TRY_DONE(read_header(&r, (char *)bytes, size));
  table->n_layers = r.n_layers;
  CUONN_TRY_DONE(append_header(table));
  while (*r.next) {
    CUONN_TRY_DONE(read_row(&r));
    if (r.record.epoch > epochs) break;
    CUONN_TRY_DONE(append(table, r.row, strlen(r.row)));
    CUONN_TRY_DONE(append(table, "\n", 1));
  }
done:
  free(r.values);
  free(bytes);
  return status;
}

cuonn_status results_metrics_begin(results_metrics *out, const char *path, size_t n_layers, size_t epochs) {
  *out = (results_metrics){.path = path, .in_situ = n_layers > 0, .n_layers = n_layers};
  if (epochs == 0) return append_header(out);
  locale_t users;
  const locale_t plain = plain_numbers(&users);
  const cuonn_status status = resume(out, epochs == SIZE_MAX ? 0 : epochs);
  users_numbers(plain, users);
  return status;
}

cuonn_status results_metrics_write(const results_metrics *table) {
  return cuonn_bytes_write(table->path, table->text, table->length);
}

cuonn_status results_metrics_add(results_metrics *table, const cuonn_epoch_record *record) {
  const double first[kNumbers + kErrors] = {record->train_loss,          record->test_loss,
                                            record->test_accuracy,       record->seconds,
                                            record->examples_per_second, record->gradient_error_small,
                                            record->gradient_error_batch};
  const size_t before = table->length, n_numbers = numbers_of(table->in_situ, table->n_layers);
  char text[kNumberText];
  cuonn_status status = CUONN_OK;
  locale_t users;
  const locale_t plain = plain_numbers(&users);
  CUONN_TRY_DONE(append(table, text, (size_t)snprintf(text, sizeof text, "%zu", record->epoch)));
  for (size_t i = 0; i < n_numbers; i++) {
    const double number = i < kNumbers + kErrors ? first[i] : record->gradient_errors[i - kNumbers - kErrors];
    const bool lacks = i >= kNumbers && isnan(number);
    CUONN_TRY_DONE(append(table, text, (size_t)snprintf(text, sizeof text, lacks ? "," : ",%.17g", number)));
  }
  CUONN_TRY_DONE(append(table, "\n", 1));
done:
  users_numbers(plain, users);
  if (status != CUONN_OK) table->length = before;
  return status;
}
