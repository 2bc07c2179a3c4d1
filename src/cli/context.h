/* Contexts of commands: the backend that a configuration or options name, and the devices that it computes on. */
#ifndef CUONN_CLI_CONTEXT_H
#define CUONN_CLI_CONTEXT_H

#include "cli/common.h"

/* Devices that one process computes on. */
enum { CLI_DEVICES_MAX = 64 };
typedef struct {
  int numbers[CLI_DEVICES_MAX];
  size_t count; /* at least 1 */
} cli_devices;

/* Which of the processes of one machine, which share its devices, this is: {0, 1} if it is alone. */
typedef struct {
  size_t number, of;
} cli_place;

/* The context that a configuration names, for its network, whose shape is known. Several devices are refused. */
int cli_context_open(cuonn_context **out, const cuonn_config *config);

/* The same for a process that may compute on several: a context of the first, and all that fall to it. Without
 * backend.devices that is one; the processes of a machine take turns. */
int cli_context_open_first(cuonn_context **out, cli_devices *devices, const cuonn_config *config, cli_place place);

/* Refuses more than one device, for commands that compute on one. */
int cli_context_check_one(const cli_devices *devices, const cuonn_config *config);

/* The context of a configuration on that device. */
int cli_context_open_on(cuonn_context **out, const cuonn_config *config, int device);

/* A context from --backend, --threads and --devices, for meshes of a size and shape; without them, the reference
 * backend. */
int cli_context_create(cuonn_context **out, const cli_options *options, size_t n_modes, const cuonn_mesh_shape *shape);

#endif
