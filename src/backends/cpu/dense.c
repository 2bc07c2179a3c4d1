/* A block of examples through matrices and back. */
#include "cpu/dense.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/nonlinear.h"

cuonn_status dense_model_create(dense_model *out, const cuonn_network_shape *shape, size_t n_chunks) {
  const size_t padded = dense_padded(shape->n_modes), size = dense_size(shape);
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuonn_allocate(&out->elements, size, sizeof *out->elements));
  CUONN_TRY_DONE(cuonn_allocate(&out->back, (shape->n_layers - 1) * 2 * padded * padded, sizeof *out->back));
  CUONN_TRY_DONE(cuonn_allocate(&out->sums, n_chunks * size, sizeof *out->sums));
done:
  if (status != CUONN_OK) dense_model_free(out);
  return status;
}

void dense_model_free(dense_model *model) {
  free(model->elements);
  free(model->back);
  free(model->sums);
  memset(model, 0, sizeof *model);
}

cuonn_status dense_space_create(dense_space *out, const cuonn_network_shape *shape) {
  const size_t n = shape->n_modes, examples = kDenseExamples, fields = examples * 2 * dense_padded(n);
  const size_t read = dense_lanes(shape, shape->n_layers - 1), layers = shape->n_layers;
  cuonn_status status = CUONN_OK;
  memset(out, 0, sizeof *out);
  CUONN_TRY_DONE(cuonn_allocate(&out->x, examples * 2 * n, sizeof *out->x));
  CUONN_TRY_DONE(cuonn_allocate(&out->sum, examples * n, sizeof *out->sum));
  CUONN_TRY_DONE(cuonn_allocate(&out->parts, 3 * fields / 2, sizeof *out->parts));
  CUONN_TRY_DONE(cuonn_allocate(&out->y, layers * fields, sizeof *out->y));
  CUONN_TRY_DONE(cuonn_allocate(&out->h, layers * fields, sizeof *out->h));
  for (size_t i = 0; i < 2; i++) CUONN_TRY_DONE(cuonn_allocate(&out->g[i], fields, sizeof(float)));
  CUONN_TRY_DONE(cuonn_allocate(&out->g_read, examples * 2 * read, sizeof *out->g_read));
  CUONN_TRY_DONE(cuonn_allocate(&out->y_read, fields, sizeof *out->y_read));
  CUONN_TRY_DONE(cuonn_allocate(&out->back, fields, sizeof *out->back));
  CUONN_TRY_DONE(cuonn_allocate(&out->power, shape->n_classes * examples, sizeof *out->power));
  CUONN_TRY_DONE(cuonn_allocate(&out->ones, examples, sizeof *out->ones));
  CUONN_TRY_DONE(cuonn_allocate(&out->index, examples, sizeof *out->index));
  for (size_t i = 0; i < examples; i++) out->ones[i] = 1;
done:
  if (status != CUONN_OK) dense_space_free(out);
  return status;
}

void dense_space_free(dense_space *space) {
  free(space->x);
  free(space->sum);
  free(space->parts);
  free(space->y);
  free(space->h);
  free(space->g[0]);
  free(space->g[1]);
  free(space->g_read);
  free(space->y_read);
  free(space->back);
  free(space->power);
  free(space->ones);
  free(space->index);
  memset(space, 0, sizeof *space);
}

static size_t fields_size(const cuonn_network_shape *shape) {
  return 2 * dense_padded(shape->n_modes) * kDenseExamples;
}

static void prepare_first(dense_products *p, const cuonn_network_shape *shape, size_t n_examples) {
  const size_t n = shape->n_modes, lanes = dense_lanes(shape, 0);
  for (size_t plane = 0; plane < 2; plane++) {
    const size_t step = plane ? 2 * n : n;
    p->first[plane] =
        cpu_product_of((product_size){.m = lanes, .n = n_examples, .k = n, .lda = lanes, .ldb = step, .ldc = lanes});
    for (size_t add = 0; add < 2; add++) {
      p->first_gradient[plane][add] = cpu_product_of((product_size){.m = lanes,
                                                                    .n = n,
                                                                    .k = n_examples,
                                                                    .lda = lanes,
                                                                    .ldb = step,
                                                                    .ldc = lanes,
                                                                    .turned = true,
                                                                    .add = add == 1});
    }
  }
}

