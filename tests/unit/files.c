/* netCDF files: round trips, damage, foreign files, refusals, and writing where there is no room. */
#include "cuonn/files.h"

#include <fcntl.h>
#include <math.h>
#include <netcdf.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/random.h"
#include "results/container.h"
#include "results/store.h"
#include "results/variables.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/foreign.h"

enum { kModes = 5, kNodes = 10, kLayers = 2, kExamples = 3 };

/* Numbers of all sizes, with all 53 bits in use. */
static void scatter(double *out, size_t n, uint32_t stream) {
  const random_place place = {7, RANDOM_PHASES, stream, 0};
  for (size_t i = 0; i < n; i++) {
    out[i] = ldexp(random_uniform(place, 2 * (uint32_t)i) - 0.5,
                   (int)(40 * random_uniform(place, 2 * (uint32_t)i + 1)) - 20);
  }
}

static void fill_mesh(cuonn_mesh *mesh, uint32_t stream) {
  const size_t nodes = cuonn_mesh_nodes(mesh->n_modes);
  scatter(mesh->theta, nodes, stream);
  scatter(mesh->phi, nodes, stream + 1);
  scatter(mesh->gamma, mesh->n_modes, stream + 2);
  scatter(mesh->coupler_error, 2 * nodes, stream + 3);
  scatter(mesh->loss_db, 2 * nodes, stream + 4);
}

static bool same_mesh(const cuonn_mesh *a, const cuonn_mesh *b) {
  const size_t nodes = cuonn_mesh_nodes(a->n_modes), one = sizeof(double);
  return a->n_modes == b->n_modes && a->style == b->style && memcmp(a->theta, b->theta, nodes * one) == 0 &&
         memcmp(a->phi, b->phi, nodes * one) == 0 && memcmp(a->gamma, b->gamma, a->n_modes * one) == 0 &&
         memcmp(a->coupler_error, b->coupler_error, 2 * nodes * one) == 0 &&
         memcmp(a->loss_db, b->loss_db, 2 * nodes * one) == 0;
}

static cuonn_mesh some_mesh(void) {
  cuonn_mesh mesh;
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_DIFFERENTIAL));
  fill_mesh(&mesh, 10);
  return mesh;
}

static cuonn_training_state some_state(void) {
  cuonn_training_state state;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 4, CUONN_STYLE_BOTTOM, false, NULL);
  OK(cuonn_training_state_create(&state, &shape));
  for (uint32_t l = 0; l < kLayers; l++) fill_mesh(&state.network.layers[l], 20 + 10 * l);
  scatter(state.moments, cuonn_training_moments_count(&shape), 60);
  state.step = UINT64_MAX - 1;
  state.epoch_loss_sum = 0.1 + 0.2;
  state.epoch_seconds = 1.0 / 3;
  state.best_accuracy = 0.8518;
  return state;
}

static bool same_state(const cuonn_training_state *a, const cuonn_training_state *b) {
  const cuonn_network_shape *const s = &a->network.shape, *const t = &b->network.shape;
  bool same = s->n_modes == t->n_modes && s->n_layers == t->n_layers && s->n_classes == t->n_classes &&
              s->style == t->style && s->loss_per_class == t->loss_per_class;
  for (size_t l = 0; same && l < s->n_layers; l++) same = same_mesh(&a->network.layers[l], &b->network.layers[l]);
  return same && memcmp(a->moments, b->moments, cuonn_training_moments_count(s) * sizeof(double)) == 0 &&
         a->step == b->step && memcmp(&a->epoch_loss_sum, &b->epoch_loss_sum, sizeof(double)) == 0 &&
         memcmp(&a->epoch_seconds, &b->epoch_seconds, sizeof(double)) == 0 &&
         memcmp(&a->best_accuracy, &b->best_accuracy, sizeof(double)) == 0;
}

static const char kConfig[] = "training:\n  epochs: 5\n";
static const char kData[] = "training images: 2 of 3 x 3, 0123\n";
static const cuonn_origin kOrigin = {(char *)(uintptr_t)kConfig, UINT64_MAX, (char *)(uintptr_t)kData};

/* ---- round trips ---- */

static void test_mesh__round_trip(void **s) {
  (void)s;
  cuonn_mesh mesh = some_mesh(), back;
  OK(cuonn_mesh_write("mesh.nc", &mesh));
  OK(cuonn_mesh_read(&back, "mesh.nc"));
  assert_true(same_mesh(&mesh, &back));
  cuonn_mesh_free(&back);
  cuonn_mesh_free(&mesh);
}

static void test_unitary__round_trip(void **s) {
  (void)s;
  double matrix[2 * kModes * kModes], *back;
  size_t n;
  scatter(matrix, 2 * kModes * kModes, 1);
  OK(cuonn_unitary_write("unitary.nc", matrix, kModes));
  OK(cuonn_unitary_read(&back, &n, "unitary.nc"));
  assert_int_equal(n, kModes);
  assert_memory_equal(matrix, back, sizeof matrix);
  free(back);
}

static void test_fields__round_trip(void **s) {
  (void)s;
  cuonn_fields input, cotangent, back;
  const uint8_t labels[kExamples] = {0, 9, 255};
  uint8_t *labels_back;
  size_t n;
  OK(cuonn_fields_create(&input, kExamples, kModes));
  OK(cuonn_fields_create(&cotangent, kExamples, kModes));
  scatter(input.values, 2 * kExamples * kModes, 1);
  scatter(cotangent.values, 2 * kExamples * kModes, 2);
  const cuonn_fields *const fields[] = {&input, &cotangent};
  OK(cuonn_fields_write("fields.nc", fields, (const char *const[]){"input", "cotangent"}, 2, labels));
  OK(cuonn_fields_read(&back, "fields.nc", "cotangent"));
  assert_int_equal(back.n_examples, kExamples);
  assert_int_equal(back.n_modes, kModes);
  assert_memory_equal(back.values, cotangent.values, 2 * kExamples * kModes * sizeof(double));
  OK(cuonn_labels_read(&labels_back, &n, "fields.nc"));
  assert_int_equal(n, kExamples);
  assert_memory_equal(labels, labels_back, kExamples);
  free(labels_back);
  cuonn_fields_free(&back);

  REFUSED(cuonn_fields_read(&back, "fields.nc", "absent"), CUONN_E_DATA, "fields.nc: has no variable absent");
  OK(cuonn_fields_write("plain.nc", fields, (const char *const[]){"input"}, 1, NULL));
  REFUSED(cuonn_labels_read(&labels_back, &n, "plain.nc"), CUONN_E_DATA, "plain.nc: has no variable label");
  cotangent.n_examples = 2; /* of the three that it holds */
  REFUSED(cuonn_fields_write("other.nc", fields, (const char *const[]){"input", "cotangent"}, 2, NULL), CUONN_E_SHAPE,
          "cotangent has 2 of example");
  assert_int_equal(access("other.nc", F_OK), -1);
  cuonn_fields_free(&input);
  cuonn_fields_free(&cotangent);
}

