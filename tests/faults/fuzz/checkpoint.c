/* Checkpoints whose trailer is right, whatever they hold; and the configuration that is inside. */
#include "cuonn/config.h"
#include "cuonn/files.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size < 3 || memcmp(bytes, "CDF", 3) != 0) return -1; /* not worth keeping: refused by its first bytes */
  const char *const path = input_with_trailer(0, bytes, size);
  cuonn_training_state state;
  cuonn_network network;
  size_t epoch;
  cuonn_origin origin;
  if (cuonn_checkpoint_read(&state, &epoch, &origin, path) == CUONN_OK) {
    cuonn_config config;
    cuonn_config_init(&config);
    if (cuonn_config_read_text(&config, origin.config_text, strlen(origin.config_text), path) == CUONN_OK)
      cuonn_config_check(&config);
    cuonn_origin_free(&origin);
    cuonn_training_state_free(&state);
  }
  if (cuonn_network_read(&network, path) == CUONN_OK) {
    cuonn_network_read_errors(&network, path);
    cuonn_network_read_start(&network, path);
    cuonn_network_free(&network);
  }
  return 0;
}
