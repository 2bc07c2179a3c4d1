/* Training on a tiny problem (6 x 6 pixels of noise, N 4, 3 classes, reference backend) against the same written
 * plainly here, and its promises: resuming, diverging, reporting, refusing. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/training.h"
#include "support/chance.h"
#include "support/close.h"

enum {
  kSide = 6,
  kTrain = 22,
  kTest = 9,
  kModes = 4,
  kNodes = 6,
  kLayers = 2,
  kClasses = 3,
  kMoments = 2 * 2 * 16, /* [2][layer][N^2] */
  kSteps = 64
};

static const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, kClasses, CUONN_STYLE_TOP, true, NULL);
static const cuonn_features_options features = {.kind = CUONN_FEATURES_FOURIER, .radius = 1};

static cuonn_context *context;
static uint8_t pixels[(kTrain + kTest) * kSide * kSide], labels[kTrain + kTest];
static cuonn_dataset data;

static int setup(void **unused) {
  (void)unused;
  chance c = {1};
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)chance_index(&c, 256);
  for (size_t i = 0; i < sizeof labels; i++) labels[i] = (uint8_t)chance_index(&c, kClasses);
  data.train =
      (cuonn_examples){.n_examples = kTrain, .height = kSide, .width = kSide, .pixels = pixels, .labels = labels};
  data.test = (cuonn_examples){.n_examples = kTest,
                               .height = kSide,
                               .width = kSide,
                               .pixels = pixels + kTrain * kSide * kSide,
                               .labels = labels + kTrain};
  return cuonn_context_create(&context, "reference", 0);
}

static int teardown(void **unused) {
  (void)unused;
  cuonn_context_free(context);
  return 0;
}

static int forget_stop(void **unused) {
  (void)unused;
  cuonn_clear_stop();
  return 0;
}

static cuonn_training_state start(void) {
  cuonn_training_state state;
  OK(cuonn_training_state_create(&state, &shape));
  OK(cuonn_network_initialize(&state.network, CUONN_START_HAAR, 5));
  return state;
}

static cuonn_training_options tiny(void) {
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  options.epochs = 3;
  options.batch_size = 5;
  options.drop_last = false;
  options.optimizer.learning_rate = 0.02;
  return options;
}

/* --- what callbacks saw
 * ------------------------------------------------------------------------------------------------ */

typedef struct {
  size_t n_steps, n_epochs, n_progress;
  double losses[kSteps];
  cuonn_epoch_record epochs[8];
  double layer_errors[8][2 * kLayers];
  bool improved[8];
  cuonn_progress progress[kSteps];
  const cuonn_training_state *state; /* if set, on_epoch holds its own against it */
  uint64_t stop_at;                  /* step after which to ask for a stop; 0 = never */
  uint64_t fail_at;                  /* step at which the callbacks fail; 0 = never */
  int fail_in;                       /* 0 on_step, 1 on_progress, 2 on_epoch */
} record;

static cuonn_status on_step(void *user, uint64_t step, double loss) {
  record *const r = user;
  r->losses[r->n_steps++] = loss;
  if (step == r->stop_at) cuonn_request_stop();
  return r->fail_at == step && r->fail_in == 0 ? CUONN_E_IO : CUONN_OK;
}

static cuonn_status on_progress(void *user, const cuonn_progress *progress) {
  record *const r = user;
  r->progress[r->n_progress++] = *progress;
  return r->fail_at == r->n_progress && r->fail_in == 1 ? CUONN_E_DEVICE : CUONN_OK;
}

static cuonn_status on_epoch(void *user, const cuonn_epoch_record *epoch, const cuonn_training_state *state,
                             bool improved) {
  record *const r = user;
  r->improved[r->n_epochs] = improved;
  if (epoch->n_layers > 0) memcpy(r->layer_errors[r->n_epochs], epoch->gradient_errors, sizeof *r->layer_errors);
  r->epochs[r->n_epochs++] = *epoch;
  /* what a checkpoint would hold: the phases of this moment, and an epoch that is over */
  assert_true(state->epoch_loss_sum == 0);
  if (r->state) {
    assert_ptr_equal(state, r->state);
    const cuonn_network *const net = &state->network;
    cuonn_fields input;
    cuonn_evaluation now = {0};
    OK(cuonn_features(&input, context, &data.test, &features));
    OK(cuonn_evaluate(&now, context, net, &input, data.test.labels));
    assert_true(fabs(now.loss - epoch->test_loss) < 1e-15);
    assert_true((double)now.n_correct / kTest == epoch->test_accuracy);
    cuonn_fields_free(&input);
  }
  return r->fail_at > 0 && r->fail_in == 2 ? CUONN_E_DATA : CUONN_OK;
}

static cuonn_status train(cuonn_training_state *state, const cuonn_training_options *options, record *r) {
  const cuonn_training_callbacks callbacks = {r, on_progress, on_epoch, on_step};
  return cuonn_train(state, context, &data, &features, options, &callbacks);
}

/* --- the same, written plainly
 * ------------------------------------------------------------------------------------------ */

typedef struct {
  double phases[kLayers][2][kNodes];
  double first[kLayers][kModes * kModes], second[kLayers][kModes * kModes]; /* theta, phi, gamma */
  double losses[kSteps], epoch_losses[8];
} plain;