static void test_checkpoint__round_trip(void **s) {
  (void)s;
  cuonn_training_state state = some_state(), back;
  cuonn_network network;
  cuonn_origin origin;
  size_t epoch;
  OK(cuonn_checkpoint_write("last.nc", &state, 3, &kOrigin));
  OK(cuonn_checkpoint_read(&back, &epoch, &origin, "last.nc"));
  assert_true(same_state(&state, &back));
  assert_int_equal(epoch, 3);
  assert_true(origin.seed == UINT64_MAX);
  assert_string_equal(origin.config_text, kConfig);
  assert_string_equal(origin.data, kData);
  cuonn_origin_free(&origin);
  OK(cuonn_network_read(&network, "last.nc"));
  assert_int_equal(network.shape.n_classes, 4);
  assert_false(network.shape.loss_per_class);
  for (size_t l = 0; l < kLayers; l++) assert_true(same_mesh(&network.layers[l], &state.network.layers[l]));
  cuonn_network_free(&network);
  cuonn_training_state_free(&back);

  state.network.layers[1].coupler_error[3] = NAN;
  REFUSED(cuonn_checkpoint_write("last.nc", &state, 3, &kOrigin), CUONN_E_NONFINITE,
          "last.nc: coupler_error[1, 1, 1] would be nan");

  cuonn_mesh mesh;
  REFUSED(cuonn_mesh_read(&mesh, "last.nc"), CUONN_E_DATA, "last.nc: holds a network of 2 layers");
  OK(cuonn_mesh_create(&mesh, kModes, CUONN_STYLE_TOP));
  OK(cuonn_mesh_write("mesh.nc", &mesh));
  REFUSED(cuonn_checkpoint_read(&back, &epoch, &origin, "mesh.nc"), CUONN_E_DATA, "is no checkpoint");
  cuonn_mesh_free(&mesh);
  cuonn_training_state_free(&state);
}

static void test_nonlinearity__round_trip(void **s) {
  (void)s;
  const cuonn_nonlinearity laws[] = {CUONN_NONLINEARITY_INIT,
                                     {CUONN_NONLINEARITY_SQUARE, 5, 1, .1, .05, 1},
                                     {CUONN_NONLINEARITY_SATURABLE, 2.5, .1, .1, .05, 1},
                                     {CUONN_NONLINEARITY_ELECTRO_OPTIC, 5, 1, .3, -.7, .2}};
  for (size_t i = 0; i < 4; i++) {
    cuonn_network network, back;
    cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
    shape.nonlinearity = laws[i];
    shape.loss = (cuonn_loss)(i % 2);
    OK(cuonn_network_create(&network, &shape));
    OK(cuonn_network_write("nonlinear.nc", &network));
    OK(cuonn_network_read(&back, "nonlinear.nc"));
    assert_true(cuonn_nonlinearity_equal(&back.shape.nonlinearity, &laws[i]));
    assert_int_equal(back.shape.loss, i % 2);
    cuonn_network_free(&back);
    cuonn_network_free(&network);
  }
}

static void test_network__round_trip(void **s) {
  (void)s;
  cuonn_training_state state = some_state();
  cuonn_network back;
  OK(cuonn_network_write("network.nc", &state.network));
  OK(cuonn_network_read(&back, "network.nc"));
  assert_true(back.shape.n_layers == kLayers && back.shape.n_classes == 4 && !back.shape.loss_per_class);
  for (size_t l = 0; l < kLayers; l++) assert_true(same_mesh(&back.layers[l], &state.network.layers[l]));
  cuonn_network_free(&back);
  state.network.layers[1].phi[2] = INFINITY;
  REFUSED(cuonn_network_write("network.nc", &state.network), CUONN_E_NONFINITE, "network.nc: phi[1, 2] would be inf");
  OK(cuonn_network_read(&back, "network.nc")); /* the old one */
  cuonn_network_free(&back);
  cuonn_training_state_free(&state);
}

/* Attribute `period` of a variable; 0 where there is none. Never valid_min or valid_max, which readers mask by. */
static double period_in(const char *path, const char *name) {
  int file, id;
  double period = 0;
  assert_int_equal(nc_open(path, NC_NOWRITE, &file), NC_NOERR);
  assert_int_equal(nc_inq_varid(file, name, &id), NC_NOERR);
  if (nc_inq_attid(file, id, "period", NULL) == NC_NOERR) {
    assert_int_equal(nc_get_att_double(file, id, "period", &period), NC_NOERR);
  }
  assert_int_equal(nc_inq_attid(file, id, "valid_min", NULL), NC_ENOTATT);
  assert_int_equal(nc_inq_attid(file, id, "valid_max", NULL), NC_ENOTATT);
  assert_int_equal(nc_close(file), NC_NOERR);
  return period;
}

static void test_phases__have_their_periods(void **s) {
  (void)s;
  const double turn = 2 * M_PI, periods[4][2] = {{turn, turn}, {turn, turn}, {2 * turn, turn}, {2 * turn, 2 * turn}};
  const char *const paths[] = {"mesh.nc", "network.nc", "last.nc"};
  for (int style = 0; style < 4; style++) {
    cuonn_training_state state;
    const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 4, (cuonn_phase_style)style, false, NULL);
    OK(cuonn_training_state_create(&state, &shape));
    OK(cuonn_mesh_write("mesh.nc", &state.network.layers[0]));
    OK(cuonn_network_write("network.nc", &state.network));
    OK(cuonn_checkpoint_write("last.nc", &state, 3, &kOrigin));
    for (size_t i = 0; i < 3; i++) {
      assert_true(period_in(paths[i], "theta") == periods[style][0]);
      assert_true(period_in(paths[i], "phi") == periods[style][1]);
      assert_true(period_in(paths[i], "gamma") == turn);
      assert_true(period_in(paths[i], "coupler_error") == 0);
    }
    assert_true(period_in("last.nc", "first_moment_theta") == 0);
    assert_true(period_in("last.nc", "second_moment_gamma") == 0);
    cuonn_training_state_free(&state);
  }
}

/* Values of a file that only libnetcdf reads back. */
static void check_values(const char *path, const char *name, const double *want, size_t n,
                         const char *const *dimensions) {
  int file, id, rank, ids[NC_MAX_VAR_DIMS];
  char dimension[NC_MAX_NAME + 1];
  double got[1024];
  size_t count = 1, length;
  assert_int_equal(nc_open(path, NC_NOWRITE, &file), NC_NOERR);
  assert_int_equal(nc_inq_varid(file, name, &id), NC_NOERR);
  assert_int_equal(nc_inq_var(file, id, NULL, NULL, &rank, ids, NULL), NC_NOERR);
  for (int d = 0; d < rank; d++) {
    assert_int_equal(nc_inq_dim(file, ids[d], dimension, &length), NC_NOERR);
    assert_string_equal(dimension, dimensions[d]);
    count *= length;
  }
  assert_true(rank == 0 || dimensions[rank] == NULL);
  assert_int_equal(count, n);
  assert_int_equal(nc_get_var_double(file, id, got), NC_NOERR);
  assert_memory_equal(got, want, n * sizeof *want);
  assert_int_equal(nc_close(file), NC_NOERR);
}

