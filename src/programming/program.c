/* Setting a chip to a matrix: what all methods share. */
#include "cuonn/programming.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/name.h"
#include "mesh/fit.h"
#include "programming/gradient.h"
#include "programming/nulling.h"

static const char *const names[] = {"decompose", "local", "nulling", "gradient"};
enum { kMethods = sizeof names / sizeof *names };

const char *cuonn_programming_method_name(cuonn_programming_method method) {
  return (unsigned)method < kMethods ? names[method] : NULL;
}

cuonn_status cuonn_programming_method_parse(cuonn_programming_method *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "method", names, kMethods, name));
  *out = (cuonn_programming_method)at;
  return CUONN_OK;
}

void cuonn_programming_options_init(cuonn_programming_options *out) {
  *out = (cuonn_programming_options)CUONN_PROGRAMMING_OPTIONS_INIT;
}

cuonn_matrix_distance cuonn_matrix_distance_of(const double *matrix, const double *target, size_t n_modes) {
  const size_t size = 2 * n_modes * n_modes;
  const double n = (double)n_modes;
  double norm = 0, plain = 0, scaled = 0;
  for (size_t i = 0; i < size; i++) norm += matrix[i] * matrix[i];
  const double scale = sqrt(n / norm);
  for (size_t i = 0; i < size; i++) {
    plain += (matrix[i] - target[i]) * (matrix[i] - target[i]);
    scaled += (scale * matrix[i] - target[i]) * (scale * matrix[i] - target[i]);
  }
  return (cuonn_matrix_distance){sqrt(plain / n), sqrt(scaled / n)};
}

static cuonn_status check(const cuonn_mesh *chip, const cuonn_programming_options *options) {
  CUONN_TRY(cuonn_mesh_check(chip));
  CUONN_CHECK(cuonn_programming_method_name(options->method), CUONN_E_ARGUMENT, "method %d is not one of the four",
              (int)options->method);
  CUONN_CHECK(options->tap_shot >= 0 && options->tap_shot <= 100, CUONN_E_ARGUMENT,
              "the shot noise of a reading is %g; it must be 0 to 100", options->tap_shot);
  CUONN_CHECK(options->iterations > 0, CUONN_E_ARGUMENT, "0 iterations are none; take 1 or more");
  return CUONN_OK;
}

/* The phases that a mesh without errors would need, on a chip with its own. */
static cuonn_status decompose(cuonn_mesh *chip, const double *unitary) {
  cuonn_mesh ideal;
  CUONN_TRY(cuonn_mesh_create_shaped(&ideal, chip->shape, chip->style));
  const cuonn_status status = cuonn_mesh_decompose(&ideal, unitary);
  if (status == CUONN_OK) {
    memcpy(chip->theta, ideal.theta, chip->n_nodes * sizeof(double));
    memcpy(chip->phi, ideal.phi, chip->n_nodes * sizeof(double));
    memcpy(chip->gamma, ideal.gamma, chip->n_modes * sizeof(double));
  }
  cuonn_mesh_free(&ideal);
  return status;
}

static cuonn_status find(cuonn_mesh *chip, cuonn_programming_result *out, cuonn_context *context, const double *unitary,
                         const cuonn_programming_options *options) {
  switch (options->method) {
    case CUONN_PROGRAMMING_DECOMPOSE: return CUONN_OK;
    case CUONN_PROGRAMMING_LOCAL: return mesh_correct(chip, &out->out_of_reach);
    case CUONN_PROGRAMMING_NULLING:
      return programming_nulling(chip, &out->readings, unitary, options->tap_shot, options->seed);
    case CUONN_PROGRAMMING_GRADIENT: break;
  }
  CUONN_TRY(mesh_correct(chip, &out->out_of_reach));
  return programming_gradient(chip, &out->iterations, context, unitary, options->iterations);
}

cuonn_status cuonn_chip_program(cuonn_mesh *chip, cuonn_programming_result *out, cuonn_context *context,
                                const double *unitary, const cuonn_programming_options *options) {
  cuonn_mesh work = {0};
  double *matrix = NULL;
  cuonn_status status = CUONN_OK;
  *out = (cuonn_programming_result){0};
  CUONN_TRY_DONE(check(chip, options));
  CUONN_TRY_DONE(cuonn_mesh_create_shaped(&work, chip->shape, chip->style));
  CUONN_TRY_DONE(cuonn_mesh_copy(&work, chip));
  CUONN_TRY_DONE(cuonn_allocate(&matrix, chip->n_modes * chip->n_modes, 2 * sizeof *matrix));
  CUONN_TRY_DONE(decompose(&work, unitary));
  CUONN_TRY_DONE(cuonn_matrix(matrix, context, &work));
  out->before = cuonn_matrix_distance_of(matrix, unitary, chip->n_modes);
  CUONN_TRY_DONE(find(&work, out, context, unitary, options));
  CUONN_TRY_DONE(cuonn_matrix(matrix, context, &work));
  out->after = cuonn_matrix_distance_of(matrix, unitary, chip->n_modes);
  status = cuonn_mesh_copy(chip, &work);
done:
  if (status != CUONN_OK) *out = (cuonn_programming_result){0};
  free(matrix);
  cuonn_mesh_free(&work);
  return status;
}
