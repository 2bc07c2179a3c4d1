"""A fabricated chip: what was measured of one, or drawn at random, node by node (docs/chip.md)."""

import ctypes
import os
from typing import NamedTuple, Optional

import numpy as np

from . import _arrays, _files
from . import _library as lib
from ._library import library
from .chip import Chip
from .errors import ArgumentError, ShapeError
from .mesh import Mesh, mesh_of_plain, Plain, style_of
from .shape import Shape

_SHARE = np.dtype([("to", np.uint32), ("from", np.uint32), ("share", np.float64)])  # cuonn_crosstalk


class Volts(NamedTuple):
    """Voltages of the shifters of a mesh, V."""

    theta: np.ndarray  #: (nodes,)
    phi: np.ndarray  #: (nodes,)
    gamma: np.ndarray  #: (N,)


def _at(address: int, shape: tuple, dtype) -> np.ndarray:
    """A copy of an array of the library."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(ctypes.string_at(address, size), dtype).reshape(shape)


def _meshes(name: str, values, shape: tuple) -> np.ndarray:
    """(layers, ...) numbers, of one mesh also without its dimension; None: zeros."""
    if values is None:
        return np.zeros(shape)
    array = np.asarray(values)
    return _arrays.reals(name, array[None] if shape[0] == 1 and array.ndim == len(shape) - 1 else array, shape)


def _shares(values, n_layers: int):
    """Shares of crosstalk in the order of the library, and the number of the first of each layer."""
    if values is None:
        return np.zeros(0, _SHARE), np.zeros(n_layers + 1, np.uintp)
    given = np.asarray(values, np.float64)
    width = 3 if n_layers == 1 and given.ndim == 2 and given.shape[1] == 3 else 4
    if given.ndim != 2 or given.shape[1] != width:
        raise ShapeError(f"crosstalk has the shape {given.shape}; it has a row (layer, to, from, share) for each share, "
                         "of a chip of one mesh also (to, from, share)")
    layer = given[:, 0] if width == 4 else np.zeros(len(given))
    to, giver, share = given[:, -3:].T
    if not all((n == np.floor(n)).all() and (n >= 0).all() and (n < 2**32).all() for n in (layer, to, giver)) or not (
            layer < n_layers).all():
        raise ArgumentError(f"crosstalk has layers from 0 to {n_layers - 1}, and shifters that are whole numbers")
    order = np.lexsort((giver, to, layer))
    shares = np.zeros(len(given), _SHARE)
    for name, column in zip(_SHARE.names, (to, giver, share)):
        shares[name] = column[order]
    return shares, np.searchsorted(layer[order], np.arange(n_layers + 1)).astype(np.uintp)


class FabricatedChip:
    """A chip of `n_layers` meshes of a shape and phase style, with what is known of it.

    coupler_error: (layers, nodes, 2) radians on pi/4, of mzi3 (layers, nodes, 3); loss_db: (layers, nodes, 2) dB of
    power of the theta and the phi shifter; None: zeros.
    drive_slope: (layers, shifters) radians / V^2, and drive_offset: (layers, shifters) radians, None: zeros: the curves
    phase = offset + slope V^2 of theta of every node, phi of every node, gamma of every waveguide; None: no curves.
    most_volts, least_volts: range of the driver, which has to be told with curves; driver_bits: it has 2^bits voltages,
    0: any.
    crosstalk: rows (layer, to, from, share): shifter `to` gets so much of the driven phase of shifter `from`, besides
    its own; theta of node k is shifter k, its phi is shifter nodes + k.
    wavelength: at which this holds, nm; 0: not known.

    Of a chip of one mesh the arrays may lack the dimension of layers.  Raises ShapeError, ArgumentError, DataError,
    NonFiniteError.  The arrays are attributes that cannot be changed.
    """

    def __init__(self, shape: Shape, style: str = "top", n_layers: int = 1, *, coupler_error=None, loss_db=None,
                 drive_slope=None, drive_offset=None, most_volts: Optional[float] = None, least_volts: float = 0.0,
                 driver_bits: int = 0, crosstalk=None, wavelength: float = 0.0):
        if not isinstance(shape, Shape):
            raise ArgumentError(f"shape is {type(shape).__name__}; it must be a cuonn.Shape")
        self.shape, self.style, self.n_layers = shape, style, _arrays.count("n_layers", n_layers, 1)
        nodes, shifters = shape.n_nodes, 2 * shape.n_nodes + shape.n_modes
        self.coupler_error = _meshes("coupler_error", coupler_error, (self.n_layers, nodes, shape.couplers))
        self.loss_db = _meshes("loss_db", loss_db, (self.n_layers, nodes, 2))
        self.drive_slope = self.drive_offset = None
        if drive_slope is not None:
            if most_volts is None:
                raise ArgumentError("curves need most_volts, the end of the driver's range")
            self.drive_slope = _meshes("drive_slope", drive_slope, (self.n_layers, shifters))
            self.drive_offset = _meshes("drive_offset", drive_offset, (self.n_layers, shifters))
        elif drive_offset is not None or most_volts is not None or driver_bits or least_volts:
            raise ArgumentError("curves and drivers need drive_slope, the slopes of the curves")
        self.least_volts = _arrays.real("least_volts", least_volts)
        self.most_volts = 0.0 if most_volts is None else _arrays.real("most_volts", most_volts)
        self.driver_bits = _arrays.count("driver_bits", driver_bits)
        self.wavelength = _arrays.real("wavelength", wavelength)
        self._crosstalk, self._first = _shares(crosstalk, self.n_layers)
        self._plain = lib.Fabricated(  # of our arrays, which live as long
            self.n_layers, shape.handle, style_of(style), self.wavelength, _arrays.address(self.coupler_error),
            _arrays.address(self.loss_db), lib.Driver(self.least_volts, self.most_volts, self.driver_bits),
            *(None if a is None else _arrays.address(a) for a in (self.drive_offset, self.drive_slope)),
            _arrays.address(self._first), _arrays.address(self._crosstalk) if len(self._crosstalk) else None)
        for array in (self.coupler_error, self.loss_db, self.drive_slope, self.drive_offset):
            if array is not None:
                array.flags.writeable = False
        library.cuonn_fabricated_check(self._plain)

    @property
    def crosstalk(self) -> np.ndarray:
        """(entries, 4) layer, to, from, share."""
        layer = np.repeat(np.arange(self.n_layers), np.diff(self._first.astype(np.int64)))
        return np.column_stack([layer, *(self._crosstalk[name] for name in _SHARE.names)])

    @classmethod
    def draw(cls, shape: Shape, chip: Chip, style: str = "top", n_layers: int = 1, *, drive_slope: float = 0.0,
             drive_slope_std: float = 0.0, drive_offset: float = 0.0, drive_offset_std: float = 0.0,
             most_volts: Optional[float] = None, least_volts: float = 0.0, driver_bits: int = 0,
             wavelength: float = 1550.0) -> "FabricatedChip":
        """A chip drawn at random, as `cuonn chip new` does: errors, losses and crosstalk by the deviations and the seed
        of a cuonn.Chip, and, unless drive_slope is 0, curves with normal slopes (drive_slope_std is relative) and
        offsets."""
        if not isinstance(chip, Chip):
            raise ArgumentError(f"chip is {type(chip).__name__}; it must be a cuonn.Chip")
        numbers = dict(slope=drive_slope, slope_std=drive_slope_std, offset=drive_offset, offset_std=drive_offset_std)
        law = lib.DriveLaw(*(_arrays.real(f"drive_{name}", value) for name, value in numbers.items()))
        drawn = law.slope != 0
        if drawn and most_volts is None:
            raise ArgumentError("curves need most_volts, the end of the driver's range")
        plain, options = lib.Fabricated(), chip._options("exact", style_of(style))
        library.cuonn_fabricated_create(plain, shape.handle, style_of(style), _arrays.count("n_layers", n_layers, 1))
        try:
            plain.wavelength = _arrays.real("wavelength", wavelength)
            if drawn:
                driver = lib.Driver(_arrays.real("least_volts", least_volts), _arrays.real("most_volts", most_volts),
                                    _arrays.count("driver_bits", driver_bits))
                library.cuonn_fabricated_add_drive(plain, driver)
            library.cuonn_fabricated_draw(plain, options, law if drawn else None)
            return cls._of_plain(plain)
        finally:
            library.cuonn_fabricated_free(plain)

    @classmethod
    def load(cls, path) -> "FabricatedChip":
        """Reads a chip file (docs/files.md), or the errors of any mesh or network.  Raises FileError, DataError."""
        plain = lib.Fabricated()
        with _files.readable("chip", path) as readable, _files.lock:
            library.cuonn_fabricated_read(plain, readable)
        try:
            return cls._of_plain(plain)
        finally:
            library.cuonn_fabricated_free(plain)

    def save(self, path) -> None:
        """Writes a chip file, for `cuonn train --chip` and other commands; whole or not at all."""
        with _files.lock:
            library.cuonn_fabricated_write(os.fsencode(path), self._plain)

    @classmethod
    def _of_plain(cls, plain: lib.Fabricated) -> "FabricatedChip":
        """A struct of the library as a chip of its own."""
        shape, layers = Shape.of_handle(plain.shape), plain.n_layers
        shifters = 2 * shape.n_nodes + shape.n_modes

        def array(address, *size):
            return _at(address, (layers, *size), np.float64) if address else None

        first = _at(plain.crosstalk_first, (layers + 1,), np.uintp).astype(np.int64)
        shares = _at(plain.crosstalk, (first[-1],), _SHARE) if first[-1] else np.zeros(0, _SHARE)
        rows = np.column_stack([np.repeat(np.arange(layers), np.diff(first)), *(shares[n] for n in _SHARE.names)])
        driver = dict(most_volts=plain.driver.most, least_volts=plain.driver.least, driver_bits=plain.driver.bits)
        return cls(shape, lib.STYLES[plain.style], layers,
                   coupler_error=array(plain.coupler_error, shape.n_nodes, shape.couplers),
                   loss_db=array(plain.loss_db, shape.n_nodes, 2), drive_slope=array(plain.drive_slope, shifters),
                   drive_offset=array(plain.drive_offset, shifters), crosstalk=rows, wavelength=plain.wavelength,
                   **(driver if plain.drive_slope else {}))

    def __reduce__(self):
        driven = self.drive_slope is not None
        return _of_arrays, (type(self), (self.shape, self.style, self.n_layers), dict(
            coupler_error=self.coupler_error, loss_db=self.loss_db, drive_slope=self.drive_slope,
            drive_offset=self.drive_offset, most_volts=self.most_volts if driven else None,
            least_volts=self.least_volts, driver_bits=self.driver_bits, crosstalk=self.crosstalk,
            wavelength=self.wavelength))

    def __repr__(self) -> str:
        curves = "" if self.drive_slope is None else ", drive curves"
        shares = f", {len(self._crosstalk)} shares of crosstalk" if len(self._crosstalk) else ""
        return f"<cuonn.FabricatedChip: {self.n_layers} of {self.shape}, style {self.style}{curves}{shares}>"

    # ---- what it makes of phases

    def mesh(self, layer: int = 0) -> Mesh:
        """One of its meshes, with its errors and losses and without phases: a chip for cuonn.program()."""
        return self._with(None, layer, library.cuonn_fabricated_put_errors)

    def apply(self, mesh: Mesh, layer: int = 0) -> Mesh:
        """The mesh that the chip is when it is programmed to the phases of `mesh`: with its errors and losses, and phases
        as its driver sets them and its crosstalk mixes them."""
        return self._with(mesh, layer, library.cuonn_fabricated_apply)

    def volts(self, mesh: Mesh, layer: int = 0) -> Volts:
        """Voltages for the phases of a mesh: the least that set them, give or take their period, and the nearest that
        the driver has.  Raises DataError for a phase that it cannot set."""
        volts = np.empty(2 * mesh.n_nodes + mesh.n_modes)
        with mesh._plain() as plain:
            library.cuonn_fabricated_volts(_arrays.address(volts), self._plain, _arrays.count("layer", layer), plain)
        return Volts(*np.split(volts, [mesh.n_nodes, 2 * mesh.n_nodes]))

    def _with(self, mesh: Optional[Mesh], layer: int, change) -> Mesh:
        with Plain(self.shape, self.style) if mesh is None else mesh._plain() as plain:
            change(plain, self._plain, _arrays.count("layer", layer))
            return mesh_of_plain(plain)


def _of_arrays(cls, meshes: tuple, arrays: dict) -> FabricatedChip:
    """A copied or unpickled chip."""
    return cls(*meshes, **arrays)
