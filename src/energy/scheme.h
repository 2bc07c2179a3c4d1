/* Passes of an operation: what is sent, read and lit in them. */
#ifndef CUONN_ENERGY_SCHEME_H
#define CUONN_ENERGY_SCHEME_H

#include "cuonn/energy.h"

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

/* Readings that a tap's readout is paid for: once per batch, or once per vector. */
double energy_tap_readings(const cuonn_energy_options *o);

/* Three products of M N^2 elements that a measured matrix leaves to digital electronics, J. */
double energy_of_products(const cuonn_energy_options *o);

#endif
