/* Complex numbers of kernels: float2 and double2, real part first. */
#ifndef CUONN_KERNELS_COMPLEX_NUMBERS_H
#define CUONN_KERNELS_COMPLEX_NUMBERS_H

#include "device.h"

DEVICE float2 operator*(float2 a, float2 b) { return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
DEVICE float2 operator*(float a, float2 b) { return make_float2(a * b.x, a * b.y); }
DEVICE float2 operator+(float2 a, float2 b) { return make_float2(a.x + b.x, a.y + b.y); }
DEVICE float2 operator-(float2 a, float2 b) { return make_float2(a.x - b.x, a.y - b.y); }
DEVICE float2 conjugate(float2 a) { return make_float2(a.x, -a.y); }
DEVICE float imaginary_product(float2 a, float2 b) { return a.x * b.y + a.y * b.x; } /* Im(a b) */
DEVICE float power(float2 a) { return a.x * a.x + a.y * a.y; }

/* Conjugate cotangent of y from the cotangent of its modulus: d|y| = Re(conj(y) dy) / |y|, 0 where y is 0. */
DEVICE float2 modulus_back(float u, float2 y) {
  const float size = power(y);
  return (size == 0 ? 0 : u / sqrtf(size)) * y; /* == so that NaN stays NaN */
}

DEVICE double2 operator*(double2 a, double2 b) { return make_double2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
DEVICE double2 operator+(double2 a, double2 b) { return make_double2(a.x + b.x, a.y + b.y); }
DEVICE double2 operator-(double2 a) { return make_double2(-a.x, -a.y); }
DEVICE float2 rounded(double2 a) { return make_float2(static_cast<float>(a.x), static_cast<float>(a.y)); }

DEVICE float2 shuffle_up(float2 value, unsigned delta) {
  return make_float2(shuffle_up(value.x, delta), shuffle_up(value.y, delta));
}
DEVICE float2 shuffle_down(float2 value, unsigned delta) {
  return make_float2(shuffle_down(value.x, delta), shuffle_down(value.y, delta));
}

#endif
