"""A mesh of Mach-Zehnder interferometers (MZIs): its phases and systematic errors, and what light does in it."""

import ctypes
import os
from typing import NamedTuple, Optional

import numpy as np

from . import _arrays, _files
from . import _library as lib
from ._library import library
from .errors import ArgumentError, ShapeError
from .shape import Shape, modes_of


class VJP(NamedTuple):
    """Derivatives of a real loss L, from a cotangent g = dL/dRe y - i dL/dIm y of the fields y that leave a mesh."""

    theta: np.ndarray  #: (nodes,) dL/dtheta, summed over the examples, 1 / radian
    phi: np.ndarray  #: (nodes,) dL/dphi
    gamma: np.ndarray  #: (N,) dL/dgamma
    x: np.ndarray  #: (..., N) cotangent of the fields that enter, dL/dRe x - i dL/dIm x


def style_of(name: str) -> int:
    """Number of a phase style."""
    if name not in lib.STYLES:
        raise ArgumentError(f"style is {name!r}; it is one of {', '.join(lib.STYLES)}")
    return lib.STYLES.index(name)


def backend_of(dtype, backend: Optional[str]) -> bytes:
    """The backend that computes: the one that is asked for, or by the precision of the fields, "cpu" (float) for
    complex64 and "reference" (double) for complex128."""
    if backend is None:
        return b"cpu" if dtype == np.complex64 else b"reference"
    return lib.text("backend", backend)


def unitary_of(values) -> np.ndarray:
    """A copy of a square matrix, as the library takes it."""
    matrix = np.asarray(values)
    if matrix.dtype.kind not in "biufc":
        raise ArgumentError(f"the matrix holds {matrix.dtype}; its elements must be numbers")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"the matrix has the shape {matrix.shape}; it must be square")
    return np.array(matrix, np.complex128, order="C")


