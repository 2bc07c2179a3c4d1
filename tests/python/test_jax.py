"""cuonn.jax against a mesh written plainly in JAX: values, gradients, jit, vmap over everything."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import cuonn
import plain
from common import DOUBLE, SHAPE_IDS, SHAPES, SINGLE, STYLES, close, close_all, columns_of, fields, mesh, shaped
from cuonn.jax import matrix, propagate

jax.config.update("jax_enable_x64", True)


def arguments(m, x):
    return tuple(map(jnp.asarray, (m.theta, m.phi, m.gamma, x)))


def plainly(m, backward=False, columns=None):
    def f(theta, phi, gamma, x):
        u = jnp.stack(plain.matrix(theta, phi, gamma, m.coupler_error, m.loss_db, m.style, jnp, jnp.eye(m.n_modes),
                                   columns, m.shape.node))
        return x @ (u if backward else u.T)
    return f


def ours(m, **options):
    return lambda theta, phi, gamma, x: propagate(theta, phi, gamma, x, style=m.style, coupler_error=m.coupler_error,
                                                  loss_db=m.loss_db, **options)


def loss(f):
    """Real, of complex fields, with a weight that tells real from imaginary parts."""
    return lambda *a: jnp.sum((f(*a)[..., 0] * (2 + 1j)).real ** 2) + jnp.sum(jnp.abs(f(*a)[..., 1:]) ** 4)


@pytest.mark.parametrize("backward", (False, True))
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("n", (2, 5, 6))
def test_values_and_gradients(n, style, backward):
    m, x = mesh(n, style), fields((3, n))
    a = arguments(m, x)
    close(ours(m, backward=backward)(*a), plainly(m, backward)(*a), DOUBLE)
    got = jax.grad(loss(ours(m, backward=backward)), (0, 1, 2, 3))(*a)
    want = jax.grad(loss(plainly(m, backward)), (0, 1, 2, 3))(*a)
    close_all(got, want, DOUBLE)


def test_single_precision():
    m, x = mesh(7), fields((3, 7), dtype=np.complex64)
    a = [jnp.asarray(v, jnp.float32) for v in (m.theta, m.phi, m.gamma)] + [jnp.asarray(x)]
    y = ours(m)(*a)
    assert y.dtype == jnp.complex64
    close(y, m.propagate(x), SINGLE)
    got, want = (jax.grad(loss(f), (0, 1, 2, 3))(*a) for f in (ours(m), plainly(m)))
    close_all(got, want, SINGLE)


@pytest.mark.parametrize("n, how", SHAPES, ids=SHAPE_IDS)
def test_shapes(n, how):
    """Every architecture: values, gradients of fields that come from either side, and phases side by side."""
    m, x = shaped(n, how), fields((3, n))
    a = arguments(m, x)
    for backward in (False, True):
        f, want = ours(m, backward=backward, shape=m.shape), plainly(m, backward, columns_of(n, how))
        close(f(*a), want(*a), DOUBLE)
        close_all(jax.jit(jax.grad(loss(f), (0, 1, 2, 3)))(*a), jax.grad(loss(want), (0, 1, 2, 3))(*a), DOUBLE)
    b = stacked(a, (0, 0, 0, None))
    close(jax.vmap(f, (0, 0, 0, None))(*b), one_by_one(f, b, (0, 0, 0, None)), DOUBLE)
    close(matrix(*a[:3], style=m.style, coupler_error=m.coupler_error, loss_db=m.loss_db, shape=m.shape,
                 dtype=jnp.complex128), m.matrix(), DOUBLE)


def test_jit_gives_the_same_bits():
    m, x = mesh(6), fields((3, 6))
    a = arguments(m, x)
    assert np.array_equal(jax.jit(ours(m))(*a), ours(m)(*a))
    assert np.array_equal(jax.jit(matrix, static_argnames="style")(*a[:3], style=m.style),
                          matrix(*a[:3], style=m.style))


MAPPED = [(0, None, None, None), (None, 0, None, None), (None, None, 0, None), (None, None, None, 0), (0, 0, 0, None),
          (0, 0, 0, 0), (None, None, None, 1)]


def stacked(a, axes, size=3):
    rng = np.random.default_rng(5)
    return tuple(v if axis is None else jnp.stack([v * (1 + rng.normal()) for _ in range(size)], axis)
                 for v, axis in zip(a, axes))


def one_by_one(f, a, axes, size=3):
    return jnp.stack([f(*(v if axis is None else jnp.take(v, i, axis) for v, axis in zip(a, axes)))
                      for i in range(size)])


@pytest.mark.parametrize("axes", MAPPED, ids=str)
@pytest.mark.parametrize("what", ("values", "gradients"))
def test_vmap(axes, what):
    m, x = mesh(5), fields((4, 5))
    f = ours(m) if what == "values" else jax.grad(loss(ours(m)))
    a = stacked(arguments(m, x), axes)
    close(jax.vmap(f, axes)(*a), one_by_one(f, a, axes), DOUBLE)


@pytest.mark.parametrize("inner", MAPPED[:4], ids=str)
@pytest.mark.parametrize("outer", MAPPED[:4], ids=str)
def test_nested_vmap(outer, inner):
    m, x = mesh(4), fields((2, 4))
    f = ours(m)
    a = stacked(stacked(arguments(m, x), inner), outer)
    want = one_by_one(lambda *b: one_by_one(f, b, inner), a, outer)
    close(jax.vmap(jax.vmap(f, inner), outer)(*a), want, DOUBLE)


def test_one_example_and_none():
    m = mesh(4)
    a = arguments(m, fields((4,)))
    close(ours(m)(*a), plainly(m)(*a), DOUBLE)
    empty = (*a[:3], jnp.zeros((0, 4), complex))
    assert ours(m)(*empty).shape == (0, 4)
    assert not jax.grad(loss(ours(m)))(*empty).any()


def test_training_in_jax():
    """Gradient descent on the distance to another mesh's matrix comes down; the loop is one jit."""
    target = cuonn.Mesh.haar(4, seed=2).matrix()
    m = cuonn.Mesh.haar(4, seed=1)

    def distance(phases):
        return jnp.sum(jnp.abs(matrix(*phases, dtype=jnp.complex128) - target) ** 2)

    @jax.jit
    def step(phases):
        return jax.tree.map(lambda p, g: p - 0.05 * g, phases, jax.grad(distance)(phases))

    phases = tuple(map(jnp.asarray, (m.theta, m.phi, m.gamma)))
    before = distance(phases)
    for _ in range(200):
        phases = step(phases)
    assert distance(phases) < 0.5 * before


