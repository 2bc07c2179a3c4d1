/* Files as other programs write them. */
#ifndef CUONN_TESTS_FOREIGN_H
#define CUONN_TESTS_FOREIGN_H

#include <netcdf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/close.h"

#define NC(call)                                                              \
  do {                                                                        \
    const int nc_code = (call);                                               \
    if (nc_code != NC_NOERR) fail_msg("%s: %s", #call, nc_strerror(nc_code)); \
  } while (0)

enum { kForeignRank = 8 };

/* A variable of doubles; one with the name NULL ends a list of them. */
typedef struct {
  const char *name;
  const char *dimensions[kForeignRank]; /* up to the first NULL; equal names are one dimension */
  size_t lengths[kForeignRank];
  const double *values;
  const char *attribute, *text; /* NULL: none */
} foreign_array;

static inline void foreign_write(const char *path, int format, const foreign_array *arrays) {
  int file, ids[kForeignRank], id;
  NC(nc_create(path, NC_CLOBBER | format, &file));
  for (const foreign_array *a = arrays; a->name; a++) {
    int rank = 0;
    for (; a->dimensions[rank]; rank++) {
      if (nc_inq_dimid(file, a->dimensions[rank], &ids[rank]) != NC_NOERR)
        NC(nc_def_dim(file, a->dimensions[rank], a->lengths[rank], &ids[rank]));
    }
    NC(nc_def_var(file, a->name, NC_DOUBLE, rank, ids, &id));
    if (a->attribute) NC(nc_put_att_text(file, id, a->attribute, strlen(a->text), a->text));
  }
  NC(nc_enddef(file));
  for (const foreign_array *a = arrays; a->name; a++) {
    NC(nc_inq_varid(file, a->name, &id));
    NC(nc_put_var_double(file, id, a->values));
  }
  NC(nc_close(file));
}

/* Brings elements of `size` bytes into another order of the dimensions: dimension d of `to` is order[d] of `from`. */
static inline void foreign_transpose(char *to, const char *from, size_t size, int rank, const size_t *lengths,
                                     const int *order) {
  size_t count = 1;
  for (int d = 0; d < rank; d++) count *= lengths[d];
  for (size_t i = 0; i < count; i++) { /* i: place in `to`, the last dimension fastest */
    size_t index[kForeignRank], rest = i, at = 0;
    for (int d = rank; d-- > 0; rest /= lengths[order[d]]) index[order[d]] = rest % lengths[order[d]];
    for (int d = 0; d < rank; d++) at = at * lengths[d] + index[d];
    memcpy(to + i * size, from + at * size, size);
  }
}

/* Copies a variable with its dimensions turned about; the last one of texts, their length, stays. */
static inline void foreign_turn_variable(int to, int from, int id, bool define) {
  char name[NC_MAX_NAME + 1];
  int rank, n_attributes, ids[kForeignRank], turned[kForeignRank], order[kForeignRank], made;
  size_t lengths[kForeignRank], count = 1, texts = 1;
  nc_type type;
  NC(nc_inq_var(from, id, name, &type, &rank, ids, &n_attributes));
  const int kept = type == NC_CHAR, moved = rank - kept;
  for (int d = 0; d < rank; d++) {
    NC(nc_inq_dimlen(from, ids[d], &lengths[d]));
    turned[d] = ids[order[d] = d < moved ? moved - 1 - d : d];
    if (d < moved) count *= lengths[d];
  }
  if (kept) texts = lengths[moved];
  if (define) {
    NC(nc_def_var(to, name, type, rank, turned, &made));
    for (int a = 0; a < n_attributes; a++) {
      char attribute[NC_MAX_NAME + 1];
      NC(nc_inq_attname(from, id, a, attribute));
      NC(nc_copy_att(from, id, attribute, to, made));
    }
    return;
  }
  const size_t size = kept ? texts : sizeof(double);
  char *const old = malloc(count * size + 1), *const new = malloc(count * size + 1);
  assert_true(old && new);
  if (kept) NC(nc_get_var_text(from, id, old));
  if (!kept) NC(nc_get_var_double(from, id, (double *)(void *)old));
  foreign_transpose(new, old, size, moved, lengths, order);
  NC(nc_inq_varid(to, name, &made));
  if (kept) NC(nc_put_var_text(to, made, new));
  if (!kept) NC(nc_put_var_double(to, made, (double *)(void *)new));
  free(new);
  free(old);
}

/* Copies a file with the dimensions of every variable turned about, under the same names. */
static inline void foreign_turn(const char *to_path, const char *from_path, int format) {
  int to, from, n_dimensions, n_variables, n_attributes, id;
  NC(nc_open(from_path, NC_NOWRITE, &from));
  NC(nc_create(to_path, NC_CLOBBER | format, &to));
  NC(nc_inq(from, &n_dimensions, &n_variables, &n_attributes, NULL));
  for (int i = 0; i < n_dimensions; i++) {
    char name[NC_MAX_NAME + 1];
    size_t length;
    NC(nc_inq_dim(from, i, name, &length));
    NC(nc_def_dim(to, name, length, &id));
  }
  for (int i = 0; i < n_attributes; i++) {
    char name[NC_MAX_NAME + 1];
    NC(nc_inq_attname(from, NC_GLOBAL, i, name));
    NC(nc_copy_att(from, NC_GLOBAL, name, to, NC_GLOBAL));
  }
  for (int v = 0; v < n_variables; v++) foreign_turn_variable(to, from, v, true);
  NC(nc_enddef(to));
  for (int v = 0; v < n_variables; v++) foreign_turn_variable(to, from, v, false);
  NC(nc_close(to));
  NC(nc_close(from));
}

#endif
