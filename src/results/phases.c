/* Meshes and networks as the variables theta, phi, gamma, coupler_error and loss_db of a file. */
#include "results/phases.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "mesh/shape.h"
#include "results/attributes.h"
#include "results/drive.h"
#include "results/shape.h"
#include "results/units.h"

enum { kTheta, kPhi, kGamma, kCouplerError, kLossDb };

void results_mesh_variables(results_variable out[RESULTS_MESH_ARRAYS], size_t n_layers, const cuonn_mesh_shape *shape,
                            cuonn_phase_style style) {
  const cuonn_phase_periods period = cuonn_phase_style_periods(style);
  const size_t nodes = shape ? shape->n_nodes : 1, n_modes = shape ? shape->n_modes : 2;
  const size_t couplers = shape ? shape_couplers(shape) : 2;
  const results_variable variables[RESULTS_MESH_ARRAYS] = {
      [kTheta] = {"theta",
                  {{"layer", n_layers}, {"node", nodes}},
                  "radian",
                  .long_name = "internal phase of each node",
                  .period = period.theta},
      [kPhi] = {"phi",
                {{"layer", n_layers}, {"node", nodes}},
                "radian",
                .long_name = "external phase of each node",
                .period = period.phi},
      [kGamma] = {"gamma",
                  {{"layer", n_layers}, {"waveguide", n_modes}},
                  "radian",
                  .long_name = "output phase of each waveguide",
                  .period = period.gamma},
      [kCouplerError] = {"coupler_error",
                         {{"layer", n_layers}, {"node", nodes}, {"side", couplers}},
                         "radian",
                         .long_name = couplers == 3 ? "error of the left, right and third coupler on pi/4"
                                                    : "error of the left and right coupler on pi/4"},
      [kLossDb] = {"loss_db",
                   {{"layer", n_layers}, {"node", nodes}, {"shifter", 2}},
                   "dB",
                   .long_name = "loss of the theta and phi shifter, positive attenuates"},
  };
  memcpy(out, variables, sizeof variables);
  if (n_layers > 0) return;
  for (size_t i = 0; i < RESULTS_MESH_ARRAYS; i++) {
    memmove(&out[i].dimensions[0], &out[i].dimensions[1], RESULTS_RANK * sizeof out[i].dimensions[0]);
  }
}

results_variable results_amplitude_variable(size_t n_layers, size_t n_modes) {
  return (results_variable){"amplitude",
                            {{"layer", n_layers}, {"waveguide", n_modes}},
                            NULL,
                            .long_name = "factor of the field behind each mesh, by an attenuator or an amplifier"};
}

/* The arrays of a mesh in the order of the variables. */
static void arrays_of(double *out[RESULTS_MESH_ARRAYS], const cuonn_mesh *mesh) {
  out[kTheta] = mesh->theta;
  out[kPhi] = mesh->phi;
  out[kGamma] = mesh->gamma;
  out[kCouplerError] = mesh->coupler_error;
  out[kLossDb] = mesh->loss_db;
}

void results_put_volts(results_variable variables[RESULTS_MESH_ARRAYS]) {
  static const char *const names[] = {"voltage of the theta shifter of each node",
                                      "voltage of the phi shifter of each node",
                                      "voltage of the gamma shifter of each waveguide"};
  for (size_t i = kTheta; i <= kGamma; i++) {
    variables[i].unit = "V";
    variables[i].period = 0;
    variables[i].long_name = names[i];
  }
}

cuonn_status results_put_mesh_attributes(const results_file *file, const cuonn_mesh_shape *shape,
                                         cuonn_phase_style style) {
  const char *const name = cuonn_phase_style_name(style);
  CUONN_CHECK(name, CUONN_E_ARGUMENT, "%s: phase style %d is not one of the four", file->path, (int)style);
  CUONN_TRY(results_put_shape_attributes(file, shape));
  return results_put_text(file, "phase_style", name);
}

