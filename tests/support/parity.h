/* A float backend against the reference (double), over sizes, styles, coupler errors and losses. A test program defines
 * PARITY_BACKEND (a cuonn_backend), PARITY_METHOD (unless it is columns), PARITY_BATCHES (a list of batch sizes),
 * PARITY_ONE_PATH (true if propagation with and without taps is to give the same bits), PARITY_ROUNDINGS and
 * PARITY_DARK_FLOW (below) before it includes this, and lists the tests by PARITY_TESTS.
 *
 * Tolerances, relative to the largest modulus of an array. A float rounds by at most u = 6e-8. Along one path a field
 * is rounded r times a column, and its coefficients were: r is some 8 where products and sums are contracted, some 12
 * where they are not (PARITY_ROUNDINGS). The errors of different columns are independent, so that the fields behind k
 * columns are off by about u sqrt(r k) / 2, and the largest of some 10^5 values by five times that: kFields = 5 sqrt(r)
 * / 2 and a bit is the factor before u sqrt(k). kGradient is four times that: it also has the errors of x, of g and of
 * the way back, and gradients are differences of sums over examples. Where light is lost the way back undoes up to 6
 * dB, which doubles the rounding.
 *
 * A backend may compute the gradient of a phase in a nearly dark arm from the fields at the node's outputs, as a
 * difference of flows that are larger than it: then its error is relative to those (PARITY_DARK_FLOW).
 *
 * A method that sums over examples in float (PARITY_SUMS_IN_FLOAT) rounds each of B partial sums, which grow to the
 * gradient's own size: by the root of B roundings, as if B columns more were passed. */
#ifndef CUONN_TESTS_PARITY_H
#define CUONN_TESTS_PARITY_H

#ifndef PARITY_METHOD
#define PARITY_METHOD CUONN_METHOD_COLUMNS
#endif
#ifndef PARITY_SHARED_ROUNDING
#define PARITY_SHARED_ROUNDING 0
#endif
#define PARITY_SUMS_IN_FLOAT (PARITY_METHOD == CUONN_METHOD_DENSE)

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "support/chance.h"
#include "support/close.h"
#include "support/dense.h"

#define PARITY_FIELDS (PARITY_ROUNDINGS > 8 ? 10.0 : 8.0)
static const double kFields = PARITY_FIELDS, kGradient = 4 * PARITY_FIELDS, kUnit = FLT_EPSILON / 2;

/* What one case is about. */
typedef struct {
  size_t modes, layers, classes, batch;
  cuonn_phase_style style;
  double error, loss; /* largest coupler error (radians), largest loss of a shifter (dB) */
  double dark;        /* dB of both shifters of one node; 0: none is special */
  bool clear;         /* the first layer of a network has no losses */
} problem;

static const cuonn_phase_style styles[] = {CUONN_STYLE_TOP, CUONN_STYLE_BOTTOM, CUONN_STYLE_SYMMETRIC,
                                           CUONN_STYLE_DIFFERENTIAL};

static double *doubles(size_t n) {
  double *values;
  OK(cuonn_allocate(&values, n, sizeof *values));
  return values;
}

static void random_mesh(cuonn_mesh *mesh, const problem *p, chance *c) {
  dense_random(mesh, c, p->error, p->loss);
  if (p->dark != 0) {
    const size_t k = cuonn_mesh_nodes(mesh->n_modes) / 2;
    mesh->loss_db[2 * k] = mesh->loss_db[2 * k + 1] = p->dark;
  }
}

static void random_fields(cuonn_fields *out, size_t n_examples, size_t n_modes, chance *c) {
  OK(cuonn_fields_create(out, n_examples, n_modes));
  for (size_t i = 0; i < 2 * n_examples * n_modes; i++) out->values[i] = chance_uniform(c, -1, 1);
}

static double tolerance(double factor, size_t columns) { return factor * kUnit * sqrt((double)columns); }

