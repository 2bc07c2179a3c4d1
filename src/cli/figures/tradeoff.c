/* What accuracy costs: energy efficiency and laser power of a chip with a sweep's noise, against the test error under
 * it. */
#include <math.h>
#include <string.h>

#include "cli/figures/figure.h"

/* Components of the sweep's configuration, as they must be for the noise of a point. */
static int meet_noise(cuonn_energy_options *out, const cuonn_config *config, const cli_figure_source *source) {
  int code = CLI_DONE;
  cuonn_config with = *config;
  cuonn_mesh_shape *mesh = NULL;
  for (size_t i = 0; i < source->n_settings; i++) CLI_TRY_DONE(cuonn_config_set(&with, source->settings[i]));
  const cuonn_training_options *const training = &with.training;
  const cuonn_energy_noise noise = {training->chip.tap_shot, training->chip.io_amplitude, training->chip.io_phase};
  *out = with.energy;
  CLI_TRY_DONE(cuonn_config_mesh_shape(&mesh, &with));
  cuonn_energy_follow_shape(out, mesh);
  out->batch = training->batch_size;
  cuonn_energy_follow_training(out, training);
  CLI_TRY_DONE(cuonn_energy_meet_noise(out, &noise));
done:
  cuonn_mesh_shape_free(mesh);
  return code;
}

/* Whether a setting was measured with noise at the taps, which alone has a price. */
static bool has_noise(const cuonn_config *config) {
  const cuonn_gradient_method method = config->training.gradient;
  return (method == CUONN_GRADIENT_ANALOG || method == CUONN_GRADIENT_DIGITAL) && config->training.chip.tap_shot > 0;
}

/* Settings that are points of the figure, and those that are left out. */
typedef struct {
  size_t n_priced;
  size_t n_free;              /* without noise at the taps: no light is enough, there is no price */
  double free_low, free_high; /* their least and largest mean test error, 0 to 1; NaN without any */
  size_t n_dark;              /* whose noise no light makes as small */
  size_t n_unknown;           /* without a finished run */
} tally;

static void count_free(tally *t, double error) {
  t->n_free++;
  t->free_low = fmin(t->free_low, error);
  t->free_high = fmax(t->free_high, error);
}

/* A line for each setting of a row that has a price and for which there is enough light. */
static int write_row(FILE *out, tally *t, const cli_sweep_view *view, size_t rows, size_t taps, cli_sweep_part part,
                     const cli_figure_source *source) {
  int code = CLI_DONE;
  size_t others[CUONN_GRID_AXES_MAX], n_others = 0;
  for (size_t i = 0; i < view->n_axes; i++) {
    if (view->axes[i] == rows) continue;
    others[n_others++] = view->axes[i];
    part.at[view->axes[i]] = 0;
  }
  do {
    const cli_sweep_statistics s = cli_sweep_statistics_of(view, &part);
    cuonn_config config;
    cuonn_energy_options options;
    cuonn_energy_point point;
    cuonn_grid_config(&config, &view->record.grid, cli_sweep_point(view, &part));
    if (s.n == 0) {
      t->n_unknown++;
      continue;
    }
    if (!has_noise(&config)) {
      count_free(t, s.mean);
      continue;
    }
    CLI_PASS_DONE(meet_noise(&options, &config, source));
    CLI_TRY_DONE(cuonn_energy_evaluate(&point, &options));
    if (!point.light.detectable) {
      t->n_dark++;
      continue;
    }
    const bool left_out = options.measurement == CUONN_MEASUREMENT_MATRIX && options.product_energy == 0;
    fprintf(out, "%.6g %.6g %.6g %.6g %.6g %zu %zu %d\n", 100 * s.mean, 100 * s.deviation,
            point.cost[CUONN_OPERATION_GRADIENT].tops_per_watt, point.light.watts, point.light.photons,
            options.converter_bits, part.at[taps], left_out);
    t->n_priced++;
  } while (cli_sweep_next(&part, view, others, n_others));
done:
  return code;
}