class _Own:
    """An array of a mesh."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, mesh, owner=None):
        return self if mesh is None else mesh._own[self.name]

    def __set__(self, mesh, values):
        own = mesh._own[self.name]
        if values is not own:  # as after `mesh.theta += 1`
            own[...] = _arrays.reals(self.name, values, own.shape)


def _mesh_of(cls, style: str, arrays: dict, shape: dict) -> "Mesh":
    """A copied or unpickled mesh."""
    return cls(**arrays, style=style, **shape)


def _modes(theta, gamma, architecture: str, columns: Optional[int]) -> int:
    """Waveguides of a mesh by the sizes of its arrays."""
    if gamma is not None:
        return np.size(gamma)
    if architecture != "rectangular" or columns is not None:
        raise ArgumentError("gamma is needed, with a phase for each waveguide (zeros will do): the number of nodes "
                            "tells N of rectangular meshes of N columns alone")
    return modes_of(np.size(theta))


def _put_shape(shape: Shape) -> tuple:
    """Variables and attributes that tell a shape, as our files have them (docs/files.md)."""
    variables, attributes = {}, {"architecture": shape.architecture}
    if shape.node != "mzi":
        attributes["node"] = shape.node
    if shape.architecture == "custom" or shape.architecture == "rectangular" and shape.n_columns != shape.n_modes:
        attributes["columns"] = shape.n_columns
    if shape.architecture == "custom":
        pairs = shape.pairs
        variables["pair"] = (("node", "arm"), np.concatenate(pairs).astype(np.int32),
                             {"long_name": "top and bottom waveguide of each node"})
        variables["column"] = ("node", np.repeat(np.arange(len(pairs), dtype=np.int32), [len(p) for p in pairs]),
                               {"long_name": "column of each node"})
    return variables, attributes


def _get_shape(dataset) -> dict:
    """Arguments of a Mesh from a Dataset with such variables and attributes."""
    how = {"architecture": dataset.attrs.get("architecture", "rectangular"), "node": dataset.attrs.get("node", "mzi")}
    if "columns" in dataset.attrs:
        how["columns"] = int(dataset.attrs["columns"])
    if how["architecture"] != "custom":
        return how
    if "pair" not in dataset or "column" not in dataset:
        raise ArgumentError("the Dataset is of a custom mesh; it needs pair (node, arm) and column (node)")
    pairs, column = dataset["pair"].values, dataset["column"].values
    n_columns = how.pop("columns", int(column.max(initial=0)) + 1)
    if pairs.ndim != 2 or column.shape != pairs.shape[:1] or column.dtype.kind not in "iu" or (
            np.diff(column) < 0).any() or not (column < n_columns).all() or not (column >= 0).all():
        raise ShapeError("column of the Dataset tells the column of each node of pair, whole numbers from 0 on that "
                         "never fall and are below the attribute columns")
    if not 1 <= n_columns <= lib.COLUMNS_MAX:
        raise ShapeError(f"the Dataset has {n_columns} columns of nodes; a mesh has 1 to {lib.COLUMNS_MAX}")
    return {**how, "pairs": np.split(pairs, np.searchsorted(column, np.arange(1, n_columns)))}


class Mesh:
    """A mesh of MZIs: rectangular (Clements et al., Optica 3, 1460 (2016)), or of another shape.

    theta, phi: (nodes,) radians; the nodes are numbered column by column, in the order of their top waveguides; a
    rectangular mesh of N columns and a triangular one have N (N - 1) / 2.
    gamma: (N,) output phases, radians; None: zeros, of rectangular meshes of N columns alone, because the number of
    nodes tells N of no others.
    style: which arms carry the phase shifters: "top", "bottom", "symmetric" or "differential".
    coupler_error: (nodes, 2) radians on pi/4 of the left and the right coupler, and of mzi3 (nodes, 3) of the third
    one, too; None: zeros.
    loss_db: (nodes, 2) dB of power of the theta and the phi shifter, positive attenuates; None: zeros.
    architecture, columns, pairs, node: as of cuonn.Shape; nodes of a custom mesh are numbered as `pairs` lists them.

    The arrays are attributes of doubles that belong to the mesh and may be changed in place; what is assigned to one
    is written into it.  Raises ShapeError for sizes that do not fit.  Formulas: docs/physics.md.
    """

    theta, phi, gamma, coupler_error, loss_db = (_Own() for _ in range(5))

    def __init__(self, theta, phi, gamma=None, style: str = "top", *, coupler_error=None, loss_db=None,
                 architecture: str = "rectangular", columns: Optional[int] = None, pairs=None, node: str = "mzi"):
        self._shape = Shape(_modes(theta, gamma, architecture, columns), architecture, columns, pairs, node)
        nodes, n = self._shape.n_nodes, self._shape.n_modes
        style_of(style)
        self.style = style
        sizes = {"theta": (nodes,), "phi": (nodes,), "gamma": (n,), "coupler_error": (nodes, self._shape.couplers),
                 "loss_db": (nodes, 2)}
        given = dict(theta=theta, phi=phi, gamma=gamma, coupler_error=coupler_error, loss_db=loss_db)
        self._own = {name: np.zeros(size) for name, size in sizes.items()}
        for name, values in given.items():
            if values is not None or name in ("theta", "phi"):
                setattr(self, name, values)
        # the arrays stay where they are as long as the mesh lives
        self._phases = lib.PhaseBuffers(*(_arrays.buffer(self._own[name]) for name in ("theta", "phi", "gamma")))
        self._errors = tuple(_arrays.address(self._own[name]) for name in ("coupler_error", "loss_db"))

    def __reduce__(self):
        arrays = {name: values.copy() for name, values in self._own.items()}
        return _mesh_of, (type(self), self.style, arrays, self._shape.arguments)

    @property
    def shape(self) -> Shape:
        """Which waveguides the nodes of each column couple."""
        return self._shape

    @property
    def n_modes(self) -> int:
        """Waveguides, N."""
        return self.gamma.size

    @property
    def n_nodes(self) -> int:
        """MZIs."""
        return self.theta.size

    def __repr__(self) -> str:
        real = "" if not (self.coupler_error.any() or self.loss_db.any()) else ", with errors"
        return (f"<cuonn.Mesh: {self.n_modes} waveguides, {self.n_nodes} nodes, {self._shape.architecture}, style "
                f"{self.style}{real}>")

    # ---- where meshes come from and go to

    @classmethod
    def from_unitary(cls, unitary, style: str = "top", *, nearest: bool = False,
                     architecture: str = "rectangular", node: str = "mzi") -> "Mesh":
        """Phases with which an error-free mesh has the matrix `unitary` (N, N): out = unitary @ in.

        nearest: take the nearest unitary matrix instead, whatever is given (Fan and Hoffman 1955).
        architecture: "rectangular" (Clements et al. 2016) or "triangular" (Reck et al. 1994).  node: as of cuonn.Shape.
        Raises DataError for a matrix that is farther than 1e-6 from unitary, NonFiniteError, ShapeError, and
        ArgumentError for other architectures and the symmetric style, which cannot express every unitary.
        """
        matrix = unitary_of(unitary)
        if nearest:
            library.cuonn_nearest_unitary(_arrays.address(matrix), lib.Nearest(), _arrays.address(matrix), len(matrix))
        with Plain(Shape(len(matrix), architecture, node=node), style) as mesh:
            library.cuonn_mesh_decompose(mesh, _arrays.address(matrix))
            return mesh_of_plain(mesh, cls)

    @classmethod
    def haar(cls, n_modes: int, seed: int, style: str = "top", *, node: str = "mzi") -> "Mesh":
        """The rectangular mesh of a Haar-random unitary (Mezzadri, Notices of the AMS 54, 592 (2007)); the same seed
        gives the same mesh, on any machine to rounding."""
        n_modes = _arrays.count("n_modes", n_modes, 2)
        seed = _arrays.count("seed", seed)
        matrix = np.empty((n_modes, n_modes), np.complex128)
        with Plain(Shape(n_modes, node=node), style) as mesh:
            library.cuonn_haar_unitary(_arrays.address(matrix), n_modes, seed, 0)
            library.cuonn_mesh_decompose(mesh, _arrays.address(matrix))
            return mesh_of_plain(mesh, cls)

    @classmethod
    def load(cls, path) -> "Mesh":
        """Reads a mesh from a netCDF file (docs/files.md).  Raises FileError, DataError, NonFiniteError."""
        mesh = lib.Mesh()
        with _files.readable("mesh", path) as readable, _files.lock:
            library.cuonn_mesh_read(mesh, readable)
        try:
            return mesh_of_plain(mesh, cls)
        finally:
            library.cuonn_mesh_free(mesh)

    def save(self, path) -> None:
        """Writes the mesh as a netCDF file, whole or not at all.  Raises FileError, NonFiniteError."""
        with self._plain() as mesh:
            library.cuonn_mesh_check(mesh)
            with _files.lock:
                library.cuonn_mesh_write(os.fsencode(path), mesh)

    def to_xarray(self):
        """An xarray.Dataset with the variables, dimensions, units and attributes of our files (docs/files.md)."""
        import xarray

        radian = {"units": "radian"}
        variables, attributes = _put_shape(self._shape)
        of_couplers = "left, right and third" if self._shape.couplers == 3 else "left and right"
        return xarray.Dataset(
            {
                "theta": ("node", self.theta.copy(), {**radian, "long_name": "internal phase"}),
                "phi": ("node", self.phi.copy(), {**radian, "long_name": "external phase"}),
                "gamma": ("waveguide", self.gamma.copy(), {**radian, "long_name": "output phase"}),
                "coupler_error": (("node", "side"), self.coupler_error.copy(),
                                  {**radian, "long_name": f"error of the {of_couplers} coupler on pi/4"}),
                "loss_db": (("node", "shifter"), self.loss_db.copy(),
                            {"units": "dB", "long_name": "loss of the theta and phi shifter"}),
                **variables,
            },
            attrs={**attributes, "phase_style": self.style})

    @classmethod
    def from_xarray(cls, dataset) -> "Mesh":
        """The mesh of a Dataset as to_xarray() gives it; gamma, coupler_error and loss_db may be missing."""
        value = {name: dataset[name].values if name in dataset else None
                 for name in ("theta", "phi", "gamma", "coupler_error", "loss_db")}
        if value["theta"] is None or value["phi"] is None:
            raise ArgumentError("the Dataset has no theta or no phi")
        if "convention" in dataset.attrs:
            raise ArgumentError(f"the Dataset's phases are counted by {dataset.attrs['convention']}; cuonn.convert() "
                                "makes ours of them")
        return cls(value["theta"], value["phi"], value["gamma"], dataset.attrs.get("phase_style", "top"),
                   coupler_error=value["coupler_error"], loss_db=value["loss_db"], **_get_shape(dataset))

    def wrap(self) -> "Mesh":
        """The mesh with all phases in [0, 2 pi) that does the same to light."""
        with self._plain() as mesh:
            library.cuonn_mesh_check(mesh)
            library.cuonn_mesh_wrap(mesh)
            return mesh_of_plain(mesh)

    # ---- what it does to light

    def matrix(self, dtype=np.complex128, *, backend: Optional[str] = None, threads: int = 0) -> np.ndarray:
        """The matrix (N, N) of the mesh, out = matrix @ in.  dtype, backend, threads: as in propagate()."""
        rows = np.eye(self.n_modes, dtype=dtype)
        return self.propagate(rows, backward=True, backend=backend, threads=threads)

    def propagate(self, x, *, backward: bool = False, backend: Optional[str] = None, threads: int = 0) -> np.ndarray:
        """Sends fields x (..., N) through the mesh: y = U x of each, or with `backward` U^T x, light entering at the
        outputs.

        backend: "reference" (double), "cpu" (float, all cores), "cuda" (float, an NVIDIA GPU, "cuda:1" the second) or "auto"; None: by the
        precision of x: complex64 on "cpu", anything else on "reference".  threads: of "cpu", 0: all.
        Returns (..., N), complex64 or complex128 as x.  Raises ShapeError, DeviceError.
        """
        x = _arrays.fields("x", x, self.n_modes)
        out = np.empty_like(x)
        if x.size:
            library.cuonn_function_propagate(_arrays.buffer(out), self._function(x.dtype, backend, threads), 1,
                                             self._phases, _arrays.buffer(x), backward, None)
        return out

    def vjp(self, x, g, *, backend: Optional[str] = None, threads: int = 0) -> VJP:
        """Vector-Jacobian product of y = U x at fields x (..., N), for the cotangent g (..., N),
        g = dL/dRe y - i dL/dIm y (docs/physics.md).  backend, threads: as in propagate()."""
        x, g = _arrays.fields("x", x, self.n_modes), _arrays.fields("g", g, self.n_modes)
        if x.shape != g.shape:
            raise ShapeError(f"x has the shape {x.shape}, g {g.shape}")
        result = VJP(np.zeros(self.n_nodes), np.zeros(self.n_nodes), np.zeros(self.n_modes), np.zeros_like(x))
        if x.size:
            gradient = lib.PhaseBuffers(*(_arrays.buffer(a) for a in result[:3]))
            library.cuonn_function_vjp(gradient, _arrays.buffer(result.x), self._function(x.dtype, backend, threads), 1,
                                       self._phases, _arrays.buffer(x), _arrays.buffer(g), None)
        return result

    # ---- as the library's structs

    def _function(self, dtype, backend, threads):
        return lib.Function(backend_of(dtype, backend), threads, self.n_modes, self._shape.pointer,
                            style_of(self.style), *self._errors)

    def _plain(self):
        plain = Plain(self._shape, self.style)
        copy_to_plain(plain.mesh, self)
        return plain


class Plain:
    """A cuonn_mesh of the library for the length of a `with`."""

    def __init__(self, shape: Shape, style: str):
        self.mesh = lib.Mesh()
        library.cuonn_mesh_create_shaped(self.mesh, shape.handle, style_of(style))

    def __enter__(self) -> lib.Mesh:
        return self.mesh

    def __exit__(self, *unused):
        library.cuonn_mesh_free(self.mesh)


_ARRAYS = ("theta", "phi", "gamma", "coupler_error", "loss_db")


def copy_to_plain(plain: lib.Mesh, mesh: Mesh) -> None:
    """Phases and errors of a mesh into a struct of its size."""
    for name in _ARRAYS:
        values = np.ascontiguousarray(getattr(mesh, name), np.float64)
        ctypes.memmove(getattr(plain, name), _arrays.address(values), values.nbytes)


def mesh_of_plain(plain: lib.Mesh, cls=Mesh) -> Mesh:
    """A struct of the library as a mesh of its own."""
    shape, nodes = Shape.of_handle(plain.shape), plain.n_nodes
    sizes = ((nodes,), (nodes,), (plain.n_modes,), (nodes, shape.couplers), (nodes, 2))
    values = {name: np.ctypeslib.as_array(getattr(plain, name), size) for name, size in zip(_ARRAYS, sizes)}
    return cls(values["theta"], values["phi"], values["gamma"], lib.STYLES[plain.style],
               coupler_error=values["coupler_error"], loss_db=values["loss_db"],
               **shape.arguments)
