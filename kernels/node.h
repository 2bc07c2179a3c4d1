/* A node's effect on the two waveguides that it joins, in the forward and the backward pass. Three forms:
 *
 * ideal_node, without coupler errors and losses. With delta half the difference of the inner phases, s = sin(delta),
 * c = cos(delta), and e = exp(i phi'), it is, up to a factor common to both outputs,
 *
 *   y_t = s e x_t + c x_b,   y_b = c e x_t - s x_b.
 *
 * The factor is contained in phi' of the nodes that follow (coefficients.cu): 6 multiplications and 6 multiply-adds for
 * an example and one load of 16 bytes, where the whole matrix takes 16 and two. It is unitary: its inverse is its
 * conjugate transpose.
 *
 * general_node: the 2 x 2 matrix M as it is. Its inverse is adj(M) / det(M), with 1 / det(M) from the shifters. A
 * crossing behind it is part of M: X K(e) = i K(e - pi/2), and i cancels in all that follows but det(M).
 *
 * third_node: the same with a coupler in front, at angle beta = pi/4 + error, which is part of M, too.
 *
 * Gradients. g is the cotangent, a = M^T g. Flows Im(x a) in the two arms: their sum q is the same at inputs and
 * outputs of any reciprocal node. With across = Re(y_t g_b - y_b g_t), the right coupler at angle alpha = pi/4 + error,
 * and flows F at the outputs, the flow in the top arm of the theta stage is
 *   cos^2(alpha) F_t + sin^2(alpha) F_b + sin(alpha) cos(alpha) across,
 * that of the bottom arm is the rest of q, and the derivative with respect to a phase is minus the flow of its arm
 * (docs/physics.md, eq. 11). In the phi stage the flows are those at the inputs, but behind a third coupler, with
 * across at the inputs, the top arm has cos^2(beta) F_t + sin^2(beta) F_b - sin(beta) cos(beta) across. */
#ifndef CUONN_KERNELS_NODE_H
#define CUONN_KERNELS_NODE_H

#include "complex_numbers.h"
#include "mesh.h"

struct ideal_node {
  static constexpr int kForwardPlanes = 1, kBackwardPlanes = 1; /* float4 of a node */
  static constexpr bool kLossy = false, kSplits = true, kThird = false;
  static constexpr int kMostPairs = 16; /* pairs of waveguides of a lane, up to which there are kernels */
  float2 e;
  float s, c;

  DEVICE void load(const float4 *at, int) {
    const float4 v = *at;
    e = make_float2(v.x, v.y);
    s = v.z;
    c = v.w;
  }
  DEVICE void load_backward(const float4 *at, int lanes) { load(at, lanes); }

  DEVICE void forward(float2 &top, float2 &bottom) const {
    const float2 z = e * top, x = bottom;
    top = s * z + c * x;
    bottom = c * z - s * x;
  }
  /* The bottom output is this, of the top input alone, minus s x the bottom input; on the way back, too. */
  template <bool kBack>
  DEVICE float2 from_top(float2 top) const {
    return c * (kBack ? top : e * top);
  }
  DEVICE void transposed(float2 &top, float2 &bottom) const {
    const float2 t = top, b = bottom;
    top = e * (s * t + c * b);
    bottom = c * t - s * b;
  }
  /* What the derivatives of one node are made of. */
  struct passage {
    float2 z, u, xb, gb;
    float across;
    DEVICE float2 derivatives(const gradient_weights &w) const { /* theta, phi */
      const float flow_top = imaginary_product(z, u), flow_bottom = imaginary_product(xb, gb);
      return make_float2(0.5f * w.theta_common * (flow_top + flow_bottom) + 0.5f * w.theta_difference * across,
                         w.phi_top * flow_top + w.phi_bottom * flow_bottom);
    }
  };
  /* x, g: fields and cotangents at the outputs, which become those at the inputs. */
  DEVICE passage backward(float2 &xt, float2 &xb, float2 &gt, float2 &gb) const {
    const passage p = {s * xt + c * xb, s * gt + c * gb, c * xt - s * xb, c * gt - s * gb,
                       xt.x * gb.x - xt.y * gb.y - xb.x * gt.x + xb.y * gt.y};
    xb = p.xb;
    gb = p.gb;
    xt = conjugate(e) * p.z;
    gt = e * p.u;
    return p;
  }
};

struct general_node {
  static constexpr int kForwardPlanes = 2, kBackwardPlanes = 3;
  static constexpr bool kLossy = true, kSplits = false, kThird = false;
  static constexpr int kMostPairs = 16;
  float2 tt, tb, bt, bb; /* row, column */
  float2 inverse_det;
  float top_share, mixed; /* of F_t and of across in d_theta */

  DEVICE void load(const float4 *at, int lanes) {
    const float4 upper = at[0], lower = at[lanes];
    tt = make_float2(upper.x, upper.y);
    tb = make_float2(upper.z, upper.w);
    bt = make_float2(lower.x, lower.y);
    bb = make_float2(lower.z, lower.w);
  }
  DEVICE void load_backward(const float4 *at, int lanes) {
    load(at, lanes);
    const float4 v = at[2 * lanes];
    inverse_det = make_float2(v.x, v.y);
    top_share = v.z;
    mixed = v.w;
  }

  DEVICE void forward(float2 &top, float2 &bottom) const {
    const float2 t = top, b = bottom;
    top = tt * t + tb * b;
    bottom = bt * t + bb * b;
  }
  DEVICE void transposed(float2 &top, float2 &bottom) const {
    const float2 t = top, b = bottom;
    top = tt * t + bt * b;
    bottom = tb * t + bb * b;
  }
  struct passage {
    float flow_top, flow_bottom, across, top_share, mixed;
    /* Theta, and the flow of both arms: phi follows when the fields at the inputs are final (walk.h). */
    DEVICE float2 derivatives(const gradient_weights &w) const {
      return make_float2(top_share * flow_top + (w.theta_common - top_share) * flow_bottom + mixed * across,
                         flow_top + flow_bottom);
    }
  };
  DEVICE passage backward(float2 &xt, float2 &xb, float2 &gt, float2 &gb) const {
    const passage p = {imaginary_product(xt, gt), imaginary_product(xb, gb),
                       xt.x * gb.x - xt.y * gb.y - xb.x * gt.x + xb.y * gt.y, top_share, mixed};
    const float2 yt = xt, yb = xb;
    xt = inverse_det * (bb * yt - tb * yb);
    xb = inverse_det * (tt * yb - bt * yt);
    transposed(gt, gb);
    return p;
  }
};

/* The fourth plane of the backward pass: cos^2(beta), sin(beta) cos(beta). */
struct third_node : general_node {
  static constexpr int kBackwardPlanes = 4;
  static constexpr bool kThird = true;
  static constexpr int kMostPairs = CUONN_DEVICE_OTHER_MODES_MAX / 2 / CUONN_WARP;

  /* Flow of the top arm in the phi stage; flow: of both. */
  static DEVICE float flow_top(const float4 &third, float2 xt, float2 xb, float2 gt, float2 gb, float flow) {
    const float top = imaginary_product(xt, gt), across = xt.x * gb.x - xt.y * gb.y - xb.x * gt.x + xb.y * gt.y;
    return third.x * top + (1 - third.x) * (flow - top) - third.y * across;
  }
};

#endif
