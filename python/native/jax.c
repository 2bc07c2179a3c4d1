/* What XLA calls for cuonn.jax: meshes as functions of their phases (cuonn/function.h), on the processor and, in XLA's
 * own stream, on a GPU.
 *
 * Under vmap every argument has leading dimensions, each of the mapped size or of 1 where the argument is not mapped
 * ("expand_dims"). Calls of the library are made for each of their indices; but where the last of them map fields
 * alone, these fields are one batch. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cuonn/function.h"
#include "xla/ffi/api/c_api.h"

enum { kMostLeading = 8, kMostArguments = 5 };

/* An argument or result: its sizes before the leading dimensions are counted off. */
typedef struct {
  const XLA_FFI_Buffer *buffer;
  size_t each; /* numbers behind the leading dimensions */
} operand;

/* One call: theta, phi, gamma, fields (and cotangent); fields, or derivatives by the arguments. */
typedef struct {
  const XLA_FFI_CallFrame *frame;
  operand in[kMostArguments], out[kMostArguments];
  size_t n_in, n_out, leading; /* leading: number of leading dimensions */
  size_t size[kMostLeading];   /* of the results */
  cuonn_function function;
  cuonn_mesh_shape *shape; /* that of the function, the call's own; NULL: rectangular */
  bool backward;
  cuonn_memory memory;
  void *stream;
} call;

static XLA_FFI_Error *fail(const XLA_FFI_CallFrame *frame, XLA_FFI_Error_Code code, const char *message) {
  XLA_FFI_Error_Create_Args args = {
      .struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE, .message = message, .errc = code};
  return frame->api->XLA_FFI_Error_Create(&args);
}

static XLA_FFI_Error *failed(const XLA_FFI_CallFrame *frame, cuonn_status status) {
  return fail(frame,
              status == CUONN_E_MEMORY   ? XLA_FFI_Error_Code_RESOURCE_EXHAUSTED
              : status == CUONN_E_DEVICE ? XLA_FFI_Error_Code_UNAVAILABLE
                                         : XLA_FFI_Error_Code_INVALID_ARGUMENT,
              cuonn_last_error());
}

/* ---------------------------------------------------------------------------------------------- what XLA hands over */

static const void *attribute(const XLA_FFI_CallFrame *frame, const char *name) {
  for (int64_t i = 0; i < frame->attrs.size; i++) {
    const XLA_FFI_ByteSpan *const of = frame->attrs.names[i];
    if (of->len == strlen(name) && memcmp(of->ptr, name, of->len) == 0) return frame->attrs.attrs[i];
  }
  return NULL;
}

static int64_t integer(const XLA_FFI_CallFrame *frame, const char *name) {
  const XLA_FFI_Scalar *const scalar = attribute(frame, name);
  return scalar ? *(const int64_t *)scalar->value : 0;
}

/* NULL for an empty one. */
static const double *doubles(const XLA_FFI_CallFrame *frame, const char *name) {
  const XLA_FFI_Array *const array = attribute(frame, name);
  return array && array->size > 0 ? array->data : NULL;
}

static cuonn_number number_of(XLA_FFI_DataType type) {
  switch (type) {
    case XLA_FFI_DataType_F32: return CUONN_FLOAT32;
    case XLA_FFI_DataType_F64: return CUONN_FLOAT64;
    case XLA_FFI_DataType_C64: return CUONN_COMPLEX64;
    default: return CUONN_COMPLEX128;
  }
}

static size_t bytes_of(XLA_FFI_DataType type) {
  return type == XLA_FFI_DataType_F32 ? 4 : type == XLA_FFI_DataType_C128 ? 16 : 8;
}

static operand operand_of(const XLA_FFI_Buffer *buffer, size_t leading) {
  operand o = {buffer, 1};
  for (int64_t i = (int64_t)leading; i < buffer->rank; i++) o.each *= (size_t)buffer->dims[i];
  return o;
}

/* A custom shape from the number of nodes of each column, and then the two waveguides of each node. */
static XLA_FFI_Error *make_custom(call *c, size_t n_columns, const int64_t *listed, size_t n_listed) {
  size_t *const counts = malloc(n_columns * sizeof *counts);
  uint32_t(*const pairs)[2] = malloc(n_listed * sizeof **pairs); /* more than it needs */
  cuonn_status status = CUONN_OK;
  if (counts && pairs) {
    for (size_t i = 0; i < n_columns; i++) counts[i] = (size_t)listed[i];
    for (size_t i = n_columns; i < n_listed; i++) pairs[(i - n_columns) / 2][(i - n_columns) % 2] = (uint32_t)listed[i];
    status = cuonn_mesh_shape_create(&c->shape, c->function.n_modes, n_columns, counts, (const uint32_t(*)[2])pairs);
  }
  const bool done = counts && pairs;
  free(counts);
  free(pairs);
  if (!done) return fail(c->frame, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, "not enough memory");
  return status == CUONN_OK ? NULL : failed(c->frame, status);
}

