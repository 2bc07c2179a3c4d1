/* Finds out whether this process is one of several. */
#include "comm/comm.h"

#include <stdlib.h>

#include "base/error.h"
#include "comm/one.h"
#include "comm/world.h"

/* How many processes were started together, as what started them says: Open MPI's mpirun, MPICH's, srun. */
static long told_size(const char **variable) {
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *const text = getenv(names[i]);
    *variable = names[i];
    if (text) return strtol(text, NULL, 10);
  }
  return 1;
}

cuonn_status comm_open(comm **out, bool alone) {
  const char *variable;
  const long told = alone ? 1 : told_size(&variable);
  *out = NULL;
  if (told <= 1) {
    *out = comm_open_one();
    return CUONN_OK;
  }
#ifdef CUONN_MPI
  *out = comm_open_world();
  CUONN_CHECK(*out, CUONN_E_ARGUMENT,
              "this MPI was built for programs of one thread; use one with MPI_THREAD_SERIALIZED");
  if ((*out)->size == told) return CUONN_OK;
  const int size = (*out)->size;
  (*out)->close(*out);
  *out = NULL;
  return cuonn_fail(
      CUONN_E_ARGUMENT,
      "%s says that this is one of %ld processes, but MPI knows of %d; start it with the mpirun of the MPI "
      "that it was built with, or for Slurm with srun --mpi=pmix or --mpi=pmi2",
      variable, told, size);
#else
  return cuonn_fail(
      CUONN_E_ARGUMENT,
      "%s says that this is one of %ld processes, but this build has no MPI; build with -DCUONN_MPI=ON, or "
      "give each process its --part of a sweep; processes that have nothing in common are started without that "
      "variable",
      variable, told);
#endif
}

int comm_rank(const comm *c) { return c->rank; }

int comm_size(const comm *c) { return c->size; }

int comm_processors(const comm *c) { return c->processors; }

int comm_neighbor(const comm *c) { return c->neighbor; }

int comm_neighbors(const comm *c) { return c->neighbors; }

void comm_broadcast(comm *c, void *bytes, size_t size) { c->broadcast(c, bytes, size); }

void comm_gather(comm *c, uint64_t *all, uint64_t own) { c->gather(c, all, own); }

void comm_exchange(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  c->exchange(c, in, in_sizes, out, out_sizes);
}

uint64_t comm_next(comm *c) { return c->next(c); }

void comm_poll(comm *c) { c->poll(c); }

void comm_abort(comm *c, int code) { c->abort(c, code); }

void comm_close(comm *c) {
  if (c) c->close(c);
}
