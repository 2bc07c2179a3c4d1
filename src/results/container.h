/* netCDF files as a whole: our trailer, reading ours and foreign ones, and making new ones in memory. */
#ifndef CUONN_RESULTS_CONTAINER_H
#define CUONN_RESULTS_CONTAINER_H

#include "cuonn/status.h"
#include "results/variable.h"

/* An open netCDF file. */
typedef struct {
  const char *path;    /* of the caller, for messages */
  int id;              /* of libnetcdf; -1: not open */
  bool rehearsed_here; /* whether this is the child process */
} results_file;

/* Reads what it wants from an open file into `user`. It may be called twice, the first time in a child process whose
 * results are lost: all it may change is what `user` points to. */
typedef cuonn_status (*results_reader)(void *user, const results_file *file);

/* Opens a file and calls the reader.
 * A file with our trailer is checked against its hash first, and the header of every classic one is followed. What is
 * not of our own making is read by a child process first, whose death, or some seconds of work without an end, is
 * CUONN_E_DATA: libnetcdf and libhdf5 can crash on a damaged one. CUONN_E_INTERRUPTED after cuonn_request_stop(). */
cuonn_status results_read(const char *path, results_reader reader, void *user);

/* The same of a file that other programs make: one of another kind, such as .npy, is refused with the lines that make
 * netCDF of it.
 * @param forms  [n_forms] the variables that the reader must find */
cuonn_status results_read_variables(const char *path, const results_variable *forms, size_t n_forms,
                                    results_reader reader, void *user);

/* Says that so many bytes are about to be read from an open file: the child may work longer. */
void results_expect(const results_file *file, size_t bytes);

/* Begins a new file in memory. `title` says what it holds. */
cuonn_status results_create(results_file *out, const char *path, const char *title);

/* Appends the trailer and writes the file to its path. The file is closed, also on failure. */
cuonn_status results_commit(results_file *file);

/* The same for a file that several programs may make: the first stays. *first: whether this is it. */
cuonn_status results_commit_first(bool *first, results_file *file);

/* Forgets a file that was not committed; nothing to do for one that was. */
void results_abandon(results_file *file);

/* Text of a failure of libnetcdf. */
cuonn_status results_netcdf_fail(cuonn_status status, const results_file *file, const char *what, int code);

#endif