/* Makes the nodes of the call's shape be of another kind. */
static XLA_FFI_Error *set_node(call *c, cuonn_node_kind node) {
  cuonn_mesh_shape *const columns = c->shape;
  if (node == CUONN_NODE_MZI) return NULL;
  const cuonn_status status = cuonn_mesh_shape_with_node(&c->shape, columns, node);
  cuonn_mesh_shape_free(columns);
  return status == CUONN_OK ? NULL : failed(c->frame, status);
}

/* The attribute shape, Shape.numbers of python/cuonn/shape.py: nothing, or architecture, columns and kind of nodes, and
 * then the list of a custom one. */
static XLA_FFI_Error *read_shape(call *c) {
  const XLA_FFI_Array *const array = attribute(c->frame, "shape");
  if (!array || array->size == 0) return NULL;
  const int64_t *const numbers = array->data;
  const size_t n_columns = (size_t)numbers[1];
  const cuonn_node_kind node = (cuonn_node_kind)numbers[2];
  if (numbers[0] == CUONN_ARCHITECTURE_CUSTOM) {
    XLA_FFI_Error *const refused = make_custom(c, n_columns, numbers + 3, array->size - 3);
    return refused ? refused : set_node(c, node);
  }
  const cuonn_status status =
      cuonn_mesh_shape_make(&c->shape, (cuonn_architecture)numbers[0], c->function.n_modes, n_columns);
  return status == CUONN_OK ? set_node(c, node) : failed(c->frame, status);
}

/* c->shape is to be released when the call is over, also if it fails. */
static XLA_FFI_Error *read_call(call *c, const XLA_FFI_CallFrame *frame, const char *backend) {
  memset(c, 0, sizeof *c);
  c->frame = frame;
  c->n_in = (size_t)frame->args.size, c->n_out = (size_t)frame->rets.size;
  const XLA_FFI_Buffer *const *const args = (const XLA_FFI_Buffer *const *)frame->args.args;
  const XLA_FFI_Buffer *const *const rets = (const XLA_FFI_Buffer *const *)frame->rets.rets;
  c->leading = (size_t)args[0]->rank - 1;
  if (c->leading > kMostLeading) return fail(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, "more than 8 nested vmaps");
  for (size_t i = 0; i < c->n_in; i++) c->in[i] = operand_of(args[i], c->leading);
  for (size_t i = 0; i < c->n_out; i++) c->out[i] = operand_of(rets[i], c->leading);
  for (size_t d = 0; d < c->leading; d++) c->size[d] = (size_t)rets[0]->dims[d];
  const bool single = args[3]->dtype == XLA_FFI_DataType_C64;
  c->function = (cuonn_function){.backend = backend  ? backend
                                            : single ? "cpu"
                                                     : "reference",
                                 .threads = (int)integer(frame, "threads"),
                                 .n_modes = (size_t)integer(frame, "n_modes"),
                                 .style = (cuonn_phase_style)integer(frame, "style"),
                                 .coupler_error = doubles(frame, "coupler_error"),
                                 .loss_db = doubles(frame, "loss_db")};
  XLA_FFI_Error *const refused = read_shape(c);
  c->function.shape = c->shape;
  c->backward = integer(frame, "backward") != 0;
  return refused;
}

/* ------------------------------------------------------------------------------------------------------ which parts */

static bool is_mapped(const operand *o, size_t dimension) { return o->buffer->dims[dimension] != 1; }

/* How many of the leading dimensions have to be walked: behind them, all operands are whole batches of fields. */
static size_t walked(const call *c) {
  size_t n = c->leading;
  if (c->n_out > 1) return n; /* derivatives by phases are those of each index */
  while (n > 0 && !is_mapped(&c->in[0], n - 1) && !is_mapped(&c->in[1], n - 1) && !is_mapped(&c->in[2], n - 1) &&
         (is_mapped(&c->in[3], n - 1) || c->size[n - 1] == 1)) {
    n--;
  }
  return n;
}

