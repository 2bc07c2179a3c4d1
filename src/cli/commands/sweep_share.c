#include "cli/commands/sweep_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ------------------------------------------------------------------------------------------------------- agreement */

int cli_sweep_share_open(cli_sweep_share *out, bool alone) {
  static char name[32];
  int code = CLI_DONE;
  CLI_TRY_DONE(comm_open(&out->processes, alone));
  const int rank = comm_rank(out->processes);
  out->words = calloc((size_t)comm_size(out->processes), sizeof *out->words);
  if (rank > 0) {
    snprintf(name, sizeof name, "sweep: rank %d", rank);
    cli_begin(name);
  }
  if (!out->words) code = cli_sweep_give_up(out, cli_fail(CLI_RESOURCES, "not enough memory"));
  if (rank > 0) cli_keep();
done:
  return code;
}

void cli_sweep_share_close(cli_sweep_share *share) {
  free(share->words);
  comm_close(share->processes);
}

int cli_sweep_give_up(const cli_sweep_share *share, int code) {
  comm_abort(share->processes, code);
  return code;
}

int cli_sweep_agree(cli_sweep_share *share, int code) {
  const int size = comm_size(share->processes), rank = comm_rank(share->processes);
  int first = 0;
  comm_gather(share->processes, share->words, (uint64_t)code);
  while (first < size - 1 && share->words[first] == CLI_DONE) first++;
  const int agreed = (int)share->words[first];
  if (rank > 0) cli_keep_no_longer(agreed != CLI_DONE && first == rank);
  return agreed;
}

/* Goes on from a hash of other texts, 0 of none; text: NULL is none. */
static uint64_t hash(uint64_t so_far, const char *text) {
  return text ? XXH3_64bits_withSeed(text, strlen(text), so_far) : so_far;
}

/* The first process whose word is not that of rank 0; 0 if all are the same. */
static int first_other(cli_sweep_share *share, uint64_t word) {
  comm_gather(share->processes, share->words, word);
  for (int r = 1; r < comm_size(share->processes); r++)
    if (share->words[r] != share->words[0]) return r;
  return 0;
}

int cli_sweep_compare(cli_sweep_share *share, const cuonn_grid *grid, const char *data, const char *backend) {
  char device[512] = "";
  char *const text = cuonn_grid_text(grid);
  if (!text) return cli_sweep_give_up(share, cli_fail(CLI_RESOURCES, "not enough memory for the configuration"));
  int other = first_other(share, hash(hash(hash(0, cuonn_version()), text), data));
  free(text);
  if (other > 0 && comm_rank(share->processes) == 0)
    cli_fail(
        CLI_USAGE,
        "rank %d has another version, configuration or data than rank 0; give all processes the same program and files",
        other);
  if (other > 0) return CLI_USAGE;
  (void)cuonn_backend_device(device, sizeof device, backend);
  other = first_other(share, hash(hash(hash(0, cuonn_processor()), backend), device));
  if (other > 0 && comm_rank(share->processes) == 0)
    cli_fail(CLI_DONE, "rank %d computes on another processor, device or backend than rank 0: runs differ by rounding",
             other);
  return CLI_DONE;
}

/* ---------------------------------------------------------------------------------------------------------- groups */

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
