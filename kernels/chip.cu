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

DEVICE double2 set(const phase_errors &errors, double2 phases) {
  return make_double2(set(errors, phases.x, errors.theta_period), set(errors, phases.y, errors.phi_period));
}

/* Nodes of one column whose shifters a node's reach, and what is read of them: all loads are under way before the first
 * is waited for. */
struct column_in_reach {
  static constexpr int kMost = CUONN_CROSSTALK_ROWS + 1;
  double values[kMost], to_theta[kMost], to_phi[kMost];
  unsigned there; /* bit i: node i */

  template <bool kTransposed, class Pair>
  DEVICE void read(const phase_errors &errors, mesh_layout layout, int at, int column, int row, const Pair *pairs) {
    constexpr int kReach = CUONN_CROSSTALK_REACH, kRows = CUONN_CROSSTALK_ROWS;
    const int c = at / 2, giving = at % 2 == 0, above = max(0, row - kRows), first = above + (above + c) % 2;
    const int end = min(layout.n_modes - 1, row + kRows + 1);
    const int from_theta = min(abs(at - 2 * column - 1), kReach), from_phi = min(abs(at - 2 * column), kReach);
    const auto &theta = kTransposed ? errors.weight[giving][0] : errors.weight[0][giving];
    const auto &phi = kTransposed ? errors.weight[giving][1] : errors.weight[1][giving];
    there = 0;
#pragma unroll
    for (int i = 0; i < kMost; i++) {
      const int t = first + 2 * i, rows = kRows + (kTransposed ? t - row : row - t);
      const size_t place = mesh_place(layout, c, t);
      const bool node = t < end && (!layout.nodes_at || layout.nodes_at[place] != CUONN_IDLE_PLACE);
      there |= node ? 1u << i : 0u;
      values[i] = !node ? 0 : giving ? pairs[place].y : pairs[place].x;
      to_theta[i] = node ? theta[rows][from_theta] : 0;
      to_phi[i] = node ? phi[rows][from_phi] : 0;
    }
  }
};

/* Sums of the phases that reach theta (x) and phi (y) of a node by crosstalk; transposed: sums over the phases that
 * they reach. In half pitches, the shifters of the node in column c whose upper waveguide is t are at row t, phi at 2c
 * and theta at 2c + 1. pairs: of a mesh, [place] theta, phi. */
template <bool kTransposed, class Pair>
DEVICE double2 mixed(const phase_errors &errors, mesh_layout layout, int column, int row, const Pair *pairs) {
  constexpr int kReach = CUONN_CROSSTALK_REACH;
  const int at_theta = 2 * column + 1, at_phi = 2 * column;
  double2 sum = make_double2(0, 0);
  for (int at = max(0, at_phi - kReach); at <= min(2 * layout.n_columns - 1, at_theta + kReach); at++) {
    const unsigned of_theta = abs(at - at_theta) <= kReach ? ~0u : 0u, of_phi = abs(at - at_phi) <= kReach ? ~0u : 0u;
    column_in_reach near;
    near.read<kTransposed>(errors, layout, at, column, row, pairs);
#pragma unroll
    for (int i = 0; i < column_in_reach::kMost; i++) {
      if (near.there & of_theta & 1u << i) sum.x += near.to_theta[i] * near.values[i];
      if (near.there & of_phi & 1u << i) sum.y += near.to_phi[i] * near.values[i];
    }
  }
  return sum;
}

/* Column, top waveguide and number of this thread's place; false if it holds no node. Grid: places, layers, models. */
DEVICE bool own_place(int *column, int *top, size_t *place, size_t *first, mesh_layout layout) {
  const size_t places = mesh_places(layout);
  *place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  *first = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * places;
  return *place < places && mesh_node_at(column, top, layout, *place);
}

/* added: NULL: 0. */
KERNEL k_set(double2 *out, const double2 *phases, const double2 *added, const phase_errors *errors,
             mesh_layout layout) {
  int column, top;
  size_t place, first;
  if (!own_place(&column, &top, &place, &first, layout)) return;
  const double2 phase = set(errors[blockIdx.z], phases[first + place]);
  out[first + place] = added ? phase + added[first + place] : phase;
}