static void take_batch(cuonn_fields *batch, uint8_t *batch_labels, const cuonn_fields *all, size_t from, size_t count) {
  batch->n_examples = count;
  memcpy(batch->values, all->values + 2 * kModes * from, 2 * kModes * count * sizeof(double));
  memcpy(batch_labels, labels + from, count);
}

static plain train_plainly(const cuonn_training_options *o) {
  plain p = {0};
  cuonn_training_state state = start();
  cuonn_fields all, batch;
  uint8_t batch_labels[kTrain];
  double d[kLayers][2][kNodes], d_gamma[kLayers][kModes];
  cuonn_mesh_gradient gradients[kLayers];
  for (size_t l = 0; l < kLayers; l++) gradients[l] = (cuonn_mesh_gradient){d[l][0], d[l][1], d_gamma[l], NULL};
  OK(cuonn_features(&all, context, &data.train, &features));
  OK(cuonn_fields_create(&batch, kTrain, kModes));

  size_t per_epoch = kTrain / o->batch_size;
  if (!o->drop_last && kTrain % o->batch_size) per_epoch++;
  const size_t total = per_epoch * o->epochs;
  for (size_t step = 0; step < total; step++) {
    const size_t i = step % per_epoch, from = i * o->batch_size;
    take_batch(&batch, batch_labels, &all, from, from + o->batch_size > kTrain ? kTrain - from : o->batch_size);
    OK(cuonn_gradient(&p.losses[step], gradients, context, &state.network, &batch, batch_labels));
    p.epoch_losses[step / per_epoch] += p.losses[step] / (double)per_epoch;

    const cuonn_optimizer_options *const a = &o->optimizer;
    double rate = a->learning_rate;
    if (o->schedule == CUONN_SCHEDULE_COSINE) rate *= 0.5 * (1 + cos(M_PI * (double)step / (double)total));
    const double t = (double)(a->restart_bias_correction_each_epoch ? i : step) + 1;
    for (size_t l = 0; l < kLayers; l++) {
      for (size_t which = 0; which < 2; which++) {
        double *const phases = which == 0 ? state.network.layers[l].theta : state.network.layers[l].phi;
        for (size_t k = 0; k < kNodes; k++) {
          const double g = d[l][which][k];
          double *const m = &p.first[l][which * kNodes + k], *const v = &p.second[l][which * kNodes + k];
          if (a->kind == CUONN_OPTIMIZER_SGD) {
            *m = a->momentum * *m + g;
            phases[k] -= rate * *m;
          } else {
            *m = a->beta1 * *m + (1 - a->beta1) * g;
            *v = a->beta2 * *v + (1 - a->beta2) * g * g;
            phases[k] -= rate * *m / (1 - pow(a->beta1, t)) / (sqrt(*v / (1 - pow(a->beta2, t))) + a->epsilon);
          }
        }
      }
    }
  }
  for (size_t l = 0; l < kLayers; l++) {
    memcpy(p.phases[l][0], state.network.layers[l].theta, sizeof p.phases[l][0]);
    memcpy(p.phases[l][1], state.network.layers[l].phi, sizeof p.phases[l][1]);
  }
  cuonn_fields_free(&batch);
  cuonn_fields_free(&all);
  cuonn_training_state_free(&state);
  return p;
}

/* Rounding alone: the gradient is the library's in both, and 15 steps of 0.02 rad do not amplify it. */
static void compare_with_plain(const cuonn_training_options *options) {
  const plain want = train_plainly(options);
  cuonn_training_state state = start(), before = start();
  record r = {.state = &state};
  OK(train(&state, options, &r));
  const size_t per_epoch = cuonn_steps_per_epoch(options, kTrain);
  assert_int_equal(state.step, per_epoch * options->epochs);
  assert_int_equal(r.n_steps, state.step);
  assert_int_equal(r.n_epochs, options->epochs);
  CLOSE(r.losses, want.losses, r.n_steps, .rel = 1e-13);
  for (size_t l = 0; l < kLayers; l++) {
    const cuonn_mesh *const mesh = &state.network.layers[l];
    CLOSE(mesh->theta, want.phases[l][0], kNodes, .abs = 1e-12);
    CLOSE(mesh->phi, want.phases[l][1], kNodes, .abs = 1e-12);
    assert_memory_equal(mesh->gamma, before.network.layers[l].gamma, kModes * sizeof(double));
  }
  CLOSE(state.moments, &want.first[0][0], kMoments / 2, .rel = 1e-12);
  CLOSE(state.moments + kMoments / 2, &want.second[0][0], kMoments / 2, .rel = 1e-12);

  double best = -1;
  for (size_t e = 0; e < r.n_epochs; e++) {
    assert_int_equal(r.epochs[e].epoch, e + 1);
    CLOSE(&r.epochs[e].train_loss, &want.epoch_losses[e], 1, .rel = 1e-13);
    assert_true(r.epochs[e].seconds >= 0 && r.epochs[e].examples_per_second > 0);
    assert_int_equal(r.improved[e], r.epochs[e].test_accuracy > best);
    best = fmax(best, r.epochs[e].test_accuracy);
  }
  assert_true(state.best_accuracy == best);
  cuonn_training_state_free(&before);
  cuonn_training_state_free(&state);
}

