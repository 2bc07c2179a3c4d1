/* From the phases that are programmed to those that a chip applies. */
#ifndef CUONN_REFERENCE_PROGRAM_H
#define CUONN_REFERENCE_PROGRAM_H

#include "reference/state.h"

/* What the chip makes of the phases of a layer. */
void reference_apply(const reference_model *m, size_t layer);

/* The same of all layers becomes the network that computes. */
void reference_program(reference_state *s, const reference_model *m);

#endif
