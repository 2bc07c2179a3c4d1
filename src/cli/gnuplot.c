#include "cli/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/common.h"

/* Path of a script or style. CUONN_PLOTS_FROM_PROGRAM leads from the program's folder to the scripts, in an
 * installation and in a build folder alike. */
static int find(char out[PATH_MAX], const char *name) {
  const char *const chosen = getenv("CUONN_PLOTS");
  char program[PATH_MAX];
  int length;
  if (chosen && *chosen) {
    length = snprintf(out, PATH_MAX, "%s/%s", chosen, name);
  } else {
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0) return cli_fail(CLI_BAD_FILE, "cannot find the program's own folder: %s", strerror(errno));
    program[n] = 0;
    *strrchr(program, '/') = 0;
    length = snprintf(out, PATH_MAX, "%s/%s/%s", program, CUONN_PLOTS_FROM_PROGRAM, name);
  }
  if (length >= PATH_MAX) return cli_fail(CLI_BAD_FILE, "the path of the script %s is too long", name);
  if (access(out, R_OK) == 0) return CLI_DONE;
  return cli_fail(CLI_BAD_FILE, "%s: %s; CUONN_PLOTS may name the folder of the scripts", out, strerror(errno));
}

/* A file in memory: gnuplot can open and read it more than once as /dev/fd/NUMBER, and nothing is left of it. */
static int open_memory(int *file) {
  *file = memfd_create("cuonn", MFD_CLOEXEC);
  return *file >= 0 ? CLI_DONE : cli_fail(CLI_RESOURCES, "no file in memory: %s", strerror(errno));
}

static int put(int file, const char *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    const ssize_t n = write(file, bytes + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return cli_fail(CLI_RESOURCES, "no room for %zu bytes of data in memory: %s", size, strerror(errno));
    done += (size_t)n;
  }
  return CLI_DONE;
}

/* All bytes of a file, with a zero byte behind them. */
static int take(char **bytes, size_t *size, int file) {
  struct stat info;
  *bytes = NULL;
  *size = 0;
  if (fstat(file, &info) != 0) return cli_fail(CLI_BAD_FILE, "cannot read a figure or its style: %s", strerror(errno));
  *size = (size_t)info.st_size;
  *bytes = calloc(*size + 1, 1);
  if (!*bytes) return cli_fail(CLI_RESOURCES, "not enough memory for a figure of %zu bytes", *size);
  for (size_t done = 0; done < *size;) {
    const ssize_t n = pread(file, *bytes + done, *size - done, (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return cli_fail(CLI_BAD_FILE, "cannot read a figure or its style: %s", strerror(errno));
    done += (size_t)n;
  }
  return CLI_DONE;
}

int cli_plots_read(char **text, const char *name) {
  int code = CLI_DONE;
  char path[PATH_MAX];
  size_t size;
  *text = NULL;
  CLI_PASS_DONE(find(path, name));
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return cli_fail(CLI_BAD_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  code = take(text, &size, file);
  close(file);
done:
  return code;
}

/* Runs gnuplot with the three files in place, and does not wait for it. */
static int spawn(cli_drawing *out, const char *format, int data) {
  enum { kData = 3 };
  char data_name[] = "/dev/fd/3";
  /* -d: without the settings that a user has for plots of their own */
  char *const arguments[] = {"gnuplot", "-d", "-c", out->script, data_name, (char *)(uintptr_t)format, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out->figure, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out->messages, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, data, kData);
  const int reason = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  out->missing = reason == ENOENT;
  if (reason != 0 && !out->missing) return cli_fail(CLI_RESOURCES, "gnuplot cannot be run: %s", strerror(reason));
  if (reason == 0) out->child = child;
  return CLI_DONE;
}

/* gnuplot says where it stopped, and why in its last line. */
static int fail_drawing(const char *script, int how, int messages) {
  char *text = NULL;
  size_t size;
  int code = take(&text, &size, messages);
  if (code == CLI_DONE && text) {
    while (size > 0 && strchr(" \n", text[size - 1])) text[--size] = 0;
    const char *const last = strrchr(text, '\n');
    if (*text)
      code = cli_fail(CLI_OTHER, "%s: gnuplot failed: %s", script, last ? last + 1 : text);
    else
      code = cli_fail(CLI_OTHER, "%s: gnuplot drew nothing (wait status %d)", script, how);
  }
  free(text);
  return code;
}

/* Closes what gnuplot wrote to. */
static void close_files(cli_drawing *drawing) {
  if (drawing->messages >= 0) close(drawing->messages);
  if (drawing->figure >= 0) close(drawing->figure);
  drawing->messages = drawing->figure = -1;
  free(drawing->script);
  drawing->script = NULL;
}

int cli_gnuplot_start(cli_drawing *out, const char *name, const char *format, const char *data, size_t size) {
  int code = CLI_DONE, data_file = -1;
  char file[64], script[PATH_MAX];
  *out = (cli_drawing){.figure = -1, .messages = -1};
  snprintf(file, sizeof file, "%s.gp", name);
  CLI_PASS_DONE(find(script, file));
  out->script = strdup(script);
  if (!out->script) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for a figure");
    goto done;
  }
  CLI_PASS_DONE(open_memory(&data_file));
  CLI_PASS_DONE(open_memory(&out->figure));
  CLI_PASS_DONE(open_memory(&out->messages));
  CLI_PASS_DONE(put(data_file, data, size));
  CLI_PASS_DONE(spawn(out, format, data_file));
done:
  if (data_file >= 0) close(data_file);
  if (!out->child) close_files(out);
  return code;
}

int cli_gnuplot_finish(cli_drawing *drawing) {
  int code = CLI_DONE, how = 0;
  if (!drawing->child) return CLI_DONE;
  const pid_t child = drawing->child;
  drawing->child = 0;
  while (waitpid(child, &how, 0) < 0) {
    if (errno == EINTR) continue;
    code = cli_fail(CLI_OTHER, "gnuplot was lost: %s", strerror(errno));
    goto done;
  }
  CLI_PASS_DONE(take(&drawing->bytes, &drawing->size, drawing->figure));
  if (how != 0 || drawing->size == 0) code = fail_drawing(drawing->script, how, drawing->messages);
done:
  close_files(drawing);
  if (code != CLI_DONE) {
    free(drawing->bytes);
    drawing->bytes = NULL;
    drawing->size = 0;
  }
  return code;
}

int cli_gnuplot_draw(cli_drawing *out, const char *name, const char *format, const char *data, size_t size) {
  const int code = cli_gnuplot_start(out, name, format, data, size);
  return code == CLI_DONE ? cli_gnuplot_finish(out) : code;
}

void cli_drawing_free(cli_drawing *drawing) {
  while (drawing->child && waitpid(drawing->child, NULL, 0) < 0 && errno == EINTR) continue;
  if (drawing->child) close_files(drawing);
  free(drawing->bytes);
}