cuonn_status results_put_convention(results_variable variables[RESULTS_MESH_ARRAYS], const results_file *file,
                                    const cuonn_mesh_shape *shape, const cuonn_convention *convention) {
  const cuonn_phase_periods period = cuonn_convention_periods(convention);
  variables[kTheta].period = period.theta;
  variables[kPhi].period = period.phi;
  if (cuonn_convention_phi_is_behind(convention)) variables[kGamma].long_name = "input phase of each waveguide";
  CUONN_TRY(results_put_shape_attributes(file, shape));
  return results_put_text(file, "convention", cuonn_convention_name(convention));
}

cuonn_status results_define_meshes(const results_file *file, const results_variable *variables, size_t count,
                                   const cuonn_mesh_shape *shape) {
  results_variable all[RESULTS_MESH_MOST];
  memcpy(all, variables, count * sizeof *all);
  count += results_shape_variables(all + count, shape);
  CUONN_TRY(results_define(file, all, count));
  return results_put_shape(file, shape);
}

cuonn_status results_put_mesh(const results_file *file, const results_variable variables[RESULTS_MESH_ARRAYS],
                              size_t part, const cuonn_mesh *mesh) {
  double *arrays[RESULTS_MESH_ARRAYS];
  arrays_of(arrays, mesh);
  for (size_t i = 0; i < RESULTS_MESH_ARRAYS; i++) CUONN_TRY(results_put(file, &variables[i], part, arrays[i]));
  return CUONN_OK;
}

/* ---- reading ---- */

static cuonn_status get_style(results_phases *out, const results_file *file) {
  cuonn_status status = CUONN_OK;
  char *style = NULL;
  CUONN_TRY_DONE(results_get_text(&style, file, "phase_style"));
  out->style = CUONN_STYLE_TOP;
  out->has_style = style != NULL;
  if (style && cuonn_phase_style_parse(&out->style, style) != CUONN_OK) {
    status = cuonn_fail(CUONN_E_DATA, "%s: phase_style is \"%.64s\"; it is one of top, bottom, symmetric, differential",
                        file->path, style);
  }
done:
  free(style);
  return status;
}

/* By whose convention the phases are counted. Our own are phase styles, which `phase_style` names. */
static cuonn_status get_convention(results_phases *out, const results_file *file) {
  cuonn_status status = CUONN_OK;
  char *name = NULL;
  out->convention = NULL;
  CUONN_TRY_DONE(results_get_text(&name, file, "convention"));
  if (!name) goto done;
  CUONN_CHECK_DONE(!out->has_style, CUONN_E_DATA,
                   "%s: has both convention and phase_style, which is a convention of ours", file->path);
  if (cuonn_convention_parse(&out->convention, name) != CUONN_OK) {
    status = cuonn_fail_within(CUONN_E_DATA, "%s", file->path);
  } else if (cuonn_convention_is_style(&out->style, out->convention)) {
    out->has_style = true;
    out->convention = NULL;
  }
done:
  free(name);
  return status;
}

/* N whose mesh has that many nodes, or the next below. */
static size_t modes_of_nodes(size_t nodes) {
  size_t n = (size_t)((1 + sqrt(1 + 8 * (double)nodes)) / 2);
  while (n > 2 && cuonn_mesh_nodes(n) > nodes) n--;
  while (cuonn_mesh_nodes(n + 1) <= nodes) n++;
  return n;
}

/* N by gamma, whose dimensions are those of theta, `rank`. */
static cuonn_status modes_of_gamma(size_t *n_modes, const results_file *file, const results_variable gamma[2],
                                   size_t rank) {
  size_t gamma_rank, lengths[RESULTS_RANK];
  CUONN_TRY(results_shape(&gamma_rank, lengths, file, gamma, 2));
  CUONN_CHECK(gamma_rank == rank, CUONN_E_DATA,
              "%s: gamma has %zu dimensions where theta has %zu; both, or neither, must have a layer in front",
              file->path, gamma_rank, rank);
  *n_modes = lengths[rank - 1];
  CUONN_CHECK(*n_modes >= 2 && *n_modes <= CUONN_MODES_MAX, CUONN_E_DATA,
              "%s: gamma has %zu waveguides; a mesh has 2 to %d", file->path, *n_modes, CUONN_MODES_MAX);
  return CUONN_OK;
}

