/* Meshes on the device. Their nodes are ideal if those of all meshes are; kernels are built for one kind each.
 * A column that alone attenuates so much that it is a segment of its own (src/mesh/segments.h) is in effect not undone
 * at all. */
#include "cuda/meshes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/network.h"
#include "mesh/errors.h"
#include "mesh/node.h"
#include "mesh/segments.h"

static style_arms arms_of(cuonn_phase_style style) {
  const node_arms arms = node_arms_of(style);
  style_arms out;
  for (int arm = 0; arm < 2; arm++) {
    out.theta[arm] = (float)arms.theta[arm];
    out.phi[arm] = (float)arms.phi[arm];
  }
  return out;
}

/* The place of each node in the column of its own, or so many later. */
static void place_nodes(cuda_meshes *out, const cuonn_mesh_shape *shape, size_t later) {
  for (size_t k = 0; k < shape->n_nodes; k++) {
    const int column = (int)(shape->column_of[k] + later);
    out->place[k] = (uint32_t)mesh_place(out->layout, column, (int)shape->pairs[k][0]);
  }
}

/* Whether the top waveguides of every column c have the parity of c + later. */
static bool fits(const cuonn_mesh_shape *shape, size_t later) {
  for (size_t k = 0; k < shape->n_nodes; k++) {
    if ((shape->column_of[k] + later) % 2 != shape->pairs[k][0] % 2) return false;
  }
  return true;
}

/* Each node in the first column of its parity behind those that its light comes from. Returns the number of columns. */
static cuonn_status place_in_order(int *n_columns, cuda_meshes *out, const cuonn_mesh_shape *shape) {
  uint32_t *next; /* [waveguide] first column that it is free in */
  CUONN_TRY(cuonn_allocate(&next, shape->n_modes, sizeof *next));
  for (size_t k = 0; k < shape->n_nodes; k++) {
    uint32_t *const free_in = next + shape->pairs[k][0], top = shape->pairs[k][0];
    uint32_t column = free_in[0] > free_in[1] ? free_in[0] : free_in[1];
    column += (column + top) % 2;
    free_in[0] = free_in[1] = column + 1;
    out->place[k] = (uint32_t)mesh_place(out->layout, (int)column, (int)top);
    if ((int)column >= *n_columns) *n_columns = (int)column + 1;
  }
  free(next);
  return CUONN_OK;
}

/* Nodes of neighbours: as the columns stand, if the parity of their nodes lets them. */
static cuonn_status place_neighbours(cuda_meshes *out, const cuonn_mesh_shape *shape) {
  out->first_column = fits(shape, 0) ? 0 : 1;
  out->aligned = fits(shape, out->first_column);
  out->layout.n_columns = 2; /* the least that the coefficients are made for */
  if (out->aligned) {
    const int last = (int)(shape->n_columns + out->first_column);
    if (last > 2) out->layout.n_columns = last;
    place_nodes(out, shape, out->first_column);
    return CUONN_OK;
  }
  return place_in_order(&out->layout.n_columns, out, shape);
}

/* Nodes of any two waveguides (kernels/far_walk.h): in the order of their column. */
static void place_far(cuda_meshes *out, const cuonn_mesh_shape *shape) {
  const size_t width = (size_t)out->layout.lanes * (size_t)out->layout.pairs;
  out->aligned = true;
  out->layout.n_columns = (int)shape->n_columns;
  for (size_t k = 0; k < shape->n_nodes; k++) {
    const size_t c = shape->column_of[k];
    out->place[k] = (uint32_t)(c * width + k - shape->columns[c].first);
  }
}

