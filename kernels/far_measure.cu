/* What measure.cu does, of meshes whose nodes join any two waveguides (far_walk.h): g goes backward, the returned field
 * is read and stays in shared memory as a, then x and a go forward together. A node's readings are summed over the
 * vectors by the thread that has it. */
#include "far_measure.h"

#include "far_walk.h"
#include "tap_node.h"

/* ---------------------------------------------------------------------------------------------------------- kernels */

template <bool kBottom>
struct far_tap_node : tap_node<kBottom, false> {
  static constexpr int kPlanes = 2;
};

DEVICE float4 operator+(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
DEVICE float4 operator+(float4 sum, const tap_reading (&of)[2]) { /* theta, phi */
  return sum + make_float4(of[0].signal, of[0].light, of[1].signal, of[1].light);
}

/* One mesh, and the part of its vectors that this block sends. */
template <bool kBottom>
struct far_measurement {
  using node = far_tap_node<kBottom>;
  const measure_task &t;
  const measure_block &of;
  const far_walk walk;
  const bool digital = t.readers[of.model].digital;
  const double2 scales = t.scales[of.here];
  const float x_share = static_cast<float>(1 / scales.x), g_share = static_cast<float>(1 / scales.y);
  const size_t stride = static_cast<size_t>(mesh_stride(t.layout)), places = mesh_places(t.layout);
  const size_t block = of.here * of.n_blocks + of.block;
  const float2 *const gammas = t.gammas + of.mesh(t) * walk.n;
  const float4 *const nodes = t.nodes + of.mesh(t) * places * node::kPlanes;
  float2 *const x, *const a; /* shared memory, [vector][waveguide] */

  DEVICE far_measurement(const measure_task &task, const measure_block &at)
      : t(task), of(at), walk(task.layout), x(shared_memory<float2>()), a(x + walk.at_once * walk.n) {}

  DEVICE bool there(int vector) const { return vector < t.n_examples; }
  DEVICE size_t input_at(int vector) const { return of.model * t.x_distance + vector * stride; }
  DEVICE size_t cotangent_at(int vector) const {
    return (of.here * static_cast<size_t>(t.n_examples) + vector) * stride;
  }

  DEVICE float2 sent_back(int vector, int w) const {
    return there(vector) ? g_share * conjugate(t.c[cotangent_at(vector) + w]) : make_float2(0, 0);
  }

  DEVICE float2 input(int vector, int w) const {
    if (t.x) return there(vector) ? x_share * t.x[input_at(vector) + w] : make_float2(0, 0);
    const float unit = w == vector ? 1.f : 0.f;
    return make_float2(t.h ? (there(vector) ? x_share * t.h[input_at(vector) + w] : 0) : unit, 0);
  }

  /* The field that returned, as it is read, becomes the one that is sent in beside x. */
  DEVICE float2 returned(int vector, int w, float2 field) const {
    const size_t at = cotangent_at(vector) + w;
    if (!there(vector)) return conjugate(field);
    if (!digital && t.factors) field = t.factors[at] * field;
    if (t.y_before) t.c_before[at] = modulus_back(static_cast<float>(scales.y) * field.x, t.y_before[at]);
    return conjugate(field);
  }

  DEVICE void read(int first) const {
    walk.for_fields([&](int v, int w, int at) {
      x[at] = input(first + v, w);
      a[at] = gammas[w] * sent_back(first + v, w);
    });
  }

  /* Adds a column's sums of the readings to the part's. */
  DEVICE void add(int column, bool there, float4 sum, bool is_first) const {
    sum = make_float4(walk.sum_groups(sum.x), walk.sum_groups(sum.y), walk.sum_groups(sum.z), walk.sum_groups(sum.w));
    float4 *const to = t.sums + block * places + walk.place(column);
    if (there && walk.group == 0) *to = is_first ? sum : *to + sum;
  }

  DEVICE void go_backward(bool is_first) const {
    walk.for_columns<node, true>(nodes, [&](int column, const far_node<node> &n) {
      float4 sum = make_float4(0, 0, 0, 0);
      if (n.there()) {
        walk.for_vectors([&](int at) {
          float2 theta, phi;
          n.node.backward(a[at + n.top()], a[at + n.bottom()], theta, phi);
          const tap_reading readings[] = {read_backward(theta), read_backward(phi)};
          sum = sum + readings;
        });
      }
      if (digital) add(column, n.there(), sum, is_first);
    });
  }

  DEVICE void go_forward(bool is_first) const {
    walk.for_columns<node, false>(nodes, [&](int column, const far_node<node> &n) {
      float4 sum = make_float4(0, 0, 0, 0);
      if (n.there()) {
        walk.for_vectors([&](int at) {
          const int top = at + n.top(), bottom = at + n.bottom();
          tap_reading readings[2];
          n.node.forward(x[top], x[bottom], a[top], a[bottom], digital, readings[0], readings[1]);
          sum = sum + readings;
        });
      }
      add(column, n.there(), sum, is_first && !digital);
    });
  }

  /* Taps of gamma. */
  DEVICE void read_outputs(int first, bool is_first) const {
    for (int w = static_cast<int>(threadIdx.x); w < walk.n; w += static_cast<int>(blockDim.x)) {
      float2 *const to = t.outputs + block * walk.n + w, sum = is_first ? make_float2(0, 0) : *to;
      for (int v = 0; v < walk.at_once; v++) {
        const tap_reading both = read_both(x[v * walk.n + w], a[v * walk.n + w], digital);
        sum = sum + make_float2(both.signal, both.light);
        if (!digital) continue;
        const tap_reading sent = read_backward(sent_back(first + v, w));
        sum = sum + make_float2(sent.signal, sent.light);
      }
      *to = sum;
    }
  }
};

/* Grid: chunks of each layer and model. */
template <bool kBottom>
KERNEL __launch_bounds__(CUONN_FAR_THREADS, 1) k_far_measure(measure_task t) {
  const measure_block of(t);
  const far_measurement<kBottom> m(t, of);
  const chunk_range passes = m.walk.passes_of(static_cast<unsigned>(t.n_examples), of.block, of.n_blocks);
  for (unsigned pass = passes.first; pass < passes.end; pass++) {
    const bool is_first = pass == passes.first;
    const int first = static_cast<int>(pass) * m.walk.at_once;
    m.read(first);
    m.go_backward(is_first);
    m.walk.for_fields([&](int v, int w, int at) { m.a[at] = m.returned(first + v, w, m.a[at]); });
    m.go_forward(is_first);
    m.read_outputs(first, is_first); /* each thread those in whose place it reads the next vectors' */
  }
}

/* -------------------------------------------------------------------------------------------------------- launchers */

extern "C" cudaError_t launch_far_measure(const measure_task *task, cudaStream_t stream) {
  return CUONN_LAUNCH(task->bottom ? k_far_measure<true> : k_far_measure<false>,
                      measure_grid(*task, static_cast<unsigned>(task->n_chunks)), far_block(task->layout),
                      far_shared_bytes(task->layout, 2), stream, *task);
}
