"""Follows a run or a sweep by its files, and tells an experiment tracker of every finished epoch.

    python -m cuonn.track runs/seven --mlflow http://localhost:5000
    python -m cuonn.track runs/seven --tensorboard logs
    python -m cuonn.track runs/seven --wandb PROJECT

It ends when training is over, or with --once after what is there; it may be started at any time and as often as wanted:
what a tracker has already is not sent again.  A run that stopped before its last epoch may be gone on with, and its
files do not tell that from one that diverged: it is waited for, which a line says.  The program `cuonn` itself never
goes to a network.
"""

import argparse
import csv
import hashlib
import pathlib
import sys
import time
from typing import Dict, Iterator, List, NamedTuple

import yaml

from .errors import Error, FileError

_SECONDS = 1.0  # between two looks at the files
_QUIET = 30  # looks without anything new until a line says that we wait
# What may be set anew for a run that goes on (docs/commands.md).
_MAY_CHANGE = ("training.epochs", "backend.name", "backend.method", "backend.threads", "backend.devices", "data.path")


class Series(NamedTuple):
    """One training, as far as its files tell."""

    name: str  #: "run", or the number of a point of a sweep
    settings: Dict[str, object]  #: by key, such as "training.epochs"
    epochs: Dict[int, Dict[str, float]]  #: numbers of each finished epoch, 1 the first
    finished: bool
    files: List[pathlib.Path]  #: worth keeping, once it is finished


def _flat(tree: dict, prefix: str = "") -> Dict[str, object]:
    flat = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _rows(path: pathlib.Path) -> Dict[int, Dict[str, float]]:
    """metrics.csv, of which the last line may just be written: it counts once it has its end."""
    lines = path.read_text().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return {int(row["epoch"]): {k: float(v) for k, v in row.items() if k != "epoch" and v}
            for row in csv.DictReader(whole)}


def _run(directory: pathlib.Path) -> Series:
    settings = _flat(yaml.safe_load((directory / "config.yaml").read_text()))
    metrics = directory / "metrics.csv"
    epochs = _rows(metrics) if metrics.exists() else {}
    files = [directory / n for n in ("config.yaml", "metrics.csv", "best.nc", "last.nc", "report.html")]
    return Series("run", settings, epochs, len(epochs) >= settings["training.epochs"], files)


def _point(path: pathlib.Path) -> Series:
    """A finished or failed point of a sweep; its file is written once and whole."""
    import xarray

    with xarray.open_dataset(path) as dataset:
        settings = _flat(yaml.safe_load(dataset.attrs["config"]))
        numbers = {name: v.values for name, v in dataset.data_vars.items() if v.dims == ("epoch",)}
        n_epochs = int(dataset.attrs["epochs"])
    epochs = {e + 1: {k: float(v[e]) for k, v in numbers.items() if v[e] == v[e]} for e in range(n_epochs)}
    return Series(path.stem, settings, epochs, True, [path, path.parent.parent / "networks" / path.name])


def _count_points(directory: pathlib.Path) -> int:
    """Points of a grid: lists multiply, those of a group of sweep.zip count once."""
    settings = _flat(yaml.safe_load((directory / "sweep.yaml").read_text()))
    lists = {k: v for k, v in settings.items() if isinstance(v, list) and k != "sweep.zip"}
    n = int(settings.get("sweep.repeats", 1) or 1)
    for group in settings.get("sweep.zip") or []:
        keys = group if isinstance(group, list) else [group]
        for key in keys[1:]:
            lists.pop(key, None)
    for values in lists.values():
        n *= len(values)
    return n


def series_of(directory: pathlib.Path) -> Iterator[Series]:
    """All trainings of a directory that have begun."""
    if (directory / "sweep.yaml").exists():
        for path in sorted((directory / "runs").glob("*.nc")):
            yield _point(path)
    elif (directory / "config.yaml").exists():
        yield _run(directory)
    else:
        raise FileError(f"{directory} holds neither a run (config.yaml) nor a sweep (sweep.yaml)")


def _is_over(directory: pathlib.Path, all_series: List[Series]) -> bool:
    if (directory / "sweep.yaml").exists():
        return len(all_series) >= _count_points(directory)
    return all(s.finished for s in all_series)


def _progress(directory: pathlib.Path, all_series: List[Series]) -> str:
    if (directory / "sweep.yaml").exists():
        return f"{len(all_series)} of {_count_points(directory)} runs"
    return f"{len(all_series[0].epochs)} of {all_series[0].settings['training.epochs']} epochs"


