/* IDX files: the real ones of Fashion-MNIST, small ones written here, and everything that must be refused. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "cuonn/dataset.h"
#include "support/close.h"
#include "support/golden.h"

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist" /* Debian's package dataset-fashion-mnist */

static const char *const kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                     "t10k-labels-idx1-ubyte"};

/* A folder of its own for every test, and paths in it. */
static char folder[] = "/tmp/cuonn-dataset-XXXXXX";

static const char *in_folder(const char *name) {
  static char paths[4][256];
  static unsigned next;
  char *const path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  return mkdtemp(folder) == NULL;
}

/* Tests use these names and no others. */
static int remove_folder(void **state) {
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    char name[64];
    remove(in_folder(kNames[i]));
    snprintf(name, sizeof name, "%s.gz", kNames[i]);
    remove(in_folder(name));
  }
  remove(in_folder("images"));
  remove(in_folder("labels"));
  return rmdir(folder);
}

static void write_file(const char *path, const void *bytes, size_t n) {
  FILE *const file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  assert_int_equal(fclose(file), 0);
}

static void write_gzip(const char *path, const void *bytes, size_t n) {
  const gzFile file = gzopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
  assert_int_equal(gzclose(file), Z_OK);
}

/* A whole file, on the heap. */
static uint8_t *slurp(const char *path, size_t *n) {
  struct stat about;
  assert_int_equal(stat(path, &about), 0);
  *n = (size_t)about.st_size;
  uint8_t *const bytes = malloc(*n + 1);
  FILE *const file = fopen(path, "rb");
  assert_true(bytes != NULL && file != NULL);
  assert_int_equal(fread(bytes, 1, *n, file), *n);
  fclose(file);
  return bytes;
}

/* Four images of 2 x 3 pixels with grey value = place, and their labels 0, 1, 2, 3. */
enum { kImagesSize = 16 + 4 * 2 * 3, kLabelsSize = 8 + 4 };
static const uint8_t kImages[kImagesSize] = {0, 0, 8, 3, 0, 0, 0,  4,  0,  0,  0,  2,  0,  0,  0,  3,  0,  1,  2,  3,
                                             4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static const uint8_t kLabels[kLabelsSize] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 3};

static void check_small(const cuonn_examples *images) {
  assert_int_equal(images->n_examples, 4);
  assert_int_equal(images->height, 2);
  assert_int_equal(images->width, 3);
  assert_memory_equal(images->pixels, kImages + 16, 24);
  assert_memory_equal(images->labels, kLabels + 8, 4);
}

/* Loads an image file made of these bytes beside good labels; it must be refused. */
static void refuse_images(const void *bytes, size_t n, cuonn_status status, const char *text) {
  const char *const images_path = in_folder("images"), *const labels_path = in_folder("labels");
  write_file(images_path, bytes, n);
  write_file(labels_path, kLabels, sizeof kLabels);
  cuonn_examples images = {.n_examples = 99};
  REFUSED(cuonn_images_load(&images, images_path, labels_path), status, text);
  REFUSED(cuonn_images_load(&images, images_path, labels_path), status, images_path);
  assert_null(strchr(cuonn_last_error(), '\n'));
  assert_int_equal(images.n_examples, 0);
  assert_null(images.pixels);
  assert_null(images.labels);
  assert_null(images.source);
}

/* The same for good images beside these labels. */
static void refuse_labels(const void *bytes, size_t n, cuonn_status status, const char *text) {
  const char *const images_path = in_folder("images"), *const labels_path = in_folder("labels");
  write_file(images_path, kImages, sizeof kImages);
  write_file(labels_path, bytes, n);
  cuonn_examples images;
  REFUSED(cuonn_images_load(&images, images_path, labels_path), status, text);
  REFUSED(cuonn_images_load(&images, images_path, labels_path), status, labels_path);
  assert_null(images.pixels);
}

/* The small images with one byte of their file replaced. */
static void refuse_images_with(size_t at, uint8_t value, const char *text) {
  uint8_t bytes[kImagesSize];
  memcpy(bytes, kImages, sizeof bytes);
  bytes[at] = value;
  refuse_images(bytes, sizeof bytes, CUONN_E_DATA, text);
}

