/* Meshes as functions on one backend: the numbers of the functions that take a mesh, whatever the types, for several
 * meshes at once and from several threads; a store that keeps as many handles as calls ran at once. */
#ifndef CUONN_TEST_FUNCTION_H
#define CUONN_TEST_FUNCTION_H

#include <pthread.h>
#include <string.h>

#include "cuonn/cuonn.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

enum { kMeshes = 3, kModes = 5, kNodes = 10, kExamples = 7, kCount = kExamples * kModes, kAtOnce = 8, kRounds = 50 };

/* Three meshes of one chip and their fields; and what comes of it, [mesh][...]. */
typedef struct {
  cuonn_mesh meshes[kMeshes];
  double theta[kMeshes][kNodes], phi[kMeshes][kNodes], gamma[kMeshes][kModes];
  double x[kMeshes][2 * kCount], g[kMeshes][2 * kCount];
} inputs;

typedef struct {
  double y[kMeshes][2 * kCount], back[kMeshes][2 * kCount];
  double d_theta[kMeshes][kNodes], d_phi[kMeshes][kNodes], d_gamma[kMeshes][kModes];
} results;

static void inputs_make(inputs *in, cuonn_phase_style style, double error, double loss, uint64_t seed) {
  chance c = {seed};
  for (size_t m = 0; m < kMeshes; m++) {
    cuonn_mesh *const mesh = in->meshes + m;
    OK(cuonn_mesh_create(mesh, kModes, style));
    dense_random(mesh, &c, error, loss);
    memcpy(mesh->coupler_error, in->meshes->coupler_error, 2 * kNodes * sizeof(double));
    memcpy(mesh->loss_db, in->meshes->loss_db, 2 * kNodes * sizeof(double));
    memcpy(in->theta[m], mesh->theta, sizeof in->theta[m]);
    memcpy(in->phi[m], mesh->phi, sizeof in->phi[m]);
    memcpy(in->gamma[m], mesh->gamma, sizeof in->gamma[m]);
    chance_normals(in->x[m], 2 * kCount, &c);
    chance_normals(in->g[m], 2 * kCount, &c);
  }
}

static void inputs_free(inputs *in) {
  for (size_t m = 0; m < kMeshes; m++) cuonn_mesh_free(in->meshes + m);
}

static cuonn_buffer numbers(const void *data, cuonn_number type, size_t count) {
  return (cuonn_buffer){(void *)data, type, CUONN_HOST, count};
}

static cuonn_function function_of(const inputs *in, const char *backend) {
  const cuonn_mesh *const mesh = in->meshes;
  return (cuonn_function){backend, 1, kModes, NULL, mesh->style, mesh->coupler_error, mesh->loss_db};
}

static cuonn_phase_buffers phases_of(const inputs *in, size_t n_meshes) {
  return (cuonn_phase_buffers){numbers(in->theta, CUONN_FLOAT64, n_meshes * kNodes),
                               numbers(in->phi, CUONN_FLOAT64, n_meshes * kNodes),
                               numbers(in->gamma, CUONN_FLOAT64, n_meshes * kModes)};
}

/* As functions; shared: all meshes get the fields of the first. */
static void call(results *out, const inputs *in, const char *backend, size_t n_meshes, bool shared) {
  const cuonn_function f = function_of(in, backend);
  const cuonn_phase_buffers phases = phases_of(in, n_meshes);
  const cuonn_phase_buffers gradient = {numbers(out->d_theta, CUONN_FLOAT64, n_meshes * kNodes),
                                        numbers(out->d_phi, CUONN_FLOAT64, n_meshes * kNodes),
                                        numbers(out->d_gamma, CUONN_FLOAT64, n_meshes * kModes)};
  const size_t count = n_meshes * kCount;
  const cuonn_buffer x = numbers(in->x, CUONN_COMPLEX128, shared ? kCount : count);
  const cuonn_buffer g = numbers(in->g, CUONN_COMPLEX128, count), y = numbers(out->y, CUONN_COMPLEX128, count);
  const cuonn_buffer back = numbers(out->back, CUONN_COMPLEX128, count);
  OK(cuonn_function_propagate(&y, &f, n_meshes, &phases, &x, false, NULL));
  OK(cuonn_function_vjp(&gradient, &back, &f, n_meshes, &phases, &x, &g, NULL));
}

