/* The study's first epoch on Fashion-MNIST in float, step by step, against the same epoch in double by another program
 * (trajectory_exact.nc; trajectory.c says where it comes from).
 *
 * Tolerance: Adam's first steps are the learning rate, 1e-3 rad, times g / (|g| + epsilon), so that a small gradient's
 * own relative error shows, not that of the largest, and 117 steps add up: 2e-6 rad, a five-hundredth of one step, and
 * 1e-5 of a loss are asked. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "cuonn/dataset.h"
#include "support/close.h"
#include "support/golden.h"

#define FOLDER "/usr/share/datasets/fashion-mnist/"

enum { kLayers = 3, kNodes = 2016, kModes = 64, kSnapshots = 3, kSteps = 117, kBatch = 512 };

static const size_t snapshot_step[kSnapshots] = {1, 10, kSteps};

/* Phases of the start, or of a snapshot, into a network. */
static void place(cuonn_network *network, const double *theta, const double *phi, const double *gamma) {
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(network->layers[l].theta, theta + l * kNodes, kNodes * sizeof(double));
    memcpy(network->layers[l].phi, phi + l * kNodes, kNodes * sizeof(double));
    memcpy(network->layers[l].gamma, gamma + l * kModes, kModes * sizeof(double));
  }
}

static void first_epoch(cuonn_method method) {
  const cuonn_backend *const cpu = &cuonn_backend_cpu;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  const cuonn_features_options features = CUONN_FEATURES_OPTIONS_INIT;
  const cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  const size_t phases = (size_t)kSnapshots * kLayers * kNodes;
  cuonn_dataset data;
  if (cuonn_dataset_load(&data, FOLDER, NULL) == CUONN_E_IO) {
    print_message("%s\n", cuonn_last_error());
    skip();
  }
  double *start_theta = golden_read("trajectory.nc", "", "theta", NULL); /* the first snapshot is the start */
  double *start_phi = golden_read("trajectory.nc", "", "phi", NULL);
  double *gamma = golden_read("trajectory.nc", "", "gamma", NULL);
  double *theta = golden_read_n("trajectory_exact.nc", "", "theta", phases);
  double *phi = golden_read_n("trajectory_exact.nc", "", "phi", phases);
  double *golden_losses = golden_read_n("trajectory_exact.nc", "", "train_loss", kSteps);

  cuonn_network network;
  void *state;
  const backend_problem problem = {
      .n_models = 1, .shape = shape, .batch_size = kBatch, .order = CUONN_ORDER_FIXED, .method = method};
  OK(cuonn_network_create(&network, &shape));
  place(&network, start_theta, start_phi, gamma);
  OK(cpu->create(&state, &problem));
  OK(cpu->set_model(state, 0, &(backend_model){.network = &network, .optimizer = &options.optimizer}));
  data.train.n_examples = (size_t)kSteps * kBatch;
  OK(cpu->set_images(state, CUONN_SPLIT_TRAIN, &data.train, &features));

  cuonn_step steps[kSteps];
  double losses[kSteps];
  for (size_t i = 0; i < kSteps; i++) {
    steps[i] = (cuonn_step){.first = i * kBatch, .count = kBatch, .rate_factor = 1, .adam_index = i};
  }
  for (size_t s = 0, done = 0; s < kSnapshots; done = snapshot_step[s++]) {
    OK(cpu->train_steps(losses + done, state, steps + done, snapshot_step[s] - done));
    OK(cpu->get_model(&(backend_model){.network = &network}, state, 0));
    for (size_t l = 0; l < kLayers; l++) {
      CLOSE(network.layers[l].theta, theta + (s * kLayers + l) * kNodes, kNodes, .abs = 2e-6);
      CLOSE(network.layers[l].phi, phi + (s * kLayers + l) * kNodes, kNodes, .abs = 2e-6);
    }
  }
  for (size_t i = 0; i < kSteps; i++) CLOSE(&losses[i], &golden_losses[i], 1, .rel = 1e-5);

  cpu->destroy(state);
  cuonn_network_free(&network);
  free(golden_losses);
  free(phi);
  free(theta);
  free(gamma);
  free(start_phi);
  free(start_theta);
  cuonn_dataset_free(&data);
}

static void test_first_epoch__columns(void **state) { (void)state, first_epoch(CUONN_METHOD_COLUMNS); }
static void test_first_epoch__dense(void **state) { (void)state, first_epoch(CUONN_METHOD_DENSE); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_epoch__columns),
                                     cmocka_unit_test(test_first_epoch__dense)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
