"""How other programs count the phases of a mesh (docs/conventions.md)."""

import ctypes
from typing import NamedTuple, Optional

import numpy as np

from . import _library as lib
from ._library import library
from .errors import ArgumentError
from .mesh import Mesh


class Phases(NamedTuple):
    """Phases of a mesh, radians; nodes in the order of cuonn.Mesh."""

    theta: np.ndarray  #: (nodes,)
    phi: np.ndarray  #: (nodes,)
    gamma: np.ndarray  #: (N,) at the outputs, or at the inputs where the convention has phi behind the node


def conventions() -> list:
    """Names of all conventions; those of our phase styles, "cuonn-top" and so on, are the first four."""
    names = []
    while handle := library.cuonn_convention_at(len(names)):
        names.append(library.cuonn_convention_name(handle).decode())
    return names


def _convention(name: str, value: str) -> ctypes.c_void_p:
    handle = ctypes.c_void_p()
    library.cuonn_convention_parse(handle, lib.text(name, value))
    return handle


def convert(theta, phi, gamma=None, *, source: str = "cuonn", to: str = "cuonn", coupler_error=None, loss_db=None,
            architecture: str = "rectangular", columns: Optional[int] = None, pairs=None) -> Phases:
    """Phases counted by the convention `source`, counted by `to`, as `cuonn convert` does: the matrix stays.

    source, to: one of conventions(), or "cuonn": our style top, as `to` the style of `source` where that is ours.
    theta, phi, gamma, coupler_error, loss_db, architecture, columns, pairs: as of cuonn.Mesh; errors and losses stay.

        mesh = cuonn.Mesh(*cuonn.convert(theta, phi, gamma, source="interferometer"))

    Raises ArgumentError for a mesh that `to` cannot express (coupler errors in rotations, losses in other arms, phases
    without a shifter), ShapeError, NonFiniteError.
    """
    ours = [f"cuonn-{style}" for style in lib.STYLES]
    source = ours[0] if source == "cuonn" else source
    to = (source if source in ours else ours[0]) if to == "cuonn" else to
    mesh = Mesh(theta, phi, gamma, coupler_error=coupler_error, loss_db=loss_db, architecture=architecture,
                columns=columns, pairs=pairs)
    with mesh._plain() as plain:
        library.cuonn_mesh_convert(plain, _convention("source", source), _convention("to", to))
        return Phases(*(np.ctypeslib.as_array(getattr(plain, name), (size,)).copy() for name, size in
                        (("theta", mesh.n_nodes), ("phi", mesh.n_nodes), ("gamma", mesh.n_modes))))
