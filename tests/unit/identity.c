/* What tells a data set from any other: every byte, every size, the order, and which set it is in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/dataset.h"
#include "support/close.h"

enum { kExamples = 4, kHeight = 2, kWidth = 3, kPixels = kHeight * kWidth };

typedef struct {
  uint8_t pixels[2][kExamples * kPixels], labels[2][kExamples];
  cuonn_dataset set;
} sample;

static void make(sample *out) {
  cuonn_examples *const images[] = {&out->set.train, &out->set.test};
  for (size_t s = 0; s < 2; s++) {
    for (size_t i = 0; i < kExamples * kPixels; i++) out->pixels[s][i] = (uint8_t)(7 * i + s);
    for (size_t i = 0; i < kExamples; i++) out->labels[s][i] = (uint8_t)(i + s);
    *images[s] = (cuonn_examples){.n_examples = kExamples,
                                  .height = kHeight,
                                  .width = kWidth,
                                  .pixels = out->pixels[s],
                                  .labels = out->labels[s]};
  }
}

/* The identity of a sample that was changed, compared with the unchanged one; the text must name what differs. */
static void differs(const sample *changed, const char *what) {
  sample before;
  make(&before);
  char *const then = cuonn_dataset_identity(&before.set), *const now = cuonn_dataset_identity(&changed->set);
  assert_non_null(then);
  assert_non_null(now);
  OK(cuonn_dataset_compare(then, then));
  REFUSED(cuonn_dataset_compare(then, now), CUONN_E_DATA, what);
  free(then);
  free(now);
}

static void test_identity__sees_every_byte(void **s) {
  (void)s;
  static const char *const images[] = {"training images differ", "test images differ"};
  static const char *const labels[] = {"training labels differ", "test labels differ"};
  for (size_t set = 0; set < 2; set++) {
    for (size_t i = 0; i < kExamples * kPixels; i++) {
      sample changed;
      make(&changed);
      changed.pixels[set][i] ^= 1;
      differs(&changed, images[set]);
    }
    for (size_t i = 0; i < kExamples; i++) {
      sample changed;
      make(&changed);
      changed.labels[set][i] ^= 1;
      differs(&changed, labels[set]);
    }
  }
}

static void test_identity__sees_order_and_sizes(void **s) {
  (void)s;
  sample changed;
  make(&changed);
  for (size_t i = 0; i < kPixels; i++) { /* the first two images change places */
    const uint8_t first = changed.pixels[0][i];
    changed.pixels[0][i] = changed.pixels[0][kPixels + i];
    changed.pixels[0][kPixels + i] = first;
  }
  differs(&changed, "as many as before (4 of 2 x 3), but others, or in another order");
  make(&changed);
  changed.set.train.n_examples = 2;
  differs(&changed, "training images differ: there were 4 of 2 x 3, now there are 2 of 2 x 3");
  make(&changed);
  changed.set.train.height = kWidth; /* the same bytes in other rows */
  changed.set.train.width = kHeight;
  differs(&changed, "training images differ: there were 4 of 2 x 3, now there are 4 of 3 x 2");
  make(&changed);
  const cuonn_examples train = changed.set.train;
  changed.set.train = changed.set.test;
  changed.set.test = train;
  differs(&changed, "training images differ");
}

/* Examples of other kinds: every value of fields and of grey images, and which of the kinds it is. */
static void test_identity__sees_fields_and_grey_images(void **s) {
  (void)s;
  double values[kExamples * kPixels];
  for (size_t i = 0; i < kExamples * kPixels; i++) values[i] = 0.5 * (double)i;
  sample fields, grey;
  make(&fields);
  make(&grey);
  for (size_t set = 0; set < 2; set++) {
    cuonn_examples *const f = set ? &fields.set.test : &fields.set.train, *const g =
                                                                              set ? &grey.set.test : &grey.set.train;
    f->height = f->width = 0;
    f->pixels = g->pixels = NULL;
    f->fields = (cuonn_fields){kExamples, kPixels / 2, values};
    g->grey = values;
  }
  differs(&fields, "training images (4 of 2 x 3) are not there any more");
  differs(&grey, "training images differ: there are as many as before");
  char *const fields_then = cuonn_dataset_identity(&fields.set), *const grey_then = cuonn_dataset_identity(&grey.set);
  assert_non_null(fields_then);
  assert_non_null(grey_then);
  for (size_t i = 0; i < kExamples * kPixels; i++) {
    const double was = values[i];
    values[i] = nextafter(was, 100);
    char *const fields_now = cuonn_dataset_identity(&fields.set), *const grey_now = cuonn_dataset_identity(&grey.set);
    values[i] = was;
    assert_non_null(fields_now);
    assert_non_null(grey_now);
    REFUSED(cuonn_dataset_compare(fields_then, fields_now), CUONN_E_DATA, "training fields differ");
    REFUSED(cuonn_dataset_compare(grey_then, grey_now), CUONN_E_DATA, "training images differ");
    free(fields_now);
    free(grey_now);
  }
  free(fields_then);
  free(grey_then);
}

/* Texts of other versions: what only one of them knows is no accordance. */
static void test_identity__compares_any_text(void **s) {
  (void)s;
  static const char images[] = "training images: 4 of 2 x 3, 00\n",
                    both[] = "training images: 4 of 2 x 3, 00\ntest fields: 9, 11\n";
  OK(cuonn_dataset_compare(both, both));
  OK(cuonn_dataset_compare("", ""));
  REFUSED(cuonn_dataset_compare(both, images), CUONN_E_DATA, "test fields (9) are not there any more");
  REFUSED(cuonn_dataset_compare(images, both), CUONN_E_DATA, "test fields (9) were not there before");
  static const char *const bad[] = {"x", "x: y", ", x: y", "x:,", "\n", "a: b, c\nnonsense\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    REFUSED(cuonn_dataset_compare(bad[i], bad[i]), CUONN_E_DATA, "is not understood");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_identity__sees_every_byte),
      cmocka_unit_test(test_identity__sees_order_and_sizes),
      cmocka_unit_test(test_identity__sees_fields_and_grey_images),
      cmocka_unit_test(test_identity__compares_any_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