def identity(directory: pathlib.Path, series: Series) -> str:
    """What a tracker knows a training by: the same for the same place and configuration, whenever it is sent, also
    after the training was gone on with."""
    settings = sorted((k, str(v)) for k, v in series.settings.items() if k not in _MAY_CHANGE)
    text = f"{directory.resolve()}\n{series.name}\n{settings}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class MLflow:
    """One run of MLflow's for each training, in the experiment `cuonn`, found again by its tag `cuonn.identity`."""

    def __init__(self, uri: str):
        import mlflow

        if "://" not in uri and not uri.startswith("databricks"):
            raise FileError(f"--mlflow {uri}: MLflow refuses folders of files; give the address of a server "
                            "(http://...) or a database (sqlite:///mlflow.db)")
        self.client = mlflow.MlflowClient(tracking_uri=uri)
        found = self.client.get_experiment_by_name("cuonn")
        self.experiment = found.experiment_id if found else self.client.create_experiment("cuonn")
        self.runs, self.known = {}, {}

    def _run_of(self, key: str, name: str, series: Series):
        """The run, with the settings that it has not yet, and the epochs that it has."""
        from mlflow.entities import Param

        if key not in self.runs:
            found = self.client.search_runs([self.experiment], f"tags.`cuonn.identity` = '{key}'")
            run = found[0] if found else self.client.create_run(self.experiment, run_name=name,
                                                                tags={"cuonn.identity": key})
            new = [Param(k, str(v)) for k, v in series.settings.items() if k not in run.data.params]
            for first in range(0, len(new), 100):  # the most that MLflow takes at once
                self.client.log_batch(run.info.run_id, params=new[first:first + 100])
            self.runs[key] = run
            self.known[key] = {m.step for m in self.client.get_metric_history(run.info.run_id, "train_loss")}
        return self.runs[key], self.known[key]

    def send(self, key: str, name: str, series: Series) -> None:
        from mlflow.entities import Metric

        run, known = self._run_of(key, name, series)
        run_id, new = run.info.run_id, [e for e in series.epochs if e not in known]
        for epoch in new:
            now = int(time.time() * 1000)
            self.client.log_batch(run_id, metrics=[Metric(k, v, now, epoch) for k, v in series.epochs[epoch].items()])
            known.add(epoch)
        if series.finished and (new or run.info.status != "FINISHED"):
            for path in series.files:
                if path.exists():
                    self.client.log_artifact(run_id, str(path))
            self.client.set_terminated(run_id)
            self.runs[key] = self.client.get_run(run_id)


class TensorBoard:
    """A folder of event files for each training under `directory`."""

    def __init__(self, directory: str):
        self.directory = pathlib.Path(directory)
        self.writers, self.known = {}, {}

    def _known(self, folder: pathlib.Path) -> int:
        """Last epoch that the event files hold."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        if not folder.exists():
            return 0
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        events.Reload()
        return max((e.step for tag in events.Tags()["scalars"] for e in events.Scalars(tag)), default=0)

    def send(self, key: str, name: str, series: Series) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        folder = self.directory / f"{name}-{key}"
        if key not in self.known:
            self.known[key] = self._known(folder)
        new = [e for e in series.epochs if e > self.known[key]]
        if not new:
            return
        if key not in self.writers:
            self.writers[key] = EventFileWriter(str(folder))
        for epoch in new:
            values = [Summary.Value(tag=k, simple_value=v) for k, v in series.epochs[epoch].items()]
            self.writers[key].add_event(Event(wall_time=time.time(), step=epoch, summary=Summary(value=values)))
        self.writers[key].flush()
        self.known[key] = max(new)

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()


class WandB:
    """A run of Weights & Biases for each training, whose id is its identity; it drops steps that it has."""

    def __init__(self, project: str):
        import wandb

        self.wandb, self.project, self.sent = wandb, project, {}

    def send(self, key: str, name: str, series: Series) -> None:
        new = [e for e in series.epochs if e > self.sent.get(key, 0)]
        if not new:
            return
        run = self.wandb.init(project=self.project, id=key, name=name, config=series.settings, resume="allow",
                              reinit="finish_previous")
        for epoch in new:
            if epoch >= run.step:
                run.log(series.epochs[epoch], step=epoch)
        run.finish()
        self.sent[key] = max(new)

    def close(self) -> None:
        self.wandb.teardown()  # until what was sent is on its way


def follow(directory, trackers, once: bool = False) -> int:
    """Sends what is there and what comes, until training is over.  Returns the number of trainings."""
    directory = pathlib.Path(directory)
    before, quiet = None, 0
    while True:
        all_series = list(series_of(directory))
        for series in all_series:
            key, name = identity(directory, series), directory.resolve().name
            name = name if series.name == "run" else f"{name}-{series.name}"
            for tracker in trackers:
                tracker.send(key, name, series)
        if once or _is_over(directory, all_series):
            return len(all_series)
        done = [len(series.epochs) for series in all_series]
        before, quiet = done, quiet + 1 if done == before else 0
        if quiet == _QUIET:
            print(f"{directory}: {_progress(directory, all_series)}, nothing new for {_QUIET * _SECONDS:g} s; waiting, "
                  "as what was interrupted may go on; what diverged does not: Ctrl-C ends, and so does --once",
                  file=sys.stderr)
        time.sleep(_SECONDS)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m cuonn.track", description="Tells experiment trackers of a run or sweep, by its files, while it "
        "runs and afterwards. What a tracker has already is not sent again.")
    parser.add_argument("directory", help="of `cuonn train` or `cuonn sweep`")
    parser.add_argument("--mlflow", metavar="URI", help="a server or database of MLflow's, such as sqlite:///mlflow.db")
    parser.add_argument("--tensorboard", metavar="DIR", help="where event files go")
    parser.add_argument("--wandb", metavar="PROJECT", help="a project of Weights & Biases")
    parser.add_argument("--once", action="store_true", help="end after what is there")
    options = parser.parse_args(arguments)
    chosen = [make(value) for make, value in ((MLflow, options.mlflow), (TensorBoard, options.tensorboard),
                                              (WandB, options.wandb)) if value]
    if not chosen:
        parser.error("name a tracker: --mlflow, --tensorboard or --wandb")
    try:
        n = follow(options.directory, chosen, options.once)
        print(f"{options.directory}: {n} training{'' if n == 1 else 's'} sent")
    finally:
        for tracker in chosen:
            if hasattr(tracker, "close"):
                tracker.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as reason:
        sys.exit(f"cuonn.track: {reason}; pip install cuonn[track]")
    except Error as reason:
        sys.exit(f"cuonn.track: {reason}")
