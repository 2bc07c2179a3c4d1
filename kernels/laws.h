/* What light becomes between two meshes, and its derivative: the formulas of src/network/nonlinearity.c
 * (docs/physics.md, eq. 17a, 17b) in float, in which cotangents are kept conjugate, c. Laws that detect light give a
 * real field; the others let it pass, h = t(P) y with P = |y|^2 (include/cuonn/network.h names the sources). */
#ifndef CUONN_KERNELS_LAWS_H
#define CUONN_KERNELS_LAWS_H

#include "cuonn/network.h"

/* A law and its numbers. psi = pi / 2 (gain P + bias) of an electro-optic one is kept as pi / 2 (gain P + offset)
 * behind a whole number of quarter turns: near psi = pi / 2, where little light passes, its cosine has all its digits.
 */
typedef struct {
  cuonn_nonlinearity_kind kind;
  float half_depth, saturation;         /* saturable: d / 2, 1 / P_s */
  float passed, gain, offset;           /* electro-optic: sqrt(1 - a) */
  float quarters_cosine, quarters_sine; /* of the quarter turns: -1, 0 or 1 */
} field_law;

#ifdef __cplusplus
#include "complex_numbers.h"

struct modulus_law {
  using field = float;
  DEVICE explicit modulus_law(const field_law &) {}
  DEVICE float pass(float2 y) const { return sqrtf(power(y)); }
  DEVICE float2 back(float u, float2 y) const { return modulus_back(u, y); }
};

struct square_law {
  using field = float;
  DEVICE explicit square_law(const field_law &) {}
  DEVICE float pass(float2 y) const { return power(y); }
  DEVICE float2 back(float u, float2 y) const { return 2 * u * y; }
};

/* t and its derivative by the power. */
struct passage {
  float2 t, slope;
};

struct saturable_law {
  float half_depth, saturation;
  DEVICE explicit saturable_law(const field_law &law) : half_depth(law.half_depth), saturation(law.saturation) {}
  DEVICE passage of(float p) const {
    const float unsaturated = 1 / (1 + saturation * p), t = expf(-half_depth * unsaturated);
    return {make_float2(t, 0), make_float2(half_depth * saturation * t * unsaturated * unsaturated, 0)};
  }
};

/* i exp(-i psi) cos psi = sin psi cos psi + i cos^2 psi, whose derivative by psi is exp(-2 i psi). */
struct electro_optic_law {
  float passed, gain, offset, turned_cosine, turned_sine;
  DEVICE explicit electro_optic_law(const field_law &law)
      : passed(law.passed),
        gain(law.gain),
        offset(law.offset),
        turned_cosine(law.quarters_cosine),
        turned_sine(law.quarters_sine) {}
  DEVICE passage of(float p) const {
    float s, c;
    sincospif(0.5f * (gain * p + offset), &s, &c);
    const float sine = turned_cosine * s + turned_sine * c, cosine = turned_cosine * c - turned_sine * s;
    const float slope = 1.57079633f * gain * passed;
    return {passed * cosine * make_float2(sine, cosine),
            slope * make_float2((cosine - sine) * (cosine + sine), -2 * sine * cosine)};
  }
};

/* d(t y) = t dy + t' y dP, dP = 2 Re(conj(y) dy). */
template <class Law>
struct passing_law {
  using field = float2;
  Law law;
  DEVICE explicit passing_law(const field_law &numbers) : law(numbers) {}
  DEVICE float2 pass(float2 y) const { return law.of(power(y)).t * y; }
  DEVICE float2 back(float2 c, float2 y) const {
    const passage at = law.of(power(y));
    const float2 of_slope = conjugate(c) * (at.slope * y);
    return conjugate(at.t) * c + 2 * of_slope.x * y;
  }
};
#endif

#endif
