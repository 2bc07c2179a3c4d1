/* The hot loops for x86-64-v4. */
#define CPU_KERNELS_NAME cpu_kernels_v4
#define CPU_KERNELS_LEVEL "x86-64-v4"
#include "cpu/kernels_body.h"
