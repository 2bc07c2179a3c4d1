/* What this processor can do at best, with all threads and the instructions that the kernels use. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "cpu/level.h"
#include "cpu/machine.h"
#include "cpu/state.h"

/* The best of all trials counts: what others do meanwhile only takes away. Those of multiply-adds are short, so that
 * some fall between the others' turns. */
enum { kCopies = 7, kTrials = 200, kRounds = 1 << 18 };
static const size_t kCopied = (size_t)512 << 20; /* far larger than any cache */

/* Multiply-adds a second, all threads together. */
static double multiply_add_rate(int threads) {
  const cpu_kernels *const kernels = cpu_kernels_choose();
  double best = 0;
  for (int trial = 0; trial < kTrials; trial++) {
    size_t done = 0;
    const double before = machine_seconds();
#pragma omp parallel num_threads(threads) reduction(+ : done)
    {
      _Alignas(64) float v[kMultiplyAdds] = {0};
      done += kernels->multiply_adds(v, kRounds);
    }
    best = fmax(best, (double)done / (machine_seconds() - before));
  }
  return best;
}

/* Copies `size` bytes from and to memory of each thread's own, which the thread itself touches first. */
static cuonn_status copy_rate(double *bytes_per_second, int threads, size_t size) {
  bool lacking = false;
  double best = 0;
#pragma omp parallel num_threads(threads)
  {
    char *from = NULL, *to = NULL;
    if (cuonn_allocate(&from, size, 1) != CUONN_OK || cuonn_allocate(&to, size, 1) != CUONN_OK) {
#pragma omp atomic write
      lacking = true;
    }
    for (int trial = 0; trial < kCopies; trial++) {
#pragma omp barrier
      const double before = machine_seconds();
      if (!lacking) memcpy(to, from, size);
#pragma omp barrier
#pragma omp master
      best = fmax(best, 2 * (double)size * omp_get_num_threads() / (machine_seconds() - before));
    }
    free(to);
    free(from);
  }
  CUONN_CHECK(!lacking, CUONN_E_MEMORY, "not enough memory to measure how fast it is: %zu MiB were needed",
              2 * kCopied >> 20);
  *bytes_per_second = best;
  return CUONN_OK;
}

cuonn_status cpu_measure_machine(backend_machine *out, backend_place place) {
  const int used = cpu_threads(place.threads);
  *out = (backend_machine){0};
  snprintf(out->name, sizeof out->name, "%s, %d thread%s, %s", machine_processor(), used, used == 1 ? "" : "s",
           cpu_kernels_choose()->level);
  out->flops_per_second = 2 * multiply_add_rate(used);
  out->clock_hz = machine_clock();
  return copy_rate(&out->bytes_per_second, used, kCopied / (size_t)used);
}
