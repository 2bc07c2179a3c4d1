/** @file dataset.h
 *  Labelled examples: grey-scale images of IDX files (MNIST, Fashion-MNIST), gzipped or not, and fields.
 */
#ifndef CUONN_DATASET_H
#define CUONN_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/fields.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Examples with their labels: grey-scale images, or fields as they enter a mesh.  One of `pixels`, `grey` and
 *  `fields.values` is there.  Release with cuonn_examples_free(). */
typedef struct cuonn_examples {
  size_t n_examples;   /**< at least 1 */
  size_t height;       /**< rows of pixels; 0: fields */
  size_t width;        /**< columns of pixels */
  uint8_t *pixels;     /**< [example][height][width], 0 = black, 255 = white; NULL: other examples */
  uint8_t *labels;     /**< [example], class number */
  char *source;        /**< path of the file with the labels, for messages; may be NULL for examples made in memory */
  double *grey;        /**< [example][height][width] grey values in any scale; NULL: other examples */
  cuonn_fields fields; /**< of as many examples; zeroed: images */
} cuonn_examples;

/** A training and a test set of examples of one kind and size. */
typedef struct cuonn_dataset {
  cuonn_examples train;
  cuonn_examples test;
} cuonn_dataset;

/** Reads one image file and its label file in IDX format (http://yann.lecun.com/exdb/mnist, "file formats").
 *  A file that begins with the gzip magic is decompressed whatever its name; sizes are bounded before memory is taken.
 *  @param[out] out          filled on success, zeroed on failure; release with cuonn_examples_free()
 *  @param[in] images_path   IDX file in 3 dimensions; of unsigned bytes, which become `pixels`, or of any other of its
 *                           types (signed bytes, 16- and 32-bit integers, float, double), which become `grey`
 *  @param[in] labels_path   IDX file of integers 0..255 of any type in 1 dimension, as many as there are images
 *  @return CUONN_OK; CUONN_E_IO if a file is missing or unreadable; CUONN_E_DATA if one is empty, truncated, longer
 *          than its header says, not IDX, of an unknown element type or another dimension, or the counts differ;
 *          CUONN_E_NONFINITE naming the first grey value that is no number; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_images_load(cuonn_examples *out, const char *images_path, const char *labels_path);

/** Gives fields the waveguides of a network: first their own, then one with constant light, amplitude 1, if `reference`
 *  says so, then dark ones if `pad` allows any.
 *  @param[in,out] examples  fields of at most n_modes waveguides, with the reference
 *  @return CUONN_OK; CUONN_E_DATA naming what to change if they do not fit; CUONN_E_MEMORY.  On failure as it was. */
CUONN_API cuonn_status cuonn_examples_fit(cuonn_examples *examples, size_t n_modes, bool reference, bool pad);

/** Examples first .. first + count - 1 of others.  @return a view, which owns nothing and is not to be released */
CUONN_API cuonn_examples cuonn_examples_view(const cuonn_examples *all, size_t first, size_t count);

/** Refuses labels that no output stands for.
 *  @return CUONN_OK; CUONN_E_DATA naming the file, the first such example and its label if a label is >= n_classes */
CUONN_API cuonn_status cuonn_examples_check_labels(const cuonn_examples *images, size_t n_classes);

/** Releases the arrays and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_examples_free(cuonn_examples *images);

/** Names of the four files of a data set of images, in the order of cuonn_dataset_load(). */
#define CUONN_DATASET_FILES 4

/** Reads the four files train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
 *  t10k-labels-idx1-ubyte, or those of other names, each with or without ".gz" (without is preferred), from a folder.
 *  @param[in] names  NULL: these; a name that begins with "/" is not looked up in the folder
 *  @return as cuonn_images_load(); CUONN_E_DATA also if training and test images differ in size */
CUONN_API cuonn_status cuonn_dataset_load(cuonn_dataset *out, const char *folder,
                                          const char *const names[CUONN_DATASET_FILES]);

/** Splits a share of fields off for tests: round(share x n) of them, at least one, drawn without replacement by the
 *  seed. Both parts keep the order of the whole; the same seed and number of examples give the same parts on every
 *  machine.
 *  @param[out] out    release with cuonn_dataset_free()
 *  @param[in] all     fields
 *  @param[in] share   in (0, 1)
 *  @return CUONN_OK; CUONN_E_DATA if either part would be empty; CUONN_E_MEMORY */
CUONN_API cuonn_status cuonn_dataset_split(cuonn_dataset *out, const cuonn_examples *all, double share, uint64_t seed);

/** What identifies a data set, as text: a line for each part ("training images", "training labels", "test
 *  images", "test labels") with its name, its size, and the hash of its bytes in their order (XXH3, 128 bits).
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
