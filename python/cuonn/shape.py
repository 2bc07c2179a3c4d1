"""Shapes of meshes: which waveguides the nodes of each column couple."""

import ctypes
import functools
import weakref
from typing import List, Optional

import numpy as np

from . import _arrays
from . import _library as lib
from ._library import library
from .errors import ArgumentError, ShapeError

_CUSTOM = lib.ARCHITECTURES.index("custom")


def nodes_of(n_modes: int) -> int:
    """Nodes of a rectangular mesh of N waveguides and N columns, N (N - 1) / 2."""
    return n_modes * (n_modes - 1) // 2


def modes_of(n_nodes: int) -> int:
    """Waveguides of a rectangular mesh of so many nodes, which has as many columns."""
    n_modes = (1 + int(round((1 + 8 * n_nodes) ** 0.5))) // 2
    if n_nodes < 1 or nodes_of(n_modes) != n_nodes:
        raise ShapeError(f"{n_nodes} nodes are those of no rectangular mesh: N waveguides have N (N - 1) / 2")
    return n_modes


def _column(c: int, values) -> np.ndarray:
    """Pairs of waveguides of a column as the library takes them."""
    try:
        pairs = np.asarray(values)
    except ValueError:  # lists of unequal lengths
        pairs = np.zeros(())
    if pairs.size == 0:
        return np.zeros((0, 2), np.uint32)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ArgumentError(f"column {c} of pairs is no list of pairs of waveguides, such as [(0, 3), (1, 2)]")
    if pairs.min() < 0 or pairs.max() >= 2**32:
        raise ShapeError(f"column {c} of pairs holds {pairs.min() if pairs.min() < 0 else pairs.max()}; waveguides "
                         "are counted from 0 to N - 1")
    return np.ascontiguousarray(pairs, np.uint32)


def _create(handle, n_modes: int, columns, pairs) -> None:
    if not np.iterable(pairs) or columns is not None:
        raise ArgumentError("a custom mesh is made of pairs, a list of the pairs of each column"
                            + ("; it has no argument columns" if columns is not None else ""))
    listed = [_column(c, column) for c, column in enumerate(pairs)]
    counts = (ctypes.c_size_t * len(listed))(*map(len, listed))
    together = np.concatenate([np.zeros((0, 2), np.uint32), *listed])
    library.cuonn_mesh_shape_create(handle, n_modes, len(listed), counts, _arrays.address(together))