KERNEL k_mix(double2 *applied, const double2 *phases, const double2 *added, const phase_errors *errors,
             mesh_layout layout) {
  int column, top;
  size_t place, first;
  if (!own_place(&column, &top, &place, &first, layout)) return;
  const phase_errors &mine = errors[blockIdx.z];
  const double2 phase = mine.mixes ? mixed<false>(mine, layout, column, top, phases + first) : phases[first + place];
  applied[first + place] = phase + added[first + place];
}

/* The transpose of k_mix. */
KERNEL k_pull_back(float2 *out, const float2 *in, const phase_errors *errors, mesh_layout layout) {
  int column, top;
  size_t place, first;
  if (!own_place(&column, &top, &place, &first, layout)) return;
  const phase_errors &mine = errors[blockIdx.z];
  out[first + place] = mine.mixes ? rounded(mixed<true>(mine, layout, column, top, in + first)) : in[first + place];
}

/* -------------------------------------------------------------------------------------------------- fabricated chips
 */

/* The voltage of a driver for this square: drive_voltage() of src/chip/drive.c. */
DEVICE double voltage(const shifter_curves &chip, double square) {
  const double step = (chip.most - chip.least) / static_cast<double>((1u << chip.bits) - 1);
  return chip.least + step * rint((sqrt(square) - chip.least) / step);
}

/* What is driven of a shifter's phase, slope V^2, where it is mixed with others; else the phase that is set. As set()
 * of src/chip/phases.c, with drive_square() of src/chip/drive.c. */
DEVICE double driven(const shifter_curves &chip, bool mixes, double offset, double slope, double phase, double period) {
  const double low = chip.least * chip.least, high = chip.most * chip.most, turn = period / fabs(slope);
  const double above = wrapped((phase - offset) / slope - low, turn), beyond = above - (high - low);
  const double slack = 1e-12 * (turn + high);
  const bool at_low = turn - above <= slack, inside = beyond <= 0 && !at_low;
  const bool ends_high = !at_low && (beyond <= slack || turn - above >= beyond);
  const bool reached = at_low || beyond <= slack;
  const double square = inside ? low + above : ends_high ? high : low, volts = chip.bits ? voltage(chip, square) : 0;
  const double drive = slope * (chip.bits ? volts * volts : square);
  if (mixes) return drive;
  return reached && chip.bits == 0 ? phase : offset + drive;
}

/* k_set where some model has curves. */
KERNEL k_drive(double2 *out, const double2 *phases, const double2 *added, const phase_errors *errors,
               const shifter_curves *curves, mesh_layout layout) {
  int column, top;
  size_t place, first;
  if (!own_place(&column, &top, &place, &first, layout)) return;
  const phase_errors &mine = errors[blockIdx.z];
  const shifter_curves &chip = curves[blockIdx.z];
  double2 phase = phases[first + place];
  if (chip.slope) {
    const size_t at = blockIdx.y * mesh_places(layout) + place;
    const double2 offset = chip.offset[at], slope = chip.slope[at];
    phase = make_double2(driven(chip, mine.mixes, offset.x, slope.x, phase.x, mine.theta_period),
                         driven(chip, mine.mixes, offset.y, slope.y, phase.y, mine.phi_period));
  } else {
    phase = set(mine, phase);
  }
  out[first + place] = added ? phase + added[first + place] : phase;
}

/* Crosstalk between any shifters: a product with 1 plus a sparse matrix, or, backwards, with its transpose, which lies
 * by rows as well, so that no two threads add to the same number and sums have one order. kShareLanes lanes go through
 * the entries of a row side by side: they read whole sectors of its numbers and shares, and rows of the some 50 entries
 * that neighbours make leave few lanes without work; then each adds the sum of the lane 4, 2 and 1 apart. Phases are
 * gathered from the caches: those of a layer take 32 KiB at N = 64. Models whose phases mix by a law are left out.
 * Grid: lanes of shifters, layers, models. */
static const unsigned kShareLanes = 8, kShareLoads = 4; /* entries of a lane whose loads are under way together */

