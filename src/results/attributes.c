#include "results/attributes.h"

#include <math.h>
#include <netcdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { kTextMax = 1 << 24 };

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

/* Type and length of an attribute of a variable, or NC_GLOBAL, the file; NC_NAT where there is none. */
static cuonn_status attribute_kind(nc_type *type, size_t *length, const results_file *file, int variable,
                                   const char *attribute) {
  const int code = nc_inq_att(file->id, variable, attribute, type, length);
  if (code == NC_ENOTATT) {
    *type = NC_NAT;
    return CUONN_OK;
  }
  return code == NC_NOERR ? CUONN_OK : results_netcdf_fail(CUONN_E_DATA, file, attribute, code);
}

cuonn_status results_get_text(char **text, const results_file *file, const char *attribute) {
  return results_get_text_of(text, file, NC_GLOBAL, attribute);
}

cuonn_status results_get_text_of(char **text, const results_file *file, int variable, const char *attribute) {
  nc_type type;
  size_t length;
  *text = NULL;
  CUONN_TRY(attribute_kind(&type, &length, file, variable, attribute));
  if (type == NC_NAT) return CUONN_OK;
  CUONN_CHECK(type == NC_CHAR || (type == NC_STRING && length == 1), CUONN_E_DATA, "%s: attribute %s must be one text",
              file->path, attribute);
  CUONN_CHECK(length <= kTextMax, CUONN_E_DATA, "%s: attribute %s has %zu bytes; at most %d are read", file->path,
              attribute, length, kTextMax);
  int code;
  if (type == NC_STRING) {
    char *string = NULL;
    code = nc_get_att_string(file->id, variable, attribute, &string);
    if (code == NC_NOERR) {
      *text = strdup(string ? string : "");
      nc_free_string(1, &string);
    }
  } else {
    *text = calloc(length + 1, 1);
    code = *text ? nc_get_att_text(file->id, variable, attribute, *text) : NC_ENOMEM;
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
  CUONN_TRY(attribute_kind(&type, &length, file, NC_GLOBAL, attribute));
  *found = type != NC_NAT;
  if (!*found) return CUONN_OK;
  CUONN_CHECK(type != NC_CHAR && type <= NC_UINT64 && length == 1, CUONN_E_DATA, "%s: attribute %s must be one number",
              file->path, attribute);
  const int code = nc_get_att_double(file->id, NC_GLOBAL, attribute, number);
  if (code != NC_NOERR) return results_netcdf_fail(CUONN_E_DATA, file, attribute, code);
  CUONN_CHECK(isfinite(*number), CUONN_E_NONFINITE, "%s: attribute %s is %g", file->path, attribute, *number);
  return CUONN_OK;
}
