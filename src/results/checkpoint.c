/* Checkpoints: a network, and all that training needs to go on from it bit for bit.
 * There is no state of a random generator to keep: numbers are drawn by place (seed, epoch), not one after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cuonn/files.h"
#include "results/attributes.h"
#include "results/container.h"
#include "results/phases.h"
#include "results/variables.h"

enum { kParameters = 4, kMoments = 8, kVariables = RESULTS_MESH_ARRAYS + 1 + kMoments, kDigits = 24 };

/* The optimizer's variables, in the order of cuonn_training_state's moments for one layer: [2][.][theta, phi, gamma,
 * amplitude]. The last of each half is for networks that have amplitudes. */
static void moment_variables(results_variable out[kMoments], size_t n_layers, const cuonn_mesh_shape *shape) {
  static const char *const names[kMoments][2] = {
      {"first_moment_theta", "first moment, or velocity, of theta"},
      {"first_moment_phi", "first moment, or velocity, of phi"},
      {"first_moment_gamma", "first moment, or velocity, of gamma"},
      {"first_moment_amplitude", "first moment, or velocity, of amplitude"},
      {"second_moment_theta", "second moment of theta"},
      {"second_moment_phi", "second moment of phi"},
      {"second_moment_gamma", "second moment of gamma"},
      {"second_moment_amplitude", "second moment of amplitude"},
  };
  results_variable mesh[RESULTS_MESH_ARRAYS];
  results_mesh_variables(mesh, n_layers, shape, CUONN_STYLE_TOP);
  for (size_t i = 0; i < kMoments; i++) {
    const size_t of = i % kParameters; /* theta, phi or gamma, which has the dimensions of amplitudes */
    out[i] = mesh[of < kParameters - 1 ? of : of - 1];
    out[i].name = names[i][0];
    out[i].long_name = names[i][1];
    out[i].unit = NULL;
    out[i].period = 0;
  }
}

/* Where the values of moment variable i and one layer stand. */
static double *moment_of(const cuonn_training_state *state, size_t i, size_t layer) {
  const cuonn_network_shape *const shape = &state->network.shape;
  const size_t nodes = cuonn_network_nodes(shape), order = i / kParameters, of = i % kParameters;
  double *const layer_moments = state->moments + (order * shape->n_layers + layer) * cuonn_network_parameters(shape);
  return layer_moments + (of < kParameters - 1 ? of * nodes : 2 * nodes + shape->n_modes);
}

/* Leaves those of amplitudes out where there are none. Returns how many there are. */
static size_t moments_of(size_t which[kMoments], const cuonn_network_shape *shape) {
  size_t count = 0;
  for (size_t i = 0; i < kMoments; i++) {
    if (i % kParameters == kParameters - 1 && shape->layer == CUONN_LAYER_UNITARY) continue;
    which[count++] = i;
  }
  return count;
}

/* ---- writing ---- */

/* Classic netCDF has no integer beyond 32 bits, and a double none beyond 53: whole numbers stand as text. */
static cuonn_status put_integer(const results_file *file, const char *attribute, uint64_t number) {
  char text[kDigits];
  snprintf(text, sizeof text, "%" PRIu64, number);
  return results_put_text(file, attribute, text);
}

cuonn_status cuonn_checkpoint_write(const char *path, const cuonn_training_state *state, size_t epoch,
                                    const cuonn_origin *origin) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable variables[kVariables], moments[kMoments], *const amplitude = variables + RESULTS_MESH_ARRAYS;
  const cuonn_network_shape *const shape = &state->network.shape;
  size_t which[kMoments], n_variables = RESULTS_MESH_ARRAYS;
  const size_t n_moments = moments_of(which, shape);
  results_mesh_variables(variables, shape->n_layers, shape->mesh, shape->style);
  moment_variables(moments, shape->n_layers, shape->mesh);
  *amplitude = results_amplitude_variable(shape->n_layers, shape->n_modes);
  n_variables += state->network.amplitudes != NULL;
  for (size_t i = 0; i < n_moments; i++) variables[n_variables++] = moments[which[i]];

  CUONN_TRY_DONE(results_create(&file, path, "Checkpoint of an optical neural network"));
  CUONN_TRY_DONE(results_put_mesh_attributes(&file, shape->mesh, shape->style));
  CUONN_TRY_DONE(results_put_network_attributes(&file, shape));
  CUONN_TRY_DONE(put_integer(&file, "epoch", epoch));
  CUONN_TRY_DONE(put_integer(&file, "step", state->step));
  CUONN_TRY_DONE(put_integer(&file, "seed", origin->seed));
  CUONN_TRY_DONE(results_put_number(&file, "epoch_loss_sum", state->epoch_loss_sum));
  CUONN_TRY_DONE(results_put_number(&file, "epoch_seconds", state->epoch_seconds));
  CUONN_TRY_DONE(results_put_number(&file, "best_accuracy", state->best_accuracy));
  CUONN_TRY_DONE(results_put_text(&file, "config", origin->config_text));
  if (origin->data) CUONN_TRY_DONE(results_put_text(&file, "data", origin->data));
  CUONN_TRY_DONE(results_define_meshes(&file, variables, n_variables, shape->mesh));
  for (size_t l = 0; l < shape->n_layers; l++) {
    CUONN_TRY_DONE(results_put_mesh(&file, variables, l, &state->network.layers[l]));
    for (size_t i = 0; i < n_moments; i++) {
      CUONN_TRY_DONE(results_put(&file, &moments[which[i]], l, moment_of(state, which[i], l)));
    }
  }
  if (state->network.amplitudes)
    CUONN_TRY_DONE(results_put(&file, amplitude, RESULTS_WHOLE, state->network.amplitudes));
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

