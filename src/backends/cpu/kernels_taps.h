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

INLINE pair_of_fields shifted(pair_of_fields f, const float shifter[2]) {
  const float r = shifter[0], i = shifter[1];
  return (pair_of_fields){r * f.arm_r - i * f.arm_i, r * f.arm_i + i * f.arm_r, f.other_r, f.other_i};
}

/* coupler: cosine, sine. */
INLINE pair_of_fields coupled(pair_of_fields f, const float coupler[2]) {
  const float c = coupler[0], s = coupler[1];
  return (pair_of_fields){c * f.arm_r - s * f.other_i, c * f.arm_i + s * f.other_r, c * f.other_r - s * f.arm_i,
                          c * f.other_i + s * f.arm_r};
}

/* What only some kinds of nodes have: the coupler in front, the crossing behind. */
INLINE void couple_first(float *x, const tap_node *n, size_t lanes) {
  float *const arm = x + n->arm * 2 * lanes, *const other = x + n->other * 2 * lanes;
  for (size_t i = 0; i < lanes; i += kVector) {
    put_pair(arm, other, i, lanes, coupled(get_pair(arm, other, i, lanes), n->first));
  }
}

INLINE void cross(float *x, const tap_node *n, size_t lanes) {
  float *const arm = x + n->arm * 2 * lanes, *const other = x + n->other * 2 * lanes;
  for (size_t i = 0; i < lanes; i += kVector) put_pair(other, arm, i, lanes, get_pair(arm, other, i, lanes));
}

typedef double four __attribute__((vector_size(32), aligned(16), may_alias));

/* Adds the lanes of four vectors to four sums. */
INLINE void add_four(double *sums, vec v0, vec v1, vec v2, vec v3) {
  const vec4 a = fold(v0), b = fold(v1), c = fold(v2), d = fold(v3);
  const vec4 ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  const vec4 cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
  const vec4 all = __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
  *(four *)sums += __builtin_convertvector(all, four);
}

INLINE vec power(pair_of_fields f) { return f.arm_r * f.arm_r + f.arm_i * f.arm_i; }

INLINE vec crossed(pair_of_fields x, pair_of_fields a) { return x.arm_r * a.arm_i - x.arm_i * a.arm_r; }

static void tap_backward(tap_sums *sums, float *g, size_t lanes, const tap_node *nodes, size_t n_nodes,
                         size_t n_modes) {
  for (size_t w = 0; w < n_modes; w++) {
    vec at_output = {0};
    for (size_t i = 0; i < 2 * lanes; i += kVector) at_output += at(g + w * 2 * lanes, i) * at(g + w * 2 * lanes, i);
    const vec none = {0};
    add_four(sums[n_nodes + w].sent_back, none, none, at_output, none);
  }
  for (size_t k = n_nodes; k-- > 0;) {
    const tap_node *const n = nodes + k;
    float *const arm = g + n->arm * 2 * lanes, *const other = g + n->other * 2 * lanes;
    vec at_theta = {0}, at_phi = {0};
    const vec none = {0};
    if (n->crosses) cross(g, n, lanes);
    for (size_t i = 0; i < lanes; i += kVector) {
      const pair_of_fields theta = shifted(coupled(get_pair(arm, other, i, lanes), n->right), n->inner);
      const pair_of_fields phi = shifted(coupled(theta, n->left), n->outer);
      at_theta += power(theta);
      at_phi += power(phi);
      put_pair(arm, other, i, lanes, phi);
    }
    if (n->first[1] != 0) couple_first(g, n, lanes);
    add_four(sums[k].sent_back, none, none, at_theta, at_phi);
  }
}

/* Of one tap. apart: powers of x and of a, else both together. */
typedef struct {
  vec cross, forward, sent_back;
} tap_lanes;

INLINE void tap(tap_lanes *sum, pair_of_fields x, pair_of_fields a, bool apart) {
  sum->cross += crossed(x, a);
  sum->forward += power(x);
  if (apart) {
    sum->sent_back += power(a);
  } else {
    sum->forward += power(a);
  }
}

INLINE void add_taps(tap_sums *sums, const tap_lanes *theta, const tap_lanes *phi, bool apart) {
  add_four(sums->cross, theta->cross, phi->cross, theta->forward, phi->forward);
  if (apart) add_four(sums->sent_back, theta->sent_back, phi->sent_back, (vec){0}, (vec){0});
}

INLINE void tap_measure_lanes(tap_sums *sums, float *x, float *a, const tap_node *nodes, size_t n_nodes, size_t n_modes,
                              bool apart, size_t lanes) {
  for (size_t k = 0; k < n_nodes; k++) {
    const tap_node *const n = nodes + k;
    const size_t arm = n->arm * 2 * lanes, other = n->other * 2 * lanes;
    tap_lanes theta = {0}, phi = {0};
    if (n->first[1] != 0) couple_first(x, n, lanes), couple_first(a, n, lanes);
    for (size_t i = 0; i < lanes; i += kVector) {
      pair_of_fields fx = get_pair(x + arm, x + other, i, lanes), fa = get_pair(a + arm, a + other, i, lanes);
      tap(&phi, fx, fa, apart);
      fx = coupled(shifted(fx, n->outer), n->left);
      fa = coupled(shifted(fa, n->outer), n->left);
      tap(&theta, fx, fa, apart);
      put_pair(x + arm, x + other, i, lanes, coupled(shifted(fx, n->inner), n->right));
      put_pair(a + arm, a + other, i, lanes, coupled(shifted(fa, n->inner), n->right));
    }
    if (n->crosses) cross(x, n, lanes), cross(a, n, lanes);
    add_taps(sums + k, &theta, &phi, apart);
  }
  for (size_t w = 0; w < n_modes; w++, x += 2 * lanes, a += 2 * lanes) {
    tap_lanes output = {0};
    const tap_lanes none = {0};
    for (size_t i = 0; i < lanes; i += kVector) {
      tap(&output, get_pair(x, x, i, lanes), get_pair(a, a, i, lanes), apart);
    }
    add_taps(sums + n_nodes + w, &output, &none, apart);
  }
}

static void tap_measure(tap_sums *sums, float *x, float *a, size_t lanes, const tap_node *nodes, size_t n_nodes,
                        size_t n_modes, bool apart) {
  if (apart) {
    tap_measure_lanes(sums, x, a, nodes, n_nodes, n_modes, true, lanes);
  } else {
    FOR_LANES(tap_measure_lanes, sums, x, a, nodes, n_nodes, n_modes, false)
  }
}
