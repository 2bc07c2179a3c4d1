#include "cli/report/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
  page->out = open_memstream(&page->text, &page->size);
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

/* So many gnuplots run side by side: more than the processors of most machines, and few enough for their memory. */
enum { kAtOnce = 8 };

int cli_report_figure(cli_report_page *page, const cli_figure *figure, cli_figure_source *source, const char *caption) {
  int code = CLI_DONE;
  char *data = NULL;
  size_t size;
  CLI_PASS_DONE(cli_figure_data(&data, &size, figure, source));
  cli_report_place *const figures = reallocarray(page->figures, page->n_figures + 1, sizeof *figures);
  if (!figures || fflush(page->out) != 0) {
    if (figures) page->figures = figures;
    code = cli_fail(CLI_RESOURCES, "not enough memory for the report");
    goto done;
  }
  page->figures = figures;
  if (page->n_figures - page->n_drawn == kAtOnce)
    CLI_PASS_DONE(cli_gnuplot_finish(&page->figures[page->n_drawn++].drawing));
  cli_report_place *const now = &page->figures[page->n_figures];
  *now = (cli_report_place){.caption = caption, .place = page->size};
  CLI_PASS_DONE(cli_gnuplot_start(&now->drawing, figure->name, "svg", data, size));
  page->missing |= now->drawing.missing;
  if (!page->missing) page->n_figures++;
done:
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

/* The text with its figures. */
static void write_page(FILE *out, const cli_report_page *page) {
  size_t written = 0;
  for (size_t i = 0; i < page->n_figures; i++) {
    const cli_report_place *const f = &page->figures[i];
    const int number = (int)i + 1;
    fwrite(page->text + written, 1, f->place - written, out);
    written = f->place;
    fputs("<figure>\n", out);
    cli_page_svg(out, f->drawing.bytes, number, f->caption);
    fprintf(out, "<figcaption>Figure %d: %s.</figcaption>\n</figure>\n", number, f->caption);
  }
  fwrite(page->text + written, 1, page->size - written, out);
}

int cli_report_save(cli_report_page *page, const char *path) {
  int code = CLI_DONE;
  char *bytes = NULL;
  size_t size;
  FILE *out = NULL;
  if (page->missing) return CLI_DONE;
  while (page->n_drawn < page->n_figures) CLI_PASS_DONE(cli_gnuplot_finish(&page->figures[page->n_drawn++].drawing));
  bool whole = fflush(page->out) == 0 && !ferror(page->out);
  out = whole ? open_memstream(&bytes, &size) : NULL;
  if (out) {
    write_page(out, page);
    whole = !ferror(out);
    whole = fclose(out) == 0 && whole && bytes;
  }
  if (!out || !whole) {
    code = cli_fail(CLI_RESOURCES, "not enough memory for the report");
    goto done;
  }
  CLI_TRY_DONE(cuonn_bytes_write(path, bytes, size));
done:
  free(bytes);
  return code;
}

void cli_report_free(cli_report_page *page) {
  for (size_t i = 0; i < page->n_figures; i++) cli_drawing_free(&page->figures[i].drawing);
  free(page->figures);
  if (page->out) fclose(page->out);
  free(page->text);
}
