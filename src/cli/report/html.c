#include "cli/report/html.h"

#include <string.h>

void cli_page_text(FILE *out, const char *text) {
  for (const char *c = text; *c; c++) switch (*c) {
      case '<': fputs("&lt;", out); break;
      case '>': fputs("&gt;", out); break;
      case '&': fputs("&amp;", out); break;
      case '"': fputs("&quot;", out); break;
      default: fputc(*c, out);
    }
}

/* Writes up to `end`, with "fNUMBER-" before every name that is given or meant. */
static void write_named(FILE *out, const char *svg, const char *end, int number) {
  static const char *const before[] = {"id='", "id=\"", "href='#", "href=\"#", "url(#"};
  const char *written = svg; /* up to here */
  for (; svg < end; svg++) {
    if (*svg != 'i' && *svg != 'h' && *svg != 'u') continue;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
      const size_t length = strlen(before[i]);
      if (strncmp(svg, before[i], length) != 0) continue;
      fwrite(written, 1, (size_t)(svg + length - written), out);
      fprintf(out, "f%d-", number);
      written = svg + length;
    }
  }
  fwrite(written, 1, (size_t)(end - written), out);
}

void cli_page_svg(FILE *out, const char *svg, int number, const char *title) {
  static const char after_title[] = "</desc>";
  const char *const start = strstr(svg, "<svg"), *const from = start ? strstr(start, "<title>") : NULL;
  const char *const to = from ? strstr(from, after_title) : NULL;
  if (!to) return;
  fwrite(start, 1, (size_t)(from - start), out);
  fputs("<title>", out);
  cli_page_text(out, title);
  fputs("</title>", out);
  const char *const body = to + sizeof after_title - 1;
  write_named(out, body, body + strlen(body), number);
}
