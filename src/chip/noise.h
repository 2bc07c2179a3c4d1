/* Noise of readings: fields at the ends of a mesh, powers at its taps. eq. 34 and 35 of docs/physics.md.
 * A draw depends on its seed and place alone, so that every backend, thread and order has the same. Places are counted
 * in 32 bits: a batch of more than 2^32 amplitudes would have the same noise again. */
#ifndef CUONN_CHIP_NOISE_H
#define CUONN_CHIP_NOISE_H

#include "base/random.h"
#include "cuonn/chip.h"

/* What a reading is for. */
typedef enum { CHIP_TRAINING, CHIP_MEASUREMENT, CHIP_TEST } chip_use;

/* Readings of one layer at one step, in one of the passes that are read there for the same use. */
typedef struct {
  const cuonn_chip_options *chip;
  chip_use use;
  uint32_t layer, step, pass;
} chip_reading;

/* Whether fields are read without error. */
bool chip_reads_exactly(const cuonn_chip_options *chip);

/* What a draw depends on besides its seed and place. Where all share one, it is that of training and of layer 0. */
random_purpose chip_read_purpose(cuonn_noise_draw draw, chip_use use); /* of fields that are read */
bool chip_noise_has_steps(const cuonn_chip_options *chip);
bool chip_noise_has_layers(const cuonn_chip_options *chip);
/* A frozen error of a detector is the same for every example; the matrix keeps an error for each element. */
bool chip_noise_has_examples(const cuonn_chip_options *chip);

/* Where the draws of one layer's readings stand; their indices are those of the two functions below. */
random_place chip_read_place(const chip_reading *reading);
random_place chip_tap_place(const chip_reading *reading);

/* Complex factor between a field and what is read of it. example: of a batch, or the unit vector of a matrix. */
void chip_read_factor(double factor[2], const chip_reading *reading, size_t example, size_t waveguide, size_t n_modes);

/* Two unit normals for the taps of theta and phi of a node, or, counted on behind the nodes, of an output. */
void chip_tap_normals(double normals[2], const chip_reading *reading, size_t place);

#endif
