/* cuonn: finds the command, and sees to it that failed output is noticed. */
#include <argp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands/completion.h"

static const cli_command *const commands[] = {
    &cli_train, &cli_sweep,  &cli_eval,    &cli_decompose, &cli_matrix,     &cli_program,  &cli_self_configure,
    &cli_chip,  &cli_wrap,   &cli_convert, &cli_propagate, &cli_vjp,        &cli_gradient, &cli_energy,
    &cli_plot,  &cli_report, &cli_bench,   &cli_info,      &cli_completion, NULL};

/* A stream that is closed would give its number to the next file that is opened, and prints would end up in that file.
 * Its place is taken by something that refuses what the stream is for, so that it is noticed. */
static void hold_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* OpenBLAS starts threads when it is loaded, before main, and each asks for 128 MiB until it gets them: under a limit
 * of memory it never may, and whoever waits for these threads (fork, exit) waits for ever. There the program begins
 * again, with one thread. */
static void hold_blas_threads(char **argv) {
  static const char name[] = "OPENBLAS_NUM_THREADS";
  struct rlimit space, data;
  const char *const threads = getenv(name);
  if (threads && strcmp(threads, "1") == 0) return;
  if (getrlimit(RLIMIT_AS, &space) != 0 || getrlimit(RLIMIT_DATA, &data) != 0) return;
  if (space.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY) return;
  if (setenv(name, "1", 1) == 0) execv("/proc/self/exe", argv); /* where that fails, go on as it is */
}

/* The end of the program, also where argp ends it. What libraries registered for their own end does not run: where
 * memory is too short for OpenBLAS's threads, it would wait there for ever. Files are whole and synced by then, all
 * that is left is standard output. Sanitizers and line counters write what they found in such a place, and are let go
 * on. */
static void leave(int code, void *unused) {
  (void)unused;
  int reason;
  if (!cli_output_whole(&reason) && code == CLI_DONE) {
    cli_fail(CLI_BAD_FILE, "cannot write to standard output%s%s", reason ? ": " : "", reason ? strerror(reason) : "");
    _exit(CLI_BAD_FILE);
  }
#ifndef CUONN_INSTRUMENTED
  _exit(code);
#endif
}

static void print_version(FILE *stream, struct argp_state *state) {
  (void)state;
  fprintf(stream, "cuonn %s\n", cuonn_version());
}

/* ------------------------------------------------------------------------------------------- the program's own help */

static void write_commands(FILE *stream) {
  fprintf(stream, "Commands:\n");
  for (const cli_command *const *c = commands; *c; c++) fprintf(stream, "  %-16s%s\n", (*c)->name, (*c)->sentence);
}

static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  return cli_help_with(key, text, write_commands);
}

static error_t parse_program(int key, char *value, struct argp_state *state) {
  (void)state;
  return key == ARGP_KEY_ARG ? cli_take_argument(&(const char *){""}, value) : ARGP_ERR_UNKNOWN;
}

static const struct argp program = {
    .parser = parse_program,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc =
        "Trains and simulates optical neural networks made of Mach-Zehnder-interferometer meshes.\v"
        "\n'cuonn COMMAND --help' tells what a command reads and writes, with an example.\n\n"
        "Exit codes: 0 done, 2 usage or configuration, 3 bad data or file, 4 not enough memory or no such device, 130 "
        "interrupted, 1 anything else.",
    .help_filter = help_filter,
};

/* ------------------------------------------------------------------------------------------------- unknown commands */

/* Letters to insert, delete or replace to make b of a (Wagner and Fischer, J. ACM 21, 168 (1974)). */
static size_t edit_distance(const char *a, const char *b) {
  enum { kMost = 32 };
  size_t row[kMost + 1];
  const size_t n = strlen(b);
  if (n > kMost || strlen(a) > kMost) return kMost;
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      const size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      diagonal = row[j];
      row[j] = replaced < shorter ? replaced : shorter;
    }
  }
  return row[n];
}

static int unknown_command(const char *name) {
  const cli_command *nearest = &cli_train;
  for (const cli_command *const *c = commands; *c; c++)
    if (edit_distance(name, (*c)->name) < edit_distance(name, nearest->name)) nearest = *c;
  return cli_fail(CLI_USAGE, "unknown command '%s'; the nearest is '%s', and cuonn --help lists all", name,
                  nearest->name);
}

static int no_command(void) {
  char names[256] = "";
  size_t n = 0;
  for (const cli_command *const *c = commands; *c && n < sizeof names; c++)
    n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", (*c)->name);
  return cli_fail(CLI_USAGE, "usage: cuonn COMMAND [ARGUMENT...] with COMMAND one of %s; see cuonn --help", names);
}

/* -------------------------------------------------------------------------------------------------------- dispatch */

static int run_command(int argc, char **argv) {
  if (argc < 2) return no_command();
  if (argv[1][0] == '-') {
    argv[0] = "cuonn";
    return cli_parse(NULL, NULL, &program, argc, argv) == CLI_DONE ? no_command() : CLI_USAGE;
  }
  for (const cli_command *const *c = commands; *c; c++) {
    if (strcmp((*c)->name, argv[1]) != 0) continue;
    char title[32]; /* stands before getopt's own error lines */
    snprintf(title, sizeof title, "cuonn %s", argv[1]);
    argv[1] = title;
    cli_begin((*c)->name);
    cli_completion_of(commands);
    return (*c)->run(argc - 1, argv + 1);
  }
  return unknown_command(argv[1]);
}

int main(int argc, char **argv) {
  hold_blas_threads(argv);
  hold_standard_streams();
  signal(SIGPIPE, SIG_IGN); /* a reader that went away, and a file-size limit, are failed writes, not deaths: */
  signal(SIGXFSZ, SIG_IGN); /* training goes on, and files are left as they were */
  argp_err_exit_status = CLI_USAGE;
  argp_program_version_hook = print_version;
  on_exit(leave, NULL);
  return run_command(argc, argv);
}
