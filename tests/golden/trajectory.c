/* The study's first epoch on Fashion-MNIST, step by step, against two other programs.
 *
 * trajectory.nc (simphox + JAX) was made with couplers in single precision, which lose 1.1e-5 of the light; that moves
 * its losses by up to 2e-5 and its phases by up to 3e-6 rad. trajectory_exact.nc is the same epoch by plain NumPy with
 * exact couplers; make_trajectory.py shows that the two programs agree to 1e-13 if both round the couplers.
 *
 * Tolerance: Adam turns a gradient's relative error of 1e-13 into as much of a step of 1e-3 rad, unless the gradient is
 * near epsilon, and 117 steps add up: 1e-10 of a loss and 1e-9 rad are asked.
 *
 * Only what these steps need is given to training: the 117 x 512 images that they see, and few test images. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/training.h"
#include "support/close.h"
#include "support/golden.h"

#define FOLDER "/usr/share/datasets/fashion-mnist/"

enum { kLayers = 3, kNodes = 2016, kModes = 64, kSnapshots = 4, kSteps = 117 };

typedef struct {
  cuonn_training_state *state;
  const double *theta, *phi;             /* golden: [snapshot][layer][node] */
  const double *exact_theta, *exact_phi; /* the same without the first snapshot */
  size_t snapshot;                       /* the next that is due */
  double losses[kSteps];
} watch;

static const uint64_t snapshot_step[kSnapshots] = {0, 1, 10, kSteps}; /* of trajectory.nc */

static void compare_phases(watch *w) {
  for (size_t l = 0; l < kLayers; l++) {
    const cuonn_mesh *const mesh = &w->state->network.layers[l];
    const size_t at = (w->snapshot * kLayers + l) * kNodes, exact_at = at - (size_t)kLayers * kNodes;
    CLOSE(mesh->theta, w->exact_theta + exact_at, kNodes, .abs = 1e-9);
    CLOSE(mesh->phi, w->exact_phi + exact_at, kNodes, .abs = 1e-9);
    CLOSE(mesh->theta, w->theta + at, kNodes, .abs = 4e-6);
    CLOSE(mesh->phi, w->phi + at, kNodes, .abs = 4e-6);
  }
  w->snapshot++;
}

/* Phases come back to the host when training stops or an epoch ends: stop at every snapshot. */
static cuonn_status on_step(void *user, uint64_t step, double loss) {
  watch *const w = user;
  w->losses[step - 1] = loss;
  if (step == snapshot_step[w->snapshot]) cuonn_request_stop();
  return CUONN_OK;
}

static cuonn_examples first_images(const cuonn_examples *all, size_t n) {
  cuonn_examples some = *all;
  assert_true(n <= all->n_examples);
  some.n_examples = n;
  return some;
}

static void first_epoch(void **unused) {
  (void)unused;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_training_state state;
  cuonn_dataset data;
  cuonn_context *context;
  if (cuonn_dataset_load(&data, FOLDER, NULL) == CUONN_E_IO) {
    print_message("%s\n", cuonn_last_error());
    skip();
  }
  OK(cuonn_context_create(&context, "reference", 0));
  OK(cuonn_training_state_create(&state, &shape));
  const size_t phases = (size_t)kSnapshots * kLayers * kNodes;
  double *theta = golden_read_n("trajectory.nc", "", "theta", phases);
  double *phi = golden_read_n("trajectory.nc", "", "phi", phases);
  double *gamma = golden_read_n("trajectory.nc", "", "gamma", (size_t)kSnapshots * kLayers * kModes);
  double *train_loss = golden_read_n("trajectory.nc", "", "train_loss", 2 * kSteps);
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(state.network.layers[l].theta, theta + l * kNodes, kNodes * sizeof(double));
    memcpy(state.network.layers[l].phi, phi + l * kNodes, kNodes * sizeof(double));
    memcpy(state.network.layers[l].gamma, gamma + l * kModes, kModes * sizeof(double));
  }

  const size_t exact_phases = phases - (size_t)kLayers * kNodes;
  double *exact_theta = golden_read_n("trajectory_exact.nc", "", "theta", exact_phases);
  double *exact_phi = golden_read_n("trajectory_exact.nc", "", "phi", exact_phases);
  double *exact_loss = golden_read_n("trajectory_exact.nc", "", "train_loss", kSteps);

  watch w = {
      .state = &state, .theta = theta, .phi = phi, .exact_theta = exact_theta, .exact_phi = exact_phi, .snapshot = 1};
  const cuonn_training_callbacks callbacks = {.user = &w, .on_step = on_step};
  const cuonn_dataset part = {first_images(&data.train, (size_t)kSteps * options.batch_size),
                              first_images(&data.test, 512)};
  options.epochs = 1;
  while (state.step < kSteps) {
    cuonn_clear_stop();
    const cuonn_status status = cuonn_train(&state, context, &part, &features, &options, &callbacks);
    if (status != CUONN_OK && status != CUONN_E_INTERRUPTED) fail_msg("%s", cuonn_last_error());
    assert_int_equal(state.step, snapshot_step[w.snapshot]);
    compare_phases(&w);
  }
  cuonn_clear_stop();
  for (size_t i = 0; i < kSteps; i++) {
    CLOSE(&w.losses[i], &exact_loss[i], 1, .rel = 1e-10);
    CLOSE(&w.losses[i], &train_loss[i], 1, .rel = 2e-5);
  }
  for (size_t l = 0; l < kLayers; l++) {
    for (size_t i = 0; i < kModes; i++) assert_true(state.network.layers[l].gamma[i] == gamma[l * kModes + i]);
  }

  free(exact_loss);
  free(exact_phi);
  free(exact_theta);
  free(train_loss);
  free(gamma);
  free(phi);
  free(theta);
  cuonn_training_state_free(&state);
  cuonn_context_free(context);
  cuonn_dataset_free(&data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(first_epoch)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
