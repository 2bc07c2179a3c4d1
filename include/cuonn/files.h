/** @file files.h
 *  netCDF files: unitaries, meshes, fields, batches, gradients, checkpoints, grids of energy; and the directories of
 *  training runs and of sweeps.
 *
 *  We write the classic 64-bit-offset format and read any netCDF.  A complex array has a last dimension `complex` of
 *  length 2 (real, imaginary).  docs/files.md names every variable.
 *
 *  Writing: the file is made in memory, a trailer (hash of all before it) is appended, the whole is written to a
 *  temporary file beside its target, synced and renamed: the target is the old or the new file, never half of
 *  one.  Reading: a file with our trailer is checked against its hash before libnetcdf sees it; a foreign netCDF-4 file
 *  is first read in a child process.  Names that hold "://" are refused.
 *
 *  Every function may return CUONN_E_IO (cannot be opened, read or written, with the reason), CUONN_E_DATA (not netCDF,
 *  wrong hash, a variable missing or of another shape; the message names file and variable), CUONN_E_NONFINITE,
 *  CUONN_E_MEMORY.
 */
#ifndef CUONN_FILES_H
#define CUONN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/compute.h"
#include "cuonn/convention.h"
#include "cuonn/dataset.h"
#include "cuonn/energy.h"
#include "cuonn/fabricated.h"
#include "cuonn/fields.h"
#include "cuonn/grid.h"
#include "cuonn/mesh.h"
#include "cuonn/network.h"
#include "cuonn/status.h"
#include "cuonn/sweep.h"
#include "cuonn/training.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Reads `unitary(row, column, complex)`, square.
 *  @param[out] matrix  [row][column][2]; release with free() */
CUONN_API cuonn_status cuonn_unitary_read(double **matrix, size_t *n_modes, const char *path);

/** Reads `matrix(row, column, complex)`, of any size up to CUONN_MODES_MAX, or what cuonn_unitary_read() reads.
 *  @param[out] matrix  [row][column][2]; release with free() */
CUONN_API cuonn_status cuonn_matrix_read(double **matrix, size_t *n_rows, size_t *n_columns, const char *path);

/** Writes `unitary(row, column, complex)`. */
CUONN_API cuonn_status cuonn_unitary_write(const char *path, const double *matrix, size_t n_modes);

/** Reads the shape of custom meshes: pair(node, arm), the waveguides of each node, and column(node), both counted from
 *  0, nodes column by column; attribute columns, how many there are, where the last ones are empty.
 *  @param[out] out     release with cuonn_mesh_shape_free()
 *  @param[in] n_modes  waveguides of the mesh
 *  @return also CUONN_E_SHAPE, as cuonn_mesh_shape_create() */
CUONN_API cuonn_status cuonn_mesh_shape_read(cuonn_mesh_shape **out, size_t n_modes, const char *path);

/** Reads a fabricated chip: coupler_error(layer, node, side), loss_db(layer, node, shifter), either or both; drive
 * curves theta_offset, phi_offset (layer, node), gamma_offset(layer, waveguide), and theta_slope, phi_slope and
 * gamma_slope, all or none; crosstalk(entry), crosstalk_to, crosstalk_from and crosstalk_layer, if it has them.
 * Attributes as of a mesh, modes (N; of rectangular meshes of N columns by the nodes, where absent), driver_least_volts
 * (0), driver_most_volts, driver_bits (0), wavelength_nm (0).  A file of a mesh or network is one, too; without layers,
 * it has one.
 *  @param[out] out  release with cuonn_fabricated_free()
 *  @return also as cuonn_fabricated_check() */
CUONN_API cuonn_status cuonn_fabricated_read(cuonn_fabricated *out, const char *path);

/** Writes a fabricated chip. */
CUONN_API cuonn_status cuonn_fabricated_write(const char *path, const cuonn_fabricated *chip);

/** What identifies a chip: a line of text with a hash of its numbers, as cuonn_dataset_identity() has them.
 *  @return a string to be released with free(); NULL if there is no memory */
CUONN_API char *cuonn_fabricated_identity(const cuonn_fabricated *chip);

/** Reads a mesh: theta(node), phi(node); gamma(waveguide), coupler_error(node, side), loss_db(node, shifter),
 *  attributes architecture, columns, node and phase_style are zero, or rectangular, N, mzi and top, where absent; of
 * custom meshes the nodes, as cuonn_mesh_shape_read() does.
 *  @param[out] out  release with cuonn_mesh_free() */
