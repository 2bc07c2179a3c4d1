/* What handles ask of single layers. All kernels run on the state's own stream, which waits for the caller's before,
 * and which the caller's waits for afterwards: so they stand in order with steps, too, and the host waits for none of
 * it. Buffers in host memory get a twin on the device for the time of a call. */
#include "cuda/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "cuda/chip.h"
#include "cuda/prepare.h"
#include "kernels/buffers.h"
#include "kernels/columns.h"
#include "kernels/optimizer.h"

void cuda_fields_free(cuda_fields *f) {
  cuda_room *const rooms[] = {&f->x, &f->g, &f->y, &f->gradient, &f->d_gamma, &f->kept};
  for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) cuda_memory_free(&rooms[i]->memory);
  cuda_memory_free(&f->lasting);
  if (f->event) (void)cudaEventDestroy(f->event);
}

static cuonn_status widen(cuda_room *room, size_t count, size_t size, const cuda_state *s) {
  return cuda_widen(room, count, size, "the fields and gradients of a call", s->session->stream, NULL);
}

/* Phases at the outputs, which networks do without. */
static cuonn_status add_outputs(cuda_state *s) {
  cuda_meshes *const m = &s->meshes;
  const size_t n = s->problem.shape.n_modes, layers = s->problem.shape.n_layers;
  CUONN_TRY(cuda_allocate(&m->turns, &m->lasting, m->n_meshes * n, sizeof(float2), "the output phases"));
  CUONN_TRY(cuda_allocate(&m->gamma, &m->lasting, m->n_meshes * n, sizeof(double), "the output phases"));
  for (size_t i = 0; i < m->n_meshes; i++) {
    CUONN_CUDA(cudaMemcpyAsync(m->gamma + i * n, s->models[i / layers].network.layers[i % layers].gamma,
                               n * sizeof(double), cudaMemcpyHostToDevice, s->session->stream));
  }
  s->changed = true;
  return CUONN_OK;
}

