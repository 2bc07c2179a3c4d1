#include "cpu/level.h"

extern const cpu_kernels cpu_kernels_base;

#if defined(CPU_KERNELS_X86)
#include <stdbool.h>

extern const cpu_kernels cpu_kernels_v3, cpu_kernels_v4;

/* The features by which the levels differ, as far as compilers can ask for them; processors have them together. */
const cpu_kernels *cpu_kernels_level(size_t i) {
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (i == 2 && v4) return &cpu_kernels_v4;
  if (i == 1 && v3) return &cpu_kernels_v3;
  return i == 0 ? &cpu_kernels_base : NULL;
}
#else
const cpu_kernels *cpu_kernels_level(size_t i) { return i == 0 ? &cpu_kernels_base : NULL; }
#endif

const cpu_kernels *cpu_kernels_choose(void) {
  size_t best = 0;
  while (cpu_kernels_level(best + 1)) best++;
  return cpu_kernels_level(best);
}
