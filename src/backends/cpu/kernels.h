/* The hot loops, compiled once for each instruction level and chosen when the program runs.
 *
 * Fields of a tile of examples: [waveguide][2][lanes], real plane and imaginary plane apart, one lane an example;
 * `lanes` is a multiple of 16 and tiles are aligned to 64 bytes. A tile is small enough to stay in cache, and one node
 * is one loop over its lanes. */
#ifndef CPU_KERNELS_H
#define CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "mesh/node.h"

/* A node with 50:50 couplers and no loss, in 8 operations instead of 16 (nodes.c says why):
 *   A = zeta x_top + t x_bottom    B = t zeta x_top - x_bottom
 * A goes to waveguide a, B to waveguide b, which are the node's two waveguides in either order. */
typedef struct {
  uint32_t a, b;
  float zeta[2], undo[2]; /* undo = norm / zeta */
  float t, norm;          /* norm = 1 / (1 + t^2) */
} ideal_node;

/* Any node: y = m x. Going back, x = inverse y; or, where x is recalled instead, the field and the cotangent in the
 * weak arm's theta stage follow from those at the input and at the output. */
typedef struct {
  float m[2][2][2]; /* [row][column][real, imaginary] */
  union {
    float inverse[2][2][2];
    struct {
      float field[2][2], cotangent[2][2]; /* [top, bottom][real, imaginary] */
    } arm;
  };
  uint32_t top, bottom; /* waveguides */
  uint32_t weak;        /* arm with the weakening shifters: 0 top, 1 bottom; of a recalled node */
  uint32_t padding[13];
} general_node;

/* What all phase gradients of a node follow from, summed over examples; x: fields, g: cotangents. */
typedef struct {
  double through; /* Im(x_top g_top) at the node's input; of a recalled node in the weak arm */
  double across;  /* Re(x_top g_bottom - x_bottom g_top) at its output; of a recalled node Im(x g) in the weak arm's
                     theta stage */
} node_sums;

/* A node stage by stage, both shifters of which stand in one arm. */
typedef struct {
  uint32_t arm, other;      /* waveguides */
  float outer[2], inner[2]; /* [real, imaginary] */
  float left[2], right[2];  /* couplers: cosine, sine */
  float first[2];           /* coupler in front of all; sine 0: none */
  bool crosses;             /* the waveguides are exchanged behind the right coupler */
} tap_node;

/* What the taps of a node see, summed over examples: x goes forward, a is sent back in beside it, g came backward. The
 * taps of theta, then of phi, in front of their shifters; of an output the first. */
typedef struct {
  double cross[2];     /* Im(conj(x) a) */
  double forward[2];   /* |x|^2 */
  double sent_back[2]; /* |a|^2 */
  double back[2];      /* |g|^2 */
} tap_sums;

/* A nonlinearity behind which light keeps its phase (cuonn_nonlinearity). */
typedef struct {
  bool driven;                  /* electro-optic, else saturable */
  float half_depth, saturation; /* half the optical depth; 1 / the power that halves it */
  double passed, gain, bias;    /* share of the amplitude that is not detected; radians */
} pass_law;

/* Outputs that a node can reach lie in from .. end - 1. */
typedef struct {
  uint32_t from, end;
} node_reach;

