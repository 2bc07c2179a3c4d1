"""Meshes in PyTorch: a Module whose phases are Parameters, and the functions under it, with autograd and torch.compile.

    mesh = cuonn.torch.Mesh(cuonn.Mesh.haar(64, seed=1))
    y = mesh(x)                                  # x (..., N) complex
"""

from typing import List, Optional, Tuple

import torch
from torch import Tensor

from . import _library as lib
from ._library import library
from .errors import ArgumentError, DeviceError, ShapeError
from .mesh import Mesh as PlainMesh
from .mesh import style_of
from .shape import Shape, nodes_of, of_numbers

_NUMBERS = {torch.float32: lib.FLOAT32, torch.float64: lib.FLOAT64, torch.complex64: lib.COMPLEX64,
            torch.complex128: lib.COMPLEX128}


def _buffer(tensor: Tensor) -> lib.Buffer:
    return lib.Buffer(tensor.data_ptr(), _NUMBERS[tensor.dtype], lib.DEVICE if tensor.is_cuda else lib.HOST,
                      tensor.numel())


def _host_doubles(errors: Optional[Tensor]) -> Optional[Tensor]:
    """Errors of a chip where the library reads them; copied from a GPU at every call."""
    return None if errors is None else errors.detach().to("cpu", torch.float64).contiguous()


def _function(x: Tensor, shape: Shape, coupler_error, loss_db, style: int, threads: int) -> lib.Function:
    backend = f"cuda:{x.device.index or 0}".encode() if x.is_cuda else b"cpu" if x.dtype == torch.complex64 else b"reference"
    return lib.Function(backend, threads, x.shape[-1], shape.pointer, style,
                        None if coupler_error is None else coupler_error.data_ptr(),
                        None if loss_db is None else loss_db.data_ptr())


def _stream(x: Tensor) -> Optional[int]:
    """PyTorch's present stream of the GPU on which x lies, and the library computes."""
    return torch.cuda.current_stream(x.device).cuda_stream if x.is_cuda else None


@torch.library.custom_op("cuonn::propagate", mutates_args=())
def _propagate(theta: Tensor, phi: Tensor, gamma: Tensor, x: Tensor, coupler_error: Optional[Tensor],
               loss_db: Optional[Tensor], shape: List[int], style: int, backward: bool, threads: int) -> Tensor:
    """shape: Shape.numbers."""
    theta, phi, gamma, x = (t.detach().resolve_conj().contiguous() for t in (theta, phi, gamma, x))
    errors = [_host_doubles(e) for e in (coupler_error, loss_db)]
    of = of_numbers(x.shape[-1], tuple(shape))
    y = torch.empty_like(x)
    if x.numel():
        library.cuonn_function_propagate(_buffer(y), _function(x, of, *errors, style, threads), 1,
                                         lib.PhaseBuffers(_buffer(theta), _buffer(phi), _buffer(gamma)), _buffer(x),
                                         backward, _stream(x))
    return y


@_propagate.register_fake
def _(theta, phi, gamma, x, coupler_error, loss_db, shape, style, backward, threads):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


@torch.library.custom_op("cuonn::vjp", mutates_args=())
def _vjp(theta: Tensor, phi: Tensor, gamma: Tensor, x: Tensor, g: Tensor, coupler_error: Optional[Tensor],
         loss_db: Optional[Tensor], shape: List[int], style: int,
         threads: int) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    """g is dL/dRe y - i dL/dIm y, as in the library."""
    theta, phi, gamma, x, g = (t.detach().resolve_conj().contiguous() for t in (theta, phi, gamma, x, g))
    errors = [_host_doubles(e) for e in (coupler_error, loss_db)]
    of = of_numbers(x.shape[-1], tuple(shape))
    results = tuple(torch.zeros_like(t) for t in (theta, phi, gamma, x))
    if x.numel():
        library.cuonn_function_vjp(lib.PhaseBuffers(*map(_buffer, results[:3])), _buffer(results[3]),
                                   _function(x, of, *errors, style, threads), 1,
                                   lib.PhaseBuffers(_buffer(theta), _buffer(phi), _buffer(gamma)), _buffer(x),
                                   _buffer(g), _stream(x))
    return results


@_vjp.register_fake
def _(theta, phi, gamma, x, g, coupler_error, loss_db, shape, style, threads):
    return tuple(torch.empty_like(t, memory_format=torch.contiguous_format) for t in (theta, phi, gamma, x))


def _keep(ctx, inputs, output):
    theta, phi, gamma, x, coupler_error, loss_db, ctx.shape, ctx.style, ctx.backward, ctx.threads = inputs
    ctx.save_for_backward(theta, phi, gamma, x, coupler_error, loss_db)


def _derive(ctx, cotangent):
    """PyTorch's cotangent is dL/dRe y + i dL/dIm y, the conjugate of ours, and so is what it wants of x.  Backward,
    y = U^T x, so that the derivatives by phases of Re(g^T U^T x) are those of Re(x^T U g)."""
    theta, phi, gamma, x, coupler_error, loss_db = ctx.saved_tensors
    g = cotangent.conj().resolve_conj()
    first, second = (g, x) if ctx.backward else (x, g)
    *gradient, of_x = _vjp(theta, phi, gamma, first, second, coupler_error, loss_db, ctx.shape, ctx.style,
                           ctx.threads)
    if ctx.backward:
        of_x = _propagate(theta, phi, gamma, g, coupler_error, loss_db, ctx.shape, ctx.style, False, ctx.threads)
    return (*gradient, of_x.conj().resolve_conj(), None, None, None, None, None, None)


