/* Variables and attributes of an open netCDF file, to and from doubles. */
#include "results/variables.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { kTextMax = 1 << 24, kShapeText = 256 };

static size_t rank_of(const results_variable *v) {
  size_t rank = 0;
  while (v->dimensions[rank].name) rank++;
  return rank;
}

static void lengths_of(size_t lengths[RESULTS_RANK], const results_variable *v) {
  for (size_t i = 0; i < RESULTS_RANK; i++) lengths[i] = v->dimensions[i].name ? v->dimensions[i].length : 1;
}

/* Writes the place of the flat index i, such as "[2, 15]"; a single number has none. */
static void index_text(char out[kShapeText], size_t i, size_t rank, const size_t lengths[RESULTS_RANK]) {
  size_t index[RESULTS_RANK];
  int n = 0;
  out[0] = 0;
  for (size_t d = rank; d-- > 0; i /= lengths[d]) index[d] = i % lengths[d];
  for (size_t d = 0; d < rank; d++) {
    n += snprintf(out + n, kShapeText - (size_t)n, "%s%zu%s", d ? ", " : "[", index[d], d + 1 == rank ? "]" : "");
  }
}

/* Start and count of a variable or one part of it, and how many numbers that is. */
static size_t region(size_t start[RESULTS_RANK], size_t count[RESULTS_RANK], size_t part, size_t rank,
                     const size_t lengths[RESULTS_RANK]) {
  size_t numbers = 1;
  for (size_t d = 0; d < rank; d++) {
    const bool one = d == 0 && part != RESULTS_WHOLE;
    start[d] = one ? part : 0;
    count[d] = one ? 1 : lengths[d];
    numbers *= count[d];
  }
  return numbers;
}

/* ---- writing ---- */

cuonn_status results_put_text(const results_file *file, const char *attribute, const char *text) {
  const int code = nc_put_att_text(file->id, NC_GLOBAL, attribute, strlen(text), text);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, file, attribute, code);
}

cuonn_status results_put_number(const results_file *file, const char *attribute, double number) {
  CUONN_CHECK(isfinite(number), CUONN_E_NONFINITE, "%s: attribute %s would be %g; the file is not written", file->path,
              attribute, number);
  const int code = nc_put_att_double(file->id, NC_GLOBAL, attribute, NC_DOUBLE, 1, &number);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, file, attribute, code);
}

cuonn_status results_put_count(const results_file *file, const char *attribute, int count) {
  const int code = nc_put_att_int(file->id, NC_GLOBAL, attribute, NC_INT, 1, &count);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, file, attribute, code);
}

/* The dimension of that name, made if it is not there yet. */
static cuonn_status dimension_id(int *id, const results_file *file, const results_dimension *d, const char *variable) {
  size_t length;
  CUONN_CHECK(d->length > 0, CUONN_E_SHAPE, "%s: %s has no %s to write", file->path, variable, d->name);
  if (nc_inq_dimid(file->id, d->name, id) == NC_NOERR && nc_inq_dimlen(file->id, *id, &length) == NC_NOERR) {
    CUONN_CHECK(length == d->length, CUONN_E_SHAPE, "%s: %s has %zu of %s, another variable of the file has %zu",
                file->path, variable, d->length, d->name, length);
    return CUONN_OK;
  }
  const int code = nc_def_dim(file->id, d->name, d->length, id);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_SHAPE, file, d->name, code);
}

static cuonn_status define_one(const results_file *file, const results_variable *v) {
  int dimensions[RESULTS_RANK], id;
  size_t numbers = 1;
  const size_t rank = rank_of(v);
  for (size_t d = 0; d < rank; d++) {
    CUONN_TRY(dimension_id(&dimensions[d], file, &v->dimensions[d], v->name));
    CUONN_CHECK(v->dimensions[d].length < RESULTS_VALUES_MAX / numbers, CUONN_E_SHAPE,
                "%s: %s would pass the 4 GiB that a variable may have; write fewer examples at once", file->path,
                v->name);
    numbers *= v->dimensions[d].length;
  }
  const nc_type type = v->characters ? NC_CHAR : v->integers ? NC_SHORT : NC_DOUBLE;
  int code = nc_def_var(file->id, v->name, type, (int)rank, dimensions, &id);
  if (code == NC_NOERR && v->long_name) {
    code = nc_put_att_text(file->id, id, "long_name", strlen(v->long_name), v->long_name);
  }
  if (code == NC_NOERR && v->characters) code = nc_put_att_text(file->id, id, "_Encoding", 5, "utf-8");
  const double missing = RESULTS_MISSING;
  if (code == NC_NOERR && v->gaps) code = nc_put_att_double(file->id, id, "_FillValue", NC_DOUBLE, 1, &missing);
  if (code == NC_NOERR && v->period > 0) code = nc_put_att_double(file->id, id, "period", NC_DOUBLE, 1, &v->period);
  if (code == NC_NOERR && v->unit) code = nc_put_att_text(file->id, id, "units", strlen(v->unit), v->unit);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_ARGUMENT, file, v->name, code);
}