static void test_propagation__variables(void **s) {
  (void)s;
  enum { kTap = kModes * kExamples * kModes * 2 };
  double before_phi[kTap], after_coupler[kTap];
  cuonn_fields output;
  OK(cuonn_fields_create(&output, kExamples, kModes));
  scatter(output.values, 2 * kExamples * kModes, 1);
  scatter(before_phi, kTap, 2);
  scatter(after_coupler, kTap, 3);
  const cuonn_taps taps = {.before_phi = before_phi, .after_coupler = after_coupler};
  const char *const fields[] = {"example", "waveguide", "complex", NULL};
  const char *const tap[] = {"column", "example", "waveguide", "complex", NULL};
  OK(cuonn_propagation_write("out.nc", &output, &taps, kModes));
  check_values("out.nc", "output", output.values, 2 * kExamples * kModes, fields);
  check_values("out.nc", "before_phi", before_phi, kTap, tap);
  check_values("out.nc", "after_coupler", after_coupler, kTap, tap);
  OK(cuonn_propagation_write("out.nc", &output, NULL, kModes));
  check_values("out.nc", "output", output.values, 2 * kExamples * kModes, fields);
  output.values[3] = INFINITY;
  REFUSED(cuonn_propagation_write("out.nc", &output, NULL, kModes), CUONN_E_NONFINITE,
          "out.nc: output[0, 1, 1] would be inf");
  cuonn_fields_free(&output);
}

static void test_gradients__variables(void **s) {
  (void)s;
  double values[kLayers][3][kNodes], all[kLayers * kNodes], loss = 0.1;
  cuonn_mesh_gradient gradients[kLayers];
  cuonn_fields backward;
  scatter(&values[0][0][0], kLayers * 3 * kNodes, 1);
  for (size_t l = 0; l < kLayers; l++) {
    gradients[l] = (cuonn_mesh_gradient){values[l][0], values[l][1], values[l][2], NULL};
    memcpy(all + l * kNodes, values[l][1], kNodes * sizeof(double));
  }
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 4, CUONN_STYLE_TOP, true, NULL);
  OK(cuonn_gradient_write("gradient.nc", &shape, loss, gradients, NULL));
  check_values("gradient.nc", "loss", &loss, 1, NULL);
  check_values("gradient.nc", "d_phi", all, kLayers * kNodes, (const char *const[]){"layer", "node", NULL});

  cuonn_mesh_gradient *read, *exact;
  size_t n_layers, n_nodes, n_modes;
  OK(cuonn_gradient_read(&read, &exact, &n_layers, &n_nodes, &n_modes, "gradient.nc"));
  assert_null(exact);
  assert_int_equal(n_layers, kLayers);
  assert_int_equal(n_nodes, kNodes);
  assert_int_equal(n_modes, kModes);
  free(read);
  /* The exact ones in the other order of the layers, so that nothing is taken for something else. */
  const cuonn_mesh_gradient other[kLayers] = {gradients[1], gradients[0]};
  OK(cuonn_gradient_write("both.nc", &shape, loss, gradients, other));
  OK(cuonn_gradient_read(&read, &exact, &n_layers, &n_nodes, &n_modes, "both.nc"));
  for (size_t l = 0; l < kLayers; l++) {
    assert_memory_equal(read[l].d_theta, values[l][0], kNodes * sizeof(double));
    assert_memory_equal(read[l].d_phi, values[l][1], kNodes * sizeof(double));
    assert_memory_equal(read[l].d_gamma, values[l][2], kModes * sizeof(double));
    assert_memory_equal(exact[l].d_theta, values[1 - l][0], kNodes * sizeof(double));
    assert_memory_equal(exact[l].d_gamma, values[1 - l][2], kModes * sizeof(double));
  }
  free(exact);
  free(read);

  OK(cuonn_fields_create(&backward, kExamples, kModes));
  scatter(backward.values, 2 * kExamples * kModes, 2);
  OK(cuonn_vjp_write("vjp.nc", gradients, kNodes, &backward));
  check_values("vjp.nc", "d_theta", values[0][0], kNodes, (const char *const[]){"node", NULL});
  check_values("vjp.nc", "d_gamma", values[0][2], kModes, (const char *const[]){"waveguide", NULL});
  check_values("vjp.nc", "backward", backward.values, 2 * kExamples * kModes,
               (const char *const[]){"example", "waveguide", "complex", NULL});
  REFUSED(cuonn_gradient_read(&read, &exact, &n_layers, &n_nodes, &n_modes, "vjp.nc"), CUONN_E_DATA,
          "vjp.nc: d_gamma has 1 dimensions; it must be (layer, waveguide)");
  assert_null(read);
  cuonn_fields_free(&backward);
}

/* ---- damage to our own files ---- */

enum { kFlips = 200, kCuts = 100, kTrailerBytes = 32 };

/* Reads it as a checkpoint; a read that succeeds must give the numbers of `want`. */
static cuonn_status read_damaged(const cuonn_training_state *want) {
  cuonn_training_state back;
  cuonn_origin origin;
  size_t epoch;
  const cuonn_status status = cuonn_checkpoint_read(&back, &epoch, &origin, "damaged.nc");
  if (status == CUONN_OK) {
    assert_true(same_state(want, &back));
    assert_string_equal(origin.config_text, kConfig);
    cuonn_training_state_free(&back);
    cuonn_origin_free(&origin);
  }
  return status;
}

static void test_damage__every_flip_and_cut_of_ours_is_seen(void **s) {
  (void)s;
  cuonn_training_state state = some_state();
  size_t size;
  OK(cuonn_checkpoint_write("whole.nc", &state, 1, &kOrigin));
  unsigned char *const bytes = file_bytes(&size, "whole.nc");
  assert_non_null(bytes);
  for (size_t i = 0; i < kFlips + kTrailerBytes; i++) { /* over the whole file, and each byte of the trailer */
    const size_t at = i < kFlips ? i * (size - 1) / (kFlips - 1) : size - kTrailerBytes + i - kFlips;
    const unsigned char flip = (unsigned char)(1u << i % 8);
    bytes[at] ^= flip;
    assert_int_equal(file_put("damaged.nc", bytes, size), 0);
    bytes[at] ^= flip;
    const cuonn_status status = read_damaged(&state);
    if (status != CUONN_E_DATA) fail_msg("byte %zu of %zu flipped: status %d", at, size, (int)status);
    assert_non_null(strstr(cuonn_last_error(), "damaged.nc"));
  }
  for (size_t i = 0; i < kCuts + kTrailerBytes; i++) {
    const size_t length = i < kCuts ? i * (size - 1) / (kCuts - 1) : size - kTrailerBytes + i - kCuts;
    assert_int_equal(file_put("damaged.nc", bytes, length), 0);
    const cuonn_status status = read_damaged(&state);
    /* without its trailer the file is whole, as a rewrite by another program is */
    if (length == size - kTrailerBytes ? status != CUONN_OK : status != CUONN_E_DATA) {
      fail_msg("cut to %zu of %zu: status %d, %s", length, size, (int)status, cuonn_last_error());
    }
  }
  free(bytes);
  cuonn_training_state_free(&state);
}

/* ---- foreign files ---- */

/* Begins a variable's dimensions, each under a name of its own. */
static int foreign_variable(int file, const char *name, nc_type type, int rank, const size_t *lengths) {
  int dimensions[NC_MAX_VAR_DIMS], id;
  char dimension[NC_MAX_NAME];
  for (int d = 0; d < rank; d++) {
    snprintf(dimension, sizeof dimension, "%s_dim_%d", name, d);
    NC(nc_def_dim(file, dimension, lengths[d], &dimensions[d]));
  }
  NC(nc_def_var(file, name, type, rank, dimensions, &id));
  return id;
}

static int foreign_create(const char *path, int format) {
  int file;
  NC(nc_create(path, NC_CLOBBER | format, &file));
  return file;
}

