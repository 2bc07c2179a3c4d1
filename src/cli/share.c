#include "cli/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "comm/devices.h"

int cli_share_open(cli_share *out, const char *command, bool alone) {
  static char name[32];
  int code = CLI_DONE;
  CLI_TRY_DONE(comm_open(&out->processes, alone));
  out->rank = comm_rank(out->processes);
  out->size = comm_size(out->processes);
  out->words = calloc((size_t)out->size, sizeof *out->words);
  if (out->rank > 0) {
    snprintf(name, sizeof name, "%s: rank %d", command, out->rank);
    cli_begin(name);
  }
  if (!out->words) code = cli_share_give_up(out, cli_fail(CLI_RESOURCES, "not enough memory"));
  if (out->rank > 0) cli_keep();
done:
  return code;
}

void cli_share_close(cli_share *share) {
  comm_leave_devices();
  free(share->words);
  comm_close(share->processes);
}

int cli_share_give_up(const cli_share *share, int code) {
  comm_abort(share->processes, code);
  return code;
}

int cli_share_agree(cli_share *share, int code) {
  int first = 0;
  comm_gather(share->processes, share->words, (uint64_t)code);
  while (first < share->size - 1 && share->words[first] == CLI_DONE) first++;
  const int agreed = (int)share->words[first];
  if (share->rank > 0) cli_keep_no_longer(agreed != CLI_DONE && first == share->rank);
  return agreed;
}

int cli_share_load(cli_training *training, cuonn_config *config, const cli_share *share) {
  const int threads = config->threads;
  if (share->size > 1 && threads == 0 && !getenv("OMP_NUM_THREADS"))
    config->threads = comm_processors(share->processes);
  const cli_place place = {(size_t)comm_neighbor(share->processes), (size_t)comm_neighbors(share->processes)};
  const int code = cli_training_load(training, config, place);
  config->threads = threads; /* the configuration stays as it was given */
  return code;
}

static void exchange(void *user, void *in, const size_t *in_sizes, const void *out, const size_t *out_sizes) {
  const cli_share *const share = user;
  comm_exchange(share->processes, in, in_sizes, out, out_sizes);
}

static cuonn_status exchange_device(void *user, void *in, const size_t *in_sizes, const void *out,
                                    const size_t *out_sizes, void *stream) {
  const cli_share *const share = user;
  return comm_exchange_devices(share->processes, in, in_sizes, out, out_sizes, stream);
}

static bool join_devices(void *user, const void *device) {
  const cli_share *const share = user;
  char line[256];
  const bool joined = comm_join_devices(share->processes, share->words, XXH3_64bits(device, 16), line, sizeof line);
  if (!joined && share->rank == 0) fprintf(stderr, "cuonn: GPUs exchange through host memory: %s\n", line);
  if (share->tells) printf("GPUs exchange %s%s\n", joined ? "by " : "through host memory", joined ? line : "");
  cli_flush();
  return joined;
}

int cli_share_context(cuonn_context *context, cli_share *share) {
  int code = CLI_DONE;
  const cuonn_processes processes = {.rank = (size_t)share->rank,
                                     .size = (size_t)share->size,
                                     .exchange = exchange,
                                     .user = share,
                                     .exchange_device = exchange_device,
                                     .join_devices = join_devices};
  CLI_TRY_DONE(cuonn_context_share(context, &processes));
done:
  return code;
}

/* Goes on from a hash of other texts, 0 of none; text: NULL is none. */
static uint64_t hash(uint64_t so_far, const char *text) {
  return text ? XXH3_64bits_withSeed(text, strlen(text), so_far) : so_far;
}

/* The first process whose word is not that of rank 0; 0 if all are the same. */
static int first_other(cli_share *share, uint64_t word) {
  comm_gather(share->processes, share->words, word);
  for (int r = 1; r < share->size; r++)
    if (share->words[r] != share->words[0]) return r;
  return 0;
}

int cli_share_first_other(cli_share *share, const void *bytes, size_t size) {
  return first_other(share, XXH3_64bits(bytes, size));
}

size_t cli_share_sum(cli_share *share, size_t own) {
  size_t sum = 0;
  comm_gather(share->processes, share->words, own);
  for (int r = 0; r < share->size; r++) sum += share->words[r];
  return sum;
}

int cli_share_compare(cli_share *share, const char *configuration, const char *data) {
  const int other = first_other(share, hash(hash(hash(0, cuonn_version()), configuration), data));
  if (other > 0 && share->rank == 0)
    cli_fail(
        CLI_USAGE,
        "rank %d has another version, configuration or data than rank 0; give all processes the same program and files",
        other);
  return other > 0 ? CLI_USAGE : CLI_DONE;
}

int cli_share_other_machine(cli_share *share, const cuonn_context *context) {
  char device[512] = "";
  const char *const backend = cuonn_context_backend(context);
  (void)cuonn_backend_device(device, sizeof device, backend, cuonn_context_device(context));
  return first_other(share, hash(hash(hash(0, cuonn_processor()), backend), device));
}
