/* docs/configuration.md says what the table of keys says. With CUONN_UPDATE_DOCS=1 in the environment the page's tables
 * are written anew instead of compared; what stands above the marker is written by hand and stays. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/config.h"
#include "support/close.h"

static const char page_path[] = CUONN_SOURCE_DIR "/docs/configuration.md";
static const char marker[] = "<!-- Generated from the table of keys: what stands below is overwritten. -->\n";

/* The whole page as it is; to be freed. */
static char *read_page(void) {
  FILE *file = fopen(page_path, "rb");
  if (!file) fail_msg("%s cannot be opened", page_path);
  char *page = NULL;
  size_t size = 0;
  const ssize_t length = getdelim(&page, &size, '\0', file);
  fclose(file);
  assert_true(length > 0);
  return page;
}

/* A cell's text; a bar would end the cell. */
static void print_cell(FILE *out, const char *text) {
  for (; *text; text++) fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

/* One table a section; a section's keys stand together in the table of keys. */
static void print_tables(FILE *out) {
  cuonn_config_key key;
  char section[64] = "";
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) {
    const char *name = strrchr(key.path, '.') + 1;
    const size_t length = (size_t)(name - key.path) - 1;
    if (strlen(section) != length || strncmp(section, key.path, length) != 0) {
      snprintf(section, sizeof section, "%.*s", (int)length, key.path);
      fprintf(out,
              "\n## %s\n\n| Key | Meaning | Type | Allowed | Default | Unit | In a sweep "
              "|\n|---|---|---|---|---|---|---|\n",
              section);
    }
    fprintf(out, "| `%s` | ", name);
    print_cell(out, key.sentence);
    fprintf(out, " | %s | ", key.type);
    print_cell(out, key.allowed);
    fprintf(out, " | `%s` | %s | %s%s%s |\n", key.default_value, key.unit, key.coordinate ? "`" : "",
            key.coordinate ? key.coordinate : "", key.coordinate ? "`" : "");
  }
}

static void page_is_in_step(void **state) {
  (void)state;
  char *page = read_page(), *expected = NULL;
  size_t size = 0;
  char *above = strstr(page, marker);
  if (!above) fail_msg("%s has lost its marker line: %s", page_path, marker);
  FILE *out = open_memstream(&expected, &size);
  assert_non_null(out);
  fwrite(page, 1, (size_t)(above - page) + strlen(marker), out);
  print_tables(out);
  assert_int_equal(fclose(out), 0);

  const char *update = getenv("CUONN_UPDATE_DOCS");
  if (update && strcmp(update, "1") == 0) {
    FILE *file = fopen(page_path, "wb");
    if (!file) fail_msg("%s cannot be written", page_path);
    assert_int_equal(fwrite(expected, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
  } else if (strcmp(page, expected) != 0) {
    size_t line = 1;
    for (size_t i = 0; page[i] && page[i] == expected[i]; i++) line += page[i] == '\n';
    fail_msg("%s:%zu differs from the table of keys: run this program with CUONN_UPDATE_DOCS=1", page_path, line);
  }
  free(expected);
  free(page);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(page_is_in_step)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