/* A file of one variable of doubles. */
static void foreign_one(const char *path, int format, const char *name, nc_type type, const double *values, int rank,
                        const size_t *lengths) {
  const int file = foreign_create(path, format);
  const int id = foreign_variable(file, name, type, rank, lengths);
  NC(nc_enddef(file));
  if (values) NC(nc_put_var_double(file, id, values));
  NC(nc_close(file));
}

/* Only phases, in float, dimensions named otherwise. */
static void foreign_phases(const char *path, int format, size_t layers, size_t nodes, bool style) {
  double values[kLayers * kNodes];
  const size_t lengths[2] = {layers, nodes};
  const int rank = layers ? 2 : 1;
  for (size_t i = 0; i < kLayers * kNodes; i++) values[i] = 0.25 * (double)i; /* exact in float */
  const int file = foreign_create(path, format);
  const int theta = foreign_variable(file, "theta", NC_FLOAT, rank, lengths + 2 - rank);
  const int phi = foreign_variable(file, "phi", NC_DOUBLE, rank, lengths + 2 - rank);
  if (style) NC(nc_put_att_text(file, NC_GLOBAL, "phase_style", 6, "bottom"));
  if (style && format == NC_NETCDF4) {
    const char *text = "rectangular";
    const long long classes = 3;
    NC(nc_put_att_string(file, NC_GLOBAL, "architecture", 1, &text));
    NC(nc_put_att_longlong(file, NC_GLOBAL, "classes", NC_INT64, 1, &classes));
  }
  NC(nc_enddef(file));
  NC(nc_put_var_double(file, theta, values));
  NC(nc_put_var_double(file, phi, values));
  NC(nc_close(file));
}

static const int kFormats[] = {0, NC_64BIT_OFFSET, NC_CDF5, NC_NETCDF4, NC_NETCDF4 | NC_CLASSIC_MODEL};
enum { kFormatCount = sizeof kFormats / sizeof *kFormats };

static void test_foreign__phases_alone_make_a_network(void **s) {
  (void)s;
  for (size_t f = 0; f < kFormatCount; f++) {
    cuonn_network network;
    cuonn_mesh mesh;
    foreign_phases("foreign.nc", kFormats[f], kLayers, kNodes, true);
    OK(cuonn_network_read(&network, "foreign.nc"));
    assert_int_equal(network.shape.n_modes, kModes);
    assert_int_equal(network.shape.n_layers, kLayers);
    assert_int_equal(network.shape.n_classes, kFormats[f] == NC_NETCDF4 ? 3 : 5);
    assert_int_equal(network.shape.style, CUONN_STYLE_BOTTOM);
    assert_true(network.shape.loss_per_class);
    assert_true(network.layers[1].theta[3] == 0.25 * (kNodes + 3) && network.layers[1].phi[3] == 0.25 * (kNodes + 3));
    assert_true(network.layers[1].gamma[1] == 0 && network.layers[1].loss_db[1] == 0);
    cuonn_network_free(&network);

    foreign_phases("foreign.nc", kFormats[f], 1, kNodes, false);
    OK(cuonn_mesh_read(&mesh, "foreign.nc"));
    assert_int_equal(mesh.style, CUONN_STYLE_TOP);
    assert_true(mesh.theta[kNodes - 1] == 0.25 * (kNodes - 1));
    cuonn_mesh_free(&mesh);
    foreign_phases("foreign.nc", kFormats[f], 0, kNodes, false);
    OK(cuonn_mesh_read(&mesh, "foreign.nc"));
    assert_true(mesh.phi[kNodes - 1] == 0.25 * (kNodes - 1));
    cuonn_mesh_free(&mesh);
    OK(cuonn_network_read(&network, "foreign.nc"));
    assert_int_equal(network.shape.n_layers, 1);
    cuonn_network_free(&network);
  }
}

static void test_foreign__records_are_read(void **s) {
  (void)s;
  for (size_t f = 0; f < kFormatCount; f++) {
    int file, example, label, other;
    const size_t start = 0, count = 3;
    const short labels[3] = {7, 8, 9};
    const int more[3] = {1, 2, 3};
    uint8_t *back;
    size_t n, size;
    file = foreign_create("records.nc", kFormats[f]);
    NC(nc_def_dim(file, "record", NC_UNLIMITED, &example));
    NC(nc_def_var(file, "label", NC_SHORT, 1, &example, &label));
    if (f % 2) NC(nc_def_var(file, "other", NC_INT, 1, &example, &other));
    NC(nc_enddef(file));
    NC(nc_put_vara_short(file, label, &start, &count, labels));
    if (f % 2) NC(nc_put_vara_int(file, other, &start, &count, more));
    NC(nc_close(file));
    OK(cuonn_labels_read(&back, &n, "records.nc"));
    assert_int_equal(n, 3);
    assert_true(back[0] == 7 && back[1] == 8 && back[2] == 9);
    free(back);
    if (kFormats[f] & NC_NETCDF4) continue;
    unsigned char *const bytes = file_bytes(&size, "records.nc");
    assert_int_equal(file_put("records.nc", bytes, size - 4), 0);
    REFUSED(cuonn_labels_read(&back, &n, "records.nc"), CUONN_E_DATA, "damaged or cut");
    free(bytes);
  }
}

/* Real amplitudes of any numeric type, and labels beside them. */
static void test_examples__real_or_complex(void **s) {
  (void)s;
  static const double real[6] = {0, 1, 2, -3, 4, 5}, labels[2] = {7, 255};
  static const nc_type types[] = {NC_DOUBLE, NC_FLOAT, NC_SHORT, NC_BYTE};
  for (size_t f = 0; f < kFormatCount; f++) {
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
      cuonn_examples got;
      const int file = foreign_create("real.nc", kFormats[f]);
      const int input = foreign_variable(file, "input", types[t], 2, (const size_t[]){2, 3});
      const int label = foreign_variable(file, "label", NC_INT, 1, (const size_t[]){2});
      NC(nc_enddef(file));
      NC(nc_put_var_double(file, input, real));
      NC(nc_put_var_double(file, label, labels));
      NC(nc_close(file));
      OK(cuonn_examples_read(&got, "real.nc"));
      assert_int_equal(got.n_examples, 2);
      assert_int_equal(got.fields.n_examples, 2);
      assert_int_equal(got.fields.n_modes, 3);
      assert_string_equal(got.source, "real.nc");
      CLOSE(got.fields.values, ((double[]){0, 0, 1, 0, 2, 0, -3, 0, 4, 0, 5, 0}), 12, .abs = 0);
      assert_true(got.labels[0] == 7 && got.labels[1] == 255);
      cuonn_examples_free(&got);
    }
  }
  const int file = foreign_create("uneven.nc", 0);
  const int input = foreign_variable(file, "input", NC_DOUBLE, 3, (const size_t[]){3, 1, 2});
  const int label = foreign_variable(file, "label", NC_BYTE, 1, (const size_t[]){2});
  NC(nc_enddef(file));
  NC(nc_put_var_double(file, input, real));
  NC(nc_put_var_double(file, label, (const double[]){0, 1}));
  NC(nc_close(file));
  cuonn_examples got;
  REFUSED(cuonn_examples_read(&got, "uneven.nc"), CUONN_E_DATA, "uneven.nc: input has 3 examples, but label has 2");
  assert_null(got.labels);
  assert_null(got.fields.values);
}

