/* The training step's kernel: a batch forward through all layers, softmax and loss, and the backward pass (walk.h).
 *
 * Of an example only the fields behind each layer but the last are stored, because a modulus cannot be inverted: 0.5 KB
 * a layer at N = 64, which the same threads read again, before the last panel of the layer above where there are
 * registers for them. Everything else stays in registers from the features to the gradient, in one launch for a
 * batch. */
#include "network.h"

#include <Random123/philox.h>

#include "residency.h"
#include "softmax.h"
#include "walk.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

/* Cross entropy of the softmax of the first n_classes powers; g: its cotangent times share (docs/physics.md, eq. 15,
 * 16). */
template <class Walk, int kLanes>
DEVICE float cross_entropy(float2 (&g)[Walk::kModes], const float2 (&y)[Walk::kModes], int label, int n_classes,
                           float share) {
  float p[Walk::kModes], most = -1, own = 0;
  const auto for_each_class = [&](auto visit) {
#pragma unroll
    for (int i = 0; i < Walk::kModes; i++) {
      const int w = Walk::lane() * Walk::kModes + i;
      if (w < n_classes) visit(w, p[i]);
    }
  };
#pragma unroll
  for (int i = 0; i < Walk::kModes; i++) p[i] = power(y[i]);
  for_each_class([&](int w, float &power) {
    most = fmaxf(most, power);
    if (w == label) own = power;
  });
  const softmax probabilities = softmax_of<kLanes>(example_max<kLanes>(most), for_each_class);
  const float scale = 1 / probabilities.sum;
  own = group_sum<kLanes>(own);
#pragma unroll
  for (int i = 0; i < Walk::kModes; i++) {
    const int w = Walk::lane() * Walk::kModes + i;
    const float wanted = w == label ? 1.f : 0.f, weight = w < n_classes ? 2 * share * (p[i] * scale - wanted) : 0;
    g[i] = weight * conjugate(y[i]);
  }
  return probabilities.most - own - logf(scale);
}

/* Grid: chunks, models. */
template <class Node, int kLanes, int kPairs>
KERNEL __launch_bounds__(CUONN_BLOCK, mesh_walk<Node, kLanes, kPairs>::kBlocks)
    k_network(network_task task, int n_buffers) {
  using walk = mesh_walk<Node, kLanes, kPairs>;
  constexpr bool early = kPairs < 16; /* enough registers for y, below */
  const network_batch &batch = *task.batch;
  const unsigned chunk = blockIdx.x, model = blockIdx.y;
  if (chunk >= batch.n_chunks || !(task.shards >> chunk % kShards & 1)) return;
  const device_meshes &meshes = task.meshes;
  const int n = meshes.layout.n_modes, stride = mesh_stride(meshes.layout), layers = task.n_layers;
  const int n_columns = meshes.layout.n_columns;
  const size_t places = mesh_places(meshes.layout), first_mesh = static_cast<size_t>(model) * layers;
  const chunk_range passes = walk::passes_of(batch.count, chunk, batch.n_chunks);

  /* scratch of this thread */
  const size_t slot = (static_cast<size_t>(model) * task.most_chunks + chunk) * walk::kExamples + walk::slot();
  const size_t layer_size = static_cast<size_t>(walk::kModes) * kLanes;
  float2 *const outputs = task.outputs + slot * layers * layer_size + walk::lane();
  float2 *const gradient = task.gradient + (static_cast<size_t>(model) * task.most_chunks + chunk) * layers * places;
  const auto kept_of = [&](int layer) {
    if (!task.kept) return kept_fields{nullptr, nullptr};
    return kept_fields{task.kept + (slot * layers + layer) * meshes.n_segments * layer_size + walk::lane(),
                       meshes.starts + (first_mesh + layer) * n_columns};
  };

  using source = forward_then_backward<walk, Node>;
  panel_stream<walk, source> panels = {
      shared_memory<float4>(), n_buffers,
      static_cast<int>(passes.end - passes.first) * 2 * layers * walk::panels_of(n_columns),
      source{meshes, model * layers, layers}};
  double loss = 0;
  panels.begin();
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const unsigned at = pass * walk::kExamples + walk::slot();
    const bool there = at < batch.count;
    size_t example = 0;
    if (there) {
      example = batch.first + at;
      if (task.order) example = task.order[static_cast<size_t>(model) * task.n_examples + example];
    }
    float2 x[walk::kModes], g[walk::kModes];
    walk::read(x, there ? task.fields + example * stride : nullptr, n);
    const int label = there ? task.labels[example] : -1;

    for (int layer = 0; layer < layers; layer++) {
      walk::forward_mesh(x, panels, n_columns, kept_of(layer));
      if (layer + 1 == layers) break;
#pragma unroll
      for (int i = 0; i < walk::kModes; i++) {
        outputs[layer * layer_size + i * kLanes] = x[i];
        x[i] = make_float2(sqrtf(power(x[i])), 0);
      }
    }
    const float own =
        cross_entropy<walk, kLanes>(g, x, label, task.n_classes, there ? static_cast<float>(batch.share) : 0);
    if (there && walk::lane() == 0) loss += own;

    typename walk::panel_sums sums;
    float2 y[walk::kModes]; /* fields behind the layer below, read before the last panel is computed */
    for (int layer = layers; layer-- > 0;) {
      if (layer + 1 < layers) { /* through the modulus: d|y| = Re(conj(y) dy) / |y|, 0 where y is 0 */
#pragma unroll
        for (int i = 0; i < walk::kModes; i++) {
          x[i] = early ? y[i] : outputs[layer * layer_size + i * kLanes];
          const float size = power(x[i]), u = size == 0 ? 0 : g[i].x / sqrtf(size); /* == so that NaN stays NaN */
          g[i] = u * conjugate(x[i]);
          walk::limit_unrolled_loads(i);
        }
      }
      const auto read_below = [&] {
        if constexpr (early) {
          if (layer == 0) return;
#pragma unroll
          for (int i = 0; i < walk::kModes; i++) y[i] = outputs[(layer - 1) * layer_size + i * kLanes];
        }
      };
      walk::backward_mesh(x, g, panels, sums, gradient + layer * places, pass == passes.first, meshes, kept_of(layer),
                          read_below);
    }
    walk::add_last_shares(sums, panels, n_columns);
  }

  double *const losses = shared_memory<double>(); /* [example of the block] */
  if (walk::lane() == 0) losses[walk::slot()] = loss;
  sync_block();
  if (threadIdx.x == 0) {
    loss = 0;
    for (int i = 0; i < walk::kExamples; i++) loss += losses[i];
    task.losses[static_cast<size_t>(model) * task.most_chunks + chunk] = loss;
  }
}