/* One example of a labelled set lies as [2][n_modes]. */
typedef struct cpu_kernels {
  const char *level;

  /* Nodes in order, in place. */
  void (*ideal_forward)(float *x, size_t lanes, const ideal_node *nodes, size_t n_nodes);
  void (*general_forward)(float *x, size_t lanes, const general_node *nodes, size_t n_nodes);
  /* Nodes from last to first: x back to the nodes' inputs, g likewise; adds to sums[node]. */
  void (*ideal_backward)(node_sums *sums, float *x, float *g, size_t lanes, const ideal_node *nodes, size_t n_nodes);
  void (*general_backward)(node_sums *sums, float *x, float *g, size_t lanes, const general_node *nodes,
                           size_t n_nodes);
  /* The same for nodes of one column, whose inputs x are known. */
  void (*general_recall)(node_sums *sums, float *g, const float *x, size_t lanes, const general_node *nodes,
                         size_t n_nodes);

  /* Nodes from last to first: fields through the transposed nodes. Of ideal nodes also: lane i is that of output
   * first + i, and those are left out that a node cannot reach, where g is zero. */
  void (*ideal_transposed)(float *g, size_t lanes, const ideal_node *nodes, const node_reach *reach, size_t n_nodes,
                           size_t first);
  void (*general_transposed)(float *g, size_t lanes, const general_node *nodes, size_t n_nodes);
  /* In order, lanes as above: x through the nodes, g, which came through the transposed ones, back to their outputs;
   * adds to sums[node]. */
  void (*ideal_together)(node_sums *sums, float *x, float *g, size_t lanes, const ideal_node *nodes,
                         const node_reach *reach, size_t n_nodes, size_t first);

  /* x times, or divided by, a real factor for each waveguide. */
  void (*scale)(float *x, const float *factor, size_t n_modes, size_t lanes);
  void (*unscale)(float *x, const float *factor, size_t n_modes, size_t lanes);
  /* h = |factor y|. */
  void (*modulus)(float *h, const float *y, const float *factor, size_t n_modes, size_t lanes);
  /* Cotangent Re(g) of h becomes that of y; 0 where y is 0. */
  void (*modulus_backward)(float *g, const float *y, const float *factor, size_t n_modes, size_t lanes);
  /* The same of h = |factor y|^2. */
  void (*square)(float *h, const float *y, const float *factor, size_t n_modes, size_t lanes);
  void (*square_backward)(float *g, const float *y, const float *factor, size_t n_modes, size_t lanes);

  /* h = t(|z|^2) z of z = output y, output [n_modes]; and the cotangent of h becomes that of y. lanes: at most
   * kMostLanes. */
  void (*pass)(float *h, const float *y, const float (*output)[2], const pass_law *law, size_t n_modes, size_t lanes);
  void (*pass_backward)(float *g, const float *y, const float (*output)[2], const pass_law *law, size_t n_modes,
                        size_t lanes);

  /* y: [class][2][lanes]; p: [class][lanes] softmax of |factor y|^2, of which sum and best are e^(x - largest) added up
   * and the first largest, and less is the largest - that of the label. */
  void (*softmax)(float *p, float *sum, float *less, uint32_t *best, const float *y, const float *factor,
                  const uint32_t *label, size_t n_classes, size_t lanes);
  /* p: the powers |factor y|^2; sum: of (p - 1 at the label)^2 and p^2 elsewhere; best as above. */
  void (*squared_error)(float *p, float *sum, uint32_t *best, const float *y, const float *factor,
                        const uint32_t *label, size_t n_classes, size_t lanes);
  /* g, as y: twice_share / 2 times the cotangent of a loss whose derivatives by the powers are p - 1 at the label and p
   * elsewhere, such as -log p; 0 in lanes whose label is UINT32_MAX. */
  void (*softmax_backward)(float *g, const float *p, const float *y, const float *factor, const uint32_t *label,
                           float twice_share, size_t n_classes, size_t lanes);

  /* Pending factors (nodes.c), sign and size m and phase p of every waveguide of a column's nodes, brought past them.
   * s, c: of (a - b) / 2. Writes for each node t, zeta's size and angle. */
  void (*pass_column)(double *m, double *p, double *t, double *size, double *angle, const double *s, const double *c,
                      const double *theta, const double *phi, size_t n_nodes, const node_arms *arms);
  void (*sines)(double *sine, double *cosine, const double *angle, size_t n);
  /* random_normals() of place at first, first + step, ... to within rounding; n a multiple of 16. */
  void (*normals)(double *normals, double *others, random_place place, uint32_t first, uint32_t step, size_t n);
  /* Fields of one waveguide, x [2][lanes], as they are read: chip_read_factor() times them, with draws as above. lanes:
   * at most kMostLanes. */
  void (*read)(float *x, size_t lanes, random_place place, uint32_t first, uint32_t step, double amplitude,
               double phase);
  /* Kingma and Ba, algorithm 1; rate, c1 = 1 / (1 - beta1^i), c2 = 1 / (1 - beta2^i). */
  void (*adam)(double *phase, double *first, double *second, const double *gradient, size_t n, const double beta[2],
               double epsilon, double rate, double c1, double c2);

  /* Nodes from last to first, transposed, or in their order, in place; adding to sums[n_nodes + n_modes] of nodes and,
   * behind them, of outputs. Of shifters in one arm. apart: forward and sent_back, else their sum is in forward. */
  void (*tap_backward)(tap_sums *sums, float *g, size_t lanes, const tap_node *nodes, size_t n_nodes, size_t n_modes);
  void (*tap_measure)(tap_sums *sums, float *x, float *a, size_t lanes, const tap_node *nodes, size_t n_nodes,
                      size_t n_modes, bool apart);

  /* to[count] = sum of n_parts vectors, at most 16, that lie `step` apart (tree.h). */
  void (*sum_parts)(float *to, const float *parts, size_t n_parts, size_t step, size_t count);
  /* z: [row][2][lanes] complex; parts: [3][row][lanes] r, i - r, r + i of z. With the products m of such parts and of
   * R + I, R, I of another number, joined, (r + i i)(R + i I) = m_1 - m_3 + i (m_1 + m_2): three products, not four. */
  void (*split_complex)(float *parts, const float *z, size_t rows, size_t lanes);
  void (*join_complex)(float *z, const float *parts, size_t rows, size_t lanes);

  /* As fast as this level can: v = v / 2 + 1 / 2, `rounds` times, on kMultiplyAdds floats. Returns how many floats a
   * multiply-add was done for. */
  size_t (*multiply_adds)(float *v, size_t rounds);
} cpu_kernels;

enum { kMultiplyAdds = 192, kMostLanes = 64 };

#endif
