/* Products of matrices, and complex ones by three real ones; part of kernels_body.h. */

/* A tile of kColumns columns and `vectors` vectors stays in the registers while k runs. */
enum { kColumns = 6 };

INLINE void product_tile(float *c, const float *a, const float *b, const cpu_product *p, size_t columns,
                         size_t vectors) {
  vec sum[kColumns][2];
#pragma GCC unroll 6
  for (size_t j = 0; j < columns; j++) {
    for (size_t v = 0; v < vectors; v++) sum[j][v] = p->add ? at(c + j * p->c_step, v * kVector) : (vec){0};
  }
  for (size_t k = 0; k < p->k; k++) {
    const float *const row = a + k * p->a_step, *const factor = b + k * p->b_inner;
    const vec first = at(row, 0), second = vectors > 1 ? at(row, kVector) : (vec){0};
#pragma GCC unroll 6
    for (size_t j = 0; j < columns; j++) {
      const float f = factor[j * p->b_outer];
      sum[j][0] += first * f;
      if (vectors > 1) sum[j][1] += second * f;
    }
  }
#pragma GCC unroll 6
  for (size_t j = 0; j < columns; j++) {
    for (size_t v = 0; v < vectors; v++) put(c + j * p->c_step, v * kVector, sum[j][v]);
  }
}

INLINE void product_columns(float *c, const float *a, const float *b, const cpu_product *p, size_t vectors) {
  size_t j = 0;
  for (; j + kColumns <= p->n; j += kColumns) {
    product_tile(c + j * p->c_step, a, b + j * p->b_outer, p, kColumns, vectors);
  }
  float *const rest = c + j * p->c_step;
  const float *const factors = b + j * p->b_outer;
  switch (p->n - j) {
    case 1: product_tile(rest, a, factors, p, 1, vectors); break;
    case 2: product_tile(rest, a, factors, p, 2, vectors); break;
    case 3: product_tile(rest, a, factors, p, 3, vectors); break;
    case 4: product_tile(rest, a, factors, p, 4, vectors); break;
    case 5: product_tile(rest, a, factors, p, 5, vectors); break;
    default: break;
  }
}

static void product(float *c, const float *a, const float *b, const cpu_product *p) {
  size_t i = 0;
  for (; i + 2 * kVector <= p->m; i += 2 * kVector) product_columns(c + i, a + i, b, p, 2);
  for (; i < p->m; i += kVector) product_columns(c + i, a + i, b, p, 1);
}

static void split_complex(float *restrict parts, const float *restrict z, size_t rows, size_t lanes) {
  const size_t size = rows * lanes;
  for (size_t r = 0; r < rows; r++, parts += lanes, z += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++) {
      parts[i] = z[i];
      parts[size + i] = z[lanes + i] - z[i];
      parts[2 * size + i] = z[i] + z[lanes + i];
    }
  }
}

static void join_complex(float *restrict z, const float *restrict parts, size_t rows, size_t lanes) {
  const size_t size = rows * lanes;
  for (size_t r = 0; r < rows; r++, parts += lanes, z += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++) {
      z[i] = parts[i] - parts[2 * size + i];
      z[lanes + i] = parts[i] + parts[size + i];
    }
  }
}
