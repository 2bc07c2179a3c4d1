/* What losses make of the powers of outputs, one example a lane; part of kernels_body.h. */

typedef int32_t ints __attribute__((vector_size(kVector * sizeof(int32_t)), may_alias));

static inline ints ints_at(const uint32_t *p, size_t lane) { return *(const ints *)(p + lane); }
static inline vec choose(ints which, vec yes, vec no) { return (vec)(((ints)yes & which) | ((ints)no & ~which)); }

/* e^x for x <= 0: x = k log 2 + r with |r| <= log(2) / 2, log 2 in two parts of which the first has 9 bits, and the
 * Taylor series of e^r, whose first left-out term is 5e-9. 0 below -87, where e^x is less than 2e-38; NaN stays NaN. */
static inline vec exponential(vec x) {
  const float shift = 0x1.8p23f, log2_high = 0x1.63p-1f, log2_low = -0x1.bd0106p-13f;
  const ints far = x < -87.0f;
  x = choose(far, (vec){0} - 87.0f, x);
  const vec shifted = x * (float)M_LOG2E + shift, k = shifted - shift, r = (x - k * log2_high) - k * log2_low;
  const vec p =
      1 +
      r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * (1.f / 720 + r * (1.f / 5040)))))));
  const vec power = (vec)(((ints)shifted + 127) << 23); /* 2^k: k is in the lowest bits of what was shifted */
  return choose(far, (vec){0}, p * power);
}

static void softmax(float *restrict p, float *restrict sum, float *restrict less, uint32_t *restrict best,
                    const float *restrict y, const float *factor, const uint32_t *label, size_t n_classes,
                    size_t lanes) {
  for (size_t i = 0; i < lanes; i += kVector) {
    const ints own_class = ints_at(label, i);
    vec most = {0}, own = {0}, total = {0};
    ints at_most = {0};
    for (size_t c = 0; c < n_classes; c++) {
      const vec re = factor[c] * at(y + c * 2 * lanes, i), im = factor[c] * at(y + (c * 2 + 1) * lanes, i);
      const vec power = re * re + im * im;
      const ints class = (ints){0} + (int32_t)c, larger = (ints)(power > most) | (class == 0);
      most = choose(larger, power, most);
      at_most = (class & larger) | (at_most & ~larger);
      own = choose(own_class == class, power, own);
      put(p + c * lanes, i, power);
    }
    for (size_t c = 0; c < n_classes; c++) {
      const vec e = exponential(at(p + c * lanes, i) - most);
      total += e;
      put(p + c * lanes, i, e);
    }
    for (size_t c = 0; c < n_classes; c++) put(p + c * lanes, i, at(p + c * lanes, i) / total);
    put(sum, i, total);
    put(less, i, most - own);
    *(ints *)(best + i) = at_most;
  }
}

static void squared_error(float *restrict p, float *restrict sum, uint32_t *restrict best, const float *restrict y,
                          const float *factor, const uint32_t *label, size_t n_classes, size_t lanes) {
  for (size_t i = 0; i < lanes; i += kVector) {
    const ints own_class = ints_at(label, i);
    vec most = {0}, total = {0};
    ints at_most = {0};
    for (size_t c = 0; c < n_classes; c++) {
      const vec re = factor[c] * at(y + c * 2 * lanes, i), im = factor[c] * at(y + (c * 2 + 1) * lanes, i);
      const vec power = re * re + im * im;
      const ints class = (ints){0} + (int32_t)c, larger = (ints)(power > most) | (class == 0);
      const vec miss = power - choose(own_class == class, (vec){0} + 1, (vec){0});
      most = choose(larger, power, most);
      at_most = (class & larger) | (at_most & ~larger);
      total += miss * miss;
      put(p + c * lanes, i, power);
    }
    put(sum, i, total);
    *(ints *)(best + i) = at_most;
  }
}

static void softmax_backward(float *restrict g, const float *restrict p, const float *restrict y, const float *factor,
                             const uint32_t *label, float twice_share, size_t n_classes, size_t lanes) {
  for (size_t c = 0; c < n_classes; c++) {
    const float weight = twice_share * factor[c] * factor[c];
    for (size_t i = 0; i < lanes; i += kVector) {
      const ints own_class = ints_at(label, i);
      const vec own = choose(own_class == (int32_t)c, (vec){0} + 1, (vec){0});
      const vec u = choose(own_class == -1, (vec){0}, weight * (at(p + c * lanes, i) - own));
      put(g + c * 2 * lanes, i, u * at(y + c * 2 * lanes, i));
      put(g + (c * 2 + 1) * lanes, i, -u * at(y + (c * 2 + 1) * lanes, i));
    }
  }
}
