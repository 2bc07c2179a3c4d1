"""Meshes and fields that the tests share."""

import numpy as np

import cuonn
import plain

STYLES = ("top", "bottom", "symmetric", "differential")

# Double: fields behind 2 N stages are off by some 35 units of rounding (tests/support/parity.h), 1e-12 leaves room for
# sums over nodes and examples.  Float: the same with its unit, 6e-8, relative to the largest value.
DOUBLE, SINGLE = 1e-12, 3e-5


def mesh(n, style="top", seed=0, real=True):
    """Phases over several turns; errors and losses of a poor chip, or none."""
    rng = np.random.default_rng([seed, n, STYLES.index(style)])
    return _drawn(rng, n, n * (n - 1) // 2, style, real)


def _drawn(rng, n, nodes, style, real, **shape):
    couplers = 3 if shape.get("node") == "mzi3" else 2
    errors = dict(coupler_error=rng.uniform(-0.1, 0.1, (nodes, couplers)), loss_db=rng.uniform(0, 0.5, (nodes, 2)))
    return cuonn.Mesh(rng.uniform(-7, 7, nodes), rng.uniform(-7, 7, nodes), rng.uniform(-7, 7, n), style,
                      **(errors if real else {}), **shape)


# Shapes other than rectangular meshes of MZIs and N columns, by waveguides and arguments of cuonn.Mesh.  The custom one has an
# odd number of waveguides, pairs that are not neighbours and cross, columns without a node, also the last one.
CUSTOM = [[(0, 5), (1, 3)], [(2, 6)], [], [(4, 5), (0, 1), (3, 6)], [(1, 4)], []]
SHAPES = [(6, {"columns": 3}), (5, {"columns": 9}), (2, {"architecture": "triangular"}),
          (5, {"architecture": "triangular"}), (8, {"architecture": "triangular"}), (4, {"architecture": "butterfly"}),
          (16, {"architecture": "butterfly"}), (7, {"architecture": "tree"}), (8, {"architecture": "tree"}),
          (5, {"node": "mzi3"}), (4, {"node": "mzix"}), (5, {"architecture": "triangular", "node": "mzix"}),
          (7, {"architecture": "custom", "pairs": CUSTOM, "node": "mzi3"}),
          (7, {"architecture": "custom", "pairs": CUSTOM})]
SHAPE_IDS = ["-".join([str(n), how.get("architecture", "rectangular"), *(["columns"] if "columns" in how else []),
                       *([how["node"]] if "node" in how else [])])
             for n, how in SHAPES]


def columns_of(n, how):
    """The pairs of each column of one of SHAPES, by rules of our own."""
    return how.get("pairs") or plain.columns(n, how.get("architecture", "rectangular"), how.get("columns"))


def shaped(n, how, style="top", seed=0, real=True):
    """A mesh as mesh() gives it, of one of SHAPES."""
    rng = np.random.default_rng([seed, n, STYLES.index(style)])
    return _drawn(rng, n, sum(map(len, columns_of(n, how))), style, real, **how)


def fields(shape, seed=0, dtype=np.complex128):
    rng = np.random.default_rng([seed, *shape])
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


def close(got, want, allowed, scale=0):
    """Whether |got - want| is at most `allowed` of the largest |want|, or of `scale`; not with NaN."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, (got.shape, want.shape)
    if want.size == 0:
        return
    error, scale = np.abs(got - want).max(), max(np.abs(want).max(), scale)
    assert error <= allowed * scale, f"off by {error:.3g}, largest value {scale:.3g}"


def close_all(got, want, allowed):
    """Gradients together, because one of them may be nothing but rounding."""
    got, want = [np.asarray(g) for g in got], [np.asarray(w) for w in want]
    scale = max(np.abs(w).max() for w in want)
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        close(g, w, allowed, scale)