static void prepare_later(dense_products *p, const cuonn_network_shape *shape, size_t l, size_t n_examples) {
  const size_t n = shape->n_modes, padded = dense_padded(n), planes = 2 * dense_lanes(shape, l);
  p->forward = cpu_product_of(
      (product_size){.m = planes, .n = n_examples, .k = n, .lda = planes, .ldb = 2 * padded, .ldc = planes});
  p->back = cpu_product_of(
      (product_size){.m = padded, .n = n_examples, .k = planes, .lda = padded, .ldb = planes, .ldc = 2 * padded});
  for (size_t add = 0; add < 2; add++) {
    p->gradient[add] = cpu_product_of((product_size){.m = planes,
                                                     .n = n,
                                                     .k = n_examples,
                                                     .lda = planes,
                                                     .ldb = 2 * padded,
                                                     .ldc = planes,
                                                     .turned = true,
                                                     .add = add == 1});
  }
}

void dense_products_prepare(dense_products *to, const cuonn_network_shape *shape) {
  for (size_t l = 0; l < shape->n_layers; l++) {
    for (size_t i = 0; i < kDenseBlocks; i++, to++) {
      if (l == 0) {
        prepare_first(to, shape, (size_t)16 << i);
      } else {
        prepare_later(to, shape, l, (size_t)16 << i);
      }
    }
  }
}

static const dense_products *products_of(const dense_products *all, size_t l, size_t n_examples) {
  return all + l * kDenseBlocks + (n_examples == 16 ? 0 : n_examples == 32 ? 1 : 2);
}

/* Elements of one layer: (output, input) is re, im[input * step + output]. */
typedef struct {
  float *re, *im;
  size_t step;
} dense_layer;

static dense_layer dense_layer_of(float *elements, const cuonn_network_shape *shape, size_t l) {
  float *const re = elements + dense_offset(shape, l);
  const size_t lanes = dense_lanes(shape, l);
  return l == 0 ? (dense_layer){re, re + 3 * shape->n_modes * lanes, lanes} : (dense_layer){re, re + lanes, 2 * lanes};
}

void dense_store_rows(const dense_model *to, const cuonn_network_shape *shape, size_t l, const float *g, size_t first,
                      size_t lanes) {
  const size_t n = shape->n_modes, padded = dense_padded(n), width = dense_lanes(shape, l);
  const size_t count = width - first < lanes ? width - first : lanes;
  const dense_layer layer = dense_layer_of(to->elements, shape, l);
  for (size_t in = 0; in < n; in++) {
    const float *const re = g + in * 2 * lanes, *const im = re + lanes;
    memcpy(layer.re + in * layer.step + first, re, count * sizeof *re);
    memcpy(layer.im + in * layer.step + first, im, count * sizeof *im);
    if (l > 0) continue;
    float *const difference = layer.re + (n + in) * width + first, *const sum = difference + n * width;
    for (size_t i = 0; i < count; i++) difference[i] = im[i] - re[i], sum[i] = re[i] + im[i];
  }
  if (l == 0) return;
  float *const back = dense_back(to, shape, l);
  for (size_t i = 0; i < count; i++) {
    float *const re = back + (first + i) * padded, *const im = re + width * padded;
    for (size_t in = 0; in < n; in++) re[in] = g[in * 2 * lanes + i], im[in] = -g[(in * 2 + 1) * lanes + i];
  }
}

void dense_load_rows(float *g, const dense_model *model, const cuonn_network_shape *shape, size_t l, size_t first,
                     size_t lanes) {
  const size_t n = shape->n_modes, width = dense_lanes(shape, l);
  const size_t count = width - first < lanes ? width - first : lanes;
  const dense_layer from = dense_layer_of(model->elements, shape, l);
  if (count < lanes) memset(g, 0, n * 2 * lanes * sizeof *g);
  for (size_t in = 0; in < n; in++, g += 2 * lanes) {
    memcpy(g, from.re + in * from.step + first, count * sizeof *g);
    memcpy(g + lanes, from.im + in * from.step + first, count * sizeof *g);
  }
}

