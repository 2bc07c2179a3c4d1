/* The examples that a configuration names: images of four files, or fields of one file or two. */
#ifndef CUONN_CLI_DATA_H
#define CUONN_CLI_DATA_H

#include "cli/common.h"

/* Reads training and test set, fields with the waveguides of the network. Fields may have no training set where the
 * configuration names none. Release with cuonn_dataset_free(), also on failure.
 *  source  file whose configuration names the data, perhaps relative to another place than where we are; NULL: the user
 *          did
 *  option  whether the command has --data, for what to do where they are not there; else it has --set */
int cli_data_read(cuonn_dataset *out, const cuonn_config *config, const char *source, bool option);

/* The same, and checks them against features and classes. */
int cli_data_load(cuonn_dataset *out, const cuonn_config *config, const char *source, bool option);

/* Refuses an output that is a file of the data (cli/output.h). */
int cli_data_check_output(const char *output, const cuonn_config *config);

/* Sets what --data (another folder with the same files), --backend and --threads say; what is NULL is not given. */
int cli_data_configure(cuonn_config *config, const char *folder, const cli_options *options);

/* Folder or file, for messages; "images" or "fields". */
const char *cli_data_name(const cuonn_config *config);
const char *cli_data_kind(const cuonn_config *config);

#endif
