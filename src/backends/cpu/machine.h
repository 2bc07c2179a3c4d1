/* What this processor can do at best: an entry of the table. */
#ifndef CPU_MACHINE_H
#define CPU_MACHINE_H

#include "backends/backend.h"

cuonn_status cpu_measure_machine(backend_machine *out, backend_place place);

#endif
