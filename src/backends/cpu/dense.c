/* A block of examples through matrices and back. */
#include "cpu/dense.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

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
  return kDenseExamples * 2 * dense_padded(shape->n_modes);
}

/* Complex inputs, as the real ones of the three products: real + imaginary, real, imaginary. */
static const float *input_part(size_t *step, const dense_space *space, size_t n, size_t part) {
  *step = part == 0 ? n : 2 * n;
  return part == 0 ? space->sum : space->x + (part - 1) * n;
}

static void first_forward(dense_space *space, const dense_model *model, const cuonn_network_shape *shape,
                          size_t n_examples, const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, lanes = dense_lanes(shape, 0);
  for (size_t part = 0; part < 3; part++) {
    size_t step;
    const float *const input = input_part(&step, space, n, part);
    kernels->product(
        space->parts + part * n_examples * lanes, model->elements + part * n * lanes, input,
        &(cpu_product){
            .m = lanes, .n = n_examples, .k = n, .a_step = lanes, .c_step = lanes, .b_outer = step, .b_inner = 1});
  }
  kernels->join_complex(space->y, space->parts, n_examples, lanes);
}

void dense_forward(dense_space *space, const dense_model *model, const cuonn_network_shape *shape, size_t n_examples,
                   const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, padded = dense_padded(n), size = fields_size(shape);
  first_forward(space, model, shape, n_examples, kernels);
  for (size_t l = 1; l < shape->n_layers; l++) {
    float *const h = space->h + (l - 1) * size;
    const size_t planes = 2 * dense_lanes(shape, l);
    kernels->modulus(h, space->y + (l - 1) * size, space->ones, n_examples, padded);
    kernels->product(space->y + l * size, model->elements + dense_offset(shape, l), h,
                     &(cpu_product){.m = planes,
                                    .n = n_examples,
                                    .k = n,
                                    .a_step = planes,
                                    .c_step = planes,
                                    .b_outer = 2 * padded,
                                    .b_inner = 1});
  }
}

static void first_backward(float *sums, dense_space *space, const float *g, const cuonn_network_shape *shape,
                           size_t n_examples, const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, lanes = dense_lanes(shape, 0);
  kernels->split_complex(space->parts, g, n_examples, lanes);
  for (size_t part = 0; part < 3; part++) {
    size_t step;
    const float *const input = input_part(&step, space, n, part);
    kernels->product(sums + part * n * lanes, space->parts + part * n_examples * lanes, input,
                     &(cpu_product){.m = lanes,
                                    .n = n,
                                    .k = n_examples,
                                    .a_step = lanes,
                                    .c_step = lanes,
                                    .b_outer = 1,
                                    .b_inner = step,
                                    .add = true});
  }
}

void dense_backward(float *sums, dense_space *space, const dense_model *model, const cuonn_network_shape *shape,
                    size_t n_examples, const cpu_kernels *kernels) {
  const size_t n = shape->n_modes, padded = dense_padded(n), size = fields_size(shape);
  const float *g = space->g_read;
  for (size_t l = shape->n_layers; l-- > 1;) {
    const size_t planes = 2 * dense_lanes(shape, l);
    float *const before = space->g[l % 2];
    kernels->product(sums + dense_offset(shape, l), g, space->h + (l - 1) * size,
                     &(cpu_product){.m = planes,
                                    .n = n,
                                    .k = n_examples,
                                    .a_step = planes,
                                    .c_step = planes,
                                    .b_outer = 1,
                                    .b_inner = 2 * padded,
                                    .add = true});
    kernels->product(before, dense_back(model, shape, l), g,
                     &(cpu_product){.m = padded,
                                    .n = n_examples,
                                    .k = planes,
                                    .a_step = padded,
                                    .c_step = 2 * padded,
                                    .b_outer = planes,
                                    .b_inner = 1});
    kernels->modulus_backward(before, space->y + (l - 1) * size, space->ones, n_examples, padded);
    g = before;
  }
  first_backward(sums, space, g, shape, n_examples, kernels);
}