/* N by the number of nodes of a variable alone: of a rectangular mesh of N columns. */
static cuonn_status modes_of_nodes_alone(size_t *n_modes, const results_file *file, const char *name, size_t nodes) {
  const bool is_chip = strcmp(name, "theta") != 0;
  cuonn_architecture architecture;
  CUONN_TRY(results_get_architecture(&architecture, file));
  CUONN_CHECK(architecture == CUONN_ARCHITECTURE_RECTANGULAR, CUONN_E_DATA,
              "%s: has no %s number of waveguides of a %s mesh", file->path,
              is_chip ? "attribute modes, the" : "gamma, whose length is the", cuonn_architecture_name(architecture));
  const size_t n = *n_modes = modes_of_nodes(nodes);
  CUONN_CHECK(cuonn_mesh_nodes(n) == nodes, CUONN_E_DATA,
              "%s: %s has %zu nodes, which no rectangular mesh has: %zu waveguides have %zu, %zu have %zu", file->path,
              name, nodes, n, cuonn_mesh_nodes(n), n + 1, cuonn_mesh_nodes(n + 1));
  CUONN_CHECK(n <= CUONN_MODES_MAX, CUONN_E_DATA, "%s: %s has the nodes of %zu waveguides; a mesh has 2 to %d",
              file->path, name, n, CUONN_MODES_MAX);
  return CUONN_OK;
}

cuonn_status results_get_phases(results_phases *out, const results_file *file) {
  CUONN_TRY(results_get_phases_of_any(out, file));
  CUONN_CHECK(!out->convention, CUONN_E_DATA,
              "%s: its phases are counted as %s does; convert it first: cuonn convert %s --to cuonn --output MESH.nc",
              file->path, cuonn_convention_name(out->convention), file->path);
  return CUONN_OK;
}

cuonn_status results_get_phases_of_any(results_phases *out, const results_file *file) {
  size_t rank, lengths[RESULTS_RANK], n_modes;
  results_variable of_mesh[RESULTS_MESH_ARRAYS], of_network[RESULTS_MESH_ARRAYS];
  *out = (results_phases){0};
  results_mesh_variables(of_mesh, 0, NULL, CUONN_STYLE_TOP);
  results_mesh_variables(of_network, 1, NULL, CUONN_STYLE_TOP);
  const results_variable theta[] = {of_mesh[kTheta], of_network[kTheta]};
  const results_variable gamma[] = {of_mesh[kGamma], of_network[kGamma]};
  CUONN_TRY(results_shape(&rank, lengths, file, theta, 2));
  const size_t nodes = lengths[rank - 1];
  out->n_layers = rank == 2 ? lengths[0] : 0;
  CUONN_CHECK(out->n_layers <= CUONN_LAYERS_MAX, CUONN_E_DATA, "%s: theta has %zu layers; at most %d are read",
              file->path, out->n_layers, CUONN_LAYERS_MAX);
  if (results_has(file, "gamma"))
    CUONN_TRY(modes_of_gamma(&n_modes, file, gamma, rank));
  else
    CUONN_TRY(modes_of_nodes_alone(&n_modes, file, "theta", nodes));
  CUONN_TRY(get_style(out, file));
  CUONN_TRY(get_convention(out, file));
  return results_get_shape(&out->mesh, file, n_modes, nodes);
}