/* As the functions that take a mesh. */
static void expect(results *out, const inputs *in, const char *backend, bool shared) {
  cuonn_context *context;
  OK(cuonn_context_create(&context, backend, 1));
  for (size_t m = 0; m < kMeshes; m++) {
    const cuonn_fields x = {kExamples, kModes, (double *)in->x[shared ? 0 : m]},
                       g = {kExamples, kModes, (double *)in->g[m]};
    cuonn_fields y = {kExamples, kModes, out->y[m]}, back = {kExamples, kModes, out->back[m]};
    cuonn_mesh_gradient gradient = {out->d_theta[m], out->d_phi[m], out->d_gamma[m], NULL};
    OK(cuonn_propagate(&y, NULL, context, in->meshes + m, &x, false));
    OK(cuonn_vjp(&gradient, &back, context, in->meshes + m, &x, &g));
  }
  cuonn_context_free(context);
}

/* Every style, with errors and losses or without. */
static void as_meshes(const char *backend) {
  static results got, want;
  for (int style = CUONN_STYLE_TOP; style <= CUONN_STYLE_DIFFERENTIAL; style++) {
    for (int real = 0; real < 2; real++) {
      inputs in = {0};
      inputs_make(&in, (cuonn_phase_style)style, real * .1, real * .5, 11 + (uint64_t)style);
      for (int shared = 0; shared < 2; shared++) {
        memset(&got, 0x55, sizeof got);
        call(&got, &in, backend, kMeshes, shared);
        expect(&want, &in, backend, shared);
        assert_memory_equal(&got, &want, sizeof got);
      }
      inputs_free(&in);
    }
  }
}

/* Handles change hands between functions with errors and without; none is left that a call has not given back. */
static void handles(const char *backend) {
  static results got, want;
  inputs bad = {0}, good = {0};
  inputs_make(&bad, CUONN_STYLE_TOP, .1, .5, 3);
  inputs_make(&good, CUONN_STYLE_TOP, 0, 0, 4);
  (void)cuonn_function_release();
  for (int i = 0; i < 3; i++) {
    const inputs *const in = i == 1 ? &good : &bad;
    call(&got, in, backend, 1, false);
    expect(&want, in, backend, false);
    assert_memory_equal(got.y[0], want.y[0], sizeof got.y[0]);
    assert_memory_equal(got.d_theta[0], want.d_theta[0], sizeof got.d_theta[0]);
  }
  cuonn_function none = function_of(&bad, backend);
  none.coupler_error = none.loss_db = NULL;
  const cuonn_phase_buffers phases = phases_of(&good, 1);
  const cuonn_buffer x = numbers(good.x, CUONN_COMPLEX128, kCount), y = numbers(got.y, CUONN_COMPLEX128, kCount);
  OK(cuonn_function_propagate(&y, &none, 1, &phases, &x, false, NULL));
  expect(&want, &good, backend, false);
  assert_memory_equal(got.y[0], want.y[0], sizeof got.y[0]);
  assert_int_equal(cuonn_function_release(), 1);
  assert_int_equal(cuonn_function_release(), 0);
  inputs_free(&bad);
  inputs_free(&good);
}

/* Each thread with errors and phases of its own. */
typedef struct {
  const char *backend;
  inputs in;
  results want, got;
  bool differs;
} work;

static void *call_often(void *of) {
  work *const w = of;
  for (int i = 0; i < kRounds; i++) {
    call(&w->got, &w->in, w->backend, kMeshes, false);
    w->differs = w->differs || memcmp(&w->got, &w->want, sizeof w->got) != 0;
  }
  return NULL;
}

static inline void threads(const char *backend) {
  static work all[kAtOnce];
  pthread_t ids[kAtOnce];
  (void)cuonn_function_release();
  for (size_t i = 0; i < kAtOnce; i++) {
    memset(all + i, 0, sizeof all[i]);
    all[i].backend = backend;
    inputs_make(&all[i].in, CUONN_STYLE_TOP, .1, i % 2 ? .5 : 0, 20 + i / 2);
    expect(&all[i].want, &all[i].in, backend, false);
  }
  for (size_t i = 0; i < kAtOnce; i++) assert_int_equal(pthread_create(&ids[i], NULL, call_often, all + i), 0);
  for (size_t i = 0; i < kAtOnce; i++) assert_int_equal(pthread_join(ids[i], NULL), 0);
  for (size_t i = 0; i < kAtOnce; i++) {
    assert_false(all[i].differs);
    inputs_free(&all[i].in);
  }
  const size_t released = cuonn_function_release();
  assert_true(released >= 1 && released <= kAtOnce);
}

#endif
