/* Fields through one mesh, forward alone or with the backward pass. As in walk.h fields stay in registers from the
 * first column to the last, and coefficients are read once for all examples of a block. */
#include "columns.h"

#include "far_columns.h"
#include "residency.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Panels of one mesh, first to last or last to first. */
template <class Walk, class Node, bool kTransposed>
struct one_way {
  const device_meshes &meshes;
  unsigned mesh;
  int panel; /* the next one */
  DEVICE void fetch(float4 *to) {
    Walk::template fetch<Node::kForwardPlanes>(to, meshes.nodes, mesh, panel, meshes.layout.n_columns);
    panel += kTransposed ? -1 : 1;
  }
};

/* Grid: examples, kExamples for a block; meshes. */
template <class Node, int kLanes, int kPairs, bool kTransposed>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<Node, kLanes, kPairs>::kBlocks)
    k_columns(float2 *out, device_meshes meshes, const float2 *in, int n_examples, bool with_turns, int n_buffers) {
  using walk = mesh_walk<Node, kLanes, kPairs>;
  const int n = meshes.layout.n_modes, stride = mesh_stride(meshes.layout), mesh = static_cast<int>(blockIdx.y);
  const int n_columns = meshes.layout.n_columns;
  const int n_panels = walk::panels_of(n_columns);
  const int example = static_cast<int>(blockIdx.x) * walk::kExamples + walk::slot();
  const bool there = example < n_examples;
  const float2 *turns = with_turns ? meshes.turns + static_cast<size_t>(mesh) * n : nullptr;
  using source = one_way<walk, Node, kTransposed>;
  panel_stream<walk, source> panels = {shared_memory<float4>(), n_buffers, n_panels,
                                       source{meshes, blockIdx.y, kTransposed ? n_panels - 1 : 0}};

  float2 x[walk::kModes];
  if (in) {
    walk::read(x, there ? in + static_cast<size_t>(example) * stride : nullptr, n);
  } else {
#pragma unroll
    for (int i = 0; i < walk::kModes; i++) {
      x[i] = make_float2(walk::lane() * walk::kModes + i == example ? 1.f : 0.f, 0);
    }
  }
  if (kTransposed) walk::turn(x, turns, n);
  panels.begin();
  for (int i = 0; i < n_panels; i++) {
    const float4 *const nodes = panels.next();
    const int panel = kTransposed ? n_panels - 1 - i : i;
    if (kTransposed) {
      walk::transposed_panel(x, nodes, panel, n_columns);
    } else {
      walk::forward_panel(x, nodes, panel, n_columns, kept_fields{nullptr, nullptr});
    }
  }
  if (!kTransposed) walk::turn(x, turns, n);
  if (there) walk::write(out + (static_cast<size_t>(mesh) * n_examples + example) * stride, x, n);
}

/* Cotangents of outputs become those of the fields behind the last column. */
KERNEL k_turn(float2 *fields, const float2 *turns, int n_modes, int stride, int n_examples) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, w = i % stride;
  if (i < static_cast<size_t>(n_examples) * stride && w < static_cast<size_t>(n_modes))
    fields[i] = turns[w] * fields[i];
}