/* Complex inputs, as the real ones of the three products: real + imaginary, real, imaginary. */
static const float *input_part(const dense_space *space, size_t n, size_t part) {
  return part == 0 ? space->sum : space->x + (part - 1) * n;
}

void dense_forward(dense_space *space, const dense_model *model, const dense_products *products,
                   const cuonn_network_shape *shape, size_t n_examples, const cpu_kernels *kernels) {
  const cpu_outputs of = {space->ones, NULL};
  const size_t n = shape->n_modes, padded = dense_padded(n), size = fields_size(shape), lanes = dense_lanes(shape, 0);
  const dense_products *const first = products_of(products, 0, n_examples);
  for (size_t part = 0; part < 3; part++) {
    cpu_product_run(first->first + (part > 0), space->parts + part * n_examples * lanes,
                    model->elements + part * n * lanes, input_part(space, n, part));
  }
  kernels->join_complex(space->y, space->parts, n_examples, lanes);
  for (size_t l = 1; l < shape->n_layers; l++) {
    float *const h = space->h + (l - 1) * size;
    cpu_nonlinear(h, space->y + (l - 1) * size, &of, &shape->nonlinearity, n_examples, padded, kernels);
    cpu_product_run(&products_of(products, l, n_examples)->forward, space->y + l * size,
                    model->elements + dense_offset(shape, l), h);
  }
}

void dense_backward(float *sums, bool add, dense_space *space, const dense_model *model, const dense_products *products,
                    const cuonn_network_shape *shape, size_t n_examples, const cpu_kernels *kernels) {
  const cpu_outputs of = {space->ones, NULL};
  const size_t n = shape->n_modes, padded = dense_padded(n), size = fields_size(shape), lanes = dense_lanes(shape, 0);
  const float *g = space->g_read;
  for (size_t l = shape->n_layers; l-- > 1;) {
    const dense_products *const p = products_of(products, l, n_examples);
    float *const before = space->g[l % 2];
    cpu_product_run(p->gradient + add, sums + dense_offset(shape, l), g, space->h + (l - 1) * size);
    cpu_product_run(&p->back, before, dense_back(model, shape, l), g);
    cpu_nonlinear_backward(before, space->y + (l - 1) * size, &of, &shape->nonlinearity, n_examples, padded, kernels);
    g = before;
  }
  kernels->split_complex(space->parts, g, n_examples, lanes);
  for (size_t part = 0; part < 3; part++) {
    cpu_product_run(products_of(products, 0, n_examples)->first_gradient[part > 0] + add, sums + part * n * lanes,
                    space->parts + part * n_examples * lanes, input_part(space, n, part));
  }
}

void dense_load_sums(float *x, const dense_model *model, const cuonn_network_shape *shape, size_t l, size_t n_chunks,
                     size_t first, size_t lanes, const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, width = dense_lanes(shape, l), size = dense_size(shape), plane = n * width;
  const size_t count = width - first < lanes ? width - first : lanes;
  const float *from = model->sums + dense_offset(shape, l) + first;
  _Alignas(64) float products[3][kDenseExamples];
  if (count < lanes) memset(x, 0, n * 2 * lanes * sizeof *x);
  for (size_t in = 0; in < n; in++, x += 2 * lanes) {
    if (l > 0) {
      kernels->sum_parts(x, from + in * 2 * width, n_chunks, size, count);
      kernels->sum_parts(x + lanes, from + (in * 2 + 1) * width, n_chunks, size, count);
      continue;
    }
    for (size_t i = 0; i < 3; i++) {
      kernels->sum_parts(products[i], from + i * plane + in * width, n_chunks, size, count);
    }
    for (size_t i = 0; i < count; i++) {
      x[i] = products[0][i] - products[2][i];
      x[lanes + i] = products[0][i] + products[1][i];
    }
  }
}
