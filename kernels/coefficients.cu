/* Node coefficients from phases, in double, rounded to float once. */
#include "coefficients.h"

#include "complex_numbers.h"
#include "device.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Binary angle: 2^32 steps of 1.5e-9 rad make 2 pi, so that angles wrap around by themselves and sums of any length and
 * order are exact. */
DEVICE unsigned binary_angle(double radians) {
  double turn = radians * 0.15915494309189535;
  turn -= floor(turn);
  if (!(turn >= 0 && turn <= 1)) turn = 0; /* not finite: the node itself becomes NaN */
  return static_cast<unsigned>(static_cast<unsigned long long>(turn * 4294967296.0 + 0.5));
}

DEVICE double2 unit(unsigned angle) { /* exp(i angle) */
  double2 z;
  sincospi(static_cast<double>(static_cast<int>(angle)) * 0x1p-31, &z.y, &z.x);
  return z;
}

/* Phase that an ideal node adds to both its outputs: that of the bottom arm's outer shifter, half the sum of the inner
 * ones, and pi / 2. */
DEVICE unsigned own_phase(double2 phases, style_arms arms) {
  return binary_angle(arms.phi[1] * phases.y + 0.5 * (arms.theta[0] + arms.theta[1]) * phases.x) + 0x40000000u;
}

/* An idle place among ideal nodes is a node that hands both fields on: s = 1, c = 0, e^{i pi} on the top arm, and half
 * a turn on both outputs. */
DEVICE bool is_idle(mesh_layout layout, size_t place) {
  return layout.nodes_at && layout.nodes_at[place] == CUONN_IDLE_PLACE;
}
static constexpr unsigned kHalfTurn = 0x80000000u;

/* One place of a diagonal, read before anything is computed. */
struct diagonal_node {
  bool there, idle;
  size_t place;
  double2 phases;

  /* What does not exist reads place 0: reads that wait for no branch are under way together. */
  DEVICE diagonal_node(const double2 *all, mesh_layout layout, int column, int top, bool exists)
      : there(exists), place(exists ? mesh_place(layout, column, top) : 0), phases(all[place]) {
    idle = is_idle(layout, place);
  }

  DEVICE unsigned own(style_arms arms) const {
    const unsigned phase = own_phase(phases, arms);
    return !there ? 0 : idle ? kHalfTurn : phase;
  }

  /* Sine and cosine of half the difference of the inner phases, then the whole node. before: the phase that the top
   * waveguide carries more than the bottom one. */
  DEVICE float2 inner(style_arms arms) const {
    double sine, cosine;
    sincospi(0.5 * (arms.theta[0] - arms.theta[1]) * phases.x * 0.3183098861837907, &sine, &cosine);
    return make_float2(idle ? 1 : static_cast<float>(sine), idle ? 0 : static_cast<float>(cosine));
  }
  DEVICE float4 coefficients(float2 inner, unsigned before, style_arms arms) const {
    const unsigned phi = binary_angle(static_cast<double>(arms.phi[0] - arms.phi[1]) * phases.y);
    const double2 e = unit((idle ? kHalfTurn : phi) + before);
    const double unless_finite = idle ? 0 : 0 * phases.x + 0 * phases.y;
    return make_float4(static_cast<float>(e.x + unless_finite), static_cast<float>(e.y), inner.x, inner.y);
  }
};

/* Sum of this and all lower lanes. */
DEVICE unsigned sum_of_lower(unsigned value) {
  const unsigned lane = threadIdx.x % CUONN_WARP;
#pragma unroll
  for (unsigned delta = 1; delta < CUONN_WARP; delta *= 2) {
    const unsigned lower = shuffle_up(value, delta);
    if (lane >= delta) value += lower;
  }
  return value;
}

