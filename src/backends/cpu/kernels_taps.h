/* Hot loops of a chip's own measurements; a part of kernels_body.h. Nodes are taken stage by stage, because taps stand
 * between the stages; couplers do not tell top from bottom, so that only the arm with the shifters matters. */

typedef struct {
  vec arm_r, arm_i, other_r, other_i;
} pair_of_fields;

INLINE pair_of_fields get_pair(const float *arm, const float *other, size_t i, size_t lanes) {
  return (pair_of_fields){at(arm, i), at(arm + lanes, i), at(other, i), at(other + lanes, i)};
}

INLINE void put_pair(float *arm, float *other, size_t i, size_t lanes, pair_of_fields f) {
  put(arm, i, f.arm_r);
  put(arm + lanes, i, f.arm_i);
  put(other, i, f.other_r);
  put(other + lanes, i, f.other_i);
}

/* Shifters in one arm; in both. */
INLINE pair_of_fields shifted(pair_of_fields f, const float stage[2][2]) {
  const float r = stage[0][0], i = stage[0][1];
  return (pair_of_fields){r * f.arm_r - i * f.arm_i, r * f.arm_i + i * f.arm_r, f.other_r, f.other_i};
}

INLINE pair_of_fields both_shifted(pair_of_fields f, const float stage[2][2]) {
  const float r = stage[1][0], i = stage[1][1];
  const vec other_r = r * f.other_r - i * f.other_i, other_i = r * f.other_i + i * f.other_r;
  f = shifted(f, stage);
  return (pair_of_fields){f.arm_r, f.arm_i, other_r, other_i};
}

/* coupler: cosine, sine. */
INLINE pair_of_fields coupled(pair_of_fields f, const float coupler[2]) {
  const float c = coupler[0], s = coupler[1];
  return (pair_of_fields){c * f.arm_r - s * f.other_i, c * f.arm_i + s * f.other_r, c * f.other_r - s * f.arm_i,
                          c * f.other_i + s * f.arm_r};
}

INLINE double total(vec v) {
  const vec4 a = fold(v);
  return (double)a[0] + (double)a[1] + (double)a[2] + (double)a[3];
}

INLINE vec power(pair_of_fields f) { return f.arm_r * f.arm_r + f.arm_i * f.arm_i; }

INLINE vec crossed(pair_of_fields x, pair_of_fields a) { return x.arm_r * a.arm_i - x.arm_i * a.arm_r; }

static void tap_forward(float *x, size_t lanes, const tap_node *nodes, size_t n_nodes) {
  for (const tap_node *n = nodes; n < nodes + n_nodes; n++) {
    float *const arm = x + n->arm * 2 * lanes, *const other = x + n->other * 2 * lanes;
    for (size_t i = 0; i < lanes; i += kVector) {
      const pair_of_fields between = coupled(both_shifted(get_pair(arm, other, i, lanes), n->outer), n->left);
      put_pair(arm, other, i, lanes, coupled(both_shifted(between, n->inner), n->right));
    }
  }
}

static void tap_backward(tap_sums *sums, float *g, size_t lanes, const tap_node *nodes, size_t n_nodes) {
  for (size_t k = n_nodes; k-- > 0;) {
    const tap_node *const n = nodes + k;
    float *const arm = g + n->arm * 2 * lanes, *const other = g + n->other * 2 * lanes;
    vec at_theta = {0}, at_phi = {0};
    for (size_t i = 0; i < lanes; i += kVector) {
      const pair_of_fields theta = shifted(coupled(get_pair(arm, other, i, lanes), n->right), n->inner);
      const pair_of_fields phi = shifted(coupled(theta, n->left), n->outer);
      at_theta += power(theta);
      at_phi += power(phi);
      put_pair(arm, other, i, lanes, phi);
    }
    sums[k].back[0] += total(at_theta);
    sums[k].back[1] += total(at_phi);
  }
}

static void tap_measure(tap_sums *sums, float *x, float *a, size_t lanes, const tap_node *nodes, size_t n_nodes) {
  for (size_t k = 0; k < n_nodes; k++) {
    const tap_node *const n = nodes + k;
    const size_t arm = n->arm * 2 * lanes, other = n->other * 2 * lanes;
    vec cross[2] = {0}, of_x[2] = {0}, of_a[2] = {0}; /* theta, phi */
    for (size_t i = 0; i < lanes; i += kVector) {
      pair_of_fields fx = get_pair(x + arm, x + other, i, lanes), fa = get_pair(a + arm, a + other, i, lanes);
      cross[1] += crossed(fx, fa);
      of_x[1] += power(fx);
      of_a[1] += power(fa);
      fx = coupled(shifted(fx, n->outer), n->left);
      fa = coupled(shifted(fa, n->outer), n->left);
      cross[0] += crossed(fx, fa);
      of_x[0] += power(fx);
      of_a[0] += power(fa);
      put_pair(x + arm, x + other, i, lanes, coupled(shifted(fx, n->inner), n->right));
      put_pair(a + arm, a + other, i, lanes, coupled(shifted(fa, n->inner), n->right));
    }
    for (size_t p = 0; p < 2; p++) {
      sums[k].cross[p] += total(cross[p]);
      sums[k].forward[p] += total(of_x[p]);
      sums[k].sent_back[p] += total(of_a[p]);
    }
  }
}

static void multiply(float *y, const float *matrix, const float *x, size_t n, size_t lanes) {
  for (size_t row = 0; row < n; row++) {
    for (size_t i = 0; i < lanes; i += kVector) {
      vec r = {0}, s = {0};
      for (size_t j = 0; j < n; j++) {
        const float mr = matrix[2 * (row * n + j)], mi = matrix[2 * (row * n + j) + 1];
        const vec xr = at(x + j * 2 * lanes, i), xi = at(x + j * 2 * lanes + lanes, i);
        r += mr * xr - mi * xi;
        s += mr * xi + mi * xr;
      }
      put(y + row * 2 * lanes, i, r);
      put(y + row * 2 * lanes + lanes, i, s);
    }
  }
}

static void add_products(double *sums, const float *x, const float *g, size_t n, size_t lanes) {
  for (size_t k = 0; k < n; k++, g += 2 * lanes) {
    vec r = {0}, s = {0};
    for (size_t i = 0; i < lanes; i += kVector) {
      const vec xr = at(x, i), xi = at(x + lanes, i), gr = at(g, i), gi = at(g + lanes, i);
      r += gr * xr - gi * xi;
      s += gr * xi + gi * xr;
    }
    sums[2 * k] += total(r);
    sums[2 * k + 1] += total(s);
  }
}
