/* Random numbers on the device: the integers of src/base/random.c, and its normals up to the last bits of log, sine and
 * cosine, in double. A number depends on its place alone, so that threads draw them in any order. */
#ifndef CUONN_KERNELS_NOISE_H
#define CUONN_KERNELS_NOISE_H

#include <Random123/philox.h>
#include <stdint.h>

#include "device.h"
#include "reader.h"

DEVICE double uniform_of(uint32_t high, uint32_t low) { /* in (0, 1), 52 bits */
  const uint64_t word = (static_cast<uint64_t>(high) << 32 | low) >> 12;
  return (static_cast<double>(word) + 0.5) * 0x1p-52;
}

/* Two independent unit normals (Box and Muller). */
DEVICE double2 unit_normals(uint64_t seed, unsigned purpose, unsigned layer, unsigned step, unsigned index) {
  const philox4x32_ctr_t counter = {{index, step, layer, purpose}};
  const philox4x32_key_t key = {{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}};
  const philox4x32_ctr_t r = philox4x32(counter, key);
  const double radius = sqrt(-2 * log(uniform_of(r.v[0], r.v[1])));
  const double angle = 6.283185307179586 * uniform_of(r.v[2], r.v[3]);
  double s, c;
  sincos(angle, &s, &c);
  return make_double2(radius * c, radius * s);
}

/* Of a chip's readings. */
DEVICE double2 reading_normals(const chip_reader &reader, unsigned purpose, unsigned layer, unsigned step,
                               unsigned place) {
  return unit_normals(reader.seed, purpose, reader.has_layers ? layer : 0, reader.has_steps ? step : 0, place);
}

/* Error of a reading, by which the field is multiplied: chip_read_factor() of src/chip/noise.c. place: of the example,
 * if the reader has those, and the waveguide. */
DEVICE double2 drawn_factor(const chip_reader &reader, reading_use use, unsigned layer, unsigned step, unsigned place) {
  const double2 normal = reading_normals(reader, reader.purposes[use], layer, step, place);
  const double amplitude = fabs(1 + reader.io_amplitude * normal.x);
  double s, c;
  sincos(3.141592653589793 * reader.io_phase * normal.y, &s, &c);
  return make_double2(amplitude * c, amplitude * s);
}
/* The same, drawn here or before. */
DEVICE double2 reading_factor(const chip_reader &reader, reading_use use, unsigned layer, unsigned step,
                              unsigned example, unsigned waveguide, unsigned n_modes) {
  if (reader.io_amplitude == 0 && reader.io_phase == 0) return make_double2(1, 0);
  const unsigned place = (reader.has_examples ? example : 0) * n_modes + waveguide;
  if (!reader.frozen[use]) return drawn_factor(reader, use, layer, step, place);
  return reader.frozen[use][static_cast<size_t>(layer) * (reader.has_examples ? n_modes : 1) * n_modes + place];
}

/* For the taps of theta and phi of a node, or of an output; outputs are numbered after the nodes. */
DEVICE double2 tap_normals(const chip_reader &reader, unsigned layer, unsigned step, unsigned place) {
  return reading_normals(reader, reader.tap_purpose, layer, step, place);
}

#endif
