/* Sets of images with labels from IDX files. */
#ifndef CUONN_DATASET_IDX_H
#define CUONN_DATASET_IDX_H

#include <stddef.h>

#include "cuonn/dataset.h"

/* Two sets at most: to train on and to test with. */
enum { IDX_SETS = 2 };

/* Reads the files of n_sets sets side by side; then as cuonn_images_load(), and the same failure as if they were read
 * one after the other.
 *  out    [n_sets] filled on success, zeroed on failure
 *  paths  [n_sets][2] of images, of labels */
cuonn_status idx_load(cuonn_examples *const *out, const char *const (*paths)[2], size_t n_sets);

#endif
