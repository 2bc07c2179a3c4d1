/* CUDA's spelling of device functions and of arithmetic that plain C++ lacks. */
#ifndef SIMT_MATH_H
#define SIMT_MATH_H

#include <math.h>
#include <string.h>

#include <algorithm>

using std::max;
using std::min;

#define __host__
#define __device__
#define __global__
#define __constant__ const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline int2 make_int2(int x, int y) { return {x, y}; }
static inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
static inline double2 make_double2(double x, double y) { return {x, y}; }
static inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) {
  return {x, y, z, w};
}

template <class T>
static inline T __ldg(const T *pointer) {
  return *pointer;
}
template <class T>
static inline T __ldcg(const T *pointer) {
  return *pointer;
}
template <class T>
static inline void __stcg(T *pointer, T value) {
  *pointer = value;
}

static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fsub_rn(float a, float b) { return a - b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return sqrtf(a); }
static inline float __frcp_rn(float a) { return 1 / a; }
static inline float __fdividef(float a, float b) { return a / b; }
static inline float rsqrtf(float a) { return 1 / sqrtf(a); }
static inline double rsqrt(double a) { return 1 / sqrt(a); }
static inline void sincospi(double a, double *s, double *c) {
  sincos(M_PI * (a - 2 * rint(a / 2)), s, c); /* exact reduction to |a| <= 1 */
}
static inline void sincospif(float a, float *s, float *c) {
  double sine, cosine;
  sincospi(a, &sine, &cosine);
  *s = (float)sine;
  *c = (float)cosine;
}
static inline float sinpif(float a) {
  float s, c;
  sincospif(a, &s, &c);
  return s;
}
static inline float cospif(float a) {
  float s, c;
  sincospif(a, &s, &c);
  return c;
}

template <class To, class From>
static inline To simt_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "bits are moved, not converted");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
static inline unsigned __float_as_uint(float a) { return simt_bits<unsigned>(a); }
static inline int __float_as_int(float a) { return simt_bits<int>(a); }
static inline float __uint_as_float(unsigned a) { return simt_bits<float>(a); }
static inline float __int_as_float(int a) { return simt_bits<float>(a); }
static inline int __float2int_rn(float a) { return (int)rintf(a); }
static inline long long __float2ll_rn(float a) { return (long long)rintf(a); }
static inline int __double2int_rn(double a) { return (int)rint(a); }
static inline float __int2float_rn(int a) { return (float)a; }
static inline float __uint2float_rn(unsigned a) { return (float)a; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
static inline int __popc(unsigned a) { return __builtin_popcount(a); }
static inline int __ffs(int a) { return __builtin_ffs(a); }
static inline int __clz(int a) { return a ? __builtin_clz((unsigned)a) : 32; }

#endif