/* With the components of the sweep's configuration. */
static bool fits(const cli_sweep_view *view) {
  const cli_figure_source as_configured = {0};
  if (cli_sweep_axis_of(view, "chip.tap_shot") == CLI_SWEEP_ANY) return false;
  for (size_t p = 0; p < view->record.n_points; p++) {
    cuonn_config config;
    cuonn_energy_options options;
    cuonn_energy_light light;
    cuonn_grid_config(&config, &view->record.grid, p);
    if (view->record.done[p] && view->record.results[p].status == CUONN_OK && has_noise(&config) &&
        meet_noise(&options, &config, &as_configured) == CLI_DONE &&
        cuonn_energy_light_cost(&light, &options) == CUONN_OK && light.detectable)
      return true;
  }
  return false;
}

static int check_settings(const cli_figure_source *source) {
  for (size_t i = 0; i < source->n_settings; i++)
    if (strncmp(source->settings[i], "energy.", strlen("energy.")) != 0)
      return cli_fail(CLI_USAGE, "--set %s: only keys of the section energy can be set here", source->settings[i]);
  return CLI_DONE;
}

static void write_left_out(FILE *out, const tally *t) {
  cli_figure_next_block(out);
  fputs(
      "# settings left out: without noise at the taps, which has no price, least and largest test error of those in "
      "percent; for want of light; without a finished run\n",
      out);
  fprintf(out, "%zu", t->n_free);
  cli_sweep_write_number(out, 100 * t->free_low);
  cli_sweep_write_number(out, 100 * t->free_high);
  fprintf(out, " %zu %zu\n", t->n_dark, t->n_unknown);
}

static int write_tradeoff(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  cli_sweep_view view = {0};
  tally t = {.free_low = NAN, .free_high = NAN};
  CLI_PASS_DONE(check_settings(source));
  CLI_PASS_DONE(cli_sweep_view_read(&view, source->files[0]));
  const cuonn_grid *const grid = &view.record.grid;
  const size_t taps = cli_sweep_axis_of(&view, "chip.tap_shot");
  if (taps == CLI_SWEEP_ANY) {
    code = cli_fail(CLI_BAD_FILE, "%s: chip.tap_shot does not vary by itself in this sweep; give it a list",
                    source->files[0]);
    goto done;
  }
  const size_t rows = cli_sweep_choose_rows(&view), n_rows = rows == CLI_SWEEP_ANY ? 1 : grid->axes[rows].count;
  fputs(
      "# modes, epochs, rows, repeats; then headings of the rows; then shot noises of the taps; then a block a row, a "
      "line a setting: mean test error and its deviation over the repeats in percent, TOPS/W of an in situ gradient, "
      "electricity of the laser in W, photons a mode and symbol at the detector, bits of converters, number of the "
      "taps' shot noise, 1 if digital products are left out; then a block of settings that are left out\n",
      out);
  fprintf(out, "%zu %zu %zu %zu\n", grid->base.network.n_modes, grid->base.training.epochs, n_rows, view.repeats);
  cli_figure_next_block(out);
  cli_sweep_write_rows(out, &view, rows);
  cli_figure_next_block(out);
  for (size_t i = 0; i < grid->axes[taps].count; i++) fprintf(out, "%zu \"%s\"\n", i, grid->axes[taps].values[i]);
  cli_sweep_part part = cli_sweep_everything();
  for (size_t r = 0; r < n_rows; r++) {
    if (rows != CLI_SWEEP_ANY) part.at[rows] = r;
    cli_figure_next_block(out);
    const size_t before = t.n_priced;
    CLI_PASS_DONE(write_row(out, &t, &view, rows, taps, part, source));
    if (t.n_priced == before) fputs("NaN NaN NaN NaN NaN 0 0 0\n", out);
  }
  write_left_out(out, &t);
  if (t.n_priced == 0)
    code = cli_fail(CLI_BAD_FILE,
                    "%s: no run has a price: none was measured in situ with noise at the taps and enough light",
                    source->files[0]);
done:
  cli_sweep_view_free(&view);
  return code;
}

const cli_figure cli_figure_tradeoff = {
    .name = "tradeoff",
    .files = "a sweep over chip.tap_shot: its directory or sweep.nc",
    .reads = CLI_FIND_RESULTS,
    .reads_settings = true,
    .sentence = "energy efficiency and laser power of chips with a sweep's noise, against the test error",
    .write = write_tradeoff,
    .fits = fits,
};
