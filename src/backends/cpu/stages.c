#include "cpu/stages.h"

#include <complex.h>
#include <math.h>

static void store(float to[2], double complex z) {
  to[0] = (float)creal(z);
  to[1] = (float)cimag(z);
}

cpu_stages cpu_stages_of(const cuonn_mesh *mesh, size_t k) {
  const double theta = mesh->theta[k], phi = mesh->phi[k];
  const double at = pow(10, -mesh->loss_db[2 * k] / 20), ap = pow(10, -mesh->loss_db[2 * k + 1] / 20);
  double complex inner[2] = {1, 1}, outer[2] = {1, 1};
  switch (mesh->style) {
    case CUONN_STYLE_TOP:
      inner[0] = at * cexp(I * theta);
      outer[0] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_BOTTOM:
      inner[1] = at * cexp(I * theta);
      outer[1] = ap * cexp(I * phi);
      break;
    case CUONN_STYLE_SYMMETRIC:
    case CUONN_STYLE_DIFFERENTIAL:
      inner[0] = at * cexp(I * theta / 2);
      inner[1] = cexp(-I * theta / 2);
      outer[0] = ap * cexp(mesh->style == CUONN_STYLE_SYMMETRIC ? I * phi : -I * phi / 2);
      outer[1] = ap * cexp(mesh->style == CUONN_STYLE_SYMMETRIC ? I * phi : I * phi / 2);
      break;
  }
  cpu_stages s;
  for (size_t arm = 0; arm < 2; arm++) {
    store(s.inner[arm], inner[arm]);
    store(s.outer[arm], outer[arm]);
  }
  const double left = M_PI / 4 + mesh->coupler_error[2 * k], right = M_PI / 4 + mesh->coupler_error[2 * k + 1];
  s.left[0] = (float)cos(left), s.left[1] = (float)sin(left);
  s.right[0] = (float)cos(right), s.right[1] = (float)sin(right);
  return s;
}
