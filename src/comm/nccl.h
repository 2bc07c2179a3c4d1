/* Exchange between memories of NVIDIA GPUs by NCCL, whose library is looked for when it is first asked for. Results
 * are NCCL's: 0, NCCL_IN_PROGRESS or an error. */
#ifndef CUONN_COMM_NCCL_H
#define CUONN_COMM_NCCL_H

#include <stddef.h>

enum { NCCL_IN_PROGRESS = 7 };

typedef struct {
  char bytes[128];
} nccl_id; /* as NCCL's own */

/* The version of libnccl.so.2, 21400 for 2.14.0; 0 if there is none, or one before that. */
int nccl_open(void);

const char *nccl_text(int result);

/* What the processes of one group have in common: one of them makes it. */
int nccl_make_id(nccl_id *id);

/* Begins to join as `rank` of `size`, with the calling thread's current device; returns before all have. *group: NULL
 * if that failed at once; else it ends with nccl_leave(), or with nccl_abort(), which waits for no other. */
int nccl_join(void **group, nccl_id id, int rank, int size);

/* How that, or the last exchange, has got on. */
int nccl_result(void *group);

void nccl_leave(void *group); /* NULL is fine; so for the other */
void nccl_abort(void *group);

/* As comm_exchange(), between memories of devices, queued on a cudaStream_t when it returns. */
int nccl_exchange(void *group, int size, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes,
                  void *stream);

#endif