static void test_dataset__reads_fashion_mnist(void **state) {
  (void)state;
  cuonn_dataset dataset;
  OK(cuonn_dataset_load(&dataset, FASHION_MNIST, NULL));
  assert_int_equal(dataset.train.n_examples, 60000);
  assert_int_equal(dataset.test.n_examples, 10000);
  assert_int_equal(dataset.train.height, 28);
  assert_int_equal(dataset.train.width, 28);
  assert_int_equal(dataset.test.height, 28);
  assert_int_equal(dataset.test.width, 28);
  assert_string_equal(dataset.train.source, FASHION_MNIST "/train-labels-idx1-ubyte.gz");

  size_t n;
  double *const index = golden_read("golden.nc", "features", "index", &n);
  double *const label = golden_read_n("golden.nc", "features", "label", n);
  for (size_t e = 0; e < n; e++) assert_int_equal(dataset.train.labels[(size_t)index[e]], (int)label[e]);
  free(label);
  free(index);

  size_t train[10] = {0}, test[10] = {0}; /* both sets hold the ten classes equally often */
  OK(cuonn_examples_check_labels(&dataset.train, 10));
  OK(cuonn_examples_check_labels(&dataset.test, 10));
  for (size_t e = 0; e < 60000; e++) train[dataset.train.labels[e]]++;
  for (size_t e = 0; e < 10000; e++) test[dataset.test.labels[e]]++;
  for (size_t c = 0; c < 10; c++) {
    assert_int_equal(train[c], 6000);
    assert_int_equal(test[c], 1000);
  }
  cuonn_dataset_free(&dataset);
  assert_null(dataset.train.pixels);
  cuonn_dataset_free(&dataset);
  cuonn_dataset_free(NULL);
  cuonn_examples_free(NULL);
}

static void test_images__reads_plain_and_gzipped_by_content(void **state) {
  (void)state;
  cuonn_examples images;
  const char *const images_path = in_folder("images"), *const labels_path = in_folder("labels");
  write_file(images_path, kImages, sizeof kImages);
  write_file(labels_path, kLabels, sizeof kLabels);
  OK(cuonn_images_load(&images, images_path, labels_path));
  check_small(&images);
  assert_string_equal(images.source, labels_path);
  cuonn_examples_free(&images);
  assert_null(images.pixels);

  write_gzip(images_path, kImages, sizeof kImages);
  OK(cuonn_images_load(&images, images_path, labels_path));
  check_small(&images);
  cuonn_examples_free(&images);
}

/* A gzip file may have several members, one behind the other, and bytes behind them that are none. */
static void test_images__reads_gzip_files_of_several_members(void **state) {
  (void)state;
  cuonn_examples images;
  for (size_t first = 1; first < sizeof kImages; first++) {
    size_t sizes[2];
    write_file(in_folder("labels"), kLabels, sizeof kLabels);
    write_gzip(in_folder("images"), kImages, first);
    uint8_t *const one = slurp(in_folder("images"), &sizes[0]);
    write_gzip(in_folder("images"), kImages + first, sizeof kImages - first);
    uint8_t *const other = slurp(in_folder("images"), &sizes[1]);
    uint8_t *const both = malloc(sizes[0] + sizes[1] + 1);
    assert_non_null(both);
    memcpy(both, one, sizes[0]);
    memcpy(both + sizes[0], other, sizes[1]);
    both[sizes[0] + sizes[1]] = 0;
    for (size_t beyond = 0; beyond < 2; beyond++) {
      write_file(in_folder("images"), both, sizes[0] + sizes[1] + beyond);
      OK(cuonn_images_load(&images, in_folder("images"), in_folder("labels")));
      check_small(&images);
      cuonn_examples_free(&images);
    }
    free(both);
    free(other);
    free(one);
  }
  size_t size;
  write_gzip(in_folder("images"), kImages, sizeof kImages);
  uint8_t *const whole = slurp(in_folder("images"), &size), *const twice = malloc(2 * size);
  assert_non_null(twice);
  memcpy(twice, whole, size);
  memcpy(twice + size, whole, size);
  refuse_images(twice, 2 * size, CUONN_E_DATA, "longer than the 24 bytes");
  free(twice);
  free(whole);
}

