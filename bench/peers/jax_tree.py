"""JAX: the matrices of all meshes as a tree product. Matrices of pairs of columns are written out, then multiplied two by two
in log2(N/2) batched products, all layers at once; an epoch inside one lax.scan, its state donated."""
import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np

import common
import jax_common

HALF = common.N // 2
ROWS = np.arange(common.N)
EVEN_PARTNER = ROWS ^ 1
ODD_PARTNER = np.concatenate([[0], (np.arange(1, common.N - 1) - 1 ^ 1) + 1, [common.N - 1]])


def pair_matrices(phases):
    """[layer][pair][N][N] = odd column x even column, four elements a row."""
    theta, phi = phases.reshape(2, common.LAYERS, HALF, common.N - 1)
    tt, tb, bt, bb = jax_common.coefficients(theta, phi)

    def rows(top, bottom):  # of one column, by waveguide
        return jnp.stack([top, bottom], -1).reshape(common.LAYERS, HALF, -1)

    def ends(inner, value):  # an odd column passes the first and the last waveguide on
        return jnp.pad(inner, ((0, 0), (0, 0), (1, 1)), constant_values=value)

    unit, across = np.eye(common.N, dtype=np.float32), np.eye(common.N, dtype=np.float32)[EVEN_PARTNER]
    own, other = rows(tt[..., :HALF], bb[..., :HALF]), rows(tb[..., :HALF], bt[..., :HALF])
    even = own[..., None] * unit + other[..., None] * across
    own, other = ends(rows(tt[..., HALF:], bb[..., HALF:]), 1), ends(rows(tb[..., HALF:], bt[..., HALF:]), 0)
    return own[..., None] * even + other[..., None] * even[:, :, ODD_PARTNER]


def complex_product(p):
    while p.shape[1] > 1:
        p = p[:, 1::2] @ p[:, 0::2]
    return p[:, 0]


def real_product(p):
    """The same with real and imaginary parts apart: each level is one real product, [re -im; im re] [re; im]."""
    re, im = p.real, p.imag
    while re.shape[1] > 1:
        a_re, a_im, b = re[:, 1::2], im[:, 1::2], jnp.concatenate([re[:, 0::2], im[:, 0::2]], -2)
        full = jnp.concatenate([jnp.concatenate([a_re, -a_im], -1), jnp.concatenate([a_im, a_re], -1)], -2)
        re, im = jnp.split(full @ b, 2, -2)
    return jax.lax.complex(re[:, 0], im[:, 0])


def loss(phases, x, label, product):
    u = product(pair_matrices(phases))
    y = x @ u[0].T
    for layer in range(1, common.LAYERS):
        h = jnp.abs(y)
        u_l = u[layer] if layer + 1 < common.LAYERS else u[layer, : common.CLASSES]
        y = jax.lax.complex(h @ u_l.real.T, h @ u_l.imag.T)  # h is real: half the work
    return jax_common.cross_entropy(jax_common.power(y), label)


def main():
    problem = common.Problem(sys.argv[1])
    variants = {f.__name__: functools.partial(jax_common.epoch_in_one_call, functools.partial(loss, product=f), problem)
                for f in (complex_product, real_product)}
    name, samples = common.samples_of(variants, problem, common.EPOCH)
    common.print_row("jax tree", name, jax_common.versions(), jax_common.device(), samples, common.EPOCH,
                     problem.label.shape[1])


main()
