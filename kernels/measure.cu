/* Gradients that a chip measures on itself (tap_node.h says what is summed).
 *
 * Idea: as in walk.h fields stay in registers, one warp per example, and the nodes' coefficients come through shared
 * memory in panels. g goes backward through the mesh; the returned field is read and stays in registers as a; then x
 * and a go forward together. Readings of each tap are summed over the block's examples through shared memory, in their
 * order, and over passes in the chunk's part of global memory. Layers and models are side by side in the grid: where
 * matrices are measured no layer waits for another. No atomics: the same bits in every run. */
#include "measure.h"

#include "residency.h"
#include "tap_node.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

template <bool kBottom, int kLanes, int kPairs>
struct tap_walk {
  using node = tap_node<kBottom>;
  using walk = mesh_walk<node, kLanes, kPairs>;
  static constexpr int kModes = walk::kModes;
  static constexpr int kShareBytes = walk::kPanel * kModes * 4 * CUONN_BLOCK * 4; /* at least 2 for each waveguide */
  static constexpr size_t shared_bytes(int n_buffers) {
    return static_cast<size_t>(n_buffers * walk::kPanelBytes + kShareBytes);
  }

  /* A thread's share of one node: [row][4][thread]. */
  static DEVICE void put(float *shares, int row, const tap_reading &theta, const tap_reading &phi) {
    float *const to = shares + row * 4 * CUONN_BLOCK;
    to[0] = theta.signal;
    to[CUONN_BLOCK] = theta.light;
    to[2 * CUONN_BLOCK] = phi.signal;
    to[3 * CUONN_BLOCK] = phi.light;
  }

  static DEVICE void backward_pair(float2 (&g)[kModes], float *shares, const float4 *pair, int column, int n_columns,
                                   bool digital) {
    const auto backward = [&](int row, float2 &top, float2 &bottom) {
      node n;
      float2 theta, phi;
      n.load(walk::node_at(pair, row, 2), kLanes);
      n.backward(top, bottom, theta, phi);
      if (digital) put(shares, row, read_backward(theta), read_backward(phi));
      walk::limit_unrolled_loads(row);
    };
    if (column + 1 < n_columns) walk::template for_each_node<true>(backward, g);
    walk::template for_each_node<false>(backward, g);
  }

  static DEVICE void forward_pair(float2 (&x)[kModes], float2 (&a)[kModes], float *shares, const float4 *pair,
                                  int column, int n_columns, bool digital) {
    const auto forward = [&](int row, float2 &x_top, float2 &a_top, float2 &x_bottom, float2 &a_bottom) {
      node n;
      tap_reading theta, phi;
      n.load(walk::node_at(pair, row, 2), kLanes);
      n.forward(x_top, x_bottom, a_top, a_bottom, digital, theta, phi);
      put(shares, row, theta, phi);
      walk::limit_unrolled_loads(row);
    };
    walk::template for_each_node<false>(forward, x, a);
    if (column + 1 < n_columns) walk::template for_each_node<true>(forward, x, a);
  }