/* Where gzipped, far larger than the file and the memory that is taken at first, so that it grows, and not by a whole
 * number of times. */
static void test_images__reads_files_of_several_pieces(void **state) {
  (void)state;
  enum { kSide = 1357, kData = 3 * kSide * kSide };
  uint8_t *const bytes = malloc(16 + kData);
  assert_non_null(bytes);
  memcpy(bytes, (uint8_t[]){0, 0, 8, 3, 0, 0, 0, 3, 0, 0, kSide >> 8, kSide & 255, 0, 0, kSide >> 8, kSide & 255}, 16);
  for (size_t i = 0; i < kData; i++) bytes[16 + i] = (uint8_t)((i >> 12) * 2654435761u >> 24);
  const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};
  write_file(in_folder("labels"), labels, sizeof labels);
  for (int gzip = 0; gzip < 2; gzip++) {
    cuonn_examples images;
    (gzip ? write_gzip : write_file)(in_folder("images"), bytes, 16 + kData);
    OK(cuonn_images_load(&images, in_folder("images"), in_folder("labels")));
    assert_int_equal(images.height, kSide);
    assert_true(memcmp(images.pixels, bytes + 16, kData) == 0);
    cuonn_examples_free(&images);
  }
  free(bytes);
}

static void test_images__refuses_what_is_not_a_readable_file(void **state) {
  (void)state;
  cuonn_examples images;
  write_file(in_folder("labels"), kLabels, sizeof kLabels);
  REFUSED(cuonn_images_load(&images, in_folder("images"), in_folder("labels")), CUONN_E_IO, "No such file");
  REFUSED(cuonn_images_load(&images, folder, in_folder("labels")), CUONN_E_IO, "is a folder");
  write_file(in_folder("images"), kImages, sizeof kImages);
  remove(in_folder("labels"));
  REFUSED(cuonn_images_load(&images, in_folder("images"), in_folder("labels")), CUONN_E_IO, in_folder("labels"));
  refuse_images("", 0, CUONN_E_DATA, "is empty");
  refuse_labels("", 0, CUONN_E_DATA, "is empty");
}

static void test_images__refuses_other_headers(void **state) {
  (void)state;
  refuse_images("P5 28 28", 8, CUONN_E_DATA, "not an IDX file: it begins with 50 35 20 32, expected 00 00 08 03");
  refuse_images(kImages, 3, CUONN_E_DATA, "it has only 3 bytes");
  refuse_images(kImages, 15, CUONN_E_DATA, "ends inside its header, after 15 bytes of 16");
  refuse_images_with(0, 1, "not an IDX file");
  refuse_images_with(1, 1, "not an IDX file");
  refuse_images_with(2, 0x0a, "element type is 0x0a; the types are 0x08");
  refuse_images_with(2, 0x0d, "truncated: 24 bytes of data, its header announces 96");
  refuse_images_with(3, 2, "2 dimensions, expected 3 (images, rows, columns)");
  refuse_images(kLabels, sizeof kLabels, CUONN_E_DATA, "1 dimensions, expected 3");
  refuse_labels(kImages, sizeof kImages, CUONN_E_DATA, "3 dimensions, expected 1 (labels)");
  refuse_images_with(7, 0, "dimension 1 of 3 has size 0");
  refuse_images_with(11, 0, "dimension 2 of 3 has size 0");
  refuse_images_with(15, 0, "dimension 3 of 3 has size 0");
  refuse_images_with(10, 0x20, "a side of 8194 pixels, at most 4096");
  refuse_images_with(12, 0xff, "a side of 4278190083 pixels, at most 4096");
}