static void adam_restarts_each_epoch(void **unused) {
  (void)unused;
  const cuonn_training_options options = tiny();
  assert_true(options.optimizer.restart_bias_correction_each_epoch);
  compare_with_plain(&options);
}

static void adam_as_published(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  options.optimizer.restart_bias_correction_each_epoch = false;
  options.optimizer.beta1 = 0.8;
  options.optimizer.beta2 = 0.95;
  options.optimizer.epsilon = 1e-3;
  compare_with_plain(&options);
}

static void sgd_with_and_without_momentum(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  options.optimizer.kind = CUONN_OPTIMIZER_SGD;
  options.optimizer.learning_rate = 0.5;
  compare_with_plain(&options);
  options.optimizer.momentum = 0.7;
  compare_with_plain(&options);
}

/* On a lossless chip without noise; the losses are those of the plain training to rounding. */
static void in_situ_as_exact(void **unused) {
  (void)unused;
  for (int kind = 0; kind < 4; kind++) {
    cuonn_training_options options = tiny();
    options.order = CUONN_ORDER_SHUFFLED;
    options.optimizer.kind = CUONN_OPTIMIZER_SGD; /* Adam would make steps of what is 0 but for rounding */
    options.optimizer.learning_rate = 0.5;
    cuonn_training_state exact = start(), measured = start();
    record all = {0}, r = {0};
    OK(train(&exact, &options, &all));
    options.gradient = kind % 2 ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_DIGITAL;
    options.chip.measurement = kind / 2 ? CUONN_MEASUREMENT_MATRIX : CUONN_MEASUREMENT_EXAMPLE;
    OK(train(&measured, &options, &r));
    CLOSE(r.losses, all.losses, 15, .rel = 1e-11);
    for (size_t e = 0; e < 3; e++) {
      CLOSE(&r.epochs[e].test_loss, &all.epochs[e].test_loss, 1, .rel = 1e-11);
      assert_true(fabs(r.epochs[e].gradient_error_small) < 1e-12 && fabs(r.epochs[e].gradient_error_batch) < 1e-12);
    }
    cuonn_training_state_free(&measured);
    cuonn_training_state_free(&exact);
  }
}

static void noisy_chip_has_gradient_errors(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  options.gradient = CUONN_GRADIENT_ANALOG;
  options.chip.tap_shot = .05;
  cuonn_training_state state = start();
  record r = {0};
  OK(train(&state, &options, &r));
  for (size_t e = 0; e < 3; e++) {
    assert_true(r.epochs[e].gradient_error_small > 1e-6 && r.epochs[e].gradient_error_small < 1);
    assert_true(r.epochs[e].gradient_error_batch > 1e-6 && r.epochs[e].gradient_error_batch < 1);
  }
  cuonn_training_state_free(&state);
}

/* After every other epoch and the last, or never; the numbers are those of every epoch. */
static void gradients_are_compared_as_often_as_asked(void **unused) {
  (void)unused;
  record all = {0};
  for (size_t every = 1; every < 5; every++) {
    cuonn_training_options options = tiny();
    options.gradient = CUONN_GRADIENT_ANALOG;
    options.chip.tap_shot = .05;
    options.gradient_error_every = every % 4; /* 1, 2, 3, 0 */
    cuonn_training_state state = start();
    record r = {0};
    OK(train(&state, &options, every == 1 ? &all : &r));
    cuonn_training_state_free(&state);
    for (size_t e = 0; every > 1 && e < 3; e++) {
      const double got[] = {r.epochs[e].gradient_error_small, r.epochs[e].gradient_error_batch};
      const double want[] = {all.epochs[e].gradient_error_small, all.epochs[e].gradient_error_batch};
      const bool compared = every == 2 ? e > 0 : every == 3 && e == 2;
      assert_int_equal(r.epochs[e].n_layers, kLayers);
      for (size_t i = 0; i < 2 * kLayers; i++)
        assert_true(compared ? r.layer_errors[e][i] == all.layer_errors[e][i] : isnan(r.layer_errors[e][i]));
      for (size_t i = 0; i < 2; i++) assert_true(compared ? got[i] == want[i] : isnan(got[i]));
    }
  }
}

/* After one step, whose noise is that of the first: all examples are the small batch and the batch. */
static void each_layer_has_its_gradient_error(void **unused) {
  (void)unused;
  double d[2][kLayers][2 * kNodes + kModes], loss;
  cuonn_mesh_gradient g[2][kLayers];
  cuonn_training_options options = tiny();
  cuonn_training_state state = start();
  cuonn_fields input;
  record r = {0};
  options.batch_size = kTrain;
  options.epochs = 1;
  options.gradient = CUONN_GRADIENT_ANALOG;
  options.chip.tap_shot = .05;
  OK(train(&state, &options, &r));
  OK(cuonn_features(&input, context, &data.train, &features));
  for (size_t i = 0; i < 2; i++) {
    for (size_t l = 0; l < kLayers; l++)
      g[i][l] = (cuonn_mesh_gradient){d[i][l], d[i][l] + kNodes, d[i][l] + 2 * kNodes, NULL};
    OK(cuonn_gradient_on_chip(&loss, g[i], context, &state.network, &options.chip,
                              i ? CUONN_GRADIENT_EXACT : CUONN_GRADIENT_ANALOG, &input, labels));
  }
  assert_int_equal(r.epochs[0].n_layers, kLayers);
  for (size_t l = 0; l < kLayers; l++) {
    const double want = cuonn_gradient_error(&g[0][l], &g[1][l], 1, cuonn_mesh_nodes(kModes));
    CLOSE(&r.layer_errors[0][l], &want, 1, .abs = 1e-14);
    CLOSE(&r.layer_errors[0][kLayers + l], &want, 1, .abs = 1e-14);
  }
  assert_true(fabs(r.layer_errors[0][0] - r.layer_errors[0][1]) > 1e-6);
  cuonn_fields_free(&input);
  cuonn_training_state_free(&state);
}

