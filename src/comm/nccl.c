#include "comm/nccl.h"

#include <dlfcn.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

enum { kOldest = 21400, kBytes = 0 /* ncclInt8 */ };

/* ncclConfig_t of that version. Later ones are longer, and NCCL fills in what they have more. */
typedef struct {
  size_t size;
  unsigned magic, version;
  int blocking, unset; /* the second is in place of its padding */
} config_type;

/* What is used of NCCL, as nccl.h declares it. */
static struct {
  void *library;
  int (*version)(int *version);
  const char *(*text)(int result);
  int (*make_id)(nccl_id *id);
  int (*join)(void **group, int size, nccl_id id, int rank, config_type *config);
  int (*result)(void *group, int *result);
  int (*leave)(void *group);
  int (*abort)(void *group);
  int (*begin)(void);
  int (*end)(void);
  int (*send)(const void *from, size_t count, int type, int peer, void *group, void *stream);
  int (*receive)(void *to, size_t count, int type, int peer, void *group, void *stream);
} nccl;

static bool find(void *function, const char *name) {
  void *const found = dlsym(nccl.library, name);
  memcpy(function, &found, sizeof found);
  return found;
}

static bool find_all(void) {
  return find(&nccl.version, "ncclGetVersion") && find(&nccl.text, "ncclGetErrorString") &&
         find(&nccl.make_id, "ncclGetUniqueId") && find(&nccl.join, "ncclCommInitRankConfig") &&
         find(&nccl.result, "ncclCommGetAsyncError") && find(&nccl.leave, "ncclCommDestroy") &&
         find(&nccl.abort, "ncclCommAbort") && find(&nccl.begin, "ncclGroupStart") && find(&nccl.end, "ncclGroupEnd") &&
         find(&nccl.send, "ncclSend") && find(&nccl.receive, "ncclRecv");
}

int nccl_open(void) {
  int version = 0;
  if (!nccl.library) nccl.library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!nccl.library || !find_all() || nccl.version(&version) != 0 || version < kOldest) return 0;
  return version;
}

const char *nccl_text(int result) { return nccl.text(result); }

int nccl_make_id(nccl_id *id) { return nccl.make_id(id); }

int nccl_join(void **group, nccl_id id, int rank, int size) {
  config_type config = {sizeof config, 0xcafebeef, kOldest, .blocking = 0, .unset = INT_MIN};
  *group = NULL;
  return nccl.join(group, size, id, rank, &config);
}

int nccl_result(void *group) {
  int result = 0;
  const int asked = nccl.result(group, &result);
  return asked ? asked : result;
}

void nccl_leave(void *group) {
  if (group) (void)nccl.leave(group);
}

void nccl_abort(void *group) {
  if (group) (void)nccl.abort(group);
}

static int queue(void *group, int size, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes,
                 void *stream) {
  char *to = in;
  const char *from = out;
  int result = 0;
  for (int r = 0; r < size && result == 0; to += in_sizes[r], from += out_sizes[r], r++) {
    if (out_sizes[r] > 0) result = nccl.send(from, out_sizes[r], kBytes, r, group, stream);
    if (in_sizes[r] > 0 && result == 0) result = nccl.receive(to, in_sizes[r], kBytes, r, group, stream);
  }
  return result;
}

int nccl_exchange(void *group, int size, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes,
                  void *stream) {
  int result = nccl.begin();
  if (result == 0) result = queue(group, size, in, in_sizes, out, out_sizes, stream);
  if (result == 0) result = nccl.end();
  for (; result == NCCL_IN_PROGRESS; result = nccl_result(group)) sched_yield();
  return result;
}