static void test_start__phases_or_unitaries(void **s) {
  (void)s;
  const cuonn_network_shape shape = CUONN_NETWORK_SHAPE_OF(kModes, kLayers, 4, CUONN_STYLE_DIFFERENTIAL, true, NULL);
  double unitaries[kLayers][2 * kModes * kModes], matrix[2 * kModes * kModes];
  const size_t lengths[4] = {kLayers, kModes, kModes, 2};
  cuonn_network network;
  cuonn_mesh decomposed;
  OK(cuonn_network_create(&network, &shape));
  foreign_phases("start.nc", NC_NETCDF4, kLayers, kNodes, false);
  OK(cuonn_network_read_start(&network, "start.nc"));
  assert_true(network.layers[1].theta[2] == 0.25 * (kNodes + 2));
  assert_int_equal(network.layers[1].style, CUONN_STYLE_DIFFERENTIAL);

  foreign_phases("start.nc", 0, kLayers, kNodes, true);
  REFUSED(cuonn_network_read_start(&network, "start.nc"), CUONN_E_DATA, "of the style bottom");
  foreign_phases("start.nc", 0, 1, kNodes, false);
  REFUSED(cuonn_network_read_start(&network, "start.nc"), CUONN_E_SHAPE, "holds 1 layers, the network has 2");
  foreign_phases("start.nc", 0, kLayers, 6, false);
  REFUSED(cuonn_network_read_start(&network, "start.nc"), CUONN_E_SHAPE, "is for 4 waveguides, the network has 5");
  foreign_one("start.nc", 0, "gamma", NC_DOUBLE, matrix, 1, lengths);
  REFUSED(cuonn_network_read_start(&network, "start.nc"), CUONN_E_DATA, "neither theta nor unitary");

  for (uint32_t l = 0; l < kLayers; l++) OK(cuonn_haar_unitary(unitaries[l], kModes, 1, l));
  foreign_one("start.nc", NC_NETCDF4, "unitary", NC_DOUBLE, unitaries[0], 4, lengths);
  OK(cuonn_network_read_start(&network, "start.nc"));
  OK(cuonn_mesh_create(&decomposed, kModes, CUONN_STYLE_DIFFERENTIAL));
  for (uint32_t l = 0; l < kLayers; l++) {
    OK(cuonn_mesh_decompose(&decomposed, unitaries[l]));
    assert_true(same_mesh(&decomposed, &network.layers[l]));
  }
  unitaries[1][3] += 0.5;
  foreign_one("start.nc", NC_NETCDF4, "unitary", NC_DOUBLE, unitaries[0], 4, lengths);
  REFUSED(cuonn_network_read_start(&network, "start.nc"), CUONN_E_DATA, "start.nc: layer 1: ");
  for (uint32_t l = 0; l < kLayers; l++) assert_true(l == 0 || same_mesh(&decomposed, &network.layers[l]));
  cuonn_mesh_free(&decomposed);
  cuonn_network_free(&network);
}

/* ---- content that is refused ---- */

static void test_refuses__content(void **s) {
  (void)s;
  static double zeros[4096];
  cuonn_mesh mesh;
  cuonn_network network;
  cuonn_fields fields;
  double *matrix;
  uint8_t *labels;
  size_t n;
  for (size_t f = 0; f < kFormatCount; f++) {
    const int format = kFormats[f];
    foreign_phases("bad.nc", format, 0, 7, false);
    REFUSED(cuonn_mesh_read(&mesh, "bad.nc"), CUONN_E_DATA,
            "bad.nc: theta has 7 nodes, which no rectangular mesh has: 4 waveguides have 6, 5 have 10");
    foreign_one("bad.nc", format, "theta", NC_DOUBLE, zeros, 1, (const size_t[]){6});
    REFUSED(cuonn_mesh_read(&mesh, "bad.nc"), CUONN_E_DATA, "bad.nc: has no variable phi");
    foreign_one("bad.nc", format, "theta", NC_DOUBLE, zeros, 3, (const size_t[]){2, 6, 2});
    REFUSED(cuonn_mesh_read(&mesh, "bad.nc"), CUONN_E_DATA,
            "theta has 3 dimensions; it must be (node) or (layer, node)");
    foreign_one("bad.nc", format, "theta", NC_CHAR, NULL, 1, (const size_t[]){6});
    REFUSED(cuonn_mesh_read(&mesh, "bad.nc"), CUONN_E_DATA, "theta must hold real numbers, it holds text");
    foreign_one("bad.nc", format, "theta", NC_DOUBLE, zeros, 2, (const size_t[]){1025, 1});
    REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "1025 layers");

    foreign_one("bad.nc", format, "unitary", NC_DOUBLE, zeros, 3, (const size_t[]){3, 4, 2});
    REFUSED(cuonn_unitary_read(&matrix, &n, "bad.nc"), CUONN_E_DATA, "not square: it has 3 rows and 4 columns");
    foreign_one("bad.nc", format, "unitary", NC_DOUBLE, zeros, 3, (const size_t[]){4, 4, 3});
    REFUSED(cuonn_unitary_read(&matrix, &n, "bad.nc"), CUONN_E_DATA, "length 3");
    foreign_one("bad.nc", format, "unitary", NC_DOUBLE, zeros, 4, (const size_t[]){2, 4, 4, 2});
    REFUSED(cuonn_unitary_read(&matrix, &n, "bad.nc"), CUONN_E_DATA, "of 2 layers");

    double some[12] = {[7] = NAN};
    foreign_one("bad.nc", format, "input", NC_DOUBLE, some, 3, (const size_t[]){2, 3, 2});
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_NONFINITE, "bad.nc: input[1, 0, 1] is nan");
    foreign_one("bad.nc", format, "input", NC_DOUBLE, some, 3, (const size_t[]){3, 2, 2});
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_NONFINITE, "input[1, 1, 1] is nan");
    some[7] = -INFINITY;
    foreign_one("bad.nc", format, "input", NC_DOUBLE, some, 3, (const size_t[]){2, 3, 2});
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_NONFINITE, "input[1, 0, 1] is -inf");
    foreign_one("bad.nc", format, "input", NC_FLOAT, NULL, 3, (const size_t[]){2, 3, 2}); /* never written */
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_NONFINITE, "input[0, 0, 0] is missing");
    foreign_one("bad.nc", format, "input", NC_FLOAT, zeros, 1, (const size_t[]){12});
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_DATA, "input has 1 dimension");
    foreign_one("bad.nc", format, "input", NC_FLOAT, zeros, 3, (const size_t[]){2, 2, 3});
    REFUSED(cuonn_fields_read(&fields, "bad.nc", "input"), CUONN_E_DATA, "its last dimension has the length 3");

    foreign_one("bad.nc", format, "theta", NC_DOUBLE, some, 2, (const size_t[]){2, 6});
    REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "theta[1, 1] is -inf");

    foreign_one("bad.nc", format, "label", NC_INT, (const double[]){1, 256}, 1, (const size_t[]){2});
    REFUSED(cuonn_labels_read(&labels, &n, "bad.nc"), CUONN_E_DATA, "label[1] is 256");
    foreign_one("bad.nc", format, "label", NC_DOUBLE, (const double[]){1.5, 2}, 1, (const size_t[]){2});
    REFUSED(cuonn_labels_read(&labels, &n, "bad.nc"), CUONN_E_DATA, "label[0] is 1.5");
  }
}