CUONN_API cuonn_status cuonn_mesh_read(cuonn_mesh *out, const char *path);

/** Writes a mesh. */
CUONN_API cuonn_status cuonn_mesh_write(const char *path, const cuonn_mesh *mesh);

/** Reads the fields `variable(example, waveguide, complex)`, or `variable(example, waveguide)`, which are real.
 *  @param[out] out  release with cuonn_fields_free() */
CUONN_API cuonn_status cuonn_fields_read(cuonn_fields *out, const char *path, const char *variable);

/** Reads `label(example)`, integers 0..255.
 *  @param[out] labels  [example]; release with free() */
CUONN_API cuonn_status cuonn_labels_read(uint8_t **labels, size_t *n_examples, const char *path);

/** Reads labelled fields: `input`, as cuonn_fields_read() does, and `label(example)`, as cuonn_labels_read() does.
 *  @param[out] out  release with cuonn_examples_free(); zeroed on failure */
CUONN_API cuonn_status cuonn_examples_read(cuonn_examples *out, const char *path);

/** Writes the fields of a batch under names of the caller's.  For tests, and for users' input.
 *  @param[in] labels  [example] written as `label`, or NULL */
CUONN_API cuonn_status cuonn_fields_write(const char *path, const cuonn_fields *const *fields, const char *const *names,
                                          size_t count, const uint8_t *labels);

/** Writes `output(example, waveguide, complex)` and each stage of `taps` that is not NULL, under its own name with the
 *  dimensions (column, example, waveguide, complex), n_columns being the mesh's columns of nodes.  taps may be NULL. */
CUONN_API cuonn_status cuonn_propagation_write(const char *path, const cuonn_fields *output, const cuonn_taps *taps,
                                               size_t n_columns);

/** Writes d_theta(node), d_phi(node), d_gamma(waveguide) and `backward(example, waveguide, complex)`. */
CUONN_API cuonn_status cuonn_vjp_write(const char *path, const cuonn_mesh_gradient *gradient, size_t n_nodes,
                                       const cuonn_fields *backward);

/** Writes `loss`, d_theta(layer, node), d_phi(layer, node), d_gamma(layer, waveguide), and, if gradients were measured,
 *  the exact ones beside them, exact_d_theta, exact_d_phi, exact_d_gamma.
 *  @param[in] exact  [layer], or NULL */
CUONN_API cuonn_status cuonn_gradient_write(const char *path, const cuonn_network_shape *shape, double loss,
                                            const cuonn_mesh_gradient *gradients, const cuonn_mesh_gradient *exact);

/** Reads d_theta, d_phi, d_gamma of every layer, and the exact ones beside them.
 *  @param[out] gradients  [n_layers] release with cuonn_gradients_free()
 *  @param[out] exact      the same; NULL where the file has none
 *  @param[out] n_nodes    nodes of each layer
 *  @param[out] n_modes    waveguides of each layer */
CUONN_API cuonn_status cuonn_gradient_read(cuonn_mesh_gradient **gradients, cuonn_mesh_gradient **exact,
                                           size_t *n_layers, size_t *n_nodes, size_t *n_modes, const char *path);

/** Reads a network: as a mesh with `layer` in front of every dimension list (or without it: one layer); attribute
 *  `classes` (10 or N, whichever is less, where absent), `loss_per_class` (1 where absent), `loss`
 *  (cross-entropy where absent), `nonlinearity` (modulus where absent) and the numbers of its law, `layer` (unitary
 * where absent) and amplitude_limit (1); `amplitude(layer, waveguide)`, where absent as in a new network. */
CUONN_API cuonn_status cuonn_network_read(cuonn_network *out, const char *path);

/** Writes a network: meshes with `layer` in front, and its attributes. */
CUONN_API cuonn_status cuonn_network_write(const char *path, const cuonn_network *network);

/** Writes a network with voltages, theta, phi and gamma in V, in place of phases, and the drive curves of the chip, by
 *  which whoever reads it has phases again.
 *  @return also as cuonn_fabricated_fits() and cuonn_fabricated_volts() */
CUONN_API cuonn_status cuonn_network_write_volts(const char *path, const cuonn_network *network,
                                                 const cuonn_fabricated *chip);

