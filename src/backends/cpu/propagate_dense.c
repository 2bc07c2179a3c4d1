/* Unit vectors go through the mesh as any field does, and leave the columns of its matrix r + i m. With fields a + i b
 * a product of complex numbers is three of real ones: p = r (a + b), then p - (r + m) b and p + (m - r) a. */
#include "cpu/propagate_dense.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "cpu/product.h"
#include "cpu/state.h"

enum { kExamples = 64 }; /* of a block */

/* [input][output] each, rows of `padded`. */
typedef struct {
  size_t n, padded;
  float *r, *difference, *sum; /* r, m - r, r + m */
} matrix;

static void fill_columns(const matrix *to, const walk_mesh *mesh, float *x, size_t first, size_t lanes, bool backward) {
  const size_t n = to->n, count = n - first < lanes ? n - first : lanes;
  const walk w = {.mesh = mesh, .x = x, .lanes = lanes};
  memset(x, 0, n * 2 * lanes * sizeof *x);
  for (size_t i = 0; i < count; i++) x[(first + i) * 2 * lanes + i] = 1;
  walk_through(&w, backward);
  for (size_t i = 0; i < count; i++) {
    const size_t row = (first + i) * to->padded;
    for (size_t out = 0; out < n; out++) {
      const float re = x[out * 2 * lanes + i], im = x[out * 2 * lanes + lanes + i];
      to->r[row + out] = re;
      to->difference[row + out] = im - re;
      to->sum[row + out] = re + im;
    }
  }
}

/* What one thread works with. */
typedef struct {
  float *x, *sum; /* [example][2][n], and real + imaginary [example][n] */
  float *parts;   /* [3][example][padded n] */
} block;

static void read_block(const block *to, const cuonn_buffer *in, size_t first, size_t count, size_t n) {
  for (size_t e = 0; e < kExamples; e++) {
    float *const x = to->x + e * 2 * n;
    if (e >= count) {
      memset(x, 0, 2 * n * sizeof *x);
    } else {
      const cuonn_buffer example = buffer_at(in, 2 * (first + e) * n);
      for (size_t w = 0; w < n; w++) {
        x[w] = (float)buffer_get(&example, 2 * w);
        x[n + w] = (float)buffer_get(&example, 2 * w + 1);
      }
    }
    for (size_t w = 0; w < n; w++) to->sum[e * n + w] = x[w] + x[n + w];
  }
}

static void write_block(const cuonn_buffer *out, const block *from, size_t first, size_t count, size_t n,
                        size_t padded) {
  const size_t plane = kExamples * padded;
  for (size_t e = 0; e < count; e++) {
    const cuonn_buffer example = buffer_at(out, 2 * (first + e) * n);
    const float *const p = from->parts + e * padded;
    for (size_t w = 0; w < n; w++) {
      buffer_put(&example, 2 * w, (double)(p[w] - p[2 * plane + w]));
      buffer_put(&example, 2 * w + 1, (double)(p[w] + p[plane + w]));
    }
  }
}

cuonn_status cpu_propagate_dense(const cuonn_buffer *out, const walk_mesh *mesh, const cuonn_buffer *in, bool backward,
                                 int threads) {
  const size_t n = mesh->n_modes, padded = (n + 15) / 16 * 16, n_examples = in->count / n;
  const size_t lanes = cpu_tile_lanes(n, n), n_tiles = (n + lanes - 1) / lanes;
  const size_t n_blocks = (n_examples + kExamples - 1) / kExamples, space = 3 * (n + padded) * kExamples;
  const product_size planes = {.m = n, .n = kExamples, .k = n, .lda = padded, .ldb = 2 * n, .ldc = padded};
  product_size sums = planes;
  cuonn_status status = CUONN_OK;
  float *elements = NULL, *spaces = NULL, *tiles = NULL;
  sums.ldb = n;
  const cpu_product by_planes = cpu_product_of(planes), by_sums = cpu_product_of(sums);
  CUONN_TRY_DONE(cuonn_allocate(&elements, 3 * n * padded, sizeof *elements));
  CUONN_TRY_DONE(cuonn_allocate(&spaces, (size_t)threads * space, sizeof *spaces));
  CUONN_TRY_DONE(cuonn_allocate(&tiles, (size_t)threads * n * 2 * lanes, sizeof *tiles));
  const matrix u = {n, padded, elements, elements + n * padded, elements + 2 * n * padded};

#pragma omp parallel num_threads(threads)
  {
    const size_t thread = (size_t)omp_get_thread_num();
    float *const x = spaces + thread * space;
    const block b = {x, x + 2 * n * kExamples, x + 3 * n * kExamples};
#pragma omp for schedule(dynamic, 1)
    for (size_t i = 0; i < n_tiles; i++)
      fill_columns(&u, mesh, tiles + thread * n * 2 * lanes, i * lanes, lanes, backward);
#pragma omp for schedule(static)
    for (size_t i = 0; i < n_blocks; i++) {
      const size_t first = i * kExamples, left = n_examples - first, count = left < kExamples ? left : kExamples;
      read_block(&b, in, first, count, n);
      cpu_product_run(&by_sums, b.parts, u.r, b.sum);
      cpu_product_run(&by_planes, b.parts + padded * kExamples, u.difference, b.x);
      cpu_product_run(&by_planes, b.parts + 2 * padded * kExamples, u.sum, b.x + n);
      write_block(out, &b, first, count, n, padded);
    }
  }

done:
  free(tiles);
  free(spaces);
  free(elements);
  return status;
}
