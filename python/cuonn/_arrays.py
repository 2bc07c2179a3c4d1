"""NumPy arrays as the library's buffers: used where they lie if they are contiguous and of a type that it takes."""

import ctypes
import operator

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
    try:  # a tenth of the time of the other, but not of arrays that are empty or may not be written
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError):
        return array.__array_interface__["data"][0]


def buffer(array: np.ndarray) -> lib.Buffer:
    """A contiguous array as a buffer, which is good as long as the array lives."""
    return lib.Buffer(address(array), _NUMBERS[array.dtype], lib.HOST, array.size)


def fields(name: str, values, n_modes: int) -> np.ndarray:
    """Fields (..., N) as a contiguous array: complex64 for single precision, real or complex, and for any other numbers
    complex128.  A copy only where `values` is no such array already."""
    array = np.asarray(values)
    if array.dtype.kind not in "biufc":
        raise ArgumentError(f"{name} holds {array.dtype}; fields are numbers")
    if array.ndim == 0 or array.shape[-1] != n_modes:
        raise ShapeError(f"{name} has the shape {array.shape}; its last dimension must be the {n_modes} waveguides")
    single = array.dtype in (np.float16, np.float32, np.complex64)
    return np.ascontiguousarray(array, np.complex64 if single else np.complex128)


def reals(name: str, values, shape: tuple) -> np.ndarray:
    """Real numbers as a contiguous array of doubles of its own, so that later changes of `values` do not reach it."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{name} holds {array.dtype}; it must be real numbers")
    if array.shape != shape:
        raise ShapeError(f"{name} has the shape {array.shape}, {shape} is needed")
    return np.array(array, dtype=np.float64, order="C")


def count(name: str, value, least: int = 0) -> int:
    """A whole number that the library takes without a sign."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} is {value!r}; it must be a whole number") from None
    if not least <= number < 2**63:
        raise ArgumentError(f"{name} is {number}; it must be at least {least}")
    return number


def real(name: str, value) -> float:
    """A real number."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise ArgumentError(f"{name} is {value!r}; it must be a number")
    return float(value)