static void test_images__refuses_other_sizes_than_announced(void **state) {
  (void)state;
  uint8_t longer[kImagesSize + 1] = {0};
  memcpy(longer, kImages, sizeof kImages);
  refuse_images(longer, sizeof longer, CUONN_E_DATA, "longer than the 24 bytes");
  refuse_images(kImages, sizeof kImages - 1, CUONN_E_DATA, "truncated: 23 bytes of data, its header announces 24");
  refuse_images(kImages, 16, CUONN_E_DATA, "truncated: 0 bytes");
  refuse_labels(kLabels, sizeof kLabels - 1, CUONN_E_DATA, "truncated: 3 bytes of data, its header announces 4");

  const uint8_t three[] = {0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2};
  refuse_labels(three, sizeof three, CUONN_E_DATA, "4 images, but ");
  refuse_labels(three, sizeof three, CUONN_E_DATA, "has 3 labels");
}

#ifndef __SANITIZE_ADDRESS__
/* Bytes of address space that the process has now. */
static rlim_t address_space(void) {
  unsigned long pages = 0;
  FILE *const file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}
#endif

/* A tiny file that announces gigabytes is refused without taking them: here the process may have 1 GiB more than it
 * has. The address sanitizer's own map has no such limits, so there none is set. */
static void test_images__takes_no_memory_on_the_word_of_a_header(void **state) {
  (void)state;
  uint8_t bytes[kImagesSize];
  memcpy(bytes, kImages, sizeof bytes);
  memcpy(bytes + 4, (uint8_t[]){0, 0, 4, 0, 0, 0, 0x10, 0, 0, 0, 0x10, 0}, 12); /* 1024 x 4096 x 4096 = 16 GiB */
#ifndef __SANITIZE_ADDRESS__
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
  assert_int_equal(setrlimit(RLIMIT_AS, &(struct rlimit){address_space() + (1 << 30), before.rlim_max}), 0);
#endif
  refuse_images(bytes, sizeof bytes, CUONN_E_DATA, "truncated: 24 bytes of data, its header announces 17179869184");
#ifndef __SANITIZE_ADDRESS__
  assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
#endif
  bytes[7] = 1;
  refuse_images(bytes, sizeof bytes, CUONN_E_DATA, "announces 17196646400 bytes of data, at most 17179869184");
}

/* Every cut of a gzip stream, also within the 8 bytes of checksum and size after the data. */
static void test_images__refuses_cut_gzip_streams(void **state) {
  (void)state;
  write_gzip(in_folder("images"), kImages, sizeof kImages);
  size_t n;
  uint8_t *const gzip = slurp(in_folder("images"), &n);
  for (size_t cut = 2; cut < n; cut++) refuse_images(gzip, cut, CUONN_E_DATA, "gzip stream is cut off");
  free(gzip);
}

static void test_images__refuses_gzip_streams_that_lie(void **state) {
  (void)state;
  write_gzip(in_folder("images"), kImages, sizeof kImages);
  size_t n;
  uint8_t *const gzip = slurp(in_folder("images"), &n);
  for (size_t at = n - 8; at < n; at++) { /* checksum, then size */
    gzip[at] ^= 1;
    refuse_images(gzip, n, CUONN_E_DATA, "damaged gzip stream (incorrect ");
    gzip[at] ^= 1;
  }
  gzip[10] = 0xff; /* the first block of compressed data is of no known kind */
  refuse_images(gzip, n, CUONN_E_DATA, "damaged gzip stream (invalid block type)");
  free(gzip);

  uint8_t longer[kImagesSize + 1] = {0};
  memcpy(longer, kImages, sizeof kImages);
  write_gzip(in_folder("labels"), longer, sizeof longer);
  uint8_t *const more = slurp(in_folder("labels"), &n);
  refuse_images(more, n, CUONN_E_DATA, "longer than the 24 bytes");
  free(more);
  write_gzip(in_folder("labels"), kImages, sizeof kImages - 1);
  uint8_t *const less = slurp(in_folder("labels"), &n);
  refuse_images(less, n, CUONN_E_DATA, "truncated: 23 bytes");
  free(less);
}