/* Ideal nodes leave a phase P on both their outputs, P = P_bottom + own_phase, and need phi' = phi + P_top - P_bottom
 * with the phases at their inputs. P_bottom is left by the node down and left of a node, and so on: P is a sum along
 * the diagonal of nodes with column + top waveguide = 2 d; P_top is the same along diagonal d - 1. Diagonals that
 * begin at the bottom edge begin with the sum of the nodes at that edge in the columns before. Sums of binary angles
 * are exact, so a block adds up a diagonal with as many nodes at a time as it has threads: no chain of N columns. All
 * that a thread reads it reads at once, and one barrier hands the sums of the warps to each other.
 *
 * Grid: meshes, diagonals. */
static constexpr int kMostWarps = 8;

KERNEL __launch_bounds__(kMostWarps *CUONN_WARP)
    k_ideal_nodes(float4 *nodes, float2 *turns, const double2 *phases, const double *gamma, mesh_layout layout,
                  style_arms arms) {
  const int n = layout.n_modes, n_columns = layout.n_columns, thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x), lane = thread % CUONN_WARP, warp = thread / CUONN_WARP,
            warps = threads / CUONN_WARP;
  const int d = static_cast<int>(blockIdx.y);
  const size_t mesh = blockIdx.x;
  const double2 *const mine = phases + mesh * mesh_places(layout);
  float2 *const out = turns + mesh * n;
  const double *const g = gamma + mesh * n;
  uint4 *const sums = shared_memory<uint4>(); /* [2][warp], by turns: along d, along d - 1, at the edge */
  const int first_column = 2 * d > n - 2 ? 2 * d - (n - 2) : 0, first_top = 2 * d - first_column;
  const int count = first_top < n_columns - 1 - first_column ? first_top + 1 : n_columns - first_column;

  unsigned below = 0, above = 0; /* P of the diagonals d and d - 1 up to this round */
  unsigned rest = 0;             /* at the bottom edge, where a thread has more than one of its nodes */
  for (int c = first_column - 2 - 2 * (threads + thread); c >= 0; c -= 2 * threads)
    rest += diagonal_node(mine, layout, c, n - 2, true).own(arms);
  for (int done = 0, round = 0; done < count; done += threads, round++) {
    const int c = first_column + done + thread, t = first_top - done - thread;
    const diagonal_node own(mine, layout, c, t, t >= 0 && c < n_columns);
    const int at_edge = first_column - 2 - 2 * thread;
    const diagonal_node edge(mine, layout, at_edge, n - 2, round == 0 && at_edge >= 0);
    const diagonal_node top(mine, layout, c - 1, t - 1, t >= 1 && c >= 1 && c - 1 < n_columns);
    /* outputs behind which no node follows */
    const bool ends = turns && own.there && c + (t > 0 ? 1 : 2) >= n_columns;
    const bool ends_below = turns && own.there && c + (t + 2 < n ? 1 : 2) >= n_columns;
    const double gamma_top = ends ? g[t] : 0, gamma_bottom = ends_below ? g[t + 1] : 0;

    const unsigned own_below = own.own(arms), to_here = sum_of_lower(own_below);
    const unsigned to_here_above = sum_of_lower(top.own(arms)), of_edge = warp_sum(edge.own(arms) + rest);
    const float2 inner = own.inner(arms);
    rest = 0;
    uint4 *const of_warps = sums + round % 2 * kMostWarps;
    if (lane == CUONN_WARP - 1) of_warps[warp] = make_uint4(to_here, to_here_above, of_edge, 0);
    sync_block();
    unsigned at_bottom = below + to_here - own_below, at_top = above + to_here_above;
#pragma unroll
    for (int w = 0; w < kMostWarps; w++) {
      const uint4 of = w < warps ? of_warps[w] : make_uint4(0, 0, 0, 0);
      at_bottom += of.z + (w < warp ? of.x : 0);
      at_top += of.z + (w < warp ? of.y : 0);
      below += of.z + of.x;
      above += of.z + of.y;
    }
    const float4 node = own.coefficients(inner, at_top - at_bottom, arms);
    if (own.there) nodes[mesh * mesh_places(layout) + own.place] = node;
    if (ends || ends_below) {
      const unsigned left = at_bottom + own_below;
      const float2 turn_top = rounded(unit(left + binary_angle(gamma_top)));
      const float2 turn_bottom = rounded(unit(left + binary_angle(gamma_bottom)));
      if (ends) out[t] = turn_top;
      if (ends_below) out[t + 1] = turn_bottom;
    }
  }
}

