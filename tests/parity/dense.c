/* The cpu backend by matrices against the reference.
 *
 * A field is then a sum of up to N products, whose errors grow no faster than those of N columns one after the other:
 * an element of the matrix has gone through the columns, and is off as a field is, and the sum adds u sqrt(N) / 2 of
 * the largest term. Gradients are summed over examples in float (PARITY_SUMS_IN_FLOAT). */
#define PARITY_BACKEND cuonn_backend_cpu
#define PARITY_METHOD CUONN_METHOD_DENSE
#define PARITY_BATCHES \
  { 1, 3, 63, 64, 65, 130 }
#define PARITY_ONE_PATH (p->batch < 64 || p->batch < 2 * p->modes) /* more go through the matrix */
#define PARITY_ROUNDINGS 8
#define PARITY_DARK_FLOW false
#include "support/parity.h"
#include "support/refusals.h"

static void test_large(void **state) {
  (void)state;
  static const problem cases[] = {
      {.modes = 16, .layers = 3, .classes = 10, .batch = 600, .style = CUONN_STYLE_TOP},
      {.modes = 33, .layers = 3, .classes = 17, .batch = 513, .style = CUONN_STYLE_TOP},
      {.modes = 130, .layers = 2, .classes = 10, .batch = 70, .style = CUONN_STYLE_BOTTOM},
      {.modes = 257, .layers = 2, .classes = 7, .batch = 65, .error = 0.05, .style = CUONN_STYLE_DIFFERENTIAL}};
  chance c = {41};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_network(cases + i, &c);
}

static void test_refusals(void **state) {
  (void)state;
  cuonn_context *context;
  OK(cuonn_context_create(&context, "reference", 1));
  REFUSED(cuonn_context_set_method(context, "dense"), CUONN_E_ARGUMENT, "reference has no method dense");
  REFUSED(cuonn_context_set_method(context, "rows"), CUONN_E_ARGUMENT, "\"rows\" is unknown");
  OK(cuonn_context_set_method(context, "auto"));
  OK(cuonn_context_set_method(context, "columns"));
  cuonn_context_free(context);

  OK(cuonn_context_create(&context, "cpu", 1));
  dense_refuses_measured(context);
  cuonn_context_free(context);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_refusals), PARITY_TESTS};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
