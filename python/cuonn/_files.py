"""Reading and writing netCDF files from a process that may have many threads.

libnetcdf serves one thread at a time: a lock sees to that.  And the library first reads a file that another program wrote
in a child process, made by fork(), so that a damaged one cannot take this process with it; a process with threads must
not fork.  So such a file is read by a program of its own, this module, which writes what it found as a file of ours.

    python -m cuonn._files mesh|network|chip FROM TO
"""

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager

from . import _library as lib
from ._library import library
from .errors import Error, FileError, error_of

lock = threading.Lock()  # to be held around all functions of the library that read or write netCDF

_TRAILER = 32  # bytes behind a file of ours, which begin with:
_MAGIC = b"cuONNtr1"


def _is_ours(path: bytes) -> bool:
    """Whether the library reads a file without a child process: a classic one with our trailer."""
    try:
        with open(path, "rb") as file:
            classic = file.read(3) == b"CDF"
            file.seek(-_TRAILER, os.SEEK_END)
            return classic and file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return True  # the library says why it cannot be read


@contextmanager
def readable(kind: str, path):
    """Path of a file that the library reads without a child process: the file itself, or a copy for the `with`."""
    path = os.fsencode(path)
    if _is_ours(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="cuonn-") as folder:
        copy = os.fsencode(os.path.join(folder, "copy.nc"))
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        known = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        ended = subprocess.run([sys.executable, "-m", "cuonn._files", kind, path, copy], capture_output=True,
                               env={**os.environ, "PYTHONPATH": known}, check=False)
        if ended.returncode != 0:
            status, _, message = ended.stdout.decode(errors="replace").partition(" ")
            if not message:
                raise FileError(f"{os.fsdecode(path)}: the program that reads it failed: "
                                f"{ended.stderr.decode(errors='replace').strip()[-500:]}")
            raise error_of(int(status), message.strip())
        yield copy


def _copy(kind: str, source: bytes, target: bytes) -> None:
    if kind == "mesh":
        mesh = lib.Mesh()
        library.cuonn_mesh_read(mesh, source)
        library.cuonn_mesh_write(target, mesh)
    elif kind == "chip":
        chip = lib.Fabricated()
        library.cuonn_fabricated_read(chip, source)
        library.cuonn_fabricated_write(target, chip)
    else:
        network = lib.Network()
        library.cuonn_network_read(network, source)
        library.cuonn_network_write(target, network)


if __name__ == "__main__":
    try:
        _copy(sys.argv[1], *map(os.fsencode, sys.argv[2:]))
    except Error as reason:
        print(reason.status, reason)
        sys.exit(1)