/* Grid: places. Places with a node are left to k_ideal_nodes. */
KERNEL k_idle_nodes(float4 *nodes, mesh_layout layout, int n_meshes) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, count = mesh_places(layout);
  int column, top;
  if (place >= count || mesh_node_at(&column, &top, layout, place)) return;
  for (int mesh = 0; mesh < n_meshes; mesh++)
    nodes[static_cast<size_t>(mesh) * count + place] = make_float4(1, 0, 1, 0);
}

/* amplitude exp(i weight angle); 1 for an arm without a shifter. */
DEVICE double2 shifter(double weight, double amplitude, double angle) {
  if (weight == 0) return make_double2(1, 0);
  double2 z;
  sincos(weight * angle, &z.y, &z.x);
  return make_double2(amplitude * z.x, amplitude * z.y);
}

struct node_stages {
  double2 outer[2], inner[2]; /* of the top and the bottom arm */
  DEVICE node_stages(double2 phases, const node_constants &constants, style_arms arms) {
    /* in push-pull, theta's loss is that of the top arm; phi's is that of every arm with a phi shifter */
    const double bottom = arms.theta[0] != 0 ? 1 : constants.theta_amplitude;
    inner[0] = shifter(arms.theta[0], constants.theta_amplitude, phases.x);
    inner[1] = shifter(arms.theta[1], bottom, phases.x);
    outer[0] = shifter(arms.phi[0], constants.phi_amplitude, phases.y);
    outer[1] = shifter(arms.phi[1], constants.phi_amplitude, phases.y);
  }
};

DEVICE double2 turned(double2 a) { return make_double2(-a.y, a.x); } /* i a */

/* Element of right coupler x inner x left coupler x outer. A coupler is [[c, i s], [i s, c]]. */
DEVICE double2 coupled(const node_stages &stages, const node_constants &constants, int row, int column) {
  const double2 r[2] = {make_double2(constants.right[0], 0), make_double2(0, constants.right[1])};
  const double2 l[2] = {make_double2(constants.left[0], 0), make_double2(0, constants.left[1])};
  return (r[row] * stages.inner[0] * l[column] + r[1 - row] * stages.inner[1] * l[1 - column]) * stages.outer[column];
}

DEVICE float4 two(float2 a, float2 b) { return make_float4(a.x, a.y, b.x, b.y); }

/* Plane `plane` of a place's node among `planes`. */
DEVICE size_t plane_at(mesh_layout layout, size_t place, int plane, int planes) {
  const size_t row = place >> layout.lane_bits, lane = place & static_cast<size_t>(layout.lanes - 1);
  return ((row * planes + plane) << layout.lane_bits) + lane;
}

DEVICE void write_gamma(float2 *factors, const double *gamma, int n_modes, size_t mesh, size_t w) {
  if (factors && w < static_cast<size_t>(n_modes)) {
    const size_t at = mesh * n_modes + w;
    factors[at] = rounded(unit(binary_angle(gamma[at])));
  }
}

/* A row of a node's matrix, and the same behind the coupler in front, if there is one, and a crossing. */
DEVICE float4 row_of(const node_stages &s, const node_constants &k, int row, const double2 *third, bool crossing) {
  double2 first = coupled(s, k, row, 0), second = coupled(s, k, row, 1);
  if (third) {
    const double2 c = make_double2(third->x, 0), is = make_double2(0, third->y), before = first;
    first = first * c + second * is;
    second = before * is + second * c;
  }
  return crossing ? two(rounded(turned(first)), rounded(turned(second))) : two(rounded(first), rounded(second));
}

