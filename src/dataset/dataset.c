/* Training and test set: the four files of a folder of images, or fields split in two. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "cuonn/dataset.h"
#include "dataset/idx.h"

/* The four files of a data set; each may carry ".gz". */
static const char *const kNames[CUONN_DATASET_FILES] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* Stands for the epoch in the permutation that splits, which no training reaches. */
static const uint32_t kSplit = UINT32_MAX;

/* *out: folder/name if that exists, else folder/name.gz; release with free(). */
static cuonn_status find_file(char **out, const char *folder, const char *const names[CUONN_DATASET_FILES], size_t i) {
  static const char *const endings[] = {"", ".gz"};
  const bool absolute = names[i][0] == '/';
  int missing = 0;
  *out = NULL;
  for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
    char *path;
    CUONN_CHECK(asprintf(&path, "%s%s%s%s", absolute ? "" : folder, absolute ? "" : "/", names[i], endings[k]) >= 0,
                CUONN_E_MEMORY, "%s: not enough memory for the name of a file in it", folder);
    if (access(path, F_OK) == 0) {
      *out = path;
      return CUONN_OK;
    }
    missing = errno;
    free(path);
  }
  return cuonn_fail(CUONN_E_IO,
                    "%s: has no %s[.gz] (%s); a data folder holds %s, %s, %s and %s, each plain or with .gz", folder,
                    names[i], strerror(missing), names[0], names[1], names[2], names[3]);
}

cuonn_status cuonn_dataset_load(cuonn_dataset *out, const char *folder, const char *const names[CUONN_DATASET_FILES]) {
  cuonn_status status = CUONN_OK;
  char *paths[CUONN_DATASET_FILES] = {0};
  *out = (cuonn_dataset){0};
  for (size_t i = 0; i < CUONN_DATASET_FILES; i++) {
    CUONN_TRY_DONE(find_file(&paths[i], folder, names ? names : kNames, i));
  }
  cuonn_examples *const sets[] = {&out->train, &out->test};
  const char *const of_sets[][2] = {{paths[0], paths[1]}, {paths[2], paths[3]}};
  CUONN_TRY_DONE(idx_load(sets, of_sets, 2));
  CUONN_CHECK_DONE(out->train.height == out->test.height && out->train.width == out->test.width, CUONN_E_DATA,
                   "%s: training images of %zu x %zu pixels, but %s has test images of %zu x %zu", paths[0],
                   out->train.height, out->train.width, paths[2], out->test.height, out->test.width);

done:
  if (status != CUONN_OK) cuonn_dataset_free(out);
  for (size_t i = 0; i < CUONN_DATASET_FILES; i++) free(paths[i]);
  return status;
}

/* Room for so many examples like those of another set. */
static cuonn_status make_part(cuonn_examples *out, const cuonn_examples *like, size_t n_examples) {
  CUONN_TRY(cuonn_fields_create(&out->fields, n_examples, like->fields.n_modes));
  CUONN_TRY(cuonn_allocate(&out->labels, n_examples, 1));
  if (like->source) {
    out->source = strdup(like->source);
    CUONN_CHECK(out->source, CUONN_E_MEMORY, "%s: not enough memory to keep its name", like->source);
  }
  return CUONN_OK;
}

static void append(cuonn_examples *to, const cuonn_examples *from, size_t example) {
  const size_t numbers = 2 * from->fields.n_modes;
  memcpy(to->fields.values + to->n_examples * numbers, from->fields.values + example * numbers,
         numbers * sizeof(double));
  to->labels[to->n_examples++] = from->labels[example];
}

cuonn_status cuonn_dataset_split(cuonn_dataset *out, const cuonn_examples *all, double share, uint64_t seed) {
  const size_t n = all->n_examples, wanted = (size_t)round(share * (double)n), n_test = wanted > 0 ? wanted : 1;
  cuonn_status status = CUONN_OK;
  *out = (cuonn_dataset){0};
  CUONN_CHECK(n <= UINT32_MAX, CUONN_E_DATA, "%zu examples are more than 2^32 - 1", n);
  CUONN_CHECK(n_test < n, CUONN_E_DATA, "%s: a share of %g for tests leaves none of %zu examples to train on",
              all->source ? all->source : "fields in memory", share, n);
  CUONN_TRY_DONE(make_part(&out->train, all, n - n_test));
  CUONN_TRY_DONE(make_part(&out->test, all, n_test));
  for (size_t e = 0; e < n; e++) {
    const bool tested = random_permute((uint32_t)e, (uint32_t)n, seed, kSplit) < n_test;
    append(tested ? &out->test : &out->train, all, e);
  }
done:
  if (status != CUONN_OK) cuonn_dataset_free(out);
  return status;
}

void cuonn_dataset_free(cuonn_dataset *dataset) {
  if (dataset == NULL) return;
  cuonn_examples_free(&dataset->test);
  cuonn_examples_free(&dataset->train);
}
