/* Voltages of phase shifters whose phase is offset + slope V^2. eq. 32b of docs/physics.md. */
#ifndef CUONN_CHIP_DRIVE_H
#define CUONN_CHIP_DRIVE_H

#include <stdbool.h>

#include "cuonn/fabricated.h"

/* V^2 that sets a phase, moved by whole periods so that it is the least that the driver can give. false: it can give
 * none, and *square is that of the end of its range which is nearer around the period. */
bool drive_square(double *square, const cuonn_driver *driver, double offset, double slope, double phase, double period);

/* The voltage that a driver gives for this V^2: the nearest of those that it has, ties to even. */
double drive_voltage(const cuonn_driver *driver, double square);

#endif
