/* Propagation of examples through meshes, forward and backward: one warp per example, or several examples in a warp
 * where N is at most 32.
 *
 * Idea: a field stays in registers from the first column to the last. A lane holds 2 pairs waveguides, so that the
 * nodes of an even column lie within lanes. For an odd column each lane borrows the first waveguide of the next lane,
 * applies the node to it and to its own last one, and gives it back: four shuffles for two columns, whatever N is, and
 * two after one another. Ideal nodes wait for one only: both lanes hand over what the other needs at once, and each
 * computes the output that it keeps. In the backward pass the nodes are inverted one after another, so that the forward
 * pass stores no field.
 *
 * Coefficients are copied to shared memory in panels of a few column pairs, for all warps of the block. While the block
 * works on one panel, the next is copied (copy_16), also from one layer to the next. A panel with all its columns is
 * unrolled, so that loads overlap with the arithmetic of the columns before.
 *
 * Gradients: in the backward pass every thread writes the shares of its nodes for one panel to its own part of shared
 * memory; while the block works on the panel before, it adds the shares of its examples in their order, and the sum
 * goes to the chunk's part of the gradient in global memory. No atomics, and a place is always written by the same
 * thread: the same bits in every run.
 *
 * With two buffers of panels and of shares one barrier a panel is enough: behind it the copies of this panel are there,
 * all shares of the panel before are written, and what the next copies and shares overwrite is read. */
#ifndef CUONN_KERNELS_WALK_H
#define CUONN_KERNELS_WALK_H

#include "chunks.h"
#include "complex_numbers.h"
#include "device.h"
#include "device_meshes.h"
#include "mesh.h"
#include "node.h"

/* Fields kept for the backward pass, if nodes are lossy: at the start of every segment. Inverting nodes amplifies
 * rounding errors as much as the nodes attenuated; a segment is short enough for that to be harmless
 * (src/backends/cuda/meshes.c). */
struct kept_fields {
  float2 *at;        /* of this thread: [segment][2 pairs][lanes]; NULL: nothing is kept */
  const int *starts; /* [column] number of the segment that starts there, -1 if none does */
};

template <class Node, int kLanes, int kPairs>
struct mesh_walk {
  static constexpr int kModes = 2 * kPairs;                   /* waveguides of a thread */
  static constexpr int kExamples = CUONN_BLOCK / kLanes;      /* of a block at once */
  static constexpr int kPanel = kPairs >= 8 ? 1 : 8 / kPairs; /* column pairs */
  static constexpr int kPanelPlaces = kPanel * kModes * kLanes;
  static constexpr int kMostPlanes = Node::kBackwardPlanes;
  /* Blocks that fit on a multiprocessor at once, which bounds the registers of a thread. Nodes with a third coupler
   * need a few more than four blocks leave where a thread has two waveguides. */
  static constexpr bool kWide = kPairs == 1 && kMostPlanes > 3;
  static constexpr int kBlocks = kPairs <= 2 && !kWide ? 4 : kPairs <= 4 ? 3 : kPairs == 8 ? 2 : 1;

  /* --- Layout of shared memory: one or two panels, then shares of the gradients of as many --- */

  static constexpr int kPanelBytes = kPanelPlaces * kMostPlanes * 16;
  static constexpr int kShareBytes = kPanel * kModes * 2 * CUONN_BLOCK * 4;
  static constexpr size_t shared_bytes(int n_buffers, bool backward) {
    return static_cast<size_t>(n_buffers * (kPanelBytes + (backward ? kShareBytes : 0)));
  }

  /* Passes over its examples that a block has to make for chunk number `chunk` of n_chunks. */
  static DEVICE chunk_range passes_of(unsigned n_examples, unsigned chunk, unsigned n_chunks) {
    return chunk_range(chunk, (n_examples + kExamples - 1) / kExamples, n_chunks);
  }

  static DEVICE int lane() { return static_cast<int>(threadIdx.x) % kLanes; }
  static DEVICE int slot() { return static_cast<int>(threadIdx.x) / kLanes; } /* which of the block's examples */

  /* --- Nodes of two columns --- */

