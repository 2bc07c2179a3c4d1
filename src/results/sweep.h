/* Between the files of a sweep: its directory, the file of one run, the file of all. */
#ifndef CUONN_RESULTS_SWEEP_H
#define CUONN_RESULTS_SWEEP_H

#include "cuonn/files.h"

struct cuonn_sweep_files {
  const cuonn_grid *grid; /* the caller's */
  char *data;             /* what the networks are trained on and begun with; NULL: not known */
  char *directory, *grid_path, *runs, *networks, *merged, *parts;
  int lock, part_lock; /* -1: not held */
  bool shared;         /* other processes have parts of it: of a file of a run, the first stays */
  size_t points;
  cuonn_sweep_result *results; /* [points]; what they point to is owned */
  bool *done;                  /* [points] */
};

/* Takes over the result of a point whose file is there; reads grid and runs of *files. */
cuonn_status sweep_take_run(cuonn_sweep_files *files, size_t point);

#endif
