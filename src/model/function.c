/* Meshes as functions of their phases: a store of handles, each of one mesh, that calls from any thread borrow. */
#include "cuonn/function.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"

/* A handle, and for which functions it is. */
typedef struct kept {
  struct kept *next;
  char backend[16];
  int threads;
  cuonn_network network; /* one layer, whose coupler errors and losses the handle has */
  cuonn_model *model;
} kept;

static once_flag store_once = ONCE_FLAG_INIT;
static mtx_t store_lock;
static kept *store; /* those that no call uses, the latest first */

static void make_lock(void) { (void)mtx_init(&store_lock, mtx_plain); }

static void lock(void) {
  call_once(&store_once, make_lock);
  (void)mtx_lock(&store_lock);
}

static void unlock(void) { (void)mtx_unlock(&store_lock); }

static void kept_free(kept *k) {
  if (!k) return;
  cuonn_model_destroy(k->model);
  cuonn_network_free(&k->network);
  free(k);
}

static bool is_for(const kept *k, const cuonn_function *f) {
  const cuonn_mesh_shape *const own = k->network.shape.mesh;
  return strcmp(k->backend, f->backend) == 0 && k->threads == f->threads && k->network.shape.style == f->style &&
         (f->shape ? shape_equal(own, f->shape)
                   : shape_is_complete(own) && own->node == CUONN_NODE_MZI && own->n_modes == f->n_modes);
}

static bool same(const double *own, const double *wanted, size_t count) {
  for (size_t i = 0; !wanted && i < count; i++) {
    if (own[i] != 0) return false;
  }
  return !wanted || memcmp(own, wanted, count * sizeof *own) == 0;
}

static bool has_errors(const kept *k, const cuonn_function *f) {
  const cuonn_mesh *const mesh = k->network.layers;
  return same(mesh->coupler_error, f->coupler_error, shape_couplers(mesh->shape) * mesh->n_nodes) &&
         same(mesh->loss_db, f->loss_db, 2 * mesh->n_nodes);
}

/* A handle from the store, best one that has the errors already; NULL if there is none of the kind. */
static kept *find(const cuonn_function *f) {
  kept **best = NULL;
  lock();
  for (kept **at = &store; *at; at = &(*at)->next) {
    if (!is_for(*at, f)) continue;
    const bool exact = has_errors(*at, f);
    if (exact || !best) best = at;
    if (exact) break;
  }
  kept *const found = best ? *best : NULL;
  if (found) *best = found->next;
  unlock();
  return found;
}

static void give_back(kept *k) {
  lock();
  k->next = store;
  store = k;
  unlock();
}

static void copy_errors(double *to, const double *from, size_t count) {
  if (from)
    memcpy(to, from, count * sizeof *to);
  else
    memset(to, 0, count * sizeof *to);
}

static cuonn_status set_errors(kept *k, const cuonn_function *f) {
  const cuonn_model_settings settings = CUONN_MODEL_SETTINGS_INIT;
  const cuonn_mesh *const mesh = k->network.layers;
  copy_errors(mesh->coupler_error, f->coupler_error, shape_couplers(mesh->shape) * mesh->n_nodes);
  copy_errors(mesh->loss_db, f->loss_db, 2 * mesh->n_nodes);
  return cuonn_model_set(k->model, 0, &k->network, NULL, &settings);
}

static cuonn_status create(kept **out, const cuonn_function *f) {
  cuonn_model_options options = CUONN_MODEL_OPTIONS_INIT;
  cuonn_context *context = NULL;
  kept *k = NULL;
  cuonn_status status = CUONN_OK;
  options.shape =
      (cuonn_network_shape){.n_modes = f->n_modes, .n_layers = 1, .n_classes = 2, .style = f->style, .mesh = f->shape};
  CUONN_TRY_DONE(cuonn_context_create(&context, f->backend, f->threads));
  cuonn_context_fit(context, &options.shape);
  CUONN_TRY_DONE(cuonn_allocate(&k, 1, sizeof *k));
  snprintf(k->backend, sizeof k->backend, "%s", f->backend);
  k->threads = f->threads;
  CUONN_TRY_DONE(cuonn_network_create(&k->network, &options.shape));
  CUONN_TRY_DONE(cuonn_model_create(&k->model, context, &options));
  CUONN_TRY_DONE(set_errors(k, f));
done:
  cuonn_context_free(context);
  if (status != CUONN_OK) {
    kept_free(k);
    k = NULL;
  }
  *out = k;
  return status;
}

static cuonn_status borrow(kept **out, const cuonn_function *f) {
  cuonn_status status = CUONN_OK;
  CUONN_CHECK(!f->shape || f->shape->n_modes == f->n_modes, CUONN_E_SHAPE,
              "the function has %zu waveguides, its shape has %zu", f->n_modes, f->shape->n_modes);
  *out = find(f);
  if (!*out) return create(out, f);
  if (!has_errors(*out, f)) status = set_errors(*out, f);
  if (status != CUONN_OK) kept_free(*out);
  return status;
}

/* What a call did is over, or has failed, and then the handle is not used again. */
static cuonn_status finish(kept *k, cuonn_status status) {
  if (status == CUONN_OK)
    give_back(k);
  else
    kept_free(k);
  return status;
}