/* A mesh's file with one more attribute. */
static void with_attribute(const char *variable, const char *name, const char *text, double number) {
  int file, id = NC_GLOBAL;
  foreign_phases("bad.nc", 0, 1, kNodes, false);
  NC(nc_open("bad.nc", NC_WRITE, &file));
  NC(nc_redef(file));
  if (variable) NC(nc_inq_varid(file, variable, &id));
  if (text) {
    NC(nc_put_att_text(file, id, name, strlen(text), text));
  } else {
    NC(nc_put_att_double(file, id, name, strcmp(name, "_FillValue") == 0 ? NC_FLOAT : NC_DOUBLE, 1, &number));
  }
  NC(nc_close(file));
}

static void test_refuses__attributes(void **s) {
  (void)s;
  cuonn_network network;
  with_attribute(NULL, "phase_style", "middle", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "bad.nc: phase_style is \"middle\"");
  with_attribute(NULL, "phase_style", NULL, 1);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "phase_style must be one text");
  with_attribute(NULL, "architecture", "hexagonal", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "architecture is \"hexagonal\"; it is one of");
  with_attribute(NULL, "architecture", "triangular", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA,
          "has no gamma, whose length is the number of waveguides of a triangular mesh");
  with_attribute(NULL, "classes", NULL, 6);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "classes is 6; with 5 waveguides");
  with_attribute(NULL, "classes", NULL, 2.5);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "classes is 2.5");
  with_attribute(NULL, "classes", NULL, NAN);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "classes is nan");
  with_attribute(NULL, "classes", "ten", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "classes must be one number");
  with_attribute(NULL, "nonlinearity", "relu", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "bad.nc: nonlinearity \"relu\" is unknown");
  with_attribute(NULL, "optical_depth", "deep", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "optical_depth must be one number");
  with_attribute(NULL, "loss", "hinge", 0);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "bad.nc: loss \"hinge\" is unknown");
  with_attribute(NULL, "loss_per_class", NULL, 2);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "loss_per_class is 2");
  with_attribute("theta", "scale_factor", NULL, 2);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_DATA, "theta is packed");
  with_attribute("theta", "_FillValue", NULL, 0.75);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "theta[0, 3] is missing");
  with_attribute("theta", "missing_value", NULL, 0.75);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "theta[0, 3] is missing");
  with_attribute("theta", "valid_max", NULL, 0.5);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE,
          "bad.nc: theta[0, 3] is 0.75, outside the valid range -inf to 0.5 that the variable names");
  with_attribute("theta", "valid_min", NULL, 0.25);
  REFUSED(cuonn_network_read(&network, "bad.nc"), CUONN_E_NONFINITE, "theta[0, 0] is 0, outside the valid range");
}

static void test_refuses__gamma_that_does_not_fit(void **s) {
  (void)s;
  static const double zeros[kNodes];
  const size_t nodes = kNodes, modes = 4;
  cuonn_mesh mesh;
  const int file = foreign_create("bad.nc", 0);
  const int theta = foreign_variable(file, "theta", NC_DOUBLE, 1, &nodes);
  const int gamma = foreign_variable(file, "gamma", NC_DOUBLE, 1, &modes);
  NC(nc_enddef(file));
  NC(nc_put_var_double(file, theta, zeros));
  NC(nc_put_var_double(file, gamma, zeros));
  NC(nc_close(file));
  REFUSED(cuonn_mesh_read(&mesh, "bad.nc"), CUONN_E_DATA,
          "bad.nc: theta has 10 nodes; a rectangular mesh of the 4 waveguides of gamma has 6");
}

static void test_refuses__names_and_other_files(void **s) {
  (void)s;
  cuonn_mesh mesh = {0}, ours = some_mesh();
  size_t n;
  REFUSED(cuonn_mesh_read(&mesh, "http://example.org/mesh.nc"), CUONN_E_IO, "\"://\"");
  REFUSED(cuonn_mesh_write("file://mesh.nc", &ours), CUONN_E_IO, "\"://\"");
  REFUSED(cuonn_mesh_read(&mesh, ""), CUONN_E_IO, "empty");
  REFUSED(cuonn_mesh_read(&mesh, "absent.nc"), CUONN_E_IO, "absent.nc: cannot be opened: No such file");
  REFUSED(cuonn_mesh_read(&mesh, "."), CUONN_E_IO, "is a folder");
  assert_int_equal(file_put("empty.nc", "", 0), 0);
  REFUSED(cuonn_mesh_read(&mesh, "empty.nc"), CUONN_E_DATA, "empty.nc: is empty");
  assert_int_equal(file_put("text.nc", "theta = 1\n", 10), 0);
  REFUSED(cuonn_mesh_read(&mesh, "text.nc"), CUONN_E_DATA, "text.nc: is not a netCDF file");
  assert_int_equal(mkfifo("pipe.nc", 0600), 0); /* must not block */
  REFUSED(cuonn_mesh_read(&mesh, "pipe.nc"), CUONN_E_IO, "not a regular file");
  REFUSED(cuonn_mesh_write("pipe.nc", &ours), CUONN_E_IO, "will not be replaced");
  REFUSED(cuonn_mesh_write(".", &ours), CUONN_E_IO, "is a folder");
  REFUSED(cuonn_mesh_write("absent/", &ours), CUONN_E_IO, "name of a folder");
  REFUSED(cuonn_mesh_write("text.nc/mesh.nc", &ours), CUONN_E_IO, "Not a directory");

  /* a program that changes numbers in place keeps the old checksum */
  OK(cuonn_mesh_write("mesh.nc", &ours));
  unsigned char *const bytes = file_bytes(&n, "mesh.nc");
  assert_non_null(bytes);
  bytes[n - kTrailerBytes - 1] ^= 1;
  assert_int_equal(file_put("mesh.nc", bytes, n), 0);
  REFUSED(cuonn_mesh_read(&mesh, "mesh.nc"), CUONN_E_DATA, "does not fit its checksum");
  free(bytes);
  ours.theta[4] = NAN;
  REFUSED(cuonn_mesh_write("nan.nc", &ours), CUONN_E_NONFINITE, "nan.nc: theta[4] would be nan");
  assert_int_equal(access("nan.nc", F_OK), -1);
  cuonn_mesh_free(&ours);
}

/* ---- damage to foreign files: any status, no crash ---- */

/* Flips a byte every `step`, and cuts there; returns how many cuts were read all the same, or -1 if files fail. No call
 * of cmocka in here: it may run in a child. */
static int flip_and_cut(const char *path, size_t step) {
  size_t size;
  int cuts_read = 0;
  unsigned char *const bytes = file_bytes(&size, path);
  if (!bytes) return -1;
  for (size_t at = 0; at < size; at += step) {
    cuonn_network network;
    const unsigned char old = bytes[at];
    bytes[at] = (unsigned char)(at / step % 2 ? 0xff : old ^ 1u << at % 8);
    const int put = file_put("damaged.nc", bytes, size);
    bytes[at] = old;
    if (put != 0) cuts_read = -1;
    if (cuonn_network_read(&network, "damaged.nc") == CUONN_OK) cuonn_network_free(&network);
    if (file_put("damaged.nc", bytes, at) != 0) cuts_read = -1;
    if (cuonn_network_read(&network, "damaged.nc") == CUONN_OK) {
      fprintf(stderr, "%s cut to %zu of %zu bytes was read\n", path, at, size);
      cuonn_network_free(&network);
      cuts_read++;
    }
    if (cuts_read < 0) break;
  }
  free(bytes);
  return cuts_read;
}