/* The attribute modes, else N of a rectangular mesh of N columns that has so many nodes. */
static cuonn_status modes_of_chip(size_t *n_modes, const results_file *file, const char *name, size_t nodes) {
  double modes = 0;
  bool found;
  CUONN_TRY(results_get_number(&modes, &found, file, "modes"));
  if (!found) return modes_of_nodes_alone(n_modes, file, name, nodes);
  CUONN_CHECK(modes >= 2 && modes <= CUONN_MODES_MAX && modes == floor(modes), CUONN_E_DATA,
              "%s: attribute modes is %g; a mesh has 2 to %d waveguides", file->path, modes, CUONN_MODES_MAX);
  *n_modes = (size_t)modes;
  return CUONN_OK;
}

cuonn_status results_get_chip_meshes(results_phases *out, const results_file *file) {
  size_t rank, lengths[RESULTS_RANK], n_modes;
  results_variable of_mesh[RESULTS_MESH_ARRAYS], of_network[RESULTS_MESH_ARRAYS];
  *out = (results_phases){0};
  if (results_has(file, "theta")) return results_get_phases(out, file);
  results_mesh_variables(of_mesh, 0, NULL, CUONN_STYLE_TOP);
  results_mesh_variables(of_network, 1, NULL, CUONN_STYLE_TOP);
  const size_t by = results_has(file, of_mesh[kCouplerError].name) ? kCouplerError : kLossDb;
  CUONN_CHECK(results_has(file, of_mesh[by].name), CUONN_E_DATA, "%s: has neither coupler_error nor loss_db",
              file->path);
  const results_variable forms[] = {of_mesh[by], of_network[by]};
  CUONN_TRY(results_shape(&rank, lengths, file, forms, 2));
  const size_t nodes = lengths[rank - 2];
  out->n_layers = rank == 3 ? lengths[0] : 0;
  CUONN_CHECK(out->n_layers <= CUONN_LAYERS_MAX, CUONN_E_DATA, "%s: %s has %zu layers; at most %d are read", file->path,
              of_mesh[by].name, out->n_layers, CUONN_LAYERS_MAX);
  CUONN_TRY(modes_of_chip(&n_modes, file, of_mesh[by].name, nodes));
  CUONN_TRY(get_style(out, file));
  return results_get_shape(&out->mesh, file, n_modes, nodes);
}

void results_phases_free(results_phases *phases) {
  cuonn_mesh_shape_free(phases->mesh);
  *phases = (results_phases){0};
}

/* Makes phases of the voltages that were read in their place. */
static cuonn_status take_volts(cuonn_mesh *layers, const results_phases *phases, const results_file *file) {
  cuonn_status status = CUONN_OK;
  cuonn_fabricated chip = {0};
  double *volts = NULL;
  const size_t n_layers = phases->n_layers ? phases->n_layers : 1, nodes = layers->n_nodes;
  CUONN_CHECK(
      results_has_drive(file), CUONN_E_DATA,
      "%s: theta is in volts, but the file has no theta_offset and theta_slope, the drive curves of its shifters",
      file->path);
  CUONN_TRY_DONE(cuonn_fabricated_create(&chip, phases->mesh, phases->style, n_layers));
  CUONN_TRY_DONE(results_get_drive(&chip, file, phases->n_layers));
  CUONN_TRY_DONE(cuonn_fabricated_check(&chip));
  CUONN_TRY_DONE(cuonn_allocate(&volts, cuonn_fabricated_shifters(&chip), sizeof *volts));
  for (size_t l = 0; l < n_layers; l++) {
    memcpy(volts, layers[l].theta, nodes * sizeof *volts);
    memcpy(volts + nodes, layers[l].phi, nodes * sizeof *volts);
    memcpy(volts + 2 * nodes, layers[l].gamma, layers[l].n_modes * sizeof *volts);
    CUONN_TRY_DONE(cuonn_fabricated_phases(&layers[l], &chip, l, volts));
  }
done:
  free(volts);
  cuonn_fabricated_free(&chip);
  return status;
}

