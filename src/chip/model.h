/* Pieces of the energy model, in joules and seconds; eq. counts in docs/energy.md. Options are checked already. */
#ifndef CUONN_CHIP_MODEL_H
#define CUONN_CHIP_MODEL_H

#include "cuonn/energy.h"

/* Electricity of one conversion with converter_bits, J, eq. 2 and 3. */
double chip_dac_energy(const cuonn_energy_options *o);
double chip_adc_energy(const cuonn_energy_options *o);

/* e_IO, conversions and amplification of one mode in one pass, J, eq. 1. */
double chip_mode_energy(const cuonn_energy_options *o);

/* Readouts of a phase shifter's tap that a gradient pays for: once a batch, or once an example. */
double chip_tap_batches(const cuonn_energy_options *o);

/* Light of one mode and symbol that is detectable: E_L(N) = mesh exp(alpha N) + oscillator, J of electricity, eq. 11. */
typedef struct {
  double mesh;       /* A: without columns */
  double oscillator; /* of the local oscillator, which does not cross the mesh; 0 in direct detection */
  double alpha;      /* loss of a column in nepers of power */
} chip_light;

/* All zero where the laser is not counted; mesh is infinite if not detectable. */
chip_light chip_light_of(const cuonn_energy_options *o);

/* Electricity of the laser for one mode and symbol, J. */
double chip_symbol_energy(const cuonn_energy_options *o);

/* Latencies, s: one pass of the batch through a mesh, and its first symbol alone, eq. 15; reading the taps of a mesh,
 * eq. 16; writing its phases, without their settling, eq. 18. */
double chip_pass_time(const cuonn_energy_options *o);
double chip_fill_time(const cuonn_energy_options *o);
double chip_read_time(const cuonn_energy_options *o);
double chip_write_time(const cuonn_energy_options *o);

/* Sums the parts and sets what follows from the sum; operations must be set, watts are the caller's. */
void chip_sum(cuonn_energy_cost *cost);

/* As cuonn_energy_operation_cost(). */
void chip_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation);

#endif
