#include "cuda/graphs.h"

#include <string.h>

#include "cuda/processes.h"

void cuda_drop_graphs(cuda_state *s) {
  for (int i = 0; i < kGraphs; i++) {
    if (s->graphs[i].exec) (void)cudaGraphExecDestroy(s->graphs[i].exec);
  }
  memset(s->graphs, 0, sizeof s->graphs);
}

static bool same(const cuda_work *a, const cuda_work *b) {
  return a->kind == b->kind && a->method == b->method && a->first == b->first && a->n_models == b->n_models &&
         a->n_steps == b->n_steps && a->split == b->split && a->which == b->which;
}

/* A work with what launches it. */
typedef struct {
  const cuda_state *s;
  const cuda_work *work;
  cuonn_status (*launch)(const cuda_state *s, const cuda_work *work);
} launched_work;

static cuonn_status launch_work(const void *with) {
  const launched_work *const of = with;
  return of->launch(of->s, of->work);
}

/* In place of the oldest graph. */
static cuonn_status record(cuda_state *s, const cuda_work *work,
                           cuonn_status (*launch)(const cuda_state *s, const cuda_work *work)) {
  cuda_graph made = {.work = *work};
  CUONN_TRY(cuda_record(&made.exec, s->session->stream, launch_work, &(launched_work){s, work, launch}));
  if (s->graphs[kGraphs - 1].exec) (void)cudaGraphExecDestroy(s->graphs[kGraphs - 1].exec);
  memmove(s->graphs + 1, s->graphs, (kGraphs - 1) * sizeof *s->graphs);
  s->graphs[0] = made;
  return CUONN_OK;
}

static cuonn_status find(cudaGraphExec_t *out, cuda_state *s, const cuda_work *work,
                         cuonn_status (*launch)(const cuda_state *s, const cuda_work *work)) {
  for (int i = 0; i < kGraphs; i++) {
    const cuda_graph *const graph = s->graphs + i;
    *out = graph->exec;
    if (graph->exec && same(&graph->work, work)) return CUONN_OK;
  }
  CUONN_TRY(record(s, work, launch));
  *out = s->graphs[0].exec;
  return CUONN_OK;
}

cuonn_status cuda_run(cuda_state *s, const cuda_work *work,
                      cuonn_status (*launch)(const cuda_state *s, const cuda_work *work)) {
  cudaGraphExec_t graph;
  if (work->n_models < s->problem.n_models || !cuda_is_alone(&s->processes))
    return launch(s, work); /* these wait for others */
  CUONN_TRY(find(&graph, s, work, launch));
  CUONN_CUDA(cudaGraphLaunch(graph, s->session->stream));
  return CUONN_OK;
}
