/* The cpu backend by columns against the reference. */
#define PARITY_BACKEND cuonn_backend_cpu
#define PARITY_BATCHES \
  { 1, 3, 63, 64, 65, 130 }
#define PARITY_ONE_PATH (p->batch < 64 || p->batch < 2 * p->modes) /* more go through the matrix */
#define PARITY_ROUNDINGS 8
#define PARITY_DARK_FLOW false
#include "support/parity.h"

int main(void) {
  const struct CMUnitTest tests[] = {PARITY_TESTS};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
