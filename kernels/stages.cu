/* Fields at every stage of every column, where a chip may have taps.
 *
 * Layout as in walk.h: fields stay in registers, so that the only traffic is the writing of taps, 40 N^2 bytes for an
 * example, neighbouring lanes to neighbouring addresses. That is the limit; coefficients come from the L1 cache. Where
 * nodes join any two waveguides, fields stand in shared memory (far_walk.h). */
#include "stages.h"

#include "coefficients.h"
#include "far_walk.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* One node's stages. A shifter stage is a factor for each arm, a coupler is [[c, i s], [i s, c]]. */
struct stage_node {
  static constexpr int kPlanes = 3;
  float2 outer[2], inner[2], left, right;
  float2 third = make_float2(1, 0); /* of nodes that have one, as the crossing */
  bool crosses = false;
  DEVICE void load(const float4 *at, int lanes) {
    const float4 a = at[0], b = at[lanes], c = at[2 * lanes];
    outer[0] = make_float2(a.x, a.y);
    outer[1] = make_float2(a.z, a.w);
    left = make_float2(b.x, b.y);
    right = make_float2(b.z, b.w);
    inner[0] = make_float2(c.x, c.y);
    inner[1] = make_float2(c.z, c.w);
  }
  DEVICE void load_more(const float4 *at, int lanes) {
    const float4 d = at[3 * lanes];
    third = make_float2(d.x, d.y);
    crosses = d.z != 0;
  }
};

DEVICE void couple(float2 &top, float2 &bottom, float2 coupler) {
  const float2 t = top, b = bottom;
  top = make_float2(coupler.x * t.x - coupler.y * b.y, coupler.x * t.y + coupler.y * b.x);
  bottom = make_float2(coupler.x * b.x - coupler.y * t.y, coupler.x * b.y + coupler.y * t.x);
}

/* COUPLE_RIGHT: and a crossing, which may be passed before or behind it; COUPLE_THIRD: in front of all. */
enum stage { SHIFT_OUTER, COUPLE_LEFT, SHIFT_INNER, COUPLE_RIGHT, COUPLE_THIRD };

DEVICE void act(float2 &top, float2 &bottom, const stage_node &node, stage what) {
  switch (what) {
    case SHIFT_OUTER:
      top = node.outer[0] * top;
      bottom = node.outer[1] * bottom;
      break;
    case COUPLE_LEFT: couple(top, bottom, node.left); break;
    case SHIFT_INNER:
      top = node.inner[0] * top;
      bottom = node.inner[1] * bottom;
      break;
    case COUPLE_RIGHT:
      couple(top, bottom, node.right);
      if (node.crosses) {
        const float2 t = top;
        top = bottom;
        bottom = t;
      }
      break;
    case COUPLE_THIRD: couple(top, bottom, node.third); break;
  }
}

/* One stage of all nodes of a column. Fields are written behind each stage, so that a column takes four of these. Only
 * the register layout of walk.h is used here. */
template <int kLanes, int kPairs>
DEVICE void stage_column(float2 (&x)[2 * kPairs], const float4 *nodes, int column, stage what, node_extras extras) {
  using walk = mesh_walk<general_node, kLanes, kPairs>;
  const int planes = stage_planes_of(extras);
  const float4 *const at = nodes + static_cast<size_t>(column) * kPairs * planes * kLanes + walk::lane();
  const auto visit = [&](int row, float2 &top, float2 &bottom) {
    stage_node node;
    const float4 *const own = at + row % kPairs * planes * kLanes;
    node.load(own, kLanes);
    if (planes == 4) node.load_more(own, kLanes);
    act(top, bottom, node, what);
    walk::limit_unrolled_loads(row);
  };
  if (column % 2 == 0) {
    walk::template for_each_node<false>(visit, x);
  } else {
    walk::template for_each_node<true>(visit, x);
  }
}

