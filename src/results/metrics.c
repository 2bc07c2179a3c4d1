#include "results/metrics.h"

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "results/store.h"

/* A run with exact gradients has the first kNumbers of the numbers behind the epoch, one in situ all. */
static const char *const headers[] = {
    "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second\n",
    "epoch,train_loss,test_loss,test_accuracy,seconds,examples_per_second,gradient_error_small,gradient_error_batch\n"};
enum { kNumbers = 5, kNumbersInSitu = 7, kRowMax = 256 };

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
  char *next;                /* line to be read */
  char *row;                 /* the newest, without its end */
  size_t number;             /* of the line, from 1 */
  cuonn_epoch_record record; /* of the newest row */
} reader;

static int numbers_of(bool in_situ) { return in_situ ? kNumbersInSitu : kNumbers; }

static bool row_parse(cuonn_epoch_record *out, const char *row, int n_numbers) {
  double *const numbers[kNumbersInSitu] = {&out->train_loss,          &out->test_loss,
                                           &out->test_accuracy,       &out->seconds,
                                           &out->examples_per_second, &out->gradient_error_small,
                                           &out->gradient_error_batch};
  char *end;
  if (row[0] < '1' || row[0] > '9') return false;
  errno = 0;
  out->epoch = strtoull(row, &end, 10);
  if (errno != 0) return false;
  for (int i = 0; i < n_numbers; i++) {
    if (*end != ',') return false;
    const char *const number = end + 1;
    *numbers[i] = strtod(number, &end);
    if (end == number) return false;
  }
  return *end == 0;
}

static cuonn_status read_header(reader *r, char *text, size_t size) {
  const char *const names = headers[r->in_situ];
  const size_t header = strlen(names);
  CUONN_CHECK(strlen(text) == size && strncmp(text, names, header) == 0, CUONN_E_DATA, "%s: line 1 must be \"%.*s\"%s",
              r->path, (int)header - 1, names, r->advice);
  r->next = text + header;
  r->number = 1;
  return CUONN_OK;
}

static cuonn_status read_row(reader *r) {
  const size_t last = r->record.epoch;
  char *const end = strchr(r->next, '\n');
  const size_t length = end ? (size_t)(end - r->next) : strlen(r->next);
  r->row = r->next;
  r->next += length + (end != NULL);
  r->number++;
  r->row[length] = 0;
  CUONN_CHECK(length < kRowMax && row_parse(&r->record, r->row, numbers_of(r->in_situ)) && r->record.epoch > last,
              CUONN_E_DATA,
              "%s: line %zu, \"%.64s\", is not a row: a later epoch than the one before and %d numbers, separated "
              "by commas%s",
              r->path, r->number, r->row, numbers_of(r->in_situ), r->advice);
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
  r.in_situ = strncmp((char *)bytes, headers[1], strlen(headers[1])) == 0;
  CUONN_TRY_DONE(read_header(&r, (char *)bytes, size));
  for (const char *c = r.next; *c; c++) rows += *c == '\n';
  CUONN_TRY_DONE(cuonn_allocate(records, rows, sizeof **records));
  while (*r.next) {
    CUONN_TRY_DONE(read_row(&r));
    (*records)[(*count)++] = r.record;
  }
done:
  users_numbers(plain, users);
  if (status != CUONN_OK) {
    free(*records);
    *records = NULL;
    *count = 0;
  }
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

/* Takes over rows of an earlier file. A file that is not there has none. */
static cuonn_status resume(results_metrics *table, size_t epochs) {
  cuonn_status status = CUONN_OK;
  unsigned char *bytes = NULL;
  reader r = {.path = table->path, .advice = "; move the file away to resume without it", .in_situ = table->in_situ};
  size_t size;
  if (access(table->path, F_OK) != 0 && errno == ENOENT) return CUONN_OK;
  CUONN_TRY(results_read_bytes(&bytes, &size, table->path));
  CUONN_TRY_DONE(read_header(&r, (char *)bytes, size));
  while (*r.next) {
    CUONN_TRY_DONE(read_row(&r));
    if (r.record.epoch > epochs) break;
    CUONN_TRY_DONE(append(table, r.row, strlen(r.row)));
    CUONN_TRY_DONE(append(table, "\n", 1));
  }
done:
  free(bytes);
  return status;
}

cuonn_status results_metrics_begin(results_metrics *out, const char *path, bool in_situ, size_t epochs) {
  *out = (results_metrics){.path = path, .in_situ = in_situ};
  CUONN_TRY(append(out, headers[in_situ], strlen(headers[in_situ])));
  if (epochs == 0) return CUONN_OK;
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
  char row[kRowMax];
  const size_t before = table->length;
  locale_t users;
  const locale_t plain = plain_numbers(&users);
  int length = snprintf(row, sizeof row, "%zu,%.17g,%.17g,%.17g,%.17g,%.17g", record->epoch, record->train_loss,
                        record->test_loss, record->test_accuracy, record->seconds, record->examples_per_second);
  if (table->in_situ) {
    length += snprintf(row + length, sizeof row - (size_t)length, ",%.17g,%.17g", record->gradient_error_small,
                       record->gradient_error_batch);
  }
  row[length++] = '\n';
  users_numbers(plain, users);
  CUONN_TRY(append(table, row, (size_t)length));
  const cuonn_status status = results_metrics_write(table);
  if (status != CUONN_OK) table->length = before;
  return status;
}