/* Steps are those of a chip without errors; tests, and what gradients are held against, are of the real one. */
static void ideal_training_is_tested_on_the_chip(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  cuonn_training_state exact = start(), ideal = start();
  record all = {0}, r = {0};
  options.chip.coupler_std = .1;
  options.chip.loss_mean = .5;
  OK(train(&exact, &options, &all));
  OK(cuonn_chip_draw_errors(&ideal.network, &options.chip));
  options.gradient = CUONN_GRADIENT_IDEAL;
  OK(train(&ideal, &options, &r));
  for (size_t l = 0; l < kLayers; l++) {
    const cuonn_mesh *const a = &exact.network.layers[l], *const b = &ideal.network.layers[l];
    assert_memory_equal(a->theta, b->theta, kNodes * sizeof(double));
    assert_memory_equal(a->phi, b->phi, kNodes * sizeof(double));
    assert_true(b->coupler_error[0] != 0 && b->loss_db[0] != 0);
  }
  assert_memory_equal(r.losses, all.losses, 15 * sizeof(double));
  cuonn_fields input;
  cuonn_evaluation test = {0};
  OK(cuonn_features(&input, context, &data.test, &features));
  OK(cuonn_evaluate(&test, context, &ideal.network, &input, data.test.labels));
  CLOSE(&r.epochs[2].test_loss, &test.loss, 1, .rel = 1e-14);
  assert_true(fabs(test.loss - all.epochs[2].test_loss) > 1e-4);
  for (size_t e = 0; e < 3; e++) {
    assert_true(r.epochs[e].gradient_error_small > 1e-4 && r.epochs[e].gradient_error_batch > 1e-4);
  }
  cuonn_fields_free(&input);
  cuonn_training_state_free(&ideal);
  cuonn_training_state_free(&exact);
}

/* One step over all examples, whose noise is that of the first. */
static void gamma_is_trained_by_its_measured_gradient(void **unused) {
  (void)unused;
  double d[kLayers][2 * kNodes + kModes], loss;
  cuonn_mesh_gradient gradients[kLayers];
  for (size_t l = 0; l < kLayers; l++)
    gradients[l] = (cuonn_mesh_gradient){d[l], d[l] + kNodes, d[l] + 2 * kNodes, NULL};
  cuonn_training_options options = tiny();
  options.batch_size = kTrain;
  options.epochs = 1;
  options.optimizer.kind = CUONN_OPTIMIZER_SGD;
  options.chip.tap_shot = .1;
  for (int kind = 0; kind < 4; kind++) {
    const bool measured = kind / 2, trained = kind % 2;
    options.gradient = measured ? CUONN_GRADIENT_ANALOG : CUONN_GRADIENT_EXACT;
    options.train_gamma = trained;
    cuonn_training_state state = start(), before = start();
    cuonn_fields input;
    OK(cuonn_features(&input, context, &data.train, &features));
    OK(cuonn_gradient_on_chip(&loss, gradients, context, &state.network, &options.chip, options.gradient, &input,
                              labels));
    OK(train(&state, &options, &(record){0}));
    for (size_t l = 0; l < kLayers; l++) {
      const double *const velocity = state.moments + l * kModes * kModes + 2 * kNodes;
      for (size_t w = 0; w < kModes; w++) {
        const double moved = measured && trained ? gradients[l].d_gamma[w] : 0;
        assert_true((gradients[l].d_gamma[w] != 0) == measured);
        assert_true(velocity[w] == moved);
        assert_true(state.network.layers[l].gamma[w] ==
                    before.network.layers[l].gamma[w] - options.optimizer.learning_rate * moved);
      }
    }
    cuonn_fields_free(&input);
    cuonn_training_state_free(&before);
    cuonn_training_state_free(&state);
  }
}

static void cosine_schedule(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  options.schedule = CUONN_SCHEDULE_COSINE;
  compare_with_plain(&options);

  /* The middle of an even number of steps has half the rate: one more step from there, with plain SGD. */
  options.optimizer.kind = CUONN_OPTIMIZER_SGD;
  options.batch_size = kTrain;
  options.epochs = 2;
  cuonn_training_state cosine = start(), constant = start();
  record r = {.stop_at = 1};
  assert_int_equal(train(&cosine, &options, &r), CUONN_E_INTERRUPTED);
  cuonn_clear_stop();
  OK(cuonn_mesh_copy(&constant.network.layers[0], &cosine.network.layers[0]));
  OK(cuonn_mesh_copy(&constant.network.layers[1], &cosine.network.layers[1]));
  OK(train(&cosine, &options, &(record){0}));
  options.schedule = CUONN_SCHEDULE_CONSTANT;
  options.epochs = 1;
  options.optimizer.learning_rate /= 2;
  OK(train(&constant, &options, &(record){0}));
  CLOSE(cosine.network.layers[0].theta, constant.network.layers[0].theta, kNodes, .abs = 1e-15);
  CLOSE(cosine.network.layers[1].phi, constant.network.layers[1].phi, kNodes, .abs = 1e-15);
  cuonn_training_state_free(&constant);
  cuonn_training_state_free(&cosine);
}

