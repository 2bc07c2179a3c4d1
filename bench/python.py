"""Times the Python package: one training step of a mesh in cuonn.torch and cuonn.jax beside plain programs of the same
mesh, and what a call costs beside a call of ctypes that does nothing.

    python bench/python.py [--threads T] [--json FILE]

A step is loss and gradients of sum |y|^4 over all phases, N = 64, 512 examples, float. The plain programs send the
fields through the columns of nodes, or send the unit vectors through them and multiply by the matrix, whichever is
faster; JAX compiles them whole. All run in one process, in turn; the least and the median of the rounds count.
"""

import argparse
import ctypes
import json
import os
import statistics
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--modes", type=int, default=64)
parser.add_argument("--batch", type=int, default=512)
parser.add_argument("--json")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)
os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if options.threads > 1 else 'false'}"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, set(list(sorted(os.sched_getaffinity(0)))[:options.threads]))

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import cuonn  # noqa: E402
import cuonn.jax  # noqa: E402
import cuonn.torch  # noqa: E402
from cuonn import _library as lib  # noqa: E402

torch.set_num_threads(options.threads)
N, BATCH = options.modes, options.batch
mesh = cuonn.Mesh.haar(N, seed=1)
rng = np.random.default_rng(0)
x = (rng.normal(size=(BATCH, N)) + 1j * rng.normal(size=(BATCH, N))).astype(np.complex64)
start = [getattr(mesh, name).astype(np.float32) for name in ("theta", "phi", "gamma")]


# ---- plain programs: nodes of style top, T = i e^{i theta/2} [[e^{i phi} s, c], [e^{i phi} c, -s]], s, c of theta/2

def columns(theta, phi, gamma, fields, xp, cat):
    """Fields [example][N] through all columns; theta and phi in the order of the nodes."""
    s, c = xp.sin(theta / 2), xp.cos(theta / 2)
    common = xp.exp(0.5j * theta) * 1j
    outer = common * xp.exp(1j * phi)
    a, b, d, e = s * outer, c * common, c * outer, -s * common
    first = 0
    for column in range(N):
        odd, count = column % 2, (N - column % 2) // 2
        k = slice(first, first + count)
        first += count
        inner = fields[:, odd:odd + 2 * count].reshape(-1, count, 2)
        top, bottom = inner[..., 0], inner[..., 1]
        out = xp.stack((a[k] * top + b[k] * bottom, d[k] * top + e[k] * bottom), -1).reshape(-1, 2 * count)
        fields = cat(([fields[:, :1]] if odd else []) + [out] + ([fields[:, odd + 2 * count:]]
                                                                if odd + 2 * count < N else []))
    return fields * xp.exp(1j * gamma)


def by_matrix(theta, phi, gamma, fields, xp, cat):
    eye = xp.eye(N, dtype=fields.dtype)
    return fields @ columns(theta, phi, gamma, eye, xp, cat)


def jax_step(propagate):
    loss = lambda *p: jnp.sum(jnp.abs(propagate(*p, jnp.asarray(x))) ** 4)  # noqa: E731
    step = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))
    phases = [jnp.asarray(a) for a in start]
    return lambda: jax.block_until_ready(step(*phases))


def torch_step(propagate):
    phases = [torch.tensor(a, requires_grad=True) for a in start]
    fields = torch.tensor(x)

    def step():
        value = propagate(*phases, fields).abs().pow(4).sum()
        return value.detach(), torch.autograd.grad(value, phases)

    return step


def in_jax(f):
    return lambda *a: f(*a, jnp, lambda parts: jnp.concatenate(parts, 1))


def in_torch(f):
    return lambda *a: f(*a, torch, lambda parts: torch.cat(parts, 1))


steps = {
    "cuonn.jax": jax_step(cuonn.jax.propagate),
    "cuonn.torch": torch_step(cuonn.torch.propagate),
    "plain JAX, columns": jax_step(in_jax(columns)),
    "plain JAX, matrix": jax_step(in_jax(by_matrix)),
    "plain PyTorch, columns": torch_step(in_torch(columns)),
    "plain PyTorch, matrix": torch_step(in_torch(by_matrix)),
}


# ---- what a call costs

tiny = cuonn.Mesh.haar(4, seed=1)
tiny_x = np.ones(4, np.complex64)
nothing = lib.library.cuonn_stop_requested
nothing.restype, nothing.argtypes = ctypes.c_bool, ()
tiny_torch = cuonn.torch.Mesh(tiny)
tiny_fields = torch.tensor(tiny_x)
tiny_jax = jax.jit(lambda v: cuonn.jax.propagate(*(jnp.asarray(getattr(tiny, n), jnp.float32)
                                                   for n in ("theta", "phi", "gamma")), v, threads=1))
tiny_jax_x = jnp.asarray(tiny_x)
with torch.no_grad():
    calls = {
        "ctypes alone": nothing,
        "cuonn.Mesh.propagate": lambda: tiny.propagate(tiny_x, threads=1),
        "cuonn.torch.Mesh": lambda: tiny_torch(tiny_fields),
        "cuonn.jax.propagate, jitted": lambda: tiny_jax(tiny_jax_x).block_until_ready(),
    }


def sample(f, n):
    begin = time.perf_counter()
    for _ in range(n):
        f()
    return (time.perf_counter() - begin) / n


def table(title, functions, n, unit, scale):
    values = {name: (f(), f()) for name, f in functions.items()}  # warm up
    seconds = {name: [] for name in functions}
    for _ in range(options.rounds):
        for name, f in functions.items():
            seconds[name].append(sample(f, n))
    print(f"\n{title:<32}{'least':>10}{'median':>10}  {unit}")
    for name, s in seconds.items():
        print(f"{name:<32}{min(s) * scale:>10.2f}{statistics.median(s) * scale:>10.2f}")
    return values, {name: {"least": min(s), "median": statistics.median(s)} for name, s in seconds.items()}


values, step_seconds = table(f"step, N {N}, {BATCH} examples", steps, 1, "ms", 1e3)
losses = {name: float(v[0][0]) for name, v in values.items()}
assert max(losses.values()) - min(losses.values()) < 1e-4 * max(losses.values()), losses
with torch.no_grad():
    _, call_seconds = table("call, N 4, one example", calls, 200, "us", 1e6)
if options.json:
    with open(options.json, "w") as file:
        json.dump({"threads": options.threads, "modes": N, "batch": BATCH, "step": step_seconds, "call": call_seconds,
                   "jax": jax.__version__, "torch": torch.__version__, "cuonn": cuonn.__version__}, file, indent=1)
