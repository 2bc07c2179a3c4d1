/* The directory of a run and the files in it stand for each other: a command finds the one that it reads. */
#ifndef CUONN_CLI_FIND_H
#define CUONN_CLI_FIND_H

#include <stdbool.h>

/* What a command reads. */
typedef enum {
  CLI_FIND_FILE,      /* the very file that is named */
  CLI_FIND_NETWORK,   /* best.nc of a run, or last.nc if no epoch was finished */
  CLI_FIND_METRICS,   /* metrics.csv of a run */
  CLI_FIND_DIRECTORY, /* the directory of a run or a sweep */
  CLI_FIND_RESULTS    /* the same; sweep.nc, which has all numbers, stands for itself */
} cli_find_kind;

/* Finds what a path means: the directory of a run stands for the file in it where a file is read, and any file of a run
 * or a sweep for their directory where that is read. All else stands for itself, also what is not there. A directory
 * without such a file is refused, printed.
 *  out  release with free(); NULL on failure */
int cli_find(char **out, const char *path, cli_find_kind kind);

/* Whether a directory holds something of that name. */
bool cli_find_has(const char *directory, const char *name);

#endif
