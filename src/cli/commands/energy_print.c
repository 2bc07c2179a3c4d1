/* Tables and JSON of cuonn energy. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands/energy_print.h"

/* ------------------------------------------------------------------------------------------------- what is left out */

enum { kMostLeftOut = 9 };

/* Keys that are 0 and so leave out something that the printed results would hold. Returns their number. */
static size_t left_out(const char *out[kMostLeftOut], const cli_energy_result *e) {
  const cuonn_energy_options *o = &e->config->energy;
  const bool streaming = o->dataflow == CUONN_DATAFLOW_STREAMING;
  const struct {
    bool counts;
    double value;
    const char *key;
  } all[kMostLeftOut] = {
      {o->measurement == CUONN_MEASUREMENT_MATRIX, o->product_energy, "energy.product_energy"},
      {true, o->loss_time, "energy.loss_time"},
      {e->has_network, o->programming_energy, "energy.programming_energy"},
      {e->has_network, o->digital_energy, "energy.digital_energy"},
      {e->has_network, o->digital_time, "energy.digital_time"},
      {e->has_network, o->optimizer_time, "energy.optimizer_time"},
      {e->has_network && streaming, o->nonlinearity_time, "energy.nonlinearity_time"},
      {e->has_network, (double)o->write_converters, "energy.write_converters"},
      {e->has_network, o->write_rate, "energy.write_rate"},
  };
  size_t n = 0;
  for (size_t i = 0; i < kMostLeftOut; i++)
    if (all[i].counts && all[i].value == 0) out[n++] = all[i].key;
  return n;
}

/* ----------------------------------------------------------------------------------------------------------- tables */

enum { kCell = 32, kMostColumns = 3 };

/* Four digits and a prefix of the SI, such as "41.80 nJ". */
static const char *quantity(char out[kCell], double value, const char *unit) {
  static const char *const prefixes[] = {"f", "p", "n", "u", "m", "", "k", "M", "G", "T"};
  enum { kUnity = 5, kLast = 9 };
  if (!isfinite(value) || value == 0) {
    snprintf(out, kCell, "%s %s", value == 0 ? "0" : "infinite", unit);
    return out;
  }
  int thousands = (int)floor(log10(fabs(value)) / 3);
  if (thousands < -kUnity) thousands = -kUnity;
  if (thousands > kLast - kUnity) thousands = kLast - kUnity;
  const double scaled = value / pow(1000, thousands);
  snprintf(out, kCell, scaled < 9999.5 && scaled >= 0.9995 ? "%.4g %s%s" : "%.3e %s%s", scaled,
           prefixes[kUnity + thousands], unit);
  return out;
}

static void print_row(const char *name, size_t n, char cells[kMostColumns][kCell]) {
  printf("%-31s", name);
  for (size_t i = 0; i < n; i++) printf("%14s", cells[i]);
  putchar('\n');
}

static void print_costs(const cuonn_energy_cost *const *costs, size_t n) {
  char cells[kMostColumns][kCell];
  for (int k = 0; k < CUONN_ENERGY_PARTS; k++) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
      any |= costs[i]->part[k] != 0;
      quantity(cells[i], costs[i]->part[k], "J");
    }
    if (any) print_row(cuonn_energy_part_name((cuonn_energy_part)k), n, cells);
  }
  for (size_t i = 0; i < n; i++) quantity(cells[i], costs[i]->joules, "J");
  print_row("total", n, cells);
  for (size_t i = 0; i < n; i++) snprintf(cells[i], kCell, "%.1f %%", 100 * costs[i]->conversion_share);
  print_row("conversions and amplification", n, cells);
  for (size_t i = 0; i < n; i++) snprintf(cells[i], kCell, "%.4g", costs[i]->tops_per_watt);
  print_row("TOPS/W", n, cells);
  for (size_t i = 0; i < n; i++) quantity(cells[i], costs[i]->watts, "W");
  print_row("power", n, cells);
  for (size_t i = 0; i < n; i++) quantity(cells[i], costs[i]->seconds, "s");
  print_row("latency", n, cells);
}

