/* Chips of the models of a state: how they read, and what they make of phases. */
#include "cuda/chip.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "chip/noise.h"
#include "chip/phases.h"
#include "cuda/curves.h"

static chip_reader reader_of(const cuonn_chip_options *chip, cuonn_gradient_method method) {
  return (chip_reader){.seed = chip->seed,
                       .tap_shot = chip->tap_shot,
                       .io_amplitude = chip->io_amplitude,
                       .io_phase = chip->io_phase,
                       .purposes = {[READ_TRAINING] = chip_read_purpose(chip->noise_draw, CHIP_TRAINING),
                                    [READ_MEASUREMENT] = chip_read_purpose(chip->noise_draw, CHIP_MEASUREMENT),
                                    [READ_TEST] = chip_read_purpose(chip->noise_draw, CHIP_TEST)},
                       .tap_purpose = RANDOM_TAP,
                       .has_steps = chip_noise_has_steps(chip),
                       .has_layers = chip_noise_has_layers(chip),
                       .has_examples = chip_noise_has_examples(chip),
                       .digital = method == CUONN_GRADIENT_DIGITAL,
                       .by_matrix = chip->measurement == CUONN_MEASUREMENT_MATRIX,
                       .by_example = chip->scale == CUONN_SCALE_EXAMPLE};
}

/* Factors that a model's readings keep, each where another reading has the same: where they stand behind `all`, or, if
 * that is NULL, somewhere. Only gradients that are measured read for training. Returns their number. */
static size_t place_frozen(chip_reader *reader, double2 *all, const cuda_state *s, size_t model) {
  const size_t n = s->problem.shape.n_modes, each = s->problem.shape.n_layers * n * (reader->has_examples ? n : 1);
  const bool measured = cuonn_gradient_is_measured(s->models[model].gradient);
  static double2 somewhere;
  size_t count = 0;
  if (reader->has_steps || chip_reads_exactly(&s->models[model].chip)) return 0;
  for (int use = measured ? 0 : READ_TEST; use < READ_USES; use++) {
    double2 *at = NULL;
    for (int other = 0; other < use; other++) {
      if (reader->frozen[other] && reader->purposes[other] == reader->purposes[use]) at = reader->frozen[other];
    }
    if (!at) {
      at = all ? all + count : &somewhere;
      count += each;
    }
    reader->frozen[use] = at;
  }
  return count;
}

static cuonn_status set_readers(cuda_state *s) {
  const size_t models = s->problem.n_models;
  cuonn_status status = CUONN_OK;
  chip_reader *readers = NULL;
  double2 *frozen = NULL;
  size_t n_frozen = 0, at = 0;
  CUONN_TRY_DONE(cuonn_allocate(&readers, models, sizeof *readers));
  for (size_t m = 0; m < models; m++) {
    chip_reader counted = readers[m] = reader_of(&s->models[m].chip, s->models[m].gradient);
    n_frozen += place_frozen(&counted, NULL, s, m);
  }
  if (n_frozen > 0) {
    CUONN_TRY_DONE(cuda_allocate(&frozen, &s->chip.memory, n_frozen, sizeof *frozen, "the noise of the chips"));
  }
  for (size_t m = 0; m < models; m++) at += place_frozen(&readers[m], frozen + at, s, m);
  CUONN_TRY_DONE(cuda_allocate(&s->chip.readers, &s->chip.memory, models, sizeof *readers, "the chips"));
  CUONN_CUDA_DONE(
      cudaMemcpyAsync(s->chip.readers, readers, models * sizeof *readers, cudaMemcpyHostToDevice, s->session->stream));
  if (n_frozen > 0) {
    CUONN_CUDA_DONE(launch_freeze(s->chip.readers, (int)s->problem.shape.n_modes, (int)s->problem.shape.n_layers,
                                  (int)models, s->session->stream));
  }
  CUONN_CUDA_DONE(cudaStreamSynchronize(s->session->stream));
done:
  free(readers);
  return status;
}

static bool programs(const cuonn_chip_options *chip) {
  return chip->phase_bits > 0 || chip->crosstalk > 0 || chip->phase_error > 0 || cuda_has_curves(chip->fabricated) ||
         cuda_has_rows(chip->fabricated);
}

/* Errors of one model's phases: to the host's `errors` and the device's s->chip.added, with what curves leave out where
 * phases mix. */
