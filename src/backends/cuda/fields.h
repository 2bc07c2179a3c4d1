/* Single layers of a state's models, with buffers of the caller's in host or device memory. */
#ifndef CUDA_FIELDS_H
#define CUDA_FIELDS_H

#include "backends/backend.h"
#include "cuda/device.h"
#include "kernels/network.h"

/* Device memory that grows with the largest call. */
typedef struct {
  void *data;
  size_t bytes;
  cuda_memory memory;
} cuda_room;

/* Zeroed before the first call. */
typedef struct {
  cuda_room x, g, y;                 /* [example][stride] fields that do not lie as kernels want them */
  cuda_room gradient, d_gamma, kept; /* vjp_task */
  float2 *sum, *pulled;              /* [place] gradient over the chunks, and by the programmed phases */
  double *losses;                    /* of which a mesh has none: zeros */
  network_batch *batches;            /* [chunks - 1], so that none has to come from the host */
  uint32_t *place;                   /* [node] */
  cudaEvent_t event;                 /* between the caller's stream and the state's */
  cuda_memory lasting;
} cuda_fields;

extern const backend_on_device cuda_on_device;
void cuda_fields_free(cuda_fields *fields);

#endif