cuonn_status results_define(const results_file *file, const results_variable *variables, size_t count) {
  for (size_t i = 0; i < count; i++) CUONN_TRY(define_one(file, &variables[i]));
  const int code = nc_enddef(file->id);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_SHAPE, file, "cannot be laid out", code);
}

cuonn_status results_put(const results_file *file, const results_variable *variable, size_t part,
                         const double *values) {
  size_t lengths[RESULTS_RANK], start[RESULTS_RANK], count[RESULTS_RANK];
  char at[kShapeText];
  int id;
  const size_t rank = rank_of(variable);
  lengths_of(lengths, variable);
  const size_t numbers = region(start, count, part, rank, lengths);
  for (size_t i = 0; i < numbers; i++) {
    if (isfinite(values[i])) continue;
    index_text(at, i + (part == RESULTS_WHOLE ? 0 : part * numbers), rank, lengths);
    return cuonn_fail(CUONN_E_NONFINITE, "%s: %s%s would be %g; the file is not written", file->path, variable->name,
                      at, values[i]);
  }
  int code = nc_inq_varid(file->id, variable->name, &id);
  if (code == NC_NOERR) code = nc_put_vara_double(file->id, id, start, count, values);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, file, variable->name, code);
}

cuonn_status results_put_characters(const results_file *file, const results_variable *variable,
                                    const char *characters) {
  int id;
  int code = nc_inq_varid(file->id, variable->name, &id);
  if (code == NC_NOERR) code = nc_put_var_text(file->id, id, characters);
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_INTERNAL, file, variable->name, code);
}

/* ---- reading attributes ---- */

/* Type and length of an attribute of the file; NC_NAT where there is none. */
static cuonn_status attribute_kind(nc_type *type, size_t *length, const results_file *file, const char *attribute) {
  const int code = nc_inq_att(file->id, NC_GLOBAL, attribute, type, length);
  if (code == NC_ENOTATT) {
    *type = NC_NAT;
    return CUONN_OK;
  }
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_DATA, file, attribute, code);
}

cuonn_status results_get_text(char **text, const results_file *file, const char *attribute) {
  nc_type type;
  size_t length;
  *text = NULL;
  CUONN_TRY(attribute_kind(&type, &length, file, attribute));
  if (type == NC_NAT) return CUONN_OK;
  CUONN_CHECK(type == NC_CHAR || (type == NC_STRING && length == 1), CUONN_E_DATA, "%s: attribute %s must be one text",
              file->path, attribute);
  CUONN_CHECK(length <= kTextMax, CUONN_E_DATA, "%s: attribute %s has %zu bytes; at most %d are read", file->path,
              attribute, length, kTextMax);
  int code;
  if (type == NC_STRING) {
    char *string = NULL;
    code = nc_get_att_string(file->id, NC_GLOBAL, attribute, &string);
    if (code == NC_NOERR) {
      *text = strdup(string ? string : "");
      nc_free_string(1, &string);
    }
  } else {
    *text = calloc(length + 1, 1);
    code = *text ? nc_get_att_text(file->id, NC_GLOBAL, attribute, *text) : NC_ENOMEM;
  }
  if (code == NC_NOERR && !*text) code = NC_ENOMEM;
  if (code == NC_NOERR) return CUONN_OK;
  free(*text);
  *text = NULL;
  return results_netcdf_fail(CUONN_E_DATA, file, attribute, code);
}

cuonn_status results_get_number(double *number, bool *found, const results_file *file, const char *attribute) {
  nc_type type;
  size_t length;
  CUONN_TRY(attribute_kind(&type, &length, file, attribute));
  *found = type != NC_NAT;
  if (!*found) return CUONN_OK;
  CUONN_CHECK(type != NC_CHAR && type <= NC_UINT64 && length == 1, CUONN_E_DATA, "%s: attribute %s must be one number",
              file->path, attribute);
  const int code = nc_get_att_double(file->id, NC_GLOBAL, attribute, number);
  if (code != NC_NOERR) return results_netcdf_fail(CUONN_E_DATA, file, attribute, code);
  CUONN_CHECK(isfinite(*number), CUONN_E_NONFINITE, "%s: attribute %s is %g", file->path, attribute, *number);
  return CUONN_OK;
}

