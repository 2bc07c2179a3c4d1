"""Setting a chip whose couplers are off to a wanted matrix (docs/programming.md)."""

from typing import NamedTuple

from . import _arrays
from . import _library as lib
from ._context import context
from ._library import library
from .errors import ArgumentError, ShapeError
from .mesh import Mesh, mesh_of_plain, unitary_of


class Programming(NamedTuple):
    """What programming a chip came to; errors are ||U' - U||_F / sqrt(N), the normalised ones of U' scaled to the norm
    of a unitary."""

    mesh: Mesh  #: the chip with the phases that were found, in [0, 2 pi)
    error_before: float  #: with the phases of a chip without errors
    error_after: float  #: with those that were found
    normalised_error_before: float
    normalised_error_after: float
    out_of_reach: int  #: local, gradient: nodes whose couplers do not allow the wanted splitting
    readings: int  #: nulling: powers that were read
    iterations: int  #: gradient: steps that were taken


def program(unitary, chip: Mesh, method: str = "local", *, tap_shot: float = 0.0, seed: int = 0,
            iterations: int = 1000, backend: str = "reference", threads: int = 0) -> Programming:
    """Finds phases with which a chip comes near to the matrix `unitary` (N, N), as `cuonn program` does.

    chip: a rectangular mesh of N columns or a triangular one, with its coupler errors and losses; it stays as it is.
    method: "decompose" (phases of a chip without errors), "local" (errors are known, and corrected node by node),
    "nulling" (errors are unknown: powers are read) or "gradient" (from "local" down the gradient of the error).
    tap_shot, seed: noise of what nulling reads.  iterations: most steps of "gradient".
    backend: "reference" (double), "cpu", "cuda" ("cuda:1": the second GPU) or "auto".  threads: of "cpu", 0: all.
    Raises DataError for a matrix that is farther than 1e-6 from unitary, ArgumentError, ShapeError, NonFiniteError.
    """
    if method not in lib.PROGRAMMING_METHODS:
        raise ArgumentError(f"method is {method!r}; it is one of {', '.join(lib.PROGRAMMING_METHODS)}")
    if not isinstance(chip, Mesh):
        raise ArgumentError(f"chip is {type(chip).__name__}; it must be a cuonn.Mesh")
    matrix = unitary_of(unitary)
    if len(matrix) != chip.n_modes:
        raise ShapeError(f"the matrix has the shape {matrix.shape}, the chip {chip.n_modes} waveguides")
    options = lib.ProgrammingOptions(lib.PROGRAMMING_METHODS.index(method), _arrays.real("tap_shot", tap_shot),
                                     _arrays.count("seed", seed), _arrays.count("iterations", iterations))
    result = lib.ProgrammingResult()
    with chip._plain() as mesh, context(backend, threads) as computing:
        library.cuonn_chip_program(mesh, result, computing, _arrays.address(matrix), options)
        return Programming(mesh_of_plain(mesh), result.before.error, result.after.error, result.before.normalised,
                           result.after.normalised, result.out_of_reach, result.readings, result.iterations)