  /* In an unrolled loop over a lane's pairs or waveguides: a barrier of the warp at every eighth, without which the
   * compiler would begin all loads at once and run out of registers at 32 waveguides a lane. */
  static DEVICE void limit_unrolled_loads(int k) {
    if (kPairs == 16 && k % 8 == 7) sync_warp();
  }

  static DEVICE const float4 *node_at(const float4 *pair, int row, int planes) {
    return pair + row * planes * kLanes + lane();
  }

  static DEVICE void keep(const float2 (&x)[kModes], const kept_fields &kept, int column) {
    const int segment = kept.starts[column];
    if (segment < 0) return;
    float2 *to = kept.at + static_cast<size_t>(segment) * kModes * kLanes;
#pragma unroll
    for (int i = 0; i < kModes; i++) to[i * kLanes] = x[i];
  }

  static DEVICE void recall(float2 (&x)[kModes], const kept_fields &kept, int column) {
    const int segment = kept.starts[column];
    if (segment < 0) return;
    const float2 *from = kept.at + static_cast<size_t>(segment) * kModes * kLanes;
#pragma unroll
    for (int i = 0; i < kModes; i++) x[i] = from[i * kLanes];
  }

  /* One field at the nodes of an even or odd column: the two waveguides of a lane's node k. A lane's last node of an
   * odd column joins its last waveguide with the first of the next lane, which is borrowed and given back. */
  template <bool kOdd>
  struct node_inputs {
    float2 (&x)[kModes];
    float2 borrowed;
    DEVICE explicit node_inputs(float2 (&field)[kModes]) : x(field), borrowed(kOdd ? shuffle_down(x[0], 1) : x[0]) {}
    DEVICE float2 &top(int k) { return x[2 * k + kOdd]; }
    DEVICE float2 &bottom(int k) { return kOdd && k + 1 == kPairs ? borrowed : x[(2 * k + 1 + kOdd) % kModes]; }
    DEVICE void give_back() {
      if (!kOdd) return;
      borrowed = shuffle_up(borrowed, 1);
      if (lane() != 0) x[0] = borrowed;
    }
  };

  template <bool kOdd, class Visit, class... Inputs>
  static DEVICE void visit_inputs(Visit visit, Inputs... inputs) {
#pragma unroll
    for (int k = 0; k < kPairs; k++) visit(kOdd * kPairs + k, inputs.top(k)..., inputs.bottom(k)...);
    (inputs.give_back(), ...);
  }

  /* Calls visit(row, top of each field ..., bottom of each field ...) for a lane's nodes of an even or odd column, with
   * row = place / lanes in the pair of columns. */
  template <bool kOdd, class Visit, class... Fields>
  static DEVICE void for_each_node(Visit visit, Fields &...fields) {
    visit_inputs<kOdd>(visit, node_inputs<kOdd>(fields)...);
  }

  /* A field at an odd column whose nodes between two lanes are split: `kept` is the lane's first waveguide behind it.
   */
  struct split_inputs : node_inputs<true> {
    float2 kept;
    DEVICE split_inputs(float2 (&field)[kModes], float2 from_top, float weight)
        : node_inputs<true>(field), kept(shuffle_up(from_top, 1) - weight * field[0]) {}
    DEVICE void give_back() {
      if (lane() != 0) this->x[0] = kept;
    }
  };

  template <class Visit, class Meanwhile, class... Inputs>
  static DEVICE void visit_behind(Visit visit, Meanwhile meanwhile, Inputs... inputs) {
    meanwhile();
    visit_inputs<true>(visit, inputs...);
  }

  /* for_each_node<true>() for nodes that may be split; last: the lane's last node of the odd column. meanwhile(): what
   * is done while shuffles are under way. */
  template <bool kBack, class Visit, class Meanwhile, class... Fields>
  static DEVICE void for_each_odd_node(const Node &last, Visit visit, Meanwhile meanwhile, Fields &...fields) {
    if constexpr (Node::kSplits) {
      const float weight = shuffle_up(last.s, 1);
      visit_behind(visit, meanwhile,
                   split_inputs(fields, last.template from_top<kBack>(fields[kModes - 1]), weight)...);
    } else {
      visit_behind(visit, meanwhile, node_inputs<true>(fields)...);
    }
  }

