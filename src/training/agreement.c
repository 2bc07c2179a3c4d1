#include "training/agreement.h"

#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/memory.h"

/* words: [size] what each gives. */
static cuonn_status gather(uint64_t **words, const cuonn_processes *p, uint64_t own) {
  cuonn_status status = CUONN_OK;
  size_t *sizes = NULL;
  uint64_t *out = NULL;
  *words = NULL;
  CUONN_TRY_DONE(cuonn_allocate(words, p->size, sizeof **words));
  CUONN_TRY_DONE(cuonn_allocate(&out, p->size, sizeof *out));
  CUONN_TRY_DONE(cuonn_allocate(&sizes, p->size, sizeof *sizes));
  for (size_t r = 0; r < p->size; r++) {
    sizes[r] = sizeof own;
    out[r] = own;
  }
  p->exchange(p->user, *words, sizes, out, sizes);
done:
  free(sizes);
  free(out);
  return status;
}

cuonn_status training_agree_to_stop(bool *stop, const cuonn_context *context) {
  const cuonn_processes *const p = cuonn_context_processes(context);
  uint64_t *words = NULL;
  *stop = cuonn_stop_requested();
  if (!p) return CUONN_OK;
  const cuonn_status status = gather(&words, p, *stop);
  for (size_t r = 0; status == CUONN_OK && r < p->size; r++) *stop = *stop || words[r];
  free(words);
  return status;
}

/* Goes on from a hash of other values, 0 of none. */
static uint64_t hash(uint64_t so_far, const double *values, size_t n) {
  return XXH3_64bits_withSeed(values, n * sizeof *values, so_far);
}

static uint64_t hash_network(const cuonn_network *network) {
  uint64_t h = 0;
  for (size_t l = 0; l < network->shape.n_layers; l++) {
    const cuonn_mesh *const mesh = &network->layers[l];
    h = hash(hash(hash(h, mesh->theta, mesh->n_nodes), mesh->phi, mesh->n_nodes), mesh->gamma, mesh->n_modes);
  }
  return network->amplitudes ? hash(h, network->amplitudes, network->shape.n_layers * network->shape.n_modes) : h;
}

cuonn_status training_agree_on_phases(const cuonn_context *context, const cuonn_network *network, const char *when) {
  const cuonn_processes *const p = cuonn_context_processes(context);
  uint64_t *words = NULL;
  size_t other = 1;
  if (!p) return CUONN_OK;
  CUONN_TRY(gather(&words, p, hash_network(network)));
  while (other < p->size && words[other] == words[0]) other++;
  free(words);
  CUONN_CHECK(other == p->size, CUONN_E_PROCESSES,
              "rank %zu has other phases than rank 0 %s: one of them does not compute as the other; give all processes "
              "the same program, libraries and type of processor",
              other, when);
  return CUONN_OK;
}
