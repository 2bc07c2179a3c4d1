/* Fields of every example go through the nodes, and cotangents back, in one kernel for the whole network
 * (kernels/network.cu): exact gradients, of the chip or of one without errors. */
#include "cuda/processes.h"
#include "kernels/shards.h"

/* k_network has moduli and the cross entropy built in. */
static bool supports(const cuonn_network_shape *shape) {
  return (!shape->mesh || shape->mesh->neighbours) && shape->layer == CUONN_LAYER_UNITARY &&
         shape->nonlinearity.kind == CUONN_NONLINEARITY_MODULUS && shape->loss == CUONN_LOSS_CROSS_ENTROPY;
}

/* The sums of all chunks from those of the own ones. */
static cuonn_status share(const cuda_state *s, const cuda_batch *b) {
  const cuda_processes *const processes = &s->processes;
  const size_t count = 2 * b->n_models * s->problem.shape.n_layers * s->meshes.places;
  const cuda_leaves leaves = {processes->shards, CUONN_LEAVES, count, count};
  const network_sums sums = cuda_chunk_sums(s, b);
  CUONN_CUDA(launch_shards((float2 *)processes->shards, &sums, cuda_own_shards(processes), s->session->stream));
  CUONN_TRY(cuda_share_sums(s, &leaves));
  return cuda_share_losses(s, b, CUONN_LEAVES, true);
}

static cuonn_status gradient(const cuda_state *s, const cuda_batch *b) {
  const cuda_meshes *const meshes = cuda_meshes_of(s, b->which);
  const cuda_steps *const steps = &s->steps;
  const cuda_set *const set = s->sets + b->split;
  const network_task task = {.meshes = cuda_meshes_view(meshes, b->first * s->problem.shape.n_layers),
                             .n_layers = (int)s->problem.shape.n_layers,
                             .n_classes = (int)s->problem.shape.n_classes,
                             .n_models = (int)b->n_models,
                             .fields = set->fields,
                             .labels = set->labels,
                             .order = cuda_order_of(s, b),
                             .n_examples = (unsigned)set->n_examples,
                             .batch = b->examples,
                             .most_chunks = (unsigned)steps->most_chunks,
                             .shards = cuda_own_shards(&s->processes),
                             .gradient = steps->gradient,
                             .losses = steps->chunk_losses,
                             .outputs = steps->outputs,
                             .kept = meshes->starts ? steps->kept : NULL};
  if (s->in_situ.nodes) CUONN_TRY(cuda_meshes_fill(meshes, s->session->stream)); /* steps do not: in_situ's prepare() */
  CUONN_CUDA(launch_network(&task, s->session->stream));
  return cuda_is_alone(&s->processes) ? CUONN_OK : share(s, b);
}

const cuda_method cuda_columns = {"columns", CUDA_SUMS_OF_CHUNKS, supports, cuda_prepare_nodes, gradient};