  static DEVICE Node last_node(const float4 *pair) {
    Node node;
    node.load(node_at(pair, kModes - 1, Node::kForwardPlanes), kLanes);
    return node;
  }

  /* pair: coefficients of the two columns; has_odd: whether the second one exists. */
  static DEVICE void forward_pair(float2 (&x)[kModes], const float4 *pair, int column, bool has_odd,
                                  const kept_fields &kept) {
    const auto forward = [&](int row, float2 &top, float2 &bottom) {
      Node node;
      node.load(node_at(pair, row, Node::kForwardPlanes), kLanes);
      node.forward(top, bottom);
    };
    if (Node::kLossy && kept.at) keep(x, kept, column);
    for_each_node<false>(forward, x);
    if (!has_odd) return;
    if (Node::kLossy && kept.at) keep(x, kept, column + 1);
    for_each_odd_node<false>(
        last_node(pair), forward, [] {}, x);
  }

  static DEVICE void transposed_pair(float2 (&g)[kModes], const float4 *pair, bool has_odd) {
    const auto transposed = [&](int row, float2 &top, float2 &bottom) {
      Node node;
      node.load(node_at(pair, row, Node::kForwardPlanes), kLanes);
      node.transposed(top, bottom);
    };
    if (has_odd)
      for_each_odd_node<true>(
          last_node(pair), transposed, [] {}, g);
    for_each_node<false>(transposed, g);
  }

  /* General nodes left the flow of both their arms in place of d_phi; what is not in the top arm at the input, or
   * behind the third coupler, is in the bottom one. Only now are the fields at the inputs of the column final, because
   * they may have been recalled. */
  template <bool kOdd>
  static DEVICE void finish_phi(float2 *shares, const float4 *pair, float2 (&x)[kModes], float2 (&g)[kModes],
                                const gradient_weights &w) {
    constexpr int first_mode = kOdd;
    if constexpr (Node::kThird) {
      node_inputs<kOdd> fields(x), cotangents(g);
#pragma unroll
      for (int k = 0; k < kPairs; k++) {
        const float4 third = node_at(pair, kOdd * kPairs + k, Node::kBackwardPlanes)[3 * kLanes];
        float &share = shares[k * CUONN_BLOCK].y;
        const float flow_top =
            Node::flow_top(third, fields.top(k), fields.bottom(k), cotangents.top(k), cotangents.bottom(k), share);
        share = w.phi_top * flow_top + w.phi_bottom * (share - flow_top);
        limit_unrolled_loads(k);
      }
    } else if constexpr (Node::kLossy) {
#pragma unroll
      for (int k = 0; k < kPairs; k++) {
        const float flow_top = imaginary_product(x[2 * k + first_mode], g[2 * k + first_mode]);
        float &share = shares[k * CUONN_BLOCK].y;
        share = w.phi_top * flow_top + w.phi_bottom * (share - flow_top);
        limit_unrolled_loads(k);
      }
    }
  }

  /* Backward, two things are moved in time where a lane has one pair, registers for it, and nothing else to do while it
   * waits: coefficients are read a pair ahead, before shares are written (which the compiler does not let reads
   * overtake), and shares of a pair are computed while the next one's shuffles are under way. */
  static constexpr bool kAhead = Node::kSplits && kPairs == 1;

  struct pair_nodes {
    const float4 *pair = nullptr;
    Node ahead[kAhead ? kModes : 1];
    DEVICE void read(const float4 *from) {
      pair = from;
      if constexpr (kAhead) {
#pragma unroll
        for (int row = 0; row < kModes; row++)
          ahead[row].load_backward(node_at(pair, row, Node::kBackwardPlanes), kLanes);
      }
    }
    DEVICE Node at(int row) const {
      if (kAhead) return ahead[row];
      Node node;
      node.load_backward(node_at(pair, row, Node::kBackwardPlanes), kLanes);
      return node;
    }
  };

