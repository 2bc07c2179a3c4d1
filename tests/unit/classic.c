/* Headers of classic netCDF files that are damaged, or made to do harm: the walk refuses what libnetcdf must not
 * see. */
#include "results/classic.h"

#include <netcdf.h>
#include <netcdf_mem.h>
#include <stdint.h>
#include <stdio.h>
#include <xxhash.h>

#include "cuonn/files.h"
#include "results/store.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/foreign.h"

enum { kTrailer = 32, kData = 92 }; /* bytes of a trailer; of the data of the file below */

/* A file with all that a header can hold: attributes of every type, records, dimensions, a single number. */
static void write_rich(const char *path, int format) {
  int file, record, three, two, id;
  const int wide[] = {NC_BYTE,  NC_CHAR,   NC_SHORT, NC_INT,   NC_FLOAT, NC_DOUBLE,
                      NC_UBYTE, NC_USHORT, NC_UINT,  NC_INT64, NC_UINT64};
  const double numbers[] = {1, 2, 3, 4, 5, 6};
  const size_t start[] = {0, 0}, count[] = {2, 3};
  NC(nc_create(path, NC_CLOBBER | format, &file));
  NC(nc_def_dim(file, "record", NC_UNLIMITED, &record));
  NC(nc_def_dim(file, "three", 3, &three));
  NC(nc_def_dim(file, "two", 2, &two));
  for (size_t i = 0; i < (format == NC_CDF5 ? 11 : 6); i++) {
    char name[16];
    snprintf(name, sizeof name, "a%zu", i);
    if (wide[i] == NC_CHAR) {
      NC(nc_put_att_text(file, NC_GLOBAL, name, 5, "hello"));
    } else {
      NC(nc_put_att_double(file, NC_GLOBAL, name, wide[i], 3, numbers));
    }
  }
  NC(nc_def_var(file, "fixed", NC_DOUBLE, 2, (const int[]){two, three}, &id));
  NC(nc_put_att_text(file, id, "units", 3, "rad"));
  NC(nc_def_var(file, "single", NC_INT, 0, NULL, &id));
  NC(nc_def_var(file, "short", NC_SHORT, 1, &three, &id));
  NC(nc_def_var(file, "long", NC_FLOAT, 2, (const int[]){record, three}, &id));
  NC(nc_def_var(file, "odd", NC_BYTE, 1, &record, &id));
  NC(nc_enddef(file));
  NC(nc_put_vara_double(file, 3, start, count, numbers));
  NC(nc_close(file));
}

/* Opens bytes that the walk let through, and reads all of it, as libnetcdf's users do. */
static void read_all(const unsigned char *bytes, size_t size) {
  int file, n_dimensions, n_variables, n_attributes;
  unsigned char *const copy = calloc(size + RESULTS_SLACK, 1);
  assert_non_null(copy);
  memcpy(copy, bytes, size);
  if (nc_open_mem("bytes", NC_NOWRITE, size + RESULTS_SLACK, copy, &file) == NC_NOERR) {
    NC(nc_inq(file, &n_dimensions, &n_variables, &n_attributes, NULL));
    for (int v = 0; v < n_variables; v++) {
      int rank, ids[NC_MAX_VAR_DIMS];
      size_t count = 1, length;
      NC(nc_inq_var(file, v, NULL, NULL, &rank, ids, NULL));
      for (int d = 0; d < rank; d++) {
        NC(nc_inq_dimlen(file, ids[d], &length));
        count = length > 0 && count > SIZE_MAX / length ? SIZE_MAX : count * length;
      }
      if (count > size) continue; /* of records that there are not */
      double *const values = calloc(count + 1, sizeof *values);
      assert_non_null(values);
      (void)nc_get_var_double(file, v, values); /* text has none */
      free(values);
    }
    nc_close(file);
  }
  free(copy);
}

static void test_walk__every_byte_of_a_header_changed(void **s) {
  (void)s;
  const int formats[] = {0, NC_64BIT_OFFSET, NC_CDF5};
  for (size_t f = 0; f < 3; f++) {
    size_t size, end, refused = 0, taken = 0;
    write_rich("rich.nc", formats[f]);
    unsigned char *const bytes = file_bytes(&size, "rich.nc");
    assert_non_null(bytes);
    OK(results_classic_end(&end, bytes, size, "rich.nc"));
    for (size_t at = 4; at < size - kData; at++) {
      const unsigned char old = bytes[at];
      for (unsigned change = 1; change < 256; change++) {
        const bool bit = (change & (change - 1)) == 0; /* all changes of the first format, single bits of the others */
        if (f > 0 && !bit && change != 255) continue;
        bytes[at] = old ^ (unsigned char)change;
        if (results_classic_end(&end, bytes, size, "rich.nc") != CUONN_OK) {
          refused++;
          continue;
        }
        assert_true(end <= size + 3);
        taken++;
        read_all(bytes, size);
      }
      bytes[at] = old;
    }
    assert_true(refused > 1000 && taken > 1000);
    for (size_t cut = 0; cut < size - 3; cut++)
      assert_int_not_equal(results_classic_end(&end, bytes, cut, "cut.nc"), CUONN_OK);
    free(bytes);
  }
}