/* ---- reading variables ---- */

bool results_has(const results_file *file, const char *name) {
  int id;
  return nc_inq_varid(file->id, name, &id) == NC_NOERR;
}

/* The variable's id, rank and lengths. */
static cuonn_status inquire(int *id, size_t *rank, size_t lengths[RESULTS_RANK], const results_file *file,
                            const char *name) {
  static const char *const packing[] = {"scale_factor", "add_offset"};
  nc_type type;
  int n_dimensions, dimensions[RESULTS_RANK];
  *rank = 0;
  int code = nc_inq_varid(file->id, name, id);
  CUONN_CHECK(code != NC_ENOTVAR, CUONN_E_DATA, "%s: has no variable %s", file->path, name);
  if (code == NC_NOERR) code = nc_inq_vartype(file->id, *id, &type);
  if (code == NC_NOERR) code = nc_inq_varndims(file->id, *id, &n_dimensions);
  if (code != NC_NOERR) return results_netcdf_fail(CUONN_E_DATA, file, name, code);
  CUONN_CHECK(
      type != NC_CHAR && type <= NC_UINT64, CUONN_E_DATA, "%s: %s must hold real numbers%s", file->path, name,
      type == NC_CHAR || type == NC_STRING ? ", it holds text" : "; complex ones have a last dimension of length 2");
  for (size_t i = 0; i < sizeof packing / sizeof *packing; i++) {
    CUONN_CHECK(nc_inq_attid(file->id, *id, packing[i], NULL) == NC_ENOTATT, CUONN_E_DATA,
                "%s: %s is packed (it has the attribute %s); write it as plain numbers", file->path, name, packing[i]);
  }
  CUONN_CHECK(n_dimensions >= 0 && n_dimensions <= RESULTS_RANK, CUONN_E_DATA, "%s: %s has %d dimensions", file->path,
              name, n_dimensions);
  code = nc_inq_vardimid(file->id, *id, dimensions);
  size_t numbers = 1;
  *rank = (size_t)n_dimensions;
  for (size_t d = 0; d < RESULTS_RANK; d++) lengths[d] = 1;
  for (size_t d = 0; code == NC_NOERR && d < *rank; d++) {
    code = nc_inq_dimlen(file->id, dimensions[d], &lengths[d]);
    CUONN_CHECK(code != NC_NOERR || lengths[d] > 0, CUONN_E_DATA, "%s: %s is empty: its dimension %zu has the length 0",
                file->path, name, d + 1);
    CUONN_CHECK(code != NC_NOERR || lengths[d] <= RESULTS_VALUES_MAX / numbers, CUONN_E_DATA,
                "%s: %s is too large: at most %zu numbers are read", file->path, name, RESULTS_VALUES_MAX);
    numbers *= lengths[d];
  }
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_DATA, file, name, code);
}

cuonn_status results_shape(size_t *rank, size_t lengths[RESULTS_RANK], const results_file *file, const char *name) {
  int id;
  return inquire(&id, rank, lengths, file, name);
}

static cuonn_status shape_fail(const results_file *file, const results_variable *v, size_t rank,
                               const size_t lengths[RESULTS_RANK]) {
  char found[kShapeText] = "a single number", must[kShapeText] = "";
  int n = 0;
  for (size_t d = 0; d < rank; d++) {
    n += snprintf(found + n, sizeof found - (size_t)n, "%s%zu%s", d ? ", " : "(", lengths[d], d + 1 == rank ? ")" : "");
  }
  n = 0;
  for (size_t d = 0; v->dimensions[d].name; d++) {
    n += snprintf(must + n, sizeof must - (size_t)n, "%s%s %zu", d ? ", " : "", v->dimensions[d].name,
                  v->dimensions[d].length);
  }
  return cuonn_fail(CUONN_E_DATA, "%s: %s has the shape %s, it must be (%s)", file->path, v->name, found, must);
}