static void check_mesh(const problem *p, chance *c) {
  const size_t n = p->modes, size = 2 * n * p->batch, taps_size = n * size, nodes = cuonn_mesh_nodes(n);
  const cuonn_backend *const backends[2] = {&cuonn_backend_reference, &PARITY_BACKEND};
  cuonn_mesh mesh;
  cuonn_fields input, cotangent;
  OK(cuonn_mesh_create(&mesh, n, p->style));
  random_mesh(&mesh, p, c);
  random_fields(&input, p->batch, n, c);
  random_fields(&cotangent, p->batch, n, c);

  const cuonn_buffer x = buffer_of_fields(&input), cotangents = buffer_of_fields(&cotangent);
  const double fields = tolerance(kFields, n), gradient = tolerance(kGradient, n);
  /* Stage by stage, 50:50 couplers are all rounded alike, by -1.7e-8, so that each column takes twice that off every
   * field: in large meshes that is more than the rest. */
  const double stages = fields + (n > 130 ? 3.4e-8 * (double)n : 0);
  for (int backward = 0; backward < 2; backward++) {
    double *out[2];
    cuonn_taps taps[2];
    for (int b = 0; b < 2; b++) {
      out[b] = doubles(size);
      taps[b] = (cuonn_taps){doubles(taps_size), doubles(taps_size), doubles(taps_size), doubles(taps_size),
                             doubles(taps_size)};
      const cuonn_buffer y = buffer_of(out[b], size / 2);
      OK(backends[b]->propagate(&y, &taps[b], &mesh, &x, backward, (backend_place){.threads = 2}));
    }
    CLOSE(out[1], out[0], size, .rel = stages);
    CLOSE(taps[1].before_phi, taps[0].before_phi, taps_size, .rel = stages);
    CLOSE(taps[1].after_phi, taps[0].after_phi, taps_size, .rel = stages);
    CLOSE(taps[1].before_theta, taps[0].before_theta, taps_size, .rel = stages);
    CLOSE(taps[1].after_theta, taps[0].after_theta, taps_size, .rel = stages);
    CLOSE(taps[1].after_coupler, taps[0].after_coupler, taps_size, .rel = stages);
    double *const without = doubles(size);
    const cuonn_buffer y = buffer_of(without, size / 2);
    OK(PARITY_BACKEND.propagate(&y, NULL, &mesh, &x, backward, (backend_place){.threads = 1}));
    CLOSE(without, out[0], size, .rel = fields);
    if (PARITY_ONE_PATH) assert_memory_equal(without, out[1], size * sizeof(double));
    free(without);
    for (int b = 0; b < 2; b++) {
      free(out[b]);
      free(taps[b].before_phi);
      free(taps[b].after_phi);
      free(taps[b].before_theta);
      free(taps[b].after_theta);
      free(taps[b].after_coupler);
    }
  }

  double *back[2], *all[2]; /* all gradients in one array: its scale is that of the flows they are differences of */
  for (int b = 0; b < 2; b++) {
    back[b] = doubles(size);
    all[b] = doubles(2 * nodes + n);
    cuonn_mesh_gradient g = {all[b], all[b] + nodes, all[b] + 2 * nodes, NULL};
    const cuonn_buffer to = buffer_of(back[b], size / 2);
    OK(backends[b]->vjp(&g, &to, &mesh, &x, &cotangents, (backend_place){.threads = 2}));
  }
  CLOSE(back[1], back[0], size, .rel = fields);
  CLOSE(all[1], all[0], 2 * nodes + n, .rel = gradient);
  for (int b = 0; b < 2; b++) {
    free(back[b]);
    free(all[b]);
  }
  cuonn_fields_free(&cotangent);
  cuonn_fields_free(&input);
  cuonn_mesh_free(&mesh);
}

static size_t pick(chance *c, size_t from, size_t to) { return from + chance_index(c, to - from + 1); }

static const size_t batches[] = PARITY_BATCHES;
enum { kBatches = sizeof batches / sizeof *batches };