/** Writes an svd layer with the attribute `scale`, which makes its matrix that of cuonn_network_decompose().
 *  @param[in] chip  whose voltages are written as by cuonn_network_write_volts(); NULL: phases are
 *  @return also as cuonn_network_write_volts() */
CUONN_API cuonn_status cuonn_network_write_scaled(const char *path, const cuonn_network *network, double scale,
                                                  const cuonn_fabricated *chip);

/** Reads a network whose phases may be counted by another program's convention, which every other function that reads
 *  phases refuses.  Its style is that of the file, or top.
 *  @param[out] convention  what the file says by its attribute `convention` or `phase_style`; NULL if it says nothing
 */
CUONN_API cuonn_status cuonn_network_read_any(cuonn_network *out, const cuonn_convention **convention,
                                              const char *path);

/** Writes a network whose phases are counted by a convention, named by the attribute `convention`; by `phase_style` if
 *  it is one of ours, which must then be the network's style. */
CUONN_API cuonn_status cuonn_network_write_as(const char *path, const cuonn_network *network,
                                              const cuonn_convention *convention);

/** Reads the errors of a chip into a network whose shape is given: coupler_error(layer, node, side), loss_db(layer,
 *  node, shifter), at least one of them; the other stays.  @return also CUONN_E_SHAPE.  On failure *network is as it
 *  was. */
CUONN_API cuonn_status cuonn_network_read_errors(cuonn_network *network, const char *path);

/** Reads starting phases into a network whose shape is given: theta(layer, node), ... as in cuonn_network_read(), or,
 *  where there is no theta, `unitary(layer, row, column, complex)`, each decomposed.  @return also CUONN_E_SHAPE */
CUONN_API cuonn_status cuonn_network_read_start(cuonn_network *network, const char *path);

/** Where a run comes from: all that a checkpoint says besides what training changes. */
typedef struct cuonn_origin {
  char *config_text; /**< the run's configuration in YAML */
  uint64_t seed;
  char *data; /**< cuonn_dataset_identity() of what it is trained on; NULL: not known, as in files of older versions */
} cuonn_origin;

/** Releases the texts of an origin that was read, and zeroes it.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_origin_free(cuonn_origin *origin);

/** Reads a whole checkpoint.
 *  @param[out] state   release with cuonn_training_state_free()
 *  @param[out] epoch   finished epochs
 *  @param[out] origin  release with cuonn_origin_free() */
CUONN_API cuonn_status cuonn_checkpoint_read(cuonn_training_state *state, size_t *epoch, cuonn_origin *origin,
                                             const char *path);

/** Writes a checkpoint: network, optimizer state, step, epoch and origin. */
CUONN_API cuonn_status cuonn_checkpoint_write(const char *path, const cuonn_training_state *state, size_t epoch,
                                              const cuonn_origin *origin);

/** One axis of a grid: a coordinate variable of the file. */
typedef struct cuonn_energy_axis {
  const char *name;      /**< of variable and dimension, such as "modes" */
  const char *unit;      /**< "" if it has none */
  const char *long_name; /**< what it is */
  const double *values;  /**< [count], rising */
  size_t count;          /**< at least 1 */
} cuonn_energy_axis;

/** Most axes of a grid. */
#define CUONN_ENERGY_AXES_MAX 4

/** Writes a grid of energies: every axis as a coordinate, and over all of them, for OPERATION = mvm, vjp, gradient:
 *  OPERATION_joules, _tops_per_watt, _seconds, _watts, _conversion_share, _peak_modes, _peak_tops_per_watt,
 *  _energy_PART; and of the light photons, total_column_loss, laser_watts, equal_modes, detectable (0 or 1).  What is
 *  not finite (no light is enough; no peak without loss) is written as missing.
 *  @param[in] points       [first axis][second axis]...
 *  @param[in] config_text  the configuration of all that is no axis, in YAML
 *  @return also CUONN_E_ARGUMENT for no axis or more than CUONN_ENERGY_AXES_MAX */
CUONN_API cuonn_status cuonn_energy_write(const char *path, const cuonn_energy_axis *axes, size_t n_axes,
                                          const cuonn_energy_point *points, const char *config_text);