static void partial_batch_is_dropped_or_kept(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  compare_with_plain(&options); /* 22 = 4 x 5 + 2 */
  options.drop_last = true;
  compare_with_plain(&options);
  options.batch_size = 30; /* more than there are */
  options.drop_last = false;
  compare_with_plain(&options);
}

static void counts_steps(void **unused) {
  (void)unused;
  const struct {
    size_t examples, batch, dropped, kept;
  } cases[] = {{60000, 512, 117, 118}, {1024, 512, 2, 2}, {511, 512, 0, 1}, {1, 1, 1, 1}, {7, 2, 3, 4}};
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    options.batch_size = cases[i].batch;
    options.drop_last = true;
    assert_int_equal(cuonn_steps_per_epoch(&options, cases[i].examples), cases[i].dropped);
    options.drop_last = false;
    assert_int_equal(cuonn_steps_per_epoch(&options, cases[i].examples), cases[i].kept);
  }
}

static void state_starts_empty(void **unused) {
  (void)unused;
  cuonn_training_state state;
  assert_int_equal(cuonn_training_moments_count(&shape), kMoments);
  OK(cuonn_training_state_create(&state, &shape));
  assert_true(state.step == 0 && state.best_accuracy == -1 && state.epoch_loss_sum == 0);
  for (size_t i = 0; i < kMoments; i++) assert_true(state.moments[i] == 0);
  cuonn_training_state_free(&state);
  assert_null(state.moments);
  cuonn_training_state_free(&state);
  cuonn_training_state_free(NULL);
  cuonn_network_shape bad = shape;
  bad.n_classes = kModes + 1;
  REFUSED(cuonn_training_state_create(&state, &bad), CUONN_E_SHAPE, "classes");
  assert_null(state.moments);
}

/* --- order
 * ---------------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Fields that are the features of the images give the same bits as the images. */
static void fields_train_as_the_images_do(void **unused) {
  (void)unused;
  const cuonn_dataset images = data;
  const cuonn_training_options options = tiny();
  record of_images = {0}, of_fields = {0};
  cuonn_training_state first = start(), second = start();
  OK(train(&first, &options, &of_images));
  cuonn_examples *const sets[] = {&data.train, &data.test};
  for (size_t s = 0; s < 2; s++) {
    cuonn_fields fields;
    OK(cuonn_features(&fields, context, sets[s], &features));
    *sets[s] = (cuonn_examples){.n_examples = fields.n_examples, .labels = sets[s]->labels, .fields = fields};
  }
  OK(train(&second, &options, &of_fields));
  assert_int_equal(of_fields.n_steps, of_images.n_steps);
  assert_memory_equal(of_fields.losses, of_images.losses, sizeof of_images.losses);
  assert_memory_equal(&of_fields.epochs[2].test_loss, &of_images.epochs[2].test_loss, sizeof(double));
  cuonn_network_shape wider = shape;
  wider.n_modes++;
  cuonn_training_state other;
  OK(cuonn_training_state_create(&other, &wider));
  REFUSED(train(&other, &options, &of_fields), CUONN_E_SHAPE, "the fields have 4 waveguides, the network has 5");
  data.test.fields.n_modes--;
  REFUSED(train(&second, &options, &of_fields), CUONN_E_SHAPE, "the fields have 3 waveguides, the network has 4");
  cuonn_fields_free(&data.train.fields);
  cuonn_fields_free(&data.test.fields);
  data = images;
  cuonn_training_state_free(&other);
  cuonn_training_state_free(&second);
  cuonn_training_state_free(&first);
}

/* With batches of one and a rate that moves nothing, the losses of an epoch tell which examples were seen, and when. */
static void shuffled_order_sees_each_example_once(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  options.batch_size = 1;
  options.epochs = 2;
  options.optimizer.kind = CUONN_OPTIMIZER_SGD;
  options.optimizer.learning_rate = 1e-300;
  record seen[4] = {0};
  for (size_t i = 0; i < 4; i++) {
    options.order = i == 0 ? CUONN_ORDER_FIXED : CUONN_ORDER_SHUFFLED;
    options.seed = i == 3 ? 2 : 1;
    cuonn_training_state state = start();
    OK(train(&state, &options, &seen[i]));
    cuonn_training_state_free(&state);
  }
  const size_t epoch = kTrain * sizeof(double);
  double *const fixed = seen[0].losses;
  assert_memory_equal(fixed, fixed + kTrain, epoch);
  assert_memory_equal(seen[1].losses, seen[2].losses, 2 * epoch);          /* same seed, same order */
  assert_memory_not_equal(seen[1].losses, fixed, epoch);                   /* shuffled it is */
  assert_memory_not_equal(seen[1].losses, seen[1].losses + kTrain, epoch); /* anew in every epoch */
  assert_memory_not_equal(seen[1].losses, seen[3].losses, epoch);          /* and by the seed */
  qsort(fixed, kTrain, sizeof(double), ascending);
  for (size_t i = 1; i < kTrain; i++) assert_true(fixed[i] != fixed[i - 1]); /* no two examples are confused */
  for (size_t i = 1; i < 4; i++) {
    for (size_t e = 0; e < 2; e++) {
      qsort(seen[i].losses + e * kTrain, kTrain, sizeof(double), ascending);
      assert_memory_equal(seen[i].losses + e * kTrain, fixed, epoch);
    }
  }
}