template <bool kBack, class Number>
KERNEL k_share(Number *out, const Number *in, const double *added, const phase_errors *errors,
               const shifter_curves *curves, mesh_layout layout, unsigned first_layer) {
  const crosstalk_rows &rows = kBack ? curves[blockIdx.z].gives : curves[blockIdx.z].gets;
  const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x, shifter = thread / kShareLanes;
  const size_t shifters = 2 * mesh_places(layout), row = (first_layer + blockIdx.y) * shifters + shifter;
  const size_t from = (static_cast<size_t>(blockIdx.z) * gridDim.y + blockIdx.y) * shifters;
  int column, top;
  if (!rows.first && errors[blockIdx.z].mixes) return;
  const bool there = shifter < shifters && mesh_node_at(&column, &top, layout, shifter / 2);
  const size_t end = there && rows.first ? rows.first[row + 1] : 0;
  double sum = 0;
  for (size_t i = end ? rows.first[row] + thread % kShareLanes : 0; i < end; i += kShareLoads * kShareLanes) {
    double share[kShareLoads], value[kShareLoads];
#pragma unroll
    for (unsigned u = 0; u < kShareLoads; u++) {
      const size_t entry = i + u * kShareLanes;
      share[u] = entry < end ? rows.share[entry] : 0;
      value[u] = entry < end ? static_cast<double>(in[from + rows.other[entry]]) : 0;
    }
#pragma unroll
    for (unsigned u = 0; u < kShareLoads; u++) sum += share[u] * value[u];
  }
  sum = group_sum<kShareLanes>(sum);
  if (!there || thread % kShareLanes != 0) return;
  sum += static_cast<double>(in[from + shifter]);
  out[from + shifter] = static_cast<Number>(kBack ? sum : sum + added[from + shifter]);
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

static dim3 grid_of(const phases_task *t) { return grid_of(mesh_places(t->layout), t->n_layers, t->n_models); }

/* Shares of every shifter. */
template <bool kBack, class Number>
static cudaError_t launch_share(Number *out, const Number *in, const double *added, const phases_task *t,
                                cudaStream_t stream) {
  const dim3 grid = grid_of(2 * mesh_places(t->layout) * kShareLanes, t->n_layers, t->n_models);
  return CUONN_LAUNCH((k_share<kBack, Number>), grid, dim3(kThreads), 0, stream, out, in, added, t->errors, t->curves,
                      t->layout, t->first_layer);
}

extern "C" cudaError_t launch_program(double2 *applied, double2 *set, const double2 *phases, const double2 *added,
                                      const phases_task *t, cudaStream_t stream) {
  double2 *const to = set ? set : applied;
  const double2 *const last = set ? nullptr : added;
  cudaError_t made =
      t->by_curves ? CUONN_LAUNCH(k_drive, grid_of(t), dim3(kThreads), 0, stream, to, phases, last, t->errors,
                                  t->curves, t->layout)
                   : CUONN_LAUNCH(k_set, grid_of(t), dim3(kThreads), 0, stream, to, phases, last, t->errors, t->layout);
  if (made == cudaSuccess && t->by_law)
    made = CUONN_LAUNCH(k_mix, grid_of(t), dim3(kThreads), 0, stream, applied, set, added, t->errors, t->layout);
  if (made == cudaSuccess && t->by_rows)
    made = launch_share<false>(reinterpret_cast<double *>(applied), reinterpret_cast<const double *>(set),
                               reinterpret_cast<const double *>(added), t, stream);
  return made;
}

extern "C" cudaError_t launch_pull_back(float2 *out, const float2 *in, const phases_task *t, cudaStream_t stream) {
  cudaError_t made = cudaSuccess;
  if (t->by_law) made = CUONN_LAUNCH(k_pull_back, grid_of(t), dim3(kThreads), 0, stream, out, in, t->errors, t->layout);
  if (made == cudaSuccess && t->by_rows)
    made = launch_share<true>(reinterpret_cast<float *>(out), reinterpret_cast<const float *>(in), nullptr, t, stream);
  return made;
}
