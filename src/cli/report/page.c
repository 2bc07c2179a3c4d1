#include "cli/report/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/gnuplot.h"
#include "cli/report/html.h"

int cli_report_join(char **out, const char *directory, const char *name) {
  const size_t length = strlen(directory);
  const bool slash = length > 0 && directory[length - 1] == '/';
  if (asprintf(out, "%s%s%s", directory, slash ? "" : "/", name) >= 0) return CLI_DONE;
  *out = NULL;
  return cli_fail(CLI_RESOURCES, "not enough memory");
}

int cli_report_name(char **out, const char *directory) {
  char *const whole = realpath(directory, NULL);
  if (!whole) return cli_fail(CLI_BAD_FILE, "%s: cannot be read: %s", directory, strerror(errno));
  const char *const slash = strrchr(whole, '/');
  *out = strdup(slash && slash[1] ? slash + 1 : whole);
  free(whole);
  return *out ? CLI_DONE : cli_fail(CLI_RESOURCES, "not enough memory");
}

int cli_report_begin(cli_report_page *page, const char *title) {
  int code = CLI_DONE;
  char *style = NULL;
  *page = (cli_report_page){0};
  CLI_PASS_DONE(cli_plots_read(&style, "report.css"));
  page->out = open_memstream(&page->bytes, &page->size);
  if (!page->out) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for the report");
    goto done;
  }
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      page->out);
  cli_page_text(page->out, title);
  fprintf(page->out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
done:
  free(style);
  return code;
}

int cli_report_figure(cli_report_page *page, const cli_figure *figure, cli_figure_source *source, const char *caption) {
  int code = CLI_DONE;
  char *data = NULL;
  size_t size;
  cli_drawing drawing = {0};
  CLI_PASS_DONE(cli_figure_data(&data, &size, figure, source));
  CLI_PASS_DONE(cli_gnuplot_draw(&drawing, figure->name, "svg", data, size));
  page->missing |= drawing.missing;
  if (drawing.missing) goto done;
  fputs("<figure>\n", page->out);
  cli_page_svg(page->out, drawing.bytes, ++page->n_figures, caption);
  fprintf(page->out, "<figcaption>Figure %d: %s.</figcaption>\n</figure>\n", page->n_figures, caption);
done:
  free(drawing.bytes);
  free(data);
  return code;
}

void cli_report_end(cli_report_page *page, const char *config_text) {
  FILE *const out = page->out;
  fputs("This page was written by cuONN ", out);
  cli_page_text(out, cuonn_version());
  fputs(" (", out);
  cli_page_text(out, cuonn_build());
  fputs("), with ", out);
  cli_page_text(out, cuonn_libraries());
  fputs(".</p>\n<h2>Configuration</h2>\n<pre>", out);
  cli_page_text(out, config_text);
  fputs("</pre>\n</main>\n</body>\n</html>\n", out);
}

int cli_report_save(cli_report_page *page, const char *path) {
  int code = CLI_DONE;
  const bool whole = !ferror(page->out);
  const bool closed = fclose(page->out) == 0;
  page->out = NULL;
  if (!whole || !closed || !page->bytes) return cli_fail(CLI_RESOURCES, "not enough memory for the report");
  if (!page->missing) CLI_TRY_DONE(cuonn_bytes_write(path, page->bytes, page->size));
done:
  return code;
}

void cli_report_free(cli_report_page *page) {
  if (page->out) fclose(page->out);
  free(page->bytes);
}
