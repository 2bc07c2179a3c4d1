/* What `cuonn completion` completes. */
#ifndef CUONN_CLI_COMPLETION_H
#define CUONN_CLI_COMPLETION_H

#include "cli/common.h"

/* Before the command runs: the commands that there are, with itself; ends with NULL. */
void cli_completion_of(const cli_command *const *all);

#endif
