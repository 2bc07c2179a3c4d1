#include "cli/figures/figure.h"

#include <stdlib.h>
#include <string.h>

int cli_figure_data(char **text, size_t *size, const cli_figure *figure, cli_figure_source *source) {
  *text = NULL;
  FILE *const out = open_memstream(text, size);
  if (!out) return cli_fail(CLI_RESOURCES, "not enough memory for the data of %s", figure->name);
  int code = figure->write(out, source);
  const bool whole = !ferror(out);
  if ((fclose(out) != 0 || !*text || !whole) && code == CLI_DONE)
    code = cli_fail(CLI_RESOURCES, "not enough memory for the data of %s", figure->name);
  if (code == CLI_DONE) return CLI_DONE;
  free(*text);
  *text = NULL;
  return code;
}

void cli_figure_next_block(FILE *out) { fputs("\n\n", out); }

void cli_figure_write_text(FILE *out, const char *text) {
  json_t *const whole = cli_json_text(text);
  const char *const valid = whole ? json_string_value(whole) : "?";
  fputc('"', out);
  for (const char *c = valid; *c; c++) {
    if (*c == '"' || *c == '\\')
      fprintf(out, "\\%03o", (unsigned)*c);
    else
      fputc((unsigned char)*c < ' ' ? '?' : *c, out);
  }
  fputc('"', out);
  json_decref(whole);
}

/* The last `n_parts` parts of a path. */
static const char *tail_of(const char *path, size_t n_parts) {
  const char *tail = path + strlen(path);
  for (; tail > path; tail--)
    if (tail[-1] == '/' && n_parts-- <= 1) break;
  return tail;
}

const char *cli_figure_name_among(const char *const *paths, size_t n_paths, size_t which) {
  size_t n_parts = 1;
  for (size_t p = 0; p < n_paths; p++)
    while (strcmp(paths[p], paths[which]) != 0 &&
           strcmp(tail_of(paths[p], n_parts), tail_of(paths[which], n_parts)) == 0)
      n_parts++;
  return tail_of(paths[which], n_parts);
}

int cli_figure_check_mesh(const cuonn_network_shape *shape, const char *path) {
  const size_t n_columns = cuonn_mesh_shape_columns(shape->mesh) - 1;
  if (shape->n_modes > CLI_FIGURE_MODES)
    return cli_fail(CLI_BAD_FILE, "%s: has %zu waveguides; a picture of a mesh has at most %d", path, shape->n_modes,
                    CLI_FIGURE_MODES);
  if (n_columns > 2 * (size_t)CLI_FIGURE_MODES)
    return cli_fail(CLI_BAD_FILE, "%s: has %zu columns; a picture of a mesh has at most %d", path, n_columns,
                    2 * CLI_FIGURE_MODES);
  return CLI_DONE;
}

const cli_trained *cli_figure_trained(int *code, cli_figure_source *source) {
  if (source->opened) return &source->trained;
  *code = cli_trained_open(&source->trained, &(cli_trained_source){.checkpoint = source->files[0],
                                                                   .data = source->data,
                                                                   .chip = source->chip,
                                                                   .loaded = source->loaded,
                                                                   .common = source->common});
  source->opened = *code == CLI_DONE;
  return source->opened ? &source->trained : NULL;
}

void cli_figure_source_free(cli_figure_source *source) { cli_trained_free(&source->trained); }
