/* Meshes and networks as the variables theta, phi, gamma, coupler_error and loss_db of a file. */
#ifndef CUONN_RESULTS_PHASES_H
#define CUONN_RESULTS_PHASES_H

#include "cuonn/convention.h"
#include "cuonn/mesh.h"
#include "cuonn/network.h"
#include "results/variables.h"

/* Arrays of a mesh, and most variables of a file of meshes. */
enum { RESULTS_MESH_ARRAYS = 5, RESULTS_MESH_MOST = 16 };

/* The five arrays of a mesh, with `layer` in front unless n_layers is 0. shape: NULL where lengths do not matter. */
void results_mesh_variables(results_variable out[RESULTS_MESH_ARRAYS], size_t n_layers, const cuonn_mesh_shape *shape,
                            cuonn_phase_style style);

/* Turns theta, phi and gamma into voltages, which the file's drive curves make phases of. */
void results_put_volts(results_variable variables[RESULTS_MESH_ARRAYS]);

/* Amplitudes of a network. */
results_variable results_amplitude_variable(size_t n_layers, size_t n_modes);

/* Writes the attributes of a mesh. Before results_define_meshes(). */
cuonn_status results_put_mesh_attributes(const results_file *file, const cuonn_mesh_shape *shape,
                                         cuonn_phase_style style);

/* The same of phases that are counted by another program's convention, which changes what their variables say, too. */
cuonn_status results_put_convention(results_variable variables[RESULTS_MESH_ARRAYS], const results_file *file,
                                    const cuonn_mesh_shape *shape, const cuonn_convention *convention);

/* results_define() for a file of meshes, at most RESULTS_MESH_MOST variables with those of their shape, which it also
 * writes. */
cuonn_status results_define_meshes(const results_file *file, const results_variable *variables, size_t count,
                                   const cuonn_mesh_shape *shape);

/* Writes the arrays of a mesh, or those of one layer of a network. */
cuonn_status results_put_mesh(const results_file *file, const results_variable variables[RESULTS_MESH_ARRAYS],
                              size_t part, const cuonn_mesh *mesh);

/* What a file of phases holds. */
typedef struct {
  cuonn_mesh_shape *mesh;
  size_t n_layers; /* 0: the variables have no dimension `layer` */
  cuonn_phase_style style;
  bool has_style;                     /* whether the file names its style; else it is top */
  const cuonn_convention *convention; /* another program's, by which the file says that its phases are counted; NULL */
} results_phases;

/* Finds shape and style: N from gamma where there is one, else from the number of nodes. Release with
 * results_phases_free(), also on failure. A file whose phases are counted by another program's convention is refused,
 * because its numbers mean something else. */
cuonn_status results_get_phases(results_phases *out, const results_file *file);
void results_phases_free(results_phases *phases);

/* Finds the same of a file that need not have phases: by those, by coupler_error, or by loss_db, and N by the attribute
 * modes. */
cuonn_status results_get_chip_meshes(results_phases *out, const results_file *file);

/* The same, and takes any convention. */
cuonn_status results_get_phases_of_any(results_phases *out, const results_file *file);

/* What a network has besides its meshes: classes, loss_per_class, loss, layer and amplitude_limit, nonlinearity and the
 * numbers of its law. */
cuonn_status results_put_network_attributes(const results_file *file, const cuonn_network_shape *shape);

/* Makes a network of a file whose shape was found; those attributes, or what stands for them.
 * On failure *out may be half made: release it. */
cuonn_status results_get_network(cuonn_network *out, const results_phases *phases, const results_file *file);

/* Reads the amplitudes of a network that has such, from a file that has them; else they stay. */
cuonn_status results_get_amplitudes(const cuonn_network *network, const results_file *file);

/* Reads the errors of meshes [layer], coupler_error and loss_db with `layer` in front; those that the file has. */
cuonn_status results_get_errors(cuonn_mesh *layers, size_t n_layers, const results_file *file);

/* Reads the meshes [layer] of a file whose shape was found; arrays that the file lacks become zero. Voltages become
 * phases by the drive curves of the file. */
cuonn_status results_get_meshes(cuonn_mesh *layers, const results_phases *phases, const results_file *file);

#endif
