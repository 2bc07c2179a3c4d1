/* The hot loops for any processor. */
#define CPU_KERNELS_NAME cpu_kernels_base
#define CPU_KERNELS_LEVEL "baseline"
#include "cpu/kernels_body.h"
