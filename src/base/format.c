/* What a file is by its first bytes. */
#include "base/format.h"

#include <stdbool.h>
#include <string.h>

enum { kLooked = 4096, kUserBlock = 512 };

typedef struct {
  format_kind kind;
  const char *name, *magic;
  size_t length;
} known;

#define MAGIC(text) text, sizeof(text) - 1
static const known formats[] = {
    {FORMAT_NPY, "a NumPy array (.npy)", MAGIC("\x93NUMPY")},
    {FORMAT_MAT_HDF5, "a MATLAB file of version 7.3 (.mat)", MAGIC("MATLAB 7.3")},
    {FORMAT_MAT, "a MATLAB file (.mat)", MAGIC("MATLAB 5.0")},
    {FORMAT_NETCDF, "a netCDF file", MAGIC("CDF\1")},
    {FORMAT_NETCDF, "a netCDF file", MAGIC("CDF\2")},
    {FORMAT_NETCDF, "a netCDF file", MAGIC("CDF\5")},
    {FORMAT_NETCDF, "a netCDF or HDF5 file", MAGIC("\211HDF\r\n\032\n")},
    {FORMAT_NAMED, "an Excel or LibreOffice table, or another ZIP archive", MAGIC("PK\3\4")},
    {FORMAT_NAMED, "compressed with gzip", MAGIC("\x1f\x8b")},
    {FORMAT_NAMED, "compressed with bzip2", MAGIC("BZh")},
    {FORMAT_NAMED, "compressed with xz",
     MAGIC("\xfd"
           "7zXZ")},
    {FORMAT_NAMED, "compressed with zstd", MAGIC("\x28\xb5\x2f\xfd")},
    {FORMAT_NAMED, "a PNG image", MAGIC("\x89PNG")},
    {FORMAT_NAMED, "a JPEG image", MAGIC("\xff\xd8\xff")},
    {FORMAT_NAMED, "a PDF document", MAGIC("%PDF")},
    {FORMAT_NAMED, "a Parquet table", MAGIC("PAR1")},
    {FORMAT_NAMED, "a program", MAGIC("\177ELF")},
    {FORMAT_NAMED, "a Python pickle", MAGIC("\x80\x02")},
    {FORMAT_NAMED, "a Python pickle", MAGIC("\x80\x03")},
    {FORMAT_NAMED, "a Python pickle", MAGIC("\x80\x04\x95")},
    {FORMAT_NAMED, "a Python pickle", MAGIC("\x80\x05\x95")},
};

/* The name of a ZIP archive's first member begins at byte 30; its length stands at byte 26. */
static bool zip_begins_with_npy(const unsigned char *bytes, size_t size) {
  if (size < 30) return false;
  const size_t length = bytes[26] | (size_t)bytes[27] << 8;
  return length >= 4 && 30 + length <= size && memcmp(bytes + 30 + length - 4, ".npy", 4) == 0;
}

/* 00 00, an element type, and the number of dimensions. */
static bool is_idx(const unsigned char *bytes, size_t size) {
  return size >= 8 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E && bytes[3] >= 1 &&
         bytes[3] <= 4;
}

/* Without control characters; bytes beyond ASCII may be of any encoding. */
static bool is_text(const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if ((bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r')) || bytes[i] == 0x7f) return false;
  }
  return size > 0;
}

format_kind format_of(const char **name, const unsigned char *bytes, size_t size) {
  *name = NULL;
  if (size > kLooked) size = kLooked;
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    const known *const f = &formats[i];
    if (size < f->length || memcmp(bytes, f->magic, f->length) != 0) continue;
    *name = f->name;
    if (memcmp(f->magic, "PK", 2) != 0 || !zip_begins_with_npy(bytes, size)) return f->kind;
    *name = "NumPy arrays (.npz)";
    return FORMAT_NPZ;
  }
  if (is_idx(bytes, size)) {
    *name = "an IDX file";
    return FORMAT_IDX;
  }
  if (size >= kUserBlock + 8 && memcmp(bytes + kUserBlock, "\211HDF\r\n\032\n", 8) == 0) {
    *name = "an HDF5 file behind a block of its writer";
    return FORMAT_NAMED;
  }
  if (is_text(bytes, size)) {
    *name = "text, such as CSV";
    return FORMAT_TEXT;
  }
  return FORMAT_UNKNOWN;
}
