/* Pieces of the energy model, in joules and seconds; eq. counts in docs/energy.md. Options are checked already. */
#ifndef CUONN_ENERGY_MODEL_H
#define CUONN_ENERGY_MODEL_H

#include "cuonn/energy.h"

/* Electricity of one conversion with converter_bits, J, eq. 2 and 3. */
double energy_dac_energy(const cuonn_energy_options *o);
double energy_adc_energy(const cuonn_energy_options *o);

/* c_q E_in and c_q E_out: sending and reading one mode in a pass, J; their sum is e_IO, eq. 1. symbols: for which
 * modulators and photodiodes are on. */
double energy_send_energy(const cuonn_energy_options *o, double symbols);
double energy_read_energy(const cuonn_energy_options *o, double symbols);

/* One pass: what it takes for each vector. */
typedef struct {
  double light; /* in that of one symbol of a forward pass */
  size_t sends, mixes;
  bool reads, taps; /* at the outputs; at the phase shifters */
} energy_pass;

/* Most passes that an operation has. */
enum { kMostPasses = 4 };

/* The passes of an operation in their order, and how often a tap is read out in all of them. */
typedef struct {
  size_t n_passes;
  energy_pass pass[kMostPasses];
  size_t readouts;
} energy_passes;

const energy_passes *energy_passes_of(const cuonn_energy_options *o, cuonn_energy_operation operation);

/* Symbols for which each vector of a pass is held. */
double energy_held_symbols(const cuonn_energy_options *o, const energy_pass *pass);

/* Symbols for which all passes send, and for which all read, a vector. */
typedef struct {
  double sends, reads;
} energy_lit;

energy_lit energy_lit_symbols(const cuonn_energy_options *o, cuonn_energy_operation operation);

/* Vectors that each pass of an operation sends: the examples, or the unit vectors of a measured matrix. */
double energy_vectors(const cuonn_energy_options *o, cuonn_energy_operation operation);

/* Readings that a tap's readout is paid for: once a batch, or once a vector. */
double energy_tap_readings(const cuonn_energy_options *o);

/* N^2, phase shifters of a mesh with those of its outputs: as many as are heated, tapped, read and written. A path
 * meets a share 1 / N of them, one a column. */
double energy_shifters(double n_modes);

/* P_hold, mean power of a phase shifter, W, eq. 25. */
double energy_holding_power(const cuonn_energy_options *o, double n_modes);

/* Three products of M N^2 elements that a measured matrix leaves to digital electronics, J. */
double energy_product_energy(const cuonn_energy_options *o);

/* Light of one mode and symbol that is detectable: E_L(N) = mesh exp(alpha N) + oscillator, J of electricity, eq. 11. */
typedef struct {
  double mesh;       /* A: without columns */
  double oscillator; /* of the local oscillator, which does not cross the mesh; 0 in direct detection */
  double alpha;      /* loss of a column in nepers of power */
} energy_light;

/* All zero where the laser is not counted; mesh is infinite if not detectable. */
energy_light energy_light_of(const cuonn_energy_options *o);

/* Electricity of the laser for one mode and symbol, J. */
double energy_symbol_energy(const cuonn_energy_options *o);

/* Latencies, s: the first symbol of a pass, eq. 15; those behind it, of all vectors; all passes of an operation; reading the
 * taps of a mesh, eq. 16; writing its phases, without their settling, eq. 18. */
double energy_fill_time(const cuonn_energy_options *o);
double energy_symbols_time(const cuonn_energy_options *o, const energy_pass *pass, double vectors);
double energy_passes_time(const cuonn_energy_options *o, cuonn_energy_operation operation);
double energy_read_time(const cuonn_energy_options *o);
double energy_write_time(const cuonn_energy_options *o);

/* Sums the parts and sets what follows from the sum; operations must be set, watts are the caller's. */
void energy_sum(cuonn_energy_cost *cost);

/* As cuonn_energy_operation_cost(). */
void energy_operation_cost(cuonn_energy_cost *out, const cuonn_energy_options *o, cuonn_energy_operation operation);

#endif
