/* How long a classic netCDF file must be by its own header.
 * Grammar: NetCDF Users Guide, "File Format Specifications", The NetCDF Classic Format Specification. */
#include "results/classic.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { kDimensions = 10, kVariables = 11, kAttributes = 12 };
static const uint64_t kRecordsUnknown32 = UINT32_MAX;

/* Where the walk stands. After a step past the end `bad` is set and every number is 0. */
typedef struct {
  const unsigned char *bytes;
  size_t size, at;
  unsigned width;        /* bytes of a count: 4, or 8 in CDF-5 */
  unsigned offset_width; /* bytes of an offset: 4 in CDF-1, else 8 */
  bool bad;
} walk;

static uint64_t take(walk *w, unsigned width) {
  uint64_t number = 0;
  if (w->bad || w->size - w->at < width) {
    w->bad = true;
    return 0;
  }
  for (unsigned i = 0; i < width; i++) number = number << 8 | w->bytes[w->at++];
  return number;
}

/* Steps over count elements, padded to 4 bytes. */
static void skip(walk *w, uint64_t count, uint64_t element) {
  const uint64_t left = w->size - w->at;
  if (w->bad || element == 0 || count > left / element) {
    w->bad = true;
    return;
  }
  const uint64_t bytes = (count * element + 3) / 4 * 4;
  if (bytes > left) {
    w->bad = true;
    return;
  }
  w->at += bytes;
}

static uint64_t type_size(uint64_t type) {
  static const unsigned char sizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
  return type < sizeof sizes ? sizes[type] : 0;
}

/* The tag and length of a list; 0 if it is absent. */
static uint64_t take_list(walk *w, unsigned tag) {
  const uint64_t found = take(w, 4), count = take(w, w->width);
  if (found != tag && (found != 0 || count != 0)) w->bad = true;
  if (count > w->size - w->at) w->bad = true; /* an element has more than one byte */
  return w->bad ? 0 : count;
}

static void skip_name(walk *w) {
  const uint64_t length = take(w, w->width);
  skip(w, length, 1);
}

static void skip_attributes(walk *w) {
  const uint64_t count = take_list(w, kAttributes);
  for (uint64_t i = 0; i < count && !w->bad; i++) {
    skip_name(w);
    const uint64_t size = type_size(take(w, 4));
    const uint64_t length = take(w, w->width);
    skip(w, length, size);
  }
}

/* Reach of the data: of variables without records, and what one record holds. */
typedef struct {
  uint64_t end;          /* of the longest variable, without its padding */
  uint64_t record_bytes; /* of one record of all variables, padded */
  uint64_t record_last;  /* of the last record variable, without padding */
  uint64_t record_begin; /* of the last record variable */
  size_t record_variables;
} reach;

static void take_variable(walk *w, reach *r, const uint64_t *lengths, uint64_t n_lengths) {
  bool records = false;
  uint64_t bytes = 1;
  skip_name(w);
  const uint64_t rank = take(w, w->width);
  for (uint64_t i = 0; i < rank && !w->bad; i++) {
    const uint64_t dimension = take(w, w->width);
    if (w->bad || dimension >= n_lengths) {
      w->bad = true;
      return;
    }
    if (lengths[dimension] == 0) {
      records = true;
      w->bad |= i != 0;
    } else if (__builtin_mul_overflow(bytes, lengths[dimension], &bytes)) {
      w->bad = true;
    }
  }
  skip_attributes(w);
  const uint64_t size = type_size(take(w, 4));
  take(w, w->width); /* vsize: redundant, and wrong for large variables */
  const uint64_t begin = take(w, w->offset_width);
  uint64_t end;
  if (w->bad || size == 0 || __builtin_mul_overflow(bytes, size, &bytes) || bytes > INT64_MAX ||
      __builtin_add_overflow(begin, bytes, &end) || end > INT64_MAX) {
    w->bad = true;
  } else if (records) {
    const uint64_t padded = (bytes + 3) / 4 * 4;
    w->bad |= __builtin_add_overflow(r->record_bytes, padded, &r->record_bytes);
    if (begin >= r->record_begin) {
      r->record_begin = begin;
      r->record_last = bytes;
    }
    r->record_variables++;
  } else if (end > r->end) {
    r->end = end;
  }
}

cuonn_status results_classic_end(size_t *end, const unsigned char *bytes, size_t size, const char *path) {
  cuonn_status status = CUONN_OK;
  uint64_t *lengths = NULL;
  reach r = {0};
  const unsigned version = size > 3 ? bytes[3] : 0;
  walk w = {bytes, size, 4, version == 5 ? 8 : 4, version == 1 ? 4 : 8, size < 4};

  const uint64_t records = take(&w, w.width);
  CUONN_CHECK(w.bad || records != (w.width == 4 ? kRecordsUnknown32 : UINT64_MAX), CUONN_E_DATA,
              "%s: is a netCDF stream that was never closed: its number of records is unknown", path);
  const uint64_t n_lengths = take_list(&w, kDimensions);
  CUONN_TRY(cuonn_allocate(&lengths, n_lengths, sizeof *lengths));
  for (uint64_t i = 0; i < n_lengths && !w.bad; i++) {
    skip_name(&w);
    lengths[i] = take(&w, w.width);
  }
  skip_attributes(&w);
  const uint64_t n_variables = take_list(&w, kVariables);
  for (uint64_t i = 0; i < n_variables && !w.bad; i++) take_variable(&w, &r, lengths, n_lengths);
  CUONN_CHECK_DONE(!w.bad, CUONN_E_DATA, "%s: is damaged or cut: its netCDF header cannot be followed", path);

  if (r.end < w.at) r.end = w.at;
  if (r.record_variables > 0 && records > 0) {
    /* a record variable that is alone is not padded between its records */
    const uint64_t step = r.record_variables == 1 ? r.record_last : r.record_bytes;
    uint64_t last;
    CUONN_CHECK_DONE(!__builtin_mul_overflow(records - 1, step, &last) &&
                         !__builtin_add_overflow(last, r.record_begin + r.record_last, &last) && last < INT64_MAX,
                     CUONN_E_DATA, "%s: is damaged: its header speaks of %ju records", path, (uintmax_t)records);
    if (last > r.end) r.end = last;
  }
  CUONN_CHECK_DONE(r.end <= size, CUONN_E_DATA, "%s: is damaged or cut: its header speaks of %ju bytes, it has %zu",
                   path, (uintmax_t)r.end, size);
  *end = (size_t)(r.end + 3) / 4 * 4;
done:
  free(lengths);
  return status;
}