/* --- stopping and going on
 * -------------------------------------------------------------------------------------------------- */

static void are_equal(const cuonn_training_state *a, const cuonn_training_state *b) {
  assert_int_equal(a->step, b->step);
  assert_true(a->epoch_loss_sum == b->epoch_loss_sum && a->best_accuracy == b->best_accuracy);
  assert_memory_equal(a->moments, b->moments, kMoments * sizeof(double));
  for (size_t l = 0; l < kLayers; l++) {
    assert_memory_equal(a->network.layers[l].theta, b->network.layers[l].theta, kNodes * sizeof(double));
    assert_memory_equal(a->network.layers[l].phi, b->network.layers[l].phi, kNodes * sizeof(double));
    assert_memory_equal(a->network.layers[l].gamma, b->network.layers[l].gamma, kModes * sizeof(double));
  }
}

/* As a checkpoint does: all that a state holds, in new memory. */
static cuonn_training_state copy_of(const cuonn_training_state *from) {
  cuonn_training_state to;
  OK(cuonn_training_state_create(&to, &shape));
  for (size_t l = 0; l < kLayers; l++) OK(cuonn_mesh_copy(&to.network.layers[l], &from->network.layers[l]));
  memcpy(to.moments, from->moments, kMoments * sizeof(double));
  to.step = from->step;
  to.epoch_loss_sum = from->epoch_loss_sum;
  to.epoch_seconds = from->epoch_seconds;
  to.best_accuracy = from->best_accuracy;
  return to;
}

static cuonn_chip_options noisy_chip(void) {
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  chip.seed = 3;
  chip.tap_shot = chip.io_amplitude = chip.io_phase = .02;
  chip.phase_bits = 12;
  chip.crosstalk = .01;
  chip.phase_error = .01;
  return chip;
}

static void stopped_run_goes_on_bit_for_bit(void **unused) {
  (void)unused;
  static const cuonn_gradient_method gradients[] = {CUONN_GRADIENT_EXACT,  CUONN_GRADIENT_EXACT,
                                                    CUONN_GRADIENT_ANALOG, CUONN_GRADIENT_DIGITAL,
                                                    CUONN_GRADIENT_SPSA,   CUONN_GRADIENT_FINITE_DIFFERENCE};
  for (int kind = 0; kind < 6; kind++) {
    cuonn_training_options options = tiny();
    options.order = kind % 2 ? CUONN_ORDER_SHUFFLED : CUONN_ORDER_FIXED;
    options.seed = 77;
    options.schedule = kind % 2 ? CUONN_SCHEDULE_COSINE : CUONN_SCHEDULE_CONSTANT;
    options.optimizer.kind = kind / 2 ? CUONN_OPTIMIZER_SGD : CUONN_OPTIMIZER_ADAM;
    options.optimizer.momentum = 0.5;
    options.optimizer.restart_bias_correction_each_epoch = kind == 0;
    if (kind >= 2) { /* noise and signs of a step must not depend on where a run was stopped */
      options.gradient = gradients[kind];
      options.chip = noisy_chip();
      options.train_gamma = true;
    }
    cuonn_training_state whole = start();
    record all = {0};
    OK(train(&whole, &options, &all));

    /* within the first epoch (1, 3), at the end of one (5), within the second (8), before the last step (14) */
    const uint64_t stops[] = {1, 3, 5, 8, 14};
    cuonn_training_state state = start();
    record parts = {0};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
      parts.stop_at = stops[i];
      REFUSED(train(&state, &options, &parts), CUONN_E_INTERRUPTED, "15");
      assert_true(cuonn_stop_requested());
      cuonn_clear_stop();
      assert_int_equal(state.step, stops[i]);
      cuonn_training_state reloaded = copy_of(&state);
      are_equal(&reloaded, &state);
      cuonn_training_state_free(&state);
      state = reloaded;
    }
    parts.stop_at = 0;
    OK(train(&state, &options, &parts));
    are_equal(&state, &whole);
    assert_int_equal(parts.n_steps, 15);
    assert_memory_equal(parts.losses, all.losses, 15 * sizeof(double));
    assert_int_equal(parts.n_epochs, 3);
    for (size_t e = 0; e < 3; e++) {
      assert_int_equal(parts.epochs[e].epoch, e + 1);
      assert_true(parts.epochs[e].train_loss == all.epochs[e].train_loss);
      assert_true(parts.epochs[e].test_loss == all.epochs[e].test_loss);
      assert_int_equal(parts.improved[e], all.improved[e]);
    }
    cuonn_training_state_free(&state);
    cuonn_training_state_free(&whole);
  }
}

