/* Gradients that a chip measures on itself (tap_node.h says what is summed).
 *
 * Idea: as in walk.h fields stay in registers, one warp per example, and the nodes' coefficients come through shared
 * memory in panels. g goes backward through the mesh; the returned field is read and stays in registers as a; then x
 * and a go forward together. Readings of each tap are summed over the block's examples through shared memory, in their
 * order, and over passes in the chunk's part of global memory. Layers and models are side by side in the grid: where
 * matrices are measured no layer waits for another. No atomics: the same bits in every run. */
#include "measure.h"

#include "far_measure.h"
#include "residency.h"
#include "tap_node.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

template <bool kBottom, bool kMore, int kLanes, int kPairs>
struct tap_walk {
  using node = tap_node<kBottom, kMore>;
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

  /* kReads: with readings of g. */
  template <bool kReads>
  static DEVICE void backward_pair(float2 (&g)[kModes], float *own, const float4 *pair, bool has_odd) {
    const auto backward = [&](int row, float2 &top, float2 &bottom) {
      node n;
      float2 theta, phi;
      n.load(walk::node_at(pair, row, node::kForwardPlanes), kLanes);
      n.backward(top, bottom, theta, phi);
      if (kReads) put(own, row, read_backward(theta), read_backward(phi));
      walk::limit_unrolled_loads(row);
    };
    if (has_odd) walk::template for_each_node<true>(backward, g);
    walk::template for_each_node<false>(backward, g);
  }

  static DEVICE void forward_pair(float2 (&x)[kModes], float2 (&a)[kModes], float *own, const float4 *pair,
                                  bool has_odd, bool digital) {
    const auto forward = [&](int row, float2 &x_top, float2 &a_top, float2 &x_bottom, float2 &a_bottom) {
      node n;
      tap_reading theta, phi;
      n.load(walk::node_at(pair, row, node::kForwardPlanes), kLanes);
      n.forward(x_top, x_bottom, a_top, a_bottom, digital, theta, phi);
      put(own, row, theta, phi);
      walk::limit_unrolled_loads(row);
    };
    walk::template for_each_node<false>(forward, x, a);
    if (has_odd) walk::template for_each_node<true>(forward, x, a);
  }

  /* After a barrier: adds the shares of the block's examples, in their order, to the panel's part of the sums; some
   * places together, as many as there are registers for, so that their reads do not wait for one another. */
  static DEVICE void add_shares(float4 *sums, const float *shares, int panel, int n_columns, bool first) {
    constexpr int at_once = kPairs == 16 ? 1 : walk::kPanelPlaces / CUONN_BLOCK;
    const int count = walk::pairs_in(panel, n_columns) * kModes * kLanes;
    const bool whole = walk::is_whole(panel, n_columns);
    sums += static_cast<size_t>(panel) * walk::kPanelPlaces;
#pragma unroll 1
    for (int start = static_cast<int>(threadIdx.x); start < count; start += at_once * CUONN_BLOCK) {
      const auto there = [&](int i) { /* the last odd column may be missing */
                                      const int place = start + i * CUONN_BLOCK;
                                      return whole || (place < count &&
                                                       2 * panel * walk::kPanel + place / kLanes / kPairs < n_columns);
      };
      float4 sum[at_once] = {};
      if (!first) {
#pragma unroll
        for (int i = 0; i < at_once; i++) {
          if (there(i)) sum[i] = sums[start + i * CUONN_BLOCK];
        }
      }
#pragma unroll
      for (int i = 0; i < at_once; i++) add_examples(sum[i], shares, start + i * CUONN_BLOCK);
#pragma unroll
      for (int i = 0; i < at_once; i++) {
        if (there(i)) sums[start + i * CUONN_BLOCK] = sum[i];
      }
    }
  }