static void test_damage__foreign_classic(void **s) {
  (void)s;
  enum { kStep = 7 }; /* tests/unit/classic.c changes every byte */
  const int formats[] = {0, NC_64BIT_OFFSET, NC_CDF5};
  for (size_t f = 0; f < 3; f++) {
    foreign_phases("whole.nc", formats[f], 1, kNodes, true);
    assert_int_equal(flip_and_cut("whole.nc", kStep), 0);
  }
}

/* In a process of its own, which ends without a search for leaks: libhdf5 leaks when it refuses a damaged file. */
static void test_damage__foreign_netcdf4(void **s) {
  (void)s;
  enum { kStep = 71 };
  int how;
  foreign_phases("whole.nc", NC_NETCDF4, 1, kNodes, true);
  const pid_t child = fork();
  if (child == 0) _exit(flip_and_cut("whole.nc", kStep));
  assert_int_equal(waitpid(child, &how, 0), child);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) fail_msg("the reading process ended with %#x", (unsigned)how);
}

/* ---- the child process ---- */

static pid_t parent;
static volatile int signal_in_child;

static cuonn_status reader_that_dies_in_a_child(void *user, const results_file *file) {
  (void)file;
  if (getpid() != parent) raise(signal_in_child); /* cmocka catches some, but not in the child */
  *(bool *)user = true;
  return CUONN_OK;
}

static void test_child__death_is_bad_data(void **s) {
  (void)s;
  const struct {
    int signal;
    const char *text;
  } cases[] = {{SIGSEGV, "crashed reading it"},
               {SIGABRT, "crashed reading it"},
               {SIGXCPU, "hung reading it"},
               {SIGALRM, "hung reading it"}};
  cuonn_mesh ours = some_mesh();
  OK(cuonn_mesh_write("ours.nc", &ours));
  cuonn_mesh_free(&ours);
  parent = getpid();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int formats[] = {0, NC_64BIT_OFFSET, NC_CDF5, NC_NETCDF4};
    bool read = false;
    signal_in_child = cases[i].signal;
    foreign_phases("foreign.nc", formats[i], 1, kNodes, false);
    REFUSED(results_read("foreign.nc", reader_that_dies_in_a_child, &read), CUONN_E_DATA, cases[i].text);
    assert_false(read);
    OK(results_read("ours.nc", reader_that_dies_in_a_child, &read)); /* a file of ours needs no child */
    assert_true(read);
  }
  signal(SIGCHLD, SIG_IGN); /* a program that wants to know nothing of children */
  foreign_phases("foreign.nc", NC_NETCDF4, 1, kNodes, false);
  cuonn_mesh mesh;
  OK(cuonn_mesh_read(&mesh, "foreign.nc"));
  cuonn_mesh_free(&mesh);
  signal(SIGCHLD, SIG_DFL);
}

/* What the child may still work, in whole seconds, comes through a file. */
static cuonn_status reader_that_notes_its_limit(void *user, const results_file *file) {
  struct rlimit limit;
  results_expect(file, *(const size_t *)user);
  getrlimit(RLIMIT_CPU, &limit);
  FILE *const note = getpid() == parent ? NULL : fopen("limit", "w");
  if (note) {
    fprintf(note, "%llu", (unsigned long long)limit.rlim_cur);
    fclose(note);
  }
  return CUONN_OK;
}

static cuonn_status reader_that_never_ends_in_a_child(void *user, const results_file *file) {
  (void)user, (void)file;
  while (getpid() != parent) continue;
  return CUONN_OK;
}

static void test_child__that_never_ends_is_ended(void **s) {
  (void)s;
  parent = getpid();
  foreign_phases("foreign.nc", NC_NETCDF4, 1, kNodes, false);
  REFUSED(results_read("foreign.nc", reader_that_never_ends_in_a_child, NULL), CUONN_E_DATA, "hung reading it");
}

static void test_child__limit_is_of_its_own_time_and_grows_with_what_is_read(void **s) {
  (void)s;
  const int formats[] = {NC_NETCDF4, NC_CDF5, 0}; /* other bytes each time */
  parent = getpid();
  for (size_t gigabytes = 0; gigabytes < 3; gigabytes++) {
    size_t bytes = gigabytes << 30, n;
    foreign_phases("foreign.nc", formats[gigabytes], 1, kNodes, false);
    OK(results_read("foreign.nc", reader_that_notes_its_limit, &bytes));
    unsigned char *const text = file_bytes(&n, "limit");
    assert_non_null(text);
    const int seconds = atoi((const char *)text);
    assert_true(seconds >= 4 + 64 * (int)gigabytes && seconds <= 6 + 64 * (int)gigabytes);
    free(text);
  }
}

static void test_child__reads_the_same_bytes_once(void **s) {
  (void)s;
  size_t none = 0;
  parent = getpid();
  foreign_phases("foreign.nc", NC_64BIT_OFFSET, 1, kNodes, false);
  OK(results_read("foreign.nc", reader_that_notes_its_limit, &none));
  assert_int_equal(unlink("limit"), 0);
  OK(results_read("foreign.nc", reader_that_notes_its_limit, &none));
  assert_int_equal(access("limit", F_OK), -1);
  cuonn_mesh mesh; /* another reader */
  OK(cuonn_mesh_read(&mesh, "foreign.nc"));
  cuonn_mesh_free(&mesh);
  foreign_phases("foreign.nc", NC_64BIT_OFFSET, 1, kNodes - 1, false);
  OK(results_read("foreign.nc", reader_that_notes_its_limit, &none));
  assert_int_equal(unlink("limit"), 0);
}

static cuonn_status reader_that_is_stopped_in_a_child(void *user, const results_file *file) {
  (void)user, (void)file;
  if (getpid() != parent) {
    kill(parent, SIGUSR1);
    for (;;) pause();
  }
  return CUONN_OK;
}

static void ask_for_stop(int number) {
  (void)number;
  cuonn_request_stop();
}

static void test_child__a_stop_ends_it(void **s) {
  (void)s;
  parent = getpid();
  foreign_phases("foreign.nc", NC_NETCDF4, 1, kNodes, false);
  signal(SIGUSR1, ask_for_stop);
  REFUSED(results_read("foreign.nc", reader_that_is_stopped_in_a_child, NULL), CUONN_E_INTERRUPTED,
          "foreign.nc: interrupted while it was read");
  signal(SIGUSR1, SIG_DFL);
  cuonn_clear_stop();
}

/* ---- writing ---- */

