/* What chips make of phases, and the way back of gradients: k_set, k_mix and k_pull_back against src/chip/phases.c. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "chip/phases.h"
#include "cuda/device.h"
#include "kernels/chip.h"
#include "mesh/shape.h"
#include "support/chance.h"
#include "support/close.h"

#include <simt.h>

/* Numbers of a mesh, [2][node] theta and phi, and where they stand on the device. */
typedef struct {
  cuonn_mesh mesh;
  chip_phases phases;
  mesh_layout layout;
  size_t nodes, places;
  double *in, *applied, *pulled; /* on the host */
  double2 *pairs;                /* [place] */
  float2 *halves;                /* [place] */
} problem;

static size_t place_of(const problem *p, size_t k) {
  return mesh_place(p->layout, (int)p->mesh.shape->column_of[k], (int)p->mesh.shape->pairs[k][0]);
}

static void make(problem *p, size_t n, const cuonn_chip_options *chip) {
  chance c = {n};
  *p = (problem){.layout = mesh_layout_of((int)n), .nodes = n * (n - 1) / 2};
  p->places = mesh_places(p->layout);
  OK(cuonn_mesh_create(&p->mesh, n, CUONN_STYLE_DIFFERENTIAL));
  OK(chip_phases_create(&p->phases, chip, 0, p->mesh.shape, CUONN_STYLE_DIFFERENTIAL));
  OK(cuonn_allocate(&p->in, 2 * p->nodes, sizeof(double)));
  OK(cuonn_allocate(&p->applied, 2 * p->nodes, sizeof(double)));
  OK(cuonn_allocate(&p->pulled, 2 * p->nodes, sizeof(double)));
  OK(cuonn_allocate(&p->pairs, p->places, sizeof(double2)));
  OK(cuonn_allocate(&p->halves, p->places, sizeof(float2)));
  chance_normals(p->in, 2 * p->nodes, &c);
  for (size_t k = 0; k < 2 * p->nodes; k++) p->in[k] = (double)(float)p->in[k]; /* a gradient in float, too */
  memcpy(p->pulled, p->in, 2 * p->nodes * sizeof(double));
  chip_phases_apply(p->applied, p->applied + p->nodes, &p->phases, p->in, p->in + p->nodes);
  chip_phases_pull_back(p->pulled, p->pulled + p->nodes, &p->phases);
  for (size_t k = 0; k < p->nodes; k++) {
    p->pairs[place_of(p, k)] = (double2){p->in[k], p->in[p->nodes + k]};
    p->halves[place_of(p, k)] = (float2){(float)p->in[k], (float)p->in[p->nodes + k]};
  }
}

static void release(problem *p) {
  free(p->halves);
  free(p->pairs);
  free(p->pulled);
  free(p->applied);
  free(p->in);
  chip_phases_free(&p->phases);
  cuonn_mesh_free(&p->mesh);
}

static void *on_device(cuda_memory *memory, const void *host, size_t bytes) {
  void *device;
  OK(cuda_allocate(&device, memory, bytes, 1, "a test"));
  assert_int_equal(host ? cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice) : cudaMemset(device, 0, bytes),
                   cudaSuccess);
  return device;
}

/* Over pairs and halves come what the device applies, and what it pulls back. */
static void run(problem *p) {
  cuda_memory memory = {0};
  const size_t bytes = p->places * sizeof *p->pairs, half = p->places * sizeof *p->halves;
  phase_errors errors = {.bits = (unsigned)p->phases.bits,
                         .theta_period = p->phases.period.theta,
                         .phi_period = p->phases.period.phi,
                         .mixes = p->phases.mixes};
  memcpy(errors.weight, p->phases.weight, sizeof errors.weight);
  const phases_task task = {.layout = p->layout,
                            .errors = on_device(&memory, &errors, sizeof errors),
                            .by_law = true,
                            .n_layers = 1,
                            .n_models = 1};
  double2 *const applied = on_device(&memory, NULL, bytes), *const added = on_device(&memory, NULL, bytes);
  double2 *const set = on_device(&memory, NULL, bytes);
  float2 *const out = on_device(&memory, NULL, half);
  const double2 *const programmed = on_device(&memory, p->pairs, bytes);
  const float2 *const in = on_device(&memory, p->halves, half);
  assert_int_equal(launch_program(applied, set, programmed, added, &task, NULL), cudaSuccess);
  assert_int_equal(launch_pull_back(out, in, &task, NULL), cudaSuccess);
  assert_int_equal(cudaMemcpy(p->pairs, applied, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
  assert_int_equal(cudaMemcpy(p->halves, out, half, cudaMemcpyDeviceToHost), cudaSuccess);
  cuda_memory_free(&memory);
}

/* One, two and four pairs of waveguides a lane, with odd numbers of them. Sums of some 170 terms in the same order,
 * where a device may fuse multiplication and addition; a gradient's are rounded to float. */
static void same_as_the_host(const cuonn_chip_options *chip) {
  const size_t sizes[] = {2, 9, 64, 70, 131};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    problem p;
    make(&p, sizes[i], chip);
    run(&p);
    for (size_t k = 0; k < p.nodes; k++) {
      const double2 applied = p.pairs[place_of(&p, k)];
      const float2 pulled = p.halves[place_of(&p, k)];
      const double got[] = {applied.x, applied.y}, want[] = {p.applied[k], p.applied[p.nodes + k]};
      const double d_got[] = {(double)pulled.x, (double)pulled.y}, d_want[] = {p.pulled[k], p.pulled[p.nodes + k]};
      CLOSE(got, want, 2, .rel = 1e-14, .abs = 1e-14);
      CLOSE(d_got, d_want, 2, .rel = FLT_EPSILON, .abs = 1e-14);
    }
    release(&p);
  }
}

static void test_program__as_on_the_host(void **unused) {
  (void)unused;
  cuonn_chip_options chip = CUONN_CHIP_OPTIONS_INIT;
  same_as_the_host(&chip);
  chip.phase_bits = 9;
  same_as_the_host(&chip);
  chip.crosstalk = .05;
  chip.crosstalk_decay = 2;
  same_as_the_host(&chip);
  chip.phase_bits = 0;
  same_as_the_host(&chip);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_program__as_on_the_host)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
