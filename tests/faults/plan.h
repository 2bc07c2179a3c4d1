/* What shall happen in a run under shim.c, and what did: a file that campaign.py writes, and reads when the run is
 * over. */
#ifndef CUONN_TESTS_FAULTS_PLAN_H
#define CUONN_TESTS_FAULTS_PLAN_H

#include <stdint.h>

/* Kinds of calls that are counted. */
enum {
  PLAN_FILES = 1,   /* of the system */
  PLAN_BYTES = 2,   /* those of them that read and write */
  PLAN_MEMORY = 4,  /* of malloc and its like */
  PLAN_OWN = 8,     /* those of them that the program makes itself, or the C library for it */
  PLAN_OTHERS = 16, /* those that other libraries make */
  PLAN_CLOCK = 32   /* what time it is, asked by the program itself */
};

/* What a call that is hit does. */
enum {
  PLAN_ONCE = 0,  /* fails; all others do their work */
  PLAN_STAY = 1,  /* fails, and so do all after it */
  PLAN_HALF = 2,  /* reads and writes move half of the bytes; all others do their work */
  PLAN_EINTR = 3, /* reads and writes say that a signal came; all others do their work */
  PLAN_KILL = 4   /* the program is killed before it */
};

enum { PLAN_BEGINNING = 1700000000 }; /* seconds at which a run's time begins */

/* In the order and the sizes of `Plan` in campaign.py. */
typedef struct {
  uint64_t at;    /* number of the call that is hit, 1 the first; 0: none */
  uint32_t kinds; /* kinds that are counted */
  uint32_t how;
  uint64_t calls;    /* counted so far */
  uint64_t looks;    /* at the clock */
  uint64_t hit;      /* calls that were hit */
  char name[32];     /* of the last of them */
  char objects[512]; /* loaded, on its stack, innermost first, parted by spaces */
} plan;

#endif
