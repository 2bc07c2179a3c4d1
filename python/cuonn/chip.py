"""What a real chip adds to a mesh: systematic errors, and the noise of its readings."""

import ctypes
from dataclasses import dataclass, fields
from typing import Optional

from . import _arrays
from . import _library as lib
from ._library import library
from .errors import ArgumentError

_CHOICES = {
    "measurement": ("example", "matrix"),  # cuonn_measurement
    "scale": ("example", "study"),  # cuonn_measurement_scale
    "noise_draw": ("fresh", "frozen", "frozen-per-use", "frozen-shared"),  # cuonn_noise_draw
    "loss_law": ("truncated", "study"),  # cuonn_loss_law
}


@dataclass
class Chip:
    """A chip; without arguments one that has neither errors nor noise.  docs/physics.md, section 8, has the formulas.

    seed: of errors and noise.
    coupler_mean, coupler_std: errors of couplers, radians; coupler_equal: both of a node have the same.
    loss_mean, loss_std: of each phase shifter, dB of power; loss_law: "truncated" (no gain) or "study".
    phase_bits: phases are the nearest of 2^bits levels of their period; 0: any phase.
    crosstalk: share of a neighbouring arm's phase at no distance; crosstalk_decay: distance over which it falls to
    1/e, in pitches of nodes.
    phase_error: standard deviation of an error added to every phase, radians.
    perturbation: gradients "spsa" and "finite-difference": by how much phases are moved up and down, radians.
    estimates: gradient "spsa": gradients, each of its own signs, whose mean is taken.
    tap_shot: standard deviation of a tap's power over the amplitude there.
    io_amplitude, io_phase: relative standard deviation of an amplitude that is read, and of a phase over pi.
    noise_draw: "fresh", "frozen", "frozen-per-use" or "frozen-shared".
    measurement: what a measured gradient sends through the chip, "example" or "matrix"; scale: "example" or "study".
    fabricated: a cuonn.FabricatedChip, whose numbers are in place of errors, losses, levels and crosstalk above.
    """

    seed: int = 0
    coupler_mean: float = 0.0
    coupler_std: float = 0.0
    coupler_equal: bool = False
    loss_mean: float = 0.0
    loss_std: float = 0.0
    loss_law: str = "truncated"
    phase_bits: int = 0
    crosstalk: float = 0.0
    crosstalk_decay: float = 1.0
    phase_error: float = 0.0
    perturbation: float = 0.1
    estimates: int = 1
    tap_shot: float = 0.0
    io_amplitude: float = 0.0
    io_phase: float = 0.0
    noise_draw: str = "fresh"
    measurement: str = "example"
    scale: str = "example"
    fabricated: Optional["FabricatedChip"] = None

    def _options(self, gradient: str, style: int) -> lib.ChipOptions:
        """As the library's struct, checked for gradients of a kind on meshes of a style."""
        options = lib.ChipOptions()
        library.cuonn_chip_options_init(options)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "fabricated":
                value = self._fabricated()
            elif field.name in _CHOICES:
                choices = _CHOICES[field.name]
                if value not in choices:
                    raise ArgumentError(f"{field.name} is {value!r}; it is one of {', '.join(choices)}")
                value = choices.index(value)
            elif field.type is not bool:
                value = (_arrays.count if field.type is int else _arrays.real)(field.name, value)
            setattr(options, field.name, value)
        library.cuonn_chip_check(options, lib.GRADIENTS.index(gradient), style)
        return options

    def _fabricated(self) -> Optional[int]:
        """Where the struct of the fabricated chip lies, which lives as long as that."""
        from .fabricated import FabricatedChip

        if self.fabricated is None:
            return None
        if not isinstance(self.fabricated, FabricatedChip):
            raise ArgumentError(f"fabricated is {type(self.fabricated).__name__}; it must be a cuonn.FabricatedChip")
        return ctypes.addressof(self.fabricated._plain)
