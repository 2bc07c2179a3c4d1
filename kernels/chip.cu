/* A chip's readings and phases, one thread per element. In double, as on the host, so that both have the same noise. */
#include "chip.h"

#include "complex_numbers.h"
#include "device.h"
#include "noise.h"

/* --------------------------------------------------------------------------------------------------------- readings */

/* Grid: examples x waveguides, layers, models. */
KERNEL k_read(reading_task t) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int example = static_cast<int>(i / t.n_read), waveguide = static_cast<int>(i % t.n_read);
  if (example >= t.n_examples) return;
  if (t.use == READ_TEST && t.readers[blockIdx.z].by_matrix != t.of_matrices) return;
  const double2 factor =
      reading_factor(t.readers[blockIdx.z], t.use, static_cast<unsigned>(t.first_layer) + blockIdx.y,
                     t.batch ? t.batch->number : t.number, static_cast<unsigned>(t.first_example + example),
                     static_cast<unsigned>(waveguide), static_cast<unsigned>(t.n_modes));
  const size_t layer = static_cast<size_t>(blockIdx.z) * t.n_layers + blockIdx.y,
               at = (layer * t.n_examples + example) * static_cast<size_t>(t.stride) + waveguide;
  const float2 field = rounded(factor * make_double2(t.fields[at].x, t.fields[at].y));
  t.fields[at] = field;
  if (t.moduli) t.moduli[at] = sqrtf(power(field));
}

/* ----------------------------------------------------------------------------------------------------------- phases */

/* phase in [0, period), as cuonn_phase_wrap() of src/mesh/period.c. */
DEVICE double wrapped(double phase, double period) {
  double rest = fmod(phase, period);
  if (rest < 0) rest += period;
  return rest > 0 && rest < period ? rest : 0;
}

/* Phase that a driver sets: the nearest of 2^bits levels of the period, ties to even; 0 bits: the phase itself. */
DEVICE double set(const phase_errors &errors, double phase, double period) {
  if (errors.bits == 0) return errors.mixes ? wrapped(phase, period) : phase;
  const double levels = static_cast<double>(1u << errors.bits), step = period / levels;
  return step * wrapped(rint(phase / step), levels);
}

DEVICE double2 set(const phase_errors &errors, double2 phases) {
  return make_double2(set(errors, phases.x, errors.theta_period), set(errors, phases.y, errors.phi_period));
}

DEVICE double2 as_double(float2 v) { return make_double2(v.x, v.y); }

/* Sum of the phases that reach theta (0) or phi (1) of a node by crosstalk; transposed: sum over the phases that it
 * reaches. In half pitches, the shifters of the node in column c whose upper waveguide is t are at row t, phi at 2c and
 * theta at 2c + 1. value: theta and phi at a place. */
template <bool transposed, class Value>
DEVICE double mixed(const phase_errors &errors, mesh_layout layout, int kind, int column, int row, Value value) {
  const int reach = CUONN_CROSSTALK_REACH, rows = CUONN_CROSSTALK_ROWS, n = layout.n_modes;
  const int at = 2 * column + (kind == 0);
  double sum = 0;
  for (int place = max(0, at - reach); place <= min(2 * layout.n_columns - 1, at + reach); place++) {
    const int c = place / 2, other = place % 2 == 0, columns = abs(place - at), above = max(0, row - rows);
    for (int t = above + (above + c) % 2; t + 1 < n && t <= row + rows; t += 2) {
      const size_t giving = mesh_place(layout, c, t);
      if (layout.nodes_at && layout.nodes_at[giving] == CUONN_IDLE_PLACE) continue;
      const double2 phases = value(giving);
      const double weight = transposed ? errors.weight[other][kind][rows + t - row][columns]
                                       : errors.weight[kind][other][rows + row - t][columns];
      sum += weight * (other ? phases.y : phases.x);
    }
  }
  return sum;
}

/* Both shifters of a node. */
template <bool transposed, class Value>
DEVICE double2 mixed_node(const phase_errors &errors, mesh_layout layout, int column, int top, size_t place,
                          Value value) {
  if (!errors.mixes) return value(place);
  return make_double2(mixed<transposed>(errors, layout, 0, column, top, value),
                      mixed<transposed>(errors, layout, 1, column, top, value));
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
      mixed_node<false>(mine, layout, column, top, place, [&](size_t at) { return set(mine, phases[first + at]); });
  applied[first + place] = phase + added[first + place];
}

/* Grid: places, layers, models. The transpose of k_program without its rounding. */
KERNEL k_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  out[first + place] = rounded(mixed_node<true>(errors[blockIdx.z], layout, column, top, place,
                                                [&](size_t at) { return as_double(in[first + at]); }));
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static const unsigned kThreads = 128;

static dim3 grid_of(size_t elements, int n_layers, int n_models) {
  return dim3(blocks_for(elements, kThreads), static_cast<unsigned>(n_layers), static_cast<unsigned>(n_models));
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
