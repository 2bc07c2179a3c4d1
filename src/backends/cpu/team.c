#include "cpu/team.h"

enum { kSpins = 20000 }; /* some ten microseconds: a thread that sleeps is late by more in a virtual machine */

void cpu_team_create(cpu_team *team) {
  *team = (cpu_team){.mutex = PTHREAD_MUTEX_INITIALIZER, .everyone = PTHREAD_COND_INITIALIZER};
}

void cpu_team_destroy(cpu_team *team) {
  pthread_cond_destroy(&team->everyone);
  pthread_mutex_destroy(&team->mutex);
}

void cpu_team_meet(cpu_team *team) {
  const unsigned round = team->round; /* cannot end before this thread is counted */
  pthread_mutex_lock(&team->mutex);
  if (++team->here == team->size) {
    team->here = 0;
    team->round++;
    pthread_cond_broadcast(&team->everyone);
  }
  pthread_mutex_unlock(&team->mutex);
  for (int i = 0; i < kSpins; i++) {
    if (team->round != round) return;
  }
  pthread_mutex_lock(&team->mutex);
  while (team->round == round) pthread_cond_wait(&team->everyone, &team->mutex);
  pthread_mutex_unlock(&team->mutex);
}
