/* Variables of an open netCDF file, to and from doubles. */
#include "results/variables.h"

#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "results/attributes.h"
#include "results/names.h"
#include "results/units.h"

enum { kShapeText = 256, kMarksMax = 16 };

static size_t rank_of(const results_variable *v) {
  size_t rank = 0;
  while (v->dimensions[rank].name) rank++;
  return rank;
}

static void lengths_of(size_t lengths[RESULTS_RANK], const results_variable *v) {
  for (size_t i = 0; i < RESULTS_RANK; i++) lengths[i] = v->dimensions[i].name ? v->dimensions[i].length : 1;
}

/* Writes the place of the flat index i in a region of a variable, such as "[2, 15]"; a single number has none. */
static void index_text(char out[kShapeText], size_t i, size_t rank, const size_t start[RESULTS_RANK],
                       const size_t count[RESULTS_RANK]) {
  size_t index[RESULTS_RANK];
  int n = 0;
  out[0] = 0;
  for (size_t d = rank; d-- > 0; i /= count[d]) index[d] = start[d] + i % count[d];
  for (size_t d = 0; d < rank; d++) {
    n += snprintf(out + n, kShapeText - (size_t)n, "%s%zu%s", d ? ", " : "[", index[d], d + 1 == rank ? "]" : "");
  }
}

/* Start and count of a variable or one part of it, an index of the dimension `first`, and how many numbers that is. */
static size_t region(size_t start[RESULTS_RANK], size_t count[RESULTS_RANK], size_t part, size_t first, size_t rank,
                     const size_t lengths[RESULTS_RANK]) {
  size_t numbers = 1;
  for (size_t d = 0; d < rank; d++) {
    const bool one = d == first && part != RESULTS_WHOLE;
    start[d] = one ? part : 0;
    count[d] = one ? 1 : lengths[d];
    numbers *= count[d];
  }
  return numbers;
}

/* ---- writing ---- */

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
  if (code == NC_NOERR && v->coordinates)
    code = nc_put_att_text(file->id, id, "coordinates", strlen(v->coordinates), v->coordinates);
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
  const size_t numbers = region(start, count, part, 0, rank, lengths);
  for (size_t i = 0; i < numbers; i++) {
    if (isfinite(values[i])) continue;
    index_text(at, i, rank, start, count);
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

/* ---- reading ---- */

bool results_has(const results_file *file, const char *name) {
  int id;
  return nc_inq_varid(file->id, name, &id) == NC_NOERR;
}

/* A variable as the file has it. */
typedef struct {
  int id, dimensions[RESULTS_RANK];
  size_t rank, lengths[RESULTS_RANK];
} stored;

/* Packed numbers stand for others than they are. */
static cuonn_status refuse_packing(const results_file *file, int id, const char *name) {
  static const char *const packing[] = {"scale_factor", "add_offset", "_Unsigned"};
  for (size_t i = 0; i < sizeof packing / sizeof *packing; i++) {
    char *text = NULL;
    if (nc_inq_attid(file->id, id, packing[i], NULL) == NC_ENOTATT) continue;
    if (i == 2) CUONN_TRY(results_get_text_of(&text, file, id, packing[i]));
    const bool plain = text && strcasecmp(text, "false") == 0;
    free(text);
    CUONN_CHECK(plain, CUONN_E_DATA, "%s: %s is packed (it has the attribute %s); write it as plain numbers",
                file->path, name, packing[i]);
  }
  return CUONN_OK;
}

static cuonn_status inquire(stored *out, const results_file *file, const char *name) {
  nc_type type;
  int n_dimensions;
  *out = (stored){0};
  int code = nc_inq_varid(file->id, name, &out->id);
  CUONN_CHECK(code != NC_ENOTVAR, CUONN_E_DATA, "%s: has no variable %s", file->path, name);
  if (code == NC_NOERR) code = nc_inq_vartype(file->id, out->id, &type);
  if (code == NC_NOERR) code = nc_inq_varndims(file->id, out->id, &n_dimensions);
  if (code != NC_NOERR) return results_netcdf_fail(CUONN_E_DATA, file, name, code);
  CUONN_CHECK(
      type != NC_CHAR && type <= NC_UINT64, CUONN_E_DATA, "%s: %s must hold real numbers%s", file->path, name,
      type == NC_CHAR || type == NC_STRING ? ", it holds text" : "; complex ones have a last dimension of length 2");
  CUONN_TRY(refuse_packing(file, out->id, name));
  CUONN_CHECK(n_dimensions >= 0 && n_dimensions <= RESULTS_RANK, CUONN_E_DATA, "%s: %s has %d dimensions", file->path,
              name, n_dimensions);
  code = nc_inq_vardimid(file->id, out->id, out->dimensions);
  size_t numbers = 1;
  out->rank = (size_t)n_dimensions;
  for (size_t d = 0; d < RESULTS_RANK; d++) out->lengths[d] = 1;
  for (size_t d = 0; code == NC_NOERR && d < out->rank; d++) {
    size_t *const length = &out->lengths[d];
    code = nc_inq_dimlen(file->id, out->dimensions[d], length);
    CUONN_CHECK(code != NC_NOERR || *length > 0, CUONN_E_DATA, "%s: %s is empty: its dimension %zu has the length 0",
                file->path, name, d + 1);
    CUONN_CHECK(code != NC_NOERR || *length <= RESULTS_VALUES_MAX / numbers, CUONN_E_DATA,
                "%s: %s is too large: at most %zu numbers are read", file->path, name, RESULTS_VALUES_MAX);
    numbers *= *length;
  }
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_DATA, file, name, code);
}