static void test_labels__refuses_those_without_an_output(void **state) {
  (void)state;
  cuonn_examples images;
  write_file(in_folder("images"), kImages, sizeof kImages);
  write_file(in_folder("labels"), kLabels, sizeof kLabels);
  OK(cuonn_images_load(&images, in_folder("images"), in_folder("labels")));
  OK(cuonn_examples_check_labels(&images, 4));
  REFUSED(cuonn_examples_check_labels(&images, 3), CUONN_E_DATA,
          "label 3 of example 3, but there are 3 classes (0 to 2)");
  REFUSED(cuonn_examples_check_labels(&images, 3), CUONN_E_DATA, in_folder("labels"));
  REFUSED(cuonn_examples_check_labels(&images, 1), CUONN_E_DATA, "label 1 of example 1");
  free(images.source);
  images.source = NULL;
  REFUSED(cuonn_examples_check_labels(&images, 2), CUONN_E_DATA, "examples in memory");
  cuonn_examples_free(&images);
}

/* Both sets from the small files, all four plain. */
static void write_small_dataset(void) {
  for (size_t i = 0; i < 4; i += 2) {
    write_file(in_folder(kNames[i]), kImages, sizeof kImages);
    write_file(in_folder(kNames[i + 1]), kLabels, sizeof kLabels);
  }
}

static void test_dataset__prefers_plain_files_and_takes_gzipped_ones(void **state) {
  (void)state;
  cuonn_dataset dataset;
  write_small_dataset();
  write_file(in_folder("train-labels-idx1-ubyte.gz"), "not to be read", 14);
  OK(cuonn_dataset_load(&dataset, folder, NULL));
  check_small(&dataset.train);
  check_small(&dataset.test);
  assert_string_equal(dataset.train.source, in_folder("train-labels-idx1-ubyte"));
  assert_string_equal(dataset.test.source, in_folder("t10k-labels-idx1-ubyte"));
  cuonn_dataset_free(&dataset);

  remove(in_folder("train-labels-idx1-ubyte"));
  write_gzip(in_folder("train-labels-idx1-ubyte.gz"), kLabels, sizeof kLabels);
  OK(cuonn_dataset_load(&dataset, folder, NULL));
  check_small(&dataset.train);
  assert_string_equal(dataset.train.source, in_folder("train-labels-idx1-ubyte.gz"));
  cuonn_dataset_free(&dataset);
}

static void test_dataset__names_what_is_missing(void **state) {
  (void)state;
  cuonn_dataset dataset;
  for (size_t i = 0; i < 4; i++) {
    char missing[64];
    write_small_dataset();
    remove(in_folder(kNames[i]));
    snprintf(missing, sizeof missing, "has no %s[.gz]", kNames[i]);
    REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_IO, missing);
    REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_IO, folder);
    for (size_t k = 0; k < 4; k++) assert_non_null(strstr(cuonn_last_error(), kNames[k]));
    assert_null(dataset.train.pixels);
    assert_null(dataset.test.pixels);
  }
  REFUSED(cuonn_dataset_load(&dataset, in_folder("nowhere"), NULL), CUONN_E_IO, "nowhere");
  write_file(in_folder("images"), "", 0);
  REFUSED(cuonn_dataset_load(&dataset, in_folder("images"), NULL), CUONN_E_IO, "Not a directory");
}

static void test_dataset__refuses_sets_that_do_not_fit(void **state) {
  (void)state;
  cuonn_dataset dataset;
  uint8_t flatter[16 + 4 * 1 * 3], narrower[16 + 4 * 2 * 2];
  memcpy(flatter, kImages, sizeof flatter);
  memcpy(narrower, kImages, sizeof narrower);
  flatter[11] = 1;
  narrower[15] = 2;
  write_small_dataset();
  write_file(in_folder("t10k-images-idx3-ubyte"), flatter, sizeof flatter);
  REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, "training images of 2 x 3 pixels");
  REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, "test images of 1 x 3");
  write_file(in_folder("t10k-images-idx3-ubyte"), narrower, sizeof narrower);
  REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, "test images of 2 x 2");
  assert_null(dataset.train.pixels);
  assert_null(dataset.test.pixels);

  write_file(in_folder("t10k-images-idx3-ubyte"), kImages, sizeof kImages - 1);
  REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, "t10k-images-idx3-ubyte: is truncated");
  assert_null(dataset.train.pixels);
}

