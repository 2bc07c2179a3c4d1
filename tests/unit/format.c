/* Files of other kinds: recognized by their bytes, and refused with what converts them. */
#include "base/format.h"

#include <stdint.h>

#include "cuonn/config.h"
#include "cuonn/files.h"
#include "support/close.h"
#include "support/folder.h"

enum { kBytes = 1024 };

typedef struct {
  const char *begin;
  size_t length;
  format_kind kind;
  const char *name;
} example;

#define BYTES(text) text, sizeof(text) - 1
static const example examples[] = {
    {BYTES("\x93NUMPY\1\0v\0{'descr': '<c16', 'fortran_order': False, 'shape': (4, 4), }\n\0\0\0"), FORMAT_NPY,
     "a NumPy array (.npy)"},
    {BYTES("PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\5\0\24\0a.npy\1\0\20\0"), FORMAT_NPZ,
     "NumPy arrays (.npz)"},
    {BYTES("PK\3\4\24\0\6\0\10\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\23\0\10\2[Content_Types].xml"), FORMAT_NAMED,
     "an Excel or LibreOffice table, or another ZIP archive"},
    {BYTES("MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024\0\0\0"), FORMAT_MAT,
     "a MATLAB file (.mat)"},
    {BYTES("MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 HDF5\0\0"), FORMAT_MAT_HDF5,
     "a MATLAB file of version 7.3 (.mat)"},
    {BYTES("0.5,1e-3\n-2,3\n"), FORMAT_TEXT, "text, such as CSV"},
    {BYTES("re,im\r\n1,2\r\n"), FORMAT_TEXT, "text, such as CSV"},
    {BYTES("1+2j 3-4j\n\303\251\n"), FORMAT_TEXT, "text, such as CSV"},
    {BYTES("\0\0\x08\3\0\0\0\2\0\0\0\x1c\0\0\0\x1c\0\0"), FORMAT_IDX, "an IDX file"},
    {BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3"), FORMAT_NAMED, "compressed with gzip"},
    {BYTES("\x89PNG\r\n\032\n\0\0\0\rIHDR"), FORMAT_NAMED, "a PNG image"},
    {BYTES("\x80\4\x95\20\0\0\0\0\0\0\0]"), FORMAT_NAMED, "a Python pickle"},
    {BYTES("\1\2\3\4\5\6\7\10"), FORMAT_UNKNOWN, NULL},
};
enum { kExamples = sizeof examples / sizeof *examples };

static void test_format__known_by_its_bytes(void **s) {
  (void)s;
  const char *name;
  for (size_t i = 0; i < kExamples; i++) {
    const example *const e = &examples[i];
    assert_int_equal(format_of(&name, (const unsigned char *)e->begin, e->length), e->kind);
    if (e->name) assert_string_equal(name, e->name);
    if (!e->name) assert_null(name);
    for (size_t length = 0; length < e->length; length++) { /* bytes behind a cut are not looked at */
      unsigned char *const cut = malloc(length + 1);
      assert_non_null(cut);
      memcpy(cut, e->begin, length);
      unsigned char *const exact = realloc(cut, length > 0 ? length : 1);
      format_of(&name, exact, length);
      free(exact);
    }
  }
  /* HDF5 behind another program's block */
  unsigned char block[kBytes] = {1, 2, 3};
  memcpy(block + 512, "\211HDF\r\n\032\n", 8);
  assert_int_equal(format_of(&name, block, sizeof block), FORMAT_NAMED);
  assert_string_equal(name, "an HDF5 file behind a block of its writer");
}

static void put(const char *path, size_t i) {
  assert_int_equal(file_put(path, examples[i].begin, examples[i].length), 0);
}

static void test_format__every_reader_says_what_it_is(void **s) {
  (void)s;
  cuonn_training_state state;
  cuonn_network network;
  cuonn_fields fields;
  cuonn_mesh mesh;
  double *matrix;
  uint8_t *labels;
  size_t epoch;
  cuonn_origin origin;
  size_t n;
  for (size_t i = 0; i < kExamples; i++) {
    char text[128];
    snprintf(text, sizeof text, "other.bin: is not a netCDF file%s%s", examples[i].name ? ", but " : "",
             examples[i].name ? examples[i].name : "");
    put("other.bin", i);
    REFUSED(cuonn_unitary_read(&matrix, &n, "other.bin"), CUONN_E_DATA, text);
    REFUSED(cuonn_mesh_read(&mesh, "other.bin"), CUONN_E_DATA, text);
    REFUSED(cuonn_network_read(&network, "other.bin"), CUONN_E_DATA, text);
    REFUSED(cuonn_fields_read(&fields, "other.bin", "input"), CUONN_E_DATA, text);
    REFUSED(cuonn_labels_read(&labels, &n, "other.bin"), CUONN_E_DATA, text);
    REFUSED(cuonn_checkpoint_read(&state, &epoch, &origin, "other.bin"), CUONN_E_DATA, text);
  }
}

static void test_format__lines_that_convert(void **s) {
  (void)s;
  cuonn_fields fields;
  cuonn_mesh mesh;
  double *matrix;
  uint8_t *labels;
  size_t n;
  put("u.npy", 0);
  REFUSED(cuonn_unitary_read(&matrix, &n, "u.npy"), CUONN_E_DATA,
          "convert it: python3 -c 'import numpy as np, xarray as xr; a = np.load(\"u.npy\"); xr.Dataset({\"unitary\": "
          "([\"row\", \"column\", \"complex\"], np.stack([a.real, a.imag], -1))}).to_netcdf(\"u.nc\")', see "
          "docs/files.md#from-other-formats");
  put("x.npz", 1);
  REFUSED(
      cuonn_fields_read(&fields, "x.npz", "input"), CUONN_E_DATA,
      "f = np.load(\"x.npz\"); a = f[f.files[0]]; xr.Dataset({\"input\": ([\"example\", \"waveguide\", \"complex\"]");
  REFUSED(cuonn_fields_read(&fields, "x.npz", "input"), CUONN_E_DATA, "see docs/own-data.md");
  put("m.mat", 3);
  REFUSED(cuonn_mesh_read(&mesh, "m.mat"), CUONN_E_DATA,
          "xr.Dataset({\"theta\": ([\"node\"], a[0]), \"phi\": ([\"node\"], a[1])}).to_netcdf(\"m.nc\")");
  REFUSED(cuonn_mesh_read(&mesh, "m.mat"), CUONN_E_DATA,
          "import numpy as np, scipy.io, xarray as xr; f = scipy.io.load");
  put("m.mat", 4);
  REFUSED(cuonn_unitary_read(&matrix, &n, "m.mat"), CUONN_E_DATA,
          "import numpy as np, h5py, xarray as xr; f = h5py.File");
  put("table", 5);
  REFUSED(cuonn_labels_read(&labels, &n, "table"), CUONN_E_DATA,
          "a = np.loadtxt(\"table\", delimiter=\",\"); xr.Dataset({\"label\": ([\"example\"], "
          "a)}).to_netcdf(\"table.nc\")");
  put("table", 6);
  REFUSED(cuonn_labels_read(&labels, &n, "table"), CUONN_E_DATA, "np.loadtxt(\"table\", delimiter=\",\", skiprows=1)");
  put("table", 7);
  REFUSED(cuonn_unitary_read(&matrix, &n, "table"), CUONN_E_DATA, "np.loadtxt(\"table\", dtype=complex); xr");
}

static void test_format__a_configuration_is_none_of_them(void **s) {
  (void)s;
  cuonn_config config;
  cuonn_config_init(&config);
  put("u.npy", 0);
  REFUSED(cuonn_config_read(&config, "u.npy"), CUONN_E_CONFIG,
          "u.npy: is a NumPy array (.npy), not a configuration, which is text in YAML");
  assert_int_equal(file_put("last.nc", "CDF\2\0\0\0\0", 8), 0);
  REFUSED(cuonn_config_read(&config, "last.nc"), CUONN_E_CONFIG, "last.nc: is a netCDF file, not a configuration");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_format__known_by_its_bytes),
      cmocka_unit_test(test_format__every_reader_says_what_it_is),
      cmocka_unit_test(test_format__lines_that_convert),
      cmocka_unit_test(test_format__a_configuration_is_none_of_them),
  };
  return cmocka_run_group_tests_name("format", tests, folder_enter, folder_leave);
}
