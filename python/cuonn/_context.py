"""Backends that compute, for the length of a `with`."""

import contextlib
import ctypes

from . import _arrays
from . import _library as lib
from ._library import library


@contextlib.contextmanager
def context(backend: str, threads: int):
    """A cuonn_context."""
    made = ctypes.c_void_p()
    name, threads = lib.text("backend", backend), _arrays.count("threads", threads)
    library.cuonn_context_create(made, name, threads)
    try:
        yield made
    finally:
        library.cuonn_context_free(made)
