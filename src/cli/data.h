/* The data set that a configuration names, and whether it is the one that something was trained on. */
#ifndef CUONN_CLI_DATA_H
#define CUONN_CLI_DATA_H

#include "cuonn/cuonn.h"

/* Reads the data in a folder.
 *  source  file whose configuration names the folder, perhaps relative to another place than where we are; NULL: the user did
 *  option  how the user names another, such as "--data DIR" */
int cli_load_data(cuonn_dataset *out, const char *folder, const char *source, const char *option);

#endif