/* The files are read side by side; of several that are bad, the first is named, also where its fault is seen last. */
static void test_dataset__names_the_first_of_several_failures(void **state) {
  (void)state;
  cuonn_dataset dataset;
  const uint8_t three[] = {0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2};
  write_small_dataset();
  for (size_t i = 4; i-- > 0;) {
    const uint8_t wrong[] = {0, 0, 8, 4, (uint8_t)i};
    char first[64];
    write_file(in_folder(kNames[i]), wrong, sizeof wrong);
    snprintf(first, sizeof first, "%s: IDX file with 4 dimensions", kNames[i]);
    REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, first);
  }
  write_file(in_folder(kNames[0]), kImages, sizeof kImages);
  write_file(in_folder(kNames[1]), three, sizeof three);
  REFUSED(cuonn_dataset_load(&dataset, folder, NULL), CUONN_E_DATA, "4 images, but ");
  assert_null(dataset.train.pixels);
}

static void test_dataset__takes_other_names(void **state) {
  (void)state;
  cuonn_dataset dataset;
  char labels[256];
  snprintf(labels, sizeof labels, "%s", in_folder("labels"));
  write_small_dataset();
  write_gzip(in_folder("images.gz"), kImages, sizeof kImages);
  write_file(labels, kLabels, sizeof kLabels);
  const char *const names[] = {"images", labels, kNames[2], kNames[3]}; /* one with .gz, one with its whole path */
  OK(cuonn_dataset_load(&dataset, folder, names));
  check_small(&dataset.train);
  assert_string_equal(dataset.train.source, labels);
  assert_string_equal(dataset.test.source, in_folder(kNames[3]));
  cuonn_dataset_free(&dataset);
  remove(in_folder("images.gz"));
  REFUSED(cuonn_dataset_load(&dataset, folder, names), CUONN_E_IO, "has no images[.gz]");
}

/* ---- other element types ---- */

/* A file of numbers, each as so many bytes, big-endian; sizes: [n_dims]. */
static void write_numbers(const char *path, uint8_t type, const uint32_t *sizes, uint8_t n_dims, const uint64_t *bits,
                          size_t count, unsigned width) {
  uint8_t bytes[512] = {0, 0, type, n_dims};
  size_t n = 4;
  for (size_t d = 0; d < n_dims; d++)
    for (int shift = 24; shift >= 0; shift -= 8) bytes[n++] = (uint8_t)(sizes[d] >> shift);
  for (size_t i = 0; i < count; i++)
    for (unsigned b = width; b-- > 0;) bytes[n++] = (uint8_t)(bits[i] >> 8 * b);
  write_file(path, bytes, n);
}

static uint64_t bits_of(double value, uint8_t type) {
  const float narrow = (float)value;
  uint32_t half;
  uint64_t whole;
  memcpy(&half, &narrow, sizeof half);
  memcpy(&whole, &value, sizeof whole);
  return type == 0x0D ? half : type == 0x0E ? whole : (uint64_t)(int64_t)value;
}

