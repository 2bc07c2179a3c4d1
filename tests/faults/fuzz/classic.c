/* Classic netCDF files: any header and data, as they are and with a right trailer of ours. */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 3 || memcmp(bytes, "CDF", 3) != 0) return -1; /* not worth keeping: refused by its first bytes */
  read_in_every_way(input_file(0, bytes, size));
  read_in_every_way(input_with_trailer(1, bytes, size));
  return 0;
}
