/* cuonn info: what this program is made of, and what it runs on. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "cli/common.h"

static error_t parse(int key, char *value, struct argp_state *state) {
  (void)state;
  return key == ARGP_KEY_ARG ? cli_take_argument(&(const char *){""}, value) : ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
    .parser = parse,
    .doc =
        "Prints the version, the build, the libraries, and the processor and devices that can compute.\v"
        "Reads and writes no file. Add its output to a bug report.\n\n"
        "Example:\n"
        "  cuonn info --json",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

/* Processors that this process may use. */
static int processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* What backend cuda says of a GPU, or why it cannot compute on it. */
static bool gpu_line(char *line, size_t size, int number) {
  const bool usable = cuonn_backend_device(line, size, "cuda", number) == CUONN_OK;
  if (!usable) snprintf(line, size, "%s", cuonn_last_error());
  return usable;
}

static bool has_cuda(void) {
  for (size_t i = 0; cuonn_backend_name(i); i++)
    if (strcmp(cuonn_backend_name(i), "cuda") == 0) return true;
  return false;
}

/* One line for each GPU, or one that says why there is none. */
static void print_gpus(void) {
  char line[512] = "this build has no GPU backend";
  const int n = cuonn_backend_devices("cuda");
  if (n == 0 && has_cuda()) gpu_line(line, sizeof line, 0);
  if (n == 0) printf("GPU        none: %s\n", line);
  for (int i = 0; i < n; i++) {
    const bool usable = gpu_line(line, sizeof line, i);
    printf("GPU %-6d %s%s\n", i, usable ? "" : "cannot be used: ", line);
  }
}

/* [GPU] {number, device, usable} */
static json_t *gpus_json(void) {
  char line[512];
  const int n = cuonn_backend_devices("cuda");
  json_t *const gpus = json_array();
  for (int i = 0; i < n; i++) {
    const bool usable = gpu_line(line, sizeof line, i);
    json_array_append_new(gpus,
                          json_pack("{s:i, s:o, s:b}", "number", i, "device", cli_json_text(line), "usable", usable));
  }
  return gpus;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  cli_options options = {0};
  CLI_PASS_DONE(cli_parse(NULL, &options, &argp, argc, argv));
  if (options.json) {
    json_t *backends = json_array();
    for (size_t i = 0; cuonn_backend_name(i); i++) json_array_append_new(backends, json_string(cuonn_backend_name(i)));
    code = cli_print_json(json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o}", "version", cuonn_version(), "build",
                                    cuonn_build(), "libraries", cuonn_libraries(), "processor",
                                    cli_json_text(cuonn_processor()), "processors", processor_count(), "backends",
                                    backends, "gpus", gpus_json()));
    goto done;
  }
  printf("cuonn      %s\nbuild      %s\nlibraries  %s\nprocessor  %s, %d to use\nbackends  ", cuonn_version(),
         cuonn_build(), cuonn_libraries(), cuonn_processor(), processor_count());
  for (size_t i = 0; cuonn_backend_name(i); i++) printf("%s%s", i ? ", " : " ", cuonn_backend_name(i));
  putchar('\n');
  print_gpus();
done:
  return code;
}

const cli_command cli_info = {"info", "version, build, libraries, processor, devices", &argp, run};
