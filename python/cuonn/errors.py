"""Failures of the library as exceptions: one line that says what, where, and what to do about it."""


class Error(Exception):
    """Any failure that the library reports.  `status` is its number in cuonn/status.h."""

    status = -1


class ArgumentError(Error, ValueError):
    """An argument or option out of its range, or unknown."""

    status = -2


class ConfigError(Error, ValueError):
    """A configuration file, key or value that is refused."""

    status = -3


class DataError(Error, ValueError):
    """A file or array whose content is not what it must be."""

    status = -4


class ShapeError(Error, ValueError):
    """Sizes that do not fit each other."""

    status = -5


class NonFiniteError(Error, ValueError):
    """NaN or infinity where a finite number must stand."""

    status = -6


class FileError(Error, OSError):
    """A file that cannot be opened, read or written."""

    status = -7


class OutOfMemoryError(Error, MemoryError):
    """Not enough memory."""

    status = -8


class DeviceError(Error, RuntimeError):
    """No such backend or device here, or the device failed."""

    status = -9


class DivergedError(Error, ArithmeticError):
    """Training's loss became NaN or infinite."""

    status = -10


class InterruptedByUserError(Error):
    """Stopped because it was asked to stop."""

    status = -11


class ProcessesError(Error, RuntimeError):
    """Processes that share a training have come to different phases."""

    status = -12


_BY_STATUS = {e.status: e for e in (Error, *Error.__subclasses__())}


def error_of(status: int, message: str) -> Error:
    """The exception of a status."""
    return _BY_STATUS.get(status, Error)(message)