/* ---- reading ---- */

typedef struct {
  cuonn_training_state *state;
  uint64_t epoch;
  cuonn_origin *origin;
} request;

void cuonn_origin_free(cuonn_origin *origin) {
  if (!origin) return;
  free(origin->config_text);
  free(origin->data);
  *origin = (cuonn_origin){0};
}

static cuonn_status missing(const results_file *file, const char *attribute) {
  return cuonn_fail(CUONN_E_DATA,
                    "%s: has no attribute %s: it holds phases, but is no checkpoint that training can go on from",
                    file->path, attribute);
}

static cuonn_status get_integer(uint64_t *number, const results_file *file, const char *attribute) {
  char *text = NULL, *end;
  CUONN_TRY(results_get_text(&text, file, attribute));
  if (!text) return missing(file, attribute);
  errno = 0;
  const unsigned long long parsed = strtoull(text, &end, 10);
  const bool good = text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0;
  const cuonn_status status = good ? CUONN_OK
                                   : cuonn_fail(CUONN_E_DATA, "%s: attribute %s is \"%.32s\"; it is a whole number",
                                                file->path, attribute, text);
  free(text);
  *number = parsed;
  return status;
}

static cuonn_status get_number(double *number, const results_file *file, const char *attribute) {
  bool found;
  CUONN_TRY(results_get_number(number, &found, file, attribute));
  return found ? CUONN_OK : missing(file, attribute);
}

static cuonn_status read_checkpoint(void *user, const results_file *file) {
  request *const r = user;
  cuonn_training_state *const state = r->state;
  results_variable moments[kMoments];
  size_t which[kMoments];
  results_phases phases = {0};
  cuonn_network network = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(results_get_phases(&phases, file));
  CUONN_TRY_DONE(results_get_network(&network, &phases, file));
  CUONN_TRY_DONE(cuonn_training_state_create(state, &network.shape));
  CUONN_TRY_DONE(cuonn_network_copy(&state->network, &network));
  CUONN_TRY_DONE(get_integer(&r->epoch, file, "epoch"));
  CUONN_TRY_DONE(get_integer(&r->origin->seed, file, "seed"));
  CUONN_TRY_DONE(get_integer(&state->step, file, "step"));
  CUONN_TRY_DONE(get_number(&state->epoch_loss_sum, file, "epoch_loss_sum"));
  CUONN_TRY_DONE(get_number(&state->epoch_seconds, file, "epoch_seconds"));
  CUONN_TRY_DONE(get_number(&state->best_accuracy, file, "best_accuracy"));
  moment_variables(moments, phases.n_layers, phases.mesh);
  const size_t n_moments = moments_of(which, &network.shape);
  for (size_t l = 0; l < network.shape.n_layers; l++) {
    for (size_t i = 0; i < n_moments; i++) {
      const results_variable *const v = &moments[which[i]];
      if (which[i] % kParameters == 2 && !results_has(file, v->name)) continue; /* of an older version: 0 */
      CUONN_TRY_DONE(results_get(moment_of(state, which[i], l), file, v, phases.n_layers ? l : RESULTS_WHOLE));
    }
  }
  CUONN_TRY_DONE(results_get_text(&r->origin->data, file, "data")); /* none in an older version's */
  CUONN_TRY_DONE(results_get_text(&r->origin->config_text, file, "config"));
  if (!r->origin->config_text) status = missing(file, "config");
done:
  cuonn_network_free(&network);
  results_phases_free(&phases);
  return status;
}

cuonn_status cuonn_checkpoint_read(cuonn_training_state *state, size_t *epoch, cuonn_origin *origin, const char *path) {
  memset(state, 0, sizeof *state);
  *origin = (cuonn_origin){0};
  request r = {state, 0, origin};
  const cuonn_status status = results_read(path, read_checkpoint, &r);
  *epoch = (size_t)r.epoch;
  if (status != CUONN_OK) {
    cuonn_origin_free(origin);
    cuonn_training_state_free(state);
  }
  return status;
}