static void print_light(const cli_energy_result *e) {
  const cuonn_energy_options *o = &e->config->energy;
  const cuonn_energy_light *light = &e->mesh.light;
  char watts[kCell];
  if (!o->laser) {
    printf("light: left out (energy.laser is false)\n");
  } else if (!light->detectable) {
    printf(
        "light: none is enough for %zu bits: the oscillator's shot noise allows %.2f; raise energy.oscillator_photons "
        "or lower energy.bits\n",
        o->bits, light->bits_limit);
  } else {
    printf("light: %s, %zu bits: %.0f photons a mode and symbol, %.4g dB a column, laser %s\n",
           o->detection == CUONN_DETECTION_HOMODYNE ? "homodyne" : "direct", o->bits, light->photons,
           light->column_loss, quantity(watts, light->watts, "W"));
  }
}

static double mean_phase(const cuonn_energy_options *o) {
  return o->phases_known ? o->mean_phase : cuonn_energy_drawn_phase(o, (double)o->n_modes);
}

/* What is sent and read for a gradient, and by what phases shifters are held. */
static void print_scheme(const cuonn_energy_options *o) {
  const cuonn_energy_passes p = cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT);
  const bool matrix = o->measurement == CUONN_MEASUREMENT_MATRIX, each = o->tap_reading == CUONN_TAPS_EXAMPLE;
  printf("gradient: %s, %zu passes of %zu %s, outputs read in %zu, light of %g; %zu readout%s a tap and %s\n",
         cuonn_energy_scheme_name(o->scheme), p.passes, matrix ? o->n_modes : o->batch,
         matrix ? "unit vectors" : "examples", p.reads, p.light, p.readouts, p.readouts == 1 ? "" : "s",
         each ? "vector" : "batch");
  if (o->holding_power == 0) return;
  if (o->holding == CUONN_HOLDING_HEATER)
    printf("heaters: %.4g mW for pi, mean phase %.3f pi (%s)\n", o->holding_power, mean_phase(o) / M_PI,
           o->phases_known ? "of the network" : "Haar");
  else
    printf("phase shifters: %.4g mW whatever the phase\n", o->holding_power);
}

static void print_mesh(const cli_energy_result *e) {
  char cells[kMostColumns][kCell];
  const cuonn_energy_cost *costs[CUONN_ENERGY_OPERATIONS];
  const cuonn_energy_options *const o = &e->config->energy;
  printf("mesh of N = %zu, batch of M = %zu\n", o->n_modes, o->batch);
  if (o->n_columns)
    printf("%s, %zu columns, %zu phase shifters\n", cuonn_architecture_name(e->config->architecture), o->n_columns,
           o->n_shifters);
  print_light(e);
  print_scheme(&e->config->energy);
  putchar('\n');
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    costs[i] = &e->mesh.cost[i];
    snprintf(cells[i], kCell, "%s", cuonn_energy_operation_name((cuonn_energy_operation)i));
  }
  print_row("", CUONN_ENERGY_OPERATIONS, cells);
  print_costs(costs, CUONN_ENERGY_OPERATIONS);
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    const cuonn_energy_peak *peak = &e->mesh.peak[i];
    if (isnan(peak->modes))
      snprintf(cells[i], kCell, "-");
    else if (isinf(peak->modes) || peak->modes == 0)
      snprintf(cells[i], kCell, peak->tops_per_watt == 0 ? "-" : peak->modes == 0 ? "at once" : "never");
    else
      snprintf(cells[i], kCell, "N = %.0f", peak->modes);
  }
  print_row("optical loss overtakes at", CUONN_ENERGY_OPERATIONS, cells);
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    const double best = e->mesh.peak[i].tops_per_watt;
    snprintf(cells[i], kCell, isnan(best) ? "-" : isinf(best) ? "no limit" : "%.4g", best);
  }
  print_row("TOPS/W at most", CUONN_ENERGY_OPERATIONS, cells);
}