static void meshes(size_t largest, double error, double loss, double dark) {
  chance c = {largest + (size_t)(100 * loss)};
  const size_t sizes[] = {2, 3, 4, 5, 8, pick(&c, 6, 30), 64, 65, pick(&c, 31, 66), pick(&c, 67, 129), 130};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (size_t style = 0; style < 4 && sizes[i] <= largest; style++) {
      check_mesh(&(problem){.modes = sizes[i],
                            .batch = batches[pick(&c, 0, sizes[i] < 64 ? kBatches - 1 : 1)],
                            .style = styles[style],
                            .error = error,
                            .loss = loss,
                            .dark = dark},
                 &c);
    }
  }
}

static inline void test_mesh__ideal(void **state) { (void)state, meshes(130, 0, 0, 0); }
static inline void test_mesh__coupler_errors(void **state) { (void)state, meshes(130, 0.05, 0, 0); }
static inline void test_mesh__losses(void **state) { (void)state, meshes(66, 0.05, 0.1, 0), meshes(66, 0, 2, 0); }
static inline void test_mesh__dark_node(void **state) { (void)state, meshes(66, 0.05, 0.1, 60); }
static inline void test_mesh__gain(void **state) { (void)state, meshes(66, 0, 0.1, -20); }

/* A network in both backends, with a set of examples. */
typedef struct {
  cuonn_network network;
  void *states[2];
  cuonn_fields fields;
  uint8_t *labels;
} pair;

static const cuonn_backend *const both[2] = {&cuonn_backend_reference, &PARITY_BACKEND};

static void make_pair(pair *out, const problem *p, size_t n_examples, cuonn_order order,
                      const cuonn_optimizer_options *optimizer, chance *c) {
  const cuonn_network_shape shape =
      CUONN_NETWORK_SHAPE_OF(p->modes, p->layers, p->classes, p->style, p->layers % 2, NULL);
  OK(cuonn_network_create(&out->network, &shape));
  for (size_t l = 0; l < p->layers; l++) random_mesh(&out->network.layers[l], p, c);
  if (p->clear) memset(out->network.layers->loss_db, 0, 2 * cuonn_mesh_nodes(p->modes) * sizeof(double));
  random_fields(&out->fields, n_examples, p->modes, c);
  OK(cuonn_allocate(&out->labels, n_examples, 1));
  for (size_t e = 0; e < n_examples; e++) out->labels[e] = (uint8_t)pick(c, 0, p->classes - 1);
  for (int b = 0; b < 2; b++) {
    const backend_problem made_for = {.n_models = 1,
                                      .shape = shape,
                                      .batch_size = n_examples,
                                      .order = order,
                                      .place.threads = 2,
                                      .method = PARITY_METHOD};
    const backend_model model = {.network = &out->network, .optimizer = optimizer, .seed = 7};
    OK(both[b]->create(&out->states[b], &made_for));
    OK(both[b]->set_model(out->states[b], 0, &model));
    for (int split = 0; split < CUONN_SPLITS; split++) {
      OK(both[b]->set_fields(out->states[b], (cuonn_split)split, &out->fields, out->labels));
    }
  }
}

static void free_pair(pair *p) {
  for (int b = 0; b < 2; b++) both[b]->destroy(p->states[b]);
  free(p->labels);
  cuonn_fields_free(&p->fields);
  cuonn_network_free(&p->network);
}

