/* Files that are no netCDF: what they are, and what converts them.
 *
 * An error is one line, so the lines of Python stand in one, for a shell; docs/own-data.md and docs/files.md have them
 * line by line. */
#include "results/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"

enum { kCode = 1536 };

/* A text that grows up to its room. */
typedef struct {
  char text[kCode];
  size_t length;
} code;

__attribute__((format(printf, 2, 3))) static void add(code *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(out->text + out->length, kCode - out->length, format, arguments);
  va_end(arguments);
  if (n > 0) out->length += (size_t)n < kCode - out->length ? (size_t)n : kCode - out->length - 1;
}

/* How the columns of a text are parted, and whether a heading stands above them: as Python would say it. */
static void add_text_options(code *out, const unsigned char *bytes, size_t size) {
  size_t line = 0;
  bool heading = false;
  while (line < size && bytes[line] != '\n') line++;
  for (size_t i = 0; i < line; i++)
    heading |= strchr("\"abcdfghiklmopqrstuvwxyz", bytes[i] | 0x20) != NULL && bytes[i] > '@';
  if (memchr(bytes, ',', line))
    add(out, ", delimiter=\",\"");
  else if (memchr(bytes, ';', line))
    add(out, ", delimiter=\";\"");
  if (heading) add(out, ", skiprows=1");
}

/* a = the array of the file. */
static void add_load(code *out, format_kind kind, const char *path, bool complex, const unsigned char *bytes,
                     size_t size) {
  switch (kind) {
    case FORMAT_NPY: add(out, "a = np.load(\"%s\")", path); break;
    case FORMAT_NPZ: add(out, "f = np.load(\"%s\"); a = f[f.files[0]]", path); break;
    case FORMAT_MAT: add(out, "f = scipy.io.loadmat(\"%s\"); a = [f[k] for k in f if k[0] != \"_\"][0]", path); break;
    case FORMAT_MAT_HDF5:
      add(out, "f = h5py.File(\"%s\"); a = [f[k][()].T for k in f if k[0] != \"#\"][0]", path);
      if (complex) add(out, "; a = a[\"real\"] + 1j * a[\"imag\"]");
      break;
    default:
      add(out, "a = np.loadtxt(\"%s\"%s", path, complex ? ", dtype=complex" : "");
      add_text_options(out, bytes, size);
      add(out, ")");
  }
}

/* "theta": (["node"], a[0]). */
static void add_variable(code *out, const results_variable *v, size_t i, size_t n_forms, bool complex) {
  add(out, "%s\"%s\": ([", i ? ", " : "", v->name);
  for (size_t d = 0; v->dimensions[d].name; d++) add(out, "%s\"%s\"", d ? ", " : "", v->dimensions[d].name);
  if (n_forms > 1)
    add(out, "], a[%zu])", i);
  else
    add(out, "], %s)", complex ? "np.stack([a.real, a.imag], -1)" : "a");
}

/* The name of the converted file: with .nc in place of what stands behind the last point. */
static void add_goal(code *out, const char *path) {
  const char *const slash = strrchr(path, '/'), *const point = strrchr(path, '.');
  const bool ending = point && (!slash || point > slash + 1) && point > path;
  add(out, "\"%.*s.nc\"", (int)(ending ? (size_t)(point - path) : strlen(path)), path);
}

cuonn_status results_refuse_format(const char *path, const unsigned char *bytes, size_t size,
                                   const results_variable *forms, size_t n_forms) {
  const char *name;
  const format_kind kind = format_of(&name, bytes, size);
  const bool arrays =
      kind == FORMAT_NPY || kind == FORMAT_NPZ || kind == FORMAT_MAT || kind == FORMAT_MAT_HDF5 || kind == FORMAT_TEXT;
  CUONN_CHECK(name, CUONN_E_DATA, "%s: is not a netCDF file", path);
  CUONN_CHECK(n_forms > 0, CUONN_E_DATA, "%s: is not a netCDF file, but %s", path, name);
  const bool own = strcmp(forms->name, "input") == 0 || strcmp(forms->name, "label") == 0;
  const char *const page = own ? "docs/own-data.md" : "docs/files.md#from-other-formats";
  CUONN_CHECK(arrays, CUONN_E_DATA, "%s: is not a netCDF file, but %s; see %s", path, name, page);
  size_t rank = 0;
  while (forms->dimensions[rank].name) rank++;
  const bool complex = rank > 0 && strcmp(forms->dimensions[rank - 1].name, "complex") == 0;
  code out = {.length = 0};
  add(&out, "import numpy as np, %sxarray as xr; ",
      kind == FORMAT_MAT        ? "scipy.io, "
      : kind == FORMAT_MAT_HDF5 ? "h5py, "
                                : "");
  add_load(&out, kind, path, complex, bytes, size);
  add(&out, "; xr.Dataset({");
  for (size_t i = 0; i < n_forms; i++) add_variable(&out, &forms[i], i, n_forms, complex);
  add(&out, "}).to_netcdf(");
  add_goal(&out, path);
  add(&out, ")");
  return cuonn_fail(CUONN_E_DATA, "%s: is not a netCDF file, but %s; convert it: python3 -c '%s', see %s", path, name,
                    out.text, page);
}