/** Reads a grid whose one axis is the number of modes: cost[], but for the number of operations and parts that only
 *  networks have, and peak[]; the rest of each point is 0.  What is missing in the file is NaN.
 *  @param[out] modes   [count]; release with free()
 *  @param[out] points  [count]; release with free()
 *  @return also CUONN_E_DATA if the file has no modes, or its energies have other axes */
CUONN_API cuonn_status cuonn_energy_read(double **modes, cuonn_energy_point **points, size_t *count, const char *path);

/** A run directory: config.yaml, metrics.csv, last.nc, best.nc. */
typedef struct cuonn_run cuonn_run;

/** Opens a run directory for writing, removes what a killed run left half written, and writes metrics.csv and
 *  config.yaml. Refused with CUONN_E_ARGUMENT: a directory that another process has open as a run, or that holds a
 *  sweep, or in which one of a run's files is a link that leads out of it.
 *  @param[in] directory  made if missing, with the folders above it
 *  @param[in] origin     copied
 *  @param[in] n_layers   0 if gradients are exact; else metrics.csv has their errors, too: of all layers, and of so
 *                        many each
 *  @param[in] resume_epochs  0 for a new run, which refuses a directory that holds any file of a run
 *                            (CUONN_E_ARGUMENT), unless they are the beginning of this very run, killed before its
 *                            first checkpoint; else rows of metrics.csv up to this many finished epochs are kept, later
 *                            ones dropped; SIZE_MAX resumes with none finished
 *  @param[in] interval  seconds from one writing of the files to the next at least; 0: every epoch is written
 *  @param[out] out  release with cuonn_run_close() */
CUONN_API cuonn_status cuonn_run_open(cuonn_run **out, const char *directory, const cuonn_origin *origin,
                                      size_t n_layers, size_t resume_epochs, double interval);

/** Records a finished epoch: metrics.csv, last.nc and, if it improved, best.nc.  The first one is written at once, and
 *  so is every other if the interval has passed since the files were written; else it is kept in memory until then, or
 *  until cuonn_run_flush() or cuonn_run_save(). */
CUONN_API cuonn_status cuonn_run_record(cuonn_run *run, const cuonn_epoch_record *record,
                                        const cuonn_training_state *state, bool improved);

/** Writes the epochs that are kept in memory, if there are any: when training is over, however it ended. */
CUONN_API cuonn_status cuonn_run_flush(cuonn_run *run);

/** Writes a state as last.nc, for a run that stops within an epoch, and before it the rows and the best of epochs that
 *  are kept in memory. */
CUONN_API cuonn_status cuonn_run_save(cuonn_run *run, const cuonn_training_state *state, size_t epoch);

/** Releases a run, and with it what was not flushed.  NULL is fine.  Its files are whole at any time. */
CUONN_API void cuonn_run_close(cuonn_run *run);

/** Reads metrics.csv of a run.
 *  @param[out] records  [count], epochs rising; NULL if no epoch was finished; release with free(), and all that they
 *                       point to */
CUONN_API cuonn_status cuonn_metrics_read(cuonn_epoch_record **records, size_t *count, const char *path);

/** Refuses DIRECTORY/NAME if it is a symbolic link to something outside DIRECTORY: what is written into a directory of
 *  results must not replace files elsewhere.
 *  @return CUONN_OK, also if there is no such file; CUONN_E_ARGUMENT */
CUONN_API cuonn_status cuonn_directory_check(const char *directory, const char *name);

/** Makes the folders above a file that is to be written, where they are not there.  Everything that writes a file here
 *  does so.
 *  @return CUONN_OK; CUONN_E_IO naming the folder that cannot be made */
CUONN_API cuonn_status cuonn_parents_make(const char *path);

/** Writes any bytes as a file, as all files here are written: the target is the old file or the new one. */
CUONN_API cuonn_status cuonn_bytes_write(const char *path, const void *bytes, size_t size);

/** The directory of a sweep: sweep.yaml, the grid; runs/NUMBER.nc, the numbers of each finished or failed run;
 *  networks/NUMBER.nc, checkpoints of the finished ones; sweep.nc, all numbers over the grid.  NUMBER is the point of
 *  the grid in six digits. */
typedef struct cuonn_sweep_files cuonn_sweep_files;