class Shape:
    """Which waveguides the nodes of each column of a mesh couple (docs/physics.md, section 2).  It never changes.

    n_modes: waveguides, N.
    architecture: "rectangular", "triangular", "butterfly" (N a power of 2), "tree" or "custom".
    columns: number of columns of a rectangular mesh; None: N.
    pairs: of a custom mesh, a list of its columns, each a list of the (top, bottom) waveguides of its nodes.
    node: what all nodes are made of, "mzi", "mzi3" (a third coupler in front) or "mzix" (a crossing behind).

    Raises ArgumentError, and ShapeError that says which node does not fit.
    """

    n_modes: int  #: waveguides, N
    n_nodes: int  #: MZIs, or what `node` says
    n_columns: int  #: columns of nodes
    architecture: str
    node: str
    couplers: int  #: of a node, each with an error of its own: 2, of mzi3 3

    def __init__(self, n_modes: int, architecture: str = "rectangular", columns: Optional[int] = None, pairs=None,
                 node: str = "mzi"):
        handle, whole = ctypes.c_void_p(), ctypes.c_void_p()
        if node not in lib.NODES:
            raise ArgumentError(f"node is {node!r}; it is one of {', '.join(lib.NODES)}")
        n_modes = _arrays.count("n_modes", n_modes, 2)
        if architecture not in lib.ARCHITECTURES:
            raise ArgumentError(f"architecture is {architecture!r}; it is one of {', '.join(lib.ARCHITECTURES)}")
        if architecture == "custom":
            _create(handle, n_modes, columns, pairs)
        elif pairs is not None:
            raise ArgumentError(f'a {architecture} mesh has pairs of its own; those given need architecture="custom"')
        else:
            library.cuonn_mesh_shape_make(handle, lib.ARCHITECTURES.index(architecture), n_modes,
                                          0 if columns is None else _arrays.count("columns", columns, 1))
        try:
            library.cuonn_mesh_shape_with_node(whole, handle, lib.NODES.index(node))
        finally:
            library.cuonn_mesh_shape_free(handle)
        self._own(whole.value)

    @classmethod
    def of_handle(cls, handle: int) -> "Shape":
        """The shape of a struct of the library, of which this is one more owner."""
        shape = cls.__new__(cls)
        shape._own(library.cuonn_mesh_shape_share(handle))
        return shape

    def _own(self, handle: int) -> None:
        weakref.finalize(self, library.cuonn_mesh_shape_free, handle).atexit = False
        number, node = library.cuonn_mesh_shape_architecture(handle), library.cuonn_mesh_shape_node(handle)
        self.handle = handle
        self.n_modes = library.cuonn_mesh_shape_modes(handle)
        self.n_nodes = library.cuonn_mesh_shape_nodes(handle)
        self.n_columns = library.cuonn_mesh_shape_columns(handle) - 1  # without that of gamma
        self.architecture = lib.ARCHITECTURES[number]
        self.node = lib.NODES[node]
        self.couplers = library.cuonn_node_kind_couplers(node)
        # What the library is told of a shape in numbers: nothing of rectangular meshes of MZIs and N columns, else
        # architecture, columns and kind of nodes; of custom ones besides the number of nodes of each column, and their
        # pairs.
        plain = number == node == 0 and self.n_columns == self.n_modes
        self.numbers = () if plain else (number, self.n_columns, node)
        if number == _CUSTOM:
            pairs = self.pairs
            self.numbers += (*map(len, pairs), *np.concatenate(pairs).ravel().tolist())

    @property
    def pointer(self) -> Optional[int]:
        """For cuonn_function, where rectangular meshes of MZIs and N columns need none."""
        return self.handle if self.numbers else None

    @property
    def pairs(self) -> List[np.ndarray]:
        """Of each column, the top and bottom waveguide of its nodes, (count, 2), counted from 0."""
        columns = [library.cuonn_mesh_shape_column(self.handle, c) for c in range(self.n_columns)]
        return [np.ctypeslib.as_array(c.pairs, (c.count, 2)).astype(np.int64) if c.count else
                np.zeros((0, 2), np.int64) for c in columns]

    @property
    def arguments(self) -> dict:
        """The arguments of Shape and Mesh that make it again; none of a rectangular mesh of MZIs and N columns."""
        if not self.numbers:
            return {}
        how = {"pairs": self.pairs} if self.architecture == "custom" else {"columns": self.n_columns}
        return {"architecture": self.architecture, **how, "node": self.node}

    def __eq__(self, other) -> bool:
        return isinstance(other, Shape) and (self.n_modes, self.numbers) == (other.n_modes, other.numbers)

    def __hash__(self) -> int:
        return hash((self.n_modes, self.numbers))

    def __reduce__(self):
        return of_numbers, (self.n_modes, self.numbers)

    def __repr__(self) -> str:
        return f"<cuonn.Shape: {self.architecture}, {self.n_modes} waveguides, {self.n_columns} columns of {self.node}>"


@functools.lru_cache(maxsize=64)
def of_numbers(n_modes: int, numbers: tuple) -> Shape:
    """The shape with these Shape.numbers."""
    if not numbers:
        return Shape(n_modes)
    number, columns, node, *listed = numbers
    if number != _CUSTOM:
        return Shape(n_modes, lib.ARCHITECTURES[number], columns, node=lib.NODES[node])
    ends = np.cumsum(listed[:columns])
    return Shape(n_modes, "custom", pairs=np.split(np.reshape(listed[columns:], (-1, 2)), ends[:-1]),
                 node=lib.NODES[node])
