/* Softmax of the powers at the outputs of an example, and its cross entropy (docs/physics.md, eq. 15, 16). The classes
 * are distributed over the lanes of a warp that hold the example, in registers or in memory: for_each_class(visit)
 * calls visit(class, power) for each class of this lane, and visit may write to power. */
#ifndef CUONN_KERNELS_SOFTMAX_H
#define CUONN_KERNELS_SOFTMAX_H

#include "device.h"

/* Over the lanes of one example. */
template <int kLanes>
DEVICE float example_max(float value) {
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = fmaxf(value, shuffle_xor(value, mask));
  return value;
}

struct softmax {
  float most, sum; /* the largest power; sum of exp(power - most) */
  DEVICE double cross_entropy(float label_power) const {
    return static_cast<double>(most) - static_cast<double>(label_power) + static_cast<double>(logf(sum));
  }
};

/* Each power becomes exp(power - most). */
template <int kLanes, class ForEachClass>
DEVICE softmax softmax_of(float most, ForEachClass for_each_class) {
  float sum = 0;
  for_each_class([&](int, float &power) {
    power = expf(power - most);
    sum += power;
  });
  return {most, group_sum<kLanes>(sum)};
}

#endif
