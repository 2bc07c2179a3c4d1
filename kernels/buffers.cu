#include "buffers.h"

#include "device.h"

static constexpr unsigned kThreads = 256;

DEVICE size_t number_of_thread() { return static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

DEVICE double get(const number_array &from, size_t i) {
  return from.is_double ? static_cast<const double *>(from.data)[i]
                        : static_cast<double>(static_cast<const float *>(from.data)[i]);
}

DEVICE void put(const number_array &to, size_t i, double value) {
  if (to.is_double)
    static_cast<double *>(to.data)[i] = value;
  else
    static_cast<float *>(to.data)[i] = static_cast<float>(value);
}

/* ---- kernels ---- */

KERNEL k_take_fields(float2 *to, number_array from, size_t n_modes, size_t stride, size_t count) {
  const size_t i = number_of_thread(), w = i % stride, at = 2 * (i / stride * n_modes + w);
  if (i >= count) return;
  to[i] = w < n_modes ? make_float2(static_cast<float>(get(from, at)), static_cast<float>(get(from, at + 1)))
                      : make_float2(0, 0);
}

KERNEL k_give_fields(number_array to, const float2 *from, size_t n_modes, size_t stride, size_t count) {
  const size_t i = number_of_thread();
  if (i >= count) return;
  const float2 value = from[i / n_modes * stride + i % n_modes];
  put(to, 2 * i, static_cast<double>(value.x));
  put(to, 2 * i + 1, static_cast<double>(value.y));
}

KERNEL k_take_phases(double2 *to, number_array theta, number_array phi, const uint32_t *place, size_t count) {
  const size_t k = number_of_thread();
  if (k >= count) return;
  if (theta.data) to[place[k]].x = get(theta, k);
  if (phi.data) to[place[k]].y = get(phi, k);
}

KERNEL k_take_gamma(double *to, number_array gamma, size_t count) {
  const size_t w = number_of_thread();
  if (w < count) to[w] = get(gamma, w);
}

KERNEL k_give_gradient(number_array theta, number_array phi, const float2 *from, const uint32_t *place, size_t count) {
  const size_t k = number_of_thread();
  if (k >= count) return;
  if (theta.data) put(theta, k, static_cast<double>(from[place[k]].x));
  if (phi.data) put(phi, k, static_cast<double>(from[place[k]].y));
}

KERNEL k_give_gamma(number_array to, const float *d_gamma, size_t n_chunks, size_t count) {
  const size_t w = number_of_thread();
  if (w >= count) return;
  double sum = 0;
  for (size_t chunk = 0; chunk < n_chunks; chunk++) sum += static_cast<double>(d_gamma[chunk * count + w]);
  put(to, w, sum);
}

/* ---- launchers ---- */

static dim3 blocks_of(size_t count) { return dim3(static_cast<unsigned>((count + kThreads - 1) / kThreads)); }

extern "C" cudaError_t launch_take_fields(float2 *to, const number_array *from, mesh_layout layout, size_t n_examples,
                                          cudaStream_t stream) {
  const size_t stride = static_cast<size_t>(mesh_stride(layout)), count = n_examples * stride;
  return CUONN_LAUNCH(k_take_fields, blocks_of(count), dim3(kThreads), 0, stream, to, *from, layout.n_modes, stride,
                      count);
}

extern "C" cudaError_t launch_give_fields(const number_array *to, const float2 *from, mesh_layout layout,
                                          size_t n_examples, cudaStream_t stream) {
  const size_t count = n_examples * static_cast<size_t>(layout.n_modes);
  return CUONN_LAUNCH(k_give_fields, blocks_of(count), dim3(kThreads), 0, stream, *to, from, layout.n_modes,
                      mesh_stride(layout), count);
}

extern "C" cudaError_t launch_take_phases(double2 *to, const number_array *theta, const number_array *phi,
                                          const uint32_t *place, size_t n_nodes, cudaStream_t stream) {
  return CUONN_LAUNCH(k_take_phases, blocks_of(n_nodes), dim3(kThreads), 0, stream, to, *theta, *phi, place, n_nodes);
}

extern "C" cudaError_t launch_take_gamma(double *to, const number_array *gamma, size_t n_modes, cudaStream_t stream) {
  return CUONN_LAUNCH(k_take_gamma, blocks_of(n_modes), dim3(kThreads), 0, stream, to, *gamma, n_modes);
}

extern "C" cudaError_t launch_give_gradient(const number_array *theta, const number_array *phi, const float2 *from,
                                            const uint32_t *place, size_t n_nodes, cudaStream_t stream) {
  return CUONN_LAUNCH(k_give_gradient, blocks_of(n_nodes), dim3(kThreads), 0, stream, *theta, *phi, from, place,
                      n_nodes);
}

extern "C" cudaError_t launch_give_gamma(const number_array *to, const float *d_gamma, size_t n_chunks, size_t n_modes,
                                         cudaStream_t stream) {
  return CUONN_LAUNCH(k_give_gamma, blocks_of(n_modes), dim3(kThreads), 0, stream, *to, d_gamma, n_chunks, n_modes);
}
