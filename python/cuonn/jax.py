"""Meshes in JAX: jit, grad, vmap; complex64 and complex128; on the processor, and on NVIDIA GPUs in XLA's own stream.

    from cuonn.jax import propagate
    y = propagate(theta, phi, gamma, x)          # x (..., N) complex
"""

import ctypes
import functools
import os
import pathlib
from typing import NamedTuple, Optional

import jax
import jax.numpy as jnp
import numpy as np

from . import _arrays
from . import _library as lib
from .errors import ArgumentError, ShapeError
from .mesh import style_of
from .shape import Shape, modes_of


def _register() -> None:
    """Makes the handlers known to XLA, whose library lies beside that of cuONN."""
    beside = os.environ.get("CUONN_JAX_LIBRARY") or str(
        pathlib.Path(lib.library._name).with_name("libcuonn_jax.so"))
    handlers = ctypes.CDLL(beside)
    for platform, handler in (("cpu", handlers.cuonn_jax_host), ("CUDA", handlers.cuonn_jax_device)):
        jax.ffi.register_ffi_target("cuonn", jax.ffi.pycapsule(handler), platform=platform)


_register()


class _Static(NamedTuple):
    """What of a mesh is no array that JAX may trace; errors as bytes of doubles, so that it can be hashed."""

    shape: tuple  # Shape.numbers
    style: int
    coupler_error: bytes
    loss_db: bytes
    threads: int

    def attributes(self, n_modes: int, backward: bool) -> dict:
        return {
            "shape": np.array(self.shape, np.int64),
            "style": np.int64(self.style),
            "threads": np.int64(self.threads),
            "n_modes": np.int64(n_modes),
            "backward": np.int64(backward),
            "coupler_error": np.frombuffer(self.coupler_error),
            "loss_db": np.frombuffer(self.loss_db),
        }


def _call(results, static: _Static, backward: bool, *arguments):
    n_modes = arguments[2].shape[-1]
    return jax.ffi.ffi_call("cuonn", results, vmap_method="expand_dims")(
        *arguments, **static.attributes(n_modes, backward))


def _like(array):
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _propagate(static, backward, theta, phi, gamma, x):
    return _call(_like(x), static, backward, theta, phi, gamma, x)


def _propagate_fwd(static, backward, *arguments):
    return _propagate(static, backward, *arguments), arguments


def _propagate_bwd(static, backward, arguments, g):
    """JAX's cotangent is dL/dRe y - i dL/dIm y, as ours.  Backward, y = U^T x, so that the derivatives by phases of
    Re(g^T U^T x) are those of Re(x^T U g)."""
    *phases, x = arguments
    first, second = (g, x) if backward else (x, g)
    *gradient, of_x = _call((*map(_like, phases), _like(x)), static, False, *phases, first, second)
    if backward:
        of_x = _propagate(static, False, *phases, g)
    return (*gradient, of_x)


_propagate.defvjp(_propagate_fwd, _propagate_bwd)


def _errors(name: str, values, size: tuple) -> bytes:
    if values is None:
        return b""
    if isinstance(values, jax.core.Tracer):
        raise TypeError(f"{name} is traced by JAX; errors of a chip are constants, arrays of NumPy")
    return _arrays.reals(name, values, size).tobytes()


def _sizes(shape: Optional[Shape], theta) -> tuple:
    """Nodes and waveguides of the shape, or of the rectangular mesh that has so many nodes."""
    if shape is None:
        return theta.size, modes_of(theta.size) if theta.ndim == 1 else None
    if not isinstance(shape, Shape):
        raise ArgumentError(f"shape is {shape!r}; it must be a cuonn.Shape")
    return shape.n_nodes, shape.n_modes


def propagate(theta, phi, gamma, x, *, style: str = "top", coupler_error=None, loss_db=None, backward: bool = False,
              threads: int = 0, shape: Optional[Shape] = None):
    """Sends fields through a mesh: y = U x, or with `backward` U^T x.  Differentiable once by theta, phi, gamma and x;
    jit, grad and vmap over any of them.

    theta, phi: (nodes,) radians; gamma: (N,).  x: (..., N); real x becomes complex.
    style: "top", "bottom", "symmetric" or "differential".  coupler_error, loss_db: (nodes, 2) constants, of mzi3
    (nodes, 3), as of cuonn.Mesh.  threads: of the processor, 0: all.  shape: None: rectangular of N columns, with N (N - 1) / 2 nodes.
    Returns (..., N); complex64 is computed in float, complex128 on the processor in double.  Raises ShapeError.
    """
    theta, phi, gamma, x = map(jnp.asarray, (theta, phi, gamma, x))
    x = x.astype(jnp.result_type(x.dtype, jnp.complex64))
    theta, phi, gamma = (a.astype(jnp.promote_types(a.dtype, jnp.float32)) for a in (theta, phi, gamma))
    nodes, n = _sizes(shape, theta)
    for name, array, size in (("theta", theta, nodes), ("phi", phi, nodes), ("gamma", gamma, n)):
        if array.shape != (size,):
            raise ShapeError(f"{name} has the shape {array.shape}, {(size,)} is needed")
    if x.ndim == 0 or x.shape[-1] != n:
        raise ShapeError(f"x has the shape {x.shape}; its last dimension must be the {n} waveguides")
    couplers = shape.couplers if shape else 2
    static = _Static(shape.numbers if shape else (), style_of(style),
                     _errors("coupler_error", coupler_error, (nodes, couplers)), _errors("loss_db", loss_db, (nodes, 2)),
                     threads)
    return _propagate(static, bool(backward), theta, phi, gamma, x)


def matrix(theta, phi, gamma, *, style: str = "top", coupler_error=None, loss_db=None, dtype=jnp.complex64,
           threads: int = 0, shape: Optional[Shape] = None):
    """The matrix (N, N) of a mesh, y = matrix @ x.  Arguments as of propagate(); dtype: complex64 or complex128."""
    rows = jnp.eye(jnp.shape(gamma)[-1], dtype=dtype)
    return propagate(theta, phi, gamma, rows, style=style, coupler_error=coupler_error, loss_db=loss_db, backward=True,
                     threads=threads, shape=shape)
