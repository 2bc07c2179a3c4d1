#include "comm/world.h"

#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static MPI_Win window;
static uint64_t *counter; /* of rank 0 */
static int *places;       /* [4][size] where parts are and how long, of comm_exchange() */

/* Counts of MPI are int. */
static void broadcast(comm *c, void *bytes, size_t size) {
  enum { kMost = 1 << 30 };
  (void)c;
  for (size_t done = 0; done < size; done += kMost) {
    const size_t left = size - done;
    MPI_Bcast((char *)bytes + done, left < kMost ? (int)left : kMost, MPI_BYTE, 0, MPI_COMM_WORLD);
  }
}

static void gather(comm *c, uint64_t *all, uint64_t own) {
  (void)c;
  MPI_Allgather(&own, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, MPI_COMM_WORLD);
}

static void find_places(int *at, int *length, const size_t *sizes, int n) {
  for (int r = 0, end = 0; r < n; end += length[r++]) {
    at[r] = end;
    length[r] = (int)sizes[r];
  }
}

static void exchange(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  int *const in_at = places, *const in_length = in_at + c->size;
  int *const out_at = in_length + c->size, *const out_length = out_at + c->size;
  find_places(in_at, in_length, in_sizes, c->size);
  find_places(out_at, out_length, out_sizes, c->size);
  MPI_Alltoallv(out, out_length, out_at, MPI_BYTE, in, in_length, in_at, MPI_BYTE, MPI_COMM_WORLD);
}

static uint64_t next(comm *c) {
  const uint64_t one = 1;
  uint64_t got = 0;
  (void)c;
  MPI_Fetch_and_op(&one, &got, MPI_UINT64_T, 0, 0, MPI_SUM, window);
  MPI_Win_flush(0, window);
  return got;
}

/* Where the network cannot add by itself, MPI does it for others whenever it is called. */
static void poll_others(comm *c) {
  int found;
  (void)c;
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
}

static void end(comm *c, int code) {
  (void)c;
  MPI_Abort(MPI_COMM_WORLD, code);
}

static void leave(comm *c) {
  (void)c;
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
  free(places);
  MPI_Finalize();
}

/* Launchers may have bound processes to processors, or not; those of one machine share what they may use together. */
static void look_around(comm *c) {
  cpu_set_t own, all;
  MPI_Comm machine;
  CPU_ZERO(&own);
  sched_getaffinity(0, sizeof own, &own);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_rank(machine, &c->neighbor);
  MPI_Comm_size(machine, &c->neighbors);
  MPI_Allreduce(&own, &all, (int)sizeof own, MPI_BYTE, MPI_BOR, machine);
  MPI_Comm_free(&machine);
  const int share = CPU_COUNT(&all) / c->neighbors, most = CPU_COUNT(&own);
  c->processors = share < 1 ? 1 : share < most ? share : most;
}

comm *comm_open_world(void) {
  static comm world = {broadcast, gather, exchange, next, poll_others, end, leave, 0, 1, 1, 0, 1};
  int support;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &support);
  if (support < MPI_THREAD_SERIALIZED) {
    MPI_Finalize();
    return NULL;
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world.size);
  look_around(&world);
  places = calloc(4 * (size_t)world.size, sizeof *places);
  if (!places) MPI_Abort(MPI_COMM_WORLD, 4); /* no memory: as of the library's errors */
  MPI_Win_allocate(world.rank == 0 ? sizeof *counter : 0, sizeof *counter, MPI_INFO_NULL, MPI_COMM_WORLD, &counter,
                   &window);
  MPI_Win_lock_all(0, window);
  if (world.rank == 0) *counter = 0;
  MPI_Win_sync(window);
  MPI_Barrier(MPI_COMM_WORLD);
  return &world;
}
