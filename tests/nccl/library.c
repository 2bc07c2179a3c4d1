/* In place of NCCL's library: what src/comm/nccl.c calls, for processes of one machine, in shared memory. It refuses
 * what NCCL refuses: calls outside a group, and parts that the other side counts otherwise. Joining and exchanges are
 * done when ncclCommGetAsyncError() says so, never before. Of the environment,
 *   STAND_IN_VERSION  is its version
 *   STAND_IN_FAILS    "WHAT RANK" says where it fails: "id 0", "join 1" at once, "joining 1" later, "exchange 1" the
 *                     third time; the others are not told */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kMost = 8, kRoom = 1 << 16, kCalls = 2 * kMost };
enum { kDone = 0, kSystemError = 2, kInvalidArgument = 4, kInvalidUsage = 5, kInProgress = 7 };

typedef struct {
  char bytes[128];
} id_type;

typedef struct {
  _Atomic int joined, here, turn, wrong;
  size_t counts[kMost][kMost];
  char bytes[kMost][kMost][kRoom];
} shared;

typedef struct {
  size_t size;
  unsigned magic, version;
  int blocking;
} config_type;

typedef struct {
  shared *with;
  int rank, size;
} group_type;

static struct {
  const void *from;
  void *to; /* NULL: sent */
  size_t count;
  int peer;
  group_type *group;
} calls[kCalls];
static int n_calls, depth;
static bool sent; /* what the group sends; what it receives is still to be copied */

int ncclGetUniqueId(id_type *id);
int ncclGetVersion(int *version);
int ncclCommInitRankConfig(group_type **group, int size, id_type id, int rank, config_type *config);
int ncclCommGetAsyncError(group_type *group, int *result);
int ncclCommAbort(group_type *group);
int ncclCommDestroy(group_type *group);
int ncclGroupStart(void);
int ncclGroupEnd(void);
int ncclSend(const void *from, size_t count, int type, int peer, group_type *group, void *stream);
int ncclRecv(void *to, size_t count, int type, int peer, group_type *group, void *stream);
const char *ncclGetErrorString(int result);

static void meet(const group_type *g) {
  const int turn = g->with->turn;
  if (++g->with->here == g->size) {
    g->with->here = 0;
    g->with->turn++;
  }
  while (g->with->turn == turn) sched_yield();
}

static bool fails(const char *what, int rank) {
  const char *const where = getenv("STAND_IN_FAILS");
  char own[32];
  snprintf(own, sizeof own, "%s %d", what, rank);
  return where && strcmp(where, own) == 0;
}

int ncclGetVersion(int *version) {
  const char *const text = getenv("STAND_IN_VERSION");
  *version = text ? atoi(text) : 22809;
  return kDone;
}

/* A file without a name, which ends with its processes. */
int ncclGetUniqueId(id_type *id) {
  const int file = memfd_create("cuonn-nccl", MFD_CLOEXEC);
  memset(id, 0, sizeof *id);
  snprintf(id->bytes, sizeof id->bytes, "/proc/%ld/fd/%d", (long)getpid(), file);
  return fails("id", 0) || file < 0 || ftruncate(file, sizeof(shared)) != 0 ? kSystemError : kDone;
}

int ncclCommInitRankConfig(group_type **group, int size, id_type id, int rank, config_type *config) {
  static group_type only;
  if (config->size < sizeof *config || config->magic != 0xcafebeef || config->version < 21400 || config->blocking)
    return kInvalidArgument;
  if (fails("join", rank)) return kSystemError;
  const int file = open(id.bytes, O_RDWR | O_CLOEXEC);
  if (size > kMost || file < 0) return kSystemError;
  only.with = mmap(NULL, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  only.rank = rank;
  only.size = size;
  close(file);
  if (only.with == MAP_FAILED) return kSystemError;
  *group = &only;
  if (!fails("joining", rank)) only.with->joined++;
  return kInProgress;
}

int ncclCommDestroy(group_type *group) { return munmap(group->with, sizeof(shared)) == 0 ? kDone : kSystemError; }

int ncclCommAbort(group_type *group) {
  sent = false;
  n_calls = 0;
  return munmap(group->with, sizeof(shared)) == 0 ? kDone : kSystemError;
}

int ncclGroupStart(void) {
  depth++;
  return kDone;
}

static int call(const void *from, void *to, size_t count, int type, int peer, group_type *group) {
  if (depth == 0) return kInvalidUsage;
  if (type != 0 || count > kRoom || peer < 0 || peer >= group->size || n_calls == kCalls) return kInvalidArgument;
  calls[n_calls].from = from;
  calls[n_calls].to = to;
  calls[n_calls].count = count;
  calls[n_calls].peer = peer;
  calls[n_calls++].group = group;
  return kDone;
}

int ncclSend(const void *from, size_t count, int type, int peer, group_type *group, void *stream) {
  (void)stream;
  return call(from, NULL, count, type, peer, group);
}

int ncclRecv(void *to, size_t count, int type, int peer, group_type *group, void *stream) {
  (void)stream;
  return call(NULL, to, count, type, peer, group);
}

/* Here every process of a group calls it as often as the others. */
int ncclGroupEnd(void) {
  static int ended;
  if (--depth > 0 || n_calls == 0) return kDone;
  const group_type *const g = calls[0].group;
  shared *const with = g->with;
  if (++ended == 3 && fails("exchange", g->rank)) return kSystemError;
  memset(with->counts[g->rank], 0, sizeof with->counts[g->rank]);
  for (int i = 0; i < n_calls; i++) {
    if (calls[i].to) continue;
    memcpy(with->bytes[g->rank][calls[i].peer], calls[i].from, calls[i].count);
    with->counts[g->rank][calls[i].peer] = calls[i].count;
  }
  sent = true;
  return kInProgress;
}

static int receive(const group_type *g) {
  shared *const with = g->with;
  size_t got[kMost] = {0};
  meet(g);
  for (int i = 0; i < n_calls; i++) {
    if (!calls[i].to) continue;
    memcpy(calls[i].to, with->bytes[calls[i].peer][g->rank], calls[i].count);
    got[calls[i].peer] = calls[i].count;
  }
  for (int r = 0; r < g->size; r++) {
    if (got[r] != with->counts[r][g->rank]) with->wrong = 1; /* NCCL would wait for ever */
  }
  meet(g);
  n_calls = 0;
  sent = false;
  return with->wrong ? kInvalidArgument : kDone;
}

int ncclCommGetAsyncError(group_type *group, int *result) {
  const bool joined = group->with->joined == group->size;
  if (fails("joining", group->rank))
    *result = kSystemError;
  else if (!joined)
    *result = kInProgress;
  else
    *result = sent ? receive(group) : kDone;
  return kDone;
}

const char *ncclGetErrorString(int result) {
  switch (result) {
    case kSystemError: return "unhandled system error";
    case kInvalidArgument: return "invalid argument";
    default: return "another error";
  }
}