/* Part `mesh` of the n_meshes of which a buffer consists; the whole if all meshes share it. */
static cuonn_buffer part_of(const cuonn_buffer *all, size_t mesh, size_t n_meshes, bool shared) {
  if (!all->data || shared) return *all;
  const size_t count = all->count / n_meshes, first = mesh * count;
  cuonn_buffer part = buffer_at(all, buffer_is_complex(all) ? 2 * first : first);
  part.count = count;
  return part;
}

static cuonn_phase_buffers phases_of(const cuonn_phase_buffers *all, size_t mesh, size_t n_meshes) {
  return (cuonn_phase_buffers){part_of(&all->theta, mesh, n_meshes, false), part_of(&all->phi, mesh, n_meshes, false),
                               part_of(&all->gamma, mesh, n_meshes, false)};
}

static cuonn_status check_whole(const char *name, const cuonn_buffer *buffer, size_t n_meshes) {
  CUONN_CHECK(buffer->count % n_meshes == 0, CUONN_E_SHAPE, "%s has %zu numbers, which are no multiple of %zu meshes",
              name, buffer->count, n_meshes);
  return CUONN_OK;
}

/* Sizes that single meshes do not show; in: [mesh][example][N] or shared, like: [mesh][example][N]. */
static cuonn_status check_call(bool *shared, size_t n_meshes, const cuonn_phase_buffers *phases, const cuonn_buffer *in,
                               const cuonn_buffer *like) {
  const cuonn_buffer *const all[] = {&phases->theta, &phases->phi, &phases->gamma};
  static const char *const names[] = {"theta", "phi", "gamma"};
  CUONN_CHECK(n_meshes >= 1, CUONN_E_ARGUMENT, "n_meshes is 0; it must be at least 1");
  for (size_t i = 0; i < 3; i++) {
    CUONN_CHECK(all[i]->data, CUONN_E_ARGUMENT, "%s has no data", names[i]);
    CUONN_TRY(check_whole(names[i], all[i], n_meshes));
  }
  CUONN_TRY(check_whole("a batch of fields", like, n_meshes));
  *shared = n_meshes > 1 && in->count == like->count / n_meshes;
  CUONN_CHECK(*shared || in->count == like->count, CUONN_E_SHAPE,
              "the input has %zu numbers, %zu or, for all meshes, %zu are needed", in->count, like->count,
              like->count / n_meshes);
  return CUONN_OK;
}

cuonn_status cuonn_function_propagate(const cuonn_buffer *out, const cuonn_function *function, size_t n_meshes,
                                      const cuonn_phase_buffers *phases, const cuonn_buffer *in, bool backward,
                                      void *stream) {
  cuonn_status status = CUONN_OK;
  bool shared;
  kept *k;
  CUONN_TRY(check_call(&shared, n_meshes, phases, in, out));
  CUONN_TRY(borrow(&k, function));
  for (size_t m = 0; m < n_meshes && status == CUONN_OK; m++) {
    const cuonn_phase_buffers of = phases_of(phases, m, n_meshes);
    const cuonn_buffer to = part_of(out, m, n_meshes, false), from = part_of(in, m, n_meshes, shared);
    status = cuonn_model_set_phases(k->model, 0, 0, &of, stream);
    if (status == CUONN_OK) status = cuonn_model_propagate(&to, k->model, 0, 0, &from, backward, stream);
  }
  return finish(k, status);
}

cuonn_status cuonn_function_vjp(const cuonn_phase_buffers *gradient, const cuonn_buffer *backward,
                                const cuonn_function *function, size_t n_meshes, const cuonn_phase_buffers *phases,
                                const cuonn_buffer *input, const cuonn_buffer *cotangent, void *stream) {
  cuonn_status status = CUONN_OK;
  bool shared;
  kept *k;
  CUONN_TRY(check_call(&shared, n_meshes, phases, input, cotangent));
  CUONN_CHECK(!backward || backward->count == cotangent->count, CUONN_E_SHAPE,
              "backward has %zu numbers, the cotangent %zu", backward ? backward->count : 0, cotangent->count);
  CUONN_TRY(borrow(&k, function));
  for (size_t m = 0; m < n_meshes && status == CUONN_OK; m++) {
    const cuonn_phase_buffers of = phases_of(phases, m, n_meshes), to = phases_of(gradient, m, n_meshes);
    const cuonn_buffer x = part_of(input, m, n_meshes, shared), g = part_of(cotangent, m, n_meshes, false);
    const cuonn_buffer back = backward ? part_of(backward, m, n_meshes, false) : (cuonn_buffer){0};
    status = cuonn_model_set_phases(k->model, 0, 0, &of, stream);
    if (status == CUONN_OK) status = cuonn_model_vjp(&to, backward ? &back : NULL, k->model, 0, 0, &x, &g, stream);
  }
  return finish(k, status);
}

size_t cuonn_function_release(void) {
  size_t released = 0;
  lock();
  kept *k = store;
  store = NULL;
  unlock();
  for (kept *next; k; k = next, released++) {
    next = k->next;
    kept_free(k);
  }
  return released;
}
