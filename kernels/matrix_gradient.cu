/* Gradients of the phases of all layers and models from the gradients of their matrices, in one launch.
 *
 * Idea: with D the derivative of a loss with respect to a matrix U, the phases have the derivatives of
 *   sum over ij of D_ij U_ij = sum over columns j of D_j^T (U e_j),
 * those of N examples: input e_j, cotangent D_j. They go back through the nodes as examples do (walk.h), but all layers
 * at once, since none waits for the cotangent of another: a chain of N columns where a network has layers x 2 N, and N
 * examples however large the batch was.
 *
 * Ideal nodes begin with the fields behind the last column, which are the columns of U that the batch went through, and
 * make no way forward. General nodes make it again from the unit vectors, since those with losses keep fields on it.
 *
 * Layout: a warp or a part of one for each column of U, blocks of CUONN_BLOCK threads, which take their part of the
 * columns in passes; coefficients come in panels, copied ahead, once for all columns of a block. Partial sums are
 * written by the same thread in the same order in every run, and added by the sums over chunks (chunks.h). */
#include "matrix_gradient.h"

#include "far_columns.h"
#include "network.h"
#include "residency.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* The panels of one mesh: forward where fields go that way, then backward, and again for each pass. */
template <class Walk, class Node>
struct mesh_panels {
  const device_meshes &meshes;
  unsigned mesh;
  int n_panels, panel; /* of the mesh; the next one */
  bool backward;       /* its direction */

  DEVICE mesh_panels(const device_meshes &all, unsigned number, int count)
      : meshes(all), mesh(number), n_panels(count), panel(Node::kLossy ? 0 : count - 1), backward(!Node::kLossy) {}

  DEVICE void fetch(float4 *to) {
    const int n = meshes.layout.n_columns;
    if (backward) {
      Walk::template fetch<Node::kBackwardPlanes>(to, meshes.back, mesh, panel, n);
    } else {
      Walk::template fetch<Node::kForwardPlanes>(to, meshes.nodes, mesh, panel, n);
    }
    panel += backward ? -1 : 1;
    if (panel >= 0 && panel < n_panels) return;
    if (Node::kLossy) backward = !backward;
    panel = backward ? n_panels - 1 : 0;
  }
};

/* Grid: parts of the columns, layers, models. */
template <class Node, int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<Node, kLanes, kPairs>::kBlocks)
    k_matrix_gradient(matrix_gradient_task task, int n_buffers) {
  using walk = mesh_walk<Node, kLanes, kPairs>;
  constexpr bool forward = Node::kLossy;
  using source = mesh_panels<walk, Node>;
  const device_meshes &meshes = task.meshes;
  const int n = meshes.layout.n_modes, n_columns = meshes.layout.n_columns, n_panels = walk::panels_of(n_columns);
  const unsigned part = blockIdx.x, mesh = blockIdx.z * gridDim.y + blockIdx.y;
  const size_t at = static_cast<size_t>(blockIdx.z) * gridDim.x + part, layer = blockIdx.y;
  const chunk_range passes = walk::passes_of(static_cast<unsigned>(n), part, gridDim.x);
  float2 *const gradient = task.gradient + (at * gridDim.y + layer) * mesh_places(meshes.layout);
  kept_fields kept = {nullptr, nullptr};
  if (task.kept) {
    const size_t slot = (at * walk::kExamples + walk::slot()) * gridDim.y + layer;
    kept = {task.kept + slot * meshes.n_segments * walk::kModes * kLanes + walk::lane(),
            meshes.starts + static_cast<size_t>(mesh) * n_columns};
  }
  panel_stream<walk, source> panels = {shared_memory<float4>(), n_buffers,
                                       static_cast<int>(passes.end - passes.first) * (forward ? 2 : 1) * n_panels,
                                       source(meshes, mesh, n_panels)};
  panels.begin();
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const int column = static_cast<int>(pass) * walk::kExamples + walk::slot();
    const bool there = column < n;
    const size_t of_column = (static_cast<size_t>(mesh) * n + column) * mesh_stride(meshes.layout);
    float2 x[walk::kModes], g[walk::kModes];
    if (forward) {
#pragma unroll
      for (int i = 0; i < walk::kModes; i++) {
        x[i] = make_float2(walk::lane() * walk::kModes + i == column ? 1.f : 0.f, 0);
      }
      walk::forward_mesh(x, panels, n_columns, kept);
    } else {
      walk::read(x, there ? task.matrices + of_column : nullptr, n);
    }
    walk::read(g, there ? task.derivatives + of_column : nullptr, n);
#pragma unroll
    for (int i = 0; i < walk::kModes; i++) g[i] = conjugate(g[i]);
    typename walk::panel_sums sums;
    walk::backward_mesh(x, g, panels, sums, gradient, pass == passes.first, meshes, kept, [] {});
    walk::add_last_shares(sums, panels, n_columns);
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <class Node>
struct matrix_gradient_launcher {
  template <int kLanes, int kPairs>
  static cudaError_t launch(const matrix_gradient_task &task, cudaStream_t stream) {
    using walk = mesh_walk<Node, kLanes, kPairs>;
    const dim3 grid(static_cast<unsigned>(task.n_parts), static_cast<unsigned>(task.n_layers),
                    static_cast<unsigned>(task.n_models));
    const auto shared_bytes = [](int n_buffers) { return walk::shared_bytes(n_buffers, true); };
    static thread_local panel_buffers buffers;
    return buffers.launch(k_matrix_gradient<Node, kLanes, kPairs>, grid, shared_bytes, task.meshes.shared_limit, stream,
                          task);
  }
  static cudaError_t any(const matrix_gradient_task &task, cudaStream_t stream) {
    CUONN_FOR_LAYOUT_UP_TO(Node::kMostPairs, task.meshes.layout, launch, task, stream);
  }
};

/* Of meshes whose nodes join any two waveguides: examples e_j with cotangents D_j all the same. */
static cudaError_t launch_far(const matrix_gradient_task &task, cudaStream_t stream) {
  far_gradient_task far = {};
  far.meshes = task.meshes;
  far.n_layers = task.n_layers;
  far.n_models = task.n_models;
  far.n_vectors = task.meshes.layout.n_modes;
  far.n_parts = task.n_parts;
  far.cotangent = task.derivatives;
  far.conjugate = true;
  far.gradient = task.gradient;
  far.kept = task.kept;
  return launch_far_gradient(&far, stream);
}

extern "C" cudaError_t launch_matrix_gradient(const matrix_gradient_task *task, cudaStream_t stream) {
  if (task->meshes.layout.joined) return launch_far(*task, stream);
  return task->meshes.ideal   ? matrix_gradient_launcher<ideal_node>::any(*task, stream)
         : task->meshes.third ? matrix_gradient_launcher<third_node>::any(*task, stream)
                              : matrix_gradient_launcher<general_node>::any(*task, stream);
}