cuonn_status results_get_meshes(cuonn_mesh *layers, const results_phases *phases, const results_file *file) {
  results_variable variables[RESULTS_MESH_ARRAYS];
  double *arrays[RESULTS_MESH_ARRAYS];
  const size_t n_layers = phases->n_layers ? phases->n_layers : 1;
  const bool in_volts = results_in_volts(file, "theta");
  results_mesh_variables(variables, phases->n_layers, phases->mesh, phases->style);
  if (in_volts) results_put_volts(variables);
  for (size_t i = 0; i < RESULTS_MESH_ARRAYS; i++) {
    if (i > kPhi && !results_has(file, variables[i].name)) continue;
    for (size_t l = 0; l < n_layers; l++) {
      arrays_of(arrays, &layers[l]);
      CUONN_TRY(results_get(arrays[i], file, &variables[i], phases->n_layers ? l : RESULTS_WHOLE));
    }
  }
  return in_volts ? take_volts(layers, phases, file) : CUONN_OK;
}

cuonn_status results_get_errors(cuonn_mesh *layers, size_t n_layers, const results_file *file) {
  results_variable variables[RESULTS_MESH_ARRAYS];
  results_mesh_variables(variables, n_layers, layers->shape, layers->style);
  CUONN_CHECK(results_has(file, variables[kCouplerError].name) || results_has(file, variables[kLossDb].name),
              CUONN_E_DATA, "%s: has neither coupler_error nor loss_db", file->path);
  for (size_t i = kCouplerError; i <= kLossDb; i++) {
    if (!results_has(file, variables[i].name)) continue;
    for (size_t l = 0; l < n_layers; l++) {
      double *arrays[RESULTS_MESH_ARRAYS];
      arrays_of(arrays, &layers[l]);
      CUONN_TRY(results_get(arrays[i], file, &variables[i], l));
    }
  }
  return CUONN_OK;
}

/* ---- networks ---- */

/* A number of a nonlinearity, and its attribute. */
typedef struct {
  cuonn_nonlinearity_kind kind;
  const char *attribute;
  size_t offset;
} law_number;

static const law_number law_numbers[] = {
    {CUONN_NONLINEARITY_SATURABLE, "optical_depth", offsetof(cuonn_nonlinearity, optical_depth)},
    {CUONN_NONLINEARITY_SATURABLE, "saturation_power", offsetof(cuonn_nonlinearity, saturation_power)},
    {CUONN_NONLINEARITY_ELECTRO_OPTIC, "electro_optic_tap", offsetof(cuonn_nonlinearity, tap)},
    {CUONN_NONLINEARITY_ELECTRO_OPTIC, "electro_optic_gain", offsetof(cuonn_nonlinearity, gain)},
    {CUONN_NONLINEARITY_ELECTRO_OPTIC, "electro_optic_bias", offsetof(cuonn_nonlinearity, bias)}};
enum { kLawNumbers = sizeof law_numbers / sizeof *law_numbers };

static double *number_of(cuonn_nonlinearity *f, const law_number *n) { return (double *)((char *)f + n->offset); }

cuonn_status results_put_network_attributes(const results_file *file, const cuonn_network_shape *shape) {
  cuonn_nonlinearity f = shape->nonlinearity;
  CUONN_TRY(results_put_count(file, "classes", (int)shape->n_classes));
  CUONN_TRY(results_put_count(file, "loss_per_class", shape->loss_per_class));
  CUONN_TRY(results_put_text(file, "loss", cuonn_loss_name(shape->loss)));
  CUONN_TRY(results_put_text(file, "layer", cuonn_layer_kind_name(shape->layer)));
  if (shape->layer != CUONN_LAYER_UNITARY)
    CUONN_TRY(results_put_number(file, "amplitude_limit", shape->amplitude_limit));
  CUONN_TRY(results_put_text(file, "nonlinearity", cuonn_nonlinearity_name(f.kind)));
  for (size_t i = 0; i < kLawNumbers; i++) {
    if (law_numbers[i].kind != f.kind) continue;
    CUONN_TRY(results_put_number(file, law_numbers[i].attribute, *number_of(&f, &law_numbers[i])));
  }
  return CUONN_OK;
}

