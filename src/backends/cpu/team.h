/* Where the threads of a team wait for each other: a short spin, then sleep.
 *
 * OpenMP's own barrier spins for milliseconds by default, which takes a processor from the very thread that it waits
 * for where other programs run: on two processors that others kept busy a step took 10 ms, and with this 3 to 5 ms. */
#ifndef CPU_TEAM_H
#define CPU_TEAM_H

#include <pthread.h>

typedef struct {
  pthread_mutex_t mutex;
  pthread_cond_t everyone;
  int size, here;
  _Atomic unsigned round; /* meetings that are over */
} cpu_team;

void cpu_team_create(cpu_team *team);
void cpu_team_destroy(cpu_team *team);
/* Returns when `size` threads have called it. */
void cpu_team_meet(cpu_team *team);

#endif
