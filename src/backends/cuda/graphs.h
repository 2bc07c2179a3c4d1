/* Work of all models on the device, recorded as graphs: once, and run by one launch each time. */
#ifndef CUDA_GRAPHS_H
#define CUDA_GRAPHS_H

#include "cuda/state.h"

/* Queues a work, which only launches: of all models as a graph, which is recorded where there is none yet, else as it
 * is. What differs from call to call lies in arrays on the device. */
cuonn_status cuda_run(cuda_state *s, const cuda_work *work,
                      cuonn_status (*launch)(const cuda_state *s, const cuda_work *work));

/* Graphs hold addresses and numbers of examples: forgets them. */
void cuda_drop_graphs(cuda_state *s);

#endif
