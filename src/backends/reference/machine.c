/* What one thread of this processor can do at best in plain C and double, which is all that this backend uses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "reference/machine.h"
#include "reference/mesh.h"

/* The best of all trials counts: what others do meanwhile only takes away. */
enum { kCopies = 5, kTrials = 100, kRounds = 1 << 16, kChains = 24 };
static const size_t kCopied = (size_t)256 << 20; /* far larger than any cache */

/* v = v / 2 + 1 / 2; as many chains side by side as hide the latency. */
static double multiply_add_rate(void) {
  double best = 0;
  for (int trial = 0; trial < kTrials; trial++) {
    double chains[kChains] = {0};
    double sum = 0;
    const double before = machine_seconds();
    for (size_t r = 0; r < kRounds; r++) {
      for (size_t c = 0; c < kChains; c++) chains[c] = chains[c] * 0.5 + 0.5;
    }
    for (size_t c = 0; c < kChains; c++) sum += chains[c];
    const double seconds = machine_seconds() - before;
    if (sum > 0) best = fmax(best, (double)kRounds * kChains / seconds); /* used, so that it is computed */
  }
  return best;
}

static cuonn_status copy_rate(double *bytes_per_second) {
  char *from = NULL, *to = NULL;
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&from, kCopied, 1));
  CUONN_TRY_DONE(cuonn_allocate(&to, kCopied, 1));
  for (int trial = 0; trial < kCopies; trial++) {
    const double before = machine_seconds();
    memcpy(to, from, kCopied);
    *bytes_per_second = fmax(*bytes_per_second, 2 * (double)kCopied / (machine_seconds() - before));
  }
done:
  free(to);
  free(from);
  return status;
}

cuonn_status reference_measure_machine(backend_machine *out, backend_place place) {
  (void)place;
  *out = (backend_machine){0};
  snprintf(out->name, sizeof out->name, "%s, 1 thread, double", machine_processor());
  out->flops_per_second = 2 * multiply_add_rate();
  out->clock_hz = machine_clock();
  return copy_rate(&out->bytes_per_second);
}

cuonn_status reference_time_propagation(double *seconds, size_t n_samples, backend_propagation what,
                                        const cuonn_mesh *mesh, const cuonn_fields *in, backend_place place) {
  enum { kStages = 5 };
  const size_t size = 2 * in->n_examples * mesh->n_modes;
  double *out = NULL, *stages[kStages] = {0};
  cuonn_status status = CUONN_OK;
  CUONN_TRY_DONE(cuonn_allocate(&out, size, sizeof *out));
  for (size_t i = 0; what == BACKEND_ALL_STAGES && i < kStages; i++) {
    CUONN_TRY_DONE(cuonn_allocate(&stages[i], mesh->shape->n_columns * size, sizeof **stages));
  }
  const cuonn_buffer to = buffer_of(out, size / 2), from = buffer_of_fields(in);
  const cuonn_taps taps = {stages[0], stages[1], stages[2], stages[3], stages[4]};
  for (size_t i = 0; i < n_samples; i++) {
    const double before = machine_seconds();
    CUONN_TRY_DONE(reference_propagate(&to, &taps, mesh, &from, false, place));
    seconds[i] = machine_seconds() - before;
  }
done:
  for (size_t i = 0; i < kStages; i++) free(stages[i]);
  free(out);
  return status;
}
