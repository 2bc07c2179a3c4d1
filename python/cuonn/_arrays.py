"""NumPy arrays as the library's buffers: used where they lie if they are contiguous and of a type that it takes."""

import numpy as np

from . import _library as lib
from .errors import ArgumentError, ShapeError

_NUMBERS = {
    np.dtype(np.float32): lib.FLOAT32,
    np.dtype(np.float64): lib.FLOAT64,
    np.dtype(np.complex64): lib.COMPLEX64,
    np.dtype(np.complex128): lib.COMPLEX128,
}


def address(array: np.ndarray) -> int:
    """Where an array's first number lies."""
    return array.__array_interface__["data"][0]


def buffer(array: np.ndarray) -> lib.Buffer:
    """A contiguous array as a buffer, which is good as long as the array lives."""
    return lib.Buffer(address(array), _NUMBERS[array.dtype], lib.HOST, array.size)


def fields(name: str, values, n_modes: int) -> np.ndarray:
    """Fields (..., N) as a contiguous array: complex64 for single precision, real or complex, and for anything else that
    has a value as a complex number complex128.  A copy only where `values` is no such array already."""
    array = np.asarray(values)
    if array.dtype.kind not in "biufc":
        raise ArgumentError(f"{name} holds {array.dtype}; fields are numbers")
    if array.ndim == 0 or array.shape[-1] != n_modes:
        raise ShapeError(f"{name} has the shape {array.shape}; its last dimension must be the {n_modes} waveguides")
    single = array.dtype in (np.float16, np.float32, np.complex64)
    return np.ascontiguousarray(array, np.complex64 if single else np.complex128)


def reals(name: str, values, shape: tuple) -> np.ndarray:
    """Real numbers as a contiguous array of doubles of its own, so that later changes of `values` do not reach it."""
    array = np.array(values, dtype=np.float64, order="C")
    if array.shape != shape:
        raise ShapeError(f"{name} has the shape {array.shape}, {shape} is needed")
    return array
