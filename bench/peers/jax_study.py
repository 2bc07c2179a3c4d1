"""The training step as the study writes it: each example goes through a mesh by lax.scan over its columns, vmap over the
examples, the gradient by jax.grad, Adam; one jitted call a step from a Python loop."""
import sys

import jax
import jax.numpy as jnp
import numpy as np

import common
import jax_common

# Node of each waveguide in each column, and the waveguide that it meets there; a waveguide without a node meets itself.
ROWS = np.arange(common.N)
PARTNER = np.array([np.clip(np.where((ROWS - c) % 2 == 0, ROWS + 1, ROWS - 1), 0, common.N - 1) for c in range(common.N)])
for column in range(1, common.N, 2):
    PARTNER[column, [0, -1]] = [0, common.N - 1]
IS_TOP = PARTNER > ROWS
IS_NODE = PARTNER != ROWS
FIRST = np.cumsum([0] + [(common.N - c % 2) // 2 for c in range(common.N)])[:-1]
NODE = np.where(IS_NODE, FIRST[:, None] + (np.minimum(ROWS, PARTNER) - np.arange(common.N)[:, None] % 2) // 2, 0)


def mesh(theta, phi, x):
    """One example through one mesh."""
    tt, tb, bt, bb = jax_common.coefficients(theta, phi)
    own = jnp.where(IS_NODE, jnp.where(IS_TOP, tt[NODE], bb[NODE]), 1)
    other = jnp.where(IS_NODE, jnp.where(IS_TOP, tb[NODE], bt[NODE]), 0)

    def column(v, c):
        own, other, partner = c
        return own * v + other * v[partner], None

    return jax.lax.scan(column, x, (own, other, jnp.array(PARTNER)))[0]


def loss(phases, x, label):
    h = x
    for layer in range(common.LAYERS):
        h = jnp.abs(jax.vmap(mesh, (None, None, 0))(*phases[:, layer], h)).astype(jnp.complex64)
    return jax_common.cross_entropy(jax_common.power(h[:, : common.CLASSES]), label)


def variant(problem):
    batches = [(jnp.array(x), jnp.array(label)) for x, label in zip(problem.input, problem.label)]

    @jax.jit
    def update(state, x, label):
        phases, m, v, i = state
        value, g = jax.value_and_grad(loss)(phases, x, label)
        return (*jax_common.adam(phases, m, v, g, i), i + 1), value

    held, losses = [jax_common.start(problem), 0], []

    def run():
        held[0], value = update(held[0], *batches[held[1] % len(batches)])
        held[1] += 1
        return value.block_until_ready()

    losses = [run() for _ in problem.loss]
    return losses, run


def main():
    problem = common.Problem(sys.argv[1])
    name, samples = common.samples_of({"columns": lambda: variant(problem)}, problem, 1)
    common.print_row("jax study", name, jax_common.versions(), jax_common.device(), samples, 1, problem.label.shape[1])


main()
