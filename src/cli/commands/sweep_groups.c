#include "cli/commands/sweep_groups.h"

#include <stdlib.h>

/* Groups are made of 8 slices of even cost a process: the first that each process takes has 4 of them, the next 2, then
 * there are two of 1. One process alone takes all at once. Gives the slice behind those of a group. */
static size_t last_slice(size_t group, size_t n) {
  if (n == 1) return 8;
  if (group < n) return 4 * (group + 1);
  if (group < 2 * n) return 4 * n + 2 * (group + 1 - n);
  return 6 * n + group + 1 - 2 * n;
}

int cli_sweep_groups_make(cli_sweep_groups *out, const cuonn_sweep_model *models, size_t n_models, size_t n_processes) {
  int code = CLI_DONE;
  const size_t n_slices = 8 * n_processes;
  size_t *const slice = calloc(n_models + 1, sizeof *slice), *const end = calloc(n_slices + 1, sizeof *end);
  out->n_groups = n_processes == 1 ? 1 : 4 * n_processes;
  out->order = calloc(n_models + 1, sizeof *out->order);
  out->first = calloc(out->n_groups + 1, sizeof *out->first);
  if (!slice || !end || !out->order || !out->first) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for %zu runs", n_models);
    goto done;
  }
  if (n_processes > 1) CLI_TRY_DONE(cuonn_sweep_cut(slice, models, n_models, n_slices));
  for (size_t m = 0; m < n_models; m++) end[slice[m] + 1]++;
  for (size_t s = 0; s < n_slices; s++) end[s + 1] += end[s];
  for (size_t g = 0; g < out->n_groups; g++) out->first[g + 1] = end[last_slice(g, n_processes)];
  for (size_t m = 0; m < n_models; m++) out->order[end[slice[m]]++] = m;
done:
  free(end);
  free(slice);
  return code;
}

void cli_sweep_groups_free(cli_sweep_groups *groups) {
  free(groups->first);
  free(groups->order);
}
