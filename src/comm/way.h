/* What a way to reach other processes is: a table of functions (comm.h says what each promises). */
#ifndef CUONN_COMM_WAY_H
#define CUONN_COMM_WAY_H

#include <stddef.h>
#include <stdint.h>

typedef struct comm comm;

struct comm {
  void (*broadcast)(comm *c, void *bytes, size_t size);
  void (*gather)(comm *c, uint64_t *all, uint64_t own);
  void (*exchange)(comm *c, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes);
  uint64_t (*next)(comm *c);
  void (*poll)(comm *c);
  void (*abort)(comm *c, int code);
  void (*close)(comm *c);
  int rank, size, processors;
  int neighbor, neighbors; /* rank and size among the processes of this machine */
};

#endif
