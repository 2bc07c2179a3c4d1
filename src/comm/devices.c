#include "comm/devices.h"

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "comm/nccl.h"

static void *group; /* of the processes, once they have joined */

static bool have_library(comm *c, uint64_t *all, char *line, size_t size) {
  comm_gather(c, all, (uint64_t)nccl_open());
  for (int r = 0; r < comm_size(c); r++) {
    if (all[r] == all[0] && all[0] != 0) continue;
    if (all[r] == 0)
      snprintf(line, size, "rank %d finds no libnccl.so.2 of NCCL 2.14 or later", r);
    else
      snprintf(line, size, "rank %d has another version of NCCL than rank 0", r);
    return false;
  }
  const int version = (int)all[0];
  snprintf(line, size, "NCCL %d.%d.%d", version / 10000, version / 100 % 100, version % 100);
  return true;
}

static bool have_devices(comm *c, uint64_t *all, uint64_t device, char *line, size_t size) {
  comm_gather(c, all, device);
  for (int r = 0; r < comm_size(c); r++) {
    for (int other = 0; other < r; other++) {
      if (all[r] != all[other]) continue;
      snprintf(line, size, "ranks %d and %d compute on the same GPU", other, r);
      return false;
    }
  }
  return true;
}

/* What NCCL's results of all processes are together: the first failure, of rank *at; NCCL_IN_PROGRESS; 0. */
static int gather_results(comm *c, uint64_t *all, int own, int *at) {
  int together = 0;
  comm_gather(c, all, (uint64_t)own);
  for (*at = 0; *at < comm_size(c); ++*at) {
    const int result = (int)all[*at];
    if (result != 0 && result != NCCL_IN_PROGRESS) return result;
    if (result != 0) together = result;
  }
  return together;
}

/* One that has failed tells the others, who would wait for it. */
static int join(comm *c, uint64_t *all, int *at) {
  nccl_id id = {{0}};
  int own = comm_rank(c) == 0 ? nccl_make_id(&id) : 0;
  int together = gather_results(c, all, own, at);
  if (together != 0) return together;
  comm_broadcast(c, &id, sizeof id);
  own = nccl_join(&group, id, comm_rank(c), comm_size(c));
  while ((together = gather_results(c, all, own, at)) == NCCL_IN_PROGRESS) {
    usleep(1000);
    if (own == NCCL_IN_PROGRESS) own = nccl_result(group);
  }
  if (together == 0) return 0;
  nccl_abort(group);
  group = NULL;
  return together;
}

bool comm_join_devices(comm *c, uint64_t *all, uint64_t device, char *line, size_t size) {
  int at;
  if (!have_library(c, all, line, size) || !have_devices(c, all, device, line, size)) return false;
  const int failed = group ? 0 : join(c, all, &at);
  if (failed) snprintf(line, size, "NCCL fails on rank %d: %s", at, nccl_text(failed));
  return !failed;
}

cuonn_status comm_exchange_devices(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes,
                                   void *stream) {
  const int result = nccl_exchange(group, comm_size(c), in, in_sizes, out, out_sizes, stream);
  CUONN_CHECK(result == 0, CUONN_E_DEVICE, "NCCL failed in an exchange: %s", nccl_text(result));
  return CUONN_OK;
}

void comm_leave_devices(void) {
  nccl_leave(group);
  group = NULL;
}
