"""Whole trainings and sweeps: the program `cuonn`, its directories, and what is in them as xarray Datasets."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import warnings
from typing import Mapping, Optional

import numpy as np

from . import _files
from . import _library as lib
from ._library import library
from .errors import Error, FileError, error_of
from .mesh import Mesh, mesh_of_plain

# Exit codes of the program (docs/commands.md) as statuses of the library.
_STATUS = {2: -3, 3: -4, 4: -9}


def program() -> str:
    """Path of the program `cuonn`: that of the environment variable CUONN_PROGRAM, that of this package, or the first
    on the PATH."""
    named = os.environ.get("CUONN_PROGRAM")
    own = pathlib.Path(__file__).with_name("bin") / "cuonn"
    found = named or (str(own) if own.exists() else shutil.which("cuonn"))
    if not found:
        raise FileError("the program cuonn is not installed; install the package cuonn with pip, or set CUONN_PROGRAM")
    return found


def _settings(settings: Optional[Mapping]) -> list:
    """--set KEY=VALUE for each setting; values as YAML writes them."""
    arguments = []
    for key, value in (settings or {}).items():
        value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        arguments += ["--set", f"{key}={json.dumps(value) if not isinstance(value, str) else value}"]
    return arguments


def _lines(command: str, arguments: list):
    """Runs a command with --json and gives its objects as they come.  Ctrl-C is handed on to the program, which saves
    what there is and stops; its failures are raised with its own line, and what it warns of is a warning.

    The program has a session of its own: a terminal's Ctrl-C would reach it besides, and the second ends it at once."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen([program(), command, "--json", *arguments], stdout=subprocess.PIPE, stderr=said,
                                   text=True, start_new_session=True)
        try:
            for line in process.stdout:
                yield json.loads(line)
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise
        finally:
            code = process.wait()
            process.stdout.close()
        said.seek(0)
        lines = [line.removeprefix("cuonn: ") for line in said.read().splitlines() if line]
    if code == 130:
        raise KeyboardInterrupt
    if code != 0:
        raise error_of(_STATUS.get(code, -1), lines[-1] if lines else f"cuonn {command} ended with code {code}")
    for line in lines:
        warnings.warn(line, stacklevel=4)


def _follow(command: str, arguments: list, progress: bool, unit: str, place, numbers, first: int = 0) -> pathlib.Path:
    """Runs a command to its end, if wanted under a bar of tqdm, of which `first` units are done already.  Of an object
    that the command says, place(before, object) is how many are done; its numbers of these names stand behind the bar.
    Returns the directory that was written."""
    bar, directory = None, None
    if progress:
        from tqdm.auto import tqdm

        bar = tqdm(unit=unit, initial=first)
    try:
        for said in _lines(command, arguments):
            directory = said.get("directory", directory)
            if bar is not None and "of" in said:
                bar.total, bar.n = said["of"], place(bar.n, said)
                bar.set_postfix({name: f"{said[name]:.4f}" for name in numbers if said[name] is not None})
    finally:
        if bar is not None:
            bar.close()
    return pathlib.Path(directory)


class Run:
    """A run directory, finished or not: what `cuonn train` wrote there."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        if not (self.directory / "config.yaml").exists():
            raise FileError(f"{self.directory} holds no run: it has no config.yaml")

    def __repr__(self) -> str:
        return f"<cuonn.Run: {self.directory}>"

    @property
    def history(self):
        """metrics.csv as an xarray.Dataset over epoch; what was not measured is NaN."""
        import xarray

        with open(self.directory / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(line for line in file if line.endswith("\n")))  # the last may just be written
            names = [n for n in (rows[0] if rows else {}) if n != "epoch"]
        columns = {n: ("epoch", np.array([float(r[n] or "nan") for r in rows])) for n in names}
        return xarray.Dataset(columns, coords={"epoch": [int(r["epoch"]) for r in rows]})

    def meshes(self, best: bool = False) -> list:
        """The mesh of each layer, after the last epoch or after the best."""
        return load_network(self.directory / ("best.nc" if best else "last.nc"))

    @property
    def report(self) -> pathlib.Path:
        """Path of report.html, which is there once training is done and gnuplot was found."""
        return self.directory / "report.html"

    def plot(self):
        """Losses and accuracy over the epochs as a matplotlib Figure."""
        from matplotlib.figure import Figure

        history = self.history
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(history.epoch, history.train_loss, label="training")
        left.plot(history.epoch, history.test_loss, label="test")
        left.set(xlabel="epoch", ylabel="loss")
        left.legend()
        right.plot(history.epoch, history.test_accuracy)
        right.set(xlabel="epoch", ylabel="test accuracy")
        return figure


def load_network(path) -> list:
    """The mesh of each layer of a network or checkpoint file.  Raises FileError, DataError, NonFiniteError."""
    network = lib.Network()
    with _files.readable("network", path) as readable, _files.lock:
        library.cuonn_network_read(network, readable)
    try:
        return [mesh_of_plain(network.layers[i]) for i in range(network.shape.n_layers)]
    finally:
        library.cuonn_network_free(network)


def _arguments(config, output, resume, settings: Optional[Mapping]) -> list:
    """What train and sweep take alike."""
    arguments = _settings(settings)
    arguments += ["--output", os.fspath(output)] if output is not None else []
    arguments += ["--resume", os.fspath(resume)] if resume is not None else []
    return arguments + ([os.fspath(config)] if config is not None else [])


def train(config=None, *, output=None, resume=None, settings: Optional[Mapping] = None,
          progress: bool = False) -> Run:
    """Trains a network as `cuonn train` does.

    config: a YAML file (docs/configuration.md).  output: the run directory in place of the configuration's.
    resume: a run directory to go on with, in place of config.  settings: keys and values over the configuration, such
    as {"training.epochs": 5}.  progress: a bar of tqdm.
    Returns the Run.  Raises ConfigError, DataError, DeviceError, and Error with the program's own line.
    """
    arguments = _arguments(config, output, resume, settings)
    return Run(_follow("train", arguments, progress, "epoch", lambda before, said: said["epoch"],
                       ("train_loss", "test_accuracy")))


def sweep(grid=None, *, output=None, resume=None, settings: Optional[Mapping] = None, progress: bool = False):
    """Trains networks over a grid of settings as `cuonn sweep` does, and gives sweep.nc as an xarray.Dataset with the
    grid's dimensions (docs/files.md).  Arguments and errors as of train(); lists in settings are axes."""
    import xarray

    arguments = _arguments(grid, output, resume, settings)
    done = len(list(pathlib.Path(resume, "runs").glob("*.nc"))) if resume is not None else 0
    directory = _follow("sweep", arguments, progress, "run", lambda before, said: before + 1, ("test_error",), done)
    return xarray.load_dataset(directory / "sweep.nc")