/* What lasts as long as the state. */
static cuonn_status make_lasting(cuda_state *s) {
  cuda_fields *const f = &s->fields;
  cudaStream_t stream = s->session->stream;
  const size_t nodes = s->meshes.n_nodes, places = s->meshes.places;
  const char *const of = "the gradients of a mesh";
  network_batch batches[kMostChunks] = {0};
  for (unsigned i = 0; i < kMostChunks; i++) batches[i].n_chunks = i + 1;
  CUONN_TRY(cuda_allocate(&f->sum, &f->lasting, places, sizeof *f->sum, of));
  CUONN_TRY(cuda_allocate(&f->pulled, &f->lasting, places, sizeof *f->pulled, of));
  CUONN_TRY(cuda_allocate(&f->losses, &f->lasting, kMostChunks + 1, sizeof *f->losses, of));
  CUONN_TRY(cuda_allocate(&f->batches, &f->lasting, kMostChunks, sizeof *f->batches, of));
  CUONN_TRY(cuda_allocate(&f->place, &f->lasting, nodes, sizeof *f->place, of));
  CUONN_CUDA(cudaMemsetAsync(f->losses, 0, (kMostChunks + 1) * sizeof *f->losses, stream));
  CUONN_CUDA(cudaMemcpyAsync(f->batches, batches, sizeof batches, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaMemcpyAsync(f->place, s->meshes.place, nodes * sizeof *f->place, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  CUONN_CUDA(cudaEventCreateWithFlags(&f->event, cudaEventDisableTiming));
  return CUONN_OK;
}

cuonn_status cuda_fields_prepare(cuda_state *s) {
  if (!s->fields.event) {
    cuda_fields_free(&s->fields); /* of a first call that failed */
    s->fields = (cuda_fields){0};
    CUONN_TRY(make_lasting(s));
  }
  if (!s->meshes.gamma) CUONN_TRY(add_outputs(s));
  return cuda_prepare_chip(s);
}

/* One call: twins of its buffers, and the caller's stream. */
typedef struct {
  cuda_state *s;
  bool on_host, joined; /* joined: the streams wait for each other */
  cudaStream_t stream;  /* the caller's */
  cuda_memory twins;
} call;

static cuonn_status begin(call *c, void *state, cuonn_memory memory, void *stream) {
  cuda_state *const s = state;
  enum cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  *c = (call){.s = s, .on_host = memory == CUONN_HOST, .stream = stream};
  if (!c->on_host) CUONN_CUDA(cudaStreamIsCapturing(stream, &capture));
  CUONN_CHECK(capture == cudaStreamCaptureStatusNone, CUONN_E_ARGUMENT,
              "the stream is being captured into a graph; call before the capture begins or after it ends");
  CUONN_TRY(cuda_fields_prepare(s));
  if (c->on_host) return CUONN_OK;
  CUONN_CUDA(cudaEventRecord(s->fields.event, stream));
  CUONN_CUDA(cudaStreamWaitEvent(s->session->stream, s->fields.event, 0));
  c->joined = true;
  return CUONN_OK;
}

/* status: of the call until now. The caller's stream waits for what was queued before a failure, too. */
static cuonn_status end(call *c, cuonn_status status) {
  cuda_state *const s = c->s;
  if (c->on_host) {
    const cudaError_t waited = cudaStreamSynchronize(s->session->stream);
    cuda_memory_free(&c->twins);
    if (status == CUONN_OK) CUONN_CUDA(waited);
  } else if (c->joined) {
    const cudaError_t recorded = cudaEventRecord(s->fields.event, s->session->stream);
    const cudaError_t waits = cudaStreamWaitEvent(c->stream, s->fields.event, 0);
    if (status == CUONN_OK) CUONN_CUDA(recorded);
    if (status == CUONN_OK) CUONN_CUDA(waits);
  }
  return status;
}

static size_t bytes_of(const cuonn_buffer *buffer) {
  return buffer->count * (buffer_is_double(buffer) ? sizeof(double) : sizeof(float)) *
         (buffer_is_complex(buffer) ? 2 : 1);
}

/* Of several devices, a kernel of one may not touch the memory of another. */
static cuonn_status check_device(const cuonn_buffer *buffer, const cuda_session *session) {
  struct cudaPointerAttributes attributes;
  if (!session->among_several) return CUONN_OK;
  CUONN_CUDA(cudaPointerGetAttributes(&attributes, buffer->data));
  CUONN_CHECK(attributes.type != cudaMemoryTypeDevice || attributes.device == session->device, CUONN_E_ARGUMENT,
              "a buffer lies on device %d, and the handle computes on device %d; bring them to one device",
              attributes.device, session->device);
  return CUONN_OK;
}

/* A buffer on the device, with what it holds if it is to be read. */
static cuonn_status borrow(cuonn_buffer *twin, call *c, const cuonn_buffer *buffer, bool read) {
  *twin = *buffer;
  if (!buffer->data) return CUONN_OK;
  if (buffer->memory == CUONN_DEVICE) return check_device(buffer, c->s->session);
  CUONN_TRY(cuda_allocate(&twin->data, &c->twins, bytes_of(buffer), 1, "the numbers of a call"));
  if (!read) return CUONN_OK;
  CUONN_CUDA(
      cudaMemcpyAsync(twin->data, buffer->data, bytes_of(buffer), cudaMemcpyHostToDevice, c->s->session->stream));
  return CUONN_OK;
}

static cuonn_status give_back(const call *c, const cuonn_buffer *buffer, const cuonn_buffer *twin) {
  if (twin->data == buffer->data) return CUONN_OK;
  CUONN_CUDA(
      cudaMemcpyAsync(buffer->data, twin->data, bytes_of(buffer), cudaMemcpyDeviceToHost, c->s->session->stream));
  return CUONN_OK;
}

static number_array numbers(const cuonn_buffer *buffer) {
  return (number_array){buffer->data, buffer_is_double(buffer)};
}

/* Whether kernels can work on a caller's fields where they lie. */
static bool in_place(const cuonn_buffer *fields, const cuda_state *s) {
  return fields->type == CUONN_COMPLEX64 && s->stride == s->problem.shape.n_modes && (uintptr_t)fields->data % 16 == 0;
}

/* Fields as kernels want them: the caller's, or a copy in `room`. */
static cuonn_status take_fields(float2 **out, cuda_room *room, const cuda_state *s, const cuonn_buffer *from,
                                bool copy) {
  const size_t n_examples = from->count / s->problem.shape.n_modes;
  const number_array array = numbers(from);
  *out = from->data;
  if (!copy && in_place(from, s)) return CUONN_OK;
  CUONN_TRY(widen(room, n_examples * s->stride, sizeof(float2), s));
  *out = room->data;
  CUONN_CUDA(launch_take_fields(*out, &array, s->meshes.layout, n_examples, s->session->stream));
  return CUONN_OK;
}

/* Where kernels write fields that are to come to `to`; and their way there. */
static cuonn_status place_fields(float2 **out, cuda_room *room, const cuda_state *s, const cuonn_buffer *to) {
  *out = to->data;
  if (in_place(to, s)) return CUONN_OK;
  CUONN_TRY(widen(room, to->count / s->problem.shape.n_modes * s->stride, sizeof(float2), s));
  *out = room->data;
  return CUONN_OK;
}

static cuonn_status give_fields(const cuda_state *s, const cuonn_buffer *to, const float2 *from) {
  const number_array array = numbers(to);
  if (in_place(to, s)) return CUONN_OK;
  CUONN_CUDA(
      launch_give_fields(&array, from, s->meshes.layout, to->count / s->problem.shape.n_modes, s->session->stream));
  return CUONN_OK;
}

/* ---- phases ---- */

static cuonn_status set_phases(void *state, size_t model, size_t layer, const cuonn_phase_buffers *phases,
                               void *stream) {
  const cuonn_buffer *const given[] = {&phases->theta, &phases->phi, &phases->gamma};
  cuonn_buffer twins[3];
  number_array arrays[3];
  cuonn_memory memory = CUONN_HOST;
  cuonn_status status = CUONN_OK;
  call c;
  for (size_t i = 0; i < 3; i++) {
    if (given[i]->data) memory = given[i]->memory;
  }
  CUONN_TRY_DONE(begin(&c, state, memory, stream));
  const cuda_meshes *const m = &c.s->meshes;
  const size_t mesh = model * c.s->problem.shape.n_layers + layer, n = c.s->problem.shape.n_modes;
  cudaStream_t own = c.s->session->stream;
  for (size_t i = 0; i < 3; i++) {
    CUONN_TRY_DONE(borrow(&twins[i], &c, given[i], true));
    arrays[i] = numbers(&twins[i]);
  }
  CUONN_CUDA_DONE(
      launch_take_phases(m->phases + mesh * m->places, &arrays[0], &arrays[1], c.s->fields.place, m->n_nodes, own));
  if (arrays[2].data) CUONN_CUDA_DONE(launch_take_gamma(m->gamma + mesh * n, &arrays[2], n, own));
  CUONN_TRY_DONE(cuda_apply(c.s));
done:
  return end(&c, status);
}

/* ---- fields ---- */

static cuonn_status propagate(const cuonn_buffer *out, void *state, size_t model, size_t layer, const cuonn_buffer *in,
                              bool backward, void *stream) {
  cuonn_buffer from, to;
  float2 *x, *y;
  cuonn_status status = CUONN_OK;
  call c;
  CUONN_TRY_DONE(begin(&c, state, in->memory, stream));
  const cuda_state *const s = c.s;
  const device_meshes mesh = cuda_meshes_view(&s->meshes, model * s->problem.shape.n_layers + layer);
  CUONN_TRY_DONE(borrow(&from, &c, in, true));
  CUONN_TRY_DONE(borrow(&to, &c, out, false));
  CUONN_TRY_DONE(take_fields(&x, &c.s->fields.x, s, &from, false));
  CUONN_TRY_DONE(place_fields(&y, &c.s->fields.y, s, &to));
  CUONN_CUDA_DONE(
      launch_columns(y, &mesh, 1, x, (int)(in->count / s->problem.shape.n_modes), backward, true, s->session->stream));
  CUONN_TRY_DONE(give_fields(s, &to, y));
  CUONN_TRY_DONE(give_back(&c, out, &to));
done:
  return end(&c, status);
}

/* The room that kernels need besides the fields. */
static cuonn_status make_task(vjp_task *task, cuda_state *s, const device_meshes *mesh, size_t n_examples) {
  cuda_fields *const f = &s->fields;
  const size_t chunks = cuda_chunks(n_examples, s->meshes.layout, 1);
  CUONN_TRY(widen(&f->gradient, chunks * s->meshes.places, sizeof(float2), s));
  CUONN_TRY(widen(&f->d_gamma, chunks * s->problem.shape.n_modes, sizeof(float), s));
  *task = (vjp_task){
      .gradient = f->gradient.data, .d_gamma = f->d_gamma.data, .n_examples = (int)n_examples, .n_chunks = (int)chunks};
  if (!mesh->starts) return CUONN_OK;
  CUONN_TRY(
      widen(&f->kept, network_kept_size(s->meshes.layout, 1, chunks, 1, (size_t)mesh->n_segments), sizeof(float2), s));
  task->kept = f->kept.data;
  return CUONN_OK;
}

/* The chunks' gradients to buffers on the device. */
static cuonn_status give_gradient(const cuonn_buffer twins[3], const cuda_state *s, size_t model, size_t layer,
                                  const vjp_task *task) {
  const cuda_fields *const f = &s->fields;
  const number_array theta = numbers(&twins[0]), phi = numbers(&twins[1]), gamma = numbers(&twins[2]);
  cudaStream_t stream = s->session->stream;
  const network_sums sums = {.layout = s->meshes.layout,
                             .n_layers = 1,
                             .n_models = 1,
                             .gradient = task->gradient,
                             .losses = {f->losses + 1, (unsigned)task->n_chunks, f->batches + task->n_chunks - 1}};
  const float2 *gradient = f->sum;
  CUONN_CUDA(launch_gradient(f->sum, f->losses, &sums, stream));
  if (s->chip.mixes) {
    phases_task pull = cuda_phases_task(s, model, 1);
    pull.first_layer = (int)layer;
    pull.n_layers = 1;
    CUONN_CUDA(launch_pull_back(f->pulled, f->sum, &pull, stream));
    gradient = f->pulled;
  }
  CUONN_CUDA(launch_give_gradient(&theta, &phi, gradient, f->place, s->meshes.n_nodes, stream));
  if (gamma.data) {
    CUONN_CUDA(launch_give_gamma(&gamma, task->d_gamma, (size_t)task->n_chunks, s->problem.shape.n_modes, stream));
  }
  return CUONN_OK;
}

static cuonn_status vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward, void *state, size_t model,
                        size_t layer, const cuonn_buffer *input, const cuonn_buffer *cotangent, void *stream) {
  const cuonn_buffer *const wanted[] = {&gradient->theta, &gradient->phi, &gradient->gamma};
  cuonn_buffer x, g, back, twins[3];
  float2 *from;
  vjp_task task;
  cuonn_status status = CUONN_OK;
  call c;
  CUONN_TRY_DONE(begin(&c, state, input->memory, stream));
  cuda_state *const s = c.s;
  const device_meshes mesh = cuda_meshes_view(&s->meshes, model * s->problem.shape.n_layers + layer);
  CUONN_TRY_DONE(make_task(&task, s, &mesh, input->count / s->problem.shape.n_modes));
  CUONN_TRY_DONE(borrow(&x, &c, input, true));
  CUONN_TRY_DONE(borrow(&g, &c, cotangent, true));
  for (size_t i = 0; i < 3; i++) CUONN_TRY_DONE(borrow(&twins[i], &c, wanted[i], false));
  CUONN_TRY_DONE(take_fields(&from, &s->fields.x, s, &x, false));
  CUONN_TRY_DONE(take_fields(&task.cotangent, &s->fields.g, s, &g, true)); /* which the kernel uses up */
  task.input = from;
  if (backward) {
    CUONN_TRY_DONE(borrow(&back, &c, backward, false));
    CUONN_TRY_DONE(place_fields(&task.backward, &s->fields.y, s, &back));
  }
  CUONN_CUDA_DONE(launch_vjp(&task, &mesh, s->session->stream));
  CUONN_TRY_DONE(give_gradient(twins, s, model, layer, &task));
  for (size_t i = 0; i < 3; i++) CUONN_TRY_DONE(give_back(&c, wanted[i], &twins[i]));
  if (backward) {
    CUONN_TRY_DONE(give_fields(s, &back, task.backward));
    CUONN_TRY_DONE(give_back(&c, backward, &back));
  }
done:
  return end(&c, status);
}

const backend_on_device cuda_on_device = {set_phases, propagate, vjp};
