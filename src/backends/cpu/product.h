/* Products of real matrices, column-major with BLAS's letters: c = a b, or c + a b, where a is m x k, b k x n and c m x
 * n; element (i, j) of a lies at i + j lda, of b at i + j ldb or, where b is turned, at j + i ldb.
 *
 * libxsmm makes code for one size, some microseconds a size, which is why sizes are prepared before they are used.
 * Where it has none (a processor that it does not know, or memory that may not be executed) CBLAS computes. */
#ifndef CPU_PRODUCT_H
#define CPU_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  size_t m, n, k, lda, ldb, ldc;
  bool turned, add;
} product_size;

typedef void product_code(const float *a, const float *b, float *c, ...);

typedef struct {
  product_size size;
  product_code *code[2][2][2]; /* [last slice of m][last slice of k][adding] (product.c); NULL: CBLAS */
} cpu_product;

cpu_product cpu_product_of(product_size size);
/* Any number of threads at once. */
void cpu_product_run(const cpu_product *p, float *c, const float *a, const float *b);

#endif