  /* After a barrier: adds the shares of the block's examples, in their order, to the panel's part of the sums. */
  static DEVICE void add_shares(float4 *sums, const float *shares, int panel, int n_columns, bool first) {
    const int count = walk::pairs_in(panel, n_columns) * kModes * kLanes;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += CUONN_BLOCK) {
      const int node = i / kLanes, of = i % kLanes;
      if (2 * panel * walk::kPanel + node / kPairs >= n_columns) continue; /* an odd column that is missing */
      float4 *const to = sums + static_cast<size_t>(panel) * walk::kPanelPlaces + i;
      float4 sum = first ? make_float4(0, 0, 0, 0) : *to;
#pragma unroll
      for (int example = 0; example < walk::kExamples; example++) {
        const float *const share = shares + node * 4 * CUONN_BLOCK + example * kLanes + of;
        sum.x += share[0];
        sum.y += share[CUONN_BLOCK];
        sum.z += share[2 * CUONN_BLOCK];
        sum.w += share[3 * CUONN_BLOCK];
      }
      *to = sum;
    }
  }

  /* The same for the outputs, the taps of gamma: shares [waveguide of the thread][2][thread]. */
  static DEVICE void add_outputs(float2 *sums, const float *shares, int n_modes, bool first) {
    for (int w = static_cast<int>(threadIdx.x); w < n_modes; w += CUONN_BLOCK) {
      float2 sum = first ? make_float2(0, 0) : sums[w];
      for (int example = 0; example < walk::kExamples; example++) {
        const float *const share = shares + w % kModes * 2 * CUONN_BLOCK + example * kLanes + w / kModes;
        sum = sum + make_float2(share[0], share[CUONN_BLOCK]);
      }
      sums[w] = sum;
    }
  }
};

/* Panels of one mesh, last to first, then first to last, and again for each pass. */
template <class Walk>
struct backward_then_forward {
  const float4 *nodes;
  unsigned mesh;
  int n_columns;
  int panel; /* the next one; at first the last */
  bool forward = false;

  DEVICE void fetch(float4 *to) {
    const int last = Walk::panels_of(n_columns) - 1;
    Walk::template fetch<2>(to, nodes, mesh, panel, n_columns);
    if (panel == (forward ? last : 0)) {
      forward = !forward; /* the panel at either end comes twice */
    } else {
      panel += forward ? 1 : -1;
    }
  }
};