/* Planes of a general node. */
struct general_planes {
  float4 upper, lower, undo; /* undo is of the way back alone */
  DEVICE general_planes()
      : upper(make_float4(1, 0, 0, 0)), lower(make_float4(0, 0, 1, 0)), undo(make_float4(1, 0, 0, 0)) {}
  DEVICE general_planes(const node_stages &s, const node_constants &k, style_arms arms, const double2 *third,
                        bool crossing)
      : upper(row_of(s, k, 0, third, crossing)), lower(row_of(s, k, 1, third, crossing)) {
    double2 det = s.inner[0] * s.inner[1] * s.outer[0] * s.outer[1]; /* determinants of couplers are 1 */
    if (crossing) det = -det;
    const double size = det.x * det.x + det.y * det.y;
    const double cos2 = k.right[0] * k.right[0], sin2 = k.right[1] * k.right[1];
    const double top_share = -(arms.theta[0] * cos2 + arms.theta[1] * sin2);
    const double mixed = -(arms.theta[0] - arms.theta[1]) * k.right[0] * k.right[1];
    undo = two(rounded(make_double2(det.x / size, -det.y / size)), rounded(make_double2(top_share, mixed)));
  }
};

/* Left and right coupler, the latter without its crossing. */
DEVICE float4 couplers_of(const node_constants &k, bool crossing) {
  const double2 right = crossing ? make_double2(-k.right[1], k.right[0]) : make_double2(k.right[0], k.right[1]);
  return two(rounded(make_double2(k.left[0], k.left[1])), rounded(right));
}

/* Coupler in front and crossing. */
DEVICE float4 more_of(double2 third, bool crossing) {
  return two(rounded(third), make_float2(crossing ? 1.f : 0.f, 0));
}

/* Planes of a node with taps. */
struct tap_planes {
  float4 shifters, couplers, more; /* more: of nodes that have more than an MZI */
  DEVICE tap_planes() : shifters(make_float4(1, 0, 1, 0)), couplers(shifters), more(make_float4(1, 0, 0, 0)) {}
  DEVICE tap_planes(const node_stages &s, const node_constants &k, style_arms arms, double2 third, bool crossing) {
    const int arm = arms.theta[0] != 0 ? 0 : 1;
    shifters = two(rounded(s.outer[arm]), rounded(s.inner[arm]));
    couplers = couplers_of(k, crossing);
    more = more_of(third, crossing);
  }
};

/* Grid: meshes; blocks for places. */
KERNEL k_general_nodes(node_tables to, const double2 *phases, const double *gamma, node_parts parts, mesh_layout layout,
                       style_arms arms) {
  const size_t place = static_cast<size_t>(blockIdx.y) * blockDim.x + threadIdx.x, count = mesh_places(layout);
  const size_t mesh = blockIdx.x, at = mesh * count + place;
  write_gamma(to.turns, gamma, layout.n_modes, mesh, place);
  write_gamma(to.gammas, gamma, layout.n_modes, mesh, place);
  if (place >= count) return;
  general_planes general;
  tap_planes with_taps;
  double2 third = make_double2(1, 0);
  int column, top;
  if (mesh_node_at(&column, &top, layout, place)) {
    const node_constants k = parts.constants[at];
    const node_stages s(phases[at], k, arms);
    if (parts.third) third = parts.third[at];
    const double2 *const in_front = parts.third ? &third : nullptr;
    if (to.nodes) general = general_planes(s, k, arms, in_front, parts.extras.crossing);
    if (to.taps) with_taps = tap_planes(s, k, arms, third, parts.extras.crossing);
  }
  if (to.nodes) {
    float4 *const nodes = to.nodes + mesh * count * 2;
    nodes[plane_at(layout, place, 0, 2)] = general.upper;
    nodes[plane_at(layout, place, 1, 2)] = general.lower;
  }
  if (to.back) {
    const int planes = parts.third ? 4 : 3;
    float4 *const back = to.back + mesh * count * planes;
    back[plane_at(layout, place, 0, planes)] = general.upper;
    back[plane_at(layout, place, 1, planes)] = general.lower;
    back[plane_at(layout, place, 2, planes)] = general.undo;
    if (parts.third) {
      back[plane_at(layout, place, 3, planes)] =
          two(rounded(make_double2(third.x * third.x, third.x * third.y)), make_float2(0, 0));
    }
  }
  if (to.taps) {
    const int planes = tap_planes_of(parts.extras);
    float4 *const taps = to.taps + mesh * count * planes;
    taps[plane_at(layout, place, 0, planes)] = with_taps.shifters;
    taps[plane_at(layout, place, 1, planes)] = with_taps.couplers;
    if (planes == 3) taps[plane_at(layout, place, 2, planes)] = with_taps.more;
  }
}

