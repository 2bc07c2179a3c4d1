/* Configurations and grids: any text; what is accepted is written, and reads back to the same. */
#include "cuonn/config.h"
#include "cuonn/grid.h"
#include "input.h"

/* Both texts are freed. */
static void must_be_same(char *a, char *b) {
  if (!a || !b || strcmp(a, b) != 0) abort();
  free(a);
  free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  cuonn_config config, again;
  cuonn_config_init(&config);
  cuonn_config_init(&again);
  if (cuonn_config_read_text(&config, (const char *)bytes, size, "input") == CUONN_OK) {
    char *const text = cuonn_config_text(&config);
    if (!text || cuonn_config_read_text(&again, text, strlen(text), "again") != CUONN_OK) abort();
    must_be_same(text, cuonn_config_text(&again));
    cuonn_config_check(&config);
  }

  cuonn_grid grid, second;
  cuonn_grid_init(&grid);
  cuonn_grid_init(&second);
  if (cuonn_grid_read_text(&grid, (const char *)bytes, size, "input") == CUONN_OK &&
      cuonn_grid_complete(&grid) == CUONN_OK) {
    char *const text = cuonn_grid_text(&grid);
    if (!text || cuonn_grid_read_text(&second, text, strlen(text), "again") != CUONN_OK) abort();
    must_be_same(text, cuonn_grid_text(&second));
  }
  cuonn_grid_free(&grid);
  cuonn_grid_free(&second);
  return 0;
}