  /* shares: of this thread, theta and phi, for the nodes of two columns: [row][thread]. */
  struct pair_shares {
    typename Node::passage passages[kAhead ? kModes : 1];
    bool left[kAhead ? kModes : 1] = {}; /* not yet written */
    float2 *of_left = nullptr;
    DEVICE void put(float2 *shares, int row, const typename Node::passage &passage, const gradient_weights &w) {
      if (kAhead) {
        passages[row] = passage;
        left[row] = true;
        of_left = shares;
      } else {
        shares[row * CUONN_BLOCK] = passage.derivatives(w);
      }
    }
    DEVICE void finish(const gradient_weights &w) {
      if constexpr (kAhead) {
#pragma unroll
        for (int row = 0; row < kModes; row++) {
          if (left[row]) of_left[row * CUONN_BLOCK] = passages[row].derivatives(w);
          left[row] = false;
        }
      }
    }
  };

  template <bool kOdd>
  static DEVICE void backward_column(float2 (&x)[kModes], float2 (&g)[kModes], float2 *shares, pair_shares &put,
                                     const pair_nodes &nodes, int column, const gradient_weights &w,
                                     const kept_fields &kept) {
    const auto backward = [&](int row, float2 &x_top, float2 &g_top, float2 &x_bottom, float2 &g_bottom) {
      put.put(shares, row, nodes.at(row).backward(x_top, x_bottom, g_top, g_bottom), w);
      limit_unrolled_loads(row);
    };
    if constexpr (kOdd) {
      for_each_odd_node<true>(
          nodes.at(kModes - 1), backward, [&] { put.finish(w); }, x, g);
    } else {
      for_each_node<false>(backward, x, g);
    }
    if (Node::kLossy && kept.at) recall(x, kept, column);
    finish_phi<kOdd>(shares + kOdd * kPairs * CUONN_BLOCK, nodes.pair, x, g, w);
  }

  /* --- Panels --- */

  static DEVICE int panels_of(int n_columns) { return ((n_columns + 1) / 2 + kPanel - 1) / kPanel; }
  /* Column pairs of a panel: the last one may hold fewer. */
  static DEVICE int pairs_in(int panel, int n_columns) {
    const int left = (n_columns + 1) / 2 - panel * kPanel;
    return kPanel == 1 || left >= kPanel ? kPanel : left;
  }

  /* Places of a mesh; mesh_places() for this kernel. */
  static DEVICE unsigned places_of(int n_columns) {
    return static_cast<unsigned>((n_columns + 1) / 2 * kModes * kLanes);
  }

  /* Whether a panel has all its columns, as nearly all have: trip counts are then known to the compiler. Panels of a
   * single column pair have nothing to unroll and count as not whole. */
  static DEVICE bool is_whole(int panel, int n_columns) { return kPanel > 1 && 2 * kPanel * (panel + 1) <= n_columns; }

  /* Copies a panel of a mesh; nodes: coefficients of all meshes, in so many planes. */
  template <int kPlanes>
  static DEVICE void fetch(float4 *to, const float4 *nodes, unsigned mesh, int panel, int n_columns) {
    constexpr int each = kModes * kLanes * kPlanes, whole = kPanel * each;
    const int count = pairs_in(panel, n_columns) * each, thread = static_cast<int>(threadIdx.x);
    const float4 *const from =
        nodes + static_cast<size_t>(mesh) * (places_of(n_columns) * kPlanes) + panel * whole + thread;
    to += thread;
    if (count == whole) {
#pragma unroll
      for (int i = 0; i < whole; i += CUONN_BLOCK) copy_16(to + i, from + i);
    } else {
#pragma unroll 1
      for (int i = 0; i < count - thread; i += CUONN_BLOCK) copy_16(to + i, from + i);
    }
    copy_group();
  }

  /* Calls visit(j, column, has_odd, begins) for the column pairs j of a panel, first to last or last to first; column:
   * the even one; begins: at the first call. For whole panels has_odd and begins are constants. */
  template <bool kBackward, class Visit>
  static DEVICE void for_each_pair(int panel, int n_columns, Visit visit) {
    const int first = panel * kPanel, count = pairs_in(panel, n_columns);
    if (is_whole(panel, n_columns)) {
#pragma unroll
      for (int i = 0; i < kPanel; i++) {
        const int j = kBackward ? kPanel - 1 - i : i;
        visit(j, 2 * (first + j), true, i == 0);
      }
    } else {
#pragma unroll 1
      for (int i = 0; i < count; i++) {
        const int j = kBackward ? count - 1 - i : i, column = 2 * (first + j);
        visit(j, column, column + 1 < n_columns, i == 0);
      }
    }
  }

