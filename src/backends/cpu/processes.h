/* Batches and sets that several processes share: each computes some of the chunks, and their sums are sent.
 *
 * Chunks are the same for any number of processes, and so is the tree in which they are added (tree.h). A process adds
 * what the tree adds of its own chunks alone, and sends slices of the few sums that are left, each to the process that
 * adds the rest of the tree there; the totals go to all. All then have the same bits, and go on alike. */
#ifndef CPU_PROCESSES_H
#define CPU_PROCESSES_H

#include <stdint.h>

#include "cpu/team.h"
#include "cpu/tree.h"
#include "cuonn/processes.h"

/* Those that share batches with this one. */
typedef struct {
  cuonn_processes all;          /* zeroed: this one is alone */
  char *in, *out;               /* what is sent and got */
  size_t *in_sizes, *out_sizes; /* [process] bytes */
} cpu_processes;

/* Release with cpu_processes_free(). from: NULL is one process alone. */
cuonn_status cpu_processes_create(cpu_processes *out, const cuonn_processes *from);
void cpu_processes_free(cpu_processes *p);

/* Those of n chunks that this process computes. */
cpu_chunks cpu_own_chunks(const cpu_processes *p, size_t n);

/* p: NULL: alone, too. */
static inline bool cpu_is_alone(const cpu_processes *p) { return !p || p->all.size == 0; }

/* Sums of n chunks, of which each process has its own, added up: the sum of all is then in the first, also for one
 * alone. To be called by all threads of a team, the one that called the library among them, which meet in it. */
void cpu_processes_add(cpu_processes *p, cpu_team *team, const cpu_terms *terms, size_t n);

/* The following are called by the thread that called the library, and do nothing for one process alone. */

/* values: [n] of each chunk; those of the others are filled in. */
void cpu_processes_fill(cpu_processes *p, double *values, size_t n);
/* Counts [n] of what each process found become those of all. */
void cpu_processes_count(cpu_processes *p, uint64_t *counts, size_t n);

#endif
