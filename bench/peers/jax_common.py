"""What the JAX peers share: loss, Adam, and an epoch inside one lax.scan."""
import jax
import jax.numpy as jnp
import numpy as np

import common

jax.config.update("jax_default_matmul_precision", "highest")  # FP32 as cuONN, no TF32


def coefficients(theta, phi):
    """Nodes of style top: T = i e^{i theta/2} [[e^{i phi} s, c], [e^{i phi} c, -s]], s, c = sin, cos(theta/2)."""
    s, c = jnp.sin(theta / 2), jnp.cos(theta / 2)
    common_factor = jax.lax.complex(-s, c)  # i e^{i theta/2}
    outer = common_factor * jax.lax.complex(jnp.cos(phi), jnp.sin(phi))
    return s * outer, c * common_factor, c * outer, -s * common_factor  # top-top, top-bottom, bottom-top, bottom-bottom


def cross_entropy(powers, label):
    """Mean over the batch and the classes, as in the study."""
    log_p = jax.nn.log_softmax(powers)
    return -jnp.take_along_axis(log_p, label[:, None], 1).mean() / common.CLASSES


def power(y):
    return y.real**2 + y.imag**2


def adam(phases, m, v, g, i):
    m = common.BETA1 * m + (1 - common.BETA1) * g
    v = common.BETA2 * v + (1 - common.BETA2) * g * g
    c1, c2 = 1 - common.BETA1 ** (i + 1.0), 1 - common.BETA2 ** (i + 1.0)
    return phases - common.RATE * (m / c1) / (jnp.sqrt(v / c2) + common.EPSILON), m, v


def start(problem):
    phases = jnp.array(np.stack([problem.theta, problem.phi]))
    return phases, jnp.zeros_like(phases), jnp.zeros_like(phases), jnp.float32(0)


def epoch_in_one_call(loss, problem):
    """(losses of the first steps, run) where run() does an epoch in one call, its state donated from call to call."""
    x, label = (jnp.array(a) for a in problem.epoch())

    def step(state, batch):
        phases, m, v, i = state
        value, g = jax.value_and_grad(loss)(phases, *batch)
        return (*adam(phases, m, v, g, i), i + 1), value

    epoch = jax.jit(lambda state, x, label: jax.lax.scan(step, state, (x, label)), donate_argnums=0)
    state, losses = epoch(start(problem), x, label)
    held = [state]

    def run():
        held[0], values = epoch(held[0], x, label)
        values.block_until_ready()

    return losses, run


def versions():
    return f"jax {jax.__version__}, numpy {np.__version__}"


def device():
    return jax.devices()[0].device_kind