  static DEVICE void forward_panel(float2 (&x)[kModes], const float4 *nodes, int panel, int n_columns,
                                   const kept_fields &kept) {
    for_each_pair<false>(panel, n_columns, [&](int j, int column, bool has_odd, bool) {
      forward_pair(x, nodes + j * kModes * kLanes * Node::kForwardPlanes, column, has_odd, kept);
    });
  }

  static DEVICE void transposed_panel(float2 (&g)[kModes], const float4 *nodes, int panel, int n_columns) {
    for_each_pair<true>(panel, n_columns, [&](int j, int, bool has_odd, bool) {
      transposed_pair(g, nodes + j * kModes * kLanes * Node::kForwardPlanes, has_odd);
    });
  }

  /* meanwhile(): what is done before the first shares are written. */
  template <class Meanwhile>
  static DEVICE void backward_panel(float2 (&x)[kModes], float2 (&g)[kModes], float2 *shares, const float4 *nodes,
                                    int panel, int n_columns, const gradient_weights &w, const kept_fields &kept,
                                    Meanwhile meanwhile) {
    const auto at = [&](int j) { return nodes + j * kModes * kLanes * Node::kBackwardPlanes; };
    pair_nodes here, next;
    pair_shares put;
    next.read(at(pairs_in(panel, n_columns) - 1));
    for_each_pair<true>(panel, n_columns, [&](int j, int column, bool has_odd, bool begins) {
      float2 *const to = shares + j * kModes * CUONN_BLOCK + threadIdx.x;
      here = next;
      if (begins) meanwhile();
      if (j > 0) next.read(at(j - 1));
      if (has_odd) backward_column<true>(x, g, to, put, here, column + 1, w, kept);
      backward_column<false>(x, g, to, put, here, column, w, kept);
    });
    put.finish(w);
  }

  /* Sums of the shares of one panel on their way to a gradient. Shares that are written are read behind the next
   * barrier, in the midst of the next panel's arithmetic, and the sums are added behind that panel. Where there are no
   * registers to keep them so long, all is done at once, before the next panel. */
  struct panel_sums {
    static constexpr int kSums = kPanelPlaces / CUONN_BLOCK, kAtOnce = kPairs == 16 ? 1 : kSums; /* of a thread */
    static constexpr bool kKept = kPairs < 16 && (!Node::kLossy || (kPairs == 1 && kLanes > 8));
    float2 *gradient = nullptr; /* [place] theta, phi of one mesh; NULL: no shares are written */
    int panel = 0;
    bool first = false; /* the gradient is set, not added to */
    float2 sum[kAtOnce];

    /* In the midst of a panel, and behind it. */
    DEVICE void read(const float2 *shares, int n_columns) {
      if (kKept) {
        sum_up(shares, 0);
      } else {
        add_all(shares, n_columns);
      }
    }
    DEVICE void add(const float2 *shares, int n_columns) {
      if (kKept) add_all(shares, n_columns);
    }

   private:
    DEVICE void sum_up(const float2 *shares, int from) {
      shares += threadIdx.x / kLanes * CUONN_BLOCK + threadIdx.x % kLanes;
#pragma unroll
      for (int i = 0; i < kAtOnce; i++) {
        sum[i] = make_float2(0, 0);
#pragma unroll
        for (int example = 0; example < kExamples; example++) /* in their order */
          sum[i] = sum[i] + shares[(from + i) * kExamples * CUONN_BLOCK + example * kLanes];
      }
    }
    DEVICE void add_all(const float2 *shares, int n_columns) {
      if (!gradient) return;
      const int count = pairs_in(panel, n_columns) * kModes * kLanes;
      const bool whole = is_whole(panel, n_columns);
      float2 *const to = gradient + static_cast<size_t>(panel) * kPanelPlaces + threadIdx.x;
      const auto there = [&](int i) { /* the last odd column may be missing */
                                      const int place = static_cast<int>(threadIdx.x) + i * CUONN_BLOCK;
                                      return whole || (place < count &&
                                                       2 * panel * kPanel + place / kLanes / kPairs < n_columns);
      };
#pragma unroll 1
      for (int from = 0; from < kSums; from += kAtOnce) {
        float2 old[kAtOnce] = {};
        if (!kKept) sum_up(shares, from);
        if (!first) {
#pragma unroll
          for (int i = 0; i < kAtOnce; i++) old[i] = there(from + i) ? to[(from + i) * CUONN_BLOCK] : make_float2(0, 0);
#pragma unroll
          for (int i = 0; i < kAtOnce; i++) sum[i] = old[i] + sum[i];
        }
#pragma unroll
        for (int i = 0; i < kAtOnce; i++) {
          if (there(from + i)) to[(from + i) * CUONN_BLOCK] = sum[i];
        }
      }
    }
  };