/* Where a name stands. */
static size_t find(const unsigned char *bytes, size_t size, const char *marker) {
  const size_t length = strlen(marker);
  for (size_t i = 0; i + length <= size; i++)
    if (memcmp(bytes + i, marker, length) == 0) return i;
  fail_msg("no %s in the header", marker);
  return 0;
}

static void put(unsigned char *at, unsigned width, uint64_t number) {
  for (unsigned i = 0; i < width; i++) at[i] = (unsigned char)(number >> 8 * (width - 1 - i));
}

static void test_walk__refuses_what_cannot_be(void **s) {
  (void)s;
  size_t size, end;
  write_rich("rich.nc", 0); /* CDF-1: counts and offsets of 4 bytes */
  unsigned char *const good = file_bytes(&size, "rich.nc");
  assert_non_null(good);
  unsigned char *const bytes = malloc(size);
  assert_non_null(bytes);
  const size_t three = find(good, size, "three"), units = find(good, size, "units"),
               shorter = find(good, size, "short");
  const struct {
    const char *what;
    size_t at;
    uint64_t number;
  } cases[] = {
      {"records that the file does not hold", 4, 1000000},
      {"records beyond all numbers", 4, 0xfffffffe},
      {"a list that is none", 8, 13},
      {"more dimensions than bytes", 12, 0x7fffffff},
      {"a negative number of dimensions", 12, 0xffffff00},
      {"a name longer than any", three - 4, 300},
      {"a name without letters", three - 4, 0},
      {"a name with a zero byte", three, 0x61006262},
      {"a second dimension of records", three + 8, 0},
      {"a length beyond 31 bits", three + 8, 0x80000000},
      {"a length that the file does not hold", three + 8, 1000},
      {"an attribute of no type", units + 8, 0},
      {"an attribute of a type of CDF-5", units + 8, 11},
      {"an attribute longer than the file", units + 12, 0x7fffffff},
      {"a variable of more dimensions than are read", shorter + 8, 2000},
      {"a dimension that there is not", shorter + 12, 3},
      {"a variable of no type", shorter + 24, 7},
      {"data in the header", shorter + 32, 40},
      {"data behind the end", shorter + 32, (uint64_t)size},
      {"data at a negative place", shorter + 32, 0xfffffff0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    memcpy(bytes, good, size);
    put(bytes + cases[i].at, 4, cases[i].number);
    if (results_classic_end(&end, bytes, size, "bad.nc") != CUONN_E_DATA) fail_msg("%s is let through", cases[i].what);
  }
  free(bytes);
  free(good);
}

/* Every reader, with a trailer that is right: anyone can make one. */
static void test_walk__stands_before_every_reader(void **s) {
  (void)s;
  unsigned char bytes[512];
  char hex[1024];
  FILE *const in = fopen(CUONN_SOURCE_DIR "/tests/cases/many-dimensions.nc.hex", "r");
  assert_non_null(in);
  assert_non_null(fgets(hex, sizeof hex, in));
  fclose(in);
  size_t size = 0;
  for (unsigned byte; sscanf(hex + 2 * size, "%2x", &byte) == 1; size++) bytes[size] = (unsigned char)byte;
  assert_int_equal(size, 112);
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, size - kTrailer));
  assert_memory_equal(bytes + size - 16, hash.digest, 16);
  assert_int_equal(file_put("many.nc", bytes, size), 0);
  assert_int_equal(file_put("foreign.nc", bytes, size - kTrailer), 0);

  static const char *const paths[] = {"many.nc", "foreign.nc"};
  for (size_t i = 0; i < 2; i++) {
    const char *const path = paths[i], *const text = "its netCDF header cannot be followed";
    cuonn_training_state state;
    cuonn_network network;
    cuonn_mesh_gradient *gradients, *exact;
    cuonn_fields fields;
    cuonn_mesh mesh;
    cuonn_sweep_record record;
    cuonn_energy_point *points;
    double *numbers;
    uint8_t *labels;
    size_t epoch;
    cuonn_origin origin;
    size_t n, m;
    REFUSED(cuonn_unitary_read(&numbers, &n, path), CUONN_E_DATA, text);
    REFUSED(cuonn_mesh_read(&mesh, path), CUONN_E_DATA, text);
    REFUSED(cuonn_network_read(&network, path), CUONN_E_DATA, text);
    REFUSED(cuonn_fields_read(&fields, path, "input"), CUONN_E_DATA, text);
    REFUSED(cuonn_labels_read(&labels, &n, path), CUONN_E_DATA, text);
    REFUSED(cuonn_checkpoint_read(&state, &epoch, &origin, path), CUONN_E_DATA, text);
    REFUSED(cuonn_gradient_read(&gradients, &exact, &n, &m, &m, path), CUONN_E_DATA, text);
    REFUSED(cuonn_sweep_read(&record, path), CUONN_E_DATA, text);
    REFUSED(cuonn_energy_read(&numbers, &points, &n, path), CUONN_E_DATA, text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_walk__every_byte_of_a_header_changed),
      cmocka_unit_test(test_walk__refuses_what_cannot_be),
      cmocka_unit_test(test_walk__stands_before_every_reader),
  };
  return cmocka_run_group_tests_name("classic", tests, folder_enter, folder_leave);
}
