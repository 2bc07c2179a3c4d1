/* Where fields are kept on meshes that lose light. The way back undoes nodes, which amplifies rounding as much as the
 * nodes attenuated: after SEGMENT_LOSS, which doubles the rounding of an amplitude at most, the fields on the way out
 * are kept instead, and the way back begins anew from them. A column that alone attenuates more is a segment of its
 * own. */
#ifndef CUONN_MESH_SEGMENTS_H
#define CUONN_MESH_SEGMENTS_H

#include <stddef.h>

#define SEGMENT_LOSS 6.0 /* dB */

/* Divides columns of nodes, of which one node attenuates or amplifies by `loss` [n_columns] dB at most.
 * starts: [n_columns] number of the segment that begins there, -1 if none does. Returns the number of segments. */
size_t segments_divide(int *starts, const double *loss, size_t n_columns);

#endif