/** Opens the directory of a sweep for writing and reads what runs it holds.
 *  @param[in] directory  as for cuonn_run_open(); refused if it holds a run
 *  @param[in] grid    complete; read while the files are open
 *  @param[in] data    cuonn_dataset_identity() of what its networks are trained on; NULL: unknown
 *  @param[in] resume  false: writes sweep.yaml, and refuses a directory that holds any file of a sweep
 *                     (CUONN_E_ARGUMENT); true: refuses runs whose configuration is not that of their point, or that
 *                     have seen other data (CUONN_E_DATA)
 *  @param[out] out    release with cuonn_sweep_files_close() */
CUONN_API cuonn_status cuonn_sweep_files_open(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid,
                                              const char *data, bool resume);

/** Opens it for one of several processes, which may be on several machines: each records the runs of its part
 *  (cuonn_sweep_cut()).  The directory remembers into how many parts it is cut.  No result is read yet:
 *  cuonn_sweep_files_take().
 *  @param[in] resume  false: writes sweep.yaml, or finds the one that another part wrote, which must be of the same
 * grid
 *  @param[in] part    1 .. n_parts; refused while another process has it, or if the directory is cut into another
 *                     number of parts (CUONN_E_ARGUMENT), and where the file system has no links (CUONN_E_IO)
 *  @param[in] n_parts 2 .. CUONN_SWEEP_PARTS_MAX */
CUONN_API cuonn_status cuonn_sweep_files_open_part(cuonn_sweep_files **out, const char *directory,
                                                   const cuonn_grid *grid, const char *data, bool resume, size_t part,
                                                   size_t n_parts);

/** The same for a process that has no part: it joins results, or records runs that it was told to by the process that
 *  opened the directory.  Nothing is locked, made or read. */
CUONN_API cuonn_status cuonn_sweep_files_attach(cuonn_sweep_files **out, const char *directory, const cuonn_grid *grid,
                                                const char *data);

/** Takes over the result of a run if it is there.  @return as cuonn_sweep_files_open() to resume */
CUONN_API cuonn_status cuonn_sweep_files_take(cuonn_sweep_files *files, size_t point);

/** Removes what killed processes left half-written in a directory that was attached to, unless one has it open. */
CUONN_API void cuonn_sweep_files_tidy(cuonn_sweep_files *files);

/** Number of runs that have no file yet. */
CUONN_API cuonn_status cuonn_sweep_files_missing(size_t *n, const cuonn_sweep_files *files);

/** Result of a run that is recorded.
 *  @return owned by the files, its state NULL; NULL if there is none yet */
CUONN_API const cuonn_sweep_result *cuonn_sweep_files_result(const cuonn_sweep_files *files, size_t point);

/** Records a finished or failed run: its checkpoint if it has a state, then its numbers.  In a directory that is cut
 *  into parts the first numbers stay, whoever comes later, and are the result. */
CUONN_API cuonn_status cuonn_sweep_files_record(cuonn_sweep_files *files, size_t point,
                                                const cuonn_sweep_result *result);

/** Writes sweep.nc: every axis as a coordinate, numbers as NAME(axis, ..., epoch), those of single layers as
 *  NAME(axis, ..., epoch, layer), status(axis, ...) and reason(axis, ...).
 *  What there is not (epochs that a failed run did not finish) is missing. */
CUONN_API cuonn_status cuonn_sweep_files_merge(const cuonn_sweep_files *files);

/** Releases what is open.  NULL is fine.  The files are already whole. */
CUONN_API void cuonn_sweep_files_close(cuonn_sweep_files *files);

/** What there is of a sweep. */
typedef struct cuonn_sweep_record {
  cuonn_grid grid;             /**< complete */
  size_t n_points;             /**< of the grid */
  size_t n_done;               /**< finished or failed */
  cuonn_sweep_result *results; /**< [n_points] their state NULL */
  bool *done;                  /**< [n_points] whether there is a result */
} cuonn_sweep_record;

/** Reads a sweep: its directory, also while it is written, or sweep.nc alone, of which the errors of single layers are
 *  not read.
 *  @param[out] out  release with cuonn_sweep_record_free()
 *  @return also CUONN_E_CONFIG if its grid is one that this version does not know */
CUONN_API cuonn_status cuonn_sweep_read(cuonn_sweep_record *out, const char *path);

/** Releases what cuonn_sweep_read() took. */
CUONN_API void cuonn_sweep_record_free(cuonn_sweep_record *record);

#ifdef __cplusplus
}
#endif
#endif
