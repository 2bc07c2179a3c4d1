/** @file dataset.h
 *  Labelled grey-scale images in IDX files (MNIST, Fashion-MNIST), gzipped or not.
 */
#ifndef CUONN_DATASET_H
#define CUONN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Images with their labels.  Fill it with cuonn_images_load(), release it with cuonn_images_free(). */
typedef struct cuonn_images {
  size_t n_examples; /**< number of images, at least 1 */
  size_t height;     /**< rows of pixels */
  size_t width;      /**< columns of pixels */
  uint8_t *pixels;   /**< [example][height][width], 0 = black, 255 = white */
  uint8_t *labels;   /**< [example], class number */
  char *source;      /**< path of the label file, for messages; may be NULL for images made in memory */
} cuonn_images;

/** A training and a test set of images of one size. */
typedef struct cuonn_dataset {
  cuonn_images train;
  cuonn_images test;
} cuonn_dataset;

/** Reads one image file and its label file in IDX format (http://yann.lecun.com/exdb/mnist, "file formats").
 *  A file that begins with the gzip magic is decompressed whatever its name; sizes are bounded before memory is taken.
 *  @param[out] out          filled on success, zeroed on failure; release with cuonn_images_free()
 *  @param[in] images_path   IDX file of unsigned bytes in 3 dimensions
 *  @param[in] labels_path   IDX file of unsigned bytes in 1 dimension, as many as there are images
 *  @return CUONN_OK; CUONN_E_IO if a file is missing or unreadable; CUONN_E_DATA if one is empty, truncated, longer than
 *          its header says, not IDX, of another element type or dimension, or the counts differ; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_images_load(cuonn_images *out, const char *images_path, const char *labels_path);

/** Refuses labels that no output stands for.
 *  @return CUONN_OK; CUONN_E_DATA naming the file, the first such example and its label if a label is >= n_classes */
CUONN_API cuonn_status cuonn_images_check_labels(const cuonn_images *images, size_t n_classes);

/** Releases what cuonn_images_load() made and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_images_free(cuonn_images *images);

/** Reads the four files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
 *  t10k-labels-idx1-ubyte, each with or without ".gz" (without is preferred), from a folder.
 *  @return as cuonn_images_load(); CUONN_E_DATA also if training and test images differ in size */
CUONN_API cuonn_status cuonn_dataset_load(cuonn_dataset *out, const char *folder);

/** What tells a data set from any other, as text: a line for each part ("training images", "training labels", "test images", "test
 *  labels") with its name, its size, and the hash of its bytes in their order (XXH3, 128 bits).
 *  @return to be released with free(); NULL if there is no memory */
CUONN_API char *cuonn_dataset_identity(const cuonn_dataset *dataset);

/** Compares what data sets were told to be by cuonn_dataset_identity().
 *  @return CUONN_OK; CUONN_E_DATA naming the first part that differs, with both sizes if these do */
CUONN_API cuonn_status cuonn_dataset_compare(const char *then, const char *now);

/** Releases both sets and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_dataset_free(cuonn_dataset *dataset);

#ifdef __cplusplus
}
#endif
#endif
