"""cuonn.track: MLflow by a real server, TensorBoard read back by its own reader, Weights & Biases offline; a run that is
followed while it trains, and one that is sent twice."""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import cuonn
from cuonn import track

CONFIG = "configs/fashion-mnist.yaml"
SMALL = {"network.layers": 1, "data.radius": 2, "network.modes": 16, "backend.name": "cpu"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "seven"
    cuonn.train(CONFIG, output=directory, settings={**SMALL, "training.epochs": 3})
    return directory


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "grid"
    cuonn.sweep(CONFIG, output=directory, settings={**SMALL, "training.epochs": 2, "training.seed": [0, 1],
                                                    "chip.coupler_std": [0, 0.1]})
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """MLflow's server over SQLite, on a free port."""
    place = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(place / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{place}/mlflow.db", "--artifacts-destination", str(place / "artifacts")],
            stdout=log, stderr=log, start_new_session=True)
    uri = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, (place / "log").read_text()
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield uri
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def sent_to_mlflow(uri):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("cuonn").experiment_id
    return client, client.search_runs([experiment])


def test_mlflow(run, sweep, server):
    for _ in range(2):
        assert track.main([str(run), "--mlflow", server]) == 0
        assert track.main([str(sweep), "--mlflow", server]) == 0
    client, runs = sent_to_mlflow(server)
    assert sorted(r.info.run_name for r in runs) == ["grid-000000", "grid-000001", "grid-000002", "grid-000003", "seven"]
    seven = next(r for r in runs if r.info.run_name == "seven")
    history = client.get_metric_history(seven.info.run_id, "test_accuracy")
    assert [(m.step, m.value) for m in history] == [
        (e + 1, v) for e, v in enumerate(cuonn.Run(run).history.test_accuracy.values)]
    assert seven.data.params["training.epochs"] == "3" and seven.info.status == "FINISHED"
    assert {f.path for f in client.list_artifacts(seven.info.run_id)} >= {"last.nc", "best.nc", "config.yaml"}
    stds = sorted(float(r.data.params["chip.coupler_std"]) for r in runs if r.info.run_name != "seven")
    assert stds == [0, 0, 0.1, 0.1]


def test_a_run_that_goes_on(server, tmp_path):
    """Looked at once while it trains, once when it is done, and once after it went on for an epoch more: one run."""
    directory = tmp_path / "long"
    program = subprocess.Popen([cuonn.runs.program(), "train", CONFIG, "--output", directory, "--json",
                                *cuonn.runs._settings({**SMALL, "training.epochs": 40})], stdout=subprocess.PIPE)
    program.stdout.readline()
    for arguments in (["--mlflow", server], ["--tensorboard", str(tmp_path / "logs")]):
        track.main([str(directory), *arguments, "--once"])
    program.stdout.read()
    program.stdout.close()
    assert program.wait() == 0
    for epochs in (40, 41):
        if epochs == 41:
            cuonn.train(resume=directory, settings={"training.epochs": 41})
        track.main([str(directory), "--mlflow", server])
        track.main([str(directory), "--tensorboard", str(tmp_path / "logs")])
        client, runs = sent_to_mlflow(server)
        one, = (r for r in runs if r.info.run_name == "long")
        assert [m.step for m in client.get_metric_history(one.info.run_id, "train_loss")] == list(range(1, epochs + 1))
        assert one.info.status == "FINISHED"
        folder, = (tmp_path / "logs").iterdir()
        assert [step for step, _ in scalars(folder)["train_loss"]] == list(range(1, epochs + 1))


def test_mlflow_refuses_folders(run, capsys):
    with pytest.raises(cuonn.FileError, match="MLflow refuses folders"):
        track.main([str(run), "--mlflow", "./mlruns"])


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard(run, sweep, tmp_path):
    for _ in range(2):
        track.main([str(run), "--tensorboard", str(tmp_path)])
        track.main([str(sweep), "--tensorboard", str(tmp_path)])
    folders = sorted(p.name.rsplit("-", 1)[0] for p in tmp_path.iterdir())
    assert folders == ["grid-000000", "grid-000001", "grid-000002", "grid-000003", "seven"]
    got = scalars(next(tmp_path.glob("seven-*")))
    want = cuonn.Run(run).history
    for name in ("train_loss", "test_accuracy"):
        assert [s for s, _ in got[name]] == [1, 2, 3]
        assert [v for _, v in got[name]] == pytest.approx(want[name].values, rel=1e-6)  # floats in its files


def test_wandb_offline(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    track.main([str(run), "--wandb", "cuonn"])
    files = list(pathlib.Path(tmp_path).glob("wandb/offline-run-*/run-*.wandb"))
    assert len(files) == 1 and b"test_accuracy" in files[0].read_bytes()


class Recorder:
    """A tracker that keeps what it is sent, and lets training go on at its first epoch."""

    def __init__(self):
        self.seen = []

    def send(self, key, name, series):
        self.seen.append((key, len(series.epochs), series.finished))


def test_follows_a_run_that_grows(run, tmp_path, monkeypatch):
    """A directory whose metrics.csv gets a line, and half of one, between looks."""
    grown = tmp_path / "grown"
    grown.mkdir()
    (grown / "config.yaml").write_text((run / "config.yaml").read_text())
    lines = (run / "metrics.csv").read_text().splitlines(keepends=True)
    texts = ["".join(lines[:1]), "".join(lines[:2]) + lines[2][:8], "".join(lines[:3]), "".join(lines)]
    (grown / "metrics.csv").write_text(texts.pop(0))
    monkeypatch.setattr(track.time, "sleep", lambda unused: (grown / "metrics.csv").write_text(texts.pop(0)))
    recorder = Recorder()
    assert track.follow(grown, [recorder]) == 1
    assert [(n, f) for _, n, f in recorder.seen] == [(0, False), (1, False), (2, False), (3, True)]
    assert len({key for key, _, _ in recorder.seen}) == 1


@pytest.mark.parametrize("kind", ("run", "sweep"))
def test_says_that_it_waits(kind, run, sweep, tmp_path, monkeypatch, capsys):
    """Parts of a run or a sweep come after 40 looks and after 80: a line for each time that nothing came, and an end
    once all is there."""
    stopped, looks = tmp_path / kind, []
    (stopped / "runs").mkdir(parents=True)
    lines = (run / "metrics.csv").read_text().splitlines(keepends=True)
    points = sorted((sweep / "runs").glob("*.nc"))

    def get(part):
        """1, 2 or 3 of 3 epochs; 1, 2 or 4 of 4 points."""
        if kind == "run":
            (stopped / "metrics.csv").write_text("".join(lines[:part + 1]))
        for point in points[:part if part < 3 else 4] if kind == "sweep" else ():
            (stopped / "runs" / point.name).write_bytes(point.read_bytes())

    def sleep(unused):
        looks.append(None)
        if len(looks) % 40 == 0:
            get(1 + len(looks) // 40)

    name = {"run": "config.yaml", "sweep": "sweep.yaml"}[kind]
    (stopped / name).write_bytes(({"run": run, "sweep": sweep}[kind] / name).read_bytes())
    get(1)
    monkeypatch.setattr(track.time, "sleep", sleep)
    assert track.follow(stopped, [Recorder()]) == (1 if kind == "run" else 4)
    said, (total, unit) = capsys.readouterr().err.splitlines(), {"run": (3, "epochs"), "sweep": (4, "runs")}[kind]
    assert len(looks) == 80 and [line.split(",")[0] for line in said] == [
        f"{stopped}: {done} of {total} {unit}" for done in (1, 2)]
    assert all("--once" in line for line in said)


def test_once_ends_at_once(run, tmp_path):
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "config.yaml").write_text((run / "config.yaml").read_text())
    recorder = Recorder()
    assert track.follow(begun, [recorder], once=True) == 1
    assert [(n, f) for _, n, f in recorder.seen] == [(0, False)]


def test_points_of_zipped_grids(tmp_path):
    (tmp_path / "sweep.yaml").write_text(
        "training: {seed: [0, 1, 2], optimizer: {name: [sgd, adam], learning_rate: [0.1, 0.001]}}\n"
        "sweep: {zip: [[training.optimizer.name, training.optimizer.learning_rate]]}\n")
    assert track._count_points(tmp_path) == 6


def test_refuses(tmp_path, capsys):
    with pytest.raises(cuonn.FileError, match="neither a run"):
        track.main([str(tmp_path), "--tensorboard", str(tmp_path / "logs")])
    with pytest.raises(SystemExit) as ended:
        track.main([str(tmp_path)])
    assert ended.value.code == 2 and "name a tracker" in capsys.readouterr().err