/* Without a schedule over the whole run, more epochs may be added to a finished one; a finished one has nothing to do.
 */
static void finished_run_takes_more_epochs(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  cuonn_training_state whole = start(), state = start();
  options.epochs = 4;
  OK(train(&whole, &options, &(record){0}));
  options.epochs = 2;
  OK(train(&state, &options, &(record){0}));
  record none = {0};
  OK(train(&state, &options, &none));
  assert_int_equal(none.n_steps, 0);
  options.epochs = 1;
  REFUSED(train(&state, &options, &none), CUONN_E_ARGUMENT, "10 steps are done");
  options.epochs = 4;
  OK(train(&state, &options, &(record){0}));
  are_equal(&state, &whole);
  cuonn_training_state_free(&state);
  cuonn_training_state_free(&whole);
}

static void stop_asked_before_changes_nothing(void **unused) {
  (void)unused;
  const cuonn_training_options options = tiny();
  cuonn_training_state state = start(), before = start();
  cuonn_request_stop();
  REFUSED(train(&state, &options, &(record){0}), CUONN_E_INTERRUPTED, "interrupted");
  are_equal(&state, &before);
  cuonn_training_state_free(&before);
  cuonn_training_state_free(&state);
}

/* --- reports and failures
 * ---------------------------------------------------------------------------------------------------- */

static void progress_counts(void **unused) {
  (void)unused;
  const cuonn_training_options options = tiny();
  cuonn_training_state state = start();
  record r = {0};
  OK(train(&state, &options, &r));
  assert_int_equal(r.n_progress, 15); /* this backend looks up after every step */
  for (size_t i = 0; i < 15; i++) {
    const cuonn_progress *const p = &r.progress[i];
    assert_int_equal(p->epoch, i / 5 + 1);
    assert_int_equal(p->epochs, 3);
    assert_int_equal(p->step_in_epoch, i % 5 + 1);
    assert_int_equal(p->steps_per_epoch, 5);
    assert_true(p->loss == r.losses[i]);
    assert_true(p->examples_per_second > 0 && p->seconds_left >= 0);
  }
  assert_true(r.progress[14].seconds_left == 0);
  cuonn_training_state_free(&state);
}

static void callbacks_may_be_absent(void **unused) {
  (void)unused;
  const cuonn_training_options options = tiny();
  const cuonn_training_callbacks empty = {0};
  cuonn_training_state a = start(), b = start(), c = start();
  OK(cuonn_train(&a, context, &data, &features, &options, NULL));
  OK(cuonn_train(&b, context, &data, &features, &options, &empty));
  OK(train(&c, &options, &(record){0}));
  are_equal(&a, &b);
  are_equal(&a, &c);
  cuonn_training_state_free(&c);
  cuonn_training_state_free(&b);
  cuonn_training_state_free(&a);
}

static void failing_callback_ends_training(void **unused) {
  (void)unused;
  const cuonn_training_options options = tiny();
  const cuonn_status expected[] = {CUONN_E_IO, CUONN_E_DEVICE, CUONN_E_DATA};
  const size_t steps[] = {2, 2, 5}; /* on_epoch fails at the end of the first epoch */
  for (int in = 0; in < 3; in++) {
    cuonn_training_state state = start();
    record r = {.fail_at = 2, .fail_in = in};
    assert_int_equal(train(&state, &options, &r), expected[in]);
    assert_int_equal(r.n_steps, steps[in]);
    cuonn_training_state_free(&state);
  }
}

static void divergence_names_the_step(void **unused) {
  (void)unused;
  /* Light that is amplified beyond all numbers: the very first loss is NaN. */
  cuonn_training_options options = tiny();
  cuonn_training_state state = start();
  record r = {0};
  state.network.layers[1].loss_db[3] = -8000;
  REFUSED(train(&state, &options, &r), CUONN_E_DIVERGED,
          "at step 1 (epoch 1, step 1 of 5); powers overflow in layer 1: scale the fields down, or give");
  assert_int_equal(r.n_steps, 0);
  cuonn_training_state_free(&state);

  /* Steps of 1e308 rad: phases overflow after a few of them. */
  options.optimizer.learning_rate = 1e308;
  options.optimizer.kind = CUONN_OPTIMIZER_SGD;
  options.optimizer.momentum = 0.99;
  options.epochs = 8;
  state = start();
  for (size_t l = 0; l < kLayers; l++) {
    for (size_t k = 0; k < kNodes; k++) state.network.layers[l].theta[k] = k % 2 ? 1.7e308 : -1.7e308;
  }
  r = (record){0};
  assert_int_equal(train(&state, &options, &r), CUONN_E_DIVERGED);
  char expected[32];
  snprintf(expected, sizeof expected, "at step %zu ", r.n_steps + 1);
  assert_true(r.n_steps > 0);
  assert_non_null(strstr(cuonn_last_error(), expected));
  assert_non_null(strstr(cuonn_last_error(), "; lower the learning rate"));
  cuonn_training_state_free(&state);
}

