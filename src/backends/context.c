/* Picks a backend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends_list.h"
#include "base/error.h"
#include "base/memory.h"
#include "chip/noise.h"

#define BACKEND_ADDRESS(name) &cuonn_backend_##name,
static const cuonn_backend *const backends[] = {CUONN_BACKENDS(BACKEND_ADDRESS)};
enum { kBackends = sizeof backends / sizeof *backends };

const char *cuonn_backend_name(size_t i) { return i < kBackends ? backends[i]->name : NULL; }

static const cuonn_backend *find(const char *name) {
  for (size_t i = 0; i < kBackends; i++) {
    if (strcmp(name, backends[i]->name) == 0) return backends[i];
  }
  return NULL;
}

static int devices_of(const cuonn_backend *backend) { return backend->n_devices ? backend->n_devices() : 1; }

int cuonn_backend_devices(const char *backend) {
  const cuonn_backend *const found = find(backend);
  return found ? devices_of(found) : 0;
}

/* Where there is none at all, probing tells why. */
static cuonn_status check_device(const cuonn_backend *backend, int device) {
  const int n = devices_of(backend);
  CUONN_CHECK(n == 0 || (device >= 0 && device < n), CUONN_E_ARGUMENT,
              "there is no device %d: backend %s has %d, numbered from 0", device, backend->name, n);
  return CUONN_OK;
}

cuonn_status cuonn_backend_device(char *line, size_t size, const char *backend, int device) {
  const cuonn_backend *const found = find(backend);
  if (size > 0) *line = 0;
  CUONN_CHECK(found, CUONN_E_ARGUMENT, "backend \"%s\" is not in this build", backend);
  CUONN_TRY(check_device(found, device));
  return found->probe(line, size, device);
}

static cuonn_status probe(const cuonn_backend *backend, int device) {
  CUONN_TRY(check_device(backend, device));
  return backend->probe(NULL, 0, device);
}

/* Takes the fastest that can compute, from the i-th on, and notes why a faster one cannot. The number of a device is
 * one of the backend that has several. */
static void find_usable(cuonn_context *context, size_t i) {
  for (;; i++) {
    if (!backends[i]->n_devices) context->place.device = 0;
    if (i + 1 == kBackends || probe(backends[i], context->place.device) == CUONN_OK) break;
    snprintf(context->note, sizeof context->note, "%s", cuonn_last_error());
  }
  context->backend = backends[i];
}

/* Says in the context's note if OpenMP, which OMP_NUM_THREADS rules, would take more threads than there may be. */
static void note_threads(cuonn_context *context) {
  const int own = context->place.threads == 0 && context->backend->own_threads ? context->backend->own_threads() : 0;
  const size_t used = strlen(context->note);
  if (own <= CUONN_THREADS_MAX) return;
  snprintf(context->note + used, sizeof context->note - used,
           "%sOpenMP is set to %d threads (OMP_NUM_THREADS), of which %d are taken", used ? "; " : "", own,
           CUONN_THREADS_MAX);
}

static cuonn_status create(cuonn_context **out, const char *backend, int threads, int device) {
  cuonn_context made = {.place = {.threads = threads, .device = device}};
  CUONN_CHECK(threads >= 0 && threads <= CUONN_THREADS_MAX, CUONN_E_ARGUMENT,
              "threads is %d; it may be 0 (automatic) to %d", threads, CUONN_THREADS_MAX);
  if (strcmp(backend, "auto") == 0) {
    made.automatic = true;
    find_usable(&made, 0);
  } else {
    made.backend = find(backend);
    if (!made.backend && (strcmp(backend, "cuda") == 0 || strcmp(backend, "cpu") == 0)) {
      return cuonn_fail(CUONN_E_DEVICE, "backend %s is not in this build; use auto", backend);
    }
    CUONN_CHECK(made.backend, CUONN_E_ARGUMENT, "backend \"%s\" is unknown; it is one of auto, reference, cpu, cuda",
                backend);
    CUONN_TRY(probe(made.backend, device));
  }
  note_threads(&made);
  CUONN_TRY(cuonn_allocate(out, 1, sizeof **out));
  **out = made;
  return CUONN_OK;
}

cuonn_status cuonn_context_create(cuonn_context **out, const char *backend, int threads) {
  char name[16];
  const char *const colon = strchr(backend, ':');
  *out = NULL;
  if (!colon) return create(out, backend, threads, 0);
  const char *const number = colon + 1;
  const size_t length = (size_t)(colon - backend), digits = strspn(number, "0123456789");
  CUONN_CHECK(length < sizeof name && digits >= 1 && digits <= 6 && number[digits] == '\0', CUONN_E_ARGUMENT,
              "backend \"%s\" is unknown; with the number of a device it is such as cuda:1", backend);
  snprintf(name, sizeof name, "%.*s", (int)length, backend);
  return create(out, name, threads, (int)strtol(number, NULL, 10));
}