  /* --- Meshes: all panels of one, from a panel_stream --- */

  template <class Panels>
  static DEVICE void forward_mesh(float2 (&x)[kModes], Panels &panels, int n_columns, const kept_fields &kept) {
    for (int panel = 0; panel < panels_of(n_columns); panel++) {
      const float4 *const nodes = panels.next();
      forward_panel(x, nodes, panel, n_columns, kept);
    }
  }

  /* sums: of the mesh behind this one, if any; then of this one's last panel, for the mesh before it or for
   * add_last_shares(). before_last(): is called before the last panel is computed. */
  template <class Panels, class BeforeLast>
  static DEVICE void backward_mesh(float2 (&x)[kModes], float2 (&g)[kModes], Panels &panels, panel_sums &sums,
                                   float2 *gradient, bool first, const device_meshes &meshes, const kept_fields &kept,
                                   BeforeLast before_last) {
    const int n_columns = meshes.layout.n_columns;
    for (int panel = panels_of(n_columns); panel-- > 0;) {
      const float4 *const nodes = panels.next();
      if (panel == 0) before_last();
      const float2 *const before = panels.shares_before();
      backward_panel(x, g, panels.written_shares(), nodes, panel, n_columns, meshes.weights, kept, [&] {
        sums.read(before, n_columns);
        panels.shares_are_read();
      });
      sums.add(before, n_columns);
      sums.gradient = gradient;
      sums.panel = panel;
      sums.first = first;
      if (kPairs == 16) add_last_shares(sums, panels, n_columns); /* no registers to carry them on */
    }
  }

  template <class Panels>
  static DEVICE void add_last_shares(panel_sums &sums, const Panels &panels, int n_columns) {
    sync_block();
    sums.read(panels.written_shares(), n_columns);
    sums.add(panels.written_shares(), n_columns);
    sums.gradient = nullptr;
  }

  /* --- Fields in global memory: [N] complex, aligned to 16 bytes, mesh_stride() between examples --- */

  static DEVICE void read(float2 (&x)[kModes], const float2 *from, int n_modes) {
#pragma unroll
    for (int k = 0; k < kPairs; k++) {
      const int at = 2 * (lane() * kPairs + k);
      float4 v = make_float4(0, 0, 0, 0);
      if (from && at < n_modes) v = *reinterpret_cast<const float4 *>(from + at);
      x[2 * k] = make_float2(v.x, v.y);
      x[2 * k + 1] = make_float2(v.z, v.w);
    }
  }

  static DEVICE void write(float2 *to, const float2 (&x)[kModes], int n_modes) {
#pragma unroll
    for (int k = 0; k < kPairs; k++) {
      const int at = 2 * (lane() * kPairs + k);
      if (at < n_modes) {
        *reinterpret_cast<float4 *>(to + at) = make_float4(x[2 * k].x, x[2 * k].y, x[2 * k + 1].x, x[2 * k + 1].y);
      }
    }
  }

  /* Multiplies each waveguide by its factor; factors: [N], NULL: 1. */
  static DEVICE void turn(float2 (&x)[kModes], const float2 *factors, int n_modes) {
    if (!factors) return;
#pragma unroll
    for (int i = 0; i < kModes; i++) {
      const int at = lane() * kModes + i;
      if (at < n_modes) x[i] = factors[at] * x[i];
      limit_unrolled_loads(i);
    }
  }
};