  static DEVICE void add_examples(float4 &sum, const float *shares, int place) {
    const float *share = shares + place / kLanes * 4 * CUONN_BLOCK + place % kLanes;
#pragma unroll
    for (int example = 0; example < walk::kExamples; example++, share += kLanes) {
      sum.x += share[0];
      sum.y += share[CUONN_BLOCK];
      sum.z += share[2 * CUONN_BLOCK];
      sum.w += share[3 * CUONN_BLOCK];
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
    Walk::template fetch<Walk::kMostPlanes>(to, nodes, mesh, panel, n_columns);
    if (panel == (forward ? last : 0)) {
      forward = !forward; /* the panel at either end comes twice */
    } else {
      panel += forward ? 1 : -1;
    }
  }
};

/* One mesh, and the part of its examples that this block sends. */
template <bool kBottom, bool kMore, int kLanes, int kPairs>
struct measurement {
  using taps = tap_walk<kBottom, kMore, kLanes, kPairs>;
  using walk = typename taps::walk;
  static constexpr int kModes = taps::kModes;
  static constexpr int kPairShares = kModes * 4 * CUONN_BLOCK,
                       kPairPlanes = kModes * kLanes * walk::kMostPlanes; /* of a column pair */
  using panels = panel_stream<walk, backward_then_forward<walk>>;

  const measure_task &t;
  const measure_block &of;
  const int n = t.layout.n_modes, n_columns = t.layout.n_columns, n_panels = walk::panels_of(n_columns);
  const bool digital = t.readers[of.model].digital;
  const double2 scales = t.scales[of.here];
  const float x_share = static_cast<float>(1 / scales.x), g_share = static_cast<float>(1 / scales.y);
  float4 *const sums = t.sums + (of.here * of.n_blocks + of.block) * mesh_places(t.layout);
  unsigned example = 0; /* of this warp or part of one */
  bool there = false;
  size_t input = 0, cotangent = 0; /* where its fields begin */

  DEVICE void begin(unsigned pass) {
    const size_t stride = static_cast<size_t>(mesh_stride(t.layout));
    example = pass * walk::kExamples + walk::slot();
    there = example < static_cast<unsigned>(t.n_examples);
    input = of.model * t.x_distance + example * stride;
    cotangent = (of.here * static_cast<size_t>(t.n_examples) + example) * stride;
  }

  DEVICE void read_cotangent(float2 (&g)[kModes]) const {
    walk::read(g, there ? t.c + cotangent : nullptr, n);
#pragma unroll
    for (int i = 0; i < kModes; i++) g[i] = g_share * conjugate(g[i]);
    walk::turn(g, t.gammas + of.mesh(t) * n, n);
  }

  template <bool kReads>
  DEVICE void backward_panel(float2 (&g)[kModes], float *own, const float4 *nodes, int panel) const {
    walk::template for_each_pair<true>(panel, n_columns, [&](int j, int, bool has_odd, bool) {
      taps::template backward_pair<kReads>(g, own + j * kPairShares, nodes + j * kPairPlanes, has_odd);
    });
  }

  /* Columns last to first. */
  DEVICE void go_backward(float2 (&g)[kModes], panels &stream, bool first) const {
    float *const own = stream.shares() + threadIdx.x;
    for (int panel = n_panels; panel-- > 0;) {
      const float4 *const nodes = stream.next();
      if (digital) {
        backward_panel<true>(g, own, nodes, panel);
        sync_block();
        taps::add_shares(sums, stream.shares(), panel, n_columns, first);
      } else {
        backward_panel<false>(g, own, nodes, panel);
      }
    }
  }

  /* The field that returned, as it is read, becomes the one that is sent in beside x. */
  DEVICE void read_returned(float2 (&a)[kModes]) const {
    if (!digital && t.factors) {
      float2 factors[kModes];
      walk::read(factors, there ? t.factors + cotangent : nullptr, n);
#pragma unroll
      for (int i = 0; i < kModes; i++) a[i] = factors[i] * a[i];
    }
#pragma unroll
    for (int i = 0; i < kModes; i++) {
      const int w = walk::lane() * kModes + i;
      if (t.y_before && there && w < n)
        t.c_before[cotangent + w] = modulus_back(static_cast<float>(scales.y) * a[i].x, t.y_before[cotangent + w]);
      a[i] = conjugate(a[i]);
    }
  }

  DEVICE void read_input(float2 (&x)[kModes]) const {
    if (t.x) {
      walk::read(x, there ? t.x + input : nullptr, n);
#pragma unroll
      for (int i = 0; i < kModes; i++) x[i] = x_share * x[i];
      return;
    }
#pragma unroll
    for (int i = 0; i < kModes; i++) {
      const int w = walk::lane() * kModes + i;
      const bool lit = there && w < n;
      x[i] = make_float2(t.h ? (lit ? x_share * t.h[input + w] : 0) : w == static_cast<int>(example) ? 1 : 0, 0);
      walk::limit_unrolled_loads(i);
    }
  }

