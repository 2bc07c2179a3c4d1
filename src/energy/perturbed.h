/* A training step of a network of equal meshes whose gradients come from the losses of moved phases. */
#ifndef CUONN_ENERGY_PERTURBED_H
#define CUONN_ENERGY_PERTURBED_H

#include "cuonn/energy.h"

/* Forward passes of the batch through all layers in a step. */
double energy_perturbed_passes(const cuonn_energy_options *o, double layers, const cuonn_training_options *training);

/* Vectors of a pass: the examples, or unit vectors if matrices are read. */
double energy_perturbed_vectors(const cuonn_energy_options *o);

/* Phases that are written in a step. */
double energy_perturbed_writes(const cuonn_energy_options *o, double layers, const cuonn_training_options *training);

/* With a batch of o->batch, eq. 28 and 29. */
cuonn_energy_cost energy_perturbed_step(const cuonn_energy_options *o, double layers,
                                        const cuonn_training_options *training);

/* M*, examples whose light takes as long as writing; infinite if no batch has more light than another. */
double energy_perturbed_balance(const cuonn_energy_options *o, double layers, const cuonn_training_options *training);

#endif
