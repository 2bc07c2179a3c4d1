/* netCDF-4 files, which are HDF5: read in a child process first, which may die of them; the program may not. */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 4 || memcmp(bytes, "\211HDF", 4) != 0) return -1; /* not worth keeping: refused by its first bytes */
  cuonn_mesh mesh;
  if (cuonn_mesh_read(&mesh, input_file(0, bytes, size)) == CUONN_OK) cuonn_mesh_free(&mesh);
  return 0;
}
