/* The same of an odd number of waveguides, whose fields kernels cannot use where they lie. */
#define HANDLE_MODES 5
#include "model.c"