/* Values that stand for "missing" in a variable: its own marks, and what libnetcdf puts where nothing was written. */
static size_t missing_marks(double marks[4], const results_file *file, int id) {
  static const char *const names[] = {"_FillValue", "missing_value"};
  size_t n = 0, length;
  nc_type type;
  for (size_t i = 0; i < 2; i++) {
    if (nc_inq_att(file->id, id, names[i], &type, &length) != NC_NOERR || length != 1 || type == NC_CHAR) continue;
    if (type <= NC_UINT64 && nc_get_att_double(file->id, id, names[i], &marks[n]) == NC_NOERR) n++;
  }
  if (nc_inq_vartype(file->id, id, &type) == NC_NOERR && (type == NC_FLOAT || type == NC_DOUBLE)) {
    marks[n++] = type == NC_FLOAT ? (double)NC_FILL_FLOAT : NC_FILL_DOUBLE;
  }
  return n;
}

cuonn_status results_get(double *values, const results_file *file, const results_variable *variable, size_t part) {
  size_t lengths[RESULTS_RANK], must[RESULTS_RANK], start[RESULTS_RANK], count[RESULTS_RANK], rank;
  double marks[4];
  char at[kShapeText];
  int id;
  CUONN_TRY(inquire(&id, &rank, lengths, file, variable->name));
  lengths_of(must, variable);
  if (rank != rank_of(variable) || memcmp(lengths, must, sizeof must) != 0) {
    return shape_fail(file, variable, rank, lengths);
  }
  const size_t numbers = region(start, count, part, rank, lengths);
  const int code = nc_get_vara_double(file->id, id, start, count, values);
  CUONN_CHECK(code != NC_ENOMEM, CUONN_E_MEMORY, "%s: not enough memory to read %s", file->path, variable->name);
  CUONN_CHECK(code == NC_NOERR, CUONN_E_DATA, "%s: %s cannot be read, the file may be damaged: %s", file->path,
              variable->name, nc_strerror(code));

  const size_t n_marks = missing_marks(marks, file, id);
  for (size_t i = 0; i < numbers; i++) {
    bool missing = false;
    for (size_t m = 0; m < n_marks; m++) missing |= values[i] == marks[m];
    if (isfinite(values[i]) && !missing) continue;
    if (missing && variable->gaps) {
      values[i] = NAN;
      continue;
    }
    index_text(at, i + (part == RESULTS_WHOLE ? 0 : part * numbers), rank, lengths);
    CUONN_CHECK(missing, CUONN_E_NONFINITE, "%s: %s%s is %g; every value must be finite", file->path, variable->name,
                at, values[i]);
    return cuonn_fail(CUONN_E_NONFINITE, "%s: %s%s is missing (it holds the fill value %g)", file->path, variable->name,
                      at, values[i]);
  }
  return CUONN_OK;
}

cuonn_status results_get_characters(char **texts, size_t *length, const results_file *file,
                                    const results_variable *variable) {
  cuonn_status status = CUONN_OK;
  const size_t rank = rank_of(variable);
  int id, n_dimensions, dimensions[NC_MAX_VAR_DIMS];
  nc_type type;
  size_t count = 1;
  *texts = NULL;
  *length = 0;
  if (nc_inq_varid(file->id, variable->name, &id) != NC_NOERR) return CUONN_OK;
  int code = nc_inq_var(file->id, id, NULL, &type, &n_dimensions, dimensions, NULL);
  if (code == NC_NOERR && (type != NC_CHAR || (size_t)n_dimensions != rank)) return CUONN_OK;
  for (size_t d = 0; code == NC_NOERR && d < rank; d++) {
    code = nc_inq_dimlen(file->id, dimensions[d], length);
    CUONN_CHECK_DONE(code != NC_NOERR || d + 1 == rank || *length == variable->dimensions[d].length, CUONN_E_DATA,
                     "%s: %s has %zu texts along dimension %zu, it must have %zu", file->path, variable->name, *length,
                     d, variable->dimensions[d].length);
    CUONN_CHECK_DONE(*length <= RESULTS_VALUES_MAX / count, CUONN_E_DATA, "%s: %s is too large", file->path,
                     variable->name);
    count *= *length;
  }
  CUONN_TRY_DONE(cuonn_allocate(texts, count, 1));
  if (code == NC_NOERR) code = nc_get_var_text(file->id, id, *texts);
  if (code != NC_NOERR) status = results_netcdf_fail(CUONN_E_DATA, file, variable->name, code);
done:
  if (status != CUONN_OK) {
    free(*texts);
    *texts = NULL;
  }
  return status;
}