/* Amplified by 10^11 in float, which the loss bears, but not the powers of what goes there, back, and there again. */
static void overflow_of_measured_powers_is_told(void **unused) {
  (void)unused;
  cuonn_training_options options = tiny();
  cuonn_training_state state = start();
  cuonn_context *const reference = context;
  record r = {0};
  options.gradient = CUONN_GRADIENT_ANALOG;
  for (size_t i = 0; i < 2 * kNodes; i++) {
    state.network.layers[0].loss_db[i] = -55; /* eight shifters in a row, half of them on a way */
    state.network.layers[1].loss_db[i] = 55;
  }
  OK(cuonn_context_create(&context, "cpu", 1));
  const cuonn_status status = train(&state, &options, &r);
  cuonn_context_free(context);
  context = reference;
  REFUSED(status, CUONN_E_DIVERGED,
          "at step 2 (epoch 1, step 2 of 5); powers overflow in layer 0, where the gradient is measured: scale");
  cuonn_training_state_free(&state);
}

static void bad_data_and_options_are_refused(void **unused) {
  (void)unused;
  cuonn_training_state state = start(), before = start();
  cuonn_training_options options = tiny();
  record r = {0};

  labels[kTrain - 1] = kClasses;
  REFUSED(train(&state, &options, &r), CUONN_E_DATA, "example 21");
  labels[kTrain - 1] = 0;
  labels[kTrain + 4] = 200;
  REFUSED(train(&state, &options, &r), CUONN_E_DATA, "label 200 of example 4");
  labels[kTrain + 4] = 0;
  const cuonn_features_options larger = {.kind = CUONN_FEATURES_FOURIER, .radius = 2};
  REFUSED(cuonn_train(&state, context, &data, &larger, &options, NULL), CUONN_E_SHAPE, "16");
  const cuonn_features_options too_large = {.kind = CUONN_FEATURES_FOURIER, .radius = 4};
  REFUSED(cuonn_train(&state, context, &data, &too_large, &options, NULL), CUONN_E_SHAPE, "6");
  state.network.layers[1].theta[2] = NAN;
  REFUSED(train(&state, &options, &r), CUONN_E_NONFINITE, "theta[2]");
  state.network.layers[1].theta[2] = before.network.layers[1].theta[2];

  options.chip.tap_shot = -1;
  REFUSED(train(&state, &options, &r), CUONN_E_ARGUMENT, "chip.tap_shot is -1");
  options.chip.tap_shot = 0;

  cuonn_optimizer_options *const o = &options.optimizer;
  const struct {
    double *at, value;
    const char *text;
  } numbers[] = {{&o->learning_rate, 0, "learning_rate"},
                 {&o->learning_rate, NAN, "learning_rate"},
                 {&o->learning_rate, -1, "learning_rate"},
                 {&o->learning_rate, INFINITY, "learning_rate"},
                 {&o->momentum, 1, "momentum"},
                 {&o->momentum, -0.1, "momentum"},
                 {&o->beta1, 1, "beta1"},
                 {&o->beta2, NAN, "beta2"},
                 {&o->epsilon, 0, "epsilon"},
                 {&o->epsilon, INFINITY, "epsilon"}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const double good = *numbers[i].at;
    *numbers[i].at = numbers[i].value;
    REFUSED(train(&state, &options, &r), CUONN_E_ARGUMENT, numbers[i].text);
    *numbers[i].at = good;
  }
  options.epochs = 0;
  REFUSED(train(&state, &options, &r), CUONN_E_ARGUMENT, "epochs");
  options.epochs = 1;
  options.batch_size = 0;
  REFUSED(train(&state, &options, &r), CUONN_E_ARGUMENT, "batch_size");
  options.batch_size = kTrain + 1;
  options.drop_last = true;
  REFUSED(train(&state, &options, &r), CUONN_E_ARGUMENT, "do not fill one batch");

  assert_int_equal(r.n_steps + r.n_epochs + r.n_progress, 0);
  are_equal(&state, &before);
  cuonn_training_state_free(&before);
  cuonn_training_state_free(&state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(adam_restarts_each_epoch),
      cmocka_unit_test(adam_as_published),
      cmocka_unit_test(fields_train_as_the_images_do),
      cmocka_unit_test(sgd_with_and_without_momentum),
      cmocka_unit_test(in_situ_as_exact),
      cmocka_unit_test(noisy_chip_has_gradient_errors),
      cmocka_unit_test(gradients_are_compared_as_often_as_asked),
      cmocka_unit_test(each_layer_has_its_gradient_error),
      cmocka_unit_test(ideal_training_is_tested_on_the_chip),
      cmocka_unit_test(gamma_is_trained_by_its_measured_gradient),
      cmocka_unit_test_teardown(cosine_schedule, forget_stop),
      cmocka_unit_test(partial_batch_is_dropped_or_kept),
      cmocka_unit_test(counts_steps),
      cmocka_unit_test(state_starts_empty),
      cmocka_unit_test(shuffled_order_sees_each_example_once),
      cmocka_unit_test_teardown(stopped_run_goes_on_bit_for_bit, forget_stop),
      cmocka_unit_test(finished_run_takes_more_epochs),
      cmocka_unit_test_teardown(stop_asked_before_changes_nothing, forget_stop),
      cmocka_unit_test(progress_counts),
      cmocka_unit_test(callbacks_may_be_absent),
      cmocka_unit_test(failing_callback_ends_training),
      cmocka_unit_test(divergence_names_the_step),
      cmocka_unit_test(overflow_of_measured_powers_is_told),
      cmocka_unit_test(bad_data_and_options_are_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
