/* Which dimension of a file is which of ours, by their names. */
#include "results/names.h"

#include <netcdf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

enum { kText = 512 };
static const size_t kForeign = SIZE_MAX;

/* Dimensions that stand for something in our files. Where a variable does not have one of them, its name
 * contradicts. */
static const char *const vocabulary[] = {"layer", "node",   "waveguide", "side",    "shifter",
                                         "row",   "column", "complex",   "example", "epoch"};

/* Length of a name without the s of a plural. */
static size_t stem(const char *name) {
  const size_t length = strlen(name);
  return length > 1 && (name[length - 1] == 's' || name[length - 1] == 'S') ? length - 1 : length;
}

static bool same(const char *a, const char *b) { return stem(a) == stem(b) && strncasecmp(a, b, stem(a)) == 0; }

/* The dimension of ours that bears a name; a name to the letter comes before one that is alike. */
static size_t find(const results_variable *v, const char *name) {
  for (size_t d = 0; v->dimensions[d].name; d++)
    if (strcmp(v->dimensions[d].name, name) == 0) return d;
  for (size_t d = 0; v->dimensions[d].name; d++)
    if (same(v->dimensions[d].name, name)) return d;
  return kForeign;
}

static bool is_of_another(const char *name) {
  for (size_t i = 0; i < sizeof vocabulary / sizeof *vocabulary; i++)
    if (same(vocabulary[i], name)) return true;
  return false;
}

static cuonn_status contradiction(const results_file *file, const results_variable *v, char names[][NC_MAX_NAME + 1],
                                  size_t rank) {
  char found[kText] = "", must[kText] = "";
  size_t n = 0, m = 0;
  for (size_t d = 0; d < rank && n < kText && m < kText; d++) {
    n += (size_t)snprintf(found + n, kText - n, "%s%.40s", d ? ", " : "", names[d]);
    m += (size_t)snprintf(must + m, kText - m, "%s%.40s", d ? ", " : "", v->dimensions[d].name);
  }
  return cuonn_fail(CUONN_E_DATA,
                    "%s: %s has the dimensions (%s), it must have (%s), in any order if all have these names; rename "
                    "them, in xarray with .rename()",
                    file->path, v->name, found, must);
}

cuonn_status results_order(size_t from[RESULTS_RANK], const results_file *file, const results_variable *variable,
                           const int *ids) {
  char names[RESULTS_RANK][NC_MAX_NAME + 1];
  size_t ours[RESULTS_RANK], rank = 0, n_foreign = 0;
  bool moved = false, wrong = false;
  for (; variable->dimensions[rank].name; rank++) {
    const int code = nc_inq_dimname(file->id, ids[rank], names[rank]);
    if (code != NC_NOERR) return results_netcdf_fail(CUONN_E_DATA, file, variable->name, code);
    from[rank] = kForeign;
  }
  for (size_t i = 0; i < rank; i++) {
    const size_t d = ours[i] = find(variable, names[i]);
    if (d == kForeign) {
      n_foreign++;
      wrong |= is_of_another(names[i]);
      continue;
    }
    wrong |= from[d] != kForeign; /* twice */
    moved |= d != i;
    from[d] = i;
  }
  if (wrong || (moved && n_foreign > 0)) return contradiction(file, variable, names, rank);
  for (size_t i = 0; i < rank; i++)
    if (ours[i] == kForeign) from[i] = i;
  return CUONN_OK;
}

void results_reorder(void *to, const void *from, size_t element, size_t rank, const size_t *lengths,
                     const size_t *order) {
  size_t stride[RESULTS_RANK], index[RESULTS_RANK] = {0}, count = 1, at = 0;
  for (size_t d = rank; d-- > 0; count *= lengths[d]) stride[d] = count; /* of the file's dimensions, in elements */
  for (size_t i = 0; i < count; i++) {
    memcpy((char *)to + i * element, (const char *)from + at * element, element);
    for (size_t d = rank; d-- > 0;) { /* one step along our last dimension, carried forward */
      at += stride[order[d]];
      if (++index[d] < lengths[order[d]]) break;
      at -= lengths[order[d]] * stride[order[d]];
      index[d] = 0;
    }
  }
}
