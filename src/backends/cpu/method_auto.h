/* Which of the exact methods is faster. */
#ifndef CPU_METHOD_AUTO_H
#define CPU_METHOD_AUTO_H

#include <stdbool.h>

#include "cuonn/compute.h"
#include "cuonn/network.h"

/* columns or dense, for so many examples, their gradients or their losses alone; never auto. It knows nothing of
 * threads: results have the same bits for any number of them. */
cuonn_method cpu_auto_method(const cuonn_network_shape *shape, size_t n_examples, bool gradient);

#endif
