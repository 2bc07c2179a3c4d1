/* Fields through meshes whose nodes join any two waveguides (far_walk.h): forward or transposed; and forward, then
 * backward with the cotangents, which gives the gradients of the phases. Backward, fields are made by undoing nodes as
 * in node.h, and where a segment of a lossy mesh begins they are what was kept on the way forward. */
#include "far_columns.h"

#include "far_walk.h"
#include "node.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

struct node_forward : general_node {
  static constexpr int kPlanes = kForwardPlanes;
};
struct node_backward : general_node {
  static constexpr int kPlanes = kBackwardPlanes;
  DEVICE void load(const float4 *at, int lanes) { load_backward(at, lanes); }
};

/* Grid: vectors, at_once for a block; meshes. */
template <bool kTransposed>
KERNEL __launch_bounds__(CUONN_FAR_THREADS, 1)
    k_far_columns(float2 *out, device_meshes meshes, const float2 *in, int n_examples, bool with_turns) {
  const far_walk walk(meshes.layout);
  float2 *const x = shared_memory<float2>(); /* [vector][waveguide] */
  const size_t stride = static_cast<size_t>(mesh_stride(meshes.layout)), mesh = blockIdx.y;
  const float2 *const turns = with_turns ? meshes.turns + mesh * walk.n : nullptr;
  const int first = static_cast<int>(blockIdx.x) * walk.at_once;
  walk.for_fields([&](int v, int w, int at) {
    const int example = first + v;
    float2 field = make_float2(in || example != w ? 0.f : 1.f, 0);
    if (in && example < n_examples) field = in[static_cast<size_t>(example) * stride + w];
    x[at] = kTransposed && turns ? turns[w] * field : field;
  });
  const float4 *const nodes = meshes.nodes + mesh * mesh_places(meshes.layout) * node_forward::kPlanes;
  walk.for_columns<node_forward, kTransposed>(nodes, [&](int, const far_node<node_forward> &of) {
    if (!of.there()) return;
    walk.for_vectors([&](int at) {
      if (kTransposed) {
        of.node.transposed(x[at + of.top()], x[at + of.bottom()]);
      } else {
        of.node.forward(x[at + of.top()], x[at + of.bottom()]);
      }
    });
  });
  walk.write(out + (mesh * n_examples + first) * stride, x, n_examples - first, kTransposed ? nullptr : turns);
}

/* One block's part of a layer of a model. */
struct far_gradient {
  const far_gradient_task &t;
  const far_walk walk;
  const size_t mesh = static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y;
  const size_t part = static_cast<size_t>(blockIdx.z) * gridDim.x + blockIdx.x;
  const size_t places = mesh_places(t.meshes.layout), stride = static_cast<size_t>(mesh_stride(t.meshes.layout));
  const int *const starts = t.meshes.starts ? t.meshes.starts + mesh * t.meshes.layout.n_columns : nullptr;
  float2 *const x, *const g; /* shared memory, [vector][waveguide] */

  DEVICE explicit far_gradient(const far_gradient_task &task)
      : t(task), walk(task.meshes.layout), x(shared_memory<float2>()), g(x + walk.at_once * walk.n) {}

  /* Where the fields at the beginning of a column are kept, [vector][waveguide]; NULL: they are not. */
  DEVICE float2 *kept_at(int column) const {
    const int segment = t.kept && starts ? starts[column] : -1;
    if (segment < 0) return nullptr;
    const size_t at = (part * gridDim.y + blockIdx.y) * static_cast<size_t>(t.meshes.n_segments) + segment;
    return t.kept + at * static_cast<size_t>(walk.at_once * 2 * walk.width);
  }

  DEVICE void read(int first) const {
    walk.for_fields([&](int v, int w, int at) {
      const int vector = first + v;
      const bool there = vector < t.n_vectors;
      float2 field = make_float2(!t.input && vector == w ? 1.f : 0.f, 0), cotangent = make_float2(0, 0);
      if (t.input && there) field = t.input[static_cast<size_t>(vector) * stride + w];
      if (there) cotangent = t.cotangent[(mesh * t.n_vectors + vector) * stride + w];
      x[at] = field;
      g[at] = t.conjugate ? conjugate(cotangent) : cotangent;
    });
  }