/* Theta and phi of all layers are one array, with one largest value: some of them alone hold nothing but rounding. */
static void check_network(const problem *p, chance *c) {
  const size_t nodes = cuonn_mesh_nodes(p->modes), columns = p->modes * p->layers, layers = p->layers;
  pair both_states;
  make_pair(&both_states, p, p->batch, CUONN_ORDER_FIXED, NULL, c);
  double loss[2], *d_theta[2], *d_phi[2], *d_gamma[2];
  cuonn_evaluation evaluation[2] = {0};
  for (int b = 0; b < 2; b++) {
    cuonn_mesh_gradient g[4];
    d_theta[b] = doubles(2 * layers * nodes);
    d_phi[b] = d_theta[b] + layers * nodes;
    d_gamma[b] = doubles(layers * p->modes);
    for (size_t l = 0; l < layers; l++) {
      g[l] = (cuonn_mesh_gradient){d_theta[b] + l * nodes, d_phi[b] + l * nodes, d_gamma[b] + l * p->modes, NULL};
    }
    const cuonn_step all = {.count = p->batch};
    OK(both[b]->gradient(&loss[b], g, both_states.states[b], 0, 1, CUONN_SPLIT_TEST, &all, CUONN_GRADIENT_EXACT));
    evaluation[b].confusion = calloc(p->classes * p->classes, sizeof(uint64_t));
    OK(both[b]->evaluate(&evaluation[b], both_states.states[b], 0, 1, CUONN_SPLIT_TRAIN));
  }
  const double fields = tolerance(kFields, columns);
  const double gradient = tolerance(kGradient, columns + (PARITY_SUMS_IN_FLOAT ? p->batch : 0));
  CLOSE(&loss[1], &loss[0], 1, .rel = fields);
  CLOSE(&evaluation[1].loss, &evaluation[0].loss, 1, .rel = fields);
  /* Inputs have a power of 2/3 a waveguide, so that the flow of an example is at most twice 2/3 N, and the batch's as
   * much. */
  const double flow = PARITY_DARK_FLOW && p->dark > 0 ? 4. / 3 * (double)p->modes : 0;
  CLOSE(d_theta[1], d_theta[0], 2 * layers * nodes, .rel = gradient, .abs = gradient * flow);
  for (size_t i = 0; i < layers * p->modes; i++) assert_true(d_gamma[1][i] == 0);
  for (size_t i = 0; i < layers * nodes; i++) {
    if (d_theta[0][i] == 0) assert_true(d_theta[1][i] == 0);
    if (d_phi[0][i] == 0) assert_true(d_phi[1][i] == 0);
  }
  assert_int_equal(evaluation[1].n_examples, p->batch);
  assert_int_equal(evaluation[1].n_correct, evaluation[0].n_correct);
  assert_memory_equal(evaluation[1].confusion, evaluation[0].confusion, p->classes * p->classes * sizeof(uint64_t));
  for (int b = 0; b < 2; b++) {
    free(evaluation[b].confusion);
    free(d_theta[b]);
    free(d_gamma[b]);
  }
  free_pair(&both_states);
}

static void networks(size_t largest, double error, double loss, double dark) {
  chance c = {17 + (size_t)(100 * loss)};
  const size_t sizes[] = {2, 3, 5, 8, 17, 64, 65};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes && sizes[i] <= largest; i++) {
    for (size_t style = 0; style < 4; style++) {
      const problem p = {.modes = sizes[i],
                         .layers = pick(&c, 1, sizes[i] < 64 ? 4 : 2),
                         .classes = pick(&c, 2, sizes[i] < 10 ? sizes[i] : 10),
                         .batch = batches[pick(&c, 0, sizes[i] < 64 ? kBatches - 1 : 3)],
                         .style = styles[style],
                         .error = error,
                         .loss = loss,
                         .dark = dark};
      check_network(&p, &c);
    }
  }
}

static void test_network__ideal(void **state) { (void)state, networks(65, 0, 0, 0); }
static void test_network__coupler_errors(void **state) { (void)state, networks(65, 0.05, 0, 0); }
static void test_network__losses(void **state) { (void)state, networks(65, 0.05, 0.1, 0), networks(8, 0, 2, 0); }
/* Where fields are kept is another matter in each layer. */
static void test_network__losses_in_one_layer(void **state) {
  (void)state;
  chance c = {29};
  check_network(&(problem){.modes = 33, .layers = 2, .classes = 4, .batch = 7, .loss = 8, .clear = true}, &c);
}
static void test_network__dark_node(void **state) { (void)state, networks(17, 0.05, 0.1, 60); }

/* Some steps with both backends from the same start. Adam divides a gradient by its own size, which makes the error of
 * a small one relative to itself: so its epsilon is set to the size of a gradient, where the allowance is that of
 * gradients: the phases may be off by `steps` x rate x kGradient u sqrt(k) of the largest gradient over epsilon, some
 * 1. */