static void print_network(const cli_energy_result *e) {
  const cuonn_network_shape *shape = &e->config->network;
  const cuonn_energy_network *n = &e->network;
  const cuonn_energy_cost *costs[] = {&n->inference, &n->step, &n->epoch};
  char cells[kMostColumns][kCell] = {"inference", "step", "epoch"};
  printf("\nnetwork %s: %zu layers of N = %zu, %zu examples in batches of %zu\n\n", e->network_path, shape->n_layers,
         shape->n_modes, e->n_examples, e->config->training.batch_size);
  print_row("", 3, cells);
  print_costs(costs, 3);
  if (e->config->energy.holding_power > 0)
    printf("\nHolding power counts while symbols pass, not while taps are read and phases written.\n");
  if (isinf(n->balance_batch))
    printf("\nLight never takes longer than reading taps and writing phases for a larger batch.\n");
  else
    printf("\nLight takes longer than reading taps and writing phases from batches of %.4g on.\n", n->balance_batch);
  if (n->gpu_seconds > 0) {
    printf("The step takes %s on the GPU, %.4g times that of the chip", quantity(cells[0], n->gpu_seconds, "s"),
           n->gpu_seconds / n->step.seconds);
    if (n->gpu_joules > 0)
      printf(", and %s, %.4g times", quantity(cells[1], n->gpu_joules, "J"), n->gpu_joules / n->step.joules);
    printf(";\nthe GPU counts 8 operations a complex product, the chip %zu.\n", e->config->energy.operations);
  }
}

/* A row of one number of each; counts such as "1.229 M". */
static void print_demand(const char *name, const cuonn_energy_demand *const demands[3], size_t offset,
                         const char *unit) {
  char cells[kMostColumns][kCell];
  for (size_t i = 0; i < 3; i++) {
    const double value = *(const double *)((const char *)demands[i] + offset);
    if (value == 0 && !unit[0])
      snprintf(cells[i], kCell, "0");
    else
      quantity(cells[i], value, unit);
  }
  print_row(name, 3, cells);
}

static void print_training(const cli_energy_result *e) {
  const cuonn_training_options *const t = &e->config->training;
  const bool on_chip = cuonn_gradient_is_measured(t->gradient) || cuonn_gradient_is_perturbed(t->gradient);
  const cuonn_energy_demand all = cuonn_energy_training_until(&e->training, t->epochs);
  const cuonn_energy_demand *const demands[] = {&e->training.step, &e->training.epoch, &all};
  char cells[kMostColumns][kCell] = {"step", "epoch"};
  snprintf(cells[2], kCell, "%zu epoch%s", t->epochs, t->epochs == 1 ? "" : "s");
  printf("\ntraining by %s gradients, what it asks of the chip\n\n", cuonn_gradient_name(t->gradient));
  print_row("", 3, cells);
  print_demand("optical passes, vectors", demands, offsetof(cuonn_energy_demand, passes), "");
  print_demand("readings of outputs", demands, offsetof(cuonn_energy_demand, outputs), "");
  print_demand("readings of taps", demands, offsetof(cuonn_energy_demand, taps), "");
  print_demand("phases written", demands, offsetof(cuonn_energy_demand, writes), "");
  print_demand("total", demands, offsetof(cuonn_energy_demand, joules), "J");
  print_demand("latency", demands, offsetof(cuonn_energy_demand, seconds), "s");
  printf(on_chip ? "\nThe last column includes the starting phases, written once; tests are not counted.\n"
                 : "\nGradients are computed elsewhere, which is not counted; the trained phases are written once.\n");
}

void cli_energy_print_tables(const cli_energy_result *e) {
  const char *keys[kMostLeftOut];
  print_mesh(e);
  if (e->has_network) print_network(e);
  if (e->has_network) print_training(e);
  const size_t n = left_out(keys, e);
  if (n > 0) printf("\nLeft out, because the keys are 0: ");
  for (size_t i = 0; i < n; i++) printf("%s%s", keys[i], i + 1 < n ? ", " : "\n");
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static json_t *cost_json(const cuonn_energy_cost *cost) {
  json_t *parts = json_object();
  for (int k = 0; k < CUONN_ENERGY_PARTS; k++)
    json_object_set_new(parts, cuonn_energy_part_name((cuonn_energy_part)k), cli_json_number(cost->part[k]));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tops_per_watt", cli_json_number(cost->tops_per_watt),
                   "joules", cli_json_number(cost->joules), "watts", cli_json_number(cost->watts), "seconds",
                   cli_json_number(cost->seconds), "operations", cli_json_number(cost->operations), "conversion_share",
                   cli_json_number(cost->conversion_share), "parts", parts);
}