/* The panels of some layers, all forward, then all backward, and again for each pass. */
template <class Walk, class Node>
struct forward_then_backward {
  const device_meshes &meshes;
  unsigned first_mesh;
  int n_layers;
  int leg = 0, panel = 0; /* of the next panel; leg: layers forward, then the same layers backward */

  DEVICE void fetch(float4 *to) {
    const int n = meshes.layout.n_columns, last = Walk::panels_of(n) - 1;
    const bool backward = leg >= n_layers;
    if (backward) {
      Walk::template fetch<Node::kBackwardPlanes>(to, meshes.back, first_mesh + 2 * n_layers - 1 - leg, panel, n);
    } else {
      Walk::template fetch<Node::kForwardPlanes>(to, meshes.nodes, first_mesh + leg, panel, n);
    }
    if (panel != (backward ? 0 : last)) {
      panel += backward ? -1 : 1;
      return;
    }
    if (++leg == 2 * n_layers) leg = 0;
    panel = leg < n_layers ? 0 : last;
  }
};

/* Panels in the order of a source, one after another, through one or two buffers. Source: its fetch() copies the next
 * panel; it counts along, since a division for each panel would cost more than the copy. */
template <class Walk, class Source>
struct panel_stream {
  float4 *buffers;
  int n_buffers;
  int left; /* panels that next() has not given yet */
  Source source;

  DEVICE float *shares() {
    return reinterpret_cast<float *>(buffers + n_buffers * Walk::kPanelPlaces * Walk::kMostPlanes);
  }
  /* Of the present panel and of the one before, which are the same buffer if there is only one. */
  DEVICE float2 *written_shares() const { return shares_of(left + 1); }
  DEVICE const float2 *shares_before() const { return shares_of(left); }
  DEVICE float2 *shares_of(int at) const {
    return reinterpret_cast<float2 *>(buffers + n_buffers * Walk::kPanelPlaces * Walk::kMostPlanes) +
           (at & (n_buffers - 1)) * (Walk::kShareBytes / 8);
  }
  /* To be called when this thread has read those of the panel before. */
  DEVICE void shares_are_read() const {
    if (n_buffers == 1) sync_block();
  }
  DEVICE float4 *buffer(int at) { return buffers + (at & (n_buffers - 1)) * Walk::kPanelPlaces * Walk::kMostPlanes; }

  DEVICE void begin() {
    if (n_buffers == 2) source.fetch(buffer(left));
  }

  /* The next panel, for all threads of the block together: they are done with the one before, and its shares are
   * written. */
  DEVICE const float4 *next() {
    if (n_buffers == 2) copy_wait<0>();
    sync_block();
    if (n_buffers == 1 || left > 1) source.fetch(buffer(left - 1));
    if (n_buffers == 1) {
      copy_wait<0>();
      sync_block();
    }
    return buffer(left--);
  }
};

/* Calls function<kLanes, kPairs>(...) for a layout; most_pairs: the most for which there is one, 8 or 16. */
#define CUONN_FOR_LAYOUT(layout, function, ...) CUONN_FOR_LAYOUT_UP_TO(16, layout, function, __VA_ARGS__)
#define CUONN_FOR_LAYOUT_UP_TO(most_pairs, layout, function, ...)   \
  do {                                                              \
    const mesh_layout asked_for = (layout);                         \
    if (asked_for.lanes == 8) return function<8, 1>(__VA_ARGS__);   \
    if (asked_for.lanes == 16) return function<16, 1>(__VA_ARGS__); \
    switch (asked_for.pairs) {                                      \
      case 1: return function<32, 1>(__VA_ARGS__);                  \
      case 2: return function<32, 2>(__VA_ARGS__);                  \
      case 4: return function<32, 4>(__VA_ARGS__);                  \
      case 8: return function<32, 8>(__VA_ARGS__);                  \
      case 16:                                                      \
        if constexpr ((most_pairs) >= 16) {                         \
          return function<32, 16>(__VA_ARGS__);                     \
        }                                                           \
        return cudaErrorInvalidValue;                               \
      default: return cudaErrorInvalidValue;                        \
    }                                                               \
  } while (0)

#endif