static void test_images__reads_every_element_type(void **state) {
  (void)state;
  static const struct {
    uint8_t type;
    unsigned width;
    double least, most;
  } types[] = {{0x09, 1, -128, 127},
               {0x0B, 2, -32768, 32767},
               {0x0C, 4, -2147483648.0, 2147483647},
               {0x0D, 4, -0x1.8p100, 0x1p-140},
               {0x0E, 8, -1.5e300, 0x1.123456789abcdp-1050}};
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    const double values[6] = {types[t].least, types[t].most, 0, 1, -1, 100};
    uint64_t bits[6], labels[2] = {bits_of(3, types[t].type), bits_of(100, types[t].type)};
    cuonn_examples images;
    for (size_t i = 0; i < 6; i++) bits[i] = bits_of(values[i], types[t].type);
    write_numbers(in_folder("images"), types[t].type, (const uint32_t[]){2, 1, 3}, 3, bits, 6, types[t].width);
    write_numbers(in_folder("labels"), types[t].type, (const uint32_t[]){2}, 1, labels, 2, types[t].width);
    OK(cuonn_images_load(&images, in_folder("images"), in_folder("labels")));
    assert_null(images.pixels);
    assert_int_equal(images.n_examples, 2);
    assert_int_equal(images.width, 3);
    CLOSE(images.grey, values, 6, .abs = 0);
    assert_true(images.labels[0] == 3 && images.labels[1] == 100);
    cuonn_examples_free(&images);

    bits[4] = types[t].type == 0x0D ? 0x7FC00000 : UINT64_C(0x7FF0000000000000); /* NaN, infinity */
    if (types[t].type >= 0x0D) {
      write_numbers(in_folder("images"), types[t].type, (const uint32_t[]){2, 1, 3}, 3, bits, 6, types[t].width);
      REFUSED(cuonn_images_load(&images, in_folder("images"), in_folder("labels")), CUONN_E_NONFINITE, "image 1 is");
      REFUSED(cuonn_images_load(&images, in_folder("images"), in_folder("labels")), CUONN_E_NONFINITE,
              "at row 0, column 1");
    }
    labels[1] = bits_of(-1, types[t].type);
    write_numbers(in_folder("images"), 0x09, (const uint32_t[]){2, 1, 1}, 3, bits, 2, 1);
    write_numbers(in_folder("labels"), types[t].type, (const uint32_t[]){2}, 1, labels, 2, types[t].width);
    REFUSED(cuonn_images_load(&images, in_folder("images"), in_folder("labels")), CUONN_E_DATA, "label 1 is -1");
    assert_null(images.grey);
  }
}

/* ---- fields ---- */

/* Fields whose numbers say example and waveguide. */
static cuonn_examples make_fields(size_t n_examples, size_t n_modes) {
  cuonn_examples out = {.n_examples = n_examples, .labels = malloc(n_examples)};
  assert_non_null(out.labels);
  OK(cuonn_fields_create(&out.fields, n_examples, n_modes));
  for (size_t e = 0; e < n_examples; e++) {
    out.labels[e] = (uint8_t)(e % 7);
    for (size_t w = 0; w < n_modes; w++) {
      out.fields.values[2 * (e * n_modes + w)] = (double)e;
      out.fields.values[2 * (e * n_modes + w) + 1] = 0.5 + (double)w;
    }
  }
  return out;
}

/* Each example goes to one part, once, with its label and in its place; the same seed gives the same, another
 * another. */
static void test_split__parts_the_whole(void **state) {
  (void)state;
  enum { kAll = 103, kWidth = 3 };
  cuonn_examples all = make_fields(kAll, kWidth);
  cuonn_dataset parts[3];
  for (size_t i = 0; i < 3; i++) OK(cuonn_dataset_split(&parts[i], &all, 0.2, i == 2 ? 6 : 5));
  assert_int_equal(parts[0].test.n_examples, 21); /* round(20.6) */
  assert_int_equal(parts[0].train.n_examples, 82);
  size_t found[kAll] = {0}, in_front = 0;
  const cuonn_examples *const both[] = {&parts[0].train, &parts[0].test};
  for (size_t p = 0; p < 2; p++) {
    double last = -1;
    for (size_t e = 0; e < both[p]->n_examples; e++) {
      const double *const values = both[p]->fields.values + 2 * e * kWidth;
      assert_true(values[0] > last && values[5] == 2.5);
      assert_int_equal(both[p]->labels[e], (size_t)values[0] % 7);
      found[(size_t)values[0]]++;
      last = values[0];
      in_front += p == 1 && values[0] < 21;
    }
    assert_int_equal(both[p]->fields.n_examples, both[p]->n_examples);
  }
  for (size_t e = 0; e < kAll; e++) assert_int_equal(found[e], 1);
  assert_true(in_front < 15); /* drawn, not cut off */
  const size_t size = 2 * 21 * kWidth * sizeof(double);
  assert_memory_equal(parts[0].test.fields.values, parts[1].test.fields.values, size);
  assert_memory_not_equal(parts[0].test.fields.values, parts[2].test.fields.values, size);
  for (size_t i = 0; i < 3; i++) cuonn_dataset_free(&parts[i]);

  cuonn_examples two = cuonn_examples_view(&all, 0, 2), one = cuonn_examples_view(&all, 0, 1);
  OK(cuonn_dataset_split(&parts[0], &two, 0.01, 0)); /* at least one */
  assert_int_equal(parts[0].test.n_examples, 1);
  cuonn_dataset_free(&parts[0]);
  REFUSED(cuonn_dataset_split(&parts[0], &one, 0.5, 0), CUONN_E_DATA, "leaves none of 1 examples");
  REFUSED(cuonn_dataset_split(&parts[0], &two, 0.9, 0), CUONN_E_DATA, "leaves none of 2 examples");
  cuonn_examples_free(&all);
}