/* The same permutation as random_permute() of src/base/random.c: a Feistel network of Philox rounds over the next even
 * power of two, iterated until the image is below n. Purpose 3 is that of orders there. */
KERNEL k_order(unsigned *order, const uint64_t *seeds, unsigned n, unsigned epoch) {
  const unsigned first = blockIdx.x * blockDim.x + threadIdx.x, model = blockIdx.y;
  if (first >= n) return;
  const philox4x32_key_t key = {{static_cast<uint32_t>(seeds[model]), static_cast<uint32_t>(seeds[model] >> 32)}};
  unsigned half_bits = 1;
  while (half_bits < 16 && (1ull << 2 * half_bits) < n) half_bits++;
  const unsigned mask = (1u << half_bits) - 1;
  unsigned i = first;
  do {
    unsigned left = i >> half_bits, right = i & mask;
    for (unsigned round = 0; round < 8; round++) {
      const philox4x32_ctr_t counter = {{right, epoch, round, 3}};
      const unsigned next = left ^ (philox4x32(counter, key).v[0] & mask);
      left = right;
      right = next;
    }
    i = left << half_bits | right;
  } while (i >= n);
  order[static_cast<size_t>(model) * n + first] = i;
}

/* -------------------------------------------------------------------------------------------------------- launchers */

template <class Node>
struct network_launcher {
  template <int kLanes, int kPairs>
  struct kernel {
    static constexpr auto entry = k_network<Node, kLanes, kPairs>;
    static size_t shared_bytes(int n_buffers) { return mesh_walk<Node, kLanes, kPairs>::shared_bytes(n_buffers, true); }
    static panel_buffers &buffers() {
      static thread_local panel_buffers kept;
      return kept;
    }
  };

  template <int kLanes, int kPairs>
  static cudaError_t launch(const network_task &task, cudaStream_t stream) {
    using k = kernel<kLanes, kPairs>;
    const dim3 grid(task.most_chunks, static_cast<unsigned>(task.n_models));
    return k::buffers().launch(k::entry, grid, k::shared_bytes, task.meshes.shared_limit, stream, task);
  }
  static cudaError_t any(const network_task &task, cudaStream_t stream) {
    CUONN_FOR_LAYOUT_UP_TO(Node::kMostPairs, task.meshes.layout, launch, task, stream);
  }

  template <int kLanes, int kPairs>
  static cudaError_t most(unsigned *n_blocks, size_t limit) {
    using k = kernel<kLanes, kPairs>;
    return k::buffers().most(n_blocks, k::entry, k::shared_bytes, limit);
  }
  static cudaError_t most_of_any(unsigned *n_blocks, const device_meshes &meshes) {
    CUONN_FOR_LAYOUT_UP_TO(Node::kMostPairs, meshes.layout, most, n_blocks, meshes.shared_limit);
  }
};

extern "C" cudaError_t launch_network(const network_task *task, cudaStream_t stream) {
  return task->meshes.ideal   ? network_launcher<ideal_node>::any(*task, stream)
         : task->meshes.third ? network_launcher<third_node>::any(*task, stream)
                              : network_launcher<general_node>::any(*task, stream);
}

extern "C" cudaError_t network_resident_chunks(unsigned *n_chunks, const device_meshes *meshes) {
  return meshes->ideal   ? network_launcher<ideal_node>::most_of_any(n_chunks, *meshes)
         : meshes->third ? network_launcher<third_node>::most_of_any(n_chunks, *meshes)
                         : network_launcher<general_node>::most_of_any(n_chunks, *meshes);
}

extern "C" cudaError_t launch_order(unsigned *order, const uint64_t *seeds, unsigned n_examples, unsigned epoch,
                                    int n_models, cudaStream_t stream) {
  return CUONN_LAUNCH(k_order, dim3(blocks_for(n_examples, 256), static_cast<unsigned>(n_models)), dim3(256), 0, stream,
                      order, seeds, n_examples, epoch);
}