static void check_training(const cuonn_optimizer_options *optimizer, cuonn_order order, double error, bool restart) {
  enum { kSteps = 8, kExamples = 130, kPerEpoch = 4 };
  const problem p = {.modes = 9, .layers = 3, .classes = 4, .batch = 40, .style = CUONN_STYLE_TOP, .error = error};
  const size_t nodes = cuonn_mesh_nodes(p.modes), columns = p.modes * p.layers;
  const size_t n_moments = 2 * p.layers * p.modes * p.modes;
  chance c = {23};
  pair states;
  make_pair(&states, &p, kExamples, order, optimizer, &c);
  cuonn_step steps[kSteps];
  for (size_t i = 0; i < kSteps; i++) {
    const size_t in_epoch = i % kPerEpoch, first = in_epoch * p.batch, left = kExamples - first;
    steps[i] = (cuonn_step){.epoch = (uint32_t)(i / kPerEpoch),
                            .first = first,
                            .count = left < p.batch ? left : p.batch,
                            .rate_factor = 1 - 0.05 * (double)i,
                            .adam_index = restart ? in_epoch : i};
  }
  double losses[2][kSteps], *moments[2];
  cuonn_network trained[2];
  for (int b = 0; b < 2; b++) {
    moments[b] = doubles(n_moments);
    OK(cuonn_network_create(&trained[b], &states.network.shape));
    OK(both[b]->train_steps(losses[b], states.states[b], steps, kSteps));
    OK(both[b]->get_model(&(backend_model){.network = &trained[b], .moments = moments[b]}, states.states[b], 0));
  }
  const double fields = tolerance(kFields, columns);
  const double gradient = tolerance(kGradient, columns + (PARITY_SUMS_IN_FLOAT ? p.batch : 0));
  CLOSE(losses[1], losses[0], kSteps, .rel = fields + kSteps * optimizer->learning_rate * gradient);
  CLOSE(moments[1], moments[0], n_moments, .rel = 2 * gradient);
  for (size_t l = 0; l < p.layers; l++) {
    CLOSE(trained[1].layers[l].theta, trained[0].layers[l].theta, nodes,
          .abs = kSteps * optimizer->learning_rate * gradient);
    CLOSE(trained[1].layers[l].phi, trained[0].layers[l].phi, nodes,
          .abs = kSteps * optimizer->learning_rate * gradient);
    assert_memory_not_equal(trained[0].layers[l].theta, states.network.layers[l].theta, nodes * sizeof(double));
  }
  for (int b = 0; b < 2; b++) {
    free(moments[b]);
    cuonn_network_free(&trained[b]);
  }
  free_pair(&states);
}

static const cuonn_optimizer_options adam = {
    .kind = CUONN_OPTIMIZER_ADAM, .learning_rate = 0.02, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 0.05};
static const cuonn_optimizer_options sgd = {.kind = CUONN_OPTIMIZER_SGD, .learning_rate = 0.1, .momentum = 0.7};

static void test_training__adam(void **state) { (void)state, check_training(&adam, CUONN_ORDER_FIXED, 0, false); }
static void test_training__restarted(void **state) { (void)state, check_training(&adam, CUONN_ORDER_FIXED, 0, true); }
static void test_training__sgd(void **state) { (void)state, check_training(&sgd, CUONN_ORDER_FIXED, 0.05, false); }
static void test_training__shuffled(void **state) {
  (void)state;
  check_training(&adam, CUONN_ORDER_SHUFFLED, 0, false);
}

/* Models that share a state do exactly what each does alone, or to PARITY_SHARED_ROUNDING. (A backend may choose one
 * kind of node for all of them: none is without errors.) */
