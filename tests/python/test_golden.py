"""Values and gradients against those of the independent program that the library's tests are held to
(tests/golden/README.md): NumPy, JAX and PyTorch, all styles, with coupler errors and losses, even N and odd."""

import functools
import pathlib
import re
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import cuonn
import cuonn.jax
import cuonn.torch
from common import DOUBLE, STYLES, close, close_all

jax.config.update("jax_enable_x64", True)
FILE = pathlib.Path(__file__).parents[1] / "golden" / "golden.nc"


@functools.lru_cache(None)
def golden():
    """The groups forward/N: {N: {name: array}}."""
    said = subprocess.run(["ncdump", "-p", "17,17", FILE], capture_output=True, text=True, check=True).stdout
    forward = re.search(r"^group: forward \{$(.*?)^  \} // group forward$", said, re.M | re.S).group(1)
    groups = {}
    for n, body in re.findall(r"^  group: \\(\d+) \{$(.*?)^    \} // group", forward, re.M | re.S):
        data = body.partition("data:")[2]
        groups[int(n)] = {name: np.array([float(v) for v in values.split(",")])
                          for name, values in re.findall(r"(\w+) =\s+([^;]+);", data)}
    return groups


def case(n, style):
    """The mesh, fields, cotangent; fields that leave, and derivatives by theta, phi and gamma."""
    of = golden()[n]
    complexes = {name: of[name].reshape(-1, n, 2) @ (1, 1j) for name in ("input", "cotangent", f"output_{style}")}
    mesh = cuonn.Mesh(of["theta"], of["phi"], of["gamma"], style, coupler_error=of["coupler_error"].reshape(-1, 2),
                      loss_db=of["loss_db"].reshape(-1, 2))
    return mesh, *complexes.values(), [of[f"d_{name}_{style}"] for name in ("theta", "phi", "gamma")]


cases = pytest.mark.parametrize("n, style", [(n, style) for n in (4, 5, 8, 64) for style in STYLES])


@cases
def test_numpy(n, style):
    mesh, x, g, y, gradient = case(n, style)
    close(mesh.propagate(x), y, DOUBLE)
    close_all(mesh.vjp(x, g)[:3], gradient, DOUBLE)


@cases
def test_jax(n, style):
    """The cotangent as it stands is that of JAX."""
    mesh, x, g, y, gradient = case(n, style)
    got, pull_back = jax.vjp(
        lambda *phases: cuonn.jax.propagate(*phases, x, style=style, coupler_error=mesh.coupler_error,
                                            loss_db=mesh.loss_db),
        *map(jnp.asarray, (mesh.theta, mesh.phi, mesh.gamma)))
    close(got, y, DOUBLE)
    close_all(pull_back(jnp.asarray(g)), gradient, DOUBLE)


@cases
def test_torch(n, style):
    """The cotangent's conjugate is that of PyTorch."""
    mesh, x, g, y, gradient = case(n, style)
    layer = cuonn.torch.Mesh(mesh)
    got = layer(torch.tensor(x))
    close(got.detach(), y, DOUBLE)
    got.backward(torch.tensor(g.conj()))
    close_all([p.grad for p in layer.parameters()], gradient, DOUBLE)
