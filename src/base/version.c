/* Version and build of the library, and of the libraries under it. */
#include "cuonn/version.h"

#include <cblas.h>
#include <lapacke.h>
#include <netcdf.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <xxhash.h>
#include <yaml.h>
#include <zlib.h>

#include "base/machine.h"

const char *cuonn_version(void) { return CUONN_VERSION; }

const char *cuonn_build(void) {
#ifdef __SANITIZE_ADDRESS__
  return CUONN_COMPILER ", " CUONN_BUILD_TYPE ", sanitizers";
#else
  return CUONN_COMPILER ", " CUONN_BUILD_TYPE;
#endif
}

static char libraries[512];
static once_flag libraries_once = ONCE_FLAG_INIT;

/* Asks the libraries that are loaded, which need not be those whose headers were compiled. Random123 is headers alone
 * and carries no number; libdeflate does not tell its own. */
static void ask_libraries(void) {
  const char *netcdf = nc_inq_libvers();        /* "4.9.0 of <date> $" */
  const char *openblas = openblas_get_config(); /* "OpenBLAS 0.3.21 <options>" */
  const unsigned xxhash = XXH_versionNumber();
  lapack_int lapack[3];
  LAPACKE_ilaver(&lapack[0], &lapack[1], &lapack[2]);
  snprintf(libraries, sizeof libraries,
           "libyaml %s, netCDF %.*s, %s, LAPACK %d.%d.%d, zlib %s, xxHash %u.%u.%u, libdeflate, Random123",
           yaml_get_version_string(), (int)strcspn(netcdf, " "), netcdf, openblas, (int)lapack[0], (int)lapack[1],
           (int)lapack[2], zlibVersion(), xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
}

const char *cuonn_libraries(void) {
  call_once(&libraries_once, ask_libraries);
  return libraries;
}

const char *cuonn_processor(void) { return machine_processor(); }
