"""Meshes and fields that the tests share."""

import numpy as np

import cuonn

STYLES = ("top", "bottom", "symmetric", "differential")

# Double: fields behind 2 N stages are off by some 35 units of rounding (tests/support/parity.h), 1e-12 leaves room for
# sums over nodes and examples.  Float: the same with its unit, 6e-8, relative to the largest value.
DOUBLE, SINGLE = 1e-12, 3e-5


def mesh(n, style="top", seed=0, real=True):
    """Phases over several turns; errors and losses of a poor chip, or none."""
    rng = np.random.default_rng([seed, n, STYLES.index(style)])
    nodes = n * (n - 1) // 2
    errors = dict(coupler_error=rng.uniform(-0.1, 0.1, (nodes, 2)), loss_db=rng.uniform(0, 0.5, (nodes, 2)))
    return cuonn.Mesh(rng.uniform(-7, 7, nodes), rng.uniform(-7, 7, nodes), rng.uniform(-7, 7, n), style,
                      **(errors if real else {}))


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
