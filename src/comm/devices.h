/* What processes exchange between their GPUs, by NCCL, where all have it. */
#ifndef CUONN_COMM_DEVICES_H
#define CUONN_COMM_DEVICES_H

#include "comm/comm.h"

/* Joins the GPUs of all, of each process the calling thread's current one. All call it, and all get the same answer.
 *  all     [size] room
 *  device  a number that this GPU alone has
 *  line    the version of NCCL, or why it is not used
 * After true, ends with comm_leave_devices(). */
bool comm_join_devices(comm *c, uint64_t *all, uint64_t device, char *line, size_t size);

/* As comm_exchange(), between memories of GPUs, queued on a stream (cudaStream_t) of that device. CUONN_E_DEVICE if
 * NCCL fails, of which the others may not know. */
cuonn_status comm_exchange_devices(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes,
                                   void *stream);

/* To be called by all, when nothing is under way; nothing if they have not joined. */
void comm_leave_devices(void);

#endif