/* Grid: chunks of examples. A block goes through its chunk in passes of kExamples, forward and backward. */
template <class Node, int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<Node, kLanes, kPairs>::kBlocks)
    k_vjp(vjp_task task, device_meshes meshes, int n_buffers) {
  using walk = mesh_walk<Node, kLanes, kPairs>;
  if (kPairs == 16 && Node::kLossy) n_buffers = 1; /* there are no registers for the choice between two */
  const int n = meshes.layout.n_modes, n_columns = meshes.layout.n_columns, stride = mesh_stride(meshes.layout);
  const int n_panels = walk::panels_of(n_columns);
  const unsigned chunk = blockIdx.x, n_examples = static_cast<unsigned>(task.n_examples);
  const chunk_range passes = walk::passes_of(n_examples, chunk, static_cast<unsigned>(task.n_chunks));
  float2 *const gradient = task.gradient + static_cast<size_t>(chunk) * mesh_places(meshes.layout);
  kept_fields kept = {nullptr, meshes.starts};
  if (task.kept) {
    const size_t slot = static_cast<size_t>(chunk) * walk::kExamples + walk::slot();
    kept.at = task.kept + slot * meshes.n_segments * walk::kModes * kLanes + walk::lane();
  }
  using source = forward_then_backward<walk, Node>;
  panel_stream<walk, source> panels = {shared_memory<float4>(), n_buffers,
                                       static_cast<int>(passes.end - passes.first) * 2 * n_panels,
                                       source{meshes, 0, 1}};
  float *const flows =
      panels.shares() + n_buffers * walk::kShareBytes / 4 + threadIdx.x; /* [waveguide of the thread][thread] Im(y g) */
#pragma unroll
  for (int i = 0; i < walk::kModes; i++) flows[i * CUONN_BLOCK] = 0;
  panels.begin();
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const unsigned example = pass * walk::kExamples + walk::slot();
    const bool there = example < n_examples;
    const size_t at = static_cast<size_t>(example) * stride;
    float2 x[walk::kModes], g[walk::kModes];
    walk::read(x, there ? task.input + at : nullptr, n);
    walk::forward_mesh(x, panels, n_columns, kept);
    walk::read(g, there ? task.cotangent + at : nullptr, n);
#pragma unroll
    for (int i = 0; i < walk::kModes; i++) {
      flows[i * CUONN_BLOCK] += imaginary_product(x[i], g[i]);
      walk::limit_unrolled_loads(i);
    }
    typename walk::panel_sums sums;
    walk::backward_mesh(x, g, panels, sums, gradient, pass == passes.first, meshes, kept, [] {});
    walk::add_last_shares(sums, panels, n_columns);
    if (there && task.backward) walk::write(task.backward + at, g, n);
  }

  /* d_gamma: minus the flows, added over the block's examples in their order */
  sync_block();
  for (int w = static_cast<int>(threadIdx.x); w < n; w += CUONN_BLOCK) {
    float sum = 0;
    for (int e = 0; e < walk::kExamples; e++) {
      sum += flows[w % walk::kModes * CUONN_BLOCK + e * kLanes + w / walk::kModes - static_cast<int>(threadIdx.x)];
    }
    task.d_gamma[static_cast<size_t>(chunk) * n + w] = -sum;
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <class Node, bool kTransposed>
struct columns_launcher {
  template <int kLanes, int kPairs>
  static cudaError_t launch(float2 *out, const device_meshes &meshes, int n_meshes, const float2 *in, int n_examples,
                            bool with_turns, cudaStream_t stream) {
    using walk = mesh_walk<Node, kLanes, kPairs>;
    const dim3 grid(blocks_for(static_cast<size_t>(n_examples), walk::kExamples), static_cast<unsigned>(n_meshes));
    const auto shared_bytes = [](int n_buffers) { return walk::shared_bytes(n_buffers, false); };
    static thread_local panel_buffers buffers;
    return buffers.launch(k_columns<Node, kLanes, kPairs, kTransposed>, grid, shared_bytes, meshes.shared_limit, stream,
                          out, meshes, in, n_examples, with_turns);
  }
  static cudaError_t any(float2 *out, const device_meshes &meshes, int n_meshes, const float2 *in, int n_examples,
                         bool with_turns, cudaStream_t stream) {
    CUONN_FOR_LAYOUT(meshes.layout, launch, out, meshes, n_meshes, in, n_examples, with_turns, stream);
  }
};

/* As many meshes as a grid has rows, or fewer. */
static cudaError_t launch_rows(float2 *out, const device_meshes &meshes, int n_meshes, const float2 *in, int n_examples,
                               bool transposed, bool with_turns, cudaStream_t stream) {
  if (meshes.layout.joined)
    return launch_far_columns(out, &meshes, n_meshes, in, n_examples, transposed, with_turns, stream);
  if (meshes.ideal) {
    return transposed
               ? columns_launcher<ideal_node, true>::any(out, meshes, n_meshes, in, n_examples, with_turns, stream)
               : columns_launcher<ideal_node, false>::any(out, meshes, n_meshes, in, n_examples, with_turns, stream);
  }
  return transposed
             ? columns_launcher<general_node, true>::any(out, meshes, n_meshes, in, n_examples, with_turns, stream)
             : columns_launcher<general_node, false>::any(out, meshes, n_meshes, in, n_examples, with_turns, stream);
}

extern "C" cudaError_t launch_columns(float2 *out, const device_meshes *meshes, int n_meshes, const float2 *in,
                                      int n_examples, bool transposed, bool with_turns, cudaStream_t stream) {
  const size_t fields = static_cast<size_t>(n_examples) * mesh_stride(meshes->layout);
  const size_t nodes = mesh_places(meshes->layout) * (meshes->ideal ? 1 : 2);
  device_meshes rows = *meshes;
  for (int left = n_meshes; left > 0; left -= CUONN_GRID_ROWS_MAX) {
    const int count = left < CUONN_GRID_ROWS_MAX ? left : static_cast<int>(CUONN_GRID_ROWS_MAX);
    const cudaError_t launched = launch_rows(out, rows, count, in, n_examples, transposed, with_turns, stream);
    if (launched != cudaSuccess) return launched;
    out += count * fields;
    rows.nodes += count * nodes;
    if (rows.turns) rows.turns += static_cast<size_t>(count) * meshes->layout.n_modes;
  }
  return cudaSuccess;
}

template <class Node>
struct vjp_launcher {
  template <int kLanes, int kPairs>
  static cudaError_t launch(const vjp_task &task, const device_meshes &meshes, cudaStream_t stream) {
    using walk = mesh_walk<Node, kLanes, kPairs>;
    const auto shared_bytes = [](int n_buffers) { /* and the flows */
                                                  return walk::shared_bytes(n_buffers, true) +
                                                         walk::kModes * CUONN_BLOCK * 4;
    };
    static thread_local panel_buffers buffers;
    return buffers.launch(k_vjp<Node, kLanes, kPairs>, dim3(static_cast<unsigned>(task.n_chunks)), shared_bytes,
                          meshes.shared_limit, stream, task, meshes);
  }
  static cudaError_t any(const vjp_task &task, const device_meshes &meshes, cudaStream_t stream) {
    CUONN_FOR_LAYOUT_UP_TO(Node::kMostPairs, meshes.layout, launch, task, meshes, stream);
  }
};

extern "C" cudaError_t launch_vjp(const vjp_task *task, const device_meshes *meshes, cudaStream_t stream) {
  const int stride = mesh_stride(meshes->layout);
  const unsigned blocks = blocks_for(static_cast<size_t>(task->n_examples) * stride, CUONN_BLOCK);
  const cudaError_t turned = CUONN_LAUNCH(k_turn, dim3(blocks), dim3(CUONN_BLOCK), 0, stream, task->cotangent,
                                          meshes->turns, meshes->layout.n_modes, stride, task->n_examples);
  if (turned != cudaSuccess) return turned;
  if (meshes->layout.joined) {
    const far_gradient_task far = {*meshes,
                                   1,
                                   1,
                                   task->n_examples,
                                   task->n_chunks,
                                   task->input,
                                   task->cotangent,
                                   false,
                                   task->gradient,
                                   task->d_gamma,
                                   task->backward,
                                   task->kept};
    return launch_far_gradient(&far, stream);
  }
  return meshes->ideal   ? vjp_launcher<ideal_node>::any(*task, *meshes, stream)
         : meshes->third ? vjp_launcher<third_node>::any(*task, *meshes, stream)
                         : vjp_launcher<general_node>::any(*task, *meshes, stream);
}