_propagate.register_autograd(_derive, setup_context=_keep)


def propagate(theta: Tensor, phi: Tensor, gamma: Tensor, x: Tensor, *, style: str = "top",
              coupler_error: Optional[Tensor] = None, loss_db: Optional[Tensor] = None, backward: bool = False,
              threads: int = 0, shape: Optional[Shape] = None) -> Tensor:
    """Sends fields through a mesh: y = U x, or with `backward` U^T x.  Differentiable once by theta, phi, gamma and x.

    theta, phi: (nodes,) radians; gamma: (N,).  x: (..., N); real x becomes complex.
    shape: None: rectangular of N columns, with N (N - 1) / 2 nodes.
    coupler_error, loss_db: (nodes, 2), of mzi3 (nodes, 3), as of cuonn.Mesh; no gradient goes to them.  threads: of the processor, 0: all.
    Returns (..., N); complex64 is computed in float, complex128 in double (on a GPU in float).  All tensors lie on one
    device.  Raises ShapeError, ArgumentError, DeviceError.
    """
    if not isinstance(x, Tensor):
        raise ArgumentError(f"x is {type(x).__name__}; it must be a Tensor")
    if not x.is_complex():
        x = x.to(torch.complex128 if x.dtype == torch.float64 else torch.complex64)
    if x.dtype not in _NUMBERS:
        raise ArgumentError(f"x is {x.dtype}; fields are complex64 or complex128")
    if x.device.type not in ("cpu", "cuda"):
        raise DeviceError(f"x lies on {x.device}; cuONN computes on the processor and on cuda")
    n = x.shape[-1] if x.ndim else 0
    if shape is not None and not isinstance(shape, Shape):
        raise ArgumentError(f"shape is {shape!r}; it must be a cuonn.Shape")
    if shape is not None and n != shape.n_modes:
        raise ShapeError(f"x has the shape {tuple(x.shape)}; its last dimension must be the {shape.n_modes} waveguides")
    nodes, couplers = (shape.n_nodes, shape.couplers) if shape is not None else (nodes_of(n), 2)
    for name, tensor, size in (("theta", theta, (nodes,)), ("phi", phi, (nodes,)), ("gamma", gamma, (n,)),
                                ("coupler_error", coupler_error, (nodes, couplers)), ("loss_db", loss_db, (nodes, 2))):
        if tensor is None and name in ("coupler_error", "loss_db"):
            continue
        if not isinstance(tensor, Tensor):
            raise ArgumentError(f"{name} is {type(tensor).__name__}; it must be a Tensor")
        if tuple(tensor.shape) != size:
            raise ShapeError(f"{name} has the shape {tuple(tensor.shape)}; x of {n} waveguides needs {size}")
        if tensor.dtype not in (torch.float32, torch.float64):
            raise ArgumentError(f"{name} is {tensor.dtype}; it must be float32 or float64")
        if tensor.device != x.device and name in ("theta", "phi", "gamma"):
            raise DeviceError(f"{name} lies on {tensor.device}, x on {x.device}; all have to lie on one")
    numbers = [] if shape is None else list(shape.numbers)
    return _propagate(theta, phi, gamma, x, coupler_error, loss_db, numbers, style_of(style), backward, threads)


class Mesh(torch.nn.Module):
    """A mesh as a layer: theta, phi and gamma are Parameters, coupler_error and loss_db buffers.

    mesh: where the phases start, a cuonn.Mesh, whose errors become those of the layer.
    dtype: of the phases, torch.float64 or torch.float32; the precision of what comes out is that of the fields.
    """

    def __init__(self, mesh: PlainMesh, *, dtype: torch.dtype = torch.float64, threads: int = 0):
        super().__init__()
        self.style = mesh.style
        self.shape = mesh.shape
        self.threads = threads
        for name in ("theta", "phi", "gamma"):
            setattr(self, name, torch.nn.Parameter(torch.tensor(getattr(mesh, name), dtype=dtype)))
        for name in ("coupler_error", "loss_db"):
            self.register_buffer(name, torch.tensor(getattr(mesh, name), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Fields x (..., N) through the mesh, as propagate()."""
        return propagate(self.theta, self.phi, self.gamma, x, style=self.style, coupler_error=self.coupler_error,
                         loss_db=self.loss_db, threads=self.threads, shape=self.shape)

    def matrix(self, dtype: torch.dtype = torch.complex128) -> Tensor:
        """The matrix (N, N), y = matrix @ x, differentiable."""
        rows = torch.eye(self.gamma.numel(), dtype=dtype, device=self.gamma.device)
        return propagate(self.theta, self.phi, self.gamma, rows, style=self.style, coupler_error=self.coupler_error,
                         loss_db=self.loss_db, backward=True, threads=self.threads, shape=self.shape)

    def to_mesh(self) -> PlainMesh:
        """The present phases and errors as a cuonn.Mesh."""
        value = {name: getattr(self, name).detach().cpu().numpy()
                 for name in ("theta", "phi", "gamma", "coupler_error", "loss_db")}
        return PlainMesh(value["theta"], value["phi"], value["gamma"], self.style,
                         coupler_error=value["coupler_error"], loss_db=value["loss_db"],
                         **self.shape.arguments)

    def extra_repr(self) -> str:
        return (f"{self.gamma.numel()} waveguides, {self.theta.numel()} nodes, {self.shape.architecture}, "
                f"style={self.style}")