static cuonn_status set_phases(phase_errors *errors, cuda_state *s, size_t model) {
  const size_t layers = s->problem.shape.n_layers, nodes = s->meshes.n_nodes;
  const cuonn_fabricated *const made = s->models[model].chip.fabricated;
  const bool mixes = s->models[model].chip.crosstalk > 0 || cuda_has_rows(made);
  for (size_t l = 0; l < layers; l++) {
    chip_phases phases;
    CUONN_TRY(chip_phases_create(&phases, &s->models[model].chip, (uint32_t)l, s->problem.shape.mesh,
                                 s->problem.shape.style));
    _Static_assert(sizeof errors->weight == sizeof phases.weight, "both have the same reach");
    memcpy(errors->weight, phases.weight, sizeof errors->weight);
    errors->bits = (unsigned)phases.bits;
    errors->theta_period = phases.period.theta;
    errors->phi_period = phases.period.phi;
    errors->mixes = mixes;
    for (size_t i = 0; mixes && phases.offset && i < 2 * nodes; i++) phases.error[i] += phases.offset[i];
    const cuonn_status status = cuda_meshes_set_pairs(s->chip.added, &s->meshes, model * layers + l, phases.error,
                                                      phases.error + nodes, s->scratch, s->session->stream);
    chip_phases_free(&phases);
    CUONN_TRY(status);
  }
  return CUONN_OK;
}

static cuonn_status set_programs(cuda_state *s) {
  const size_t models = s->problem.n_models, places = s->meshes.n_meshes * s->meshes.places;
  cuonn_status status = CUONN_OK;
  phase_errors *errors = NULL;
  CUONN_TRY_DONE(cuonn_allocate(&errors, models, sizeof *errors));
  CUONN_TRY_DONE(cuda_allocate(&s->chip.errors, &s->chip.memory, models, sizeof *errors, "the chips"));
  CUONN_TRY_DONE(cuda_allocate(&s->chip.added, &s->chip.memory, places, sizeof(double2), "the errors of phases"));
  CUONN_TRY_DONE(cuda_allocate(&s->chip.applied, &s->chip.memory, places, sizeof(double2), "the applied phases"));
  if (s->chip.mixes) {
    CUONN_TRY_DONE(cuda_allocate(&s->chip.set, &s->chip.memory, places, sizeof(double2), "the phases that are set"));
  }
  if (s->chip.by_curves || s->chip.by_rows) CUONN_TRY_DONE(cuda_curves_set(s));
  for (size_t m = 0; m < models; m++) CUONN_TRY_DONE(set_phases(errors + m, s, m));
  CUONN_CUDA_DONE(
      cudaMemcpyAsync(s->chip.errors, errors, models * sizeof *errors, cudaMemcpyHostToDevice, s->session->stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(s->session->stream));
done:
  free(errors);
  return status;
}

/* Whether a state of this kind computes such a model. */
static bool may_share(const backend_problem *problem, cuonn_gradient_method method, cuonn_measurement measurement) {
  if (cuonn_gradient_is_measured(problem->gradient))
    return cuonn_gradient_is_measured(method) && measurement == problem->measurement;
  return method == problem->gradient;
}

cuonn_status cuda_chip_set(cuda_state *s) {
  cuda_chip *const chip = &s->chip;
  cuda_memory_free(&chip->memory);
  chip->programs = chip->mixes = chip->by_law = chip->by_curves = chip->by_rows = false;
  chip->set = NULL;
  chip->curves = NULL;
  for (size_t m = 0; m < s->problem.n_models; m++) {
    const cuonn_chip_options *const of = &s->models[m].chip;
    const cuonn_gradient_method method = s->models[m].gradient;
    CUONN_CHECK(s->problem.batch_size == 0 || may_share(&s->problem, method, of->measurement), CUONN_E_INTERNAL,
                "a state for one way to get gradients was given a model with another way");
    CUONN_CHECK(of->crosstalk == 0 || s->meshes.aligned, CUONN_E_SHAPE,
                "backend cuda has crosstalk only in meshes whose columns have even and odd top waveguides in turn; use "
                "backend cpu");
    chip->programs = chip->programs || programs(of);
    chip->by_law = chip->by_law || of->crosstalk > 0;
    chip->by_curves = chip->by_curves || cuda_has_curves(of->fabricated);
    chip->by_rows = chip->by_rows || cuda_has_rows(of->fabricated);
    chip->mixes = chip->by_law || chip->by_rows;
  }
  CUONN_TRY(set_readers(s));
  if (chip->programs) CUONN_TRY(set_programs(s));
  s->meshes.applied = chip->programs ? chip->applied : s->meshes.phases;
  return CUONN_OK;
}

phases_task cuda_phases_task(const cuda_state *s, size_t first, size_t n_models) {
  const cuda_chip *const chip = &s->chip;
  return (phases_task){.layout = s->meshes.layout,
                       .errors = chip->errors + first,
                       .curves = chip->curves ? chip->curves + first : NULL,
                       .by_law = chip->by_law,
                       .by_curves = chip->by_curves,
                       .by_rows = chip->by_rows,
                       .n_layers = (int)s->problem.shape.n_layers,
                       .n_models = (int)n_models};
}

cuonn_status cuda_program(const cuda_state *s) {
  if (!s->chip.programs) return CUONN_OK;
  const phases_task task = cuda_phases_task(s, 0, s->problem.n_models);
  CUONN_CUDA(launch_program(s->chip.applied, s->chip.set, s->meshes.phases, s->chip.added, &task, s->session->stream));
  return CUONN_OK;
}