/* A list by place to the device; places without a node are idle. Waits. */
static cuonn_status upload_list(const uint32_t **out, cuda_meshes *m, uint32_t *host, cudaStream_t stream) {
  const size_t places = mesh_places(m->layout);
  uint32_t *device;
  CUONN_TRY(cuda_allocate(&device, &m->lasting, places, sizeof *device, "the shape of the mesh"));
  CUONN_CUDA(cudaMemcpyAsync(device, host, places * sizeof *device, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  *out = device;
  return CUONN_OK;
}

/* A shape other than the rectangular one. */
static cuonn_status place_shape(cuda_meshes *out, const cuonn_mesh_shape *shape, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  uint32_t *list = NULL;
  if (shape->neighbours) {
    CUONN_TRY_DONE(place_neighbours(out, shape));
  } else {
    place_far(out, shape);
  }
  const size_t places = mesh_places(out->layout);
  CUONN_TRY_DONE(cuonn_allocate(&list, places, sizeof *list));
  memset(list, 0xff, places * sizeof *list);
  for (size_t k = 0; k < shape->n_nodes; k++) list[out->place[k]] = (uint32_t)k;
  CUONN_TRY_DONE(upload_list(&out->layout.nodes_at, out, list, stream));
  if (shape->neighbours) goto done;
  for (size_t k = 0; k < shape->n_nodes; k++) list[out->place[k]] = shape->pairs[k][0] | shape->pairs[k][1] << 16;
  CUONN_TRY_DONE(upload_list(&out->layout.joined, out, list, stream));
done:
  free(list);
  return status;
}

cuonn_status cuda_meshes_create(cuda_meshes *out, size_t n_meshes, const cuonn_mesh_shape *shape,
                                cuonn_phase_style style, bool with_outputs, const cuda_session *session) {
  const size_t n_modes = shape->n_modes;
  memset(out, 0, sizeof *out);
  CUONN_CHECK(n_modes <= CUONN_DEVICE_MODES_MAX, CUONN_E_SHAPE,
              "backend cuda computes meshes of up to %d waveguides, this one has %zu; use backend cpu",
              CUONN_DEVICE_MODES_MAX, n_modes);
  CUONN_CHECK(shape->node == CUONN_NODE_MZI || (shape->neighbours && n_modes <= CUONN_DEVICE_OTHER_MODES_MAX),
              CUONN_E_SHAPE,
              "backend cuda computes nodes of the kind %s in meshes of up to %d waveguides where they join neighbours; "
              "use backend cpu",
              cuonn_node_kind_name(shape->node), CUONN_DEVICE_OTHER_MODES_MAX);
  out->layout = mesh_layout_of((int)n_modes);
  out->arms = arms_of(style);
  out->extras = (node_extras){.third = shape->node == CUONN_NODE_MZI3, .crossing = shape->node == CUONN_NODE_MZIX};
  out->n_meshes = n_meshes;
  out->n_nodes = shape->n_nodes;
  CUONN_TRY(cuonn_allocate(&out->place, out->n_nodes, sizeof *out->place));
  if (shape_is_complete(shape)) {
    out->aligned = true;
    place_nodes(out, shape, 0);
  } else {
    CUONN_TRY(place_shape(out, shape, session->stream));
  }
  out->places = mesh_places(out->layout);
  const size_t most_places = (size_t)CUONN_GRID_ROWS_MAX * CUONN_BLOCK;
  CUONN_CHECK(out->places <= most_places, CUONN_E_SHAPE,
              "backend cuda computes meshes of up to %zu columns of %zu waveguides, this one has %d; use backend cpu",
              most_places / (size_t)(out->layout.pairs * out->layout.lanes), n_modes, out->layout.n_columns);
  out->view = (device_meshes){
      .layout = out->layout, .weights = gradient_weights_of(out->arms), .shared_limit = session->shared_limit};
  CUONN_TRY(cuda_allocate(&out->phases, &out->lasting, n_meshes * out->places, sizeof(double2), "the phases"));
  out->applied = out->phases;
  if (with_outputs) {
    CUONN_TRY(cuda_allocate(&out->gamma, &out->lasting, n_meshes * n_modes, sizeof(double), "the output phases"));
    CUONN_TRY(cuda_allocate(&out->turns, &out->lasting, n_meshes * n_modes, sizeof(float2), "the output phases"));
  }
  return CUONN_OK;
}

void cuda_meshes_free(cuda_meshes *meshes) {
  cuda_memory_free(&meshes->kind);
  cuda_memory_free(&meshes->lasting);
  free(meshes->place);
}

/* starts: [column] as in kernels/walk.h; loss: [column] room. Returns the number of segments, 0 if nothing needs to be
 * kept. */
static int divide(int *starts, double *loss, const cuda_meshes *m, const cuonn_mesh *mesh) {
  const size_t n_columns = (size_t)m->layout.n_columns;
  const size_t column_places = (size_t)m->layout.pairs * (size_t)m->layout.lanes;
  double most = 0;
  memset(loss, 0, n_columns * sizeof *loss);
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    double *const of_column = loss + m->place[k] / column_places;
    *of_column = fmax(*of_column, mesh_node_loss(mesh, k));
    most = fmax(most, *of_column);
  }
  const int n_segments = (int)segments_divide(starts, loss, n_columns);
  if (n_segments > 1 || most > SEGMENT_LOSS) return n_segments;
  starts[0] = -1;
  return 0;
}

/* third: NULL if it is not wanted; place: [node] */
static void fill_constants(node_constants *constants, double2 *third, const cuonn_mesh *mesh, const uint32_t *place) {
  for (size_t k = 0; k < mesh->n_nodes; k++) {
    const node_fixed fixed = node_fixed_of(mesh, k);
    if (third) third[place[k]] = (double2){fixed.first[0], fixed.first[1]};
    constants[place[k]] = (node_constants){.left = {fixed.left[0], fixed.left[1]},
                                           .right = {fixed.right[0], fixed.right[1]},
                                           .theta_amplitude = fixed.theta_amplitude,
                                           .phi_amplitude = fixed.phi_amplitude};
  }
}

cuonn_status cuda_meshes_set_constants(cuda_meshes *m, const cuonn_mesh *const *from, cudaStream_t stream) {
  cuonn_status status = CUONN_OK;
  const size_t places = m->n_meshes * m->places;
  const char *const of = "the errors of couplers and shifters";
  node_constants *constants = NULL;
  double2 *third = NULL;
  CUONN_TRY_DONE(cuda_allocate(&m->constants, &m->kind, places, sizeof(node_constants), of));
  CUONN_TRY_DONE(cuonn_allocate(&constants, places, sizeof *constants));
  if (m->extras.third) {
    CUONN_TRY_DONE(cuda_allocate(&m->third, &m->kind, places, sizeof(double2), of));
    CUONN_TRY_DONE(cuonn_allocate(&third, places, sizeof *third));
  }
  for (size_t i = 0; i < m->n_meshes; i++) {
    fill_constants(constants + i * m->places, third ? third + i * m->places : NULL, from[i], m->place);
  }
  CUONN_CUDA_DONE(cudaMemcpyAsync(m->constants, constants, places * sizeof *constants, cudaMemcpyHostToDevice, stream));
  if (third) CUONN_CUDA_DONE(cudaMemcpyAsync(m->third, third, places * sizeof *third, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
done:
  free(third);
  free(constants);
  return status;
}

/* Planes of a node on the way back. */
static size_t planes_back(const device_meshes *view) { return view->ideal ? 1 : view->third ? 4 : 3; }

/* Device arrays of nodes that are not ideal. */
static cuonn_status set_general(cuda_meshes *m, const cuonn_mesh *const *from, cudaStream_t stream) {
  const size_t n = (size_t)m->layout.n_columns;
  cuonn_status status = CUONN_OK;
  int *starts = NULL;
  double *loss = NULL;
  CUONN_TRY_DONE(cuda_allocate(&m->nodes, &m->kind, m->n_meshes * m->places * 2, sizeof(float4), "the coefficients"));
  const size_t planes = planes_back(&m->view);
  CUONN_TRY_DONE(
      cuda_allocate(&m->back, &m->kind, m->n_meshes * m->places * planes, sizeof(float4), "the coefficients"));
  CUONN_TRY_DONE(cuda_meshes_set_constants(m, from, stream));
  CUONN_TRY_DONE(cuonn_allocate(&starts, m->n_meshes * n, sizeof *starts));
  CUONN_TRY_DONE(cuonn_allocate(&loss, n, sizeof *loss));
  for (size_t i = 0; i < m->n_meshes; i++) {
    const int segments = divide(starts + i * n, loss, m, from[i]);
    m->view.n_segments = segments > m->view.n_segments ? segments : m->view.n_segments;
  }
  if (m->view.n_segments > 0) {
    CUONN_TRY_DONE(cuda_allocate(&m->starts, &m->kind, m->n_meshes * n, sizeof(int), "the segments"));
    CUONN_CUDA_DONE(
        cudaMemcpyAsync(m->starts, starts, m->n_meshes * n * sizeof *starts, cudaMemcpyHostToDevice, stream));
    CUONN_CUDA_DONE(cudaStreamSynchronize(stream));
  }
done:
  free(loss);
  free(starts);
  return status;
}

cuonn_status cuda_meshes_set_errors(cuda_meshes *m, const cuonn_mesh *const *from, cudaStream_t stream) {
  bool ideal = !m->layout.joined; /* whose phases are not handed on along diagonals */
  for (size_t i = 0; i < m->n_meshes; i++) ideal = ideal && mesh_is_ideal(from[i]);
  CUONN_CUDA(cudaStreamSynchronize(stream));
  cuda_memory_free(&m->kind);
  m->starts = NULL;
  m->constants = NULL;
  m->third = NULL;
  m->view.n_segments = 0;
  m->view.ideal = ideal;
  m->view.third = m->extras.third;
  if (ideal) {
    CUONN_TRY(cuda_allocate(&m->nodes, &m->kind, m->n_meshes * m->places, sizeof(float4), "the coefficients"));
    m->back = m->nodes;
    CUONN_CUDA(launch_idle_nodes(m->nodes, m->layout, (int)m->n_meshes, stream));
  } else {
    CUONN_TRY(set_general(m, from, stream));
  }
  m->view.nodes = m->nodes;
  m->view.back = m->back;
  m->view.turns = m->turns;
  m->view.starts = m->starts;
  return CUONN_OK;
}

cuonn_status cuda_meshes_set_pairs(double2 *device, const cuda_meshes *m, size_t mesh, const double *theta,
                                   const double *phi, double2 *scratch, cudaStream_t stream) {
  memset(scratch, 0, m->places * sizeof *scratch);
  for (size_t k = 0; k < m->n_nodes; k++) scratch[m->place[k]] = (double2){theta[k], phi[k]};
  CUONN_CUDA(
      cudaMemcpyAsync(device + mesh * m->places, scratch, m->places * sizeof *scratch, cudaMemcpyHostToDevice, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  return CUONN_OK;
}

cuonn_status cuda_meshes_get_pairs(double *theta, double *phi, const cuda_meshes *m, size_t mesh, const double2 *device,
                                   double2 *scratch, cudaStream_t stream) {
  CUONN_CUDA(
      cudaMemcpyAsync(scratch, device + mesh * m->places, m->places * sizeof *scratch, cudaMemcpyDeviceToHost, stream));
  CUONN_CUDA(cudaStreamSynchronize(stream));
  for (size_t k = 0; k < m->n_nodes; k++) {
    theta[k] = scratch[m->place[k]].x;
    phi[k] = scratch[m->place[k]].y;
  }
  return CUONN_OK;
}

static cuonn_status fill_ideal(const cuda_meshes *m, cudaStream_t stream) {
  CUONN_CUDA(
      launch_ideal_nodes(m->nodes, m->turns, m->applied, m->gamma, m->layout, m->arms, (int)m->n_meshes, stream));
  return CUONN_OK;
}

node_parts cuda_meshes_parts(const cuda_meshes *m) { return (node_parts){m->constants, m->third, m->extras}; }

static cuonn_status fill_general(const node_tables *to, const cuda_meshes *m, cudaStream_t stream) {
  const node_parts parts = cuda_meshes_parts(m);
  CUONN_CUDA(launch_general_nodes(to, m->applied, m->gamma, &parts, m->layout, m->arms, (int)m->n_meshes, stream));
  return CUONN_OK;
}

cuonn_status cuda_meshes_fill(const cuda_meshes *m, cudaStream_t stream) {
  const node_tables general = {.nodes = m->nodes, .back = m->back, .turns = m->turns};
  return m->view.ideal ? fill_ideal(m, stream) : fill_general(&general, m, stream);
}

cuonn_status cuda_meshes_fill_taps(float4 *taps, float2 *gammas, const cuda_meshes *m, cudaStream_t stream) {
  node_tables to = {.taps = taps, .gammas = gammas};
  if (m->view.ideal) {
    CUONN_TRY(fill_ideal(m, stream));
  } else {
    to.nodes = m->nodes;
    to.turns = m->turns;
  }
  return fill_general(&to, m, stream);
}

device_meshes cuda_meshes_view(const cuda_meshes *m, size_t first) {
  device_meshes view = m->view;
  view.nodes += first * m->places * (view.ideal ? 1 : 2);
  view.back += first * m->places * planes_back(&view);
  if (view.turns) view.turns += first * (size_t)m->layout.n_modes;
  if (view.starts) view.starts += first * (size_t)m->layout.n_columns;
  return view;
}

unsigned cuda_chunks(size_t n_examples, mesh_layout layout, size_t n_layers) {
  const size_t at_once = network_block_examples(layout), passes = (n_examples + at_once - 1) / at_once;
  /* every chunk has a gradient of its own: fewer where they would take more than 2 GiB */
  const size_t each = n_layers * mesh_places(layout) * sizeof(float2), fit = ((size_t)2 << 30) / each;
  size_t chunks = passes < kMostChunks ? passes : kMostChunks;
  if (chunks > fit) chunks = fit;
  return chunks > 0 ? (unsigned)chunks : 1;
}