static void test_training__many_models(void **state) {
  (void)state;
  enum { kModels = 3, kSteps = 4, kBatch = 70, kExamples = 150, kModes = 10 };
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, 2, 3, CUONN_STYLE_BOTTOM, false, NULL);
  const cuonn_backend *const backend = &PARITY_BACKEND;
  const size_t nodes = cuonn_mesh_nodes(kModes);
  chance c = {31};
  cuonn_network networks[kModels];
  cuonn_fields fields;
  uint8_t labels[kExamples];
  backend_model models[kModels];
  cuonn_step steps[kSteps];
  double together[kSteps][kModels];
  void *all;
  random_fields(&fields, kExamples, kModes, &c);
  for (size_t e = 0; e < kExamples; e++) labels[e] = (uint8_t)chance_index(&c, 3);
  for (size_t i = 0; i < kSteps; i++) {
    steps[i] = (cuonn_step){(uint32_t)i / 2, i % 2 * kBatch, kBatch, 1, i, (uint32_t)i};
  }
  OK(backend->create(&all, &(backend_problem){.n_models = kModels,
                                              .shape = shape,
                                              .batch_size = kBatch,
                                              .order = CUONN_ORDER_SHUFFLED,
                                              .place.threads = 2,
                                              .method = PARITY_METHOD}));
  OK(backend->set_fields(all, CUONN_SPLIT_TRAIN, &fields, labels));
  for (size_t m = 0; m < kModels; m++) {
    OK(cuonn_network_create(&networks[m], &shape));
    for (size_t l = 0; l < 2; l++) dense_random(&networks[m].layers[l], &c, 0.05, m == 2 ? 4 : 0);
    models[m] = (backend_model){.network = &networks[m], .optimizer = m == 0 ? &sgd : &adam, .seed = m};
    OK(backend->set_model(all, m, &models[m]));
  }
  OK(backend->train_steps(together[0], all, steps, kSteps));
  for (size_t m = 0; m < kModels; m++) {
    double alone[kSteps], theta[2][45];
    void *one;
    OK(backend->create(&one, &(backend_problem){.n_models = 1,
                                                .shape = shape,
                                                .batch_size = kBatch,
                                                .order = CUONN_ORDER_SHUFFLED,
                                                .place.threads = 2,
                                                .method = PARITY_METHOD}));
    OK(backend->set_fields(one, CUONN_SPLIT_TRAIN, &fields, labels));
    OK(backend->set_model(one, 0, &models[m]));
    OK(backend->train_steps(alone, one, steps, kSteps));
    OK(backend->get_model(&models[m], one, 0));
    for (size_t l = 0; l < 2; l++) memcpy(theta[l], networks[m].layers[l].theta, nodes * sizeof(double));
    OK(backend->get_model(&models[m], all, m));
    for (size_t l = 0; l < 2; l++) {
      if (PARITY_SHARED_ROUNDING == 0) {
        assert_memory_equal(theta[l], networks[m].layers[l].theta, nodes * sizeof(double));
      } else {
        CLOSE(theta[l], networks[m].layers[l].theta, nodes, .abs = PARITY_SHARED_ROUNDING);
      }
    }
    for (size_t i = 0; i < kSteps; i++) CLOSE(&alone[i], &together[i][m], 1, .rel = PARITY_SHARED_ROUNDING);
    assert_true(m == 0 || together[0][m] != together[0][m - 1]);
    backend->destroy(one);
  }
  backend->destroy(all);
  for (size_t m = 0; m < kModels; m++) cuonn_network_free(&networks[m]);
  cuonn_fields_free(&fields);
}

/* A phase that is not finite makes a loss that is not finite, and nothing else happens. */
static void test_training__nan(void **state) {
  (void)state;
  for (int general = 0; general < 2; general++) {
    const problem p = {.modes = 6, .layers = 2, .classes = 3, .batch = 20, .error = 0.05 * general};
    const cuonn_step steps[2] = {{.count = p.batch, .rate_factor = 1}, {.count = p.batch, .rate_factor = 1}};
    double losses[2];
    chance c = {5};
    pair states;
    make_pair(&states, &p, p.batch, CUONN_ORDER_FIXED, &adam, &c);
    states.network.layers[0].theta[3] = general ? NAN : INFINITY;
    OK(PARITY_BACKEND.set_model(states.states[1], 0, &(backend_model){.network = &states.network, .optimizer = &adam}));
    OK(PARITY_BACKEND.train_steps(losses, states.states[1], steps, 2));
    assert_true(isnan(losses[0]) && isnan(losses[1]));
    free_pair(&states);
  }
}