static json_t *light_json(const cli_energy_result *e) {
  const cuonn_energy_light *light = &e->mesh.light;
  return json_pack("{s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "counted", e->config->energy.laser, "detectable",
                   light->detectable, "photons", cli_json_number(light->photons), "bits_limit",
                   cli_json_number(light->bits_limit), "column_loss_db", cli_json_number(light->column_loss), "watts",
                   cli_json_number(light->watts), "equal_modes", cli_json_number(light->equal_modes));
}

static json_t *demand_json(const cuonn_energy_demand *d) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "passes", cli_json_number(d->passes), "output_readings",
                   cli_json_number(d->outputs), "tap_readings", cli_json_number(d->taps), "phase_writes",
                   cli_json_number(d->writes), "joules", cli_json_number(d->joules), "seconds",
                   cli_json_number(d->seconds));
}

static json_t *training_json(const cli_energy_result *e) {
  const cuonn_training_options *const t = &e->config->training;
  const cuonn_energy_demand all = cuonn_energy_training_until(&e->training, t->epochs);
  return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "gradient", cuonn_gradient_name(t->gradient), "epochs",
                   (json_int_t)t->epochs, "start", demand_json(&e->training.start), "step",
                   demand_json(&e->training.step), "epoch", demand_json(&e->training.epoch), "all", demand_json(&all));
}

static json_t *network_json(const cli_energy_result *e) {
  const cuonn_energy_network *n = &e->network;
  const bool compared = n->gpu_seconds > 0;
  return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                   cli_json_text(e->network_path), "modes", (json_int_t)e->config->network.n_modes, "layers",
                   (json_int_t)e->config->network.n_layers, "examples", (json_int_t)e->n_examples, "batch",
                   (json_int_t)e->config->training.batch_size, "inference", cost_json(&n->inference), "step",
                   cost_json(&n->step), "epoch", cost_json(&n->epoch), "training", training_json(e), "balance_batch",
                   cli_json_number(n->balance_batch), "gpu_seconds",
                   compared ? cli_json_number(n->gpu_seconds) : json_null(), "gpu_joules",
                   compared && n->gpu_joules > 0 ? cli_json_number(n->gpu_joules) : json_null());
}

static json_t *passes_json(const cuonn_energy_options *o) {
  const cuonn_energy_passes p = cuonn_energy_passes_of(o, CUONN_OPERATION_GRADIENT);
  return json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I}", "scheme", cuonn_energy_scheme_name(o->scheme), "passes",
                   (json_int_t)p.passes, "sends", (json_int_t)p.sends, "reads", (json_int_t)p.reads, "light",
                   cli_json_number(p.light), "symbols", (json_int_t)p.symbols, "readouts", (json_int_t)p.readouts);
}

int cli_energy_print_json(const cli_energy_result *e) {
  const char *keys[kMostLeftOut];
  const size_t n = left_out(keys, e);
  const bool heated = e->config->energy.holding_power > 0 && e->config->energy.holding == CUONN_HOLDING_HEATER;
  json_t *all = json_pack("{s:I, s:I}", "modes", (json_int_t)e->config->energy.n_modes, "batch",
                          (json_int_t)e->config->energy.batch);
  if (e->config->energy.n_columns) {
    json_object_set_new(all, "columns", json_integer((json_int_t)e->config->energy.n_columns));
    json_object_set_new(all, "phase_shifters", json_integer((json_int_t)e->config->energy.n_shifters));
  }
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    json_t *operation = cost_json(&e->mesh.cost[i]);
    json_object_set_new(operation, "peak_modes", cli_json_number(e->mesh.peak[i].modes));
    json_object_set_new(operation, "peak_tops_per_watt", cli_json_number(e->mesh.peak[i].tops_per_watt));
    json_object_set_new(all, cuonn_energy_operation_name((cuonn_energy_operation)i), operation);
  }
  json_object_set_new(all, "light", light_json(e));
  json_object_set_new(all, "passes", passes_json(&e->config->energy));
  json_object_set_new(all, "mean_phase", heated ? cli_json_number(mean_phase(&e->config->energy)) : json_null());
  if (e->has_network) json_object_set_new(all, "network", network_json(e));
  json_t *names = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(names, json_string(keys[i]));
  json_object_set_new(all, "left_out", names);
  return cli_print_json(all);
}
