/* Which dimension of a file is which of ours, by their names. */
#ifndef CUONN_RESULTS_NAMES_H
#define CUONN_RESULTS_NAMES_H

#include "results/container.h"

/* Finds the order of a variable's dimensions: from[d] is the place in the file of the dimension d of `variable`. Names
 * that are a permutation of ours may stand in any order. Names that are not ours count by their place; beside them each
 * of ours must stand where it belongs. Case, and an s at the end, do not count.
 * @param ids  [rank] of libnetcdf, in the file's order; the rank is that of `variable`
 * @return CUONN_OK; CUONN_E_DATA, with what was found and what must stand there, if a name is twice there, or is ours
 * for another dimension */
cuonn_status results_order(size_t from[RESULTS_RANK], const results_file *file, const results_variable *variable,
                           const int *ids);

/* Brings an array, whose lengths are given in the file's order, into ours: to[i][j]... = from[i of order[0]]... */
void results_reorder(void *to, const void *from, size_t element, size_t rank, const size_t *lengths,
                     const size_t *order);

#endif