/* Grid: places. Planes of one node lie `lanes` apart, so that the loads of a warp are whole lines. */
KERNEL k_stage_nodes(float4 *stages, float2 *turns, const double2 *phases, const double *gamma, node_parts parts,
                     mesh_layout layout, style_arms arms) {
  const int planes = stage_planes_of(parts.extras);
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  write_gamma(turns, gamma, layout.n_modes, 0, place);
  if (place >= mesh_places(layout)) return;
  float4 outer = make_float4(1, 0, 1, 0), couplers = outer, inner = outer, more = more_of(make_double2(1, 0), false);
  int column, top;
  if (mesh_node_at(&column, &top, layout, place)) {
    const node_constants k = parts.constants[place];
    const node_stages s(phases[place], k, arms);
    outer = two(rounded(s.outer[0]), rounded(s.outer[1]));
    couplers = couplers_of(k, parts.extras.crossing);
    more = more_of(parts.third ? parts.third[place] : make_double2(1, 0), parts.extras.crossing);
    inner = two(rounded(s.inner[0]), rounded(s.inner[1]));
  }
  stages[plane_at(layout, place, 0, planes)] = outer;
  stages[plane_at(layout, place, 1, planes)] = couplers;
  stages[plane_at(layout, place, 2, planes)] = inner;
  if (planes == 4) stages[plane_at(layout, place, 3, planes)] = more;
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static const unsigned kThreads = 128;

extern "C" cudaError_t launch_idle_nodes(float4 *nodes, mesh_layout layout, int n_meshes, cudaStream_t stream) {
  return CUONN_LAUNCH(k_idle_nodes, dim3(blocks_for(mesh_places(layout), kThreads)), dim3(kThreads), 0, stream, nodes,
                      layout, n_meshes);
}

extern "C" cudaError_t launch_ideal_nodes(float4 *nodes, float2 *turns, const double2 *phases, const double *gamma,
                                          mesh_layout layout, style_arms arms, int n_meshes, cudaStream_t stream) {
  const unsigned most = kMostWarps * CUONN_WARP, columns = static_cast<unsigned>(layout.n_columns);
  const unsigned threads = columns < most ? blocks_for(columns, CUONN_WARP) * CUONN_WARP : most;
  const dim3 grid(static_cast<unsigned>(n_meshes), static_cast<unsigned>(mesh_diagonals(layout)));
  return CUONN_LAUNCH(k_ideal_nodes, grid, dim3(threads), 2 * kMostWarps * sizeof(uint4), stream, nodes, turns, phases,
                      gamma, layout, arms);
}

/* Threads that cover the places and, for gamma, the waveguides. */
static unsigned blocks_for_places(mesh_layout layout) {
  const size_t places = mesh_places(layout), modes = static_cast<size_t>(layout.n_modes);
  return blocks_for(places > modes ? places : modes, kThreads);
}

extern "C" cudaError_t launch_general_nodes(const node_tables *to, const double2 *phases, const double *gamma,
                                            const node_parts *parts, mesh_layout layout, style_arms arms, int n_meshes,
                                            cudaStream_t stream) {
  return CUONN_LAUNCH(k_general_nodes, dim3(static_cast<unsigned>(n_meshes), blocks_for_places(layout)), dim3(kThreads),
                      0, stream, *to, phases, gamma, *parts, layout, arms);
}

extern "C" cudaError_t launch_stage_nodes(float4 *stages, float2 *turns, const double2 *phases, const double *gamma,
                                          const node_parts *parts, mesh_layout layout, style_arms arms,
                                          cudaStream_t stream) {
  return CUONN_LAUNCH(k_stage_nodes, dim3(blocks_for_places(layout)), dim3(kThreads), 0, stream, stages, turns, phases,
                      gamma, *parts, layout, arms);
}