/* Grid: examples, kExamples for a block. */
template <int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<general_node, kLanes, kPairs>::kBlocks)
    k_stages(float2 *out, stage_taps taps, const float4 *stages, const float2 *turns, mesh_layout layout,
             node_extras extras, const float2 *in, int n_examples, bool backward) {
  using walk = mesh_walk<general_node, kLanes, kPairs>;
  const int n = layout.n_modes, n_columns = layout.n_columns, stride = mesh_stride(layout);
  const int example = static_cast<int>(blockIdx.x) * walk::kExamples + walk::slot();
  const bool there = example < n_examples;
  const size_t at = static_cast<size_t>(example) * stride;
  float2 x[walk::kModes];
  walk::read(x, there ? in + at : nullptr, n);
  if (backward) walk::turn(x, turns, n);
  for (int i = 0; i < n_columns; i++) {
    const int column = backward ? n_columns - 1 - i : i;
    if (extras.third && !backward) stage_column<kLanes, kPairs>(x, stages, column, COUPLE_THIRD, extras);
    for (int s = 0; s < 5; s++) {
      const int tap = backward ? 4 - s : s;
      float2 *const to = taps.at[tap];
      if (to && there) walk::write(to + static_cast<size_t>(column) * n_examples * stride + at, x, n);
      if (s < 4) stage_column<kLanes, kPairs>(x, stages, column, static_cast<stage>(backward ? 3 - s : s), extras);
    }
    if (extras.third && backward) stage_column<kLanes, kPairs>(x, stages, column, COUPLE_THIRD, extras);
  }
  if (!backward) walk::turn(x, turns, n);
  if (there) walk::write(out + at, x, n);
}

/* The same where nodes join any two waveguides. */
KERNEL __launch_bounds__(CUONN_FAR_THREADS, 1)
    k_far_stages(float2 *out, stage_taps taps, const float4 *stages, const float2 *turns, mesh_layout layout,
                 const float2 *in, int n_examples, bool backward) {
  const far_walk walk(layout);
  float2 *const x = shared_memory<float2>(); /* [vector][waveguide] */
  const size_t stride = static_cast<size_t>(mesh_stride(layout));
  const int first = static_cast<int>(blockIdx.x) * walk.at_once;
  walk.for_fields([&](int v, int w, int at) {
    const float2 field = first + v < n_examples ? in[(first + v) * stride + w] : make_float2(0, 0);
    x[at] = backward ? turns[w] * field : field;
  });
  const auto write = [&](int tap, int column) {
    if (!taps.at[tap]) return;
    walk.write(taps.at[tap] + (static_cast<size_t>(column) * n_examples + first) * stride, x, n_examples - first,
               nullptr);
    sync_block();
  };
  const auto visit = [&](int column, const far_node<stage_node> &of) {
    for (int s = 0; s < 5; s++) {
      write(backward ? 4 - s : s, column);
      if (s == 4) break;
      if (of.there()) {
        walk.for_vectors([&](int at) {
          act(x[at + of.top()], x[at + of.bottom()], of.node, static_cast<stage>(backward ? 3 - s : s));
        });
      }
      sync_block();
    }
  };
  if (backward) {
    walk.for_columns<stage_node, true>(stages, visit);
  } else {
    walk.for_columns<stage_node, false>(stages, visit);
  }
  walk.write(out + first * stride, x, n_examples - first, backward ? nullptr : turns);
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <int kLanes, int kPairs>
static cudaError_t launch(float2 *out, stage_taps taps, const float4 *stages, const float2 *turns, mesh_layout layout,
                          node_extras extras, const float2 *in, int n_examples, bool backward, cudaStream_t stream) {
  return CUONN_LAUNCH((k_stages<kLanes, kPairs>),
                      dim3(blocks_for(static_cast<size_t>(n_examples), CUONN_BLOCK / kLanes)), dim3(CUONN_BLOCK), 0,
                      stream, out, taps, stages, turns, layout, extras, in, n_examples, backward);
}

extern "C" cudaError_t launch_stages(float2 *out, stage_taps taps, const float4 *stages, const float2 *turns,
                                     mesh_layout layout, node_extras extras, const float2 *in, int n_examples,
                                     bool backward, cudaStream_t stream) {
  if (layout.joined) {
    const dim3 grid(blocks_for(static_cast<size_t>(n_examples), static_cast<unsigned>(CUONN_BLOCK / layout.lanes)));
    return CUONN_LAUNCH(k_far_stages, grid, far_block(layout), far_shared_bytes(layout, 1), stream, out, taps, stages,
                        turns, layout, in, n_examples, backward);
  }
  CUONN_FOR_LAYOUT(layout, launch, out, taps, stages, turns, layout, extras, in, n_examples, backward, stream);
}
