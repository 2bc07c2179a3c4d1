#include "chip/drive.h"

#include <math.h>

bool drive_square(double *square, const cuonn_driver *driver, double offset, double slope, double phase,
                  double period) {
  static const double rounding = 1e-12; /* some thousand roundings of the numbers below */
  const double low = driver->least * driver->least, high = driver->most * driver->most, turn = period / fabs(slope);
  const double above = cuonn_phase_wrap((phase - offset) / slope - low, turn), beyond = above - (high - low);
  const double slack = rounding * (turn + high);
  const bool at_low = turn - above <= slack;
  if (beyond <= 0 && !at_low) {
    *square = low + above;
    return true;
  }
  *square = at_low || (beyond > slack && turn - above < beyond) ? low : high;
  return at_low || beyond <= slack;
}

double drive_voltage(const cuonn_driver *driver, double square) {
  const double volts = sqrt(square), span = driver->most - driver->least;
  if (driver->bits == 0) return volts;
  const double step = span / (double)(((size_t)1 << driver->bits) - 1);
  return driver->least + step * rint((volts - driver->least) / step);
}