  /* x and a together, columns first to last. */
  DEVICE void go_forward(float2 (&x)[kModes], float2 (&a)[kModes], panels &stream, bool first) const {
    float *const own = stream.shares() + threadIdx.x;
    for (int panel = 0; panel < n_panels; panel++) {
      const float4 *const nodes = stream.next();
      walk::template for_each_pair<false>(panel, n_columns, [&](int j, int, bool has_odd, bool) {
        taps::forward_pair(x, a, own + j * kPairShares, nodes + j * kPairPlanes, has_odd, digital);
      });
      sync_block();
      taps::add_shares(sums, stream.shares(), panel, n_columns, first && !digital);
    }
  }

  DEVICE void read_outputs(const float2 (&x)[kModes], const float2 (&a)[kModes], float *shares, bool first) const {
    sync_block(); /* the shares of the last panel are read */
    float *const own = shares + threadIdx.x;
#pragma unroll
    for (int i = 0; i < kModes; i++) {
      const int w = walk::lane() * kModes + i;
      tap_reading reading = read_both(x[i], a[i], digital); /* gamma is the same factor for both */
      if (digital && there && w < n) {
        const tap_reading sent = read_backward(g_share * t.c[cotangent + w]);
        reading.signal += sent.signal;
        reading.light += sent.light;
      }
      own[2 * i * CUONN_BLOCK] = reading.signal;
      own[(2 * i + 1) * CUONN_BLOCK] = reading.light;
      walk::limit_unrolled_loads(i);
    }
    sync_block();
    taps::add_outputs(t.outputs + (of.here * of.n_blocks + of.block) * n, shares, n, first);
  }
};

/* Grid: chunks of each layer and model. */
template <bool kBottom, bool kMore, int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<tap_node<kBottom, kMore>, kLanes, kPairs>::kBlocks)
    k_measure(measure_task t, int n_buffers) {
  using measuring = measurement<kBottom, kMore, kLanes, kPairs>;
  using walk = typename measuring::walk;
  const measure_block of(t);
  const int n_columns = t.layout.n_columns, n_panels = walk::panels_of(n_columns);
  const chunk_range passes = walk::passes_of(static_cast<unsigned>(t.n_examples), of.block, of.n_blocks);
  typename measuring::panels panels = {shared_memory<float4>(),
                                       n_buffers,
                                       static_cast<int>(passes.end - passes.first) * 2 * n_panels,
                                       {t.nodes, static_cast<unsigned>(of.mesh(t)), n_columns, n_panels - 1}};
  measuring m = {t, of};

  panels.begin();
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const bool first = pass == passes.first;
    float2 x[walk::kModes], a[walk::kModes]; /* a: g, then the returned field, then its conjugate in the forward pass */
    m.begin(pass);
    m.read_cotangent(a);
    m.go_backward(a, panels, first);
    m.read_returned(a);
    m.read_input(x);
    m.go_forward(x, a, panels, first);
    m.read_outputs(x, a, panels.shares(), first);
  } /* next() has the barrier before the next shares */
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <bool kBottom, bool kMore>
struct measure_launcher {
  template <int kLanes, int kPairs>
  static cudaError_t launch(const measure_task &task, cudaStream_t stream) {
    using taps = tap_walk<kBottom, kMore, kLanes, kPairs>;
    static thread_local panel_buffers buffers;
    return buffers.launch(k_measure<kBottom, kMore, kLanes, kPairs>,
                          measure_grid(task, static_cast<unsigned>(task.n_chunks)), taps::shared_bytes,
                          task.shared_limit, stream, task);
  }
  static cudaError_t any(const measure_task &task, cudaStream_t stream) {
    CUONN_FOR_LAYOUT_UP_TO((tap_node<kBottom, kMore>::kMostPairs), task.layout, launch, task, stream);
  }
};

extern "C" cudaError_t launch_measure(const measure_task *task, cudaStream_t stream) {
  if (task->layout.joined) return launch_far_measure(task, stream);
  if (task->more)
    return task->bottom ? measure_launcher<true, true>::any(*task, stream)
                        : measure_launcher<false, true>::any(*task, stream);
  return task->bottom ? measure_launcher<true, false>::any(*task, stream)
                      : measure_launcher<false, false>::any(*task, stream);
}
