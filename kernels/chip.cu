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
  const double2 factor = reading_factor(t.readers[blockIdx.z], t.use, static_cast<unsigned>(t.first_layer) + blockIdx.y,
                                        t.batch->number, static_cast<unsigned>(t.first_example + example),
                                        static_cast<unsigned>(waveguide), static_cast<unsigned>(t.n_modes));
  const size_t layer = static_cast<size_t>(blockIdx.z) * t.n_layers + blockIdx.y,
               at = (layer * t.n_examples + example) * static_cast<size_t>(t.stride) + waveguide;
  const float2 field = rounded(factor * make_double2(t.fields[at].x, t.fields[at].y));
  t.fields[at] = field;
  if (t.moduli) t.moduli[at] = sqrtf(power(field));
}

/* Grid: examples x waveguides, layers, models. */
KERNEL k_freeze(const chip_reader *readers, int n_modes) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const chip_reader &reader = readers[blockIdx.z];
  const size_t places = static_cast<size_t>(reader.has_examples ? n_modes : 1) * n_modes;
  if (place >= places) return;
  for (int use = 0; use < READ_USES; use++) {
    double2 *const to = reader.frozen[use];
    if (!to) continue;
    to[blockIdx.y * places + place] =
        drawn_factor(reader, static_cast<reading_use>(use), blockIdx.y, 0, static_cast<unsigned>(place));
  }
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

/* Phases as drivers set them, and derivatives: theta or phi at a place. */
struct set_phases {
  const phase_errors &errors;
  const double2 *phases;
  DEVICE double theta(size_t place) const { return set(errors, phases[place].x, errors.theta_period); }
  DEVICE double phi(size_t place) const { return set(errors, phases[place].y, errors.phi_period); }
};
struct derivatives {
  const float2 *of;
  DEVICE double theta(size_t place) const { return of[place].x; }
  DEVICE double phi(size_t place) const { return of[place].y; }
};

/* Sums of the phases that reach theta (x) and phi (y) of a node by crosstalk; transposed: sums over the phases that
 * they reach. In half pitches, the shifters of the node in column c whose upper waveguide is t are at row t, phi at 2c
 * and theta at 2c + 1. Places of a column follow each other as in mesh_place(), where pairs is a power of two. */
template <bool kTransposed, class Values>
DEVICE double2 mixed(const phase_errors &errors, mesh_layout layout, int column, int row, const Values &values) {
  constexpr int kReach = CUONN_CROSSTALK_REACH, kRows = CUONN_CROSSTALK_ROWS;
  const int at_theta = 2 * column + 1, at_phi = 2 * column, above = max(0, row - kRows);
  const int end = min(layout.n_modes - 1, row + kRows + 1), log_pairs = __ffs(layout.pairs) - 1;
  double2 sum = make_double2(0, 0);
  for (int at = max(0, at_phi - kReach); at <= min(2 * layout.n_columns - 1, at_theta + kReach); at++) {
    const int c = at / 2, giving = at % 2 == 0, to_theta = abs(at - at_theta), to_phi = abs(at - at_phi);
    const int first = above + (above + c) % 2;
    int pair = first / 2 & (layout.pairs - 1), lane = first / 2 >> log_pairs;
    for (int t = first; t < end; t += 2) {
      const size_t place =
          static_cast<size_t>(c * layout.pairs + pair) * static_cast<size_t>(layout.lanes) + static_cast<size_t>(lane);
      if (++pair == layout.pairs) {
        pair = 0;
        lane++;
      }
      if (layout.nodes_at && layout.nodes_at[place] == CUONN_IDLE_PLACE) continue;
      const double value = giving ? values.phi(place) : values.theta(place);
      const int rows = kRows + (kTransposed ? t - row : row - t);
      if (to_theta <= kReach) {
        sum.x += (kTransposed ? errors.weight[giving][0] : errors.weight[0][giving])[rows][to_theta] * value;
      }
      if (to_phi <= kReach) {
        sum.y += (kTransposed ? errors.weight[giving][1] : errors.weight[1][giving])[rows][to_phi] * value;
      }
    }
  }
  return sum;
}

/* Both shifters of a node. */
template <bool kTransposed, class Values>
DEVICE double2 mixed_node(const phase_errors &errors, mesh_layout layout, int column, int top, size_t place,
                          const Values &values) {
  if (!errors.mixes) return make_double2(values.theta(place), values.phi(place));
  return mixed<kTransposed>(errors, layout, column, top, values);
}

/* Grid: places, layers, models. */
KERNEL k_program(double2 *applied, const double2 *phases, const double2 *added, const phase_errors *errors,
                 mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  const phase_errors &mine = errors[blockIdx.z];
  const double2 phase = mixed_node<false>(mine, layout, column, top, place, set_phases{mine, phases + first});
  applied[first + place] = phase + added[first + place];
}

/* Grid: places, layers, models. The transpose of k_program without its rounding. */
KERNEL k_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, places = mesh_places(layout);
  const size_t first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  int column, top;
  if (place >= places || !mesh_node_at(&column, &top, layout, place)) return;
  out[first + place] =
      rounded(mixed_node<true>(errors[blockIdx.z], layout, column, top, place, derivatives{in + first}));
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

extern "C" cudaError_t launch_freeze(const chip_reader *readers, int n_modes, int n_layers, int n_models,
                                     cudaStream_t stream) {
  const size_t most = static_cast<size_t>(n_modes) * static_cast<size_t>(n_modes);
  return CUONN_LAUNCH(k_freeze, grid_of(most, n_layers, n_models), dim3(kThreads), 0, stream, readers, n_modes);
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
