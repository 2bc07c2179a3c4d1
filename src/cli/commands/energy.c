/* cuonn energy: what a photonic chip would cost, at one point, for a network, or over a grid. */
#include "cli/commands/energy_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/data.h"
#include "cli/find.h"
#include "cli/grid.h"
#include "cli/output.h"

typedef struct {
  cli_options common;
  const char *config, *output, *network;
  const char **settings; /* [n_settings] "key=value", room for as many as there are words */
  const char **grids;    /* [n_grids] "key=values", the same */
  size_t n_settings, n_grids;
} arguments;

static error_t refuse(const char *text) {
  cli_fail(CLI_USAGE, "%s", text);
  return EINVAL;
}

/* Options that do not go together. */
static error_t check_options(const arguments *a) {
  if (a->n_grids && !a->output) return refuse("--grid needs --output FILE.nc");
  if (a->output && !a->n_grids) return refuse("--output needs a grid, such as --grid energy.modes=4:256:2");
  if (a->n_grids && a->network) return refuse("--grid does not go with --network, which is one point");
  if (a->n_grids > CUONN_ENERGY_AXES_MAX) {
    cli_fail(CLI_USAGE, "a grid has at most %d axes, not %zu", CUONN_ENERGY_AXES_MAX, a->n_grids);
    return EINVAL;
  }
  for (size_t i = 0; a->network && i < a->n_settings; i++) {
    if (strncmp(a->settings[i], "energy.modes=", 13) == 0 || strncmp(a->settings[i], "energy.batch=", 13) == 0)
      return refuse(
          "energy.modes and energy.batch do not go with --network: N is the network's, M training.batch_size");
  }
  return 0;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  arguments *a = state->input;
  switch (key) {
    case 's': a->settings[a->n_settings++] = value; return 0;
    case 'g': a->grids[a->n_grids++] = value; return 0;
    case 'o': a->output = value; return 0;
    case 'n': a->network = value; return 0;
    case ARGP_KEY_ARG: return cli_take_argument(&a->config, value);
    case ARGP_KEY_END: return check_options(a);
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"set", 's', "KEY=VALUE", 0, "Set a key of the configuration, after the file; may be repeated", 0},
    {"network", 'n', "FILE", 0,
     "Also cost the network of a checkpoint, a run or a configuration: inference, step, epoch", 0},
    {"grid", 'g', "KEY=VALUES", 0,
     "An axis of the grid, a key of numbers in the section energy; VALUES is A,B,C or FROM:TO:STEP; may be repeated",
     0},
    {"output", 'o', "FILE.nc", 0, "File to write the grid to", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[CONFIG]",
    .doc =
        "Models what a photonic chip would cost: energy by component, power, latency, and where optical loss "
        "overtakes.\v"
        "Reads the section energy of CONFIG, a YAML file; every key has a default, energy.preset sets all components: "
        "figure (what the source study's figure counts), default (that, with light) or cited (published components), "
        "and energy.components the electronics alone: study, ring or mzm. Equations and sources: docs/energy.md.\n\n"
        "--network reads a checkpoint, the directory of a run (of which best.nc is taken), or a configuration, for the "
        "number of modes and layers, the batch size, the training images, and the scheme by which it trains in situ, "
        "and prints joules and seconds of an inference, a training step and an epoch. Heaters then have a checkpoint's "
        "phases, otherwise those of Haar-random unitaries.\n\n"
        "--grid writes FILE.nc, netCDF with an axis for each --grid, and prints how many points it has.\n\n"
        "Example:\n"
        "  cuonn energy --set energy.modes=128 --set energy.column_loss=0.1\n"
        "  cuonn energy --set energy.preset=cited --network runs/study/best.nc\n"
        "  cuonn energy --grid energy.modes=4:256:2 --output energy.nc",
    .children = (const struct argp_child[]){{&cli_json_argp, 0, NULL, 0}, {0}},
};

/* ---------------------------------------------------------------------------------------------------- configuration */

static bool is_netcdf(const char *path) {
  char magic[4] = {0};
  struct stat about;
  if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
    return false; /* a look at a pipe would take its first bytes */
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  const size_t n = fread(magic, 1, sizeof magic, file);
  fclose(file);
  return n == sizeof magic && (memcmp(magic, "CDF", 3) == 0 || memcmp(magic, "\211HDF", 4) == 0);
}

/* A checkpoint's configuration, with the shape and the mean of its phases. */
static int read_checkpoint(cuonn_config *config, double *mean_phase, cuonn_mesh_shape **mesh, const char *path) {
  int code = CLI_DONE;
  cuonn_network network = {0};
  CLI_TRY_DONE(cuonn_network_read(&network, path));
  CLI_PASS_DONE(cli_config_of_checkpoint(config, path));
  cli_config_follow(config, &network.shape);
  *mesh = cuonn_mesh_shape_share(network.shape.mesh);
  *mean_phase = cuonn_energy_mean_phase(&network);
done:
  cuonn_network_free(&network);
  return code;
}

/* The network's own configuration, then CONFIG, then the settings. */
static int configure(cuonn_config *config, const arguments *args) {
  int code = CLI_DONE;
  const bool trained = args->network && is_netcdf(args->network);
  double mean_phase = 0;
  cuonn_mesh_shape *mesh = NULL;
  cuonn_config_init(config);
  if (trained)
    CLI_PASS_DONE(read_checkpoint(config, &mean_phase, &mesh, args->network));
  else if (args->network)
    CLI_TRY_DONE(cuonn_config_read(config, args->network));
  const cuonn_config found = *config;
  if (args->config) CLI_TRY_DONE(cuonn_config_read(config, args->config));
  for (size_t i = 0; i < args->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(config, args->settings[i]));
  if (!args->network) goto done;

  if (trained) {
    const char *const key = config->network.n_modes != found.network.n_modes     ? "modes"
                            : config->network.n_layers != found.network.n_layers ? "layers"
                            : config->architecture != found.architecture         ? "architecture"
                            : config->columns != found.columns                   ? "columns"
                            : config->node != found.node                         ? "node"
                            : config->network.layer != found.network.layer       ? "layer"
                                                                                 : NULL;
    if (key) code = cli_fail(CLI_USAGE, "%s: network.%s may not differ from what the file holds", args->network, key);
  } else {
    CLI_TRY_DONE(cuonn_config_check(config));
    CLI_TRY_DONE(cuonn_config_mesh_shape(&mesh, config));
  }
  config->network.mesh = NULL; /* energy has its numbers */
  cuonn_energy_follow_shape(&config->energy, mesh);
  config->energy.batch = config->training.batch_size;
  config->energy.phases_known = trained;
  config->energy.mean_phase = mean_phase;
  cuonn_energy_follow_training(&config->energy, &config->training);
done:
  cuonn_mesh_shape_free(mesh);
  return code;
}

/* -------------------------------------------------------------------------------------------------------- one point */

static int cost_network(cli_energy_result *e, const char *path) {
  int code = CLI_DONE;
  const cuonn_config *config = e->config;
  cuonn_dataset data = {0};
  CLI_PASS_DONE(cli_data_read(&data, config, path, false)); /* for the number of its examples */
  e->has_network = true;
  e->network_path = path;
  e->n_examples = data.train.n_examples;
  CLI_TRY_DONE(
      cuonn_energy_network_cost(&e->network, &config->energy, &config->network, &config->training, e->n_examples));
  CLI_TRY_DONE(
      cuonn_energy_training_cost(&e->training, &config->energy, &config->network, &config->training, e->n_examples));
done:
  cuonn_dataset_free(&data);
  return code;
}

static int run_point(const cuonn_config *config, const arguments *args) {
  int code = CLI_DONE;
  cli_energy_result e = {.config = config};
  CLI_TRY_DONE(cuonn_energy_evaluate(&e.mesh, &config->energy));
  if (args->network) CLI_PASS_DONE(cost_network(&e, args->network));
  if (args->common.json)
    code = cli_energy_print_json(&e);
  else
    cli_energy_print_tables(&e);
done:
  return code;
}

/* ------------------------------------------------------------------------------------------------------------- grid */

/* Goes over the points from axis `at` on; the last axis runs fastest. */
static int walk(cuonn_energy_point **next, const cuonn_config *config, const cli_axis *axes, size_t n_axes, size_t at) {
  int code = CLI_DONE;
  if (at == n_axes) {
    CLI_TRY_DONE(cuonn_energy_evaluate((*next)++, &config->energy));
    goto done;
  }
  cuonn_config here = *config;
  for (size_t i = 0; i < axes[at].count; i++) {
    CLI_PASS_DONE(cli_axis_set(&here, &axes[at], i));
    CLI_PASS_DONE(walk(next, &here, axes, n_axes, at + 1));
  }
done:
  return code;
}

static int write_grid(const char *path, const cuonn_config *config, const cli_axis *axes, size_t n_axes,
                      const cuonn_energy_point *points) {
  int code = CLI_DONE;
  char names[CUONN_ENERGY_AXES_MAX][64];
  cuonn_energy_axis written[CUONN_ENERGY_AXES_MAX];
  char *text = cuonn_config_text(config);
  if (!text) return cli_fail(CLI_RESOURCES, "not enough memory");
  for (size_t a = 0; a < n_axes; a++) {
    snprintf(names[a], sizeof names[a], "%s", strchr(axes[a].path, '.') + 1);
    for (char *c = names[a]; *c; c++)
      if (*c == '.') *c = '_'; /* xarray reaches variables as attributes */
    written[a] = (cuonn_energy_axis){names[a], axes[a].unit, axes[a].sentence, axes[a].values, axes[a].count};
  }
  CLI_TRY_DONE(cuonn_energy_write(path, written, n_axes, points, text));
done:
  free(text);
  return code;
}

static int run_grid(const cuonn_config *config, const arguments *args) {
  int code = CLI_DONE;
  cli_axis axes[CUONN_ENERGY_AXES_MAX] = {{0}};
  cuonn_energy_point *points = NULL;
  size_t count = 1;
  for (size_t a = 0; a < args->n_grids; a++) {
    CLI_PASS_DONE(cli_axis_parse(&axes[a], args->grids[a], "energy"));
    count *= axes[a].count;
    if (count > CLI_GRID_POINTS) {
      code = cli_fail(CLI_USAGE, "--grid: more than %d points; take larger steps", CLI_GRID_POINTS);
      goto done;
    }
    for (size_t other = 0; other < a; other++) {
      if (axes[other].path != axes[a].path) continue;
      code = cli_fail(CLI_USAGE, "--grid: %s is named twice", axes[a].path);
      goto done;
    }
  }
  points = calloc(count, sizeof *points);
  if (!points) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for %zu points", count);
    goto done;
  }
  cuonn_energy_point *next = points;
  CLI_PASS_DONE(walk(&next, config, axes, args->n_grids, 0));
  CLI_PASS_DONE(write_grid(args->output, config, axes, args->n_grids, points));
  if (args->common.json)
    code = cli_print_json(json_pack("{s:I, s:o}", "points", (json_int_t)count, "output", cli_json_text(args->output)));
  else
    printf("points  %zu\noutput  %s\n", count, args->output);
done:
  free(points);
  for (size_t a = 0; a < args->n_grids; a++) cli_axis_free(&axes[a]);
  return code;
}

static int run(int argc, char **argv) {
  int code = CLI_DONE;
  arguments args = {0};
  cuonn_config config;
  char *network = NULL;
  args.settings = calloc((size_t)argc, sizeof *args.settings);
  args.grids = calloc((size_t)argc, sizeof *args.grids);
  if (!args.settings || !args.grids) {
    code = cli_fail(CLI_RESOURCES, "not enough memory");
    goto done;
  }
  CLI_PASS_DONE(cli_parse(&args, &args.common, &argp, argc, argv));
  if (args.network) {
    CLI_PASS_DONE(cli_find(&network, args.network, CLI_FIND_NETWORK));
    args.network = network;
  }
  CLI_PASS_DONE(CLI_CHECK_OUTPUT(args.output, args.config, args.network));
  CLI_PASS_DONE(configure(&config, &args));
  code = args.n_grids ? run_grid(&config, &args) : run_point(&config, &args);
done:
  free(network);
  free(args.grids);
  free(args.settings);
  return code;
}

const cli_command cli_energy = {"energy", "energy, power and latency of a photonic chip", &argp, run};
