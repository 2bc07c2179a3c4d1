#include "cli/data.h"

#include <unistd.h>

#include "cli/common.h"

int cli_load_data(cuonn_dataset *out, const char *folder, const char *source, const char *option) {
  const cuonn_status status = cuonn_dataset_load(out, folder);
  if (status == CUONN_OK) return CLI_DONE;
  if (status != CUONN_E_IO || !source || access(folder, F_OK) == 0) return cli_fail_library(status);
  if (folder[0] == '/')
    return cli_fail(CLI_BAD_FILE, "%s: there is no such folder, which data.path in %s names; give it with %s", folder,
                    source, option);
  return cli_fail(
      CLI_BAD_FILE,
      "%s: there is no such folder here; data.path in %s is relative to where the run was started: give the folder "
      "with %s",
      folder, source, option);
}
