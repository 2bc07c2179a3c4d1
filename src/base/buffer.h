/* Numbers of buffers in host memory, whatever their type. */
#ifndef CUONN_BASE_BUFFER_H
#define CUONN_BASE_BUFFER_H

#include <stdbool.h>

#include "cuonn/buffer.h"
#include "cuonn/fields.h"

static inline bool buffer_is_double(const cuonn_buffer *buffer) {
  return buffer->type == CUONN_FLOAT64 || buffer->type == CUONN_COMPLEX128;
}

static inline bool buffer_is_complex(const cuonn_buffer *buffer) {
  return buffer->type == CUONN_COMPLEX64 || buffer->type == CUONN_COMPLEX128;
}

/* The i-th real number; a complex one is two. */
static inline double buffer_get(const cuonn_buffer *buffer, size_t i) {
  return buffer_is_double(buffer) ? ((const double *)buffer->data)[i] : (double)((const float *)buffer->data)[i];
}

static inline void buffer_put(const cuonn_buffer *buffer, size_t i, double value) {
  if (buffer_is_double(buffer))
    ((double *)buffer->data)[i] = value;
  else
    ((float *)buffer->data)[i] = (float)value;
}

/* The same from the i-th real number on. */
static inline cuonn_buffer buffer_at(const cuonn_buffer *buffer, size_t i) {
  cuonn_buffer rest = *buffer;
  rest.data = (char *)rest.data + i * (buffer_is_double(buffer) ? sizeof(double) : sizeof(float));
  return rest;
}

/* Complex numbers of the host as a buffer. */
static inline cuonn_buffer buffer_of(const double *values, size_t count) {
  return (cuonn_buffer){(double *)values, CUONN_COMPLEX128, CUONN_HOST, count};
}

static inline cuonn_buffer buffer_of_fields(const cuonn_fields *fields) {
  return buffer_of(fields->values, fields->n_examples * fields->n_modes);
}

#endif
