/* Which of the hot loops are for this processor. */
#ifndef CPU_LEVEL_H
#define CPU_LEVEL_H

#include "cpu/kernels.h"

/* Levels that this processor has, the plainest first; NULL past the last. */
const cpu_kernels *cpu_kernels_level(size_t i);
/* The last of them. */
const cpu_kernels *cpu_kernels_choose(void);

#endif
