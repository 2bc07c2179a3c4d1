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

/* The GPU that computes, or why none does; false if there is none. */
static bool gpu_name(char *text, size_t size) {
  for (size_t i = 0; cuonn_backend_name(i); i++) {
    if (strcmp(cuonn_backend_name(i), "cuda") != 0) continue;
    if (cuonn_backend_device(text, size, "cuda") == CUONN_OK) return true;
    snprintf(text, size, "%s", cuonn_last_error());
    return false;
  }
  snprintf(text, size, "this build has no GPU backend");
  return false;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  cli_options options = {0};
  char gpu[512];
  CLI_PASS_DONE(cli_parse(NULL, &options, &argp, argc, argv));
  const bool has_gpu = gpu_name(gpu, sizeof gpu);
  if (options.json) {
    json_t *backends = json_array();
    for (size_t i = 0; cuonn_backend_name(i); i++) json_array_append_new(backends, json_string(cuonn_backend_name(i)));
    code = cli_print_json(json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:[]}", "version", cuonn_version(), "build",
                                    cuonn_build(), "libraries", cuonn_libraries(), "processor",
                                    cli_json_text(cuonn_processor()), "processors", processor_count(), "backends",
                                    backends, "gpus"));
    goto done;
  }
  printf("cuonn      %s\nbuild      %s\nlibraries  %s\nprocessor  %s, %d to use\nbackends  ", cuonn_version(),
         cuonn_build(), cuonn_libraries(), cuonn_processor(), processor_count());
  for (size_t i = 0; cuonn_backend_name(i); i++) printf("%s%s", i ? ", " : " ", cuonn_backend_name(i));
  printf("\nGPU        %s%s\n", has_gpu ? "" : "none: ", gpu);
done:
  return code;
}

const cli_command cli_info = {"info", "version, build, libraries, processor, devices", &argp, run};
