/* Classic netCDF files: any header and data, with a right trailer of ours and as they are. The latter are read in a
 * child process first, which takes longer, so that one reader must do. */
#include "readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 3 || memcmp(bytes, "CDF", 3) != 0) return -1; /* not worth keeping: refused by its first bytes */
  read_in_every_way(input_with_trailer(0, bytes, size));
  cuonn_mesh mesh;
  if (cuonn_mesh_read(&mesh, input_file(1, bytes, size)) == CUONN_OK) cuonn_mesh_free(&mesh);
  return 0;
}
