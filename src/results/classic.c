/* The header of a classic netCDF file, walked from end to end before libnetcdf sees it, and how long the file must be
 * by it. libnetcdf 4.9 believes counts, lengths and offsets of a header, and crashes on some that are wrong.
 * Grammar: NetCDF Users Guide, "File Format Specifications", The NetCDF Classic Format Specification. */
#include "results/classic.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { kDimensions = 10, kVariables = 11, kAttributes = 12 };
enum { kNameMax = 256, kRankMax = 1024 }; /* of libnetcdf: NC_MAX_NAME, NC_MAX_VAR_DIMS */
enum { kTypesClassic = 6, kTypes64 = 11 };
enum { kElement = 12 }; /* bytes of the smallest element of a list: a dimension with a name of one letter */
static const uint64_t kRecordsUnknown32 = UINT32_MAX;

/* Where the walk stands. After a step past the end `bad` is set and every number is 0. */
typedef struct {
  const unsigned char *bytes;
  size_t size, at;
  unsigned width;        /* bytes of a count: 4, or 8 in CDF-5 */
  unsigned offset_width; /* bytes of an offset: 4 in CDF-1, else 8 */
  uint64_t last_type;    /* the highest number of a type */
  uint64_t longest;      /* the largest length of a dimension */
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

/* Bytes of a value of the type that stands here; 0, and bad, if there is no such type in this kind of file. */
static uint64_t take_type(walk *w) {
  static const unsigned char sizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
  const uint64_t type = take(w, 4);
  if (type == 0 || type > w->last_type) w->bad = true;
  return w->bad ? 0 : sizes[type];
}

/* The tag and length of a list; 0 if it is absent. */
static uint64_t take_list(walk *w, unsigned tag) {
  const uint64_t found = take(w, 4), count = take(w, w->width);
  if (found != tag && (found != 0 || count != 0)) w->bad = true;
  if (count > (w->size - w->at) / kElement) w->bad = true;
  return w->bad ? 0 : count;
}

static void skip_name(walk *w) {
  const uint64_t length = take(w, w->width);
  const unsigned char *const name = w->bytes + w->at;
  skip(w, length, 1);
  if (!w->bad && (length == 0 || length > kNameMax || memchr(name, 0, (size_t)length))) w->bad = true;
}

static void skip_attributes(walk *w) {
  const uint64_t count = take_list(w, kAttributes);
  for (uint64_t i = 0; i < count && !w->bad; i++) {
    skip_name(w);
    const uint64_t size = take_type(w);
    const uint64_t length = take(w, w->width);
    if (!w->bad) skip(w, length, size);
  }
}

/* Reach of the data. */
typedef struct {
  uint64_t first;        /* where that of the first variable begins */
  uint64_t end;          /* of variables without records, without the padding of the last */
  uint64_t record_end;   /* of the first record of all variables */
  uint64_t record_bytes; /* of one record of all variables, padded */
  uint64_t record_alone; /* of one record of the last record variable, without padding */
  size_t record_variables;
} reach;

/* Bytes of a variable's dimensions with elements of one byte, and whether the first of them counts records. */
static uint64_t take_shape(bool *records, walk *w, const uint64_t *lengths, uint64_t n_lengths) {
  uint64_t bytes = 1;
  const uint64_t rank = take(w, w->width);
  *records = false;
  if (rank > kRankMax) w->bad = true;
  for (uint64_t i = 0; i < rank && !w->bad; i++) {
    const uint64_t dimension = take(w, w->width);
    if (w->bad || dimension >= n_lengths) {
      w->bad = true;
    } else if (lengths[dimension] == 0) {
      *records = true;
      w->bad |= i != 0;
    } else {
      w->bad |= __builtin_mul_overflow(bytes, lengths[dimension], &bytes);
    }
  }
  return bytes;
}

static void take_variable(walk *w, reach *r, const uint64_t *lengths, uint64_t n_lengths) {
  bool records;
  skip_name(w);
  uint64_t bytes = take_shape(&records, w, lengths, n_lengths), end;
  skip_attributes(w);
  const uint64_t size = take_type(w);
  take(w, w->width); /* vsize: redundant, and wrong for large variables */
  const uint64_t begin = take(w, w->offset_width);
  if (w->bad || (w->offset_width == 4 && begin > INT32_MAX) || __builtin_mul_overflow(bytes, size, &bytes) ||
      bytes > INT64_MAX - 3 || __builtin_add_overflow(begin, bytes, &end) || end > INT64_MAX) {
    w->bad = true;
    return;
  }
  if (begin < r->first) r->first = begin;
  if (records) {
    w->bad |= __builtin_add_overflow(r->record_bytes, (bytes + 3) / 4 * 4, &r->record_bytes);
    if (end > r->record_end) r->record_end = end;
    r->record_alone = bytes;
    r->record_variables++;
  } else if (end > r->end) {
    r->end = end;
  }
}

/* Lengths of all dimensions; 0 is that of records, of which there is at most one. */
static cuonn_status take_dimensions(uint64_t **lengths, uint64_t *count, walk *w) {
  bool records = false;
  *count = take_list(w, kDimensions);
  CUONN_TRY(cuonn_allocate(lengths, *count, sizeof **lengths));
  for (uint64_t i = 0; i < *count && !w->bad; i++) {
    skip_name(w);
    const uint64_t length = (*lengths)[i] = take(w, w->width);
    w->bad |= length > w->longest || (length == 0 && records);
    records |= length == 0;
  }
  return CUONN_OK;
}

/* Adds the records to the reach. */
static bool reach_records(reach *r, uint64_t records) {
  uint64_t last;
  if (r->record_variables == 0 || records == 0) return true;
  /* a record variable that is alone is not padded between its records */
  const uint64_t step = r->record_variables == 1 ? r->record_alone : r->record_bytes;
  if (__builtin_mul_overflow(records - 1, step, &last) || __builtin_add_overflow(last, r->record_end, &last))
    return false;
  if (last > r->end) r->end = last;
  return last < INT64_MAX;
}

cuonn_status results_classic_end(size_t *end, const unsigned char *bytes, size_t size, const char *path) {
  cuonn_status status = CUONN_OK;
  uint64_t *lengths = NULL, n_lengths;
  reach r = {.first = UINT64_MAX};
  const unsigned version = size > 3 ? bytes[3] : 0;
  const bool wide = version == 5;
  walk w = {.bytes = bytes,
            .size = size,
            .at = 4,
            .width = wide ? 8 : 4,
            .offset_width = version == 1 ? 4 : 8,
            .last_type = wide ? kTypes64 : kTypesClassic,
            .longest = wide ? INT64_MAX : INT32_MAX,
            .bad = size < 4};

  const uint64_t records = take(&w, w.width);
  CUONN_CHECK(w.bad || records != (wide ? UINT64_MAX : kRecordsUnknown32), CUONN_E_DATA,
              "%s: is a netCDF stream that was never closed: its number of records is unknown", path);
  CUONN_TRY_DONE(take_dimensions(&lengths, &n_lengths, &w));
  skip_attributes(&w);
  const uint64_t n_variables = take_list(&w, kVariables);
  for (uint64_t i = 0; i < n_variables && !w.bad; i++) take_variable(&w, &r, lengths, n_lengths);
  CUONN_CHECK_DONE(!w.bad && r.first >= w.at, CUONN_E_DATA,
                   "%s: is damaged or cut: its netCDF header cannot be followed", path);
  if (r.end < w.at) r.end = w.at;
  CUONN_CHECK_DONE(reach_records(&r, records), CUONN_E_DATA, "%s: is damaged: its header speaks of %ju records", path,
                   (uintmax_t)records);
  CUONN_CHECK_DONE(r.end <= size, CUONN_E_DATA, "%s: is damaged or cut: its header speaks of %ju bytes, it has %zu",
                   path, (uintmax_t)r.end, size);
  *end = (size_t)(r.end + 3) / 4 * 4;
done:
  free(lengths);
  return status;
}
