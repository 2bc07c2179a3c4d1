/* The figure is that of cuonn plot throughput. */
#include "cli/commands/bench_plot.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands/bench_output.h"
#include "cli/figures/throughput.h"
#include "cli/gnuplot.h"

int bench_draw(const bench_run *run) {
  int code = CLI_DONE;
  const char *const path = run->settings.plot;
  char *data = NULL, *data_path = NULL;
  size_t size = 0;
  cli_drawing drawing = {0};
  json_t *const all = bench_json(run);
  FILE *out = all && asprintf(&data_path, "%s.txt", path) >= 0 ? open_memstream(&data, &size) : NULL;
  if (!out) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for the drawing");
    goto done;
  }
  code = cli_throughput_write(out, &all, &path, 1);
  if ((fclose(out) != 0 || !data) && code == CLI_DONE)
    code = cli_fail(CLI_RESOURCES, "not enough memory for the drawing");
  if (code != CLI_DONE) goto done;
  CLI_PASS_DONE(cli_gnuplot_draw(&drawing, "throughput", "svg", data, size));
  if (drawing.missing) {
    CLI_TRY_DONE(cuonn_bytes_write(data_path, data, size));
    code = cli_fail(CLI_RESOURCES, "%s; what it would draw is in %s", CLI_GNUPLOT_ADVICE, data_path);
    goto done;
  }
  CLI_TRY_DONE(cuonn_bytes_write(path, drawing.bytes, drawing.size));
  if (!run->settings.print_json) printf("drawn in %s\n", path);
done:
  cli_drawing_free(&drawing);
  free(data);
  free(data_path);
  json_decref(all);
  return code;
}
