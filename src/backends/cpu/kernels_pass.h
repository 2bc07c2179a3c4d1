/* Light that passes a nonlinearity with its phase, h = t(P) z; part of kernels_body.h. */

/* t and its derivative by the power, [real, imaginary][lane], of the lanes of one waveguide. */
typedef struct {
  _Alignas(64) float t[2][kMostLanes], slope[2][kMostLanes];
} passage;

static void absorb(passage *p, const float *power, size_t lanes, const pass_law *law) {
  for (size_t i = 0; i < lanes; i += kVector) {
    const vec unsaturated = 1 / (1 + law->saturation * at(power, i));
    const vec t = exponential(-law->half_depth * unsaturated);
    put(p->t[0], i, t);
    put(p->t[1], i, (vec){0});
    put(p->slope[0], i, law->half_depth * law->saturation * t * unsaturated * unsaturated);
    put(p->slope[1], i, (vec){0});
  }
}

/* i e^{-i d/2} cos(d/2) = (sin d + i (1 + cos d)) / 2, whose derivative by d is e^{-id} / 2. */
static void drive(passage *p, const float *power, size_t lanes, const pass_law *law) {
  double angle[kMostLanes] = {0}, sine[kMostLanes], cosine[kMostLanes];
  const double half = law->passed / 2;
  for (size_t i = 0; i < lanes; i++) angle[i] = law->gain * (double)power[i] + law->bias;
  sines(sine, cosine, angle, lanes);
  for (size_t i = 0; i < lanes; i++) {
    p->t[0][i] = (float)(half * sine[i]);
    p->t[1][i] = (float)(half * (1 + cosine[i]));
    p->slope[0][i] = (float)(half * law->gain * cosine[i]);
    p->slope[1][i] = (float)(-half * law->gain * sine[i]);
  }
}

/* z [2][lanes] = output y, and what it passes by. */
static void passage_of(passage *p, float *restrict z, const float *restrict y, const float output[2], size_t lanes,
                       const pass_law *law) {
  _Alignas(64) float power[kMostLanes];
  for (size_t i = 0; i < lanes; i++) {
    z[i] = output[0] * y[i] - output[1] * y[lanes + i];
    z[lanes + i] = output[0] * y[lanes + i] + output[1] * y[i];
    power[i] = z[i] * z[i] + z[lanes + i] * z[lanes + i];
  }
  (law->driven ? drive : absorb)(p, power, lanes, law);
}

static void pass(float *restrict h, const float *restrict y, const float (*output)[2], const pass_law *law,
                 size_t n_modes, size_t lanes) {
  _Alignas(64) float z[2 * kMostLanes];
  passage p;
  for (size_t w = 0; w < n_modes; w++, h += 2 * lanes, y += 2 * lanes) {
    passage_of(&p, z, y, output[w], lanes, law);
    for (size_t i = 0; i < lanes; i++) {
      h[i] = p.t[0][i] * z[i] - p.t[1][i] * z[lanes + i];
      h[lanes + i] = p.t[0][i] * z[lanes + i] + p.t[1][i] * z[i];
    }
  }
}

static void pass_backward(float *restrict g, const float *restrict y, const float (*output)[2], const pass_law *law,
                          size_t n_modes, size_t lanes) {
  _Alignas(64) float z[2 * kMostLanes];
  passage p;
  for (size_t w = 0; w < n_modes; w++, g += 2 * lanes, y += 2 * lanes) {
    const float out_r = output[w][0], out_i = output[w][1];
    passage_of(&p, z, y, output[w], lanes, law);
    for (size_t i = 0; i < lanes; i++) {
      const float re = g[i], im = g[lanes + i], zr = z[i], zi = z[lanes + i];
      const float slope_r = p.slope[0][i] * zr - p.slope[1][i] * zi, slope_i = p.slope[0][i] * zi + p.slope[1][i] * zr;
      const float of_power = 2 * (re * slope_r - im * slope_i);
      const float gr = p.t[0][i] * re - p.t[1][i] * im + of_power * zr;
      const float gi = p.t[0][i] * im + p.t[1][i] * re - of_power * zi;
      g[i] = out_r * gr - out_i * gi;
      g[lanes + i] = out_r * gi + out_i * gr;
    }
  }
}