/* Grid: chunks of each layer and model. */
template <bool kBottom, int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<tap_node<kBottom>, kLanes, kPairs>::kBlocks)
    k_measure(measure_task t, int n_buffers) {
  using taps = tap_walk<kBottom, kLanes, kPairs>;
  using walk = typename taps::walk;
  const int n = t.layout.n_modes, n_columns = t.layout.n_columns, stride = mesh_stride(t.layout);
  const int n_panels = walk::panels_of(n_columns);
  const measure_block of(t);
  const unsigned n_examples = static_cast<unsigned>(t.n_examples), mesh = static_cast<unsigned>(of.mesh(t));
  const chunk_range passes = walk::passes_of(n_examples, of.block, of.n_blocks);
  const size_t here = of.here, part = here * of.n_blocks + of.block;
  const float2 *const turns = t.gammas + static_cast<size_t>(mesh) * n;
  float4 *const sums = t.sums + part * mesh_places(t.layout);
  const bool digital = t.readers[of.model].digital;
  const float x_share = static_cast<float>(1 / t.scales[here].x), g_share = static_cast<float>(1 / t.scales[here].y);
  const float g_scale = static_cast<float>(t.scales[here].y);

  using source = backward_then_forward<walk>;
  panel_stream<walk, source> panels = {shared_memory<float4>(), n_buffers,
                                       static_cast<int>(passes.end - passes.first) * 2 * n_panels,
                                       source{t.nodes, mesh, n_columns, n_panels - 1}};
  float *const shares = panels.shares();
  float *const own = shares + threadIdx.x;

  panels.begin();
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const unsigned example = pass * walk::kExamples + walk::slot();
    const bool there = example < n_examples;
    const size_t row = static_cast<size_t>(example) * stride,
                 at = here * static_cast<size_t>(t.n_examples) * stride + row;
    float2 x[walk::kModes], a[walk::kModes]; /* a: g, then the returned field, then its conjugate in the forward pass */

    walk::read(a, there ? t.c + at : nullptr, n);
#pragma unroll
    for (int i = 0; i < walk::kModes; i++) a[i] = g_share * conjugate(a[i]);
    walk::turn(a, turns, n);
    for (int panel = n_panels; panel-- > 0;) {
      const float4 *const nodes = panels.take();
#pragma unroll 1
      for (int j = walk::pairs_in(panel, n_columns); j-- > 0;) {
        taps::backward_pair(a, own + j * walk::kModes * 4 * CUONN_BLOCK, nodes + j * walk::kModes * kLanes * 2,
                            2 * (panel * walk::kPanel + j), n_columns, digital);
      }
      if (digital) {
        sync_block();
        taps::add_shares(sums, shares, panel, n_columns, pass == passes.first);
      }
      panels.give_back();
    }

    if (!digital && t.factors) {
      walk::read(x, there ? t.factors + at : nullptr, n);
#pragma unroll
      for (int i = 0; i < walk::kModes; i++) a[i] = x[i] * a[i];
    }
#pragma unroll
    for (int i = 0; i < walk::kModes; i++) {
      const int w = walk::lane() * walk::kModes + i;
      if (t.y_before && there && w < n) t.c_before[at + w] = modulus_back(g_scale * a[i].x, t.y_before[at + w]);
      a[i] = conjugate(a[i]);
    }
    if (t.x) {
      walk::read(x, there ? t.x + of.model * t.x_distance + row : nullptr, n);
#pragma unroll
      for (int i = 0; i < walk::kModes; i++) x[i] = x_share * x[i];
    } else {
#pragma unroll
      for (int i = 0; i < walk::kModes; i++) {
        const int w = walk::lane() * walk::kModes + i;
        const bool lit = there && w < n;
        x[i] = make_float2(t.h ? (lit ? x_share * t.h[of.model * t.x_distance + row + w] : 0)
                           : w == static_cast<int>(example) ? 1
                                                            : 0,
                           0);
        walk::limit_unrolled_loads(i);
      }
    }

    for (int panel = 0; panel < n_panels; panel++) {
      const float4 *const nodes = panels.take();
#pragma unroll 1
      for (int j = 0; j < walk::pairs_in(panel, n_columns); j++) {
        taps::forward_pair(x, a, own + j * walk::kModes * 4 * CUONN_BLOCK, nodes + j * walk::kModes * kLanes * 2,
                           2 * (panel * walk::kPanel + j), n_columns, digital);
      }
      sync_block();
      taps::add_shares(sums, shares, panel, n_columns, pass == passes.first && !digital);
      panels.give_back();
    }

#pragma unroll
    for (int i = 0; i < walk::kModes; i++) {
      const int w = walk::lane() * walk::kModes + i;
      tap_reading reading = read_both(x[i], a[i], digital); /* gamma is the same factor for both */
      if (digital && there && w < n) {
        const tap_reading sent = read_backward(g_share * t.c[at + w]);
        reading.signal += sent.signal;
        reading.light += sent.light;
      }
      own[2 * i * CUONN_BLOCK] = reading.signal;
      own[(2 * i + 1) * CUONN_BLOCK] = reading.light;
      walk::limit_unrolled_loads(i);
    }
    sync_block();
    taps::add_outputs(t.outputs + part * n, shares, n, pass == passes.first);
  } /* take() has the barrier before the next shares */
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <bool kBottom>
struct measure_launcher {
  template <int kLanes, int kPairs>
  static cudaError_t launch(const measure_task &task, cudaStream_t stream) {
    using taps = tap_walk<kBottom, kLanes, kPairs>;
    static thread_local panel_buffers buffers;
    return buffers.launch(k_measure<kBottom, kLanes, kPairs>, measure_grid(task, static_cast<unsigned>(task.n_chunks)),
                          taps::shared_bytes, task.shared_limit, stream, task);
  }
  static cudaError_t any(const measure_task &task, cudaStream_t stream) {
    CUONN_FOR_LAYOUT(task.layout, launch, task, stream);
  }
};

extern "C" cudaError_t launch_measure(const measure_task *task, cudaStream_t stream) {
  return task->bottom ? measure_launcher<true>::any(*task, stream) : measure_launcher<false>::any(*task, stream);
}
