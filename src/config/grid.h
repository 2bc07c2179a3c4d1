/* Lists of a grid, while it is read. */
#ifndef CUONN_CONFIG_GRID_H
#define CUONN_CONFIG_GRID_H

#include "config/key.h"
#include "cuonn/grid.h"

/* The axis of a key; NULL if it has no list. */
cuonn_grid_axis *config_grid_axis(const cuonn_grid *grid, const config_key *key);

/* Takes the key's list away, if it has one. */
void config_grid_drop(cuonn_grid *grid, const config_key *key);

/* Appends the value that `holder` has for a sweepable key. CUONN_E_CONFIG if there are too many. */
cuonn_status config_grid_append(cuonn_grid *grid, const config_key *key, const cuonn_config *holder);

/* Puts a key into a group of sweep.zip. CUONN_E_CONFIG if there is no such key, or it stands there already. */
cuonn_status config_grid_zip(cuonn_grid *grid, const char *path, size_t length, size_t group);

#endif
