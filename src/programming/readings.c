#include "programming/readings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "mesh/shape.h"

node_product node_product_of(const node_fixed *fixed, const node_arms *arms, double theta, double phi) {
  const node_stages s = node_stages_of(fixed, arms, theta, phi);
  node_product out;
  double complex m[2][2];
  node_matrix_of(m, &s);
  for (size_t i = 0; i < 2; i++) {
    for (size_t j = 0; j < 2; j++) out.m[i][j] = m[i][0] * s.first[j] + m[i][1] * s.first[1 - j];
  }
  return out;
}

cuonn_status programming_readings_create(programming_readings *out, const cuonn_mesh *mesh, double tap_shot,
                                         uint64_t seed) {
  *out = (programming_readings){.mesh = mesh, .arms = node_arms_of(mesh->style), .tap_shot = tap_shot, .seed = seed};
  CUONN_TRY(cuonn_allocate(&out->nodes, mesh->n_nodes, sizeof *out->nodes));
  return cuonn_allocate(&out->light, mesh->n_modes, sizeof *out->light);
}

void programming_readings_free(programming_readings *readings) {
  free(readings->nodes);
  free(readings->light);
}

void programming_set(programming_readings *readings, size_t node, double theta, double phi) {
  const node_fixed fixed = node_fixed_of(readings->mesh, node);
  readings->nodes[node] = node_product_of(&fixed, &readings->arms, theta, phi);
}

void programming_pass(programming_readings *readings, size_t node) {
  const uint32_t *const pair = readings->mesh->shape->pairs[node];
  double complex *const light = readings->light, (*const m)[2] = readings->nodes[node].m;
  const double complex upper = light[pair[0]], lower = light[pair[1]];
  light[pair[0]] = m[0][0] * upper + m[0][1] * lower;
  light[pair[1]] = m[1][0] * upper + m[1][1] * lower;
}

void programming_send(programming_readings *readings, const double complex *in, size_t until) {
  memcpy(readings->light, in, readings->mesh->n_modes * sizeof *in);
  for (size_t k = 0; k < until; k++) programming_pass(readings, k);
}

/* eq. 35 */
static double read_power(programming_readings *r, double complex field) {
  const random_place place = {r->seed, RANDOM_PROGRAMMING, (uint32_t)(r->count >> 32), 0};
  const double amplitude = cabs(field);
  double normal[2] = {0};
  if (r->tap_shot > 0) random_normals(normal, place, (uint32_t)r->count);
  r->count++;
  return amplitude * amplitude + r->tap_shot * amplitude * normal[0];
}

double programming_read_node(programming_readings *readings, size_t node, size_t arm) {
  const uint32_t *const pair = readings->mesh->shape->pairs[node];
  const double complex *const row = readings->nodes[node].m[arm];
  return read_power(readings, row[0] * readings->light[pair[0]] + row[1] * readings->light[pair[1]]);
}

double programming_read_output(programming_readings *readings, size_t output, double gamma) {
  return read_power(readings, (readings->light[output] * cexp(I * gamma) + 1) / M_SQRT2);
}
