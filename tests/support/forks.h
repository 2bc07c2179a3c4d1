/* Processes that are forked, and may wait for each other. */
#ifndef CUONN_TESTS_FORKS_H
#define CUONN_TESTS_FORKS_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/close.h"

/* Forks so many, which end with this one. Returns the rank in each of them, here their number. */
static inline size_t forks_begin(pid_t *ids, size_t size) {
  for (size_t r = 0; r < size; r++) {
    ids[r] = fork();
    assert_true(ids[r] >= 0);
    if (ids[r] > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return r;
  }
  return size;
}

/* Waits for all. Where one ends with another status than 0, the others are killed, which may wait for it. Returns its
 * rank, or their number. */
static inline size_t forks_end(pid_t *ids, size_t size) {
  size_t failed = size;
  for (size_t left = size; left > 0; left--) {
    int status;
    const pid_t id = wait(&status);
    for (size_t r = 0; r < size; r++) {
      if (ids[r] != id) continue;
      ids[r] = 0;
      if (status != 0 && failed == size) failed = r;
    }
    for (size_t r = 0; failed < size && r < size; r++) {
      if (ids[r] > 0) kill(ids[r], SIGKILL);
    }
  }
  return failed;
}

#endif
