/* Networks as files: phases, by our convention or another program's, or voltages of a chip. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cuonn/files.h"
#include "mesh/shape.h"
#include "results/attributes.h"
#include "results/drive.h"
#include "results/phases.h"

/* How a network is written. */
typedef struct {
  const cuonn_convention *convention; /* another program's; NULL: ours, by the phase style */
  const double *scale;                /* NULL: none */
  const cuonn_fabricated *chip;       /* whose voltages stand in the place of phases; NULL: these are phases */
} form;

static cuonn_status put_attributes(const results_file *file, results_variable *meshes, const cuonn_network_shape *shape,
                                   const form *as) {
  CUONN_TRY(as->convention ? results_put_convention(meshes, file, shape->mesh, as->convention)
                           : results_put_mesh_attributes(file, shape->mesh, shape->style));
  CUONN_TRY(results_put_network_attributes(file, shape));
  if (as->chip) CUONN_TRY(results_put_driver(file, as->chip));
  return as->scale ? results_put_number(file, "scale", *as->scale) : CUONN_OK;
}

static cuonn_status write_network(const char *path, const cuonn_network *network, const form *as) {
  cuonn_status status = CUONN_OK;
  results_file file;
  results_variable variables[RESULTS_MESH_ARRAYS + RESULTS_DRIVE_VARIABLES + 1];
  const cuonn_network_shape *const shape = &network->shape;
  size_t count = RESULTS_MESH_ARRAYS;
  results_mesh_variables(variables, shape->n_layers, shape->mesh, shape->style);
  if (as->chip) {
    results_put_volts(variables);
    count += results_drive_variables(variables + count, as->chip, shape->n_layers);
  }
  results_variable *const amplitude = variables + count;
  *amplitude = results_amplitude_variable(shape->n_layers, shape->n_modes);
  count += network->amplitudes != NULL;
  CUONN_TRY_DONE(results_create(
      &file, path, as->chip ? "Drive voltages of an optical neural network" : "Phases of an optical neural network"));
  CUONN_TRY_DONE(put_attributes(&file, variables, shape, as));
  CUONN_TRY_DONE(results_define_meshes(&file, variables, count, shape->mesh));
  for (size_t l = 0; l < shape->n_layers; l++)
    CUONN_TRY_DONE(results_put_mesh(&file, variables, l, &network->layers[l]));
  if (network->amplitudes) CUONN_TRY_DONE(results_put(&file, amplitude, RESULTS_WHOLE, network->amplitudes));
  if (as->chip) CUONN_TRY_DONE(results_put_drive(&file, as->chip));
  CUONN_TRY_DONE(results_commit(&file));
done:
  results_abandon(&file);
  return status;
}

cuonn_status cuonn_network_write(const char *path, const cuonn_network *network) {
  return write_network(path, network, &(form){0});
}

cuonn_status cuonn_network_write_as(const char *path, const cuonn_network *network,
                                    const cuonn_convention *convention) {
  const bool ours = cuonn_convention_is_style(NULL, convention);
  return write_network(path, network, &(form){.convention = ours ? NULL : convention});
}

/* Puts the voltages of a mesh in the places of its phases. */
static cuonn_status take_volts(cuonn_mesh *mesh, double *volts, const cuonn_fabricated *chip, size_t layer) {
  const size_t nodes = mesh->n_nodes;
  CUONN_TRY(cuonn_fabricated_volts(volts, chip, layer, mesh));
  memcpy(mesh->theta, volts, nodes * sizeof *volts);
  memcpy(mesh->phi, volts + nodes, nodes * sizeof *volts);
  memcpy(mesh->gamma, volts + 2 * nodes, mesh->n_modes * sizeof *volts);
  return CUONN_OK;
}

static cuonn_status write_volts(const char *path, const cuonn_network *network, const form *as) {
  cuonn_status status = CUONN_OK;
  cuonn_network apart = {0};
  double *volts = NULL;
  CUONN_TRY_DONE(cuonn_fabricated_fits(as->chip, &network->shape));
  CUONN_TRY_DONE(cuonn_network_create(&apart, &network->shape));
  CUONN_TRY_DONE(cuonn_network_copy(&apart, network));
  CUONN_TRY_DONE(cuonn_allocate(&volts, cuonn_fabricated_shifters(as->chip), sizeof *volts));
  for (size_t l = 0; l < network->shape.n_layers; l++) CUONN_TRY_DONE(take_volts(&apart.layers[l], volts, as->chip, l));
  status = write_network(path, &apart, as);
done:
  free(volts);
  cuonn_network_free(&apart);
  return status;
}

cuonn_status cuonn_network_write_volts(const char *path, const cuonn_network *network, const cuonn_fabricated *chip) {
  return write_volts(path, network, &(form){.chip = chip});
}

cuonn_status cuonn_network_write_scaled(const char *path, const cuonn_network *network, double scale,
                                        const cuonn_fabricated *chip) {
  const form as = {.scale = &scale, .chip = chip};
  return chip ? write_volts(path, network, &as) : write_network(path, network, &as);
}
