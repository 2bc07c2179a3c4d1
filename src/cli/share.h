/* The processes of MPI that do one command together: what they have to agree on, and what each has of the machine. */
#ifndef CUONN_CLI_SHARE_H
#define CUONN_CLI_SHARE_H

#include "cli/training.h"
#include "comm/comm.h"

/* The processes with room for what each of them says; one alone after cli_share_open() with `alone`. */
typedef struct {
  comm *processes;
  uint64_t *words; /* [size] */
  int rank, size;
  bool tells; /* on standard output, by what they exchange */
} cli_share;

/* From here on rank 0 alone speaks, until cli_share_agree(). command: its name. */
int cli_share_open(cli_share *out, const char *command, bool alone);
void cli_share_close(cli_share *share);

/* Ends all processes, with the code of this one; returns it where there is one alone. */
int cli_share_give_up(const cli_share *share, int code);

/* The exit code of the first that failed, of which one line is printed; CLI_DONE if none did. */
int cli_share_agree(cli_share *share, int code);

/* cli_training_load(), with the processors and devices that fall to this process, unless the user says which. */
int cli_share_load(cli_training *training, cuonn_config *config, const cli_share *share);

/* The sum of what all processes give. */
size_t cli_share_sum(cli_share *share, size_t own);

/* Lets its processes share the trainings of a context, which refers to `share`. */
int cli_share_context(cuonn_context *context, cli_share *share);

/* The first process that gives other bytes than rank 0; 0 if all give the same. */
int cli_share_first_other(cli_share *share, const void *bytes, size_t size);

/* Refuses processes that have another version of the program, configuration or data than rank 0. */
int cli_share_compare(cli_share *share, const char *configuration, const char *data);

/* The first that computes on another processor, device or backend than rank 0; 0 if there is none. */
int cli_share_other_machine(cli_share *share, const cuonn_context *context);

#endif
