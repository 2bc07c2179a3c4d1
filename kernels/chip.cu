/* A chip's readings and phases, element by element. In double, as on the host, so that both have the same noise. */
#include "chip.h"

#include "complex_numbers.h"
#include "device.h"
#include "noise.h"

/* ----------------------------------------------------------------------------------------------------------- readings */

/* Grid: examples x waveguides, layers, models. */
KERNEL k_read(reading_task t) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int example = static_cast<int>(i / t.n_read), waveguide = static_cast<int>(i % t.n_read);
  if (example >= t.n_examples) return;
  const chip_reader &reader = t.readers[blockIdx.z];
  const unsigned step = t.batch ? t.batch->number : t.number;
  const unsigned before =
      reader.has_examples ? static_cast<unsigned>(t.first_example) + static_cast<unsigned>(example) : 0;
  const unsigned place = before * static_cast<unsigned>(t.n_modes) + static_cast<unsigned>(waveguide);
  const double2 normal =
      reading_normals(reader, reader.purposes[t.use], static_cast<unsigned>(t.first_layer) + blockIdx.y, step, place);
  const double amplitude = fabs(1 + reader.io_amplitude * normal.x);
  double s, c;
  sincos(3.141592653589793 * reader.io_phase * normal.y, &s, &c);
  float2 *const at = t.fields +
                     ((static_cast<size_t>(blockIdx.z) * t.n_layers + blockIdx.y) * t.n_examples + example) *
                         static_cast<size_t>(t.stride) +
                     waveguide;
  const double2 field = t.factors_only ? make_double2(1, 0) : make_double2(at->x, at->y);
  *at = rounded(make_double2(amplitude * c, amplitude * s) * field);
}

/* ------------------------------------------------------------------------------------------------------------- phases */

/* The nearest multiple of 2 pi / 2^bits in [0, 2 pi], ties to even. */
DEVICE double quantized(double phase, unsigned bits) {
  if (bits == 0) return phase;
  const double turn = 2 * 3.141592653589793, step = turn / static_cast<double>(1u << bits);
  double rest = fmod(phase, turn);
  if (rest < 0) rest += turn;
  return rint(rest / step) * step;
}

DEVICE double2 quantized(double2 phases, unsigned bits) {
  return make_double2(quantized(phases.x, bits), quantized(phases.y, bits));
}

DEVICE double2 as_double(float2 v) { return make_double2(v.x, v.y); }

/* What arrives at one shifter. In half pitches, the shifters of the node in column c whose upper waveguide is t stand at
 * row t, phi at 2c and theta at 2c + 1. value: of the place of a node, theta and phi. */
template <class Value>
DEVICE double mixed(const phase_errors &errors, mesh_layout layout, int row, int at, Value value) {
  const int reach = CUONN_CROSSTALK_REACH, n = layout.n_modes;
  double sum = 0;
  for (int other = max(0, at - reach); other <= min(2 * n - 1, at + reach); other++) {
    const int c = other / 2, columns = other > at ? other - at : at - other, above = max(0, row - reach);
    for (int t = above + (above + c) % 2; t + 1 < n && t <= row + reach; t += 2) {
      const double2 phases = value(mesh_place(layout, c, t));
      sum += errors.weight[t > row ? t - row : row - t][columns] * (other % 2 ? phases.x : phases.y);
    }
  }
  return sum;
}

/* Both shifters of a node; a distance is symmetric, and so this is its own transpose. */
template <class Value>
DEVICE double2 mixed_node(const phase_errors &errors, mesh_layout layout, int column, int top, size_t place,
                          Value value) {
  if (!errors.mixes) return value(place);
  return make_double2(mixed(errors, layout, top, 2 * column + 1, value), mixed(errors, layout, top, 2 * column, value));
}

/* Grid: places, layers, models. */
KERNEL k_program(double2 *applied, const double2 *phases, const double2 *added, const phase_errors *errors,
                 mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  const phase_errors &mine = errors[blockIdx.z];
  const double2 phase =
      mixed_node(mine, layout, column, top, place, [&](size_t at) { return quantized(phases[first + at], mine.bits); });
  applied[first + place] = phase + added[first + place];
}

KERNEL k_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  out[first + place] = rounded(
      mixed_node(errors[blockIdx.z], layout, column, top, place, [&](size_t at) { return as_double(in[first + at]); }));
}

/* ---------------------------------------------------------------------------------------------------------- launchers */

static const unsigned kThreads = 128;

static dim3 grid_of(size_t elements, int n_layers, int n_models) {
  return dim3(static_cast<unsigned>((elements + kThreads - 1) / kThreads), static_cast<unsigned>(n_layers),
              static_cast<unsigned>(n_models));
}

extern "C" cudaError_t launch_read(const reading_task *task, cudaStream_t stream) {
  const size_t elements = static_cast<size_t>(task->n_examples) * static_cast<size_t>(task->n_read);
  return CUONN_LAUNCH(k_read, grid_of(elements, task->n_layers, task->n_models), dim3(kThreads), 0, stream, *task);
}

extern "C" cudaError_t launch_program(double2 *applied, const double2 *phases, const double2 *added,
                                      const phase_errors *errors, mesh_layout layout, int n_layers, int n_models,
                                      cudaStream_t stream) {
  return CUONN_LAUNCH(k_program, grid_of(mesh_places(layout), n_layers, n_models), dim3(kThreads), 0, stream, applied,
                      phases, added, errors, layout);
}

extern "C" cudaError_t launch_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout,
                                        int n_layers, int n_models, cudaStream_t stream) {
  return CUONN_LAUNCH(k_pull_back, grid_of(mesh_places(layout), n_layers, n_models), dim3(kThreads), 0, stream, out, in,
                      errors, layout);
}