def test_refuses():
    m = mesh(4)
    theta, phi, gamma, x = arguments(m, fields((4,)))
    with pytest.raises(cuonn.ShapeError, match="gamma has the shape"):
        propagate(theta, phi, gamma[1:], x)
    with pytest.raises(cuonn.ShapeError, match="4 waveguides"):
        propagate(theta, phi, gamma, x[1:])
    with pytest.raises(cuonn.ShapeError, match="coupler_error"):
        propagate(theta, phi, gamma, x, coupler_error=np.zeros((3, 2)))
    with pytest.raises(TypeError, match="traced"):
        jax.jit(lambda e: propagate(theta, phi, gamma, x, coupler_error=e))(jnp.zeros((6, 2)))
    with pytest.raises(Exception, match="coupler_error.* is nan"):
        propagate(theta, phi, gamma, x, coupler_error=np.full((6, 2), np.nan)).block_until_ready()
    with pytest.raises(cuonn.ShapeError, match="gamma has the shape \\(4,\\), \\(5,\\) is needed"):
        propagate(*map(jnp.zeros, (10, 10, 4)), x, shape=cuonn.Shape(5, "triangular"))
    with pytest.raises(cuonn.ShapeError, match="theta has the shape"):
        propagate(theta, phi, gamma, x, shape=cuonn.Shape(4, "tree"))
    with pytest.raises(cuonn.ArgumentError, match="it must be a cuonn.Shape"):
        propagate(theta, phi, gamma, x, shape="triangular")