static void test_write__keeps_links_and_modes(void **s) {
  (void)s;
  struct stat info;
  cuonn_mesh mesh = some_mesh();
  const mode_t mask = umask(027);
  assert_int_equal(mkdir("modes", 0755), 0);
  OK(cuonn_mesh_write("modes/new.nc", &mesh));
  umask(mask);
  assert_int_equal(stat("modes/new.nc", &info), 0);
  assert_int_equal(info.st_mode & 0777, 0640);
  assert_int_equal(chmod("modes/new.nc", 0604), 0);
  assert_int_equal(symlink("new.nc", "modes/link.nc"), 0);
  mesh.theta[0] = 42;
  OK(cuonn_mesh_write("modes/link.nc", &mesh));
  cuonn_mesh_free(&mesh);
  assert_int_equal(lstat("modes/link.nc", &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  assert_int_equal(stat("modes/new.nc", &info), 0);
  assert_int_equal(info.st_mode & 0777, 0604);
  OK(cuonn_mesh_read(&mesh, "modes/new.nc"));
  assert_true(mesh.theta[0] == 42);
  cuonn_mesh_free(&mesh);
  assert_int_equal(folder_count("modes"), 2);
}

/* Runs `life` in a child process and gives its exit code. */
static int in_child(void (*life)(void)) {
  int how;
  const pid_t child = fork();
  if (child == 0) {
    life();
    _exit(0);
  }
  assert_int_equal(waitpid(child, &how, 0), child);
  if (!WIFEXITED(how)) fail_msg("the child ended with %#x", (unsigned)how);
  return WEXITSTATUS(how);
}

/* cmocka's own failures return to the parent's test in a child; these end it with a code. */
static void expect_refusal(cuonn_status status, const char *text) {
  if (status != CUONN_E_IO || !strstr(cuonn_last_error(), text)) {
    fprintf(stderr, "status %d, \"%s\"; should hold \"%s\"\n", (int)status, cuonn_last_error(), text);
    _exit(1);
  }
}

static void write_past_limit(void) {
  cuonn_mesh mesh;
  const struct rlimit limit = {1000, 1000};
  if (cuonn_mesh_create(&mesh, 30, CUONN_STYLE_TOP) != CUONN_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
  expect_refusal(cuonn_mesh_write("full/mesh.nc", &mesh), "File too large");
  sigset_t pending;
  sigpending(&pending);
  if (sigismember(&pending, SIGXFSZ)) _exit(3);
  cuonn_mesh_free(&mesh);
}

static void test_write__file_size_limit_leaves_the_old_file(void **s) {
  (void)s;
  cuonn_mesh mesh = some_mesh();
  size_t old_size, size;
  assert_int_equal(mkdir("full", 0755), 0);
  OK(cuonn_mesh_write("full/mesh.nc", &mesh));
  unsigned char *const old = file_bytes(&old_size, "full/mesh.nc");
  assert_int_equal(in_child(write_past_limit), 0);
  unsigned char *const now = file_bytes(&size, "full/mesh.nc");
  assert_non_null(old);
  assert_non_null(now);
  assert_int_equal(size, old_size);
  assert_memory_equal(now, old, size);
  assert_int_equal(folder_count("full"), 1);
  free(now);
  free(old);
  cuonn_mesh_free(&mesh);
}

enum { kNoPrivilege = 77 };

/* On a small disk of its own, in a mount namespace that ends with the child. */
static void write_to_small_disk(void) {
  cuonn_mesh small, large;
  size_t old_size = 0, size = 1;
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) _exit(kNoPrivilege);
  if (mkdir("disk", 0755) != 0 || mount("tmpfs", "disk", "tmpfs", 0, "size=64k") != 0) _exit(kNoPrivilege);
  if (cuonn_mesh_create(&small, kModes, CUONN_STYLE_TOP) != CUONN_OK) _exit(2);
  if (cuonn_mesh_create(&large, 64, CUONN_STYLE_TOP) != CUONN_OK) _exit(2);
  if (cuonn_mesh_write("disk/mesh.nc", &small) != CUONN_OK) _exit(2);
  unsigned char *const old = file_bytes(&old_size, "disk/mesh.nc");
  expect_refusal(cuonn_mesh_write("disk/mesh.nc", &large), "No space left");
  unsigned char *const now = file_bytes(&size, "disk/mesh.nc");
  if (!old || !now || size != old_size || memcmp(old, now, size) != 0) _exit(3);
  if (folder_count("disk") != 1) _exit(4);
  free(now);
  free(old);
  cuonn_mesh_free(&large);
  cuonn_mesh_free(&small);
}

static void test_write__full_disk_leaves_the_old_file(void **s) {
  (void)s;
  const int code = in_child(write_to_small_disk);
  if (code == kNoPrivilege) {
    print_message("no privilege to mount a small disk\n");
    skip();
  }
  assert_int_equal(code, 0);
}

enum { kNobody = 65534 };

static void write_without_permission(void) {
  cuonn_mesh mesh;
  if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(2);
  if (cuonn_mesh_create(&mesh, 3, CUONN_STYLE_TOP) != CUONN_OK) _exit(2);
  expect_refusal(cuonn_mesh_write("denied/new.nc", &mesh), "Permission denied");
  expect_refusal(cuonn_mesh_write("open/old.nc", &mesh), "Permission denied");
  expect_refusal(cuonn_mesh_read(&mesh, "open/secret.nc"), "Permission denied");
  cuonn_mesh_free(&mesh);
}

static void test_write__without_permission(void **s) {
  (void)s;
  assert_int_equal(mkdir("denied", 0755), 0);
  assert_int_equal(chmod("denied", 0555), 0);
  assert_int_equal(mkdir("open", 0777), 0);
  assert_int_equal(chmod("open", 0777), 0);
  assert_int_equal(file_put("open/old.nc", "old", 3), 0);
  assert_int_equal(chmod("open/old.nc", 0444), 0);
  assert_int_equal(file_put("open/secret.nc", "old", 3), 0);
  assert_int_equal(chmod("open/secret.nc", 0), 0);
  assert_int_equal(in_child(write_without_permission), 0);
  assert_int_equal(folder_count("denied"), 0);
  assert_int_equal(folder_count("open"), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mesh__round_trip),
      cmocka_unit_test(test_unitary__round_trip),
      cmocka_unit_test(test_fields__round_trip),
      cmocka_unit_test(test_network__round_trip),
      cmocka_unit_test(test_nonlinearity__round_trip),
      cmocka_unit_test(test_phases__have_their_periods),
      cmocka_unit_test(test_checkpoint__round_trip),
      cmocka_unit_test(test_propagation__variables),
      cmocka_unit_test(test_gradients__variables),
      cmocka_unit_test(test_damage__every_flip_and_cut_of_ours_is_seen),
      cmocka_unit_test(test_foreign__phases_alone_make_a_network),
      cmocka_unit_test(test_foreign__records_are_read),
      cmocka_unit_test(test_examples__real_or_complex),
      cmocka_unit_test(test_start__phases_or_unitaries),
      cmocka_unit_test(test_refuses__content),
      cmocka_unit_test(test_refuses__attributes),
      cmocka_unit_test(test_refuses__gamma_that_does_not_fit),
      cmocka_unit_test(test_refuses__names_and_other_files),
      cmocka_unit_test(test_damage__foreign_classic),
      cmocka_unit_test(test_damage__foreign_netcdf4),
      cmocka_unit_test(test_child__death_is_bad_data),
      cmocka_unit_test(test_child__that_never_ends_is_ended),
      cmocka_unit_test(test_child__limit_is_of_its_own_time_and_grows_with_what_is_read),
      cmocka_unit_test(test_child__reads_the_same_bytes_once),
      cmocka_unit_test(test_child__a_stop_ends_it),
      cmocka_unit_test(test_write__keeps_links_and_modes),
      cmocka_unit_test(test_write__file_size_limit_leaves_the_old_file),
      cmocka_unit_test(test_write__full_disk_leaves_the_old_file),
      cmocka_unit_test(test_write__without_permission),
  };
  return cmocka_run_group_tests_name("files", tests, folder_enter, folder_leave);
}
