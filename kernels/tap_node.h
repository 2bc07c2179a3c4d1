/* A node with taps, stage by stage: outer shifter (phi), left coupler, inner shifter (theta), right coupler. Both
 * shifters are in one arm, top or bottom, and the taps before them. Couplers are the same from top and bottom. Nodes
 * that have more than an MZI have a coupler in front, which may do nothing, and a crossing behind, which may not be
 * there.
 *
 * With x going forward, a the field that is sent in beside it, and |x -+ i a|^2 = |x|^2 + |a|^2 +- 2 Im(conj(x) a), one
 * pass with both gives all powers that a scheme reads. Each tap needs two sums over the batch: the signal, and the
 * light, which is the variance of the signal for a tap shot noise of 1 (docs/physics.md, eq. 36, 37 and 40). */
#ifndef CUONN_KERNELS_TAP_NODE_H
#define CUONN_KERNELS_TAP_NODE_H

#include "complex_numbers.h"
#include "mesh.h"

/* Sums of one tap. */
struct tap_reading {
  float signal, light;
};

/* A tap that x and a pass together. */
DEVICE tap_reading read_both(float2 x, float2 a, bool digital) {
  const float cross = 2 * (x.x * a.y - x.y * a.x), of_x = power(x), of_a = power(a);
  if (digital) return {cross + of_a, 2 * of_x + of_a + cross};
  return {cross, 0.5f * (of_x + of_a)};
}

/* A tap that g passes in the backward direction; only the digital scheme reads it. */
DEVICE tap_reading read_backward(float2 g) { return {-power(g), power(g)}; }

template <bool kBottom, bool kMore>
struct tap_node {
  static constexpr int kForwardPlanes = kMore ? 3 : 2, kBackwardPlanes = kForwardPlanes; /* float4 a node */
  static constexpr int kMostPairs = kMore ? CUONN_DEVICE_OTHER_MODES_MAX / 2 / CUONN_WARP : 16;
  float2 outer, inner; /* of the arm with the shifters */
  float2 left, right;  /* cosine and sine */
  float2 third;
  bool crosses;

  DEVICE void load(const float4 *at, int lanes) {
    const float4 shifters = at[0], couplers = at[lanes];
    outer = make_float2(shifters.x, shifters.y);
    inner = make_float2(shifters.z, shifters.w);
    left = make_float2(couplers.x, couplers.y);
    right = make_float2(couplers.z, couplers.w);
    if constexpr (kMore) {
      const float4 more = at[2 * lanes];
      third = make_float2(more.x, more.y);
      crosses = more.z != 0;
    }
  }

  static DEVICE void couple(float2 coupler, float2 &arm, float2 &other) {
    const float2 a = arm, o = other;
    arm = make_float2(coupler.x * a.x - coupler.y * o.y, coupler.x * a.y + coupler.y * o.x);
    other = make_float2(coupler.x * o.x - coupler.y * a.y, coupler.x * o.y + coupler.y * a.x);
  }

  static DEVICE void cross(float2 &arm, float2 &other) {
    const float2 a = arm;
    arm = other;
    other = a;
  }

  /* g at the outputs becomes the field that leaves the inputs; theta, phi: the field at the taps. */
  DEVICE void backward(float2 &top, float2 &bottom, float2 &theta, float2 &phi) const {
    float2 &arm = kBottom ? bottom : top, &other = kBottom ? top : bottom;
    if (kMore && crosses) cross(arm, other);
    couple(right, arm, other);
    theta = arm = inner * arm;
    couple(left, arm, other);
    phi = arm = outer * arm;
    if (kMore) couple(third, arm, other);
  }

  DEVICE void forward(float2 &x_top, float2 &x_bottom, float2 &a_top, float2 &a_bottom, bool digital,
                      tap_reading &theta, tap_reading &phi) const {
    float2 &x = kBottom ? x_bottom : x_top, &x_other = kBottom ? x_top : x_bottom;
    float2 &a = kBottom ? a_bottom : a_top, &a_other = kBottom ? a_top : a_bottom;
    if (kMore) couple(third, x, x_other);
    if (kMore) couple(third, a, a_other);
    phi = read_both(x, a, digital);
    x = outer * x;
    a = outer * a;
    couple(left, x, x_other);
    couple(left, a, a_other);
    theta = read_both(x, a, digital);
    x = inner * x;
    a = inner * a;
    couple(right, x, x_other);
    couple(right, a, a_other);
    if (kMore && crosses) {
      cross(x, x_other);
      cross(a, a_other);
    }
  }
};

#endif
