"""cuONN: trainer and simulator of optical neural networks made of Mach-Zehnder-interferometer meshes.

    mesh = cuonn.Mesh.haar(64, seed=1)
    y = mesh.propagate(x)

docs/python.md has more.
"""

from ._library import library as _lib
from .chip import Chip
from .convention import Phases, conventions, convert
from .errors import (ArgumentError, ConfigError, DataError, DeviceError, DivergedError, Error, FileError,
                     InterruptedByUserError, NonFiniteError, OutOfMemoryError, ProcessesError, ShapeError)
from .fabricated import FabricatedChip, Volts
from .mesh import VJP, Mesh
from .programming import Programming, program
from .runs import Run, load_network, sweep, train
from .shape import Shape


def __getattr__(name):
    """What needs a package beyond NumPy is imported when it is asked for."""
    if name == "Classifier":
        try:
            from .classifier import Classifier
        except ImportError as reason:
            raise ImportError(f"cuonn.Classifier needs scikit-learn ({reason}); pip install cuonn[sklearn]") from reason
        return Classifier
    raise AttributeError(f"module 'cuonn' has no attribute {name!r}")


__version__ = _lib.cuonn_version().decode()
