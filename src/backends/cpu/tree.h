/* Sums over the chunks of a batch, in an order that is a function of their number alone: neighbours in pairs, then
 * neighbouring pairs, and so on; one that has no neighbour goes up as it is. */
#ifndef CPU_TREE_H
#define CPU_TREE_H

#include <stddef.h>

enum { kMostChunks = 16 }; /* of a batch */

/* Arrays of numbers, one for each of n chunks. */
typedef struct {
  char *first;   /* the first of [n] */
  size_t stride; /* bytes from one to the next */
  size_t count;  /* numbers of each */
  size_t width;  /* bytes of a number: of a double or a float */
} cpu_terms;

/* Chunks first .. end - 1 of all. */
typedef struct {
  size_t first, end;
} cpu_chunks;

/* Numbers from .. from + count - 1 of those chunks of n: adds what the tree over all n adds of them alone. The sum of a
 * subtree is left in its first chunk; that of all in the first. */
void cpu_tree_add(const cpu_terms *terms, size_t from, size_t count, size_t n, cpu_chunks of);

/* The sum of one number of each of n chunks, which lie `step` apart and stay as they are. */
double cpu_tree_total(const double *values, size_t step, size_t n);

/* Behind the largest subtree that begins with a chunk and lies in `of`. */
size_t cpu_tree_root_end(size_t chunk, size_t n, cpu_chunks of);

/* The rest of the tree: each chunk is one of `owners` [n]; what those of one owner add alone is done, and left at
 * parts [n]: [count] at the first chunk of each such subtree. The sum of all is left in the first. */
void cpu_tree_add_rest(char *const *parts, size_t count, size_t width, size_t n, const size_t *owners);

#endif
