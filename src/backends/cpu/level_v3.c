/* The hot loops for x86-64-v3. */
#define CPU_KERNELS_NAME cpu_kernels_v3
#define CPU_KERNELS_LEVEL "x86-64-v3"
#include "cpu/kernels_body.h"
