/* Energy of an operation by component, against the number of modes. */
#include <math.h>
#include <stdlib.h>

#include "cli/figures/figure.h"

/* What one operation costs, in femtojoules; NaN where no light is enough, which the script leaves out. */
static void write_number(FILE *out, double joules) {
  if (isfinite(joules))
    fprintf(out, " %.6g", 1e15 * joules);
  else
    fputs(" NaN", out);
}

static int write_energy(FILE *out, cli_figure_source *source) {
  int code = CLI_DONE;
  double *modes = NULL;
  cuonn_energy_point *points = NULL;
  size_t count;
  CLI_TRY_DONE(cuonn_energy_read(&modes, &points, &count, source->files[0]));
  size_t lit = 0;
  for (size_t p = 0; p < count; p++) lit += isfinite(points[p].cost[CUONN_OPERATION_MVM].joules);
  if (lit == 0) {
    code = cli_fail(CLI_BAD_FILE, "%s: light carries the precision nowhere on this grid; lower energy.bits",
                    source->files[0]);
    goto done;
  }
  fputs("# a block for mvm, vjp and gradient: modes, then fJ an operation of the total and of each part\n", out);
  for (size_t i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    if (i > 0) cli_figure_next_block(out);
    fputs("N total", out);
    for (int k = 0; k < CUONN_ENERGY_PROGRAMMING; k++)
      fprintf(out, " %s", cuonn_energy_part_name((cuonn_energy_part)k));
    fputc('\n', out);
    for (size_t p = 0; p < count; p++) {
      const cuonn_energy_cost *const cost = &points[p].cost[i];
      const double operations = 1e12 * cost->tops_per_watt * cost->joules;
      fprintf(out, "%.9g", modes[p]);
      write_number(out, cost->joules / operations);
      for (int k = 0; k < CUONN_ENERGY_PROGRAMMING; k++) write_number(out, cost->part[k] / operations);
      fputc('\n', out);
    }
  }
done:
  free(modes);
  free(points);
  return code;
}

const cli_figure cli_figure_energy = {
    .name = "energy",
    .files = "a grid of cuonn energy over energy.modes",
    .sentence = "energy of an operation by component, against the number of modes",
    .write = write_energy,
};
