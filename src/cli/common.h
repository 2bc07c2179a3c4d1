/* What the commands share: the table of commands, options, the one line of an error, exit codes, JSON. */
#ifndef CUONN_CLI_COMMON_H
#define CUONN_CLI_COMMON_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cuonn/cuonn.h"

/* Exit codes; docs/commands.md lists them for users. */
enum {
  CLI_DONE = 0,
  CLI_OTHER = 1,     /* diverged training, internal errors */
  CLI_USAGE = 2,     /* usage or configuration */
  CLI_BAD_FILE = 3,  /* bad data or file */
  CLI_RESOURCES = 4, /* not enough memory, or no such device */
  CLI_INTERRUPTED = 130
};

/* One command. The table in main.c serves dispatch, --help and the completion. */
typedef struct {
  const char *name;
  const char *sentence;              /* what it does, for the list of commands */
  const struct argp *argp;           /* its options and its help */
  int (*run)(int argc, char **argv); /* argv[0] is "cuonn NAME"; the result is the exit code */
} cli_command;

extern const cli_command cli_train, cli_sweep, cli_eval, cli_decompose, cli_matrix, cli_program, cli_self_configure,
    cli_chip, cli_wrap, cli_convert, cli_propagate, cli_vjp, cli_gradient, cli_energy, cli_plot, cli_report, cli_bench,
    cli_info, cli_completion;

/* Names the command in error lines; NULL for the program itself. */
void cli_begin(const char *command);

/* From here on lines of cli_fail() are kept, the last one alone, and printed or forgotten; those of cli_tell_backend()
 * are forgotten. One of several processes that fail in the same way speaks for all. */
void cli_keep(void);
void cli_keep_no_longer(bool print);

/* Prints "cuonn COMMAND: text" as one line on stderr, and returns the code. */
int cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a failure of the library: its text, and the exit code that its status stands for. */
int cli_fail_library(cuonn_status status);

/* The same, for calls whose text cannot name the file that the numbers came from. */
int cli_fail_file(cuonn_status status, const char *path);

/* For a function with a variable `code` and one exit `done:`; the second for calls that have printed their failure. */
#define CLI_TRY_DONE(call)                      \
  do {                                          \
    const cuonn_status status_of_call = (call); \
    if (status_of_call != CUONN_OK) {           \
      code = cli_fail_library(status_of_call);  \
      goto done;                                \
    }                                           \
  } while (0)
#define CLI_PASS_DONE(call)          \
  do {                               \
    code = (call);                   \
    if (code != CLI_DONE) goto done; \
  } while (0)

/* Options that several commands take. */
typedef struct {
  const char *backend; /* NULL: not given */
  const char *threads; /* NULL: not given */
  const char *devices; /* NULL: not given */
  bool json;
} cli_options;

/* Children for a command's argp. */
extern const struct argp cli_backend_argp; /* --backend, --threads, --devices */
extern const struct argp cli_json_argp;    /* --json */

/* Runs argp so that an error is one line. Returns CLI_DONE or CLI_USAGE, printed.
 *  options  where the children put theirs; NULL: the command has none */
int cli_parse(void *arguments, cli_options *options, const struct argp *argp, int argc, char **argv);

/* For a help_filter: the text behind the options, with what `write` writes in front of it; all others as they are. */
char *cli_help_with(int key, const char *text, void (*write)(FILE *stream));

/* For ARGP_KEY_ARG of a command with one argument. */
error_t cli_take_argument(const char **to, const char *argument);

/* For ARGP_KEY_END, called with values and what each is: refuses the first that is NULL. */
error_t cli_require(const char *const *words, size_t n_words);
#define CLI_REQUIRE(...) \
  cli_require((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Whole number of an option, and shot noise from 0 to 100; text NULL: not given, and *out stays. */
int cli_parse_count(uint64_t *out, const char *option, const char *text, uint64_t least, uint64_t most);
int cli_parse_shot(double *out, const char *option, const char *text);

/* Sets `key` of a configuration if the value is not NULL. */
int cli_config_set(cuonn_config *config, const char *key, const char *value);

/* Reads the configuration that a checkpoint holds over the present values; a file of mere phases has none. */
int cli_config_of_checkpoint(cuonn_config *config, const char *path);

/* Gives a configuration the network of a file, whose shape outlives it: sizes, style, and the shape of its meshes. */
void cli_config_follow(cuonn_config *config, const cuonn_network_shape *shape);

/* The chip that a configuration describes, of this seed: errors of couplers and losses of a network. */
cuonn_status cli_make_chip(cuonn_network *network, const cuonn_config *config, uint64_t seed);

/* Phases and chip with which the training of a network begins. */
cuonn_status cli_start_network(cuonn_network *network, const cuonn_config *config);

/* If "auto" passed over a faster backend, says so on stderr, once: a command may make several contexts. */
void cli_tell_backend(const cuonn_context *context);

/* The matrix of a mesh, [row][column][2]; release with free(). path: where the mesh came from, for messages. */
int cli_matrix_of(double **out, cuonn_context *context, const cuonn_mesh *mesh, const char *path);

/* Largest modulus of an element of a - b, [row][column][2]. */
double cli_largest_difference(const double *a, const double *b, size_t n_modes);

/* The same of matrix(mesh) - matrix. */
int cli_matrix_error(double *error, cuonn_context *context, const cuonn_mesh *mesh, const double *matrix,
                     const char *path);

/* Sends what was printed on its way, so that whoever reads along gets whole lines; keeps the reason if that fails. */
void cli_flush(void);

/* Whether standard output is whole so far; *reason is the errno of what was lost, 0 if unknown. */
bool cli_output_whole(int *reason);

/* Prints a JSON value as one line on stdout and releases it; NULL means that there was no memory to build it. */
int cli_print_json(json_t *value);

/* A JSON string; bytes that are not UTF-8 (file names may hold any) become '?'. NULL gives null. */
json_t *cli_json_text(const char *text);

/* A JSON number, null if it is not finite. */
json_t *cli_json_number(double value);

#endif
