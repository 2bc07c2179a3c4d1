/* The processes that do one job together: this one alone, or those that mpirun or srun started. An error of MPI ends
 * all of them, with MPI's own message; so do these functions, and there is no status to look at. Threads of a process
 * take turns in calling them. */
#ifndef CUONN_COMM_COMM_H
#define CUONN_COMM_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "comm/way.h"
#include "cuonn/status.h"

/* A comm is the processes as this one sees them; there is one in a process. */

/* Joins the processes, unless `alone`. CUONN_E_ARGUMENT if this is one of several, and the build has no MPI, or another
 * one than that which started them, or one that a single thread may call. Ends with comm_close(). */
cuonn_status comm_open(comm **out, bool alone);

int comm_rank(const comm *c); /* 0 .. size - 1 */
int comm_size(const comm *c);

/* Processors for this process: its share of those that the processes of this machine may use together. */
int comm_processors(const comm *c);

/* Which of the processes of this machine this is, and how many they are. */
int comm_neighbor(const comm *c);
int comm_neighbors(const comm *c);

/* Everybody gets rank 0's bytes. */
void comm_broadcast(comm *c, void *bytes, size_t size);

/* all: [size] what each gave; who has it knows that all others came as far. */
void comm_gather(comm *c, uint64_t *all, uint64_t own);

/* Gives each process its part of `out`, and takes one of each: parts lie one after the other, [size] bytes in in_sizes
 * and out_sizes, less than 2 GiB together. `in` may not overlap `out`. */
void comm_exchange(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes);

/* 0, 1, 2, ...: each number goes to one process. */
uint64_t comm_next(comm *c);

/* To be called now and then by a process that computes, so that others do not wait for it in comm_next(). */
void comm_poll(comm *c);

/* Ends all processes with an exit code; returns where there is one alone. */
void comm_abort(comm *c, int code);

/* Waits for all others. */
void comm_close(comm *c);

#endif
