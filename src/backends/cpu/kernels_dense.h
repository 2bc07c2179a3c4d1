/* Rows of a layer's matrix by its nodes, and their derivatives; complex products by three real ones. Part of
 * kernels_body.h. */

/* Whether a node reaches one of the outputs first .. first + lanes - 1. */
static inline bool reaches(node_reach reach, size_t first, size_t lanes) {
  return reach.from < first + lanes && reach.end > first;
}

static inline size_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline size_t largest(uint32_t a, uint32_t b) { return a < b ? b : a; }

/* A node whose waveguides were just written is read as a whole before any of it is written, as far as registers go, so
 * that no load waits for a store to another address: a third of the time. */
enum { kReadTogether = kVector == 16 ? 2 : 1 };

INLINE void ideal_transposed_lanes(float *g, const ideal_node *nodes, const node_reach *reach, size_t n_nodes,
                                   size_t first, size_t lanes, size_t vectors) {
  const size_t step = 2 * lanes;
  for (size_t k = n_nodes; k-- > 0;) {
    const ideal_node *const n = nodes + k;
    if (!reaches(reach[k], first, lanes)) continue;
    const float *const a = g + n->a * step, *const b = g + n->b * step;
    float *const top = g + least(n->a, n->b) * step, *const bottom = g + largest(n->a, n->b) * step;
    const float zr = n->zeta[0], zi = n->zeta[1], t = n->t;
    for (size_t i = 0; i < lanes; i += vectors * kVector) {
      vec ar[2], ai[2], br[2], bi[2];
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        ar[v] = at(a, l), ai[v] = at(a + lanes, l), br[v] = at(b, l), bi[v] = at(b + lanes, l);
      }
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        const vec r = ar[v] + t * br[v], s = ai[v] + t * bi[v];
        put(bottom, l, t * ar[v] - br[v]);
        put(bottom + lanes, l, t * ai[v] - bi[v]);
        put(top, l, zr * r - zi * s);
        put(top + lanes, l, zr * s + zi * r);
      }
    }
  }
}

static void ideal_transposed(float *g, size_t lanes, const ideal_node *nodes, const node_reach *reach, size_t n_nodes,
                             size_t first) {
  if (lanes == 32) {
    ideal_transposed_lanes(g, nodes, reach, n_nodes, first, 32, 2);
  } else {
    ideal_transposed_lanes(g, nodes, reach, n_nodes, first, lanes, 1);
  }
}

/* Fields and cotangents of one vector of lanes. */
typedef struct {
  vec tr, ti, br, bi, gtr, gti, gbr, gbi;
} node_lanes;

INLINE void ideal_together_lanes(node_sums *sums, float *x, float *g, const ideal_node *nodes, const node_reach *reach,
                                 size_t n_nodes, size_t first, size_t lanes, size_t vectors) {
  const size_t step = 2 * lanes;
  for (size_t k = 0; k < n_nodes; k++) {
    const ideal_node *const n = nodes + k;
    if (!reaches(reach[k], first, lanes)) continue;
    const size_t top = least(n->a, n->b) * step, bottom = largest(n->a, n->b) * step;
    float *const xa = x + n->a * step, *const xb = x + n->b * step, *const ga = g + n->a * step,
                 *const gb = g + n->b * step;
    const float zr = n->zeta[0], zi = n->zeta[1], wr = n->undo[0], wi = n->undo[1], t = n->t, norm = n->norm;
    const float t_norm = t * norm;
    vec through = {0}, across = {0}, across2 = {0};
    for (size_t i = 0; i < lanes; i += vectors * kVector) {
      node_lanes in[2];
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        in[v] = (node_lanes){at(x + top, l), at(x + top + lanes, l), at(x + bottom, l), at(x + bottom + lanes, l),
                             at(g + top, l), at(g + top + lanes, l), at(g + bottom, l), at(g + bottom + lanes, l)};
      }
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        const node_lanes z = in[v];
        through += z.tr * z.gti;
        through += z.ti * z.gtr;
        const vec ur = wr * z.gtr - wi * z.gti, ui = wr * z.gti + wi * z.gtr; /* norm (g_a + t g_b) */
        const vec gar = ur + t_norm * z.gbr, gai = ui + t_norm * z.gbi;
        const vec gcr = t * ur - norm * z.gbr, gci = t * ui - norm * z.gbi;
        const vec r = zr * z.tr - zi * z.ti, s = zr * z.ti + zi * z.tr;
        const vec ar = r + t * z.br, ai = s + t * z.bi, cr = t * r - z.br, ci = t * s - z.bi;
        put(ga, l, gar);
        put(ga + lanes, l, gai);
        put(gb, l, gcr);
        put(gb + lanes, l, gci);
        put(xa, l, ar);
        put(xa + lanes, l, ai);
        put(xb, l, cr);
        put(xb + lanes, l, ci);
        across += ar * gcr;
        across2 += ai * gci;
        across -= cr * gar;
        across2 -= ci * gai;
      }
    }
    add_lanes(sums + k, through, across - across2);
  }
}