/* Features of noise images, of bytes or of grey values of both signs; the first one is black. */
static void compare_features(const cuonn_features_options *options, size_t height, size_t width, bool grey, chance *c) {
  enum { kImages = 5, kMost = kImages * 28 * 28 };
  static uint8_t pixels[kMost], labels[kImages];
  static double values[kMost];
  const size_t n_modes = cuonn_features_modes(options), n_pixels = height * width;
  for (size_t k = 0; k < kImages * n_pixels; k++) {
    pixels[k] = k < n_pixels ? 0 : (uint8_t)chance_index(c, 256);
    values[k] = k < n_pixels ? 0 : chance_normal(c);
  }
  const cuonn_examples images = {.n_examples = kImages,
                                 .height = height,
                                 .width = width,
                                 .pixels = grey ? NULL : pixels,
                                 .grey = grey ? values : NULL,
                                 .labels = labels};
  const backend_problem made_for = {.n_models = 1,
                                    .shape = {n_modes, 1, 2, CUONN_STYLE_TOP, true},
                                    .batch_size = 0,
                                    .order = CUONN_ORDER_FIXED,
                                    .place.threads = 2};
  double *got[2];
  OK(cuonn_features_check(options, height, width));
  for (int b = 0; b < 2; b++) {
    void *computing;
    got[b] = doubles(kImages * n_modes * 2);
    OK(both[b]->create(&computing, &made_for));
    OK(both[b]->set_images(computing, CUONN_SPLIT_TEST, &images, options));
    OK(both[b]->get_features(got[b], computing, CUONN_SPLIT_TEST));
    both[b]->destroy(computing);
  }
  for (size_t e = 0; e < kImages && options->reference; e++) assert_true(got[1][2 * (e * n_modes + n_modes - 1)] == 1);
  CLOSE(got[1], got[0], kImages * n_modes * 2, .rel = tolerance(kFields, 1));
  free(got[0]);
  free(got[1]);
}

/* Float rounds each of some hundred terms of the transform. */
static inline void test_features(void **state) {
  (void)state;
  const struct {
    cuonn_features_options options;
    size_t height, width;
  } cases[] = {{{.kind = CUONN_FEATURES_FOURIER, .radius = 4}, 28, 28},
               {{.kind = CUONN_FEATURES_FOURIER, .radius = 5}, 11, 12},
               {{.kind = CUONN_FEATURES_FOURIER, .radius = 2, .reference = true}, 28, 28},
               {{.kind = CUONN_FEATURES_RADIAL, .frequencies = 37}, 28, 28},
               {{.kind = CUONN_FEATURES_RADIAL, .frequencies = 50, .reference = true}, 5, 10},
               {{.kind = CUONN_FEATURES_RESAMPLE, .side = 7, .border = 2}, 13, 13},
               {{.kind = CUONN_FEATURES_RESAMPLE, .side = 3, .width = 11, .border = 1, .reference = true}, 12, 20}};
  chance c = {3};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    compare_features(&cases[i].options, cases[i].height, cases[i].width, false, &c);
    compare_features(&cases[i].options, cases[i].height, cases[i].width, true, &c);
  }
}

#define PARITY_TESTS PARITY_MESH_TESTS, PARITY_NETWORK_TESTS, cmocka_unit_test(test_features)
#define PARITY_MESH_TESTS                                                          \
  cmocka_unit_test(test_mesh__ideal), cmocka_unit_test(test_mesh__coupler_errors), \
      cmocka_unit_test(test_mesh__losses), cmocka_unit_test(test_mesh__dark_node), cmocka_unit_test(test_mesh__gain)
#define PARITY_NETWORK_TESTS                                                                       \
  cmocka_unit_test(test_network__ideal), cmocka_unit_test(test_network__coupler_errors),           \
      cmocka_unit_test(test_network__losses), cmocka_unit_test(test_network__losses_in_one_layer), \
      cmocka_unit_test(test_network__dark_node), cmocka_unit_test(test_training__adam),            \
      cmocka_unit_test(test_training__restarted), cmocka_unit_test(test_training__sgd),            \
      cmocka_unit_test(test_training__shuffled), cmocka_unit_test(test_training__many_models),     \
      cmocka_unit_test(test_training__nan)

#endif
