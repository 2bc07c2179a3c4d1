"""JAX: the matrices of all meshes are built once a step by lax.scan over pairs of columns, and the batch goes through them by
matrix products; an epoch inside one lax.scan, its state donated."""
import functools
import sys

import jax
import jax.numpy as jnp

import common
import jax_common

HALF = common.N // 2


def couple(rows, c):
    """Neighbouring rows [layer][2 k][N] through k nodes."""
    top, bottom = rows[:, 0::2], rows[:, 1::2]
    tt, tb, bt, bb = (part[..., None] for part in c)
    return jnp.stack([tt * top + tb * bottom, bt * top + bb * bottom], 2).reshape(rows.shape)


def matrices(phases, unroll):
    """[layer][N][N]; an even column has N/2 nodes, an odd one N/2 - 1."""
    theta, phi = phases.reshape(2, common.LAYERS, HALF, common.N - 1).transpose(0, 2, 1, 3)
    c = jax_common.coefficients(theta, phi)

    def pair(u, c):
        u = couple(u, [part[:, :HALF] for part in c])
        inner = couple(u[:, 1:-1], [part[:, HALF:] for part in c])
        return jnp.concatenate([u[:, :1], inner, u[:, -1:]], 1), None

    unit = jnp.broadcast_to(jnp.eye(common.N, dtype=jnp.complex64), (common.LAYERS, common.N, common.N))
    return jax.lax.scan(pair, unit, c, unroll=unroll)[0]


def loss(phases, x, label, unroll):
    u = matrices(phases, unroll)
    y = x @ u[0].T
    for layer in range(1, common.LAYERS):
        h = jnp.abs(y)
        u_l = u[layer] if layer + 1 < common.LAYERS else u[layer, : common.CLASSES]
        y = jax.lax.complex(h @ u_l.real.T, h @ u_l.imag.T)  # h is real: half the work
    return jax_common.cross_entropy(jax_common.power(y), label)


def main():
    problem = common.Problem(sys.argv[1])
    variants = {f"unroll {k}": functools.partial(jax_common.epoch_in_one_call, functools.partial(loss, unroll=k), problem)
                for k in (1, 4, 32)}
    name, samples = common.samples_of(variants, problem, common.EPOCH)
    common.print_row("jax pairs", name, jax_common.versions(), jax_common.device(), samples, common.EPOCH,
                     problem.label.shape[1])


main()