/* The data's own waveguides, then the reference, then dark ones. */
static void test_fit__adds_reference_and_dark_waveguides(void **state) {
  (void)state;
  for (int reference = 0; reference <= 1; reference++) {
    cuonn_examples fields = make_fields(2, 3);
    fields.source = strdup("own.nc");
    REFUSED(cuonn_examples_fit(&fields, 2, reference, true), CUONN_E_DATA,
            reference
                ? "own.nc: input has 3 waveguides and the reference one more (data.reference), but network.modes is 2: "
                  "set it to 4 or more"
                : "own.nc: input has 3 waveguides, but network.modes is 2: set it to 3 or more");
    REFUSED(cuonn_examples_fit(&fields, 6, reference, false), CUONN_E_DATA, "or data.pad to true");
    assert_int_equal(fields.fields.n_modes, 3);
    OK(cuonn_examples_fit(&fields, 6, reference, true));
    assert_int_equal(fields.fields.n_modes, 6);
    CLOSE(fields.fields.values, ((double[]){0, 0.5, 0, 1.5, 0, 2.5, reference, 0, 0, 0, 0, 0,  //
                                            1, 0.5, 1, 1.5, 1, 2.5, reference, 0, 0, 0, 0, 0}),
          24, .abs = 0);
    OK(cuonn_examples_fit(&fields, 6, false, false));
    assert_int_equal(fields.fields.n_modes, 6);
    cuonn_examples_free(&fields);
    fields = make_fields(2, 3);
    OK(cuonn_examples_fit(&fields, 3 + (size_t)reference, reference, false));
    assert_int_equal(fields.fields.n_modes, 3 + reference);
    cuonn_examples_free(&fields);
  }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dataset__reads_fashion_mnist),
      IN_FOLDER(test_images__reads_plain_and_gzipped_by_content),
      IN_FOLDER(test_images__reads_gzip_files_of_several_members),
      IN_FOLDER(test_images__reads_files_of_several_pieces),
      IN_FOLDER(test_images__refuses_what_is_not_a_readable_file),
      IN_FOLDER(test_images__refuses_other_headers),
      IN_FOLDER(test_images__refuses_other_sizes_than_announced),
      IN_FOLDER(test_images__takes_no_memory_on_the_word_of_a_header),
      IN_FOLDER(test_images__refuses_cut_gzip_streams),
      IN_FOLDER(test_images__refuses_gzip_streams_that_lie),
      IN_FOLDER(test_labels__refuses_those_without_an_output),
      IN_FOLDER(test_dataset__prefers_plain_files_and_takes_gzipped_ones),
      IN_FOLDER(test_dataset__names_what_is_missing),
      IN_FOLDER(test_dataset__refuses_sets_that_do_not_fit),
      IN_FOLDER(test_dataset__names_the_first_of_several_failures),
      IN_FOLDER(test_dataset__takes_other_names),
      IN_FOLDER(test_images__reads_every_element_type),
      cmocka_unit_test(test_split__parts_the_whole),
      cmocka_unit_test(test_fit__adds_reference_and_dark_waveguides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