/* The part of an operand at an index of the walked dimensions; what lies behind them is one piece. */
static cuonn_buffer part_of(const call *c, const operand *o, const size_t *index, size_t n_walked) {
  size_t count = o->each, offset = 0, step;
  for (size_t d = n_walked; d < c->leading; d++) count *= (size_t)o->buffer->dims[d];
  step = count;
  for (size_t d = n_walked; d-- > 0;) {
    if (is_mapped(o, d)) offset += index[d] * step;
    step *= (size_t)o->buffer->dims[d];
  }
  return (cuonn_buffer){(char *)o->buffer->data + offset * bytes_of(o->buffer->dtype), number_of(o->buffer->dtype),
                        c->memory, count};
}

static cuonn_status compute_part(const call *c, const size_t *index, size_t n_walked) {
  cuonn_buffer in[kMostArguments], out[kMostArguments];
  for (size_t i = 0; i < c->n_in; i++) in[i] = part_of(c, &c->in[i], index, n_walked);
  for (size_t i = 0; i < c->n_out; i++) out[i] = part_of(c, &c->out[i], index, n_walked);
  const cuonn_phase_buffers phases = {in[0], in[1], in[2]};
  if (c->n_out == 1) return cuonn_function_propagate(&out[0], &c->function, 1, &phases, &in[3], c->backward, c->stream);
  const cuonn_phase_buffers gradient = {out[0], out[1], out[2]};
  return cuonn_function_vjp(&gradient, &out[3], &c->function, 1, &phases, &in[3], &in[4], c->stream);
}

static XLA_FFI_Error *compute(const call *c) {
  const size_t n_walked = walked(c);
  size_t index[kMostLeading] = {0};
  for (;;) {
    const cuonn_status status = compute_part(c, index, n_walked);
    if (status != CUONN_OK) return failed(c->frame, status);
    size_t d = n_walked;
    while (d > 0 && ++index[d - 1] == c->size[d - 1]) index[--d] = 0;
    if (d == 0) return NULL;
  }
}

/* Without examples there is nothing to compute: no fields, and derivatives of nothing. */
static bool is_empty(const call *c) {
  size_t count = c->in[3].each;
  for (size_t d = 0; d < c->leading; d++) count *= c->size[d];
  return count == 0;
}

/* --------------------------------------------------------------------------------------------------------- handlers */

/* Whether XLA only asks which version of its interface this is. */
static bool is_question(const XLA_FFI_CallFrame *frame) {
  for (XLA_FFI_Extension_Base *e = frame->extension_start; e; e = e->next) {
    if (e->type != XLA_FFI_Extension_Metadata) continue;
    XLA_FFI_Metadata *const metadata = ((XLA_FFI_Metadata_Extension *)e)->metadata;
    metadata->api_version.major_version = XLA_FFI_API_MAJOR;
    metadata->api_version.minor_version = XLA_FFI_API_MINOR;
    return true;
  }
  return false;
}

CUONN_API XLA_FFI_Error *cuonn_jax_host(XLA_FFI_CallFrame *frame);
CUONN_API XLA_FFI_Error *cuonn_jax_device(XLA_FFI_CallFrame *frame);

static XLA_FFI_Error *on_host(call *c) {
  if (!is_empty(c)) return compute(c);
  for (size_t i = 0; i < c->n_out; i++) {
    const cuonn_buffer whole = part_of(c, &c->out[i], NULL, 0);
    memset(whole.data, 0, whole.count * bytes_of(c->out[i].buffer->dtype));
  }
  return NULL;
}

static XLA_FFI_Error *on_device(call *c) {
  const XLA_FFI_CallFrame *const frame = c->frame;
  XLA_FFI_Stream_Get_Args stream = {.struct_size = XLA_FFI_Stream_Get_Args_STRUCT_SIZE, .ctx = frame->ctx};
  XLA_FFI_Error *const without = frame->api->XLA_FFI_Stream_Get(&stream);
  if (without) return without;
  c->memory = CUONN_DEVICE;
  c->stream = stream.stream;
  if (is_empty(c)) return fail(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, "there are no examples");
  return compute(c);
}

CUONN_API XLA_FFI_Error *cuonn_jax_host(XLA_FFI_CallFrame *frame) {
  call c;
  if (is_question(frame)) return NULL;
  XLA_FFI_Error *const refused = read_call(&c, frame, NULL);
  XLA_FFI_Error *const error = refused ? refused : on_host(&c);
  cuonn_mesh_shape_free(c.shape);
  return error;
}

CUONN_API XLA_FFI_Error *cuonn_jax_device(XLA_FFI_CallFrame *frame) {
  call c;
  if (is_question(frame)) return NULL;
  XLA_FFI_Error *const refused = read_call(&c, frame, "cuda");
  XLA_FFI_Error *const error = refused ? refused : on_device(&c);
  cuonn_mesh_shape_free(c.shape);
  return error;
}