/* "(row, column, complex)". */
static size_t names_text(char *out, size_t size, const results_variable *v) {
  size_t n = 0;
  for (size_t d = 0; v->dimensions[d].name && n < size; d++)
    n += (size_t)snprintf(out + n, size - n, "%s%s", d ? ", " : "(", v->dimensions[d].name);
  return n < size ? n + (size_t)snprintf(out + n, size - n, ")") : n;
}

cuonn_status results_shape(size_t *rank, size_t lengths[RESULTS_RANK], const results_file *file,
                           const results_variable *forms, size_t n_forms) {
  char must[kShapeText] = "";
  size_t from[RESULTS_RANK], n = 0;
  stored v;
  CUONN_TRY(inquire(&v, file, forms->name));
  for (size_t f = 0; f < n_forms; f++) {
    if (rank_of(&forms[f]) != v.rank) continue;
    CUONN_TRY(results_order(from, file, &forms[f], v.dimensions));
    *rank = v.rank;
    for (size_t d = 0; d < RESULTS_RANK; d++) lengths[d] = d < v.rank ? v.lengths[from[d]] : 1;
    return CUONN_OK;
  }
  for (size_t f = 0; f < n_forms && n < sizeof must; f++) {
    n += (size_t)snprintf(must + n, sizeof must - n, "%s", f ? " or " : "");
    if (n < sizeof must) n += names_text(must + n, sizeof must - n, &forms[f]);
  }
  return cuonn_fail(CUONN_E_DATA, "%s: %s has %zu dimensions; it must be %s", file->path, forms->name, v.rank, must);
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

/* Which values of a variable are none, by its own attributes, and by what libnetcdf puts where nothing was written. */
typedef struct {
  double marks[2 * kMarksMax + 1];
  size_t n_marks;
  double low, high; /* what lies outside is missing, too */
} validity;

/* Takes the numbers of an attribute, up to `most`; returns how many there are, 0 if it is another. */
static size_t numbers_of(double *out, size_t most, const results_file *file, int id, const char *attribute) {
  size_t length;
  nc_type type;
  if (nc_inq_att(file->id, id, attribute, &type, &length) != NC_NOERR || length > most) return 0;
  if (type == NC_CHAR || type > NC_UINT64) return 0;
  return nc_get_att_double(file->id, id, attribute, out) == NC_NOERR ? length : 0;
}

static validity validity_of(const results_file *file, int id) {
  static const char *const marks[] = {"_FillValue", "missing_value"};
  validity v = {.low = -INFINITY, .high = INFINITY};
  double range[2];
  nc_type type;
  for (size_t i = 0; i < 2; i++) v.n_marks += numbers_of(v.marks + v.n_marks, kMarksMax, file, id, marks[i]);
  if (nc_inq_vartype(file->id, id, &type) == NC_NOERR && (type == NC_FLOAT || type == NC_DOUBLE)) {
    v.marks[v.n_marks++] = type == NC_FLOAT ? (double)NC_FILL_FLOAT : NC_FILL_DOUBLE;
  }
  numbers_of(&v.low, 1, file, id, "valid_min");
  numbers_of(&v.high, 1, file, id, "valid_max");
  if (numbers_of(range, 2, file, id, "valid_range") == 2) {
    v.low = range[0];
    v.high = range[1];
  }
  return v;
}

/* Refuses values that are not finite or missing, or makes them NaN in a variable with gaps. The values are those of a
 * region in the order of the file. */
static cuonn_status check_values(double *values, const results_file *file, const results_variable *variable,
                                 const stored *v, const size_t start[RESULTS_RANK], const size_t count[RESULTS_RANK]) {
  char at[kShapeText];
  size_t numbers = 1;
  for (size_t d = 0; d < v->rank; d++) numbers *= count[d];
  const validity valid = validity_of(file, v->id);
  for (size_t i = 0; i < numbers; i++) {
    bool missing = values[i] < valid.low || values[i] > valid.high;
    for (size_t m = 0; m < valid.n_marks; m++)
      missing |= values[i] == valid.marks[m] || (isnan(values[i]) && isnan(valid.marks[m]));
    if (isfinite(values[i]) && !missing) continue;
    if (missing && variable->gaps) {
      values[i] = NAN;
      continue;
    }
    index_text(at, i, v->rank, start, count);
    CUONN_CHECK(missing && isfinite(values[i]), CUONN_E_NONFINITE, "%s: %s%s is %g; every value must be finite",
                file->path, variable->name, at, values[i]);
    CUONN_CHECK(values[i] >= valid.low && values[i] <= valid.high, CUONN_E_NONFINITE,
                "%s: %s%s is %g, outside the valid range %g to %g that the variable names", file->path, variable->name,
                at, values[i], valid.low, valid.high);
    return cuonn_fail(CUONN_E_NONFINITE, "%s: %s%s is missing (it holds the fill value %g)", file->path, variable->name,
                      at, values[i]);
  }
  return CUONN_OK;
}

static bool in_order(const size_t *from, size_t rank) {
  for (size_t d = 0; d < rank; d++)
    if (from[d] != d) return false;
  return true;
}

static bool has_lengths(const stored *v, const size_t *from, const results_variable *must) {
  for (size_t d = 0; d < v->rank; d++)
    if (v->lengths[from[d]] != must->dimensions[d].length) return false;
  return true;
}

cuonn_status results_get(double *values, const results_file *file, const results_variable *variable, size_t part) {
  cuonn_status status = CUONN_OK;
  size_t from[RESULTS_RANK], start[RESULTS_RANK], count[RESULTS_RANK];
  double factor, *apart = NULL;
  stored v;
  CUONN_TRY(inquire(&v, file, variable->name));
  if (v.rank != rank_of(variable)) return shape_fail(file, variable, v.rank, v.lengths);
  CUONN_TRY(results_order(from, file, variable, v.dimensions));
  if (!has_lengths(&v, from, variable)) return shape_fail(file, variable, v.rank, v.lengths);
  CUONN_TRY(results_unit_factor(&factor, file, variable, v.id));
  const size_t numbers = region(start, count, part, from[0], v.rank, v.lengths);
  const bool moved = !in_order(from, v.rank);
  if (moved) CUONN_TRY(cuonn_allocate(&apart, numbers, sizeof *apart));
  double *const read = moved ? apart : values;
  results_expect(file, numbers * sizeof *values);
  const int code = nc_get_vara_double(file->id, v.id, start, count, read);
  CUONN_CHECK_DONE(code != NC_ENOMEM, CUONN_E_MEMORY, "%s: not enough memory to read %s", file->path, variable->name);
  CUONN_CHECK_DONE(code == NC_NOERR, CUONN_E_DATA, "%s: %s cannot be read, the file may be damaged: %s", file->path,
                   variable->name, nc_strerror(code));
  CUONN_TRY_DONE(check_values(read, file, variable, &v, start, count));
  if (moved) results_reorder(values, apart, sizeof *values, v.rank, count, from);
  for (size_t i = 0; factor != 1 && i < numbers; i++) {
    values[i] *= factor;
    CUONN_CHECK_DONE(!isinf(values[i]), CUONN_E_NONFINITE, "%s: %s has values that are too large in its units",
                     file->path, variable->name);
  }
done:
  free(apart);
  return status;
}

cuonn_status results_get_characters(char **texts, size_t *length, const results_file *file,
                                    const results_variable *variable) {
  cuonn_status status = CUONN_OK;
  results_variable over = *variable; /* the texts as items, without the dimension of their length */
  const size_t rank = rank_of(variable) - 1;
  size_t lengths[RESULTS_RANK], from[RESULTS_RANK], count = 1;
  int id, n_dimensions, dimensions[NC_MAX_VAR_DIMS];
  nc_type type;
  char *read = NULL;
  *texts = NULL;
  *length = 0;
  over.dimensions[rank].name = NULL;
  if (nc_inq_varid(file->id, variable->name, &id) != NC_NOERR) return CUONN_OK;
  int code = nc_inq_var(file->id, id, NULL, &type, &n_dimensions, dimensions, NULL);
  if (code == NC_NOERR && (type != NC_CHAR || (size_t)n_dimensions != rank + 1)) return CUONN_OK;
  if (code == NC_NOERR) CUONN_TRY(results_order(from, file, &over, dimensions));
  for (size_t d = 0; code == NC_NOERR && d <= rank; d++) {
    code = nc_inq_dimlen(file->id, dimensions[d], d < rank ? &lengths[d] : length);
    if (code != NC_NOERR) break;
    const size_t here = d < rank ? lengths[d] : *length;
    CUONN_CHECK(here <= RESULTS_VALUES_MAX / count, CUONN_E_DATA, "%s: %s is too large", file->path, variable->name);
    count *= here > 0 ? here : 1;
  }
  for (size_t d = 0; code == NC_NOERR && d < rank; d++) {
    CUONN_CHECK(lengths[from[d]] == over.dimensions[d].length, CUONN_E_DATA,
                "%s: %s has %zu texts along %s, it must have %zu", file->path, variable->name, lengths[from[d]],
                over.dimensions[d].name, over.dimensions[d].length);
  }
  CUONN_TRY_DONE(cuonn_allocate(&read, count, 1));
  CUONN_TRY_DONE(cuonn_allocate(texts, count, 1));
  results_expect(file, count);
  if (code == NC_NOERR) code = nc_get_var_text(file->id, id, read);
  if (code != NC_NOERR) status = results_netcdf_fail(CUONN_E_DATA, file, variable->name, code);
  if (code == NC_NOERR && *length > 0) results_reorder(*texts, read, *length, rank, lengths, from);
done:
  free(read);
  if (status != CUONN_OK) {
    free(*texts);
    *texts = NULL;
  }
  return status;
}
