/* What identifies a data set: a line of text for each part of it, with the hash of its bytes in their order.
 *
 *   training images: 60000 of 28 x 28, 0123456789abcdef0123456789abcdef
 *   training labels: 60000, 0123456789abcdef0123456789abcdef
 *
 * A new kind of data adds lines of its own; two texts are compared line by line. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "cuonn/dataset.h"

static void write_part(FILE *out, const char *name, const char *size, const void *bytes, size_t n_bytes) {
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes, n_bytes));
  fprintf(out, "%s: %s, ", name, size);
  for (size_t i = 0; i < sizeof hash.digest; i++) fprintf(out, "%02x", hash.digest[i]);
  fputc('\n', out);
}

static void write_examples(FILE *out, const char *set, const cuonn_examples *examples) {
  const size_t n = examples->n_examples, pixels = n * examples->height * examples->width;
  char name[32], size[96];
  if (n == 0) return; /* fields may have no training set */
  if (examples->fields.values) {
    snprintf(name, sizeof name, "%s fields", set);
    snprintf(size, sizeof size, "%zu of %zu waveguides", n, examples->fields.n_modes);
    write_part(out, name, size, examples->fields.values, n * examples->fields.n_modes * 2 * sizeof(double));
  } else {
    snprintf(name, sizeof name, "%s images", set);
    snprintf(size, sizeof size, "%zu of %zu x %zu", n, examples->height, examples->width);
    if (examples->grey) {
      write_part(out, name, size, examples->grey, pixels * sizeof *examples->grey);
    } else {
      write_part(out, name, size, examples->pixels, pixels);
    }
  }
  snprintf(name, sizeof name, "%s labels", set);
  snprintf(size, sizeof size, "%zu", n);
  write_part(out, name, size, examples->labels, n);
}

char *cuonn_dataset_identity(const cuonn_dataset *dataset) {
  char *text = NULL;
  size_t length;
  FILE *const out = open_memstream(&text, &length);
  if (!out) return NULL;
  write_examples(out, "training", &dataset->train);
  write_examples(out, "test", &dataset->test);
  const bool whole = !ferror(out);
  if (fclose(out) == 0 && whole) return text;
  free(text);
  return NULL;
}

/* ---- comparing ---- */

/* One line: name, size, hash. */
typedef struct {
  const char *name, *size, *hash;
  int name_length, size_length, hash_length;
} part;

/* The line at *text, and puts *text behind it. False at the end, and for what is no such line. */
static bool next_part(part *out, const char **text) {
  const char *const line = *text, *const end = line + strcspn(line, "\n");
  const char *const colon = memchr(line, ':', (size_t)(end - line)), *const comma =
                                                                         memrchr(line, ',', (size_t)(end - line));
  if (!colon || !comma || comma < colon + 2 || comma + 2 > end) return false;
  *out = (part){line, colon + 2, comma + 2, (int)(colon - line), (int)(comma - colon) - 2, (int)(end - comma) - 2};
  *text = end + (*end != 0);
  return true;
}

static bool same_text(const char *a, int a_length, const char *b, int b_length) {
  return a_length == b_length && memcmp(a, b, (size_t)a_length) == 0;
}

static bool find_part(part *out, const char *text, const part *like) {
  while (next_part(out, &text)) {
    if (same_text(out->name, out->name_length, like->name, like->name_length)) return true;
  }
  return false;
}

/* Every part of `these` is in `those`, the same. */
static cuonn_status compare_parts(const char *these, const char *those, const char *missing) {
  part a, b;
  while (next_part(&a, &these)) {
    CUONN_CHECK(find_part(&b, those, &a), CUONN_E_DATA, "%.*s (%.*s) %s", a.name_length, a.name, a.size_length, a.size,
                missing);
    CUONN_CHECK(same_text(a.size, a.size_length, b.size, b.size_length), CUONN_E_DATA,
                "%.*s differ: there were %.*s, now there are %.*s", a.name_length, a.name, a.size_length, a.size,
                b.size_length, b.size);
    CUONN_CHECK(same_text(a.hash, a.hash_length, b.hash, b.hash_length), CUONN_E_DATA,
                "%.*s differ: there are as many as before (%.*s), but others, or in another order", a.name_length,
                a.name, a.size_length, a.size);
  }
  CUONN_CHECK(*these == 0, CUONN_E_DATA, "what it says of its data is not understood: \"%.32s\"", these);
  return CUONN_OK;
}

cuonn_status cuonn_dataset_compare(const char *then, const char *now) {
  CUONN_TRY(compare_parts(then, now, "are not there any more"));
  return compare_parts(now, then, "were not there before");
}