static void ideal_together(node_sums *sums, float *x, float *g, size_t lanes, const ideal_node *nodes,
                           const node_reach *reach, size_t n_nodes, size_t first) {
  if (lanes == 32) {
    ideal_together_lanes(sums, x, g, nodes, reach, n_nodes, first, 32, kReadTogether);
  } else {
    ideal_together_lanes(sums, x, g, nodes, reach, n_nodes, first, lanes, 1);
  }
}

/* The cotangent's part of general_backward. */
INLINE void general_transposed_lanes(float *g, const general_node *nodes, size_t n_nodes, size_t lanes,
                                     size_t vectors) {
  const size_t step = 2 * lanes;
  for (size_t k = n_nodes; k-- > 0;) {
    const general_node *const n = nodes + k;
    float *const top = g + n->top * step, *const bottom = g + n->bottom * step;
    const complex_float tt = element(n->m[0][0]), tb = element(n->m[0][1]), bt = element(n->m[1][0]),
                        bb = element(n->m[1][1]);
    for (size_t i = 0; i < lanes; i += vectors * kVector) {
      vec tr[2], ti[2], br[2], bi[2];
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        tr[v] = at(top, l), ti[v] = at(top + lanes, l), br[v] = at(bottom, l), bi[v] = at(bottom + lanes, l);
      }
      for (size_t v = 0, l = i; v < vectors; v++, l += kVector) {
        put(top, l, combine_real(tt, bt, tr[v], ti[v], br[v], bi[v]));
        put(top + lanes, l, combine_imaginary(tt, bt, tr[v], ti[v], br[v], bi[v]));
        put(bottom, l, combine_real(tb, bb, tr[v], ti[v], br[v], bi[v]));
        put(bottom + lanes, l, combine_imaginary(tb, bb, tr[v], ti[v], br[v], bi[v]));
      }
    }
  }
}

static void general_transposed(float *g, size_t lanes, const general_node *nodes, size_t n_nodes) {
  if (lanes == 32) {
    general_transposed_lanes(g, nodes, n_nodes, 32, kReadTogether);
  } else {
    general_transposed_lanes(g, nodes, n_nodes, lanes, 1);
  }
}

/* At i the sum of n parts, at most 2, 4, 8, 16, in the order of tree.h. */
static inline vec sum_2(const float *parts, size_t n, size_t step, size_t i) {
  vec sum = at(parts, i);
  if (n > 1) sum += at(parts + step, i);
  return sum;
}
static inline vec sum_4(const float *parts, size_t n, size_t step, size_t i) {
  vec sum = sum_2(parts, n, step, i);
  if (n > 2) sum += sum_2(parts + 2 * step, n - 2, step, i);
  return sum;
}
static inline vec sum_8(const float *parts, size_t n, size_t step, size_t i) {
  vec sum = sum_4(parts, n, step, i);
  if (n > 4) sum += sum_4(parts + 4 * step, n - 4, step, i);
  return sum;
}
static inline vec sum_16(const float *parts, size_t n, size_t step, size_t i) {
  vec sum = sum_8(parts, n, step, i);
  if (n > 8) sum += sum_8(parts + 8 * step, n - 8, step, i);
  return sum;
}

static void sum_parts(float *restrict to, const float *restrict parts, size_t n_parts, size_t step, size_t count) {
  if (n_parts == 16) {
    for (size_t i = 0; i < count; i += kVector) put(to, i, sum_16(parts, 16, step, i));
  } else if (n_parts == 8) {
    for (size_t i = 0; i < count; i += kVector) put(to, i, sum_8(parts, 8, step, i));
  } else {
    for (size_t i = 0; i < count; i += kVector) put(to, i, sum_16(parts, n_parts, step, i));
  }
}

static void split_complex(float *restrict parts, const float *restrict z, size_t rows, size_t lanes) {
  const size_t size = rows * lanes;
  for (size_t r = 0; r < rows; r++, parts += lanes, z += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++) {
      parts[i] = z[i];
      parts[size + i] = z[lanes + i] - z[i];
      parts[2 * size + i] = z[i] + z[lanes + i];
    }
  }
}

static void join_complex(float *restrict z, const float *restrict parts, size_t rows, size_t lanes) {
  const size_t size = rows * lanes;
  for (size_t r = 0; r < rows; r++, parts += lanes, z += 2 * lanes) {
    for (size_t i = 0; i < lanes; i++) {
      z[i] = parts[i] - parts[2 * size + i];
      z[lanes + i] = parts[i] + parts[size + i];
    }
  }
}
