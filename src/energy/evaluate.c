/* All that the model says of one mesh. */
#include "base/error.h"
#include "cuonn/energy.h"

cuonn_status cuonn_energy_evaluate(cuonn_energy_point *out, const cuonn_energy_options *options) {
  CUONN_TRY(cuonn_energy_light_cost(&out->light, options));
  for (int i = 0; i < CUONN_ENERGY_OPERATIONS; i++) {
    CUONN_TRY(cuonn_energy_operation_cost(&out->cost[i], options, (cuonn_energy_operation)i));
    CUONN_TRY(cuonn_energy_operation_peak(&out->peak[i], options, (cuonn_energy_operation)i));
  }
  return CUONN_OK;
}