  DEVICE void go_forward() const {
    const float4 *const nodes = t.meshes.nodes + mesh * places * node_forward::kPlanes;
    walk.for_columns<node_forward, false>(nodes, [&](int column, const far_node<node_forward> &of) {
      float2 *const kept = kept_at(column);
      if (kept) {
        walk.for_fields([&](int, int, int at) { kept[at] = x[at]; });
        sync_block();
      }
      if (!of.there()) return;
      walk.for_vectors([&](int at) { of.node.forward(x[at + of.top()], x[at + of.bottom()]); });
    });
  }

  /* d_phi of a node, when x is the field at its inputs. */
  DEVICE float d_phi(const far_node<node_backward> &of) const {
    const gradient_weights &w = t.meshes.weights;
    float sum = 0;
    walk.for_vectors([&](int at) {
      const int top = at + of.top(), bottom = at + of.bottom();
      sum += w.phi_top * imaginary_product(x[top], g[top]) + w.phi_bottom * imaginary_product(x[bottom], g[bottom]);
    });
    return sum;
  }

  /* first: of the block's passes; later ones add. */
  DEVICE void go_backward(bool first) const {
    const float4 *const nodes = t.meshes.back + mesh * places * node_backward::kPlanes;
    float2 *const gradient = t.gradient + (part * gridDim.y + blockIdx.y) * places;
    walk.for_columns<node_backward, true>(nodes, [&](int column, const far_node<node_backward> &of) {
      float2 sum = make_float2(0, 0);
      if (of.there()) {
        walk.for_vectors([&](int at) {
          const int top = at + of.top(), bottom = at + of.bottom();
          sum.x += of.node.backward(x[top], x[bottom], g[top], g[bottom]).derivatives(t.meshes.weights).x;
        });
      }
      if (const float2 *const kept = kept_at(column)) {
        sync_block();
        walk.for_fields([&](int, int, int at) { x[at] = kept[at]; });
        sync_block();
      }
      if (of.there()) sum.y = d_phi(of);
      sum = make_float2(walk.sum_groups(sum.x), walk.sum_groups(sum.y));
      float2 *const to = gradient + walk.place(column);
      if (of.there() && walk.group == 0) *to = first ? sum : *to + sum;
    });
  }

  /* Minus the flows behind the last column, over the vectors in their order. */
  DEVICE void add_gamma(bool first) const {
    if (!t.d_gamma) return;
    for (int w = static_cast<int>(threadIdx.x); w < walk.n; w += static_cast<int>(blockDim.x)) {
      float *const to = t.d_gamma + part * walk.n + w, sum = first ? 0 : *to;
      for (int v = 0; v < walk.at_once; v++) sum -= imaginary_product(x[v * walk.n + w], g[v * walk.n + w]);
      *to = sum;
    }
  }

  DEVICE void write_backward(int first) const {
    if (t.backward) walk.write(t.backward + static_cast<size_t>(first) * stride, g, t.n_vectors - first, nullptr);
  }
};

/* Grid: parts of the vectors, layers, models. */
KERNEL __launch_bounds__(CUONN_FAR_THREADS, 1) k_far_gradient(far_gradient_task task) {
  const far_gradient of(task);
  const chunk_range passes = of.walk.passes_of(static_cast<unsigned>(task.n_vectors), blockIdx.x, gridDim.x);
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const bool is_first = pass == passes.first;
    const int first = static_cast<int>(pass) * of.walk.at_once;
    of.read(first);
    of.go_forward();
    of.add_gamma(is_first);
    of.go_backward(is_first);
    of.write_backward(first); /* each thread the fields in whose place it reads the next vectors' */
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_far_columns(float2 *out, const device_meshes *meshes, int n_meshes, const float2 *in,
                                          int n_examples, bool transposed, bool with_turns, cudaStream_t stream) {
  const mesh_layout layout = meshes->layout;
  const unsigned at_once = static_cast<unsigned>(CUONN_BLOCK / layout.lanes);
  const dim3 grid(blocks_for(static_cast<size_t>(n_examples), at_once), static_cast<unsigned>(n_meshes));
  return CUONN_LAUNCH(transposed ? k_far_columns<true> : k_far_columns<false>, grid, far_block(layout),
                      far_shared_bytes(layout, 1), stream, out, *meshes, in, n_examples, with_turns);
}

extern "C" cudaError_t launch_far_gradient(const far_gradient_task *task, cudaStream_t stream) {
  const mesh_layout layout = task->meshes.layout;
  const dim3 grid(static_cast<unsigned>(task->n_parts), static_cast<unsigned>(task->n_layers),
                  static_cast<unsigned>(task->n_models));
  return CUONN_LAUNCH(k_far_gradient, grid, far_block(layout), far_shared_bytes(layout, 2), stream, *task);
}