/* Puts the file's name before what another check said. */
static cuonn_status in_file(const results_file *file, cuonn_status status) {
  return status == CUONN_OK ? CUONN_OK : cuonn_fail_within(CUONN_E_DATA, "%s", file->path);
}

static cuonn_status get_loss(cuonn_loss *out, const results_file *file) {
  char *name = NULL;
  CUONN_TRY(results_get_text(&name, file, "loss"));
  const cuonn_status status = name ? in_file(file, cuonn_loss_parse(out, name)) : CUONN_OK;
  free(name);
  return status;
}

static cuonn_status get_layer_kind(cuonn_network_shape *out, const results_file *file) {
  char *name = NULL;
  bool found;
  CUONN_TRY(results_get_text(&name, file, "layer"));
  const cuonn_status status = name ? in_file(file, cuonn_layer_kind_parse(&out->layer, name)) : CUONN_OK;
  free(name);
  CUONN_TRY(status);
  return results_get_number(&out->amplitude_limit, &found, file, "amplitude_limit");
}

cuonn_status results_get_amplitudes(const cuonn_network *network, const results_file *file) {
  const results_variable v = results_amplitude_variable(network->shape.n_layers, network->shape.n_modes);
  if (!network->amplitudes || !results_has(file, v.name)) return CUONN_OK;
  return results_get(network->amplitudes, file, &v, RESULTS_WHOLE);
}

static cuonn_status get_nonlinearity(cuonn_nonlinearity *out, const results_file *file) {
  char *name = NULL;
  CUONN_TRY(results_get_text(&name, file, "nonlinearity"));
  const cuonn_status status = name ? in_file(file, cuonn_nonlinearity_parse(&out->kind, name)) : CUONN_OK;
  free(name);
  CUONN_TRY(status);
  for (size_t i = 0; i < kLawNumbers; i++) {
    bool found;
    CUONN_TRY(results_get_number(number_of(out, &law_numbers[i]), &found, file, law_numbers[i].attribute));
  }
  return in_file(file, cuonn_nonlinearity_check(out));
}

cuonn_status results_get_network(cuonn_network *out, const results_phases *phases, const results_file *file) {
  const size_t n_modes = phases->mesh->n_modes;
  double classes = (double)(n_modes < 10 ? n_modes : 10), per_class = 1;
  const double most = (double)(n_modes < 256 ? n_modes : 256);
  bool found;
  CUONN_TRY(results_get_number(&classes, &found, file, "classes"));
  CUONN_CHECK(classes >= 2 && classes <= most && classes == floor(classes), CUONN_E_DATA,
              "%s: attribute classes is %g; with %zu waveguides it is an integer from 2 to %g", file->path, classes,
              n_modes, most);
  CUONN_TRY(results_get_number(&per_class, &found, file, "loss_per_class"));
  CUONN_CHECK(per_class == 0 || per_class == 1, CUONN_E_DATA, "%s: attribute loss_per_class is %g; it is 0 or 1",
              file->path, per_class);
  cuonn_network_shape shape = CUONN_NETWORK_SHAPE_INIT;
  shape.n_modes = n_modes;
  shape.n_layers = phases->n_layers ? phases->n_layers : 1;
  shape.n_classes = (size_t)classes;
  shape.style = phases->style;
  shape.loss_per_class = per_class == 1;
  shape.mesh = phases->mesh;
  CUONN_TRY(get_loss(&shape.loss, file));
  CUONN_TRY(get_layer_kind(&shape, file));
  CUONN_TRY(get_nonlinearity(&shape.nonlinearity, file));
  CUONN_TRY(cuonn_network_create(out, &shape));
  CUONN_TRY(results_get_amplitudes(out, file));
  return results_get_meshes(out->layers, phases, file);
}