/* What a context is fitted to; NULL: not asked for. */
typedef struct {
  const cuonn_network_shape *shape;
  const cuonn_gradient_method *gradient;
  bool not_of_moduli; /* what the gradients are of */
} task;

/* What a backend lacks for a task, as the end of a sentence about it; NULL: nothing. */
static const char *lacks(const cuonn_backend *backend, const task *of) {
  if (of->shape && !(backend_takes_modes(backend, of->shape->n_modes) && backend_takes_shape(backend, of->shape->mesh)))
    return "does not compute meshes of this size and shape";
  if (of->gradient && !backend_takes_gradient(backend, *of->gradient))
    return "has no gradients from the losses of moved phases";
  if (of->gradient && !backend_measures(backend, !of->not_of_moduli, *of->gradient))
    return "measures no gradients of networks of such layers and nonlinearity";
  return NULL;
}

/* Goes on from the chosen backend to the next that lacks nothing, if there is one. */
static void fit(cuonn_context *context, const task *to) {
  const cuonn_backend *const chosen = context->backend;
  for (size_t i = 0; context->automatic && i + 1 < kBackends; i++) {
    if (backends[i] != context->backend) continue;
    const char *const reason = lacks(context->backend, to);
    if (!reason) break;
    snprintf(context->note, sizeof context->note, "backend %s %s", context->backend->name, reason);
    find_usable(context, i + 1);
  }
  if (context->backend != chosen) note_threads(context);
}

void cuonn_context_fit(cuonn_context *context, const cuonn_network_shape *shape) {
  context->not_of_moduli = !backend_is_of_moduli(shape);
  fit(context, &(task){.shape = shape});
}

void cuonn_context_fit_gradient(cuonn_context *context, cuonn_gradient_method method) {
  fit(context, &(task){.gradient = &method, .not_of_moduli = context->not_of_moduli});
}

cuonn_status cuonn_context_check_chip(const cuonn_context *context, const cuonn_chip_options *chip) {
  CUONN_CHECK(
      !cuonn_context_processes(context) || context->backend->shares_chips || chip_reads_exactly(chip), CUONN_E_ARGUMENT,
      "processes that share a training on backend %s can only read fields without noise; use one process, backend cpu, "
      "or chip.io_amplitude 0 and chip.io_phase 0",
      context->backend->name);
  return CUONN_OK;
}

cuonn_status cuonn_context_share(cuonn_context *context, const cuonn_processes *processes) {
  if (processes->size < 2) return CUONN_OK;
  CUONN_CHECK(context->backend->shares, CUONN_E_ARGUMENT,
              "backend %s does not share a training among processes; use one process, or backend cpu",
              context->backend->name);
  context->processes = *processes;
  return CUONN_OK;
}

const cuonn_processes *cuonn_context_processes(const cuonn_context *context) {
  return context->processes.size > 0 ? &context->processes : NULL;
}

static const char *const methods[] = {
    [CUONN_METHOD_AUTO] = "auto", [CUONN_METHOD_COLUMNS] = "columns", [CUONN_METHOD_DENSE] = "dense"};
enum { kMethods = sizeof methods / sizeof *methods };

const char *cuonn_method_name(cuonn_method method) { return (size_t)method < kMethods ? methods[method] : NULL; }

cuonn_status cuonn_context_set_method(cuonn_context *context, const char *name) {
  for (size_t i = 0; i < kMethods; i++) {
    if (strcmp(name, methods[i]) != 0) continue;
    CUONN_CHECK(i != CUONN_METHOD_DENSE || context->backend->auto_method, CUONN_E_ARGUMENT,
                "backend %s has no method dense, it computes by columns; use columns or auto, or backend cpu or cuda",
                context->backend->name);
    context->method = (cuonn_method)i;
    return CUONN_OK;
  }
  return cuonn_fail(CUONN_E_ARGUMENT, "method \"%s\" is unknown; it is one of columns, dense, auto", name);
}

cuonn_status cuonn_context_set_device(cuonn_context *context, int device) {
  if (device == context->place.device) return CUONN_OK;
  CUONN_TRY(probe(context->backend, device));
  context->place.device = device;
  return CUONN_OK;
}

void cuonn_context_free(cuonn_context *context) { free(context); }

const char *cuonn_context_backend(const cuonn_context *context) { return context->backend->name; }

int cuonn_context_device(const cuonn_context *context) { return context->place.device; }

const char *cuonn_context_note(const cuonn_context *context) { return context->note; }

size_t cuonn_context_steps_at_once(const cuonn_context *context) { return context->backend->steps_per_call; }

size_t cuonn_context_models_at_once(const cuonn_context *context) { return context->backend->models_per_state; }
