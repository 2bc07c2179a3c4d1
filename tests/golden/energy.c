/* The model against the source study's figure: every point that was read from it, tests/golden/energy.csv. */
#include <stdlib.h>
#include <string.h>

#include "cuonn/energy.h"
#include "support/close.h"

enum { kPoints = 64 };

typedef struct {
  cuonn_energy_operation operation;
  double modes, batch, tops_per_watt, half_step, model, ring;
  bool contour;
} point;

static size_t read_points(point out[kPoints]) {
  char line[256], panel[16], kind[16];
  size_t n = 0;
  FILE *file = fopen(CUONN_TEST_GOLDEN "/energy.csv", "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#') continue;
    point *p = &out[n++];
    assert_true(n <= kPoints);
    assert_int_equal(sscanf(line, "%15[a-z],%lf,%lf,%lf,%lf,%15[a-z],%lf,%lf", panel, &p->modes, &p->batch,
                            &p->tops_per_watt, &p->half_step, kind, &p->model, &p->ring),
                     8);
    p->operation = strcmp(panel, "mvm") == 0 ? CUONN_OPERATION_MVM : CUONN_OPERATION_GRADIENT;
    p->contour = strcmp(kind, "contour") == 0;
  }
  fclose(file);
  return n;
}

static double at(cuonn_energy_options o, cuonn_energy_operation operation, size_t modes, double batch) {
  cuonn_energy_cost cost;
  o.n_modes = modes;
  o.batch = (size_t)batch;
  OK(cuonn_energy_operation_cost(&cost, &o, operation));
  return cost.tops_per_watt;
}

/* A contour line of the figure goes straight between its rows, which are even numbers of modes. */
static double model_at(const cuonn_energy_options *o, const point *p) {
  const size_t below = 2 * (size_t)(p->modes / 2);
  const double share = (p->modes - (double)below) / 2, low = at(*o, p->operation, below, p->batch);
  return share == 0 ? low : low + share * (at(*o, p->operation, below + 2, p->batch) - low);
}

/* 2 percent: the coarsest colour is half a step of 0.10 in 5.57 TOPS/W, 1.8 percent wide. */
static void figure_is_met(void **state) {
  (void)state;
  point points[kPoints];
  const size_t n = read_points(points);
  assert_int_equal(n, 39);
  cuonn_energy_options o;
  cuonn_energy_options_init(&o, CUONN_ENERGY_FIGURE);
  double worst = 0;
  for (size_t i = 0; i < n; i++) {
    const point *p = &points[i];
    const double got = model_at(&o, p), residual = got / p->tops_per_watt - 1;
    worst = fmax(worst, fabs(residual));
    /* and within the colour itself: colour and half step are each printed to a hundredth */
    if (!(fabs(residual) <= 0.02) || !(fabs(got - p->tops_per_watt) <= p->half_step + 0.01)) {
      fail_msg("%s at N = %g, M = %g: %g TOPS/W, the figure has %g +- %g (%+.2f %%)",
               cuonn_energy_operation_name(p->operation), p->modes, p->batch, got, p->tops_per_watt, p->half_step,
               100 * residual);
    }
    CLOSE(&got, &p->model, 1, .abs = 0.006); /* a printed half of the last digit, and the straight line's bend */
  }
  print_message("largest residual %.2f %%\n", 100 * worst);
}

/* The published electronics with ring modulators, all else as in the figure. */
static void published_electronics_are_within_a_fifth(void **state) {
  (void)state;
  point points[kPoints];
  const size_t n = read_points(points);
  cuonn_energy_options o;
  cuonn_energy_options_init(&o, CUONN_ENERGY_FIGURE);
  cuonn_energy_use_components(&o, CUONN_COMPONENTS_RING);
  for (size_t i = 0; i < n; i++) {
    const double got = model_at(&o, &points[i]);
    CLOSE(&got, &points[i].ring, 1, .abs = 0.006);
    assert_true(fabs(got / points[i].tops_per_watt - 1) < 0.2);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figure_is_met),
      cmocka_unit_test(published_electronics_are_within_a_fifth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
