/* Fields through meshes whose nodes join any two waveguides.
 *
 * Idea: the walk through registers (walk.h) hands fields from one waveguide to the next and cannot follow a list of
 * pairs. Here the fields of a few vectors stand in shared memory as complex floats, where no waveguide is farther than
 * another. The nodes of a column have no waveguide in common: each belongs to one thread, which changes its two fields
 * of every vector, and one barrier separates a column from the next.
 *
 * Layout: place = column x width + number of the node within its column, with width = pairs x lanes of mesh.h, at least
 * N / 2; `joined` of the layout has the waveguides. Neighbouring threads read neighbouring coefficients, once for
 * kVectors vectors, and those of the next column while they work at this one. A block takes as many vectors as one of
 * walk.h takes examples, 4, or 8 or 16 up to N of 32 and 16, so that arrays by chunk have the same size; groups of
 * `width` threads share them. x and g of 4 vectors of N = 1024 are 64 KiB. A thread adds up its vectors in their order
 * and groups add theirs by shuffles of a fixed order: the same bits in every run. */
#ifndef CUONN_KERNELS_FAR_WALK_H
#define CUONN_KERNELS_FAR_WALK_H

#include "chunks.h"
#include "complex_numbers.h"
#include "mesh.h"

#define CUONN_FAR_THREADS (CUONN_DEVICE_MODES_MAX / 2) /* of a block, at most */

/* The two waveguides of a node and its coefficients. */
template <class Node>
struct far_node {
  unsigned joined;
  Node node;
  DEVICE bool there() const { return joined != CUONN_IDLE_PLACE; }
  DEVICE int top() const { return static_cast<int>(joined & 0xffff); }
  DEVICE int bottom() const { return static_cast<int>(joined >> 16); }
};

struct far_walk {
  static constexpr int kVectors = 4; /* of a thread */
  const mesh_layout layout;
  const int n, width, at_once; /* at_once: vectors of the block */
  const int own, group;        /* this thread's node of each column, and its vectors: kVectors from group kVectors on */

  DEVICE explicit far_walk(const mesh_layout &of)
      : layout(of),
        n(of.n_modes),
        width(1 << (of.lane_bits + of.pair_bits)),
        at_once(CUONN_BLOCK >> of.lane_bits),
        own(static_cast<int>(threadIdx.x) & (width - 1)),
        group(static_cast<int>(threadIdx.x) >> (of.lane_bits + of.pair_bits)) {}

  /* The part of so many vectors that is this block's, in passes of at_once. */
  DEVICE chunk_range passes_of(unsigned n_vectors, unsigned chunk, unsigned n_chunks) const {
    return chunk_range(chunk, (n_vectors + at_once - 1) / at_once, n_chunks);
  }

  /* visit(vector, waveguide, where they stand in an array of shared memory), of all vectors of the block. */
  template <class Visit>
  DEVICE void for_fields(Visit visit) const {
    for (int v = 0; v < at_once; v++) {
      for (int w = static_cast<int>(threadIdx.x); w < n; w += static_cast<int>(blockDim.x)) visit(v, w, v * n + w);
    }
  }

  /* Writes the block's first `count` vectors to rows of mesh_stride() each, 0 behind an odd N. turns: factors of the
   * waveguides, NULL: 1. */
  DEVICE void write(float2 *to, const float2 *from, int count, const float2 *turns) const {
    const int stride = mesh_stride(layout);
    for (int v = 0; v < at_once && v < count; v++) {
      for (int w = static_cast<int>(threadIdx.x); w < stride; w += static_cast<int>(blockDim.x)) {
        const float2 field = w < n ? from[v * n + w] : make_float2(0, 0);
        to[static_cast<size_t>(v) * stride + w] = turns && w < n ? turns[w] * field : field;
      }
    }
  }

  /* visit(where a vector begins), of this thread's vectors. */
  template <class Visit>
  DEVICE void for_vectors(Visit visit) const {
#pragma unroll
    for (int v = 0; v < kVectors; v++) visit((group * kVectors + v) * n);
  }

  /* Where this thread's node of a column stands in arrays by place. */
  DEVICE size_t place(int column) const { return static_cast<size_t>(column) * width + own; }

  template <class Node>
  DEVICE far_node<Node> load(const float4 *nodes, int column) const {
    const size_t at = place(column), row = at >> layout.lane_bits, lane = at & static_cast<size_t>(layout.lanes - 1);
    far_node<Node> out;
    out.joined = layout.joined[at];
    out.node.load(nodes + ((row * Node::kPlanes) << layout.lane_bits) + lane, layout.lanes);
    return out;
  }

  /* visit(column, node) of this thread's place in every column, with a barrier before the first and behind each.
   * nodes: of the mesh. */
  template <class Node, bool kReverse, class Visit>
  DEVICE void for_columns(const float4 *nodes, Visit visit) const {
    const int last = layout.n_columns - 1;
    far_node<Node> next = load<Node>(nodes, kReverse ? last : 0);
    sync_block();
    for (int i = 0; i <= last; i++) {
      const int column = kReverse ? last - i : i;
      const far_node<Node> now = next;
      if (i < last) next = load<Node>(nodes, kReverse ? column - 1 : column + 1);
      visit(column, now);
      sync_block();
    }
  }

  /* Sum over the groups, of a value of each thread. */
  DEVICE float sum_groups(float value) const {
    for (int mask = width; mask < CUONN_WARP; mask *= 2) value += shuffle_xor(value, mask);
    return value;
  }
};

/* Threads of a block, and its shared memory for so many fields of each vector. */
static inline dim3 far_block(mesh_layout layout) {
  const unsigned width = static_cast<unsigned>(layout.lanes * layout.pairs);
  return dim3(width < CUONN_WARP ? CUONN_WARP : width);
}
static inline size_t far_shared_bytes(mesh_layout layout, size_t n_fields) {
  return n_fields * static_cast<size_t>(CUONN_BLOCK / layout.lanes) * static_cast<size_t>(layout.n_modes) *
         sizeof(float2);
}

#endif
