/* Comparing arrays of doubles: fails on NaN, and prints index, both values, and error over allowance. */
#ifndef CUONN_TESTS_CLOSE_H
#define CUONN_TESTS_CLOSE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* How far |got - want| may be: rel x the largest |want| of the array, plus abs. */
typedef struct {
  double rel, abs;
} allowance;

/* Largest error over allowance; > 1, or NaN, fails. Prints how much of the allowance was used. */
static inline double worst_error(const double *got, const double *want, size_t n, allowance a, size_t *where) {
  double scale = 0, worst = 0;
  *where = 0;
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs(want[i]));
  const double allowed = a.rel * scale + a.abs;
  for (size_t i = 0; i < n; i++) {
    const double error = fabs(got[i] - want[i]);
    const double used = error == 0 ? 0 : error / allowed;
    if (!(used <= worst)) {
      worst = used;
      *where = i;
      if (isnan(used)) return used;
    }
  }
  return worst;
}

#define CLOSE(got, want, n, ...)                                                                            \
  do {                                                                                                      \
    size_t close_at;                                                                                        \
    const double *const close_got = (got), *const close_want = (want);                                      \
    const double close_used = worst_error(close_got, close_want, (n), (allowance){__VA_ARGS__}, &close_at); \
    if (!(close_used <= 1)) {                                                                               \
      fail_msg("%s: [%zu] is %.17g, should be %.17g: error is %.3g of the allowance", #got, close_at,       \
               close_got[close_at], close_want[close_at], close_used);                                      \
    }                                                                                                       \
  } while (0)

/* A call that must succeed; its message is shown when it does not. */
#define OK(call)                                                                             \
  do {                                                                                       \
    const int ok_status = (int)(call);                                                       \
    if (ok_status != 0) fail_msg("%s: status %d: %s", #call, ok_status, cuonn_last_error()); \
  } while (0)

/* A call that must be refused with a status, and whose message must hold a text. */
#define REFUSED(call, status, text)                                                                          \
  do {                                                                                                       \
    const int refused_status = (int)(call);                                                                  \
    if (refused_status != (int)(status) || !strstr(cuonn_last_error(), (text))) {                            \
      fail_msg("%s: status %d, \"%s\"; should be %d with \"%s\"", #call, refused_status, cuonn_last_error(), \
               (int)(status), (text));                                                                       \
    }                                                                                                        \
  } while (0)

#endif
